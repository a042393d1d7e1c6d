/* world.c - a world from its beginning to its end. */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void machines_make(struct world *world)
{
	for (uint32_t i = 0; i < MACHINES; i++) {
		struct machine *machine = &world->machine[i];

		machine->listed = i < AGENTS;
		(void)snprintf(machine->name, sizeof(machine->name), "%c%u",
			       machine->listed ? 'a' : 'x', machine->listed ? i : i - AGENTS);
		/* Two clocks drift apart by one in a hundred at most. */
		machine->rate_ppm = SECOND - 5000 + pick(world, 10001);
		if (machine->rate_ppm != SECOND)
			world->figures->fault[FAULT_DRIFT]++;
		machine->base_us = pick(world, 1000) * (uint64_t)SECOND;
		machine->disk.list[0] = true;
	}
}

/* In one world of three the register lives in an etcd, and three agents may lead. */
static void candidates_make(struct world *world)
{
	world->last_leader = NOBODY;
	etcd_make(world);
	world->shared = pick(world, 3) == 0;
	world->ttl_s = ELECTION_TTL_MIN_S + pick(world, 4);
	for (uint32_t i = 0; i < CANDIDATES && world->shared;) {
		const uint32_t number = pick(world, AGENTS);

		if (world->machine[number].shared)
			continue;
		world->machine[number].shared = true;
		world->candidate[i++] = (uint8_t)number;
	}
}

/* What goes wrong here more than elsewhere, so that what needs it comes about. */
static void struck_make(struct world *world)
{
	const uint32_t what = pick(world, 100);

	world->struck = STRUCK_ALL;
	world->late_percent = 6;
	world->away_us = 3 * SECOND;
	world->seldom = 150;
	world->slow_by_us = 2 * world->op_timeout_ms * MS;
	if (world->shared && what < 50) {
		world->struck = STRUCK_ETCD;
		world->loss_percent = 0;
		world->fault_rate_us = 4 * SECOND;
		world->op_pause_us = 600 * MS;
	} else if (!world->shared && what < 40) {
		world->struck = STRUCK_KEYS;
		world->loss_percent = pick(world, 6);
		world->delay_us += 4000;
		world->fault_rate_us = 2 * SECOND;
		world->away_us = SECOND / 5;
		world->seldom = 900;
		world->slow_by_us = world->op_timeout_ms * MS / 2;
		world->aborting = world->aborting > 4 ? 10 : 0;
		world->giving_up = world->giving_up > 1 ? 8 : 0;
		world->faults_end_us += 10 * SECOND;
		world->changes_wanted = 8;
	} else if (!world->shared && what < 70) {
		world->struck = STRUCK_AGENTS;
		world->fault_rate_us = 700 * MS;
		world->away_us = SECOND / 5;
		world->late_percent = 50;
		world->loss_percent = pick(world, 31);
	}
}

static void values_make(struct world *world)
{
	const struct layout *layout = lists_layout(world, 0, -1);

	for (uint32_t k = 0; k < KEYS; k++) {
		struct cache *cache = &world->cache[layout->old_owner[k]];
		const uint32_t write = write_begin(world, k);

		if (chance(world, 10)) {
			write_end(world, write, false, false);
			continue;
		}
		/* What servers outside the list hold is from long ago. */
		for (uint32_t s = 5; s < SERVERS; s++)
			if (chance(world, 30))
				world->cache[s].item[k] = (struct item){
				    .present = true, .write = 1, .cas = ++world->cache[s].cas};
		cache->item[k] =
		    (struct item){.present = true, .write = write, .cas = ++cache->cas};
		write_end(world, write, true, true);
	}
}

/* Of a machine's clients the first acknowledges, the next may, and what comes last is idle. */
static void client_make(struct world *world, uint32_t number)
{
	struct client *client = &world->client[number];

	client->machine = (uint8_t)(number % MACHINES);
	client->seldom = number >= 24;
	client->registers = client->seldom || world->quorum > 0 || chance(world, 60);
	client->serves =
	    world->quorum > 0 || (!client->seldom && (number < MACHINES || chance(world, 50)));
	client->marked = !client->serves || chance(world, 50);
}

static void world_make(struct world *world)
{
	static const uint32_t op_timeouts_ms[] = {400, 700, 1000};

	world->op_timeout_ms = op_timeouts_ms[pick(world, 3)];
	world->lease_ms = world->op_timeout_ms * (4 + pick(world, 4));
	world->steady_lease_ms = world->lease_ms * (1 + pick(world, 2));
	world->delay_us = 1000 + pick(world, 8000);
	world->loss_percent = chance(world, 40) ? 0 : pick(world, 31);
	world->duplicate_percent = chance(world, 50) ? 0 : pick(world, 20);
	world->op_pause_us = 250 * MS;
	world->fault_rate_us = (uint32_t[]){400 * MS, SECOND, 3 * SECOND}[pick(world, 3)];
	world->giving_up = chance(world, 35) ? 20 : 1;
	world->aborting = chance(world, 30) ? 20 : 4;
	world->habit = (enum habit)pick(world, 3);
	world->required = chance(world, 40);
	world->quorum = chance(world, 80) ? 0 : 30 * (1 + pick(world, 2));
	world->changes_wanted = 2 + (pick(world, 4) == 0);
	world->now_us = 1000 * (uint64_t)SECOND;
	world->faults_end_us = world->now_us + 15 * (uint64_t)SECOND + pick(world, 35 * SECOND);
	world->deadline_us = NEVER;
	world->failed_over_to = NOBODY;
	world->write_count = 1; /* 0 is no write */
	for (uint32_t i = 0; i < COMMANDS; i++)
		world->command[i].next_free = i + 1;
	for (uint32_t i = 0; i < MESSAGES; i++)
		world->message[i].next_free = i + 1;
	for (uint32_t k = 0; k < KEYS; k++)
		(void)snprintf(world->key[k], sizeof(world->key[k]), "key:%u", k);
	machines_make(world);
	candidates_make(world);
	struck_make(world);
	for (uint32_t s = 0; s < SERVERS; s++)
		world->cache[s] = (struct cache){
		    .up = true, .life = 1, .tainted = s >= 5, .machine = s == 6 ? 0 : s};
	lists_first(world);
	world->write[world->write_count++] = (struct write){.ended = true};
	world->now_us++;
	values_make(world);
	for (uint32_t i = 0; i < MACHINES; i++)
		agent_start(world, i);
	if (!world->shared) {
		register_begin(world, 0);
		/* Everybody has said that it is new. */
		world->machine[0].coord.state = COORD_LEADING;
		agent_pump(world, 0);
	}
	for (uint32_t i = 0; i < CLIENTS; i++) {
		client_make(world, i);
		client_born(world, i);
	}
	world->faults_on = getenv("SIM_CALM") == NULL;
	at(world, world->now_us + SECOND, EV_OPERATOR, 0, 0, 0, 0);
	at(world, world->now_us + SECOND, EV_FAULT, 0, 0, 0, 0);
}

static void world_free(struct world *world)
{
	for (uint32_t i = 0; i < MOVERS; i++)
		if (world->mover[i].used)
			pass_free(&world->mover[i].pass);
	for (uint32_t i = 0; i < MACHINES; i++)
		if (world->machine[i].up) {
			coord_free(&world->machine[i].coord);
			owed_free(&world->machine[i].owed);
			clients_free(&world->machine[i].clients);
		}
	for (uint32_t i = 0; i < world->layout_count; i++)
		change_free(world->layout[i].change);
	for (uint32_t i = 0; i < world->list_count; i++)
		list_free(world->list[i]);
	free(world->heap);
	free(world->history);
}

/* Is everything as it should be when nothing goes wrong any more? */
static bool world_settled(const struct world *world)
{
	const uint32_t leading = leader(world);
	const struct list *list;

	if (leading == NOBODY || world->truth.phase != PHASE_STEADY || world->register_gone)
		return false;
	list = world->list[list_number(world->truth.active)];
	if (!world->shared && list->coordinator != leading &&
	    strcmp(world->machine[leading].coord.replaced, list->agents[list->coordinator].name) !=
		0)
		return false;
	for (uint32_t i = 0; i < MACHINES; i++) {
		const struct machine *machine = &world->machine[i];

		/* It holds nobody up, and waits for its own clients as long as adopt_limit. */
		if (machine->up && !machine->listed && machine->host.quorum_missing)
			continue;
		if (!machine->up || register_compare(&machine->host.adopted, &world->truth) != 0 ||
		    local_us(world, i) >= machine->segment.deadline_us)
			return false;
	}
	return true;
}

/* What follows takes more of them where etcd is asked, or clients are waited for. */
static uint32_t events_to_rest(const struct world *world)
{
	if (world->quorum > 0 || world->struck == STRUCK_KEYS)
		return 4500;
	return world->shared ? 4900 : 5500;
}

static void world_look(struct world *world)
{
	/* A world that has had its share of events comes to rest early. */
	if (world->faults_on &&
	    (world->now_us >= world->faults_end_us || world->events >= events_to_rest(world))) {
		faults_heal(world, true);
		world->deadline_us = world->now_us + SETTLE_US;
		world->healed_us = world->now_us;
		if (world->events > 3000 || world->changes_wanted > 3)
			world->changes_wanted = 2;
	}
	if (world->faults_on)
		return;
	if (world_settled(world)) {
		if (!world->settled) {
			world->settled = true;
			world->settled_us = world->now_us - world->healed_us;
		}
		if (world->events < 5000 && world->changes_ended >= world->changes_wanted)
			world->changes_wanted = world->changes_ended + 1;
		if (world->changes_ended >= world->changes_wanted) {
			check_settled(world);
			world->over = true;
		} else if (world->deadline_changes != world->changes_ended) {
			world->deadline_changes = world->changes_ended;
			world->deadline_us = world->now_us + SETTLE_US;
		}
	}
	if (world->now_us >= world->deadline_us) {
		char why[300] = "";
		const uint32_t leading = leader(world);

		for (uint32_t i = 0; i < MOVERS && world->tracing; i++)
			if (world->mover[i].used)
				mover_tell(world, i);
		if (leading != NOBODY)
			coord_waits_for(&world->machine[leading].coord, local_ms(world, leading),
					why, sizeof(why));
		for (uint32_t i = 0; i < MACHINES && world->tracing; i++)
			trace(world,
			      "%s knows %llu.%llu, has published %llu.%llu, adopted %llu.%llu",
			      world->machine[i].name,
			      (unsigned long long)world->machine[i].host.known.term,
			      (unsigned long long)world->machine[i].host.known.serial,
			      (unsigned long long)world->machine[i].host.published.term,
			      (unsigned long long)world->machine[i].host.published.serial,
			      (unsigned long long)world->machine[i].host.adopted.term,
			      (unsigned long long)world->machine[i].host.adopted.serial);
		violate(world,
			"%u s after the last fault the cluster has not settled: register %llu.%llu "
			"of %s in %s waits for %s",
			SETTLE_US / SECOND, (unsigned long long)world->truth.term,
			(unsigned long long)world->truth.serial, world->truth.coordinator,
			phase_name((enum phase)world->truth.phase),
			leading == NOBODY ? "a coordinator" : why);
	}
}

/* A stopped process deals with its events when it goes on. */
static bool deferred(struct world *world, const struct event *event)
{
	uint64_t until = 0;
	uint32_t mover = event->who;

	switch ((enum event_kind)event->kind) {
	case EV_TICK:
	case EV_MESSAGE:
	case EV_CLIENT_SAYS:
		until = world->machine[event->who].stopped_until_us;
		break;
	case EV_REPLY:
		if (world->command[event->what].by_agent) {
			until = world->machine[world->command[event->what].owner].stopped_until_us;
			break;
		}
		if (!world->command[event->what].by_mover) {
			until = world->client[world->command[event->what].owner].stopped_until_us;
			break;
		}
		mover = world->command[event->what].owner;
		/* fall through */
	case EV_MOVER_WAKE:
	case EV_MOVER_DIALLED:
	case EV_MOVER_BUSY:
	case EV_MOVER_LATE:
		until = world->machine[world->mover[mover].machine].stopped_until_us;
		break;
	case EV_ELECTION:
	case EV_ETCD_ANSWERS:
	case EV_ETCD_LATE:
		until = world->machine[event->who].stopped_until_us;
		break;
	case EV_CLIENT_BEGIN:
	case EV_CLIENT_TIMEOUT:
	case EV_CLIENT_SERVE:
		until = world->client[event->who].stopped_until_us;
		break;
	default:
		break;
	}
	if (until <= world->now_us)
		return false;
	/* It may be let go earlier than was meant. */
	if (until > world->now_us + SECOND / 4)
		until = world->now_us + SECOND / 4;
	at(world, until, (enum event_kind)event->kind, event->who, event->what, event->stamp,
	   event->extra);
	return true;
}

/* A timer whose reason has gone is no event. */
static bool called_off(const struct world *world, const struct event *event)
{
	const struct etcd_call *call = &world->etcd.call[event->what % CALLS];
	const struct machine *machine = &world->machine[event->who % MACHINES];
	const struct client *client = &world->client[event->who % CLIENTS];

	switch ((enum event_kind)event->kind) {
	case EV_TICK:
		return machine->life != event->stamp || machine->tick_us > world->now_us;
	case EV_ELECTION:
		return machine->life != event->stamp || machine->election_us > world->now_us;
	case EV_ETCD_LATE:
		return !call->used || call->stamp != event->stamp || call->told;
	case EV_CLIENT_BEGIN:
	case EV_CLIENT_SERVE:
		return client->life != event->stamp;
	case EV_CLIENT_TIMEOUT:
		return !client->alive || client->stamp != event->stamp;
	default:
		return false;
	}
}

static void message_arrives(struct world *world, uint32_t number)
{
	struct message *message = &world->message[number];
	/* What it says is copied by whoever keeps it. */

	if (world->machine[message->to].up)
		agent_message(world, message);
	message->used = false;
	message->next_free = world->message_free;
	world->message_free = number;
}

static void happen(struct world *world, const struct event *event)
{
	struct machine *machine = &world->machine[event->who < MACHINES ? event->who : 0];

	switch ((enum event_kind)event->kind) {
	case EV_TICK:
		agent_tick(world, event->who);
		break;
	case EV_START:
		if (machine->life == event->stamp)
			agent_start(world, event->who);
		break;
	case EV_MESSAGE:
		message_arrives(world, event->what);
		break;
	case EV_EXECUTE:
		cache_execute(world, &world->command[event->what]);
		break;
	case EV_REPLY:
		command_answer(world, &world->command[event->what]);
		break;
	case EV_CLIENT_BEGIN:
		client_begin(world, event->who);
		break;
	case EV_CLIENT_TIMEOUT:
		client_timeout(world, event->who);
		break;
	case EV_CLIENT_BORN:
		if (world->client[event->who].life == event->stamp)
			client_born(world, event->who);
		break;
	case EV_CLIENT_SERVE:
		registered_serve(world, event->who);
		break;
	case EV_CLIENT_SAYS:
		registered_heard(world, event->who, event->what, event->stamp, event->extra);
		break;
	case EV_MOVER_WAKE:
		if (world->mover[event->who].used && world->mover[event->who].life == event->stamp)
			mover_step(world, event->who);
		break;
	case EV_MOVER_DIALLED:
		mover_dialled(world, event->who, event->what, event->stamp);
		break;
	case EV_MOVER_BUSY:
		mover_unbusy(world, event->who, event->what, event->stamp, event->extra);
		break;
	case EV_MOVER_LATE:
		mover_late(world, event->who, event->stamp);
		break;
	case EV_CACHE_UP:
		if (world->cache[event->who].life == event->stamp && !world->cache[event->who].up)
			cache_born(world, event->who);
		break;
	case EV_OPERATOR:
		operator_acts(world, event->who == 0);
		break;
	case EV_FAULT:
		fault_strikes(world);
		break;
	case EV_HEAL:
		faults_heal(world, false);
		break;
	case EV_MOVER_DIES:
		fault_kills_mover(world, event->who);
		break;
	case EV_CACHE_DIES:
		cache_crash(world, event->who, 1);
		break;
	case EV_ELECTION:
		candidate_pump(world, event->who);
		break;
	case EV_ETCD_ARRIVES:
		etcd_arrives(world, event->what, event->stamp);
		break;
	case EV_ETCD_ANSWERS:
		etcd_answers(world, event->what, event->stamp);
		break;
	case EV_ETCD_LATE:
		etcd_late(world, event->what, event->stamp);
		break;
	case EV_ETCD_UP:
		if (world->etcd.life == event->stamp)
			etcd_start(world);
		break;
	case EV_ETCD_BACK:
		etcd_bring_back(world);
		break;
	case EV_KINDS:
		break;
	}
}

static void world_count(struct world *world)
{
	struct figures *figures = world->figures;
	const uint64_t tenths = world->settled_us / (SECOND / 10);

	figures->seeds++;
	figures->events += world->events;
	figures->simulated_us += world->now_us - 1000 * (uint64_t)SECOND;
	figures->violations += world->violated;
	if (world->settled)
		figures->settled[tenths < SETTLE_TENTHS ? tenths : SETTLE_TENTHS - 1]++;
	if (figures->events_max < world->events)
		figures->events_max = world->events;
	if (figures->events_min == 0 || figures->events_min > world->events)
		figures->events_min = world->events;
	if (figures->settled_max_us < world->settled_us)
		figures->settled_max_us = world->settled_us;
}

bool world_run(struct world *world, uint64_t seed, bool tracing, struct figures *figures)
{
	struct event event;

	memset(world, 0, sizeof(*world));
	world->seed = seed;
	world->random = seed * 0x2545f4914f6cdd1du;
	world->tracing = tracing;
	world->figures = figures;
	world_make(world);
	while (!world->over && next_event(world, &event)) {
		world->now_us = event.at_us;
		if (called_off(world, &event) || deferred(world, &event))
			continue;
		world->events++;
		happen(world, &event);
		world_look(world);
	}
	world_count(world);
	world_free(world);
	return !world->violated;
}
