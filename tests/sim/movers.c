/* movers.c - the movers of an agent: started, stopped, reported (agent/daemon/workers.c). */
#include "mover.h"

#include <stdlib.h>
#include <string.h>

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
	mover_wake(world, mover, 0);
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
