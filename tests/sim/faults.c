/* faults.c - what goes wrong, drawn from the seed, and how it ends. */
#include "sim.h"

#include <string.h>

static void count(struct world *world, enum fault fault)
{
	world->figures->fault[fault]++;
}

void fault_stops(struct world *world, uint32_t number, bool clients)
{
	struct machine *machine = &world->machine[number];
	const uint64_t longest = 10 * world->lease_ms * MS;
	const uint64_t until = world->now_us + 1 + pick(world, 1 + pick(world, (uint32_t)longest));

	/* Who is not registered is served as soon as the heartbeat is known to be dead. */
	if (!clients && world->required && chance(world, 60))
		fault_unregisters(world, number + MACHINES * pick(world, 2));
	TRACE(world, "%s%s stopped for %.3f s", machine->name, clients ? " and its clients" : "",
	      (double)(until - world->now_us) / SECOND);
	machine->stopped_until_us = until;
	machine->stopped_leading |= machine->coord.state == COORD_LEADING;
	for (uint32_t i = 0; clients && i < CLIENTS; i++)
		if (world->client[i].machine == number)
			world->client[i].stopped_until_us = until;
}

/* One of those that have commands under way there dies, just as they are to know of something. */
void fault_kills_client(struct world *world, uint32_t number)
{
	for (uint32_t i = 0; i < CLIENTS; i++) {
		if (world->client[i].machine != number || world->client[i].counted == 0)
			continue;
		count(world, FAULT_CLIENT_DEATH);
		client_dies(world, i, true);
		return;
	}
}

/* Mostly one that has commands under way: they are carried out without it. */
static uint32_t client_to_kill(struct world *world)
{
	uint32_t number = pick(world, CLIENTS);

	for (uint32_t tries = 0; tries < 6 && world->client[number].counted == 0; tries++)
		number = pick(world, CLIENTS);
	return number;
}

static void machine_crash(struct world *world, uint32_t number, uint64_t away_us)
{
	struct machine *machine = &world->machine[number];

	agent_crash(world, number, away_us);
	memset(&machine->segment, 0, sizeof(machine->segment));
	for (uint32_t i = 0; i < CLIENTS; i++)
		if (world->client[i].machine == number) {
			client_dies(world, i, true);
			/* Whatever comes up here has nothing older to wait for: it waits anyway. */
			world->client[i].left.any = false;
		}
	for (uint32_t s = 0; s < SERVERS; s++)
		if (world->cache[s].machine == number && chance(world, 50)) {
			count(world, FAULT_CACHE_CRASH);
			cache_crash(world, s, away_us / 2);
		}
}

static bool holds_register(const struct world *world, uint32_t number)
{
	return (!world->shared && machine_named(world, world->truth.coordinator) == (int)number) ||
	       world->machine[number].disk.has_register;
}

/* A host's disk is lost, or comes back from a backup.  One in a world: the rest knows better. */
static void disk(struct world *world, uint32_t number)
{
	struct machine *machine = &world->machine[number];

	if (world->disks_lost > 0 || holds_register(world, number) || world->register_gone ||
	    world->truth.handed_over || number == 0 ||
	    (machine->disk.has_failover && (machine->disk.failover_to == number ||
					    machine->disk.failover_term > world->truth.term)))
		return;
	world->disks_lost++;
	machine_crash(world, number, pick(world, 4 * SECOND));
	machine->journal_bytes = 0;
	for (uint32_t k = 0; k < KEYS; k++)
		key_lost(world, k); /* marks are lost with it */
	if (machine->has_backup && chance(world, 60)) {
		count(world, FAULT_DISK_BACK);
		TRACE(world, "%s: its disk comes back from a backup", machine->name);
		machine->disk = machine->backup;
	} else {
		count(world, FAULT_DISK_LOST);
		TRACE(world, "%s: its disk is lost", machine->name);
		memset(&machine->disk, 0, sizeof(machine->disk));
		machine->disk.list[0] = true;
	}
}

/* Do so many know the newest register that no majority can be without one of them? */
static bool widely_known(const struct world *world)
{
	uint32_t know = 0;

	for (uint32_t i = 0; i < AGENTS; i++)
		know += world->machine[i].disk.has_host &&
			register_compare(&world->machine[i].disk.host.reg, &world->truth) == 0;
	return know > AGENTS / 2 + 1;
}

/* The machine of the coordinator is gone, and its register with it. */
void fault_register_lost(struct world *world, uint32_t number)
{
	struct machine *machine = &world->machine[number];

	if (world->disks_lost > 0 || world->register_gone || world->truth.handed_over)
		return;
	world->disks_lost++;
	world->register_gone = true;
	count(world, FAULT_REGISTER_LOST);
	TRACE(world, "%s: its register is lost", machine->name);
	machine->disk.has_register = false;
	machine_crash(world, number, pick(world, 12 * SECOND));
}

/* The coordinator loses its register, or gets an older one back. */
static void lose_register(struct world *world)
{
	const uint32_t number = leader(world);
	struct machine *machine;

	if (number == NOBODY || world->shared || world->disks_lost > 0 || world->register_gone ||
	    world->truth.handed_over)
		return;
	machine = &world->machine[number];
	/* Of one that has hardly begun there is no older one. */
	if (world->history_count <= 3 && chance(world, 70))
		return;
	if (world->history_count > 3 && widely_known(world) && chance(world, 70)) {
		const struct reg *old =
		    &world->history[world->history_count - 2 -
				    pick(world, world->history_count < 6 ? 2 : 4)];

		if (old->term == world->truth.term) {
			world->disks_lost++;
			world->register_gone = world->register_back = true;
			count(world, FAULT_REGISTER_BACK);
			TRACE(world, "%s: its register comes back as %llu.%llu", machine->name,
			      (unsigned long long)old->term, (unsigned long long)old->serial);
			machine->disk.reg = *old;
			if (chance(world, 60)) {
				/* The whole disk: what its host knew is gone too. */
				memset(&machine->disk.host, 0, sizeof(machine->disk.host));
				machine->disk.host.reg = *old;
				machine->journal_bytes = 0;
				for (uint32_t k = 0; k < KEYS; k++)
					key_lost(world, k);
				machine_crash(world, number, pick(world, SECOND));
			} else {
				agent_crash(world, number, pick(world, SECOND));
			}
			return;
		}
	}
	world->register_copy = chance(world, 40);
	fault_register_lost(world, number);
}

static void partition(struct world *world, bool one_way)
{
	const uint32_t mask = (uint32_t)draw(world);

	for (uint32_t i = 0; i < MACHINES; i++)
		for (uint32_t j = 0; j < MACHINES; j++)
			if ((mask >> i & 1) != (mask >> j & 1) && (!one_way || (mask >> i & 1)))
				world->cut[i][j] = true;
	TRACE(world, "partition %03x%s", mask & 0x3ff, one_way ? ", one way" : "");
}

void fault_isolates(struct world *world, uint32_t number)
{
	const bool in = chance(world, 75), out = !in || chance(world, 75);

	TRACE(world, "%s is cut off%s", world->machine[number].name,
	      in && out ? ""
	      : in	? ", inwards"
			: ", outwards");
	for (uint32_t i = 0; i < MACHINES; i++) {
		if (i == number)
			continue;
		if (in)
			world->cut[i][number] = true;
		if (out)
			world->cut[number][i] = true;
	}
}

void fault_heals_later(struct world *world)
{
	at(world, world->now_us + 100 * MS + pick(world, 2 * world->lease_ms * MS), EV_HEAL, 0, 0,
	   0, 0);
}

/* A reservation that is evicted is nobody's value: no key may be lost by that. */
void fault_evicts_stub(struct world *world, const struct mover_key *slot)
{
	const struct item *item = cache_item(world, slot->server, slot->key);

	if (item == NULL || !item->empty)
		return;
	TRACE(world, "s%u evicts a reservation of key %u", slot->server, slot->key);
	reached(world, REACHED_STUB_EVICTED);
	item_gone(&world->cache[slot->server].item[slot->key]);
}

/* The new owner is another process by the time that the old one answers. */
void fault_restarts_new_owner(struct world *world, uint32_t from, uint32_t to)
{
	count(world, FAULT_SLOW_CACHE);
	count(world, FAULT_CACHE_CRASH);
	world->cache[from].slow_us = world->now_us + 1;
	at(world, world->now_us + 1, EV_CACHE_DIES, to, 0, 0, 0);
}

/* An agent dies while keys of its movers are under way; what was at O may go meanwhile. */
void fault_kills_mover(struct world *world, uint32_t number)
{
	if (!world->faults_on || !world->machine[number].up)
		return;
	for (uint32_t m = 0; m < MOVERS; m++) {
		const struct mover *mover = &world->mover[m];

		for (uint32_t i = 0; mover->used && mover->machine == number && i < BATCH; i++) {
			const struct mover_key *slot = &mover->slot[i];

			if (!slot->used || !chance(world, 40))
				continue;
			count(world, FAULT_EVICTION);
			key_lost(world, slot->key);
			item_gone(&world->cache[mover->server].item[slot->key]);
		}
	}
	count(world, FAULT_AGENT_CRASH);
	agent_crash(world, number, pick(world, world->away_us / 3));
}

static void evict(struct world *world, uint32_t server)
{
	for (uint32_t i = 0; i < 4; i++) {
		const uint32_t key =
		    chance(world, 50) ? world->recent[pick(world, 16)] : pick(world, KEYS);

		if (cache_item(world, server, key) == NULL)
			continue;
		count(world, FAULT_EVICTION);
		TRACE(world, "s%u evicts key %u", server, key);
		if (!world->cache[server].item[key].empty)
			key_lost(world, key);
		item_gone(&world->cache[server].item[key]);
	}
}

/* What COPY cannot move is left to DRAIN. */
void fault_in_phase(struct world *world)
{
	const bool copying = world->truth.phase == PHASE_COPY;

	/* What is gone at the new owner is looked for at the old one. */
	if (harsh(world) && world->truth.phase == PHASE_DRAIN)
		for (uint32_t s = 0; s < SERVERS; s++) {
			evict(world, s);
			if (world->struck == STRUCK_KEYS && chance(world, 30))
				world->cache[s].slow_us = world->now_us + SECOND;
		}
	if (!harsh(world) || (!copying && world->truth.phase != PHASE_SWITCH) ||
	    !chance(world, !copying			  ? 80
			   : world->struck == STRUCK_KEYS ? 60
							  : 25))
		return;
	if (copying)
		count(world, FAULT_REFUSAL);
	for (uint32_t s = 0; s < SERVERS; s++)
		world->cache[s].refuses = copying && chance(world, 50);
}

/* Where the next fault hurts most: the coordinator, now and then, or the same few. */
static uint32_t victim(struct world *world)
{
	const uint32_t leading = leader(world);

	if (leading != NOBODY && chance(world, 20))
		return leading;
	return pick(world, world->struck == STRUCK_AGENTS ? 3 : MACHINES);
}

/* One that was just there may die again, before anybody knows it. */
static void strike_agent(struct world *world, uint32_t number)
{
	const uint32_t lives =
	    world->struck == STRUCK_AGENTS ? 1 + pick(world, 4) : chance(world, 40);
	const bool soon = world->struck == STRUCK_KEYS || chance(world, 50);

	count(world, FAULT_AGENT_CRASH);
	agent_crash(world, number, pick(world, soon ? 40 * MS : 2 * world->lease_ms * MS));
	for (uint32_t i = 0; i < lives; i++)
		at(world, world->now_us + pick(world, world->lease_ms * MS), EV_MOVER_DIES, number,
		   0, 0, 0);
}

static void strike_client(struct world *world)
{
	if (chance(world, 50)) {
		count(world, FAULT_STOPPED_CLIENT);
		/* One that a quorum waits for may take longer than adopt_limit. */
		world->client[pick(world, CLIENTS)].stopped_until_us =
		    world->now_us + (world->quorum > 0 && chance(world, 30)
					 ? 60 * SECOND
					 : pick(world, 4 * world->lease_ms * MS));
		return;
	}
	count(world, FAULT_CLIENT_DEATH);
	client_dies(world, client_to_kill(world), true);
	fault_unregisters(world, pick(world, CLIENTS));
}

static void strike_cache(struct world *world, uint32_t number)
{
	const uint32_t server = pick(world, SERVERS);

	switch (pick(world, 5)) {
	case 0:
		count(world, FAULT_CUT_CACHE);
		world->cut_cache[number][server] = true;
		fault_heals_later(world);
		break;
	case 1:
		count(world, FAULT_CACHE_CRASH);
		cache_crash(
		    world, server,
		    chance(world, 50)
			? 1
			: pick(world, world->struck == STRUCK_KEYS ? 2 * SECOND : 8 * SECOND));
		break;
	case 2:
		evict(world, server);
		break;
	case 3:
		count(world, FAULT_SLOW_CACHE);
		world->cache[server].slow_us = world->now_us + pick(world, 2 * SECOND);
		break;
	default:
		count(world, FAULT_REFUSAL);
		world->cache[server].refuses = !world->cache[server].refuses;
		break;
	}
}

static void strike_network(struct world *world, uint32_t number)
{
	const uint32_t what = pick(world, 3);

	count(world, what == 0 ? FAULT_PARTITION : what == 1 ? FAULT_ONE_WAY : FAULT_ISOLATED);
	if (what == 2)
		fault_isolates(world, number);
	else
		partition(world, what == 1);
	fault_heals_later(world);
}

/* A machine, for longer than its agent alone. */
static void strike_machine(struct world *world, uint32_t number)
{
	switch (pick(world, 4)) {
	case 0:
		count(world, FAULT_MACHINE_CRASH);
		machine_crash(world, number, pick(world, 2 * world->lease_ms * MS));
		break;
	case 1:
		disk(world, number);
		break;
	case 2:
		count(world, FAULT_STOPPED_AGENT);
		fault_stops(world, number, false);
		break;
	default:
		count(world, FAULT_STOPPED_MACHINE);
		fault_stops(world, number, true);
		break;
	}
}

/* What is struck, of a hundred times: agents, machines, clients, the network, memcacheds and the
 * register; in what is left a wall clock steps. */
static const uint8_t often[][6] = {
    [STRUCK_ALL] = {17, 17, 17, 13, 22, 11},
    [STRUCK_ETCD] = {0, 0, 0, 0, 0, 0},
    [STRUCK_KEYS] = {10, 0, 30, 0, 60, 0},
    [STRUCK_AGENTS] = {50, 10, 0, 15, 0, 25},
};

void fault_strikes(struct world *world)
{
	const uint32_t number = victim(world);
	const uint8_t *left = often[world->struck];
	struct machine *machine = &world->machine[number];
	uint32_t drawn = pick(world, 100), what = 0;

	if (!world->faults_on)
		return;
	at(world, world->now_us + 1 + pick(world, 2 * world->fault_rate_us), EV_FAULT, 0, 0, 0, 0);
	if (world->shared && (world->struck == STRUCK_ETCD || chance(world, 35))) {
		fault_strikes_etcd(world);
		return;
	}
	/* An operator finds out best who is left when nothing else happens. */
	if (world->register_gone && chance(world, 75))
		return;
	if (!machine->has_backup && machine->disk.has_host && chance(world, 30)) {
		machine->backup = machine->disk;
		machine->has_backup = true;
	}
	for (; what < 6 && drawn >= left[what]; what++)
		drawn -= left[what];
	switch (what) {
	case 0:
		strike_agent(world, number);
		break;
	case 1:
		strike_machine(world, number);
		break;
	case 2:
		strike_client(world);
		break;
	case 3:
		strike_network(world, number);
		break;
	case 4:
		strike_cache(world, number);
		break;
	case 5:
		lose_register(world);
		break;
	default:
		count(world, FAULT_CLOCK_STEP); /* nothing in the core knows wall time */
		break;
	}
}

void faults_heal(struct world *world, bool all)
{
	memset(world->cut, 0, sizeof(world->cut));
	memset(world->cut_cache, 0, sizeof(world->cut_cache));
	fault_etcd_heals(world, all);
	if (!all)
		return;
	TRACE(world, "the last fault is over");
	world->faults_on = false;
	world->loss_percent = world->duplicate_percent = 0;
	for (uint32_t i = 0; i < MACHINES; i++) {
		world->machine[i].stopped_until_us = world->now_us;
		if (!world->machine[i].up)
			agent_start(world, i);
	}
	for (uint32_t i = 0; i < CLIENTS; i++)
		world->client[i].stopped_until_us = world->now_us;
	for (uint32_t s = 0; s < SERVERS; s++) {
		world->cache[s].slow_us = 0;
		world->cache[s].refuses = false;
		if (!world->cache[s].up)
			cache_born(world, s);
	}
}
