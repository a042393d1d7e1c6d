/* client.c - a client's life, its plans and its reads (client.h); writes are client_write.c's.
 *
 * A read that overran its plan is thrown away and made again; one that missed while the generation
 * moved on is made again once.
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

int client_new(struct mcr *mcr, struct client **out)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client)
		return MCR_NO_MEMORY;
	client->mcr = mcr;
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
	free(client->value);
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
	free(client->value);
	client->value = NULL;
	if (request->key && request->key_bytes && request->key_bytes <= MCR_KEY_MAX)
		return true;
	client_refuse(client, MCR_BAD_KEY);
	return false;
}

/* ---- reads ---- */

enum found run_reads(struct client *client, const struct run *run, const struct request *request,
		     struct client_value *value, unsigned *next)
{
	bool failed = false;
	unsigned i;

	for (i = 0; i < run->plan.step_count && run->plan.step[i].send == MCR_SEND_READ; i++) {
		void *bytes;
		size_t length;
		uint32_t flags;

		if (mcr_check(client->reader, &run->plan) != MCR_OK)
			return FOUND_LATE;
		enum wire_answer answer =
		    wire_get(run->wire[i], run_step_timeout_ms(client, run, i), request->key,
			     request->key_bytes, &bytes, &length, &flags);
		if (answer == WIRE_FAILED) {
			client_reason(client, "get", run->wire[i]);
			failed = true;
		}
		if (answer != WIRE_DONE || (!length && run->plan.step[i].empty_is_miss)) {
			if (answer == WIRE_DONE)
				free(bytes);
			continue;
		}
		free(client->value);
		client->value = bytes;
		*value = (struct client_value){.bytes = bytes, .length = length, .flags = flags};
		return FOUND;
	}
	*next = i;
	return failed ? FOUND_UNKNOWN : FOUND_NOTHING;
}

enum client_status client_get(struct client *client, const void *key, size_t key_bytes,
			      struct client_value *value)
{
	struct request request = {.op = MCR_OP_GET, .key = key, .key_bytes = key_bytes};
	bool missed_before = false;

	if (!request_begin(client, &request))
		return CLIENT_REFUSED;
	for (int plans = 0; plans < PLANS_MAX; plans++) {
		struct run run;
		unsigned next;
		int rc = run_begin(client, &run, MCR_OP_GET, key, key_bytes);
		if (rc)
			return client_refuse(client, rc);
		enum found found = run_reads(client, &run, &request, value, &next);
		int end = mcr_end(client->reader, &run.plan);

		client->result.phase = run.plan.phase;
		client->result.steps = run.plan.step_count;
		if (end == MCR_REPEAT || found == FOUND_LATE) {
			free(client->value);
			client->value = NULL;
			continue;
		}
		if (found == FOUND_NOTHING && end == MCR_NEWER && !missed_before) {
			missed_before = true;
			continue;
		}
		if (found == FOUND_UNKNOWN)
			return client->result.status = CLIENT_FAILED;
		return client->result.status = found == FOUND ? CLIENT_OK : CLIENT_NOT_FOUND;
	}
	snprintf(client->result.reason, sizeof(client->result.reason),
		 "read %d times, each time overtaken by a new generation", PLANS_MAX);
	return client->result.status = CLIENT_FAILED;
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
