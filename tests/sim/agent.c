/* agent.c - an agent: the core's wishes carried out (agent/daemon/agent.c), and its messages.
 *
 * Disk, segment and network are simulated; the agent may die beside each write and publication.
 */
#include "sim.h"

#include <stdio.h>
#include <string.h>

#define UNANSWERED_US (2500u * MS)

/* ---- lists ---- */

static void agent_lists(struct world *world, uint32_t number)
{
	struct machine *machine = &world->machine[number];
	const struct reg *known = &machine->host.known;
	const struct layout *layout;

	if (machine->working)
		return;
	if (known->term == 0) {
		if (machine->host_layout != NULL || !machine->disk.list[0])
			return;
		layout = lists_layout(world, 0, -1);
	} else {
		if (!lists_in_hand(machine, known))
			return;
		layout = lists_of(world, known);
	}
	if (layout == machine->host_layout)
		return;
	machine->host_layout = layout;
	host_lists(&machine->host, layout->change, local_ms(world, number));
}

static void agent_fetch(struct world *world, uint32_t number, uint32_t from, const struct reg *reg)
{
	const struct machine *machine = &world->machine[number];
	struct message message = {.kind = SAY_LIST_GET};

	message.list = list_number(reg->active);
	if (!machine->disk.list[message.list])
		message_send(world, &message, number, from);
	if (reg->next_epoch == 0)
		return;
	message.list = list_number(reg->pending);
	if (!machine->disk.list[message.list])
		message_send(world, &message, number, from);
}

/* ---- the session to the coordinator of the list that comes ---- */

void agent_successor(struct world *world, uint32_t number)
{
	struct machine *machine = &world->machine[number];
	const struct reg *known = &machine->host.known;
	struct message ping = {.kind = SAY_PING};
	const struct list *list;
	uint32_t next;

	if (known->term == 0)
		return;
	list = world->list[known->next_epoch != 0 ? list_number(known->pending)
						  : list_number(known->active)];
	next = list->coordinator;
	if (next == number) {
		host_successor(&machine->host, true,
			       machine->coord.state == COORD_IDLE && lists_in_hand(machine, known));
		return;
	}
	if (machine_named(world, known->coordinator) == (int)next) {
		host_successor(&machine->host, false, false);
		return;
	}
	if (world->now_us >= machine->pinged_us + SECOND) {
		machine->pinged_us = world->now_us;
		message_send(world, &ping, number, next);
	}
	host_successor(&machine->host,
		       machine->successor_us != 0 &&
			   world->now_us < machine->successor_us + 3 * SECOND,
		       false);
}

/* ---- publishing ---- */

static const uint8_t segment_phase[PHASE_COUNT] = {
    [PHASE_STEADY] = MCR_STEADY, [PHASE_PREPARE] = MCR_PREPARE, [PHASE_COPY] = MCR_COPY,
    [PHASE_SWITCH] = MCR_SWITCH, [PHASE_SETTLE] = MCR_SETTLE,	[PHASE_DRAIN] = MCR_DRAIN,
    [PHASE_GIVEUP] = MCR_GIVEUP, [PHASE_AFTER] = MCR_STEADY,	[PHASE_PURGE] = MCR_STEADY,
    [PHASE_UNWIND] = MCR_UNWIND, [PHASE_BACK] = MCR_STEADY,	[PHASE_CLEAN] = MCR_STEADY,
};

static const struct layout *segment_layout(struct world *world, const struct reg *reg)
{
	if (reg->phase == PHASE_AFTER || reg->phase == PHASE_PURGE)
		return lists_layout(world, list_number(reg->pending), -1);
	if (reg->phase == PHASE_BACK || reg->phase == PHASE_CLEAN)
		return lists_layout(world, list_number(reg->active), -1);
	return lists_of(world, reg);
}

/* Whose rules for clients hold. */
static const struct list *segment_list(struct world *world, const struct reg *reg)
{
	return world->list[segment_layout(world, reg)->active];
}

static void agent_publish(struct world *world, uint32_t number, const struct reg *reg)
{
	struct machine *machine = &world->machine[number];
	struct segment *segment = &machine->segment;
	struct turn *turn = &segment->turn[segment->generation % 4];
	const struct layout *layout = segment_layout(world, reg);
	const uint8_t phase = segment_phase[reg->phase];
	bool changed = false;

	if (agent_dies_after(world, number, FAULT_PUBLISH_CRASH))
		return;
	check_published(world, number, reg);
	if (harsh(world) && pick(world, 50) == 0)
		fault_kills_client(world, number);
	if (segment->generation == 0 || turn->layout != layout || turn->phase != phase) {
		changed = true;
		turn = &segment->turn[++segment->generation % 4];
		turn->layout = layout;
		turn->phase = phase;
		turn->op_timeout_ms = world->op_timeout_ms;
		turn->required = segment_list(world, reg)->registration_required;
		turn->published_us = local_us(world, number);
		turn->retire_us = turn->published_us + turn->op_timeout_ms * MS;
		TRACE(world, "  %s publishes %llu.%llu %s as generation %u", machine->name,
		      (unsigned long long)reg->term, (unsigned long long)reg->serial,
		      phase_name((enum phase)reg->phase), segment->generation);
	}
	turn->vis = check_vis(world, reg);
	registered_published(world, number, segment_list(world, reg));
	owing_present(world, number, reg);
	if (agent_dies_after(world, number, FAULT_PUBLISH_CRASH))
		return;
	host_published(&machine->host, true, changed, local_ms(world, number));
}

/* ---- the host's wishes ---- */

static uint32_t renews_at(const struct world *world, uint32_t number)
{
	return world->machine[number].coord.state != COORD_IDLE ? number
								: coordinator_of(world, number);
}

static void renew_send(struct world *world, uint32_t number, const struct renew *renew, uint32_t to)
{
	const struct machine *machine = &world->machine[number];
	struct message message = {.kind = SAY_RENEW, .renew = *renew};

	message.renew.vote = to == machine->failover_to ? machine->failover_term : 0;
	message_send(world, &message, number, to);
}

static void agent_renew(struct world *world, uint32_t number, const struct renew *renew)
{
	struct machine *machine = &world->machine[number];
	const bool acknowledges = renew->term != machine->acknowledged_term ||
				  renew->serial != machine->acknowledged_serial;

	if (acknowledges)
		check_adopted(world, number);
	machine->acknowledged_term = renew->term;
	machine->acknowledged_serial = renew->serial;
	if (acknowledges && agent_dies_after(world, number, FAULT_ACK_CRASH))
		return;
	renew_send(world, number, renew, renews_at(world, number));
	if (acknowledges && agent_dies_after(world, number, FAULT_ACK_CRASH))
		return;
	/* Nobody answers: any other agent may know who coordinates. */
	if (world->now_us > machine->answered_us + UNANSWERED_US &&
	    world->now_us > machine->asked_us + SECOND) {
		machine->asked_us = world->now_us;
		renew_send(world, number, renew, pick(world, AGENTS));
	}
}

static void host_do(struct world *world, uint32_t number, struct host_action *action)
{
	struct machine *machine = &world->machine[number];
	struct reg reg;
	enum disk_write stored;

	switch (action->type) {
	case HOST_FETCH:
		reg = *action->reg;
		agent_fetch(world, number,
			    world->now_us > machine->answered_us + UNANSWERED_US
				? pick(world, AGENTS)
				: renews_at(world, number),
			    &reg);
		break;
	case HOST_STORE:
		machine->storing = *action->state;
		stored = disk_write(world, number);
		if (stored == DISK_CRASHED)
			return;
		if (stored == DISK_WRITTEN) {
			machine->disk.host = machine->storing;
			machine->disk.has_host = true;
			if (agent_dies_after(world, number, FAULT_STORE_AFTER))
				return;
		}
		host_stored(&machine->host, stored == DISK_WRITTEN, local_ms(world, number));
		candidate_knows(world, number, &machine->host.stored);
		break;
	case HOST_PUBLISH:
		reg = *action->reg;
		agent_publish(world, number, &reg);
		break;
	case HOST_STOP:
		movers_stop(world, number);
		break;
	case HOST_WORK:
		reg = *action->reg;
		movers_start(world, number, &reg, action->restarted);
		break;
	case HOST_LEASE:
		machine->segment.deadline_us = action->deadline_ms * MS;
		owed_lease(&machine->owed, action->deadline_ms);
		if (!machine->listed)
			reached(world, REACHED_OBSERVER);
		break;
	case HOST_RENEW:
		agent_renew(world, number, &action->renew);
		break;
	}
}

static void tick_at(struct world *world, uint32_t number)
{
	struct machine *machine = &world->machine[number];
	const struct host *host = &machine->host;
	const uint64_t now_ms = local_ms(world, number);
	uint64_t next_ms = now_ms + world->op_timeout_ms * 3 / 4;
	uint64_t when;

	if (machine->coord.state == COORD_LEADING && machine->coord.reg.phase != PHASE_STEADY)
		next_ms = now_ms + world->op_timeout_ms / 3;
	if (machine->owed.keys > 0)
		next_ms = now_ms + world->op_timeout_ms / 4;
	if (host->renew_after_ms > now_ms && host->renew_after_ms < next_ms)
		next_ms = host->renew_after_ms;
	if (register_compare(&host->adopted, &host->published) != 0) {
		const uint64_t adopt_ms = host->adopt_after_ms > host->timeout_after_ms
					      ? host->adopt_after_ms
					      : host->timeout_after_ms;

		if (adopt_ms > now_ms && adopt_ms < next_ms)
			next_ms = adopt_ms;
	}
	when = world_us(world, number, next_ms * MS);
	if (machine->tick_us > world->now_us && machine->tick_us <= when)
		return;
	machine->tick_us = when;
	at(world, when, EV_TICK, number, 0, machine->life, 0);
}

/* It has something to look at. */
void agent_soon(struct world *world, uint32_t number)
{
	struct machine *machine = &world->machine[number];

	machine->tick_us = world->now_us + MS;
	at(world, machine->tick_us, EV_TICK, number, 0, machine->life, 0);
}

void agent_pump(struct world *world, uint32_t number)
{
	struct machine *machine = &world->machine[number];
	const uint32_t life = machine->life;
	struct coord_action coord_action;
	struct host_action host_action;
	const struct reg *wanted;
	bool more;

	if (machine->pumping) {
		machine->again = true;
		return;
	}
	machine->pumping = true;
	do {
		machine->again = more = false;
		agent_lists(world, number);
		register_take_over(world, number);
		register_keeps(world, number);
		if (coord_wants_lists(&machine->coord, &wanted)) {
			if (lists_in_hand(machine, wanted))
				register_lists(world, number, wanted);
			else if (world->now_us > machine->asked_us + SECOND / 2) {
				machine->asked_us = world->now_us;
				agent_fetch(world, number, pick(world, AGENTS), wanted);
			}
		}
		/* The other order has begun: this one is void. */
		if (machine->coord.state != COORD_LEADING && machine->coord.failover_term != 0 &&
		    machine->host.known.term >= machine->coord.failover_term &&
		    coordinator_of(world, number) != number)
			coord_stop(&machine->coord);
		coord_tick(&machine->coord, local_ms(world, number));
		while (machine->life == life &&
		       coord_next(&machine->coord, local_ms(world, number), &coord_action)) {
			register_do(world, number, &coord_action);
			more = true;
		}
		if (machine->life == life) {
			host_hold(&machine->host,
				  owed_in_flight(&machine->owed, machine->segment.generation));
			registered_tell(world, number);
		}
		while (machine->life == life &&
		       host_next(&machine->host, local_ms(world, number), &host_action)) {
			host_do(world, number, &host_action);
			if (machine->life == life)
				agent_lists(world, number);
			more = true;
		}
		if (machine->life == life)
			(void)owing_pump(world, number);
	} while (machine->life == life && (more || machine->again));
	if (machine->life != life)
		return;
	machine->pumping = false;
	tick_at(world, number);
}

/* One who begins by an order brings it to everybody: they have to go by it first. */
static void agent_announce(struct world *world, uint32_t number)
{
	struct machine *machine = &world->machine[number];
	struct message message = {.kind = SAY_ELSEWHERE};

	if ((machine->coord.state != COORD_SILENT && machine->coord.state != COORD_HEARING) ||
	    machine->coord.failover_term == 0 || world->now_us < machine->announced_us + SECOND)
		return;
	machine->announced_us = world->now_us;
	message.grant.reg = machine->host.known;
	for (uint32_t i = 0; i < MACHINES; i++)
		if (i != number)
			message_send(world, &message, number, i);
}

void agent_tick(struct world *world, uint32_t number)
{
	struct machine *machine = &world->machine[number];

	if (!machine->up)
		return;
	agent_announce(world, number);
	host_tick(&machine->host, local_ms(world, number));
	registered_keep(world, number);
	owing_tick(world, number);
	agent_successor(world, number);
	movers_report(world, number);
	agent_pump(world, number);
}

/* ---- its life ---- */

static void count_restart(struct world *world)
{
	static const uint8_t situation[PHASE_COUNT] = {
	    [PHASE_PREPARE] = REACHED_IN_PREPARE, [PHASE_COPY] = REACHED_IN_COPY,
	    [PHASE_SWITCH] = REACHED_IN_SWITCH,	  [PHASE_SETTLE] = REACHED_IN_SETTLE,
	    [PHASE_DRAIN] = REACHED_IN_DRAIN,	  [PHASE_GIVEUP] = REACHED_IN_GIVEUP,
	    [PHASE_AFTER] = REACHED_IN_AFTER,	  [PHASE_PURGE] = REACHED_IN_AFTER,
	    [PHASE_UNWIND] = REACHED_IN_UNWIND,	  [PHASE_BACK] = REACHED_IN_UNWIND,
	    [PHASE_CLEAN] = REACHED_IN_UNWIND};

	if (world->truth.phase != PHASE_STEADY)
		reached(world, (enum reached)situation[world->truth.phase]);
}

void agent_start(struct world *world, uint32_t number)
{
	struct machine *machine = &world->machine[number];
	struct disk *disk = &machine->disk;
	const uint64_t now_ms = local_ms(world, number);

	if (machine->up)
		return;
	machine->up = true;
	machine->pumping = machine->working = machine->stopping = false;
	machine->host_layout = NULL;
	machine->answered_us = world->now_us;
	machine->successor_us = machine->pinged_us = machine->tick_us = 0;
	machine->failover_term = disk->has_failover ? disk->failover_term : 0;
	machine->failover_to = disk->failover_to;
	TRACE(world, "%s starts%s", machine->name, disk->has_host ? "" : ", without state");
	count_restart(world);
	host_start(&machine->host, machine->name, draw(world), 30000,
		   disk->has_host ? &disk->host : NULL, machine->segment.generation != 0, now_ms);
	host_connected(&machine->host, true, now_ms);
	registered_start(world, number);
	/* It may have died before it could tell of its last step: the word that another takes over
	 * is only here. */
	if (disk->has_register)
		host_register(&machine->host, &disk->reg, now_ms);
	owing_start(world, number);
	register_open(world, number);
	agent_pump(world, number);
}

void agent_crash(struct world *world, uint32_t number, uint64_t away_us)
{
	struct machine *machine = &world->machine[number];

	if (!machine->up)
		return;
	TRACE(world, "%s dies", machine->name);
	machine->up = false;
	machine->life++;
	machine->pumping = false;
	movers_die(world, number);
	owing_die(world, number);
	registered_die(world, number);
	coord_free(&machine->coord);
	at(world, world->now_us + away_us, EV_START, number, 0, machine->life, 0);
}

void agent_dies(struct world *world, uint32_t number)
{
	agent_crash(world, number, pick(world, world->away_us));
}
