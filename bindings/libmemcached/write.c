/* write.c - everything that writes (mcroster_memcached.h).
 *
 * Steps run in the plan's order and only before its deadline.  A write that could not be carried
 * out whole, or not in time, is made good by deletes before it counts as complete (make_good).
 * Those that cannot be delivered are the agent's to carry out; the write is not complete then, but
 * owed.  Where no agent answers they are tried again for a while.
 */
#include "pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For how many op_timeouts the deletes that a write still owes are tried again. */
#define RETRY_OP_TIMEOUTS  10
#define RETRY_PAUSE_MAX_MS 100

/* An operation: what the caller wants done. */
struct order {
	enum mcr_op op;
	enum wire_command command;
	struct wire_write write;
	const struct mcr_pool_token *token; /* cas */
};

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

/* ---- making good ---- */

static bool delete_at(struct session *session, struct wire *wire, struct order *order,
		      int timeout_ms)
{
	if (mcr_wire_send(wire, WIRE_DELETE, &order->write, timeout_ms) != WIRE_FAILED)
		return true;
	mcr_session_reason(session, "delete", wire);
	session->report.given_up_delete = 1;
	return false;
}

/* One delete by the rule of the present phase.  True when all of it was delivered in time. */
static bool delete_by_plan(struct session *session, struct order *order, struct touched *touched)
{
	const struct mcr_pool_item *item = order->write.item;
	struct run run;
	bool delivered = true;

	if (mcr_run_begin(session, &run, mcr_pool_now_ns(), MCR_OP_DELETE, item->key,
			  item->key_bytes) != MCR_OK)
		return false;
	for (unsigned i = 0; i < run.plan.step_count; i++) {
		if (mcr_check(session->reader, &run.plan) != MCR_OK) {
			delivered = false;
			break;
		}
		if (!delete_at(session, run.wire[i], order,
			       mcr_run_step_timeout_ms(session, &run, i)))
			delivered = false;
	}
	if (mcr_end(session->reader, &run.plan) == MCR_REPEAT) {
		touched_add(touched, &run);
		return false;
	}
	return delivered;
}

/* Deletes at the servers in `touched`, then by the rule of the present phase. */
static bool delete_all(struct session *session, struct order *order, struct touched *touched)
{
	while (touched->count) {
		if (!delete_at(session, touched->wire[touched->count - 1], order,
			       (int)session->op_timeout_ms))
			return false;
		touched->count--;
	}
	return delete_by_plan(session, order, touched);
}

enum good { MADE_GOOD, OWED, NOT_MADE_GOOD };

/* Makes good a write that was not carried out whole, step `step` of `plan` for one. */
static enum good make_good(struct session *session, struct order *order,
			   const struct mcr_plan *plan, unsigned step, struct touched *touched)
{
	const struct mcr_pool_item *item = order->write.item;
	struct mcr_pool_report *report = &session->report;
	const uint64_t until_ns =
	    mcr_pool_now_ns() + RETRY_OP_TIMEOUTS * session->op_timeout_ms * UINT64_C(1000000);
	long pause_ms = 1;
	int rc;

	if (delete_all(session, order, touched))
		return MADE_GOOD;
	rc = mcr_owe(session->reader, plan, step, item->key, item->key_bytes,
		     (int)session->op_timeout_ms);
	/* An agent that dies before it answers may have the key on its disk. */
	report->owed =
	    rc == MCR_OK || rc == MCR_TIMED_OUT || rc == MCR_NO_AGENT || rc == MCR_NOT_READY;
	if (rc == MCR_OK)
		return OWED;
	(void)snprintf(report->reason, sizeof(report->reason), "owe: %s", mcr_strerror(rc));
	/* The agent's no is an answer; where there is none the caller is on its own. */
	while (rc != MCR_FULL && rc != MCR_NOT_STORED && mcr_pool_now_ns() < until_ns) {
		nanosleep(&(struct timespec){.tv_nsec = pause_ms * 1000000}, NULL);
		pause_ms = pause_ms * 2 < RETRY_PAUSE_MAX_MS ? pause_ms * 2 : RETRY_PAUSE_MAX_MS;
		if (delete_all(session, order, touched))
			return MADE_GOOD;
	}
	return NOT_MADE_GOOD;
}

/* ---- the steps ---- */

static enum wire_command step_command(const struct order *order, const struct mcr_step *step)
{
	switch (step->send) {
	case MCR_SEND_DELETE:
		return WIRE_DELETE;
	case MCR_SEND_SET:
		return WIRE_SET;
	default:
		return order->command;
	}
}

static enum mcr_pool_status status_of(enum wire_answer answer)
{
	static const enum mcr_pool_status statuses[] = {
	    [WIRE_DONE] = MCR_POOL_OK,
	    [WIRE_MISS] = MCR_POOL_NOT_FOUND,
	    [WIRE_NOT_STORED] = MCR_POOL_NOT_STORED,
	    [WIRE_EXISTS] = MCR_POOL_EXISTS,
	    [WIRE_NOT_NUMBER] = MCR_POOL_NOT_NUMBER,
	    [WIRE_FAILED] = MCR_POOL_FAILED,
	};

	return statuses[answer];
}

/* What became of the writes of one plan. */
struct written {
	unsigned sent;
	bool own_sent; /* the caller's own command was, whatever came of it */
	bool answered;
	bool failed;	  /* the outcome is unknown */
	bool undelivered; /* a step that the operation is not complete without */
	unsigned step;	  /* the last such step */
	enum mcr_pool_status status;
};

static void step_failed(struct session *session, const struct order *order, struct wire *wire,
			unsigned i, bool own, struct written *written)
{
	const bool first = written->sent == 1;

	mcr_session_reason(session, own ? "write" : "delete", wire);
	/* The first step's failure is the caller's: the outcome is unknown, and he is told so.  A
	 * delete is no use to him by halves. */
	written->failed |= first || own;
	if (own)
		session->report.given_up_at = mcr_wire_server_id(wire);
	if (!own || order->op == MCR_OP_DELETE)
		session->report.given_up_delete = 1;
	if (!first || order->op == MCR_OP_DELETE) {
		written->undelivered = true;
		written->step = i;
	}
}

static void write_steps(struct session *session, struct run *run, struct order *order, unsigned i,
			struct written *written)
{
	for (; i < run->plan.step_count; i++) {
		const struct mcr_step *step = &run->plan.step[i];
		const bool own = order->op == MCR_OP_DELETE || step->send != MCR_SEND_DELETE;
		enum wire_answer answer;

		if (mcr_check(session->reader, &run->plan) != MCR_OK) {
			written->undelivered = true;
			written->step = i;
			return;
		}
		answer = mcr_wire_send(run->wire[i], step_command(order, step), &order->write,
				       mcr_run_step_timeout_ms(session, run, i));
		written->sent++;
		written->own_sent |= own;
		if (answer == WIRE_FAILED) {
			step_failed(session, order, run->wire[i], i, own, written);
		} else if (own) {
			/* A delete has found the key when one of its servers had it. */
			if (!written->answered || answer == WIRE_DONE)
				written->status = status_of(answer);
			written->answered = true;
		}
	}
}

/* The reads at the head of a plan, an add's or a touch's.  *next is the first step behind them. */
static enum found head_read(struct session *session, const struct run *run,
			    const struct order *order, unsigned *next)
{
	const struct mcr_pool_item *item = order->write.item;
	struct mcr_pool_value value = {.bytes = NULL};
	struct reading reading = {
	    .run = run, .query = {.key = item->key, .key_bytes = item->key_bytes, .value = &value}};

	*next = 0;
	if (run->plan.step[0].send != MCR_SEND_READ)
		return FOUND_NOTHING;
	mcr_reading_run(session, &reading);
	if (reading.found == FOUND)
		free(value.bytes);
	*next = reading.step;
	return reading.found;
}

/* What a step's server answers to a read of the key; a reservation is a miss. */
static enum wire_answer step_has(struct session *session, const struct run *run, unsigned i,
				 const struct mcr_pool_item *item)
{
	struct mcr_pool_value value = {.bytes = NULL};
	struct wire_query query = {.key = item->key, .key_bytes = item->key_bytes, .value = &value};

	mcr_wire_get(run->wire[i], &query, mcr_run_step_timeout_ms(session, run, i));
	if (query.answer != WIRE_DONE)
		return query.answer;
	free(value.bytes);
	return value.length > 0 ? WIRE_DONE : WIRE_MISS;
}

/* Has the value gone from where a cas is sent to where the plan deletes?  The cas would be refused,
 * and the value be lost all the same. */
static bool value_gone(struct session *session, const struct run *run,
		       const struct mcr_pool_item *item)
{
	const bool deletes_first = run->plan.step[0].send == MCR_SEND_DELETE;

	return run->plan.step_count == 2 &&
	       step_has(session, run, deletes_first ? 1 : 0, item) == WIRE_MISS &&
	       step_has(session, run, deletes_first ? 0 : 1, item) == WIRE_DONE;
}

/* Is the server that gave the token the one that a cas goes to now, and the value still there? */
static bool token_holds(struct session *session, const struct run *run, const struct order *order)
{
	struct mcr_server owner;

	return mcr_server(session->reader, &run->plan, run->plan.owner, &owner) == MCR_OK &&
	       owner.id == order->token->server_id && !value_gone(session, run, order->write.item);
}

/* ---- an operation ---- */

/* Nothing but reads was sent.  True: *status is the answer; else it is planned again. */
static bool unsent_status(const struct run *run, enum found found, int end, bool newer_before,
			  enum mcr_pool_status *status)
{
	if (end == MCR_REPEAT || found == FOUND_LATE)
		return false;
	*status = found == FOUND_UNKNOWN ? MCR_POOL_FAILED : MCR_POOL_NOT_STORED;
	if (run->plan.answer == MCR_ANSWER_READ && found != FOUND_UNKNOWN) {
		*status = found == FOUND ? MCR_POOL_OK : MCR_POOL_NOT_FOUND;
		/* As any read that missed while the generation moved on. */
		return found == FOUND || end != MCR_NEWER || newer_before;
	}
	/* Of an add that found nothing no write was sent: it was too late for that. */
	return found != FOUND_NOTHING;
}

static enum mcr_pool_status written_status(const struct order *order, const struct run *run,
					   const struct written *written)
{
	if (written->failed)
		return MCR_POOL_FAILED;
	if (run->plan.answer == MCR_ANSWER_NOT_STORED)
		return MCR_POOL_NOT_STORED;
	/* While the key moves it is a reservation that is no number: nothing is there. */
	if (written->status == MCR_POOL_NOT_NUMBER && order->op == MCR_OP_UPDATE &&
	    run->plan.step_count > 1)
		return MCR_POOL_NOT_FOUND;
	return written->status;
}

static enum mcr_pool_status order_run(struct session *session, struct order *order)
{
	const struct mcr_pool_item *item = order->write.item;
	struct mcr_pool_report *report = &session->report;
	bool newer_before = false;

	for (int plans = 0; plans < PLANS_MAX; plans++) {
		struct written written = {.status = MCR_POOL_OK};
		struct touched touched;
		struct run run;
		enum mcr_pool_status status;
		unsigned next = 0;
		enum found found = FOUND_NOTHING;
		int end;

		const int rc = mcr_run_begin(session, &run, mcr_pool_now_ns(), order->op, item->key,
					     item->key_bytes);
		if (rc != MCR_OK)
			return mcr_session_refuse(session, rc);
		const bool holds = !order->token || token_holds(session, &run, order);
		if (holds)
			found = head_read(session, &run, order, &next);
		if (holds && found == FOUND_NOTHING)
			write_steps(session, &run, order, next, &written);
		end = mcr_end(session->reader, &run.plan);

		report->phase = (enum mcr_phase)run.plan.phase;
		report->steps = run.plan.step_count;
		report->generation = run.plan.generation;
		if (!holds)
			return MCR_POOL_EXISTS;
		if (!written.sent) {
			if (unsent_status(&run, found, end, newer_before, &status))
				return status;
			newer_before |= end == MCR_NEWER;
			continue;
		}
		touched.count = 0;
		if (end == MCR_REPEAT)
			touched_add(&touched, &run);
		if (!touched.count && !written.undelivered)
			return written_status(order, &run, &written);
		switch (make_good(session, order, &run.plan, written.step, &touched)) {
		case NOT_MADE_GOOD:
			return MCR_POOL_INCOMPLETE;
		case OWED:
			return written.failed && order->op != MCR_OP_DELETE ? MCR_POOL_FAILED
									    : MCR_POOL_OWED;
		case MADE_GOOD:
			report->invalidated = 1;
		}
		/* The delete that was asked for is what has just been done. */
		if (order->op == MCR_OP_DELETE)
			return MCR_POOL_OK;
		if (written.own_sent || written.failed)
			return written_status(order, &run, &written);
	}
	(void)snprintf(report->reason, sizeof(report->reason),
		       "planned %d times, each time overtaken by a new generation", PLANS_MAX);
	return MCR_POOL_FAILED;
}

static enum mcr_pool_status order_place(struct mcr_pool *pool, struct order *order,
					struct mcr_pool_report *report)
{
	struct session *session = mcr_session_take(pool);

	if (!session)
		return mcr_session_none(report);
	session->report.status = order_run(session, order);
	return mcr_session_leave(session, report);
}

/* ---- the commands ---- */

static enum mcr_pool_status store(struct mcr_pool *pool, enum mcr_op op, enum wire_command command,
				  const struct mcr_pool_item *item, struct mcr_pool_report *report)
{
	struct order order = {.op = op, .command = command, .write = {.item = item}};

	return order_place(pool, &order, report);
}

enum mcr_pool_status mcr_pool_set(struct mcr_pool *pool, const struct mcr_pool_item *item,
				  struct mcr_pool_report *report)
{
	return store(pool, MCR_OP_SET, WIRE_SET, item, report);
}

enum mcr_pool_status mcr_pool_add(struct mcr_pool *pool, const struct mcr_pool_item *item,
				  struct mcr_pool_report *report)
{
	return store(pool, MCR_OP_ADD, WIRE_ADD, item, report);
}

enum mcr_pool_status mcr_pool_replace(struct mcr_pool *pool, const struct mcr_pool_item *item,
				      struct mcr_pool_report *report)
{
	return store(pool, MCR_OP_UPDATE, WIRE_REPLACE, item, report);
}

enum mcr_pool_status mcr_pool_append(struct mcr_pool *pool, const struct mcr_pool_item *item,
				     struct mcr_pool_report *report)
{
	return store(pool, MCR_OP_APPEND, WIRE_APPEND, item, report);
}

enum mcr_pool_status mcr_pool_prepend(struct mcr_pool *pool, const struct mcr_pool_item *item,
				      struct mcr_pool_report *report)
{
	return store(pool, MCR_OP_APPEND, WIRE_PREPEND, item, report);
}

enum mcr_pool_status mcr_pool_cas(struct mcr_pool *pool, const struct mcr_pool_item *item,
				  const struct mcr_pool_token *token,
				  struct mcr_pool_report *report)
{
	struct order order = {.op = MCR_OP_UPDATE,
			      .command = WIRE_CAS,
			      .write = {.item = item, .cas = token->cas},
			      .token = token};

	return order_place(pool, &order, report);
}

static enum mcr_pool_status count(struct mcr_pool *pool, enum wire_command command,
				  const struct mcr_pool_item *item, uint32_t by, uint64_t *number,
				  struct mcr_pool_report *report)
{
	struct order order = {
	    .op = MCR_OP_UPDATE, .command = command, .write = {.item = item, .by = by}};
	const enum mcr_pool_status status = order_place(pool, &order, report);

	if (status == MCR_POOL_OK && number)
		*number = order.write.number;
	return status;
}

enum mcr_pool_status mcr_pool_incr(struct mcr_pool *pool, const void *key, size_t key_bytes,
				   uint32_t by, uint64_t *number, struct mcr_pool_report *report)
{
	const struct mcr_pool_item item = {.key = key, .key_bytes = key_bytes};

	return count(pool, WIRE_INCR, &item, by, number, report);
}

enum mcr_pool_status mcr_pool_decr(struct mcr_pool *pool, const void *key, size_t key_bytes,
				   uint32_t by, uint64_t *number, struct mcr_pool_report *report)
{
	const struct mcr_pool_item item = {.key = key, .key_bytes = key_bytes};

	return count(pool, WIRE_DECR, &item, by, number, report);
}

enum mcr_pool_status mcr_pool_touch(struct mcr_pool *pool, const void *key, size_t key_bytes,
				    time_t expiry, struct mcr_pool_report *report)
{
	const struct mcr_pool_item item = {.key = key, .key_bytes = key_bytes, .expiry = expiry};

	return store(pool, MCR_OP_TOUCH, WIRE_TOUCH, &item, report);
}

enum mcr_pool_status mcr_pool_delete(struct mcr_pool *pool, const void *key, size_t key_bytes,
				     struct mcr_pool_report *report)
{
	const struct mcr_pool_item item = {.key = key, .key_bytes = key_bytes};

	return store(pool, MCR_OP_DELETE, WIRE_DELETE, &item, report);
}
