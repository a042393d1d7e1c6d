/* client_write.c - set, add, delete, incr and cas (client.h).
 *
 * Steps run in the plan's order and only before its deadline.  A write that could not be carried
 * out whole, or not in time, is made good by deletes before it counts as complete (invalidate).
 * Those that cannot be delivered are the agent's to carry out; the write is not complete then, but
 * owed.  Where no agent answers they are tried again for a while.
 */
#include <stdio.h>
#include <stdlib.h>

#include "client_internal.h"

/* For how many op_timeouts the deletes that a write still owes are tried again. */
#define RETRY_OP_TIMEOUTS  10
#define RETRY_PAUSE_MAX_MS 100

/* The servers at which a write that overran may have left something. */
struct touched {
	struct wire *wire[MCR_STEPS_MAX * PLANS_MAX];
	unsigned count;
};

static void touched_add(struct touched *touched, const struct run *run)
{
	for (unsigned i = 0; i < run->plan.step_count; i++) {
		unsigned k = 0;
		while (k < touched->count && touched->wire[k] != run->wire[i])
			k++;
		if (k == touched->count && k < MCR_STEPS_MAX * PLANS_MAX)
			touched->wire[touched->count++] = run->wire[i];
	}
}

/* One delete by the rule of the present phase.  True when all of it was delivered in time. */
static bool invalidate_once(struct client *client, const void *key, size_t key_bytes,
			    struct touched *touched)
{
	struct run run;
	bool delivered = true;

	if (run_begin(client, &run, MCR_OP_DELETE, key, key_bytes))
		return false;
	for (unsigned i = 0; i < run.plan.step_count; i++) {
		if (mcr_check(client->reader, &run.plan) != MCR_OK) {
			delivered = false;
			break;
		}
		if (wire_delete(run.wire[i], run_step_timeout_ms(client, &run, i), key,
				key_bytes) == WIRE_FAILED) {
			client_reason(client, "delete", run.wire[i]);
			client->result.given_up_delete = true;
			delivered = false;
		}
	}
	if (mcr_end(client->reader, &run.plan) == MCR_REPEAT) {
		touched_add(touched, &run);
		return false;
	}
	return delivered;
}

/* Deletes at the servers in `touched`, then by the rule of the present phase. */
static bool invalidate_all(struct client *client, const void *key, size_t key_bytes,
			   struct touched *touched)
{
	while (touched->count) {
		struct wire *wire = touched->wire[touched->count - 1];
		if (wire_delete(wire, (int)client->op_timeout_ms, key, key_bytes) == WIRE_FAILED) {
			client_reason(client, "delete", wire);
			client->result.given_up_delete = true;
			return false;
		}
		touched->count--;
	}
	return invalidate_once(client, key, key_bytes, touched);
}

enum good { MADE_GOOD, OWED, NOT_MADE_GOOD };

/* Makes good a write that was not carried out whole, step `step` of `plan` for one. */
static enum good invalidate(struct client *client, const struct request *request,
			    const struct mcr_plan *plan, unsigned step, struct touched *touched)
{
	uint64_t until_ns =
	    client_now_ns() + RETRY_OP_TIMEOUTS * client->op_timeout_ms * UINT64_C(1000000);
	long pause_ms = 1;
	int rc;

	if (invalidate_all(client, request->key, request->key_bytes, touched))
		return MADE_GOOD;
	rc = mcr_owe(client->reader, plan, step, request->key, request->key_bytes,
		     (int)client->op_timeout_ms);
	/* An agent that dies before it answers may have the key on its disk. */
	client->result.owed =
	    rc == MCR_OK || rc == MCR_TIMED_OUT || rc == MCR_NO_AGENT || rc == MCR_NOT_READY;
	if (rc == MCR_OK)
		return OWED;
	snprintf(client->result.reason, sizeof(client->result.reason), "owe: %s", mcr_strerror(rc));
	/* The agent's no is an answer; where there is none the client is on its own. */
	while (rc != MCR_FULL && rc != MCR_NOT_STORED && client_now_ns() < until_ns) {
		nanosleep(&(struct timespec){.tv_nsec = pause_ms * 1000000}, NULL);
		pause_ms = pause_ms * 2 < RETRY_PAUSE_MAX_MS ? pause_ms * 2 : RETRY_PAUSE_MAX_MS;
		if (invalidate_all(client, request->key, request->key_bytes, touched))
			return MADE_GOOD;
	}
	return NOT_MADE_GOOD;
}

static enum wire_answer step_send(const struct client *client, struct request *request,
				  const struct run *run, unsigned i)
{
	struct wire *wire = run->wire[i];
	int timeout_ms = run_step_timeout_ms(client, run, i);

	if (run->plan.step[i].send == MCR_SEND_DELETE)
		return wire_delete(wire, timeout_ms, request->key, request->key_bytes);
	if (run->plan.step[i].send == MCR_SEND_WRITE && request->op == MCR_OP_ADD)
		return wire_add(wire, timeout_ms, request->key, request->key_bytes, request->value,
				request->value_bytes, request->flags, request->expiry);
	if (run->plan.step[i].send == MCR_SEND_WRITE && request->swap)
		return wire_cas(wire, timeout_ms, request->key, request->key_bytes, request->value,
				request->value_bytes, request->flags, request->expiry,
				request->cas);
	if (run->plan.step[i].send == MCR_SEND_WRITE && request->op == MCR_OP_UPDATE)
		return wire_incr(wire, timeout_ms, request->key, request->key_bytes, request->by,
				 &request->number);
	return wire_set(wire, timeout_ms, request->key, request->key_bytes, request->value,
			request->value_bytes, request->flags, request->expiry);
}

static enum client_status status_of(enum wire_answer answer)
{
	switch (answer) {
	case WIRE_DONE:
		return CLIENT_OK;
	case WIRE_MISS:
		return CLIENT_NOT_FOUND;
	case WIRE_NOT_STORED:
		return CLIENT_NOT_STORED;
	case WIRE_NOT_NUMBER:
		return CLIENT_NOT_NUMBER;
	default:
		return CLIENT_FAILED;
	}
}

/* What became of the writes of one plan. */
struct written {
	unsigned sent;
	bool own_sent; /* the caller's own command was, whatever came of it */
	bool answered;
	bool failed;	  /* the outcome is unknown */
	bool undelivered; /* a step that the operation is not complete without */
	unsigned step;	  /* the last such step */
	enum client_status status;
};

/* PLANT_ORDER: the last step from `first` on comes first, and some time after it the next. */
#define ORDER_PAUSE_NS 5000000

static void steps_reverse(struct run *run, unsigned first)
{
	unsigned last = run->plan.step_count;

	for (; first + 1 < last; first++) {
		const struct mcr_step step = run->plan.step[first];
		struct wire *wire = run->wire[first];

		last--;
		run->plan.step[first] = run->plan.step[last];
		run->wire[first] = run->wire[last];
		run->plan.step[last] = step;
		run->wire[last] = wire;
	}
}

static void write_steps(struct client *client, struct run *run, struct request *request, unsigned i,
			struct written *written)
{
	if (client->plant == PLANT_ORDER)
		steps_reverse(run, i);
	for (; i < run->plan.step_count; i++) {
		const struct mcr_step *step = &run->plan.step[i];

		if (written->sent && client->plant == PLANT_ORDER)
			nanosleep(&(struct timespec){.tv_nsec = ORDER_PAUSE_NS}, NULL);
		if (written->sent && client->between)
			client->between(client->between_context, run->plan.phase);
		if (written->sent &&
		    client->plant == (request->op == MCR_OP_DELETE ? PLANT_DELETE : PLANT_SECOND))
			return;
		client_dawdle(client);
		if (client_too_late(client, run)) {
			written->undelivered = true;
			written->step = i;
			return;
		}
		enum wire_answer answer = step_send(client, request, run, i);
		bool first = !written->sent++;
		bool own = request->op == MCR_OP_DELETE || step->send != MCR_SEND_DELETE;

		written->own_sent |= own;
		if (answer == WIRE_FAILED) {
			client_reason(client, step->send == MCR_SEND_DELETE ? "delete" : "write",
				      run->wire[i]);
			/* The first step's failure is the caller's: the outcome is unknown, and he
			 * is told so.  A delete is no use to him by halves. */
			written->failed |= first || own;
			if (own)
				client->result.given_up_at = wire_server_id(run->wire[i]);
			client->result.given_up_delete |= step->send == MCR_SEND_DELETE;
			if (!first || request->op == MCR_OP_DELETE) {
				written->undelivered = true;
				written->step = i;
			}
		} else if (own) {
			/* A delete has found the key when one of its servers had it. */
			if (!written->answered || answer == WIRE_DONE)
				written->status = status_of(answer);
			written->answered = true;
		}
	}
}

/* The reads at the head of an add's plan.  *next is the first step behind them. */
static enum found head_read(struct client *client, const struct run *run,
			    const struct request *request, unsigned *next)
{
	struct reading reading = {.run = run, .key = request->key, .key_bytes = request->key_bytes};

	readings_run(client, &reading, 1);
	if (reading.found == FOUND)
		free(reading.query.value);
	*next = reading.step;
	return reading.found;
}

/* Is the server that gave the token the one that a cas goes to now? */
static bool token_holds(struct client *client, const struct run *run, const struct request *request)
{
	struct mcr_server owner;

	return mcr_server(client->reader, &run->plan, run->plan.owner, &owner) == MCR_OK &&
	       owner.id == request->server_id;
}

static enum client_status write_run(struct client *client, struct request *request)
{
	struct client_result *result = &client->result;

	if (!request_begin(client, request))
		return CLIENT_REFUSED;
	for (int plans = 0; plans < PLANS_MAX; plans++) {
		struct run run;
		struct written written = {.status = CLIENT_OK};
		struct touched touched = {.count = 0};
		unsigned next = 0;

		int rc = run_begin(client, &run, request->op, request->key, request->key_bytes);
		if (rc)
			return client_refuse(client, rc);
		bool holds = !request->swap || token_holds(client, &run, request);
		enum found found = head_read(client, &run, request, &next);
		if (found == FOUND_NOTHING && holds)
			write_steps(client, &run, request, next, &written);
		int end = client_end(client, &run);

		result->phase = run.plan.phase;
		result->steps = run.plan.step_count;
		if (!holds)
			return result->status = CLIENT_NOT_STORED;
		if (!written.sent) {
			if (end == MCR_REPEAT || found == FOUND_LATE || found == FOUND_NOTHING)
				continue;
			return result->status = found == FOUND ? CLIENT_NOT_STORED : CLIENT_FAILED;
		}
		if (end == MCR_REPEAT)
			touched_add(&touched, &run);
		if (touched.count || written.undelivered) {
			enum good good =
			    invalidate(client, request, &run.plan, written.step, &touched);
			if (good == NOT_MADE_GOOD)
				return result->status = CLIENT_INCOMPLETE;
			if (good == OWED)
				return result->status =
					   written.failed && request->op != MCR_OP_DELETE
					       ? CLIENT_FAILED
					       : CLIENT_OWED;
			result->invalidated = true;
			/* The delete that was asked for is what has just been done. */
			if (request->op == MCR_OP_DELETE)
				return result->status = CLIENT_OK;
			if (!written.own_sent && !written.failed)
				continue;
		}
		return result->status = written.failed ? CLIENT_FAILED : written.status;
	}
	snprintf(result->reason, sizeof(result->reason),
		 "planned %d times, each time overtaken by a new generation", PLANS_MAX);
	return result->status = CLIENT_FAILED;
}

enum client_status client_set(struct client *client, const void *key, size_t key_bytes,
			      const void *value, size_t value_bytes, uint32_t flags, time_t expiry)
{
	struct request request = {.op = MCR_OP_SET,
				  .key = key,
				  .key_bytes = key_bytes,
				  .value = value,
				  .value_bytes = value_bytes,
				  .flags = flags,
				  .expiry = expiry};

	return write_run(client, &request);
}

enum client_status client_add(struct client *client, const void *key, size_t key_bytes,
			      const void *value, size_t value_bytes, uint32_t flags, time_t expiry)
{
	struct request request = {.op = MCR_OP_ADD,
				  .key = key,
				  .key_bytes = key_bytes,
				  .value = value,
				  .value_bytes = value_bytes,
				  .flags = flags,
				  .expiry = expiry};

	return write_run(client, &request);
}

enum client_status client_delete(struct client *client, const void *key, size_t key_bytes)
{
	struct request request = {.op = MCR_OP_DELETE, .key = key, .key_bytes = key_bytes};

	return write_run(client, &request);
}

enum client_status client_incr(struct client *client, const void *key, size_t key_bytes,
			       uint32_t by, uint64_t *value)
{
	struct request request = {
	    .op = MCR_OP_UPDATE, .key = key, .key_bytes = key_bytes, .by = by};
	enum client_status status = write_run(client, &request);

	if (status == CLIENT_OK)
		*value = request.number;
	return status;
}

enum client_status client_cas(struct client *client, const struct client_read *read,
			      const void *value, size_t value_bytes, uint32_t flags, time_t expiry)
{
	struct request request = {.op = MCR_OP_UPDATE,
				  .key = read->key,
				  .key_bytes = read->key_bytes,
				  .value = value,
				  .value_bytes = value_bytes,
				  .flags = flags,
				  .expiry = expiry,
				  .swap = true,
				  .cas = read->value.cas,
				  .server_id = read->value.server_id};

	return write_run(client, &request);
}
