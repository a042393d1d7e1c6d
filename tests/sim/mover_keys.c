/* mover_keys.c - batches of keys and their deadlines: core/move.h carried out
 * (agent/daemon/mover_keys.c).
 */
#include "mover.h"

#include <string.h>

#define ATTEMPTS_MAX	 240u
#define ATTEMPT_TOO_LATE 80u

static void key_again(struct world *world, struct mover *mover, struct mover_key *slot)
{
	const bool live = mover->connection[slot->server].up && mover->connection[mover->server].up;
	struct mover_key key = *slot;

	(void)world;
	key.used = key.waiting = false;
	key.kind = slot->move.kind;
	key.cas = slot->move.source_cas;
	if (live && key.attempts < 255 - ATTEMPT_TOO_LATE)
		key.attempts++;
	if (key.attempts >= ATTEMPTS_MAX && key.kind < MOVE_DRAIN_LOSE)
		key.kind = key.kind < MOVE_DRAIN ? MOVE_COPY_ABANDON : MOVE_DRAIN_ABANDON;
	if (mover->later < KEYS * 2)
		mover->later_key[mover->later++] = key;
	else
		pass_incomplete(&mover->pass);
}

static void key_end(struct world *world, struct mover *mover, struct mover_key *slot)
{
	slot->used = slot->waiting = false;
	if (slot->move.result == MOVE_AGAIN) {
		key_again(world, mover, slot);
	} else {
		if (slot->move.result == MOVE_FAILED && mover->pass.phase == PHASE_DRAIN)
			key_lost(world, slot->key);
		if (slot->move.kind == MOVE_DROP && slot->move.result == MOVE_MOVED)
			reached(world, mover->pass.phase == PHASE_PREPARE ? REACHED_SANITISED
									  : REACHED_PURGED);
		pass_count(&mover->pass, (enum move_result)slot->move.result);
	}
	if (--mover->open == 0)
		mover_wake(world, mover, 0);
}

static enum verb key_verb(enum move_action action)
{
	switch (action) {
	case MOVE_NEW_DELETE:
	case MOVE_OLD_DELETE:
		return DO_DELETE;
	case MOVE_NEW_READ_CAS:
	case MOVE_OLD_READ_CAS:
		return DO_READ_CAS;
	case MOVE_NEW_RESERVE:
		return DO_RESERVE;
	case MOVE_NEW_FILL:
		return DO_FILL;
	case MOVE_OLD_READ:
		return DO_READ;
	default:
		return DO_DELETE_CAS;
	}
}

static void key_run(struct world *world, struct mover *mover, struct mover_key *slot,
		    enum move_action action, const struct command *answered)
{
	struct connection *connection;
	struct command *command;
	const uint8_t kind = slot->move.kind;
	const bool draining = mover->pass.phase == PHASE_DRAIN;

	if (action == MOVE_END) {
		key_end(world, mover, slot);
		return;
	}
	if (mover->late) {
		(void)move_abandon(&slot->move);
		key_end(world, mover, slot);
		return;
	}
	slot->waits_source = action == MOVE_OLD_READ_CAS || action == MOVE_OLD_READ ||
			     action == MOVE_OLD_DELETE_CAS || action == MOVE_OLD_DELETE;
	connection = &mover->connection[slot->waits_source ? mover->server : slot->server];
	if (!connection->up ||
	    connection->generation !=
		(slot->waits_source ? slot->source_generation : slot->destination_generation)) {
		(void)move_abandon(&slot->move);
		key_end(world, mover, slot);
		return;
	}
	if (kind == MOVE_DRAIN_UNSURE || kind == MOVE_DRAIN_ABANDON || kind == MOVE_DRAIN_LOSE ||
	    kind == MOVE_COPY_ABANDON ||
	    (answered != NULL && answered->verb == DO_FILL && mover->pass.phase == PHASE_DRAIN &&
	     answered->reply.answer == MOVE_REFUSED))
		key_lost(world, slot->key); /* a miss that the design allows */
	command = command_new(world, connection, slot->waits_source ? mover->server : slot->server,
			      key_verb(action), slot->key);
	command->by_mover = true;
	command->owner = (uint16_t)mover_number(world, mover);
	command->slot = (uint16_t)(slot - mover->slot);
	command->cas = slot->move.cas;
	if ((action == MOVE_NEW_FILL || action == MOVE_NEW_DELETE_CAS) &&
	    connection->life != slot->life)
		violate(world, "the mover of s%u goes by a CAS of a process of s%u that is gone",
			mover->server, slot->server);
	command->until_us = world_us(world, mover->machine, mover->batch_deadline_us);
	if (action == MOVE_NEW_FILL) {
		command->value = answered->value;
		command->ttl = move_ttl_written(slot->move.ttl, 0);
	}
	slot->waiting = true;
	if (action == MOVE_OLD_READ && harsh(world) && pick(world, 60) == 0)
		fault_restarts_new_owner(world, mover->server, slot->server);
	command_send(world, command, mover->machine);
	if (action == MOVE_OLD_READ && harsh(world) && pick(world, draining ? 2 : 20) == 0)
		fault_evicts_stub(world, slot);
	else if (harsh(world) && pick(world, draining ? 25 : world->seldom) == 0)
		at(world, world->now_us + pick(world, 10 * MS), EV_MOVER_DIES, mover->machine, 0, 0,
		   0);
}

void mover_key_lost(struct world *world, struct mover *mover, struct mover_key *slot)
{
	const struct move_reply lost = {.answer = MOVE_LOST};

	if (!slot->waits_source && mover->lost_us[slot->server] == 0)
		mover->lost_us[slot->server] = mover_ns(world, mover);
	key_run(world, mover, slot, move_advance(&slot->move, &lost), NULL);
}

void mover_replied(struct world *world, struct command *command)
{
	struct mover *mover = &world->mover[command->owner];
	struct mover_key *slot;
	const struct command answered = *command;

	if (command->reply.answer == MOVE_LOST) {
		mover_hang_up(world, mover, command->server);
		return;
	}
	if (command->slot == NO_SLOT) {
		if (mover->busy && mover->pass.order == PASS_MARK) {
			mover->busy = false;
			mover->busy_stamp++;
			pass_marked(&mover->pass, command->reply.cas);
			mover_wake(world, mover, 0);
		}
		return;
	}
	slot = &mover->slot[command->slot];
	if (!slot->used || !slot->waiting)
		return;
	slot->waiting = false;
	if (local_us(world, mover->machine) > mover->batch_deadline_us)
		mover->late = true;
	key_run(world, mover, slot, move_advance(&slot->move, &command->reply), &answered);
}

static void key_begin(struct world *world, struct mover *mover, struct mover_key *slot,
		      const struct mover_key *key)
{
	enum move_action action;

	*slot = *key;
	slot->used = true;
	action = move_begin(&slot->move, (enum move_kind)slot->kind, slot->cas);
	mover->open++;
	if (!mover->connection[slot->server].up || !mover->connection[mover->server].up) {
		slot->move.kind = slot->kind;
		slot->move.result = MOVE_AGAIN;
		key_end(world, mover, slot);
		return;
	}
	slot->life = mover->connection[slot->server].life;
	slot->destination_generation = mover->connection[slot->server].generation;
	slot->source_generation = mover->connection[mover->server].generation;
	key_run(world, mover, slot, action, NULL);
}

void mover_late(struct world *world, uint32_t number, uint32_t stamp)
{
	struct mover *mover = &world->mover[number];

	if (!mover->used || mover->open == 0 || stamp != (uint32_t)mover->batch_deadline_us)
		return;
	reached(world, REACHED_BATCH_LATE);
	mover->late = true;
	for (uint32_t i = 0; i < BATCH && mover->open > 0; i++) {
		struct mover_key *slot = &mover->slot[i];

		if (slot->used && slot->waiting)
			mover_hang_up(world, mover,
				      slot->waits_source ? mover->server : slot->server);
	}
}

static bool destinations_ready(struct world *world, struct mover *mover)
{
	const struct change *change = mover->layout->change;
	bool ready = true;

	if (mover->pass.phase != PHASE_COPY && mover->pass.phase != PHASE_DRAIN)
		return true;
	for (uint32_t i = 0; i < change->server_count; i++) {
		const uint32_t server = mover->layout->server[i];

		if (change->servers[i].gained == 0 || server == mover->server ||
		    mover->connection[server].up)
			continue;
		if (!mover->dialling[server])
			mover_dial(world, mover, server, 0);
		/* One that is known to be away does not hold the others up. */
		ready = ready && !mover_reaches(world, mover, server);
	}
	return ready;
}

static void step_again(struct world *world, struct mover *mover)
{
	if (mover->later == 0) {
		pass_keys_done(&mover->pass);
		mover_wake(world, mover, 0);
		return;
	}
	memcpy(mover->queue, mover->later_key, mover->later * sizeof(mover->queue[0]));
	mover->queued = mover->later;
	mover->later = 0;
	mover_wake(world, mover, PAUSE_LONG_US);
}

void mover_step_keys(struct world *world, struct mover *mover)
{
	const uint64_t now_ms = local_ms(world, mover->machine);
	uint32_t count = 1 + pick(world, world->struck == STRUCK_KEYS ? 2 : BATCH);
	uint64_t until_ms;

	if (mover->open > 0)
		return;
	if (!destinations_ready(world, mover)) {
		mover_wake(world, mover, PAUSE_SHORT_US);
		return;
	}
	if (mover->queued == 0) {
		step_again(world, mover);
		return;
	}
	if (!host_may_work(&world->machine[mover->machine].host, now_ms, &until_ms) ||
	    world->machine[mover->machine].stopping || now_ms >= until_ms) {
		reached(world, REACHED_NO_LEASE_MOVER);
		mover_wake(world, mover, PAUSE_LONG_US);
		return;
	}
	mover->late = false;
	world->moved_us = world->now_us;
	mover->batch_deadline_us = local_us(world, mover->machine) + world->op_timeout_ms * MS;
	if (count > mover->queued)
		count = mover->queued;
	/* One more than its keys, so that it cannot end while it is still being begun. */
	mover->open = 1;
	for (uint32_t i = 0; i < count; i++) {
		const struct mover_key key = mover->queue[--mover->queued];

		key_begin(world, mover, &mover->slot[i], &key);
	}
	if (--mover->open == 0)
		mover_wake(world, mover, 0);
	else
		at(world, world_us(world, mover->machine, mover->batch_deadline_us), EV_MOVER_LATE,
		   mover_number(world, mover), 0, (uint32_t)mover->batch_deadline_us, 0);
}
