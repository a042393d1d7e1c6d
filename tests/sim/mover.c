/* mover.c - the engine that carries a pass out (agent/daemon/mover*.c), against simulated servers.
 *
 * The decisions are the core's (core/pass.h, core/move.h); here are connections, dumps, batches and
 * their deadlines, as the daemon does them.
 */
#include "mover.h"

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
		mover_dial(world, mover, mover->server, 0);
		return;
	}
	switch (pass_order(&mover->pass, mover_ns(world, mover))) {
	case PASS_IDENTIFY:
		break;
	case PASS_PROBE:
		mover_step_probe(world, mover);
		break;
	case PASS_MARK:
		mover_step_mark(world, mover);
		break;
	case PASS_SAVE:
		mover_busy_until(world, mover, pick(world, 4 * MS), BUSY_SAVED);
		break;
	case PASS_DUMP:
		mover_dump_begin(world, mover);
		break;
	case PASS_KEYS:
		mover_step_keys(world, mover);
		break;
	case PASS_WAIT:
		mover_wake(world, mover, SECOND / 2);
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
		mover_wake(world, mover, 0);
		break;
	case BUSY_MARK_LATE:
		mover_hang_up(world, mover, mover->server);
		break;
	case BUSY_SAVED:
		mover_mark_saved(world, mover);
		break;
	case BUSY_DUMP_HALF:
		mover_dump_part(world, mover, false);
		break;
	case BUSY_DUMP_WHOLE:
		mover_dump_part(world, mover, true);
		break;
	}
}
