/* owed_execute.c - owed deletes carried out as a client's: planned by the rule table under what is
 * published now, step after step, and counted only where a client's delete would count.
 *
 * A client may end an operation of the older generation within op_timeout of the newer one's
 * publication; here such an execution is not counted at all.  That is stricter than the barrier
 * needs, and costs one more delete.
 */
#include "core/owed_internal.h"

#include <assert.h>
#include <string.h>

#include "plan.h"

enum execution_state { UNUSED, TO_SEND, SENT, TO_HANG_UP };

/* ---- plans ---- */

bool owed_plan(const struct owed_present *present, const void *key, size_t key_bytes,
	       struct mcr_plan *plan)
{
	static const uint8_t rule[PHASE_COUNT] = {
	    [PHASE_STEADY] = MCR_STEADY, [PHASE_PREPARE] = MCR_PREPARE, [PHASE_COPY] = MCR_COPY,
	    [PHASE_SWITCH] = MCR_SWITCH, [PHASE_SETTLE] = MCR_SETTLE,	[PHASE_DRAIN] = MCR_DRAIN,
	    [PHASE_GIVEUP] = MCR_GIVEUP, [PHASE_AFTER] = MCR_STEADY,	[PHASE_PURGE] = MCR_STEADY,
	    [PHASE_UNWIND] = MCR_UNWIND, [PHASE_BACK] = MCR_STEADY,	[PHASE_CLEAN] = MCR_STEADY,
	};
	const bool new_alone = present->phase == PHASE_AFTER || present->phase == PHASE_PURGE;
	uint32_t old_owner, new_owner;

	if (!change_key_covered(present->change, key, key_bytes))
		return false;
	change_key_owners(present->change, key, key_bytes, &old_owner, &new_owner);
	memset(plan, 0, sizeof(*plan));
	/* STEADY's one step goes to the old owner: there that is the list in force. */
	plan_fill(rule[present->phase], MCR_OP_DELETE, new_alone ? new_owner : old_owner, new_owner,
		  plan);
	plan->generation = present->generation;
	return true;
}

/* ---- servers ---- */

/* One that failed is left alone, then tried with one key at a time until it answers. */
static bool server_waits(const struct owed_server *server, uint64_t now_ms)
{
	return now_ms < server->retry_ms || (server->backoff_ms > 0 && server->running > 0);
}

static uint32_t backoff_grown(uint32_t backoff_ms)
{
	if (backoff_ms == 0)
		return OWED_BACKOFF_MIN_MS;
	return backoff_ms * 2 < OWED_BACKOFF_MAX_MS ? backoff_ms * 2 : OWED_BACKOFF_MAX_MS;
}

/* Those of one batch that fail together count as one failure. */
static void server_failed(struct owed_server *server, uint64_t now_ms)
{
	if (now_ms < server->retry_ms)
		return;
	server->backoff_ms = backoff_grown(server->backoff_ms);
	server->retry_ms = now_ms + server->backoff_ms;
}

static void server_answered(struct owed *owed, struct owed_server *server)
{
	if (server->backoff_ms == 0)
		return;
	server->backoff_ms = 0;
	server->retry_ms = 0;
	owed_splice(owed, &owed->ready, &server->parked);
}

/* ---- one execution ---- */

static const struct owed_server *plan_waits_for(const struct owed *owed,
						const struct mcr_plan *plan, uint64_t now_ms)
{
	for (unsigned i = 0; i < plan->step_count; i++)
		if (server_waits(&owed->server[plan->step[i].server], now_ms))
			return &owed->server[plan->step[i].server];
	return NULL;
}

static bool execution_in_time(const struct owed *owed, const struct owed_execution *execution,
			      uint64_t now_ms)
{
	return execution->view == owed->view && now_ms < execution->deadline_ms &&
	       now_ms < owed->lease_ms;
}

static void execution_begin(struct owed *owed, struct owed_execution *execution, uint32_t number,
			    const struct mcr_plan *plan, uint64_t now_ms)
{
	struct owed_entry *entry = owed_at(owed, number);

	entry->state = OWED_RUNNING;
	*execution = (struct owed_execution){
	    .state = TO_SEND,
	    .entry = number,
	    .view = owed->view,
	    .generation = plan->generation,
	    .covers = entry->added,
	    .timeout_ms = now_ms + owed->present.change->op_timeout_ms,
	    .plan = *plan,
	};
	execution->deadline_ms =
	    execution->timeout_ms < owed->lease_ms ? execution->timeout_ms : owed->lease_ms;
	for (unsigned i = 0; i < plan->step_count; i++)
		owed->server[plan->step[i].server].running++;
	owed->running++;
	owed->counts.executions++;
}

/* It has ended at `now_ms`, with all its steps or without. */
static void execution_end(struct owed *owed, struct owed_execution *execution, uint64_t now_ms)
{
	struct owed_entry *entry = owed_at(owed, execution->entry);
	const bool whole = execution->step == execution->plan.step_count && execution->failed == 0;

	execution->state = UNUSED;
	owed->running--;
	if (execution->view == owed->view)
		for (unsigned i = 0; i < execution->plan.step_count; i++)
			owed->server[execution->plan.step[i].server].running--;
	if (!whole || !execution_in_time(owed, execution, now_ms)) {
		owed->counts.late += whole;
		owed->counts.failed += execution->failed != 0;
		entry->failed = execution->failed;
		entry->failed_view = execution->view;
		entry->state = OWED_READY;
		owed_push(owed, &owed->ready, execution->entry);
		return;
	}
	entry->backoff_ms = 0;
	entry->failed = 0;
	entry->covered = execution->covers;
	if (owed_again(entry)) {
		owed_tell_complete(owed, execution->entry);
		entry->state = OWED_READY;
		owed_push(owed, &owed->ready, execution->entry);
		return;
	}
	entry->state = OWED_PAID;
	owed_push(owed, &owed->pending, execution->entry);
}

static void step_failed(struct owed *owed, struct owed_execution *execution, bool refused,
			uint64_t now_ms)
{
	struct owed_entry *entry = owed_at(owed, execution->entry);

	execution->failed |= (uint8_t)(1u << execution->step);
	/* The server is there and other keys may well succeed: this one waits by itself. */
	if (refused) {
		entry->backoff_ms = backoff_grown(entry->backoff_ms);
		entry->due_ms = now_ms + entry->backoff_ms;
	}
	if (execution->view == owed->view)
		server_failed(&owed->server[execution->plan.step[execution->step].server], now_ms);
}

/* ---- events ---- */

void owed_present(struct owed *owed, const struct owed_present *present, uint64_t now_ms)
{
	(void)now_ms;
	if (owed->view > 0 && present->change == owed->present.change &&
	    present->phase == owed->present.phase &&
	    present->generation == owed->present.generation)
		return;
	assert(present->change == NULL || present->change->server_count <= OWED_SERVERS_MAX);
	owed->present = *present;
	owed->view++;
	for (uint32_t i = 0; i < OWED_SERVERS_MAX; i++) {
		struct owed_server *server = &owed->server[i];

		owed_splice(owed, &owed->ready, &server->parked);
		server->running = server->backoff_ms = 0;
		server->retry_ms = 0;
	}
	owed_splice(owed, &owed->ready, &owed->stranded);
}

void owed_lease(struct owed *owed, uint64_t lease_ms)
{
	owed->lease_ms = lease_ms;
}

void owed_replied(struct owed *owed, uint32_t command, enum owed_reply reply, uint64_t now_ms)
{
	struct owed_execution *execution = NULL;

	for (uint32_t i = 0; i < OWED_RUNNING_MAX && execution == NULL; i++)
		if (owed->execution[i].state == SENT && owed->execution[i].command == command)
			execution = &owed->execution[i];
	if (execution == NULL)
		return;
	if (reply != OWED_REPLY_DELETED)
		step_failed(owed, execution, reply == OWED_REPLY_REFUSED, now_ms);
	else if (execution->view == owed->view)
		server_answered(owed, &owed->server[execution->plan.step[execution->step].server]);
	execution->step++;
	if (execution->step == execution->plan.step_count)
		execution_end(owed, execution, now_ms);
	else
		execution->state = TO_SEND;
}

void owed_tick(struct owed *owed, uint64_t now_ms)
{
	for (uint32_t i = 0; i < OWED_RUNNING_MAX; i++) {
		struct owed_execution *execution = &owed->execution[i];

		if (execution->state != SENT || now_ms < execution->timeout_ms)
			continue;
		step_failed(owed, execution, false, now_ms);
		execution->state = TO_HANG_UP;
	}
	if (owed->present.change == NULL)
		return;
	for (uint32_t i = 0; i < owed->present.change->server_count; i++)
		if (owed->server[i].parked.count > 0 && !server_waits(&owed->server[i], now_ms))
			owed_splice(owed, &owed->ready, &owed->server[i].parked);
}

bool owed_in_flight(const struct owed *owed, uint32_t generation)
{
	for (uint32_t i = 0; i < OWED_RUNNING_MAX; i++)
		if (owed->execution[i].state != UNUSED &&
		    (int32_t)(generation - owed->execution[i].generation) > 0)
			return true;
	return false;
}

/* ---- actions ---- */

static void action_send(struct owed *owed, struct owed_execution *execution,
			struct owed_action *action)
{
	const struct owed_entry *entry = owed_at(owed, execution->entry);
	const uint32_t server = execution->plan.step[execution->step].server;

	memcpy(execution->address, owed->present.change->servers[server].address,
	       sizeof(execution->address));
	execution->command = ++owed->command;
	execution->state = SENT;
	action->type = OWED_SEND;
	action->entry = execution->entry;
	action->key = entry->key;
	action->key_bytes = entry->key_bytes;
	action->server = server;
	action->address = execution->address;
	action->command = execution->command;
}

/* What runs: commands cut off first, then the next steps, each looked at once more. */
static bool running_next(struct owed *owed, uint64_t now_ms, struct owed_action *action)
{
	for (uint32_t i = 0; i < OWED_RUNNING_MAX; i++) {
		struct owed_execution *execution = &owed->execution[i];

		if (execution->state != TO_HANG_UP)
			continue;
		execution_end(owed, execution, now_ms);
		action->type = OWED_HANG_UP;
		action->address = execution->address;
		return true;
	}
	for (uint32_t i = 0; i < OWED_RUNNING_MAX; i++) {
		struct owed_execution *execution = &owed->execution[i];

		if (execution->state != TO_SEND)
			continue;
		if (execution_in_time(owed, execution, now_ms)) {
			action_send(owed, execution, action);
			return true;
		}
		execution_end(owed, execution, now_ms);
	}
	return false;
}

static struct owed_execution *execution_unused(struct owed *owed)
{
	for (uint32_t i = 0; i < OWED_RUNNING_MAX; i++)
		if (owed->execution[i].state == UNUSED)
			return &owed->execution[i];
	return NULL;
}

/* Begins the next one that can be carried out now; those that cannot are put where they wait. */
static bool begin_next(struct owed *owed, uint64_t now_ms)
{
	while (owed->ready.count > 0) {
		const uint32_t number = owed_pop(owed, &owed->ready);
		const struct owed_entry *entry = owed_at(owed, number);
		const struct owed_server *waits;
		struct mcr_plan plan;

		if (!owed_plan(&owed->present, entry->key, entry->key_bytes, &plan)) {
			owed_push(owed, &owed->stranded, number);
			continue;
		}
		waits = plan_waits_for(owed, &plan, now_ms);
		if (waits == NULL && now_ms < entry->due_ms)
			waits = &owed->server[plan.step[0].server];
		if (waits != NULL) {
			owed_push(owed, &owed->server[waits - owed->server].parked, number);
			continue;
		}
		execution_begin(owed, execution_unused(owed), number, &plan, now_ms);
		return true;
	}
	return false;
}

bool owed_execute_next(struct owed *owed, uint64_t now_ms, struct owed_action *action)
{
	if (running_next(owed, now_ms, action))
		return true;
	if (owed->present.change == NULL || now_ms >= owed->lease_ms ||
	    owed->running == OWED_RUNNING_MAX || !begin_next(owed, now_ms))
		return false;
	return running_next(owed, now_ms, action);
}
