/* client.c - see client.h.
 *
 * What makes an operation right lies in three places: steps are run in the plan's order and only
 * before its deadline (write_steps, read_steps); a write that could not be carried out whole, or
 * not in time, is made good by deletes (invalidate); a read that overran is thrown away.
 */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire.h"

/* How often an operation is planned again (late, overrun, generation gone) before it is an error:
 * each of these needs a generation to come out meanwhile, and these come op_timeout apart. */
#define PLANS_MAX 4
/* For how many op_timeouts the deletes that a write still owes are tried again. */
#define RETRY_OP_TIMEOUTS 10
#define RETRY_PAUSE_MAX_MS 100
/* The part of op_timeout that is kept for each step that is still to come. */
#define STEP_SHARES 8

struct client {
	struct mcr *mcr;
	struct mcr_reader *reader;
	struct wire_pool *pool;
	void *value; /* of the last get */
	uint32_t generation;
	uint32_t op_timeout_ms;
	struct client_result result;
};

/* An operation's key and, for writes, what is written. */
struct request {
	enum mcr_op op;
	const void *key;
	size_t key_bytes;
	const void *value;
	size_t value_bytes;
	uint32_t flags;
	time_t expiry;
	uint32_t by;
	uint64_t number; /* incr's answer */
};

/* A plan whose servers have been looked up while its generation was in the ring. */
struct run {
	struct mcr_plan plan;
	struct wire *wire[MCR_STEPS_MAX];
	uint64_t until_ns; /* op_timeout from its beginning */
};

static uint64_t now_ns(void)
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

static void reason_set(struct client *client, const char *what, const struct wire *wire)
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

/* Begins a plan and finds its servers.  0: it must be closed with mcr_end; an error: there is none. */
static int run_begin(struct client *client, struct run *run, enum mcr_op op, const void *key,
		     size_t key_bytes)
{
	for (int attempt = 0; attempt < PLANS_MAX; attempt++) {
		uint64_t begun_ns = now_ns();
		int rc = mcr_begin(client->reader, op, key, key_bytes, &run->plan);
		if (rc == MCR_STALE)
			continue;
		if (rc)
			return rc;
		client->result.plans++;
		rc = op_timeout_learn(client, run->plan.generation);
		for (unsigned i = 0; !rc && i < run->plan.step_count; i++) {
			struct mcr_server server;
			rc = mcr_server(client->reader, &run->plan, run->plan.step[i].server, &server);
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

/* The time that step i may take: what is left of op_timeout, less a share for each step behind it,
 * which is sent whatever becomes of this one. */
static int step_timeout_ms(const struct client *client, const struct run *run, unsigned i)
{
	uint64_t now = now_ns();
	uint64_t left_ms = run->until_ns > now ? (run->until_ns - now) / 1000000 : 0;
	uint64_t share_ms = client->op_timeout_ms / STEP_SHARES;
	uint64_t behind_ms = share_ms * (run->plan.step_count - 1 - i);

	if (left_ms > behind_ms + share_ms)
		return (int)(left_ms - behind_ms);
	return left_ms < share_ms || !share_ms ? 1 : (int)share_ms;
}

static enum client_status refuse(struct client *client, int plan_error)
{
	client->result.plan_error = plan_error;
	snprintf(client->result.reason, sizeof(client->result.reason), "%s",
		 mcr_strerror(plan_error));
	return client->result.status = CLIENT_REFUSED;
}

static bool request_begin(struct client *client, const struct request *request)
{
	memset(&client->result, 0, sizeof(client->result));
	free(client->value);
	client->value = NULL;
	if (request->key && request->key_bytes && request->key_bytes <= MCR_KEY_MAX)
		return true;
	refuse(client, MCR_BAD_KEY);
	return false;
}

/* ---- reads ---- */

enum found { FOUND, FOUND_NOTHING, FOUND_UNKNOWN, FOUND_LATE };

/* Runs the reads at the head of a plan.  *next is the first step behind them. */
static enum found read_steps(struct client *client, const struct run *run,
			     const struct request *request, struct client_value *value,
			     unsigned *next)
{
	bool failed = false;
	unsigned i;

	for (i = 0; i < run->plan.step_count && run->plan.step[i].send == MCR_SEND_READ; i++) {
		void *bytes;
		size_t length;
		uint32_t flags;

		if (mcr_check(client->reader, &run->plan) != MCR_OK)
			return FOUND_LATE;
		enum wire_answer answer = wire_get(run->wire[i], step_timeout_ms(client, run, i),
						   request->key, request->key_bytes, &bytes, &length,
						   &flags);
		if (answer == WIRE_FAILED) {
			reason_set(client, "get", run->wire[i]);
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
			return refuse(client, rc);
		enum found found = read_steps(client, &run, &request, value, &next);
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

/* ---- writes ---- */

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
		if (wire_delete(run.wire[i], step_timeout_ms(client, &run, i), key, key_bytes) ==
		    WIRE_FAILED) {
			reason_set(client, "delete", run.wire[i]);
			delivered = false;
		}
	}
	if (mcr_end(client->reader, &run.plan) == MCR_REPEAT) {
		touched_add(touched, &run);
		return false;
	}
	return delivered;
}

/* Makes good a write that was not carried out whole: deletes at the servers in `touched`, then by
 * the rule of the present phase, again and again until all of it is delivered. */
static bool invalidate(struct client *client, const void *key, size_t key_bytes,
		       struct touched *touched)
{
	uint64_t until_ns =
		now_ns() + RETRY_OP_TIMEOUTS * client->op_timeout_ms * UINT64_C(1000000);
	long pause_ms = 1;

	for (;;) {
		while (touched->count) {
			struct wire *wire = touched->wire[touched->count - 1];
			if (wire_delete(wire, (int)client->op_timeout_ms, key, key_bytes) ==
			    WIRE_FAILED) {
				reason_set(client, "delete", wire);
				break;
			}
			touched->count--;
		}
		if (!touched->count && invalidate_once(client, key, key_bytes, touched))
			return true;
		if (now_ns() >= until_ns)
			return false;
		nanosleep(&(struct timespec){.tv_nsec = pause_ms * 1000000}, NULL);
		pause_ms = pause_ms * 2 < RETRY_PAUSE_MAX_MS ? pause_ms * 2 : RETRY_PAUSE_MAX_MS;
	}
}

static enum wire_answer step_send(const struct client *client, struct request *request,
				  const struct run *run, unsigned i)
{
	struct wire *wire = run->wire[i];
	int timeout_ms = step_timeout_ms(client, run, i);

	if (run->plan.step[i].send == MCR_SEND_DELETE)
		return wire_delete(wire, timeout_ms, request->key, request->key_bytes);
	if (run->plan.step[i].send == MCR_SEND_WRITE && request->op == MCR_OP_ADD)
		return wire_add(wire, timeout_ms, request->key, request->key_bytes, request->value,
				request->value_bytes, request->flags, request->expiry);
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
	bool own_sent;	  /* the caller's own command was, whatever came of it */
	bool answered;
	bool failed;	  /* the outcome is unknown */
	bool undelivered; /* a step that the operation is not complete without */
	enum client_status status;
};

static void write_steps(struct client *client, struct run *run, struct request *request, unsigned i,
			struct written *written)
{
	for (; i < run->plan.step_count; i++) {
		const struct mcr_step *step = &run->plan.step[i];

		if (mcr_check(client->reader, &run->plan) != MCR_OK) {
			written->undelivered = true;
			return;
		}
		enum wire_answer answer = step_send(client, request, run, i);
		bool first = !written->sent++;
		bool own = request->op == MCR_OP_DELETE || step->send != MCR_SEND_DELETE;

		written->own_sent |= own;
		if (answer == WIRE_FAILED) {
			reason_set(client, step->send == MCR_SEND_DELETE ? "delete" : "write",
				   run->wire[i]);
			/* The first step's failure is the caller's: the outcome is unknown, and he
			 * is told so.  A delete is no use to him by halves. */
			written->failed |= first || own;
			written->undelivered |= !first || request->op == MCR_OP_DELETE;
		} else if (own) {
			/* A delete has found the key when one of its servers had it. */
			if (!written->answered || answer == WIRE_DONE)
				written->status = status_of(answer);
			written->answered = true;
		}
	}
}

static enum client_status write_run(struct client *client, struct request *request)
{
	struct client_result *result = &client->result;

	if (!request_begin(client, request))
		return CLIENT_REFUSED;
	for (int plans = 0; plans < PLANS_MAX; plans++) {
		struct run run;
		struct client_value value;
		struct written written = {.status = CLIENT_OK};
		struct touched touched = {.count = 0};
		unsigned next = 0;

		int rc = run_begin(client, &run, request->op, request->key, request->key_bytes);
		if (rc)
			return refuse(client, rc);
		enum found found = read_steps(client, &run, request, &value, &next);
		if (found == FOUND_NOTHING)
			write_steps(client, &run, request, next, &written);
		int end = mcr_end(client->reader, &run.plan);

		result->phase = run.plan.phase;
		result->steps = run.plan.step_count;
		if (!written.sent) {
			if (end == MCR_REPEAT || found == FOUND_LATE || found == FOUND_NOTHING)
				continue;
			return result->status = found == FOUND ? CLIENT_NOT_STORED : CLIENT_FAILED;
		}
		if (end == MCR_REPEAT)
			touched_add(&touched, &run);
		if (touched.count || written.undelivered) {
			if (!invalidate(client, request->key, request->key_bytes, &touched))
				return result->status = CLIENT_INCOMPLETE;
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
	struct request request = {.op = MCR_OP_UPDATE,
				  .key = key,
				  .key_bytes = key_bytes,
				  .by = by};
	enum client_status status = write_run(client, &request);

	if (status == CLIENT_OK)
		*value = request.number;
	return status;
}

const struct client_result *client_result(const struct client *client)
{
	return &client->result;
}

const char *client_status_name(enum client_status status)
{
	static const char *const names[CLIENT_STATUS_COUNT] = {
		[CLIENT_OK] = "ok",	      [CLIENT_NOT_FOUND] = "not found",
		[CLIENT_NOT_STORED] = "not stored", [CLIENT_NOT_NUMBER] = "not a number",
		[CLIENT_REFUSED] = "refused", [CLIENT_FAILED] = "failed",
		[CLIENT_INCOMPLETE] = "incomplete"};

	return status < CLIENT_STATUS_COUNT ? names[status] : "unknown";
}
