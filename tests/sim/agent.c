/* agent.c - an agent: the core's wishes carried out (agent/daemon/agent.c), and its messages.
 *
 * Disk, segment and network are simulated; the agent may die beside each write and publication.
 */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNANSWERED_US (2500u * MS)

/* ---- messages ---- */

static void message_post(struct world *world, const struct message *message, uint64_t delay_us)
{
	const uint32_t number = world->message_free;
	struct message *slot;

	if (number == MESSAGES)
		return; /* a full network loses it */
	slot = &world->message[number];
	world->message_free = slot->next_free;
	*slot = *message;
	slot->used = true;
	at(world, world->now_us + delay_us, EV_MESSAGE, message->to, number, 0, 0);
}

static void message_send(struct world *world, struct message *message, uint32_t from, uint32_t to)
{
	uint64_t delay_us = 100 + pick(world, world->delay_us);

	message->from = (uint8_t)from;
	message->to = (uint8_t)to;
	message->failover_term = world->machine[from].failover_term;
	message->failover_to = world->machine[from].failover_to;
	if (from == to) {
		message_post(world, message, 0);
		return;
	}
	if (world->cut[from][to])
		return;
	if (chance(world, world->loss_percent)) {
		world->figures->fault[FAULT_LOSS]++;
		return;
	}
	if (world->faults_on && chance(world, 5)) {
		world->figures->fault[FAULT_REORDER]++;
		delay_us += pick(world, 1 + pick(world, world->lease_ms * MS));
	}
	message_post(world, message, delay_us);
	if (chance(world, world->duplicate_percent)) {
		world->figures->fault[FAULT_DUPLICATE]++;
		message_post(world, message, delay_us + pick(world, 600 * MS));
	}
}

/* ---- lists ---- */

static bool lists_in_hand(const struct machine *machine, const struct reg *reg)
{
	return machine->disk.list[list_number(reg->active)] &&
	       (reg->next_epoch == 0 || machine->disk.list[list_number(reg->pending)]);
}

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

static void agent_coord_lists(struct world *world, struct machine *machine, const struct reg *reg)
{
	const struct layout *layout = lists_of(world, reg);

	machine->coord_layout = layout;
	coord_lists(&machine->coord, world->list[layout->active],
		    layout->pending >= 0 ? world->list[layout->pending] : NULL, layout->change);
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

/* ---- who coordinates ---- */

static uint32_t coordinator_of(const struct world *world, const struct machine *machine)
{
	const struct reg *known = &machine->host.known;
	int named;

	if (machine->failover_term > known->term)
		return machine->failover_to;
	named = known->term != 0 ? machine_named(world, known->coordinator) : 0;
	return named >= 0 ? (uint32_t)named : 0;
}

uint32_t leader(const struct world *world)
{
	uint32_t found = NOBODY;

	for (uint32_t i = 0; i < MACHINES; i++)
		if (world->machine[i].up && world->machine[i].coord.state == COORD_LEADING &&
		    world->machine[i].coord.reg.term == world->truth.term &&
		    strcmp(world->machine[i].name, world->truth.coordinator) == 0)
			found = i;
	return found;
}

/* The session to the coordinator of the list that comes. */
static void agent_successor(struct world *world, uint32_t number)
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

/* The word that this agent takes over. */
static void agent_take_over(struct world *world, uint32_t number)
{
	struct machine *machine = &world->machine[number];
	const struct reg *known = &machine->host.known;

	if (machine->coord.state != COORD_IDLE || !known->handed_over ||
	    strcmp(known->coordinator, machine->name) != 0 || !lists_in_hand(machine, known) ||
	    (machine->disk.has_register && register_compare(known, &machine->disk.reg) <= 0))
		return;
	TRACE(world, "%s takes over at register %llu.%llu", machine->name,
	      (unsigned long long)known->term, (unsigned long long)known->serial);
	reached(world, REACHED_TAKEN_OVER);
	machine->disk.reg = *known;
	machine->disk.has_register = true;
	machine->coord_layout = lists_of(world, known);
	coord_resume(&machine->coord, known, world->list[machine->coord_layout->active],
		     machine->coord_layout->pending >= 0
			 ? world->list[machine->coord_layout->pending]
			 : NULL,
		     machine->coord_layout->change, local_ms(world, number));
}

/* ---- storing: it may fail, or the agent may die beside it ---- */

enum stored { STORED, STORE_FAILED, STORE_CRASHED };

static enum stored store_begins(struct world *world, uint32_t number)
{
	if (!world->faults_on)
		return STORED;
	switch (pick(world, 150)) {
	case 0:
		world->figures->fault[FAULT_STORE_FAILS]++;
		return STORE_FAILED;
	case 1:
		world->figures->fault[FAULT_STORE_BEFORE]++;
		agent_crash(world, number, pick(world, 3 * SECOND));
		return STORE_CRASHED;
	default:
		return STORED;
	}
}

static bool crashes_after(struct world *world, uint32_t number, enum fault fault)
{
	if (!world->faults_on || pick(world, 150) != 0)
		return false;
	world->figures->fault[fault]++;
	agent_crash(world, number, pick(world, 3 * SECOND));
	return true;
}

static void coord_do(struct world *world, uint32_t number, const struct coord_action *action)
{
	struct machine *machine = &world->machine[number];
	const struct reg reg = *action->reg;
	struct message message = {.kind = SAY_REGISTER};
	enum stored stored;

	if (action->type == COORD_TELL) {
		host_register(&machine->host, &reg, local_ms(world, number));
		message.grant.reg = reg;
		for (uint32_t i = 0; i < MACHINES; i++) {
			if (i == number)
				continue;
			/* One that does not get the push lags behind until it asks. */
			if (world->faults_on && chance(world, 30))
				world->figures->fault[FAULT_LOSS]++;
			else
				message_send(world, &message, number, i);
		}
		return;
	}
	stored = store_begins(world, number);
	if (stored == STORE_CRASHED)
		return;
	if (stored == STORE_FAILED) {
		coord_stored(&machine->coord, false, local_ms(world, number));
		return;
	}
	TRACE(world, "REGISTER %llu.%llu %s epoch %llu -> %llu by %s%s%s%s",
	      (unsigned long long)reg.term, (unsigned long long)reg.serial,
	      phase_name((enum phase)reg.phase), (unsigned long long)reg.epoch,
	      (unsigned long long)reg.next_epoch, machine->name, reg.aborting ? ", aborting" : "",
	      reg.handed_over ? ", handed over to " : "", reg.handed_over ? reg.coordinator : "");
	machine->disk.reg = reg;
	machine->disk.has_register = true;
	check_stored(world, number, &reg);
	if (crashes_after(world, number, FAULT_STORE_AFTER)) {
		if (chance(world, 30))
			fault_register_lost(world, number);
		return;
	}
	agent_coord_lists(world, machine, &reg);
	coord_stored(&machine->coord, true, local_ms(world, number));
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

static void agent_publish(struct world *world, uint32_t number, const struct reg *reg)
{
	struct machine *machine = &world->machine[number];
	struct segment *segment = &machine->segment;
	struct turn *turn = &segment->turn[segment->generation % 4];
	const struct layout *layout = segment_layout(world, reg);
	const uint8_t phase = segment_phase[reg->phase];
	bool changed = false;

	if (crashes_after(world, number, FAULT_PUBLISH_CRASH))
		return;
	check_published(world, number, reg);
	if (segment->generation == 0 || turn->layout != layout || turn->phase != phase) {
		changed = true;
		turn = &segment->turn[++segment->generation % 4];
		turn->layout = layout;
		turn->phase = phase;
		turn->op_timeout_ms = world->op_timeout_ms;
		turn->published_us = local_us(world, number);
		turn->retire_us = turn->published_us + turn->op_timeout_ms * MS;
		TRACE(world, "  %s publishes %llu.%llu %s as generation %u", machine->name,
		      (unsigned long long)reg->term, (unsigned long long)reg->serial,
		      phase_name((enum phase)reg->phase), segment->generation);
	}
	turn->vis = check_vis(world, reg);
	owing_present(world, number, reg);
	if (crashes_after(world, number, FAULT_PUBLISH_CRASH))
		return;
	host_published(&machine->host, true, changed, local_ms(world, number));
}

/* ---- the host's wishes ---- */

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

	renew_send(world, number, renew, coordinator_of(world, machine));
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
	enum stored stored;

	switch (action->type) {
	case HOST_FETCH:
		reg = *action->reg;
		agent_fetch(world, number,
			    world->now_us > machine->answered_us + UNANSWERED_US
				? pick(world, AGENTS)
				: coordinator_of(world, machine),
			    &reg);
		break;
	case HOST_STORE:
		machine->storing = *action->state;
		stored = store_begins(world, number);
		if (stored == STORE_CRASHED)
			return;
		if (stored == STORED) {
			machine->disk.host = machine->storing;
			machine->disk.has_host = true;
			if (crashes_after(world, number, FAULT_STORE_AFTER))
				return;
		}
		host_stored(&machine->host, stored == STORED, local_ms(world, number));
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
		agent_take_over(world, number);
		if (coord_wants_lists(&machine->coord, &wanted)) {
			if (lists_in_hand(machine, wanted))
				agent_coord_lists(world, machine, wanted);
			else if (world->now_us > machine->asked_us + SECOND / 2) {
				machine->asked_us = world->now_us;
				agent_fetch(world, number, pick(world, AGENTS), wanted);
			}
		}
		/* The other order has begun: this one is void. */
		if (machine->coord.state != COORD_LEADING && machine->coord.failover_term != 0 &&
		    machine->host.known.term >= machine->coord.failover_term &&
		    coordinator_of(world, machine) != number)
			coord_stop(&machine->coord);
		coord_tick(&machine->coord, local_ms(world, number));
		while (machine->life == life &&
		       coord_next(&machine->coord, local_ms(world, number), &coord_action)) {
			coord_do(world, number, &coord_action);
			more = true;
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

	if (!machine->up || machine->tick_us > world->now_us)
		return;
	agent_announce(world, number);
	host_tick(&machine->host, local_ms(world, number));
	owing_tick(world, number);
	agent_successor(world, number);
	movers_report(world, number);
	agent_pump(world, number);
}

/* ---- what comes in ---- */

static bool holds_lease(const struct coord *coord, const uint8_t *key, uint64_t now_ms)
{
	for (uint32_t i = 0; i < coord->host_count; i++)
		if (memcmp(coord->host[i].key, key, LIST_HOST_KEY_BYTES) == 0)
			return coord->host[i].lease_ms > now_ms;
	return false;
}

static void renew_came(struct world *world, uint32_t number, const struct message *from)
{
	struct machine *machine = &world->machine[number];
	struct coord *coord = &machine->coord;
	const enum coord_state before = coord->state;
	struct message answer = {.kind = SAY_GRANT};
	uint8_t key[LIST_HOST_KEY_BYTES];
	bool held;

	memset(key, from->from + 1, sizeof(key));
	if (coord->state == COORD_IDLE || coord->state == COORD_HALTED) {
		answer.kind = SAY_ELSEWHERE;
		answer.grant.reg = machine->host.known;
		if (machine->host.known.term != 0 && from->from != number)
			message_send(world, &answer, number, from->from);
		return;
	}
	held = holds_lease(coord, key, local_ms(world, number));
	if (coord_renew(coord, key, from->from, &from->renew, local_ms(world, number),
			&answer.grant)) {
		if (answer.grant.lease_ms > 0 && !held &&
		    (from->renew.term != coord->reg.term || from->renew.serial < coord->reg.serial))
			violate(world, "%s grants %s a lease though it has not adopted %llu.%llu",
				machine->name, world->machine[from->from].name,
				(unsigned long long)coord->reg.term,
				(unsigned long long)coord->reg.serial);
		message_send(world, &answer, number, from->from);
	}
	if (coord->state == COORD_HALTED && before != COORD_HALTED) {
		TRACE(world, "%s: %s", machine->name, coord->halted);
		reached(world, REACHED_HALTED);
	}
}

/* One order of a term is kept, on disk before it is gone by. */
bool failover_take(struct machine *machine, uint64_t term, uint8_t to)
{
	if (term <= machine->failover_term)
		return false;
	machine->disk.has_failover = true;
	machine->disk.failover_term = machine->failover_term = term;
	machine->disk.failover_to = machine->failover_to = to;
	return true;
}

void agent_message(struct world *world, struct message *message)
{
	const uint32_t number = message->to;
	struct machine *machine = &world->machine[number];
	const uint64_t now_ms = local_ms(world, number);
	struct message answer = {.list = message->list};
	uint64_t usable_ms;

	failover_take(machine, message->failover_term, message->failover_to);
	switch ((enum message_kind)message->kind) {
	case SAY_RENEW:
		renew_came(world, number, message);
		break;
	case SAY_GRANT:
		machine->answered_us = world->now_us;
		usable_ms = machine->host.usable_ms;
		host_grant(&machine->host, &message->grant, now_ms);
		if (machine->host.usable_ms > usable_ms)
			check_lease(world, number, message->from);
		break;
	case SAY_REGISTER:
	case SAY_ELSEWHERE:
		if (message->kind == SAY_REGISTER)
			machine->answered_us = world->now_us;
		host_register(&machine->host, &message->grant.reg, now_ms);
		break;
	case SAY_LIST_GET:
		answer.kind = SAY_LIST;
		if (machine->disk.list[message->list])
			message_send(world, &answer, number, message->from);
		break;
	case SAY_LIST:
		machine->disk.list[message->list] = true;
		break;
	case SAY_PING:
		answer.kind = SAY_PONG;
		message_send(world, &answer, number, message->from);
		break;
	case SAY_PONG:
		machine->successor_us = world->now_us;
		agent_successor(world, number);
		break;
	}
	agent_pump(world, number);
}

/* ---- its life ---- */

static void agent_resume(struct world *world, uint32_t number)
{
	struct machine *machine = &world->machine[number];
	struct disk *disk = &machine->disk;
	const uint64_t now_ms = local_ms(world, number);
	const struct reg *known = &machine->host.known;

	if (disk->has_failover && disk->failover_to == number && !disk->has_register &&
	    known->term != 0 && known->term < disk->failover_term &&
	    lists_in_hand(machine, known)) {
		machine->coord_layout = lists_of(world, known);
		coord_failover(&machine->coord, disk->failover_term, known,
			       world->list[machine->coord_layout->active],
			       machine->coord_layout->pending >= 0
				   ? world->list[machine->coord_layout->pending]
				   : NULL,
			       machine->coord_layout->change, now_ms);
		return;
	}
	if (!disk->has_register || (strcmp(disk->reg.coordinator, machine->name) != 0 &&
				    !(disk->has_failover && disk->failover_to == number &&
				      disk->reg.term < disk->failover_term)))
		return;
	if (!lists_in_hand(machine, &disk->reg))
		return;
	if (disk->reg.phase != PHASE_STEADY)
		reached(world, REACHED_COORD_RESTART);
	machine->coord_layout = lists_of(world, &disk->reg);
	coord_resume(&machine->coord, &disk->reg, world->list[machine->coord_layout->active],
		     machine->coord_layout->pending >= 0
			 ? world->list[machine->coord_layout->pending]
			 : NULL,
		     machine->coord_layout->change, now_ms);
	if (disk->has_failover && disk->failover_to == number &&
	    disk->reg.term < disk->failover_term)
		coord_ordered(&machine->coord, disk->failover_term);
}

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
	/* It may have died before it could tell of its last step: the word that another takes over
	 * is only here. */
	if (disk->has_register)
		host_register(&machine->host, &disk->reg, now_ms);
	if (coord_init(&machine->coord, machine->name) != 0)
		abort();
	owing_start(world, number);
	agent_resume(world, number);
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
	coord_free(&machine->coord);
	at(world, world->now_us + away_us, EV_START, number, 0, machine->life, 0);
}
