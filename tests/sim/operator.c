/* operator.c - the people at the consoles: two publishers, and whoever gives orders.
 *
 * They look now and then, offer the next list when the cluster has settled (and sometimes when it
 * has not), undo, give up, excuse, and fail over when the register is gone.
 */
#include "sim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- lists ---- */

static uint64_t highest_epoch(const struct world *world)
{
	uint64_t highest = world->truth.highest_epoch;

	for (uint32_t i = 0; i < world->list_count; i++)
		if (world->list[i]->epoch > highest)
			highest = world->list[i]->epoch;
	return highest;
}

/* A server that leaves and cannot be reached is named as given up, now and then. */
static void give_up_line(struct world *world, struct list *list, const struct list *parent)
{
	for (uint32_t i = 0; i < parent->server_count; i++) {
		const struct list_server *server = &parent->servers[i];

		if (list_server_find(list, server->name) >= 0 ||
		    (world->cache[server->name[1] - '0'].up && !chance(world, 30)))
			continue;
		list->giveups = calloc(1, sizeof(*list->giveups));
		if (list->giveups == NULL)
			abort();
		memcpy(list->giveups[0].name, server->name, sizeof(server->name));
		memcpy(list->giveups[0].address, server->address, sizeof(server->address));
		list->giveup_count = 1;
		return;
	}
}

static int list_to_offer(struct world *world, uint32_t leading)
{
	const int active = list_number(world->truth.active);
	uint32_t coordinator = leading;
	int made;

	if (world->next_list > 0 && world->list[world->next_list]->parent[0] == active + 1 &&
	    world->list[world->next_list]->epoch > world->truth.highest_epoch &&
	    (!world->faults_on || chance(world, 70)))
		return world->next_list;
	if (chance(world, 35) || world->list_count > LISTS - 6)
		coordinator = world->faults_on || chance(world, 50) ? pick(world, AGENTS) : leading;
	made = lists_next(world, active, coordinator, highest_epoch(world) + 1 + pick(world, 2));
	if (made < 0)
		return world->next_list;
	if (world->faults_on)
		give_up_line(world, world->list[made], world->list[active]);
	world->next_list = made;
	return made;
}

static void offer(struct world *world, uint32_t leading)
{
	struct machine *machine = &world->machine[leading];
	struct failure failure = {{0}};
	const int number = list_to_offer(world, leading);
	int error;

	error = coord_may_offer(&machine->coord, world->list[number], local_ms(world, leading),
				&failure);
	if (error == -EBUSY)
		reached(world, REACHED_BUSY);
	if (error == -ESTALE)
		reached(world, REACHED_STALE_OFFER);
	if (error != 0) {
		TRACE(world, "offer of list %d: %s", number, failure.text);
		return;
	}
	TRACE(world, "offer of list %d, epoch %llu, coordinator a%u, %u servers, giving up %u",
	      number, (unsigned long long)world->list[number]->epoch,
	      world->list[number]->coordinator, world->list[number]->server_count,
	      world->list[number]->giveup_count);
	if (world->list[number]->giveup_count > 0)
		reached(world, REACHED_GIVEUP_LINE);
	machine->disk.list[number] = true;
	world->changes_begun++;
	coord_offer(&machine->coord, world->list[number], local_ms(world, leading));
	agent_pump(world, leading);
}

/* The other publisher, with a list of his own, made from whatever he saw last. */
static void offer_rival(struct world *world, uint32_t leading)
{
	struct machine *machine = &world->machine[leading];
	struct failure failure = {{0}};
	struct list *list = world->list[pick(world, world->list_count)];
	const int error =
	    coord_may_offer(&machine->coord, list, local_ms(world, leading), &failure);

	if (error == -EBUSY)
		reached(world, REACHED_BUSY);
	else if (error == -ESTALE)
		reached(world, REACHED_STALE_OFFER);
}

/* ---- orders ---- */

static bool order_give(struct world *world, uint32_t leading, enum order_kind kind,
		       const char *name, const char *address)
{
	struct machine *machine = &world->machine[leading];
	const struct reg *reg = &machine->coord.reg;
	struct list_identity target = {{0}, {0}};
	struct order order = {.kind = kind, .target_count = name != NULL, .targets = &target};
	struct failure failure = {{0}};

	memcpy(order.binding.active, reg->active, LIST_HASH_BYTES);
	order.binding.has_pending = reg->next_epoch != 0;
	memcpy(order.binding.pending, reg->pending, LIST_HASH_BYTES);
	order.binding.term = reg->term;
	order.binding.serial = reg->serial - (world->faults_on && chance(world, 10));
	order.binding.has_phase = true;
	order.binding.phase = (enum phase)reg->phase;
	if (name != NULL) {
		(void)snprintf(target.name, sizeof(target.name), "%s", name);
		(void)snprintf(target.address, sizeof(target.address), "%s", address);
	}
	if (coord_may_order(&machine->coord, &order, local_ms(world, leading), &failure) != 0) {
		reached(world, REACHED_ORDER_REFUSED);
		TRACE(world, "order refused: %s", failure.text);
		return false;
	}
	if (order.binding.serial != reg->serial)
		violate(world, "an order for serial %llu is carried out at %llu.%llu",
			(unsigned long long)order.binding.serial, (unsigned long long)reg->term,
			(unsigned long long)reg->serial);
	TRACE(world, "order: %s %s", order_kind_name(kind), name != NULL ? name : "");
	coord_order(&machine->coord, &order, local_ms(world, leading));
	agent_pump(world, leading);
	return true;
}

static void orders(struct world *world, uint32_t leading)
{
	const struct layout *layout = lists_of(world, &world->truth);
	const bool early = world->truth.phase == PHASE_PREPARE || world->truth.phase == PHASE_COPY;

	if (world->faults_on && early &&
	    chance(world,
		   world->truth.phase == PHASE_COPY ? world->aborting : world->aborting / 4) &&
	    order_give(world, leading, ORDER_ABORT, NULL, NULL))
		reached(world, REACHED_ABORT);
	for (uint32_t i = 0; i < layout->change->server_count; i++) {
		const struct change_server *server = &layout->change->servers[i];

		if (!world->faults_on ||
		    !chance(world, world->cache[layout->server[i]].up ? world->giving_up : 15))
			continue;
		if (order_give(world, leading, ORDER_GIVEUP, server->name, server->address))
			reached(world, REACHED_GIVEUP_ORDER);
	}
	for (uint32_t i = 0; i < AGENTS; i++)
		if ((!world->machine[i].up || world->machine[i].stopped_until_us > world->now_us) &&
		    world->truth.phase == PHASE_PREPARE && chance(world, 25) &&
		    order_give(world, leading, ORDER_EXCUSE, world->machine[i].name,
			       world->list[0]->agents[i].address))
			reached(world, REACHED_EXCUSE);
}

/* ---- failover: the register is gone, or an old copy ---- */

/* An order for `term` (0: the next that the agent asked can name), given to its target alone: the
 * others hear of it from whoever they hear of. */
static bool fail_over_to(struct world *world, uint32_t number, uint64_t newest, uint64_t term,
			 bool with_file)
{
	struct machine *machine = &world->machine[number];
	const struct reg *known = with_file ? &world->truth : &machine->host.known;

	if (!machine->up || known->term == 0 || known->term < newest ||
	    (machine->coord.state != COORD_IDLE && machine->coord.failover_term == 0) ||
	    world->now_us < machine->stopped_until_us ||
	    !machine->disk.list[list_number(known->active)] ||
	    (known->next_epoch != 0 && !machine->disk.list[list_number(known->pending)]))
		return false;
	if (term == 0) {
		term = 1 + (machine->failover_term > known->term ? machine->failover_term
								 : known->term);
		/* What etcd has shown before, a candidate says. */
		if (machine->shared && machine->election.seen_term >= term)
			term = 1 + machine->election.seen_term;
	}
	if (term <= known->term || !failover_take(machine, term, (uint8_t)number))
		return false;
	TRACE(world, "failover to %s, term %llu%s", machine->name, (unsigned long long)term,
	      with_file ? ", with the register's file" : "");
	machine->disk.failover_active = list_number(known->active);
	machine->disk.failover_pending = known->next_epoch != 0 ? list_number(known->pending) : -1;
	if (with_file) {
		reached(world, REACHED_FAILOVER_FILE);
		machine->disk.reg = *known;
		machine->disk.has_register = true;
		register_resume(world, number, known);
		coord_ordered(&machine->coord, term);
	} else if (machine->shared) {
		reached(world, REACHED_FAILOVER_ETCD);
		etcd_stays_back(world);
		candidate_fails_over(world, number);
	} else {
		reached(world, REACHED_FAILOVER);
		machine->disk.has_register = false;
		register_fail_over(world, number, term);
	}
	agent_pump(world, number);
	return true;
}

static uint32_t failover_target(struct world *world)
{
	return world->shared ? world->candidate[pick(world, CANDIDATES)] : pick(world, AGENTS);
}

/* Two operators at once, or one who does not know what he has done: the same term, another agent.
 */
static void fail_over_twice(struct world *world, uint32_t first, uint64_t newest)
{
	for (uint32_t tries = 0; tries < 4; tries++) {
		const uint32_t other = failover_target(world);

		if (other == first ||
		    !fail_over_to(world, other, newest, world->failover_term, false))
			continue;
		reached(world, REACHED_FAILOVER_TWICE);
		return;
	}
}

static bool is_halted(const struct world *world, int number)
{
	return number >= 0 && world->machine[number].up &&
	       world->machine[number].coord.state == COORD_HALTED;
}

/* Is there anybody whose register could go on by itself? */
static bool register_is_gone(const struct world *world)
{
	const int named = machine_named(world, world->truth.coordinator);

	if (world->failed_over_to != NOBODY)
		/* Not begun: its agent is gone, or two share the votes.  Another one is needed. */
		return world->now_us >
		       world->failed_over_us + 3 * world->steady_lease_ms * MS / 2 + 2 * SECOND;
	return world->register_gone || (!world->shared && is_halted(world, named));
}

/* The agents are configured for a file from now on, and started again. */
static void leave_etcd(struct world *world)
{
	TRACE(world, "the agents leave etcd");
	reached(world, REACHED_ETCD_TO_FILE);
	world->shared = false;
	world->etcd.gone = true;
	world->etcd.up = false;
	for (uint32_t i = 0; i < CANDIDATES; i++) {
		world->machine[world->candidate[i]].shared = false;
		agent_crash(world, world->candidate[i], SECOND);
	}
}

/* The operator's word: it is off, and so is its register. */
static void turned_off(struct world *world, uint32_t number)
{
	world->machine[number].disk.has_register = false;
	agent_crash(world, number, SECOND);
}

static void fail_over(struct world *world)
{
	const int named = machine_named(world, world->truth.coordinator);
	uint64_t newest =
	    0; /* the highest term that any agent knows; one that is down is waited for */
	bool off[MACHINES];

	for (uint32_t i = 0; i < MACHINES; i++)
		if (world->machine[i].host.known.term > newest)
			newest = world->machine[i].host.known.term;

	if (!register_is_gone(world)) {
		world->halted_since_us = world->now_us;
		return;
	}
	/* Of a register that came back nobody knows before its coordinator says so. */
	if (world->now_us <
	    world->halted_since_us +
		(world->register_back && !is_halted(world, named) ? 15 : 1) * SECOND)
		return;
	/* Now he knows: if his order does not begin he gives the next one as anywhere else. */
	world->register_back = false;
	if (world->shared && (world->etcd.gone || chance(world, 15)))
		leave_etcd(world);
	for (uint32_t i = 0; i < MACHINES; i++) {
		const struct machine *machine = &world->machine[i];

		off[i] = false;
		if (world->shared)
			continue; /* who led by etcd leads by it no more */
		if ((machine->up && machine->coord.state == COORD_HALTED) ||
		    (named == (int)i && machine->disk.has_register) ||
		    (machine->disk.has_failover && machine->disk.failover_to == i &&
		     machine->disk.failover_term > machine->host.known.term)) {
			off[i] = true;
			turned_off(world, i);
			world->register_gone = true; /* until an order has begun */
		}
	}
	for (uint32_t tries = 0; tries < 4; tries++) {
		const uint32_t to = failover_target(world);

		if (!fail_over_to(world, to, newest, 0, world->register_copy && chance(world, 50)))
			continue;
		world->failed_over_to = to;
		world->failed_over_us = world->now_us;
		world->gone = world->truth;
		world->failover_term = world->machine[to].failover_term;
		for (uint32_t i = 0; i < MACHINES; i++) /* nor does it come back as a coordinator */
			if (off[i])
				(void)failover_take(&world->machine[i], world->failover_term,
						    (uint8_t)to);
		/* A register that is gone was the last fault: the first order ends it. */
		if (!world->faults_on && !world->settled && !world->ordered) {
			world->ordered = true;
			world->healed_us = world->now_us;
			world->deadline_us = world->now_us + SETTLE_US;
		}
		if (world->faults_on && chance(world, 60))
			fail_over_twice(world, to, newest);
		break;
	}
}

void operator_acts(struct world *world, bool again)
{
	uint32_t leading;

	if (again)
		at(world, world->now_us + 300 * MS + pick(world, 700 * MS), EV_OPERATOR, 0, 0, 0,
		   0);
	if (world->truth.term == 0)
		return;
	if (world->failed_over_to != NOBODY && world->truth.term >= world->failover_term &&
	    register_compare(&world->truth, &world->gone) > 0) {
		world->register_gone = world->register_copy = world->register_back = false;
		world->failed_over_to = NOBODY;
		reached(world, REACHED_FAILED_OVER);
	}
	fail_over(world);
	leading = leader(world);
	if (leading == NOBODY || world->now_us < world->machine[leading].stopped_until_us)
		return;
	if (world->tracing) {
		char why[300] = "";

		coord_waits_for(&world->machine[leading].coord, local_ms(world, leading), why,
				sizeof(why));
		if (why[0] != '\0')
			trace(world, "%s waits for %s", world->machine[leading].name, why);
	}
	if (world->truth.next_epoch != 0)
		orders(world, leading);
	if (world->faults_on && chance(world, 10))
		offer_rival(world, leading);
	if (world->truth.next_epoch == 0 && world->changes_ended < world->changes_wanted &&
	    world->truth.phase == PHASE_STEADY)
		offer(world, leading);
}
