/* torn_read.c - a reader that believes nothing: whatever it is told must be of one generation. */
#include <stdio.h>
#include <string.h>

#include "mcroster.h"
#include "torn.h"

#define ROUTES 256u /* for each of the slower readings */

struct client {
	struct mcr_reader *reader, *strict_reader;
	struct torn_reader *tale;
	uint32_t generation;
	uint32_t key;
};

static int plan_judge(struct client *client, const struct mcr_plan *plan)
{
	const uint32_t owner = plan->generation % TORN_SERVERS;

	client->tale->operations++;
	if (plan->generation != client->generation) {
		client->generation = plan->generation;
		client->tale->generations++;
	}
	if (plan->phase == MCR_COPY && plan->step_count == 1 && plan->step[0].server == owner)
		return 0;
	(void)snprintf(client->tale->mixture, sizeof(client->tale->mixture),
		       "a plan of generation %u: phase %u, %u steps, owner %u, want %u",
		       plan->generation, plan->phase, plan->step_count, plan->step[0].server,
		       owner);
	return 1;
}

static int wrong(struct client *client, const char *what, int error)
{
	(void)snprintf(client->tale->mixture, sizeof(client->tale->mixture), "%s: %s", what,
		       error < 0 ? mcr_strerror(error) : "another number of servers");
	return 1;
}

static int routes_read(struct client *client)
{
	for (unsigned i = 0; i < ROUTES; i++) {
		struct mcr_plan plan;
		int error;

		client->key++;
		error =
		    mcr_begin(client->reader, MCR_OP_SET, &client->key, sizeof(client->key), &plan);
		if (error != MCR_OK)
			return wrong(client, "mcr_begin", error);
		if (plan_judge(client, &plan) != 0)
			return 1;
		error = mcr_end(client->reader, &plan);
		/* retire_ns is long past: a plan that was overtaken has overrun. */
		if (error != MCR_OK && error != MCR_REPEAT)
			return wrong(client, "mcr_end", error);
	}
	return 0;
}

static int list_read(struct client *client)
{
	struct mcr_server listed[TORN_SERVERS];
	struct mcr_info info;
	const int found = mcr_servers(client->reader, &info, listed, TORN_SERVERS);

	if (found == MCR_STALE) {
		client->tale->overtaken++;
		return 0;
	}
	if (found != TORN_SERVERS)
		return wrong(client, "mcr_servers", found);
	client->tale->listings++;
	for (uint32_t i = 0; i < TORN_SERVERS; i++)
		if (listed[i].weight != info.generation || info.epoch != info.generation ||
		    info.next_epoch != (uint64_t)info.generation + 1) {
			(void)snprintf(client->tale->mixture, sizeof(client->tale->mixture),
				       "the list of generation %u: epoch %u, server %u is of %u",
				       info.generation, (unsigned)info.epoch, i, listed[i].weight);
			return 1;
		}
	return 0;
}

static int server_read(struct client *client)
{
	struct mcr_server server;
	struct mcr_plan plan;
	int error = mcr_begin(client->reader, MCR_OP_SET, "key", 3, &plan);

	if (error != MCR_OK)
		return wrong(client, "mcr_begin", error);
	if (plan_judge(client, &plan) != 0)
		return 1;
	error = mcr_server(client->reader, &plan, plan.step[0].server, &server);
	if (error == MCR_STALE) {
		client->tale->overtaken++;
		return 0;
	}
	if (error != MCR_OK)
		return wrong(client, "mcr_server", error);
	if (server.weight == plan.generation)
		return 0;
	(void)snprintf(client->tale->mixture, sizeof(client->tale->mixture),
		       "a server of generation %u is of %u", plan.generation, server.weight);
	return 1;
}

/* Only even generations ever have a lease. */
static int lease_read(struct client *client)
{
	struct mcr_plan plan;
	const int error = mcr_begin(client->strict_reader, MCR_OP_SET, "key", 3, &plan);

	if (error == MCR_ISOLATED)
		return 0;
	if (error == MCR_STALE) {
		client->tale->overtaken++;
		return 0;
	}
	if (error != MCR_OK)
		return wrong(client, "mcr_begin, strict", error);
	if (plan_judge(client, &plan) != 0)
		return 1;
	if (plan.generation % 2 == 0)
		return 0;
	(void)snprintf(client->tale->mixture, sizeof(client->tale->mixture),
		       "a plan of generation %u under the lease of another", plan.generation);
	return 1;
}

int torn_read(struct mcr *mcr, struct mcr *strict, struct torn_shared *shared, unsigned number)
{
	struct client client = {.tale = &shared->reader[number]};
	int torn = 0;

	if (mcr_reader_new(mcr, &client.reader) != MCR_OK ||
	    mcr_reader_new(strict, &client.strict_reader) != MCR_OK)
		return wrong(&client, "mcr_reader_new", MCR_NO_MEMORY);
	while (torn == 0 && __atomic_load_n(&shared->stop, __ATOMIC_RELAXED) == 0)
		torn = routes_read(&client) != 0 || list_read(&client) != 0 ||
		       server_read(&client) != 0 || lease_read(&client) != 0;
	mcr_reader_free(client.strict_reader);
	mcr_reader_free(client.reader);
	return torn;
}
