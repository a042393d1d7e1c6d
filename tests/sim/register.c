/* register.c - the register of an agent that coordinates: taken up, stored, told, handed over to
 * it, begun again by a failover (agent/daemon/agent_register.c).
 *
 * It lives in a file of one agent's disk, or in the etcd that candidates share (candidate.c).
 */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the disk: a write may fail, or the agent may die beside it ---- */

enum disk_write disk_write(struct world *world, uint32_t number)
{
	if (!harsh(world))
		return DISK_WRITTEN;
	switch (pick(world, world->seldom)) {
	case 0:
		world->figures->fault[FAULT_STORE_FAILS]++;
		return DISK_FAILED;
	case 1:
		world->figures->fault[FAULT_STORE_BEFORE]++;
		agent_dies(world, number);
		return DISK_CRASHED;
	default:
		return DISK_WRITTEN;
	}
}

bool agent_dies_after(struct world *world, uint32_t number, enum fault fault)
{
	if (!harsh(world) || pick(world, world->seldom) != 0)
		return false;
	world->figures->fault[fault]++;
	agent_dies(world, number);
	return true;
}

/* ---- lists ---- */

bool lists_in_hand(const struct machine *machine, const struct reg *reg)
{
	return machine->disk.list[list_number(reg->active)] &&
	       (reg->next_epoch == 0 || machine->disk.list[list_number(reg->pending)]);
}

void register_lists(struct world *world, uint32_t number, const struct reg *reg)
{
	struct machine *machine = &world->machine[number];
	const struct layout *layout;

	if (reg->term == 0)
		return; /* none is stored yet: the first list's stay */
	machine->coord_layout = layout = lists_of(world, reg);
	coord_lists(&machine->coord, world->list[layout->active],
		    layout->pending >= 0 ? world->list[layout->pending] : NULL, layout->change);
}

/* ---- who coordinates ---- */

uint32_t coordinator_of(const struct world *world, uint32_t number)
{
	const struct machine *machine = &world->machine[number];
	const struct reg *known = &machine->host.known;
	int named;

	if (machine->failover_term > known->term)
		return machine->failover_to;
	if (machine->led_by != NOBODY && known->term != 0 &&
	    (machine->led_told || register_compare(known, &machine->led_at) == 0) &&
	    world->list[list_number(known->active)]->coordinator_count > 1)
		return machine->led_by;
	named = known->term != 0 ? machine_named(world, known->coordinator)
				 : (int)world->list[0]->coordinator;
	return named >= 0 ? (uint32_t)named : 0;
}

/* Another agent says who leads, until a newer register says it; one that stands itself knows
 * better.
 */
void register_led_by(struct world *world, uint32_t number, uint32_t leads)
{
	struct machine *machine = &world->machine[number];

	if (machine->led_told || machine->coord.state != COORD_IDLE || leads == number)
		return;
	machine->led_by = (uint8_t)leads;
	machine->led_at = machine->host.known;
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

/* ---- taken up ---- */

/* Goes on from `reg`, whose lists are in hand. */
void register_resume(struct world *world, uint32_t number, const struct reg *reg)
{
	struct machine *machine = &world->machine[number];
	const struct layout *layout = machine->coord_layout = lists_of(world, reg);

	coord_resume(&machine->coord, reg, world->list[layout->active],
		     layout->pending >= 0 ? world->list[layout->pending] : NULL, layout->change,
		     local_ms(world, number));
}

void register_fail_over(struct world *world, uint32_t number, uint64_t term)
{
	struct machine *machine = &world->machine[number];
	const struct reg *known = &machine->host.known;
	const struct layout *layout = machine->coord_layout = lists_of(world, known);

	coord_failover(&machine->coord, term, known, world->list[layout->active],
		       layout->pending >= 0 ? world->list[layout->pending] : NULL, layout->change,
		       local_ms(world, number));
}

/* The list still names the coordinator that is lost: nothing is handed to it before a next list. */
void register_keeps(struct world *world, uint32_t number)
{
	struct machine *machine = &world->machine[number];
	const struct disk *disk = &machine->disk;
	const struct reg *reg = &machine->coord.reg;
	const struct list *list;

	machine->coord.replaced[0] = '\0';
	if (!disk->has_failover || disk->failover_to != number || machine->shared || reg->term == 0)
		return;
	list = world->list[disk->failover_active];
	if ((reg->next_epoch == 0 && list_number(reg->active) == disk->failover_active) ||
	    (disk->failover_pending >= 0 &&
	     list_number(reg->next_epoch != 0 ? reg->pending : reg->active) ==
		 disk->failover_pending))
		(void)snprintf(machine->coord.replaced, sizeof(machine->coord.replaced), "%s",
			       list->agents[list->coordinator].name);
}

/* Begins with the cluster's first list. */
void register_begin(struct world *world, uint32_t number)
{
	struct machine *machine = &world->machine[number];

	machine->coord_layout = lists_layout(world, 0, -1);
	coord_begin(&machine->coord, world->list[0], machine->coord_layout->change,
		    local_ms(world, number));
}

/* The agent has started: is there a register on its disk that is its own? */
void register_open(struct world *world, uint32_t number)
{
	struct machine *machine = &world->machine[number];
	const struct disk *disk = &machine->disk;
	const struct reg *known = &machine->host.known;

	if (coord_init(&machine->coord, machine->name) != 0)
		abort();
	machine->led_by = NOBODY;
	machine->led_told = false;
	machine->coord.shared = machine->shared;
	if (machine->shared) {
		candidate_stands(world, number);
		candidate_fails_over(world, number);
		return;
	}
	if (disk->has_failover && disk->failover_to == number && !disk->has_register &&
	    known->term != 0 && known->term < disk->failover_term &&
	    lists_in_hand(machine, known)) {
		register_fail_over(world, number, disk->failover_term);
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
	register_resume(world, number, &disk->reg);
	if (disk->has_failover && disk->failover_to == number &&
	    disk->reg.term < disk->failover_term)
		coord_ordered(&machine->coord, disk->failover_term);
}

/* The word that this agent takes over. */
void register_take_over(struct world *world, uint32_t number)
{
	struct machine *machine = &world->machine[number];
	const struct reg *known = &machine->host.known;

	if (machine->coord.state != COORD_IDLE || machine->shared || !known->handed_over ||
	    strcmp(known->coordinator, machine->name) != 0 || !lists_in_hand(machine, known) ||
	    (machine->disk.has_register && register_compare(known, &machine->disk.reg) <= 0))
		return;
	TRACE(world, "%s takes over at register %llu.%llu", machine->name,
	      (unsigned long long)known->term, (unsigned long long)known->serial);
	reached(world, REACHED_TAKEN_OVER);
	machine->disk.reg = *known;
	machine->disk.has_register = true;
	register_resume(world, number, known);
}

/* ---- stored and told ---- */

void register_trace(struct world *world, uint32_t number, const struct reg *reg)
{
	TRACE(world, "REGISTER %llu.%llu %s epoch %llu -> %llu by %s%s%s%s",
	      (unsigned long long)reg->term, (unsigned long long)reg->serial,
	      phase_name((enum phase)reg->phase), (unsigned long long)reg->epoch,
	      (unsigned long long)reg->next_epoch, world->machine[number].name,
	      reg->aborting ? ", aborting" : "", reg->handed_over ? ", handed over to " : "",
	      reg->handed_over ? reg->coordinator : "");
}

static void register_tell(struct world *world, uint32_t number, const struct reg *reg)
{
	struct message message = {.kind = SAY_REGISTER, .grant = {.reg = *reg}};

	host_register(&world->machine[number].host, reg, local_ms(world, number));
	for (uint32_t i = 0; i < MACHINES; i++) {
		if (i == number)
			continue;
		/* One that does not get the push lags behind until it asks. */
		if (world->faults_on && chance(world, 30))
			world->figures->fault[FAULT_LOSS]++;
		else
			message_send(world, &message, number, i);
	}
}

static void register_store(struct world *world, uint32_t number, const struct reg *reg)
{
	struct machine *machine = &world->machine[number];

	switch (disk_write(world, number)) {
	case DISK_CRASHED:
		return;
	case DISK_FAILED:
		coord_stored(&machine->coord, false, local_ms(world, number));
		return;
	case DISK_WRITTEN:
		break;
	}
	register_trace(world, number, reg);
	machine->disk.reg = *reg;
	machine->disk.has_register = true;
	check_stored(world, number, reg);
	if (agent_dies_after(world, number, FAULT_STORE_AFTER)) {
		if (chance(world, 30))
			fault_register_lost(world, number);
		return;
	}
	register_lists(world, number, reg);
	coord_stored(&machine->coord, true, local_ms(world, number));
}

void register_do(struct world *world, uint32_t number, const struct coord_action *action)
{
	const struct reg reg = *action->reg;

	if (action->type == COORD_TELL)
		register_tell(world, number, &reg);
	else if (world->machine[number].shared)
		candidate_store(world, number, &reg);
	else
		register_store(world, number, &reg);
}
