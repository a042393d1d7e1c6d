/* candidate.c - an agent that stands in the elections: core/election.h carried out
 * (agent/daemon/store_etcd.c), and what its agent does with the word that it leads.
 */
#include "sim.h"

#include <errno.h>
#include <string.h>

void candidate_stands(struct world *world, uint32_t number)
{
	struct machine *machine = &world->machine[number];
	const struct election_options options = {
	    .cluster = "w",
	    .name = machine->name,
	    .ttl_s = world->ttl_s,
	    .known_term = machine->host.known.term,
	    .known_serial = machine->host.known.serial,
	};

	machine->election_us = 0;
	machine->writing = machine->elected = machine->held = false;
	election_init(&machine->election, &options, local_ms(world, number));
	candidate_wake(world, number, world->now_us);
}

void candidate_wake(struct world *world, uint32_t number, uint64_t when_us)
{
	struct machine *machine = &world->machine[number];

	if (machine->election_us > world->now_us && machine->election_us <= when_us)
		return;
	machine->election_us = when_us;
	at(world, when_us, EV_ELECTION, number, 0, machine->life, 0);
}

/* ---- the register's next step ---- */

void candidate_store(struct world *world, uint32_t number, const struct reg *reg)
{
	struct machine *machine = &world->machine[number];
	uint8_t hash[1][LIST_HASH_BYTES];
	int error = -ENOENT;

	if (lists_in_hand(machine, reg)) {
		register_lists(world, number, reg);
		memcpy(hash[0], reg->next_epoch != 0 ? reg->pending : reg->active, LIST_HASH_BYTES);
		error = election_write(&machine->election, reg, false,
				       (const uint8_t(*)[LIST_HASH_BYTES])hash, 1,
				       local_ms(world, number));
	}
	if (error != 0) {
		TRACE(world, "%s cannot store: %s", machine->name, strerror(-error));
		register_lists(world, number, &machine->coord.reg);
		coord_stored(&machine->coord, false, local_ms(world, number));
		return;
	}
	machine->writing = true;
	machine->written = *reg;
	candidate_wake(world, number, world->now_us);
}

/* What is said of a write is true. */
static void check_said(struct world *world, uint32_t number, bool ok)
{
	const struct machine *machine = &world->machine[number];
	const struct reg *reg = &machine->written;
	const bool stands = check_ever_stored(world, reg);

	if (ok != stands)
		violate(world, "%s is told that register %llu.%llu was %sstored, and it %s",
			machine->name, (unsigned long long)reg->term,
			(unsigned long long)reg->serial, ok ? "" : "not ",
			stands ? "was" : "was not");
}

static void on_stored(struct world *world, uint32_t number, bool ok)
{
	struct machine *machine = &world->machine[number];

	check_said(world, number, ok);
	machine->writing = false;
	if (machine->election.write_unknown)
		reached(world, REACHED_UNKNOWN_RESOLVED);
	if (!ok)
		reached(world, REACHED_STORE_REFUSED);
	if (machine->coord.state == COORD_IDLE)
		return;
	if (!ok)
		register_lists(world, number, &machine->coord.reg);
	else
		machine->held = true;
	coord_stored(&machine->coord, ok, local_ms(world, number));
}

/* ---- leading ---- */

static void count_election(struct world *world, uint32_t number)
{
	static const uint8_t situation[PHASE_COUNT] = {
	    [PHASE_STEADY] = REACHED_MOVES_STEADY, [PHASE_PREPARE] = REACHED_MOVES_PREPARE,
	    [PHASE_COPY] = REACHED_MOVES_COPY,	   [PHASE_SWITCH] = REACHED_MOVES_SWITCH,
	    [PHASE_SETTLE] = REACHED_MOVES_SETTLE, [PHASE_DRAIN] = REACHED_MOVES_DRAIN,
	    [PHASE_GIVEUP] = REACHED_MOVES_GIVEUP, [PHASE_AFTER] = REACHED_MOVES_AFTER,
	    [PHASE_PURGE] = REACHED_MOVES_AFTER,   [PHASE_UNWIND] = REACHED_MOVES_UNWIND,
	    [PHASE_BACK] = REACHED_MOVES_UNWIND,   [PHASE_CLEAN] = REACHED_MOVES_UNWIND};

	if (world->last_leader != NOBODY && world->last_leader != number)
		reached(world, (enum reached)situation[world->truth.phase]);
	world->last_leader = (uint8_t)number;
}

static void on_elected(struct world *world, uint32_t number, const struct reg *reg,
		       uint64_t until_ms)
{
	struct machine *machine = &world->machine[number];

	TRACE(world, "%s is elected", machine->name);
	count_election(world, number);
	machine->stopped_leading = false;
	machine->elected = true;
	machine->held = reg != NULL;
	if (reg != NULL)
		machine->written = *reg;
	candidate_fails_over(world, number);
	if (machine->coord.state != COORD_IDLE)
		TRACE(world, "%s begins by a failover", machine->name);
	else if (reg == NULL && machine->host.known.term == 0)
		register_begin(world, number);
	else if (reg != NULL && lists_in_hand(machine, reg))
		register_resume(world, number, reg);
	else
		TRACE(world, "%s leads and has no register to go on from", machine->name);
	coord_lead(&machine->coord, until_ms);
}

/* A failover order: the candidate that it names may lead from nothing, or from an older register,
 * and goes on by what the hosts know; the others stand back until it has. */
void candidate_fails_over(struct world *world, uint32_t number)
{
	struct machine *machine = &world->machine[number];
	const struct disk *disk = &machine->disk;
	const struct reg *known = &machine->host.known;

	if (!machine->shared || !disk->has_failover || disk->failover_term <= known->term)
		return;
	election_failover(&machine->election, disk->failover_term, disk->failover_to == number,
			  local_ms(world, number));
	candidate_wake(world, number, world->now_us);
	if (disk->failover_to != number || !machine->elected ||
	    machine->coord.failover_term >= disk->failover_term ||
	    (machine->held && machine->written.term >= disk->failover_term))
		return;
	if (machine->held && register_compare(&machine->written, known) >= 0 &&
	    machine->written.term < disk->failover_term &&
	    lists_in_hand(machine, &machine->written)) {
		register_resume(world, number, &machine->written);
		coord_ordered(&machine->coord, disk->failover_term);
	} else if (known->term != 0 && lists_in_hand(machine, known))
		register_fail_over(world, number, disk->failover_term);
}

/* The host has adopted a register: no older one is to be led from. */
void candidate_knows(struct world *world, uint32_t number, const struct reg *reg)
{
	struct machine *machine = &world->machine[number];

	if (!machine->shared)
		return;
	election_known(&machine->election, reg->term, reg->serial, local_ms(world, number));
	candidate_wake(world, number, world->now_us);
}

static void on_lost(struct world *world, uint32_t number, const char *why)
{
	struct machine *machine = &world->machine[number];

	TRACE(world, "%s leads no longer: %s", machine->name, why);
	reached(world, REACHED_LEADER_LOST);
	if (machine->stopped_leading && world->last_leader != number)
		reached(world, REACHED_OLD_LEADER);
	machine->stopped_leading = machine->elected = false;
	if (machine->writing)
		reached(world, REACHED_UNKNOWN_LEFT);
	machine->writing = false;
	if (machine->coord.state == COORD_IDLE)
		return;
	coord_stop(&machine->coord);
	host_connected(&machine->host, true, local_ms(world, number));
}

static void hears(struct world *world, uint32_t number, const struct election_action *action)
{
	struct machine *machine = &world->machine[number];
	const int named = machine_named(world, action->value != NULL ? action->value : "");
	struct reg reg;

	switch (action->type) {
	case ELECTION_ACT_STORED:
		on_stored(world, number, action->ok);
		break;
	case ELECTION_ACT_LOST:
		on_lost(world, number, action->value);
		break;
	case ELECTION_ACT_LEADER:
		machine->led_by = named >= 0 ? (uint8_t)named : NOBODY;
		machine->led_told = named >= 0;
		return;
	case ELECTION_ACT_ELECTED:
		if (action->reg != NULL)
			reg = *action->reg;
		on_elected(world, number, action->reg != NULL ? &reg : NULL, action->until_ms);
		break;
	case ELECTION_ACT_LEADS:
		coord_lead(&machine->coord, action->until_ms);
		break;
	case ELECTION_ACT_TROUBLE:
		if (action->value[0] != '\0')
			TRACE(world, "%s: etcd: %s", machine->name, action->value);
		if (strncmp(action->value, "the register is", 15) == 0)
			reached(world, REACHED_REGISTER_REFUSED);
		return;
	case ELECTION_ACT_REQUEST:
		return;
	}
	agent_pump(world, number);
}

/* False: the agent died of it. */
static bool asks(struct world *world, uint32_t number, const struct election_action *action)
{
	if (action->request == ELECTION_STORE && world->faults_on && pick(world, 150) == 0) {
		world->figures->fault[FAULT_STORE_BEFORE]++;
		agent_crash(world, number, pick(world, 3 * SECOND));
		return false;
	}
	etcd_call(world, number, action);
	/* Stopped while the answer is under way, it wakes up to an old one. */
	if ((action->request == ELECTION_KEEPALIVE || action->request == ELECTION_GRANT) &&
	    world->faults_on && pick(world, 60) == 0) {
		world->figures->fault[FAULT_STOPPED_AGENT]++;
		fault_stops(world, number, false);
	}
	return true;
}

void candidate_pump(struct world *world, uint32_t number)
{
	struct machine *machine = &world->machine[number];
	const uint32_t life = machine->life;
	struct election_action action;
	uint64_t wake_ms;

	if (!machine->up || !machine->shared)
		return;
	while (machine->life == life &&
	       election_next(&machine->election, local_ms(world, number), &action)) {
		if (action.type != ELECTION_ACT_REQUEST)
			hears(world, number, &action);
		else if (!asks(world, number, &action))
			return;
	}
	wake_ms = election_wake_ms(&machine->election);
	if (machine->life == life && wake_ms != UINT64_MAX)
		candidate_wake(world, number, world_us(world, number, wake_ms * MS));
}

/* list: the number of a list whose body came with it, or -1. */
void candidate_answered(struct world *world, uint32_t number, const struct election_reply *reply,
			int list)
{
	struct machine *machine = &world->machine[number];
	struct election *election = &machine->election;

	if (list >= 0 && election->state == ELECTION_LISTING && !election->main.stale)
		machine->disk.list[list] = true;
	if (reply->request == ELECTION_STORE && reply->outcome == ELECTION_UNKNOWN &&
	    !election->main.stale)
		reached(world, REACHED_UNKNOWN);
	if (reply->request == ELECTION_CAMPAIGN && reply->outcome == ELECTION_DONE &&
	    !reply->succeeded)
		reached(world, REACHED_SLOWER);
	election_reply(election, reply, local_ms(world, number));
	candidate_pump(world, number);
}
