/* client_read.c - reads (client.h): always of many keys, one alone is a batch of one.
 *
 * The plans of a batch are made together; then each step goes to all its servers together, and who
 * has his answer has no further one.  A read that overran its plan is thrown away and made again;
 * one that missed while the generation moved on is made again once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client_internal.h"

/* Asks for the next step of a reading, or ends it.  True: it was asked. */
static bool reading_ask(struct client *client, struct reading *reading, int *timeout_ms)
{
	const struct run *run = reading->run;

	reading->through = true;
	if (reading->step == run->plan.step_count ||
	    run->plan.step[reading->step].send != MCR_SEND_READ) {
		reading->found = reading->failed ? FOUND_UNKNOWN : FOUND_NOTHING;
	} else if (client_too_late(client, run)) {
		reading->found = FOUND_LATE;
	} else {
		int step_ms = run_step_timeout_ms(client, run, reading->step);

		reading->through = false;
		reading->query =
		    (struct wire_query){.key = reading->key, .key_bytes = reading->key_bytes};
		wire_ask(run->wire[reading->step], &reading->query);
		if (step_ms < *timeout_ms)
			*timeout_ms = step_ms;
	}
	return !reading->through;
}

static void reading_answered(struct client *client, struct reading *reading)
{
	const struct mcr_step *step = &reading->run->plan.step[reading->step];
	const struct wire_query *query = &reading->query;

	if (query->answer == WIRE_FAILED) {
		struct wire *wire = reading->run->wire[reading->step];

		snprintf(client->result.reason, sizeof(client->result.reason), "get at %s: %s",
			 wire_address(wire), wire_query_reason(wire));
		reading->failed = true;
	}
	if (query->answer == WIRE_DONE &&
	    (query->value_bytes || !step->empty_is_miss || client->plant == PLANT_STUBS)) {
		reading->found = FOUND;
		reading->through = true;
	} else if (client->plant == PLANT_FALLBACK && query->answer != WIRE_FAILED) {
		reading->found = FOUND_NOTHING;
		reading->through = true;
	} else {
		reading->step++;
	}
}

void readings_run(struct client *client, struct reading *readings, unsigned count)
{
	for (;;) {
		int timeout_ms = (int)client->op_timeout_ms;
		unsigned asked = 0;

		for (unsigned i = 0; i < count; i++)
			if (!readings[i].through)
				asked += reading_ask(client, &readings[i], &timeout_ms);
		if (!asked)
			return;
		wire_pool_exchange(client->pool, timeout_ms);
		for (unsigned i = 0; i < count; i++)
			if (!readings[i].through)
				reading_answered(client, &readings[i]);
	}
}

/* One of many reads, until its answer is final. */
struct look {
	struct client_read *read;
	struct run run;
	struct reading *reading;
	bool missed_before;
};

static void look_value(struct client *client, struct client_read *read, struct look *look)
{
	const struct wire_query *query = &look->reading->query;

	client->held[client->held_count++] = query->value;
	read->value =
	    (struct client_value){.bytes = query->value,
				  .length = query->value_bytes,
				  .flags = query->flags,
				  .cas = query->cas,
				  .server_id = wire_server_id(look->run.wire[look->reading->step])};
}

/* The plan of a look has been carried out.  True: the answer is final. */
static bool look_end(struct client *client, struct look *look)
{
	struct client_read *read = look->read;
	enum found found = look->reading->found;
	int end = client_end(client, &look->run);

	read->phase = look->run.plan.phase;
	read->steps = look->run.plan.step_count;
	read->generation = look->run.plan.generation;
	if (end == MCR_REPEAT || found == FOUND_LATE) {
		if (found == FOUND)
			free(look->reading->query.value);
		return false;
	}
	if (found == FOUND_NOTHING && end == MCR_NEWER && !look->missed_before) {
		look->missed_before = true;
		return false;
	}
	if (found == FOUND)
		look_value(client, read, look);
	read->status = found == FOUND		? CLIENT_OK
		       : found == FOUND_UNKNOWN ? CLIENT_FAILED
						: CLIENT_NOT_FOUND;
	return true;
}

/* Plans what is open and carries it out; what has to be planned again stays.  Returns how many. */
static unsigned looks_turn(struct client *client, struct look *looks, unsigned open)
{
	struct reading readings[CLIENT_READS_MAX];
	unsigned planned = 0, left = 0;

	for (unsigned i = 0; i < open; i++) {
		struct client_read *read = looks[i].read;
		int rc = run_begin(client, &looks[i].run, MCR_OP_GET, read->key, read->key_bytes);

		read->plans++;
		if (rc) {
			read->status = client_refuse(client, rc);
			continue;
		}
		looks[planned] = looks[i];
		readings[planned] = (struct reading){
		    .run = &looks[planned].run, .key = read->key, .key_bytes = read->key_bytes};
		looks[planned].reading = &readings[planned];
		planned++;
	}
	client_dawdle(client);
	readings_run(client, readings, planned);
	for (unsigned i = 0; i < planned; i++)
		if (!look_end(client, &looks[i]))
			looks[left++] = looks[i];
	return left;
}

void client_get_many(struct client *client, struct client_read *reads, unsigned count)
{
	struct look looks[CLIENT_READS_MAX];
	unsigned open = 0;

	client_values_release(client);
	memset(&client->result, 0, sizeof(client->result));
	for (unsigned i = 0; i < count && i < CLIENT_READS_MAX; i++) {
		reads[i] = (struct client_read){
		    .key = reads[i].key, .key_bytes = reads[i].key_bytes, .status = CLIENT_FAILED};
		looks[open++] = (struct look){.read = &reads[i]};
	}
	for (int plans = 0; open && plans < PLANS_MAX; plans++)
		open = looks_turn(client, looks, open);
	if (open)
		snprintf(client->result.reason, sizeof(client->result.reason),
			 "read %d times, each time overtaken by a new generation", PLANS_MAX);
}

enum client_status client_get(struct client *client, const void *key, size_t key_bytes,
			      struct client_value *value)
{
	struct request request = {.op = MCR_OP_GET, .key = key, .key_bytes = key_bytes};
	struct client_read read = {.key = key, .key_bytes = key_bytes};

	if (!request_begin(client, &request))
		return CLIENT_REFUSED;
	client_get_many(client, &read, 1);
	if (read.status == CLIENT_OK)
		*value = read.value;
	client->result.phase = read.phase;
	client->result.steps = read.steps;
	client->result.plans = read.plans;
	return client->result.status = read.status;
}
