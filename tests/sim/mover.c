/* mover.c - the engine that carries a pass out (agent/daemon/mover*.c), against simulated servers.
 *
 * The decisions are the core's (core/pass.h, core/move.h); here are connections, dumps, batches and
 * their deadlines, as the daemon does them.
 */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#define PAUSE_SHORT_US	 (20u * MS)
#define PAUSE_LONG_US	 (250u * MS)
#define ATTEMPTS_MAX	 240u
#define ATTEMPT_TOO_LATE 80u
#define NO_SLOT		 0xffffu

static uint32_t number_of(const struct world *world, const struct mover *mover)
{
	return (uint32_t)(mover - world->mover);
}

static uint64_t mover_ns(const struct world *world, const struct mover *mover)
{
	return local_us(world, mover->machine) * 1000u;
}

static void wake(struct world *world, struct mover *mover, uint64_t after_us)
{
	const uint64_t when = world->now_us + after_us;

	if (mover->wake_us > world->now_us && mover->wake_us <= when)
		return;
	mover->wake_us = when;
	at(world, when, EV_MOVER_WAKE, number_of(world, mover), 0, mover->life, 0);
}

/* ---- connections ---- */

static void key_run(struct world *world, struct mover *mover, struct mover_key *slot,
		    enum move_action action, const struct command *answered);

static bool reachable(const struct world *world, const struct mover *mover, uint32_t server)
{
	const uint32_t there = world->cache[server].machine;

	return world->cache[server].up && !world->cut[mover->machine][there] &&
	       !world->cut[there][mover->machine] && !world->cut_cache[mover->machine][server];
}

static void dial(struct world *world, struct mover *mover, uint32_t server, uint64_t after_us)
{
	if (mover->dialling[server] || mover->connection[server].up)
		return;
	mover->dialling[server] = true;
	at(world, world->now_us + after_us + 2 * world->delay_us, EV_MOVER_DIALLED,
	   number_of(world, mover), server, mover->life, 0);
}

static void key_lost_reply(struct world *world, struct mover *mover, struct mover_key *slot)
{
	const struct move_reply lost = {.answer = MOVE_LOST};

	if (!slot->waits_source && mover->lost_us[slot->server] == 0)
		mover->lost_us[slot->server] = mover_ns(world, mover);
	key_run(world, mover, slot, move_advance(&slot->move, &lost), NULL);
}

/* Hangs up: whatever was asked is lost. */
static void hang_up(struct world *world, struct mover *mover, uint32_t server)
{
	if (!mover->connection[server].up)
		return;
	connection_close(&mover->connection[server]);
	if (server == mover->server) {
		mover->identified = false;
		mover->busy = false;
		mover->busy_stamp++;
	}
	for (uint32_t i = 0; i < BATCH; i++) {
		struct mover_key *slot = &mover->slot[i];

		if (slot->used && slot->waiting &&
		    (slot->waits_source ? mover->server : slot->server) == server)
			key_lost_reply(world, mover, slot);
	}
	dial(world, mover, server, PAUSE_LONG_US);
	wake(world, mover, 0);
}

/* A server has died: its connections end, where that can be heard. */
void movers_hang_up(struct world *world, uint32_t server)
{
	for (uint32_t i = 0; i < MOVERS; i++) {
		struct mover *mover = &world->mover[i];

		if (mover->used && !mover->finished &&
		    !world->cut[world->cache[server].machine][mover->machine])
			hang_up(world, mover, server);
	}
}

void mover_dialled(struct world *world, uint32_t number, uint32_t server, uint32_t life)
{
	struct mover *mover = &world->mover[number];
	struct connection *connection = &mover->connection[server];
	struct pass_identity found = {.known = true};

	if (!mover->used || mover->life != life || mover->finished)
		return;
	mover->dialling[server] = false;
	if (!reachable(world, mover, server)) {
		dial(world, mover, server, PAUSE_LONG_US);
		return;
	}
	connection->generation++;
	connection->up = true;
	connection->life = world->cache[server].life;
	connection->last_us = connection->last_reply_us = 0;
	found.pid = 1000 + connection->life;
	found.start_time = 5;
	if (server == mover->server) {
		const struct pass_server self = {.identity = found,
						 .cas_enabled = true,
						 .dump_enabled = true,
						 .crawler_enabled = true,
						 .meta_protocol = true};

		if (mover->pass.self.identity.known && mover->pass.self.identity.pid != found.pid)
			reached(world, REACHED_SOURCE_RESTART);
		mover->identified = pass_identified(&mover->pass, &self);
	} else {
		struct pass_identity *known = &mover->known[server];
		const bool same = known->known && known->pid == found.pid;

		if (known->known && !same) {
			reached(world, REACHED_DESTINATION_RESTART);
			for (uint32_t i = 0; i < mover->layout->change->server_count; i++)
				if (mover->layout->server[i] == server)
					pass_destination_restarted(&mover->pass, i);
		}
		if (same && mover->lost_us[server] != 0)
			pass_reservations_unknown(&mover->pass, mover->lost_us[server]);
		mover->lost_us[server] = 0;
		*known = found;
		mover->peer_came = true;
	}
	wake(world, mover, 0);
}

static void mover_busy_until(struct world *world, struct mover *mover, uint64_t after_us,
			     uint32_t what)
{
	mover->busy = true;
	mover->busy_stamp++;
	at(world, world->now_us + after_us, EV_MOVER_BUSY, number_of(world, mover), what,
	   mover->busy_stamp, mover->life);
}

enum busy { BUSY_PROBED, BUSY_MARK_LATE, BUSY_SAVED, BUSY_DUMP_HALF, BUSY_DUMP_WHOLE };

/* ---- probes, marks, dumps ---- */

static void step_probe(struct world *world, struct mover *mover)
{
	const struct change *change = mover->layout->change;
	uint32_t other = 0;

	/* Of each pair one server is asked through the other. */
	for (; other < change->server_count; other++)
		if (pass_probe_wanted(&mover->pass, other) &&
		    !mover->connection[mover->layout->server[other]].up) {
			dial(world, mover, mover->layout->server[other], 0);
			wake(world, mover, PAUSE_LONG_US);
			return;
		}
	mover_busy_until(world, mover, 2 * world->delay_us, BUSY_PROBED);
}

static void step_mark(struct world *world, struct mover *mover)
{
	struct command *command =
	    command_new(world, &mover->connection[mover->server], mover->server, DO_PROBE, 0);

	mover_busy_until(world, mover, world->op_timeout_ms * MS, BUSY_MARK_LATE);
	command->by_mover = true;
	command->owner = (uint16_t)number_of(world, mover);
	command->slot = NO_SLOT;
	command->until_us = world->now_us + world->op_timeout_ms * MS;
	command_send(world, command, mover->machine);
}

static void mark_saved(struct world *world, struct mover *mover)
{
	struct machine *machine = &world->machine[mover->machine];

	if (world->faults_on && pick(world, 40) == 0) {
		world->figures->fault[FAULT_STORE_FAILS]++;
		wake(world, mover, PAUSE_LONG_US);
		return;
	}
	if (world->faults_on && pick(world, 40) == 0) {
		world->figures->fault[FAULT_STORE_BEFORE]++;
		agent_crash(world, mover->machine, pick(world, 3 * SECOND));
		return;
	}
	machine->disk.mark[mover->server].mark = mover->pass.save;
	memcpy(machine->disk.mark[mover->server].pending, mover->layout->change->new_hash,
	       LIST_HASH_BYTES);
	if (world->faults_on && pick(world, 40) == 0) {
		world->figures->fault[FAULT_STORE_AFTER]++;
		agent_crash(world, mover->machine, pick(world, 3 * SECOND));
		return;
	}
	pass_saved(&mover->pass);
	wake(world, mover, 0);
}

static void dump_begin(struct world *world, struct mover *mover)
{
	mover->queued = mover->later = 0;
	pass_dump_begin(&mover->pass);
	mover->dump_life = world->cache[mover->server].life;
	mover_busy_until(world, mover, world->delay_us + pick(world, 10 * MS), BUSY_DUMP_HALF);
}

static void dump_lines(struct world *world, struct mover *mover, uint32_t first)
{
	for (uint32_t k = first; k < KEYS; k += 2) {
		const struct item *item = cache_item(world, mover->server, k);
		struct pass_verdict verdict;

		if (item == NULL)
			continue;
		pass_line(&mover->pass, (const uint8_t *)world->key[k], strlen(world->key[k]),
			  item->cas, &verdict);
		if (!verdict.concerned || !verdict.spool)
			continue;
		if (mover->pass.base.known &&
		    mover->pass.base.of.pid != 1000 + world->cache[mover->server].life)
			violate(world,
				"the mover of s%u goes by CAS numbers of a process that is gone",
				mover->server);
		mover->queue[mover->queued++] = (struct mover_key){
		    .key = (uint8_t)k,
		    .server = mover->layout->server[verdict.destination],
		    .kind = (uint8_t)verdict.kind,
		    .cas = item->cas,
		};
		if (verdict.kind == MOVE_DRAIN_NEWER)
			reached(world, REACHED_DRAIN_NEWER);
		if (verdict.kind == MOVE_DRAIN_UNSURE)
			reached(world, REACHED_DRAIN_UNSURE);
	}
}

static void dump_part(struct world *world, struct mover *mover, bool last)
{
	if (mover->connection[mover->server].life != world->cache[mover->server].life) {
		hang_up(world, mover, mover->server);
		return;
	}
	if (!reachable(world, mover, mover->server) ||
	    world->cache[mover->server].life != mover->dump_life ||
	    mover->connection[mover->server].life != mover->dump_life ||
	    (world->faults_on && pick(world, 60) == 0)) {
		wake(world, mover, PAUSE_LONG_US); /* it did not end with END */
		return;
	}
	dump_lines(world, mover, last ? 1 : 0);
	if (!last) {
		mover_busy_until(world, mover, world->delay_us + pick(world, 10 * MS),
				 BUSY_DUMP_WHOLE);
		return;
	}
	if (mover->pass.phase == PHASE_COPY && !mover->pass.full && mover->pass.concerned > 0)
		reached(world, REACHED_DELTA);
	pass_dumped(&mover->pass, mover->pass.lines, 0);
	wake(world, mover, 0);
}

/* ---- keys ---- */

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
		wake(world, mover, 0);
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
	command->owner = (uint16_t)number_of(world, mover);
	command->slot = (uint16_t)(slot - mover->slot);
	command->cas = slot->move.cas;
	command->until_us = world_us(world, mover->machine, mover->batch_deadline_us);
	if (action == MOVE_NEW_FILL) {
		command->value = answered->value;
		command->ttl = move_ttl_written(slot->move.ttl, 0);
	}
	slot->waiting = true;
	command_send(world, command, mover->machine);
	if (action == MOVE_OLD_READ && world->faults_on && pick(world, draining ? 4 : 30) == 0)
		fault_evicts_stub(world, slot);
	else if (world->faults_on && pick(world, draining ? 30 : 250) == 0)
		at(world, world->now_us + pick(world, 10 * MS), EV_MOVER_DIES, mover->machine, 0, 0,
		   0);
}

void mover_replied(struct world *world, struct command *command)
{
	struct mover *mover = &world->mover[command->owner];
	struct mover_key *slot;
	const struct command answered = *command;

	if (command->reply.answer == MOVE_LOST) {
		hang_up(world, mover, command->server);
		return;
	}
	if (command->slot == NO_SLOT) {
		if (mover->busy && mover->pass.order == PASS_MARK) {
			mover->busy = false;
			mover->busy_stamp++;
			pass_marked(&mover->pass, command->reply.cas);
			wake(world, mover, 0);
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
			hang_up(world, mover, slot->waits_source ? mover->server : slot->server);
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
			dial(world, mover, server, 0);
		/* One that is known to be away does not hold the others up. */
		ready = ready && !reachable(world, mover, server);
	}
	return ready;
}

static void step_again(struct world *world, struct mover *mover)
{
	if (mover->later == 0) {
		pass_keys_done(&mover->pass);
		wake(world, mover, 0);
		return;
	}
	memcpy(mover->queue, mover->later_key, mover->later * sizeof(mover->queue[0]));
	mover->queued = mover->later;
	mover->later = 0;
	wake(world, mover, PAUSE_LONG_US);
}

static void step_keys(struct world *world, struct mover *mover)
{
	const uint64_t now_ms = local_ms(world, mover->machine);
	uint32_t count = 1 + pick(world, BATCH);
	uint64_t until_ms;

	if (mover->open > 0)
		return;
	if (!destinations_ready(world, mover)) {
		wake(world, mover, PAUSE_SHORT_US);
		return;
	}
	if (mover->queued == 0) {
		step_again(world, mover);
		return;
	}
	if (!host_may_work(&world->machine[mover->machine].host, now_ms, &until_ms) ||
	    world->machine[mover->machine].stopping || now_ms >= until_ms) {
		reached(world, REACHED_NO_LEASE_MOVER);
		wake(world, mover, PAUSE_LONG_US);
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
		wake(world, mover, 0);
	else
		at(world, world_us(world, mover->machine, mover->batch_deadline_us), EV_MOVER_LATE,
		   number_of(world, mover), 0, (uint32_t)mover->batch_deadline_us, 0);
}

/* ---- the step ---- */

void mover_step(struct world *world, uint32_t number)
{
	struct mover *mover = &world->mover[number];

	if (mover->stopping) {
		if (mover->open == 0 && !mover->stopped) {
			mover->stopped = true;
			movers_report(world, mover->machine);
			agent_pump(world, mover->machine);
		}
		return;
	}
	if (mover->finished || mover->busy)
		return;
	if (mover->open > 0)
		return;
	if (!mover->identified && mover->pass.order != PASS_REFUSED) {
		dial(world, mover, mover->server, 0);
		return;
	}
	switch (pass_order(&mover->pass, mover_ns(world, mover))) {
	case PASS_IDENTIFY:
		break;
	case PASS_PROBE:
		step_probe(world, mover);
		break;
	case PASS_MARK:
		step_mark(world, mover);
		break;
	case PASS_SAVE:
		mover_busy_until(world, mover, pick(world, 4 * MS), BUSY_SAVED);
		break;
	case PASS_DUMP:
		dump_begin(world, mover);
		break;
	case PASS_KEYS:
		step_keys(world, mover);
		break;
	case PASS_WAIT:
		wake(world, mover, SECOND / 2);
		break;
	case PASS_DONE:
	case PASS_REFUSED:
		TRACE(world, "  mover of s%u: %s in %s", mover->server,
		      mover->pass.order == PASS_DONE ? "done" : "refused",
		      phase_name(mover->pass.phase));
		mover->finished = true;
		mover->result = mover->pass.work;
		for (uint32_t s = 0; s < SERVERS; s++)
			connection_close(&mover->connection[s]);
		movers_report(world, mover->machine);
		agent_pump(world, mover->machine);
		break;
	}
}

void mover_tell(struct world *world, uint32_t number)
{
	const struct mover *mover = &world->mover[number];

	trace(
	    world,
	    "mover %u of s%u on %s: order %d, identified %d, busy %d, %u keys open, %u queued, %u "
	    "for later, stopping %d, finished %d",
	    number, mover->server, world->machine[mover->machine].name, mover->pass.order,
	    mover->identified, mover->busy, mover->open, mover->queued, mover->later,
	    mover->stopping, mover->finished);
}

void mover_unbusy(struct world *world, uint32_t number, uint32_t what, uint32_t stamp,
		  uint32_t life)
{
	struct mover *mover = &world->mover[number];

	if (!mover->used || mover->life != life || !mover->busy || mover->busy_stamp != stamp)
		return;
	mover->busy = false;
	switch ((enum busy)what) {
	case BUSY_PROBED:
		pass_probed(&mover->pass, mover->number);
		wake(world, mover, 0);
		break;
	case BUSY_MARK_LATE:
		hang_up(world, mover, mover->server);
		break;
	case BUSY_SAVED:
		mark_saved(world, mover);
		break;
	case BUSY_DUMP_HALF:
		dump_part(world, mover, false);
		break;
	case BUSY_DUMP_WHOLE:
		dump_part(world, mover, true);
		break;
	}
}

/* ---- the movers of an agent (agent/daemon/workers.c) ---- */

static void mover_make(struct world *world, uint32_t machine, uint32_t in_change,
		       const struct reg *reg, bool restarted)
{
	struct machine *of = &world->machine[machine];
	struct mover *mover = NULL;
	struct pass_setup setup = {.change = of->host_layout->change,
				   .server = in_change,
				   .phase = (enum phase)reg->phase,
				   .restarted = restarted,
				   .given_up = of->work_reg.given_up,
				   .now_ns = local_us(world, machine) * 1000u,
				   .op_timeout_ms = world->op_timeout_ms};
	const uint32_t server = of->host_layout->server[in_change];
	uint32_t life;

	for (uint32_t i = 0; i < MOVERS && mover == NULL; i++)
		if (!world->mover[i].used)
			mover = &world->mover[i];
	if (mover == NULL) {
		violate(world, "the simulator ran out of movers");
		return;
	}
	if (memcmp(of->disk.mark[server].pending, reg->pending, LIST_HASH_BYTES) == 0)
		setup.mark = of->disk.mark[server].mark;
	life = mover->life + 1;
	for (uint32_t s = 0; s < SERVERS; s++)
		connection_close(&mover->connection[s]);
	*mover = (struct mover){.used = true,
				.machine = (uint8_t)machine,
				.server = (uint8_t)server,
				.number = in_change,
				.life = life,
				.layout = of->host_layout,
				.busy_stamp = mover->busy_stamp + 1,
				.connection = {{0}}};
	for (uint32_t s = 0; s < SERVERS; s++)
		mover->connection[s].generation = world->sequence + s;
	if (pass_init(&mover->pass, &setup) != 0)
		abort();
	TRACE(world, "  mover of s%u begins %s%s", server, phase_name(setup.phase),
	      restarted ? ", restarted" : "");
	if (restarted)
		reached(world, REACHED_MOVER_RESTARTED);
	wake(world, mover, 0);
}

void movers_start(struct world *world, uint32_t machine, const struct reg *reg, bool restarted)
{
	struct machine *of = &world->machine[machine];

	if (of->working)
		return;
	of->work_reg = *reg;
	of->working = true;
	of->stopping = false;
	for (uint32_t i = 0; i < of->host_layout->change->server_count; i++)
		if (host_server_works(of->host_layout->change, i, of->name, reg))
			mover_make(world, machine, i, reg, restarted);
}

static void movers_free(struct world *world, uint32_t machine)
{
	for (uint32_t i = 0; i < MOVERS; i++) {
		struct mover *mover = &world->mover[i];

		if (!mover->used || mover->machine != machine)
			continue;
		commands_orphan(world, true, i);
		pass_free(&mover->pass);
		mover->used = false;
		mover->life++;
	}
	world->machine[machine].working = false;
}

void movers_die(struct world *world, uint32_t machine)
{
	movers_free(world, machine);
	world->machine[machine].stopping = false;
}

static void movers_settle(struct world *world, uint32_t machine)
{
	struct machine *of = &world->machine[machine];

	for (uint32_t i = 0; i < MOVERS; i++) {
		const struct mover *mover = &world->mover[i];

		if (mover->used && mover->machine == machine && !mover->finished && !mover->stopped)
			return;
	}
	movers_free(world, machine);
	if (of->stopping) {
		of->stopping = false;
		host_stopped(&of->host, local_ms(world, machine));
	}
}

void movers_stop(struct world *world, uint32_t machine)
{
	world->machine[machine].stopping = true;
	reached(world, REACHED_MOVER_CUT);
	for (uint32_t i = 0; i < MOVERS; i++) {
		struct mover *mover = &world->mover[i];

		if (!mover->used || mover->machine != machine)
			continue;
		mover->stopping = true;
		if (mover->open == 0)
			mover->stopped = true;
	}
	movers_settle(world, machine);
}

void movers_report(struct world *world, uint32_t machine)
{
	struct machine *of = &world->machine[machine];
	struct work sum = {.phase = of->work_reg.phase};
	bool done = true, refused = false;

	if (!of->working)
		return;
	memcpy(sum.pending, of->work_reg.pending, LIST_HASH_BYTES);
	for (uint32_t i = 0; i < MOVERS; i++) {
		const struct mover *mover = &world->mover[i];

		if (!mover->used || mover->machine != machine)
			continue;
		done = done && mover->finished;
		if (mover->finished && mover->result.state == WORK_REFUSED) {
			refused = true;
			memcpy(sum.reason, mover->result.reason, sizeof(sum.reason));
		}
		sum.moved += mover->pass.work.moved;
		sum.left += mover->pass.work.left;
	}
	sum.state = refused ? WORK_REFUSED : done ? WORK_DONE : WORK_RUNNING;
	if (!of->stopping)
		host_worked(&of->host, &sum, local_ms(world, machine));
	movers_settle(world, machine);
}
