/* client.c - a client's life and its plans (client.h); client_read.c and client_write.c carry them
 * out.
 */
#include "client_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The part of op_timeout that is kept for each step that is still to come. */
#define STEP_SHARES 8

uint64_t client_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void client_values_release(struct client *client)
{
	while (client->held_count)
		free(client->held[--client->held_count]);
}

int client_new(struct mcr *mcr, struct client **out)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client)
		return MCR_NO_MEMORY;
	client->mcr = mcr;
	client->random = client_now_ns() | 1;
	client->pool = wire_pool_new();
	int rc = client->pool ? mcr_reader_new(mcr, &client->reader) : MCR_NO_MEMORY;
	if (rc) {
		client_free(client);
		return rc;
	}
	*out = client;
	return 0;
}

void client_free(struct client *client)
{
	if (!client)
		return;
	client_values_release(client);
	wire_pool_free(client->pool);
	if (client->reader)
		mcr_reader_free(client->reader);
	free(client);
}

void client_between(struct client *client, void (*between)(void *context, enum mcr_phase phase),
		    void *context)
{
	client->between = between;
	client->between_context = context;
}

void client_reason(struct client *client, const char *what, const struct wire *wire)
{
	snprintf(client->result.reason, sizeof(client->result.reason), "%s at %s: %s", what,
		 wire_address(wire), wire_reason(wire));
}

/* ---- plans ---- */

static int op_timeout_learn(struct client *client, uint32_t generation)
{
	struct mcr_info info;

	if (client->generation == generation)
		return 0;
	int rc = mcr_info(client->mcr, &info);
	if (rc)
		return rc;
	client->op_timeout_ms = info.op_timeout_ms;
	client->generation = generation;
	return 0;
}

int run_begin(struct client *client, struct run *run, enum mcr_op op, const void *key,
	      size_t key_bytes)
{
	for (int attempt = 0; attempt < PLANS_MAX; attempt++) {
		uint64_t begun_ns = client_now_ns();
		int rc = mcr_begin(client->reader, op, key, key_bytes, &run->plan);
		if (rc == MCR_STALE)
			continue;
		if (rc)
			return rc;
		client->result.plans++;
		rc = op_timeout_learn(client, run->plan.generation);
		for (unsigned i = 0; !rc && i < run->plan.step_count; i++) {
			struct mcr_server server;
			rc = mcr_server(client->reader, &run->plan, run->plan.step[i].server,
					&server);
			if (rc)
				break;
			run->wire[i] = wire_of(client->pool, server.id, server.address);
			if (!run->wire[i])
				rc = MCR_NO_MEMORY;
		}
		if (!rc) {
			run->until_ns = begun_ns + client->op_timeout_ms * UINT64_C(1000000);
			return 0;
		}
		mcr_end(client->reader, &run->plan);
		if (rc != MCR_STALE)
			return rc;
	}
	return MCR_STALE;
}

int run_step_timeout_ms(const struct client *client, const struct run *run, unsigned i)
{
	uint64_t now = client_now_ns();
	uint64_t left_ms = run->until_ns > now ? (run->until_ns - now) / 1000000 : 0;
	uint64_t share_ms = client->op_timeout_ms / STEP_SHARES;
	uint64_t behind_ms = share_ms * (run->plan.step_count - 1 - i);

	if (left_ms > behind_ms + share_ms)
		return (int)(left_ms - behind_ms);
	return left_ms < share_ms || !share_ms ? 1 : (int)share_ms;
}

enum client_status client_refuse(struct client *client, int plan_error)
{
	client->result.plan_error = plan_error;
	snprintf(client->result.reason, sizeof(client->result.reason), "%s",
		 mcr_strerror(plan_error));
	return client->result.status = CLIENT_REFUSED;
}

bool request_begin(struct client *client, const struct request *request)
{
	memset(&client->result, 0, sizeof(client->result));
	client_values_release(client);
	if (request->key && request->key_bytes && request->key_bytes <= MCR_KEY_MAX)
		return true;
	client_refuse(client, MCR_BAD_KEY);
	return false;
}

/* ---- faults on purpose ---- */

#define DAWDLE_SHARE	   300 /* one operation in so many */
#define DAWDLE_OP_TIMEOUTS 3

void client_plant(struct client *client, enum client_plant plant)
{
	client->plant = plant;
}

void client_dawdle(struct client *client)
{
	uint64_t ms = (uint64_t)client->op_timeout_ms * DAWDLE_OP_TIMEOUTS;

	if (client->plant != PLANT_LATE && client->plant != PLANT_SLOW)
		return;
	client->random ^= client->random << 13;
	client->random ^= client->random >> 7;
	client->random ^= client->random << 17;
	if (client->random % DAWDLE_SHARE == 0)
		nanosleep(&(struct timespec){.tv_sec = (time_t)(ms / 1000),
					     .tv_nsec = (long)(ms % 1000) * 1000000},
			  NULL);
}

bool client_too_late(const struct client *client, const struct run *run)
{
	return mcr_check(client->reader, &run->plan) != MCR_OK && client->plant != PLANT_LATE;
}

int client_end(const struct client *client, const struct run *run)
{
	int end = mcr_end(client->reader, &run->plan);

	return end == MCR_REPEAT && client->plant == PLANT_LATE ? MCR_OK : end;
}

const struct client_result *client_result(const struct client *client)
{
	return &client->result;
}

const char *client_status_name(enum client_status status)
{
	static const char *const names[CLIENT_STATUS_COUNT] = {[CLIENT_OK] = "ok",
							       [CLIENT_NOT_FOUND] = "not found",
							       [CLIENT_NOT_STORED] = "not stored",
							       [CLIENT_NOT_NUMBER] = "not a number",
							       [CLIENT_REFUSED] = "refused",
							       [CLIENT_FAILED] = "failed",
							       [CLIENT_INCOMPLETE] = "incomplete",
							       [CLIENT_OWED] = "owed"};

	return status < CLIENT_STATUS_COUNT ? names[status] : "unknown";
}
