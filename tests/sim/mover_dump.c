/* mover_dump.c - a mover's probes, marks and dumps, between the steps of its pass. */
#include "mover.h"

#include <string.h>

void mover_busy_until(struct world *world, struct mover *mover, uint64_t after_us, uint32_t what)
{
	mover->busy = true;
	mover->busy_stamp++;
	at(world, world->now_us + after_us, EV_MOVER_BUSY, mover_number(world, mover), what,
	   mover->busy_stamp, mover->life);
}

void mover_step_probe(struct world *world, struct mover *mover)
{
	const struct change *change = mover->layout->change;
	uint32_t other = 0;

	/* Of each pair one server is asked through the other. */
	for (; other < change->server_count; other++)
		if (pass_probe_wanted(&mover->pass, other) &&
		    !mover->connection[mover->layout->server[other]].up) {
			mover_dial(world, mover, mover->layout->server[other], 0);
			mover_wake(world, mover, PAUSE_LONG_US);
			return;
		}
	mover_busy_until(world, mover, 2 * world->delay_us, BUSY_PROBED);
}

void mover_step_mark(struct world *world, struct mover *mover)
{
	struct command *command =
	    command_new(world, &mover->connection[mover->server], mover->server, DO_PROBE, 0);

	mover_busy_until(world, mover, world->op_timeout_ms * MS, BUSY_MARK_LATE);
	command->by_mover = true;
	command->owner = (uint16_t)mover_number(world, mover);
	command->slot = NO_SLOT;
	command->until_us = world->now_us + world->op_timeout_ms * MS;
	command_send(world, command, mover->machine);
}

void mover_mark_saved(struct world *world, struct mover *mover)
{
	struct machine *machine = &world->machine[mover->machine];

	if (harsh(world) && pick(world, world->seldom / 4) == 0) {
		world->figures->fault[FAULT_STORE_FAILS]++;
		mover_wake(world, mover, PAUSE_LONG_US);
		return;
	}
	if (harsh(world) && pick(world, world->seldom / 4) == 0) {
		world->figures->fault[FAULT_STORE_BEFORE]++;
		agent_dies(world, mover->machine);
		return;
	}
	machine->disk.mark[mover->server].mark = mover->pass.save;
	memcpy(machine->disk.mark[mover->server].pending, mover->layout->change->new_hash,
	       LIST_HASH_BYTES);
	if (harsh(world) && pick(world, world->seldom / 4) == 0) {
		world->figures->fault[FAULT_STORE_AFTER]++;
		agent_dies(world, mover->machine);
		return;
	}
	pass_saved(&mover->pass);
	mover_wake(world, mover, 0);
}

void mover_dump_begin(struct world *world, struct mover *mover)
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

void mover_dump_part(struct world *world, struct mover *mover, bool last)
{
	if (mover->connection[mover->server].life != world->cache[mover->server].life) {
		mover_hang_up(world, mover, mover->server);
		return;
	}
	if (!mover_reaches(world, mover, mover->server) ||
	    world->cache[mover->server].life != mover->dump_life ||
	    mover->connection[mover->server].life != mover->dump_life ||
	    (harsh(world) && pick(world, world->seldom / 3) == 0)) {
		mover_wake(world, mover, PAUSE_LONG_US); /* it did not end with END */
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
	mover_wake(world, mover, 0);
}
