/* check.c - the oracle: what must hold at every event.
 *
 * Every value carries the number of the write that made it.  A write is over when nothing of it can
 * still come; a value is stale for a read when a write that began after its own was over had been
 * completed before the read began (the model's min_ok, for writes that overlap).
 */
#include "core/coord_internal.h"
#include "sim.h"

#include <stdlib.h>
#include <string.h>

/* ---- values ---- */

uint32_t write_begin(struct world *world, uint32_t key)
{
	const uint32_t number = world->write_count++;

	if (world->write_count >= WRITES) {
		violate(world, "the simulator ran out of writes");
		world->write_count--;
		return number;
	}
	world->write[number] = (struct write){.begin_us = world->now_us,
					      .over_us = NEVER,
					      .overlapped = world->fate[key].writers > 0,
					      .key = (uint8_t)key};
	world->fate[key].writers++;
	world->write[number].serial = ++world->fate[key].serial;
	world->fate[key].stored = false;
	return number;
}

static void write_settle(struct world *world, struct write *write)
{
	if (!write->ended || write->in_flight > 0 || write->over_us != NEVER)
		return;
	write->over_us = world->now_us;
	world->fate[write->key].writers--;
}

void write_sent(struct world *world, uint32_t number)
{
	world->write[number].in_flight++;
}

void write_landed(struct world *world, uint32_t number)
{
	struct write *write = &world->write[number];

	write->in_flight--;
	write_settle(world, write);
}

/* stored: it was a set of which every step succeeded, so from now on the key is there. */
void write_end(struct world *world, uint32_t number, bool complete, bool stored)
{
	struct write *write = &world->write[number];
	const uint32_t key = write->key;

	write->ended = true;
	world->recent[world->recent_next++ % 16] = write->key;
	write_settle(world, write);
	if (!complete)
		return;
	if (world->fate[key].floor_us < write->begin_us)
		world->fate[key].floor_us = write->begin_us;
	world->fate[key].stored =
	    stored && !write->overlapped && world->fate[key].serial == write->serial;
}

/* By an owed delete, perhaps long after its client has gone on. */
void write_complete(struct world *world, uint32_t number)
{
	const struct write *write = &world->write[number];

	world->recent[world->recent_next++ % 16] = write->key;
	if (world->fate[write->key].floor_us < write->begin_us)
		world->fate[write->key].floor_us = write->begin_us;
}

bool value_is_stale(const struct world *world, uint32_t value, uint64_t floor_us)
{
	return world->write[value].over_us < floor_us;
}

void key_lost(struct world *world, uint32_t key)
{
	world->fate[key].stored = false;
	world->fate[key].serial++;
}

/* ---- the register ---- */

/* What clients see of a register: AFTER and PURGE are STEADY of the next list, and so on. */
static void visible(const struct reg *reg, int *active, int *pending, uint8_t *phase)
{
	*active = list_number(reg->active);
	*pending = reg->next_epoch != 0 ? list_number(reg->pending) : -1;
	*phase = reg->phase;
	switch (reg->phase) {
	case PHASE_AFTER:
	case PHASE_PURGE:
		*active = *pending;
		*pending = -1;
		*phase = PHASE_STEADY;
		break;
	case PHASE_BACK:
	case PHASE_CLEAN:
		*pending = -1;
		*phase = PHASE_STEADY;
		break;
	default:
		break;
	}
}

int check_vis(struct world *world, const struct reg *reg)
{
	int active, pending;
	uint8_t phase;

	visible(reg, &active, &pending, &phase);
	for (int i = world->vis_count - 1; i >= 0 && i > world->vis_count - 20; i--)
		if (world->state[i].active == active && world->state[i].pending == pending &&
		    world->state[i].phase == phase)
			return i;
	return -1;
}

static bool same_register(const struct reg *a, const struct reg *b)
{
	uint8_t x[REGISTER_BYTES], y[REGISTER_BYTES];

	register_encode(a, x);
	register_encode(b, y);
	return memcmp(x, y, sizeof(x)) == 0;
}

bool check_ever_stored(const struct world *world, const struct reg *reg)
{
	for (uint32_t i = 0; i < world->history_count; i++)
		if (same_register(&world->history[i], reg))
			return true;
	return false;
}

/* One grants at a time: nobody in an older term, and by an etcd only who holds its leader key. */
void check_granting(struct world *world, uint32_t number)
{
	const struct machine *machine = &world->machine[number];

	if (machine->coord.reg.term < world->truth.term)
		violate(world, "%s grants leases in term %llu though term %llu has begun",
			machine->name, (unsigned long long)machine->coord.reg.term,
			(unsigned long long)world->truth.term);
	if (machine->shared && !etcd_led_by(world, number))
		violate(world, "%s grants leases though it does not hold the leader key",
			machine->name);
}

/* Who begins a term by an order has the votes of a majority: each agent keeps one order of a term.
 */
static void check_votes(struct world *world, uint32_t number, const struct reg *reg)
{
	uint32_t votes = world->disks_lost; /* their word may have gone with them */

	if (world->machine[number].coord.failover_term != reg->term ||
	    reg->term <= world->truth.term)
		return;
	for (uint32_t i = 0; i < AGENTS; i++) {
		const struct disk *disk = &world->machine[i].disk;

		votes += disk->has_failover &&
			 (disk->failover_term > reg->term ||
			  (disk->failover_term == reg->term && disk->failover_to == number));
	}
	if (votes * 2 <= AGENTS)
		violate(world, "%s begins term %llu by an order that %u agents keep",
			world->machine[number].name, (unsigned long long)reg->term, votes);
}

/* Who begins a term without an order goes on from the newest register there is. */
static void check_goes_on(struct world *world, uint32_t number, const struct reg *reg)
{
	const struct machine *machine = &world->machine[number];

	if (machine->shared || machine->coord.failover_term == reg->term ||
	    reg->term <= world->truth.term || reg->serial >= world->truth.serial)
		return;
	violate(world, "%s begins term %llu at serial %llu, though %llu.%llu was stored before",
		machine->name, (unsigned long long)reg->term, (unsigned long long)reg->serial,
		(unsigned long long)world->truth.term, (unsigned long long)world->truth.serial);
}

/* What a gaining server held before was dropped. */
static void check_sanitised(struct world *world, const struct reg *reg)
{
	const struct layout *layout = lists_of(world, reg);

	for (uint32_t i = 0; i < layout->change->server_count; i++)
		if (layout->change->servers[i].gained > 0 && !register_set_has(reg->given_up, i))
			world->cache[layout->server[i]].tainted = false;
}

/* A phase is passed over nobody who holds a lease.  (A write that took its time, or failed before,
 * was decided on earlier.) */
static void check_passed(struct world *world, uint32_t number, const struct reg *from,
			 const struct reg *to)
{
	const struct machine *machine = &world->machine[number];
	const struct coord *coord = &machine->coord;

	if (from->phase == PHASE_STEADY || from->phase == to->phase || from->term != to->term ||
	    machine->shared || coord->store_after_ms != 0)
		return;
	for (uint32_t i = 0; i < coord->host_count; i++)
		if (coord_host_holds(&coord->host[i], local_ms(world, number)) &&
		    !coord_adopted(coord, &coord->host[i]))
			violate(world,
				"%s passes %s though %s holds a lease and has not adopted it",
				machine->name, phase_name((enum phase)from->phase),
				world->machine[coord->host[i].key[0] - 1].name);
}

static void count_step(struct world *world, const struct coord *coord, const struct reg *from,
		       const struct reg *to)
{
	if (from->phase == PHASE_PREPARE && to->phase == PHASE_UNWIND)
		reached(world, REACHED_UNWIND_PREPARE);
	if (from->phase == PHASE_PREPARE && to->phase == PHASE_UNWIND && !from->aborting)
		reached(world, REACHED_REFUSED);
	if (from->phase == PHASE_COPY && to->phase == PHASE_UNWIND)
		reached(world, REACHED_UNWIND_COPY);
	if (from->phase == PHASE_DRAIN && to->phase == PHASE_GIVEUP)
		reached(world, REACHED_GIVEUP);
	if (from->phase == PHASE_PREPARE && to->phase == PHASE_COPY)
		for (uint32_t i = 0; i < AGENTS; i++)
			if (register_set_has(to->excused, i))
				reached(world, REACHED_EXCUSED);
	if (from->phase == PHASE_PREPARE && to->phase == PHASE_COPY)
		check_sanitised(world, to);
	if (to->handed_over)
		reached(world, REACHED_HANDOVER);
	for (uint32_t i = 0; i < coord->host_count && from->phase != PHASE_STEADY; i++) {
		const struct coord_host *host = &coord->host[i];

		if (host->listed && to->phase != from->phase && !coord_adopted(coord, host) &&
		    from->term == to->term) {
			reached(world, REACHED_LEASE_RAN_OUT);
			break;
		}
	}
	if (to->phase != PHASE_STEADY && to->long_leases)
		reached(world, REACHED_LONG_LEASES);
}

/* What a server that is given up holds is nobody's concern, and keys of it may be missed. */
static void check_given_up(struct world *world, const struct reg *reg)
{
	const struct layout *layout = lists_of(world, reg);
	bool any = false;

	for (uint32_t i = 0; i < layout->change->server_count; i++) {
		if (!register_set_has(reg->given_up, i))
			continue;
		any = true;
		world->cache[layout->server[i]].tainted = true;
	}
	for (uint32_t k = 0; any && k < KEYS; k++)
		key_lost(world, k);
	world->given_up = any;
}

/* A change has ended: nothing may be where it does not belong. */
static void settled(struct world *world, const struct reg *from, const struct reg *to)
{
	world->changes_ended++;
	reached(world, from->epoch != to->epoch ? REACHED_CHANGE_DONE : REACHED_CHANGE_UNDONE);
	check_settled(world);
}

/* A step of the register is on its coordinator's disk. */
void check_stored(struct world *world, uint32_t number, const struct reg *reg)
{
	const struct reg before = world->truth;
	int vis;

	for (uint32_t i = 0; i < world->history_count; i++)
		if (register_compare(&world->history[i], reg) == 0 &&
		    !same_register(&world->history[i], reg))
			violate(world,
				"two registers %llu.%llu: %s in %s, and %s in %s: the history has "
				"forked",
				(unsigned long long)reg->term, (unsigned long long)reg->serial,
				world->history[i].coordinator,
				phase_name((enum phase)world->history[i].phase), reg->coordinator,
				phase_name((enum phase)reg->phase));
	if (world->history_count == world->history_room) {
		world->history_room = world->history_room == 0 ? 64 : 2 * world->history_room;
		world->history =
		    realloc(world->history, world->history_room * sizeof(*world->history));
		if (world->history == NULL)
			abort();
	}
	world->history[world->history_count++] = *reg;
	check_votes(world, number, reg);
	check_goes_on(world, number, reg);
	if (reg->term == world->failover_term && world->failed_over_to != NOBODY &&
	    register_compare(reg, &world->truth) < 0)
		/* What was lost had begun a later term, of which no majority has heard. */
		memset(&world->gone, 0, sizeof(world->gone));
	else if (register_compare(reg, &world->truth) <= 0) {
		if (register_compare(reg, &world->truth) < 0)
			violate(world,
				"coordinator %s stores register %llu.%llu though %llu.%llu was "
				"stored before",
				reg->coordinator, (unsigned long long)reg->term,
				(unsigned long long)reg->serial,
				(unsigned long long)world->truth.term,
				(unsigned long long)world->truth.serial);
		return;
	}
	vis = check_vis(world, reg);
	if (vis < 0 && world->vis_count < (int)STATES) {
		/* What was after the present state is in a register that is lost. */
		if (world->truth.term != 0)
			world->vis_count = world->truth_vis + 1;
		vis = world->vis_count++;
		visible(reg, &world->state[vis].active, &world->state[vis].pending,
			&world->state[vis].phase);
	}
	world->truth = *reg;
	world->stepped_us = world->now_us;
	world->truth_vis = vis;
	check_passed(world, number, &before, reg);
	count_step(world, &world->machine[number].coord, &before, reg);
	check_given_up(world, reg);
	check_barrier(world);
	if (before.phase != reg->phase)
		fault_in_phase(world);
	if (before.next_epoch != 0 && reg->next_epoch == 0)
		settled(world, &before, reg);
}

/* Is the time of an operation not over? */
static bool in_time(const struct world *world, const struct client *client, uint32_t generation,
		    uint64_t until)
{
	const struct segment *segment = &world->machine[client->machine].segment;

	if (segment->generation - generation >= 4)
		return false;
	if (segment->generation != generation &&
	    segment->turn[(generation + 1) % 4].retire_us < until)
		until = segment->turn[(generation + 1) % 4].retire_us;
	return local_us(world, client->machine) < until;
}

/* What a machine reports as adopted: nothing older runs there, nor is left by a process that died.
 */
void check_adopted(struct world *world, uint32_t number)
{
	const uint32_t generation = world->machine[number].segment.generation;

	if (world->machine[number].host.adopted.term == 0)
		return;
	for (uint32_t i = 0; i < CLIENTS; i++) {
		const struct client *client = &world->client[i];
		const bool runs = client->counted != 0 && client->counted != generation &&
				  in_time(world, client, client->counted, client->deadline_us);
		const bool left =
		    client->left.any && client->left.generation != generation &&
		    in_time(world, client, client->left.generation, client->left.deadline_us);

		if (client->machine == number && (runs || left))
			violate(world,
				"%s reports %llu.%llu as adopted, and client %u %s an operation of "
				"an older generation",
				world->machine[number].name,
				(unsigned long long)world->machine[number].host.adopted.term,
				(unsigned long long)world->machine[number].host.adopted.serial, i,
				runs ? "runs" : "left");
	}
}

/* Is an operation under way, its deadline not over, planned more than one phase behind? */
void check_operation(struct world *world, uint32_t number)
{
	const struct client *client = &world->client[number];

	if (client->counted == 0 ||
	    !in_time(world, client, client->generation, client->deadline_us))
		return;
	if (world->truth_vis - client->vis == 1)
		reached(world, REACHED_LAG);
	if (world->truth_vis - client->vis > 1)
		violate(world,
			"client %u on %s runs an operation planned in %s, the register is in %s: "
			"more than one phase behind",
			number, world->machine[client->machine].name,
			client->vis < 0 ? "a register that was never stored"
					: phase_name((enum phase)world->state[client->vis].phase),
			phase_name((enum phase)world->truth.phase));
}

void check_barrier(struct world *world)
{
	for (uint32_t i = 0; i < CLIENTS; i++)
		check_operation(world, i);
}

void check_published(struct world *world, uint32_t number, const struct reg *reg)
{
	struct machine *machine = &world->machine[number];

	if (register_compare(reg, &machine->segment.reg) < 0)
		violate(world, "%s goes back from register %llu.%llu to %llu.%llu", machine->name,
			(unsigned long long)machine->segment.reg.term,
			(unsigned long long)machine->segment.reg.serial,
			(unsigned long long)reg->term, (unsigned long long)reg->serial);
	if (machine->segment.reg.term != 0 && reg->term == machine->segment.reg.term &&
	    reg->serial > machine->segment.reg.serial + 1)
		reached(world, REACHED_JUMP);
	machine->segment.reg = *reg;
}

/* What a host's segment says of its lease must end before the coordinator's record of it does. */
void check_lease(struct world *world, uint32_t number, uint32_t coordinator)
{
	const struct machine *machine = &world->machine[number];
	const struct coord *coord = &world->machine[coordinator].coord;
	const uint64_t usable_us = world_us(world, number, machine->host.usable_ms * MS);

	if (coord->state != COORD_LEADING || machine->host.usable_ms == 0)
		return;
	for (uint32_t i = 0; i < coord->host_count; i++) {
		const struct coord_host *host = &coord->host[i];
		const uint64_t end_us = world_us(world, coordinator, host->lease_ms * MS);

		if (host->key[0] != number + 1 || host->lease_ms == 0 || usable_us <= end_us ||
		    usable_us <= world->now_us)
			continue;
		violate(world,
			"%s believes in its lease until %.4f, on the record of %s it ends at %.4f",
			machine->name, (double)usable_us / SECOND, world->machine[coordinator].name,
			(double)end_us / SECOND);
	}
}

/* Nothing may be where it does not belong. */
void check_settled(struct world *world)
{
	const struct layout *layout = lists_of(world, &world->truth);

	for (uint32_t s = 0; s < SERVERS; s++) {
		if (!world->cache[s].up || world->cache[s].tainted)
			continue;
		for (uint32_t k = 0; k < KEYS; k++)
			if (cache_item(world, s, k) != NULL && layout->old_owner[k] != s)
				violate(world,
					"key %u is at s%u though epoch %llu has settled and s%u "
					"owns it",
					k, s, (unsigned long long)world->truth.epoch,
					layout->old_owner[k]);
	}
}
