/* coord_change.c - what operators ask of the coordinator: lists, orders, keys.
 *
 * Signatures were checked before anything comes here; this file says whether it makes sense now.
 */
#include "core/coord_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Can anything be decided here now? */
static int coord_leads(const struct coord *coord, uint64_t now_ms, struct failure *failure)
{
	if (coord->state == COORD_HALTED)
		return failure_set(failure, EAGAIN, "%s", coord->halted);
	if (coord_beginning(coord))
		return failure_set(failure, EAGAIN,
				   "coordinator %s has another first list and waits for a majority "
				   "of its %" PRIu32 " agents, %" PRIu32
				   " answered so far: start them, or empty its state directory to "
				   "begin with another list",
				   coord->name, coord->active->agent_count, coord_heard(coord));
	if (coord->yielding)
		return failure_set(failure, EAGAIN,
				   "coordinator %s is handing the register over: try again in a "
				   "moment",
				   coord->name);
	if (coord->state != COORD_LEADING || coord->reg.term < coord->answered_term ||
	    now_ms >= coord->leads_ms)
		return failure_set(failure, EAGAIN,
				   "coordinator %s has just started and is hearing the other "
				   "agents' registers",
				   coord->name);
	return 0;
}

int coord_may_offer(const struct coord *coord, const struct list *next, uint64_t now_ms,
		    struct failure *failure)
{
	const struct reg *reg = coord->staged.term != 0 ? &coord->staged : &coord->reg;
	int error;

	if (coord_beginning(coord) && memcmp(next->hash, reg->active, LIST_HASH_BYTES) == 0)
		return failure_set(failure, EALREADY,
				   "epoch %" PRIu64 " is the first list already: it begins when a "
				   "majority of its %" PRIu32 " agents has answered, %" PRIu32
				   " so far",
				   next->epoch, coord->active->agent_count, coord_heard(coord));
	error = coord_leads(coord, now_ms, failure);
	if (error != 0)
		return error;
	if (memcmp(next->hash, reg->active, LIST_HASH_BYTES) == 0 ||
	    (reg->next_epoch != 0 && memcmp(next->hash, reg->pending, LIST_HASH_BYTES) == 0))
		return failure_set(failure, EALREADY, "epoch %" PRIu64 " is %s already",
				   next->epoch, next->epoch == reg->epoch ? "active" : "under way");
	if (reg->next_epoch != 0) {
		struct work sum;
		coord_moved(coord, &sum);
		return failure_set(failure, EBUSY,
				   "epoch %" PRIu64 " is in %s, %" PRIu64
				   "%% of its keys are dealt with: one change at a time%s",
				   reg->next_epoch, phase_name((enum phase)reg->phase),
				   sum.found <= sum.left
				       ? 0
				       : (sum.found - sum.left) * 100 / sum.found,
				   next->epoch == reg->next_epoch
				       ? " (and this is another list of the same epoch)"
				       : "");
	}
	if (next->epoch == reg->epoch)
		return failure_set(failure, ESTALE,
				   "equivocation: another list of epoch %" PRIu64
				   " is active already: sign the next one",
				   next->epoch);
	/* What is being written may be on disk already: nothing else may take its number. */
	if (coord->staged.term != 0)
		return failure_set(failure, EAGAIN, "the register is taking a step just now");
	if (now_ms < coord->blind_ms)
		return failure_set(failure, EAGAIN,
				   "coordinator %s has just started and waits %" PRIu64
				   " ms more for earlier leases to run out",
				   coord->name, coord->blind_ms - now_ms);
	return list_may_follow(next, coord->active, reg->highest_epoch, failure);
}

void coord_offer(struct coord *coord, const struct list *next, uint64_t now_ms)
{
	struct reg reg = coord->reg;

	(void)now_ms;
	reg.serial++;
	reg.phase = PHASE_PREPARE;
	reg.next_epoch = next->epoch;
	reg.highest_epoch = next->epoch;
	reg.copied = false;
	reg.aborting = false;
	memset(reg.given_up, 0, sizeof(reg.given_up));
	memset(reg.excused, 0, sizeof(reg.excused));
	/* A change numbers the active list's servers first, in their order there. */
	for (uint32_t i = 0; i < next->giveup_count; i++) {
		const int number = list_server_find(coord->active, next->giveups[i].name);

		if (number >= 0)
			register_set_add(reg.given_up, (uint32_t)number);
	}
	reg.reason[0] = '\0';
	memcpy(reg.pending, next->hash, LIST_HASH_BYTES);
	coord_stage(coord, &reg);
	coord->asked = true;
}

/* ---- orders ---- */

static void binding_of(const struct reg *reg, struct order_binding *binding)
{
	memset(binding, 0, sizeof(*binding));
	memcpy(binding->active, reg->active, LIST_HASH_BYTES);
	binding->has_pending = reg->next_epoch != 0;
	memcpy(binding->pending, reg->pending, LIST_HASH_BYTES);
	binding->term = reg->term;
	binding->serial = reg->serial;
	binding->has_phase = true;
	binding->phase = (enum phase)reg->phase;
}

static int may_abort(const struct reg *reg, struct failure *failure)
{
	if (reg->phase != PHASE_PREPARE && reg->phase != PHASE_COPY)
		return failure_set(failure, EINVAL,
				   "abort: epoch %" PRIu64
				   " is in %s; only PREPARE and COPY can be "
				   "undone, going back later is a new change",
				   reg->next_epoch, phase_name((enum phase)reg->phase));
	if (reg->aborting)
		return failure_set(failure, EALREADY, "abort: epoch %" PRIu64 " is aborted already",
				   reg->next_epoch);
	return 0;
}

static int may_give_up(const struct coord *coord, const struct list_identity *target,
		       struct failure *failure)
{
	const struct reg *reg = &coord->reg;
	const int number = change_server_find(coord->change, target->name, target->address);
	const struct change_server *server;

	server = &coord->change->servers[number];
	if (register_set_has(reg->given_up, (uint32_t)number))
		return failure_set(failure, EALREADY, "giveup: server %s is given up already",
				   target->name);
	if (server->gained == 0 && server->lost == 0)
		return failure_set(failure, EINVAL,
				   "giveup: server %s neither gains nor loses keys in this change: "
				   "nothing waits for it",
				   target->name);
	if (server->gained > 0 && reg->phase == PHASE_PREPARE)
		return failure_set(failure, EINVAL,
				   "giveup: server %s is to gain keys and has not been sanitised: "
				   "abort the change instead",
				   target->name);
	return 0;
}

static int may_excuse(const struct coord *coord, const struct list_identity *target,
		      struct failure *failure)
{
	const struct reg *reg = &coord->reg;
	const int number = change_agent_find(coord->change, target->name);

	if (reg->phase != PHASE_PREPARE)
		return failure_set(
		    failure, EINVAL,
		    "excuse: %s waits for no agent longer than its lease; only PREPARE "
		    "does",
		    phase_name((enum phase)reg->phase));
	if (register_set_has(reg->excused, (uint32_t)number))
		return failure_set(failure, EALREADY, "excuse: agent %s is excused already",
				   target->name);
	return 0;
}

int coord_may_order(const struct coord *coord, const struct order *order, uint64_t now_ms,
		    struct failure *failure)
{
	int error = coord_leads(coord, now_ms, failure);

	if (error == 0 && coord->staged.term != 0)
		error = failure_set(failure, EAGAIN, "the register is taking a step just now");
	if (error == 0) {
		struct order_binding now;

		binding_of(&coord->reg, &now);
		error = order_is_for(order, &now, failure);
	}
	if (error == 0)
		error = order_targets_check(order, coord->active, coord->pending, failure);
	if (error == 0 && coord->reg.next_epoch == 0)
		error = failure_set(failure, EINVAL, "there is no change under way");
	if (error == 0 && order->kind == ORDER_ABORT)
		error = may_abort(&coord->reg, failure);
	for (uint32_t i = 0; error == 0 && i < order->target_count; i++) {
		if (order->kind == ORDER_GIVEUP)
			error = may_give_up(coord, &order->targets[i], failure);
		else if (order->kind == ORDER_EXCUSE)
			error = may_excuse(coord, &order->targets[i], failure);
	}
	return error;
}

void coord_order(struct coord *coord, const struct order *order, uint64_t now_ms)
{
	struct reg next = coord->reg;

	(void)now_ms;
	next.serial++;
	next.aborting = order->kind == ORDER_ABORT || next.aborting;
	for (uint32_t i = 0; i < order->target_count; i++) {
		const struct list_identity *target = &order->targets[i];

		if (order->kind == ORDER_GIVEUP)
			register_set_add(next.given_up,
					 (uint32_t)change_server_find(coord->change, target->name,
								      target->address));
		else if (order->kind == ORDER_EXCUSE)
			register_set_add(next.excused,
					 (uint32_t)change_agent_find(coord->change, target->name));
	}
	coord_stage(coord, &next);
	coord->asked = true;
}

/* ---- keys ---- */

int coord_may_keys(const struct coord *coord, uint64_t version, const uint8_t hash[LIST_HASH_BYTES],
		   uint64_t now_ms, struct failure *failure)
{
	const struct reg *reg = &coord->reg;
	int error = coord_leads(coord, now_ms, failure);

	if (error != 0)
		return error;
	if (coord->staged.term != 0)
		return failure_set(failure, EAGAIN, "the register is taking a step just now");
	if (version == reg->keys_version && memcmp(hash, reg->keys, LIST_HASH_BYTES) == 0)
		return failure_set(failure, EALREADY,
				   "keys version %" PRIu64 " is in force already", version);
	if (version <= reg->keys_version)
		return failure_set(failure, ESTALE,
				   "%skeys version %" PRIu64 " is in force: sign version %" PRIu64,
				   version == reg->keys_version ? "equivocation: another " : "",
				   reg->keys_version, reg->keys_version + 1);
	if (reg->next_epoch != 0)
		return failure_set(failure, EBUSY,
				   "busy: epoch %" PRIu64 " is in %s: keys change while settled",
				   reg->next_epoch, phase_name((enum phase)reg->phase));
	return 0;
}

void coord_keys(struct coord *coord, uint64_t version, const uint8_t hash[LIST_HASH_BYTES])
{
	struct reg next = coord->reg;

	next.serial++;
	next.keys_version = version;
	memcpy(next.keys, hash, LIST_HASH_BYTES);
	coord_stage(coord, &next);
	coord->asked = true;
}
