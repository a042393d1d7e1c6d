/* world.c - see world.h. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t world_random(struct world *world)
{
	uint64_t z = (world->seed += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static struct list *world_list(uint64_t epoch, uint32_t servers, const uint8_t *parent)
{
	struct list *list = calloc(1, sizeof(*list));

	(void)snprintf(list->cluster, sizeof(list->cluster), "w");
	list->epoch = epoch;
	list->has_parent = parent != NULL;
	if (parent != NULL)
		memcpy(list->parent, parent, LIST_HASH_BYTES);
	(void)snprintf(list->created, sizeof(list->created), "2026-11-22T10:00:00Z");
	list->slot_count = LIST_SLOTS_MIN;
	list->lease_ms = 1000;
	list->steady_lease_ms = 2000;
	list->op_timeout_ms = 200;
	list->agent_count = WORLD_HOSTS;
	list->agents = calloc(WORLD_HOSTS, sizeof(*list->agents));
	for (uint32_t i = 0; i < WORLD_HOSTS; i++) {
		(void)snprintf(list->agents[i].name, sizeof(list->agents[i].name), "a%u", i);
		(void)snprintf(list->agents[i].address, sizeof(list->agents[i].address),
			       "127.0.0.1:%u", 2000 + i);
		memset(list->agents[i].key, (int)i + 1, LIST_HOST_KEY_BYTES);
	}
	list->server_count = servers;
	list->servers = calloc(servers, sizeof(*list->servers));
	for (uint32_t i = 0; i < servers; i++) {
		(void)snprintf(list->servers[i].name, sizeof(list->servers[i].name), "s%u", i);
		(void)snprintf(list->servers[i].address, sizeof(list->servers[i].address),
			       "127.0.0.1:%u", 3000 + i);
		list->servers[i].weight = 1;
		list->servers[i].agent = i;
	}
	list->slots = calloc(list->slot_count, sizeof(*list->slots));
	for (uint32_t i = 0; i < list->slot_count; i++)
		list->slots[i] = (uint16_t)(i % servers);
	memset(list->hash, (int)epoch, LIST_HASH_BYTES);
	return list;
}

static const struct change *world_lists(struct world *world, const struct reg *reg)
{
	for (uint32_t i = 0; i < 3; i++)
		if (host_lists_match(reg, world->change[i]))
			return world->change[i];
	return NULL;
}

void world_init(struct world *world, uint64_t seed)
{
	memset(world, 0, sizeof(*world));
	world->seed = seed;
	world->now_ms = 100000;
	world->delay_ms = 1;
	world->refuse_host = WORLD_HOSTS;
	world->list[0] = world_list(1, 3, NULL);
	world->list[1] = world_list(2, 4, world->list[0]->hash);
	if (change_new(world->list[0], NULL, &world->change[0], NULL) != 0 ||
	    change_new(world->list[0], world->list[1], &world->change[1], NULL) != 0 ||
	    change_new(world->list[1], NULL, &world->change[2], NULL) != 0 ||
	    coord_init(&world->coord, "a0") != 0)
		abort();
	for (uint32_t i = 0; i < WORLD_HOSTS; i++) {
		host_start(&world->host[i].host, world->list[0]->agents[i].name, i, 30000, NULL,
			   false, world->now_ms);
		host_lists(&world->host[i].host, world->change[0], world->now_ms);
		host_connected(&world->host[i].host, true, world->now_ms);
		world->host[i].up = true;
	}
	coord_begin(&world->coord, world->list[0], world->change[0], world->now_ms);
	world->coord_up = true;
}

void world_free(struct world *world)
{
	for (uint32_t i = 0; i < 3; i++)
		change_free(world->change[i]);
	list_free(world->list[0]);
	list_free(world->list[1]);
	coord_free(&world->coord);
}

static void world_send(struct world *world, const struct world_message *message)
{
	if (world_random(world) % 100 < world->loss_percent)
		return;
	for (uint32_t i = 0; i < WORLD_MESSAGES; i++) {
		struct world_message *slot = &world->message[i];

		if (slot->used)
			continue;
		*slot = *message;
		slot->used = true;
		slot->at_ms = world->now_ms + world_random(world) % (world->delay_ms + 1);
		return;
	}
}

static void world_deliver(struct world *world, struct world_message *message)
{
	struct world_host *to = &world->host[message->host];
	struct world_message answer = {.host = message->host, .type = 1};

	if (message->to_coord) {
		if (world->coord_up &&
		    coord_renew(&world->coord, world->list[0]->agents[message->host].key, 0,
				&message->renew, world->now_ms, &answer.grant))
			world_send(world, &answer);
		return;
	}
	if (!to->up)
		return;
	if (message->type == 1)
		host_grant(&to->host, &message->grant, world->now_ms);
	else
		host_register(&to->host, &message->grant.reg, world->now_ms);
}

static int world_order(const struct reg *reg)
{
	/* PURGE and STEADY of the next epoch are AFTER for clients; undone ones are their own
	 * branch. */
	static const int order[PHASE_COUNT] = {0, 1, 2, 3, 4, 5, 6, 7, 7, 3, 4, 4};

	if (reg->phase == PHASE_STEADY)
		return reg->epoch == 2 ? 7 : reg->reason[0] != '\0' ? 4 : 0;
	return order[reg->phase];
}

/* GIVEUP is not entered here: from DRAIN the next is AFTER. */
static int world_distance(const struct reg *older, const struct reg *newer)
{
	int a = world_order(older), b = world_order(newer);

	if (newer->phase == PHASE_UNWIND)
		return a >= 1 && a <= 3 ? 1 : a == 0 ? 2 : 0;
	if (b >= 7 && a < 7)
		return a == 5 ? 1 : b - a;
	return b - a;
}

static void world_check(struct world *world)
{
	const struct reg *reg = &world->coord_disk;

	for (uint32_t i = 0; i < WORLD_HOSTS; i++) {
		struct world_host *host = &world->host[i];

		if (host->op_end_ms <= world->now_ms || reg->term == 0)
			continue;
		if (world_distance(&host->op, reg) > 1 && world->violations++ == 0)
			(void)snprintf(world->violation, sizeof(world->violation),
				       "at %llu: host %u runs an operation of %s, the register is "
				       "in %s",
				       (unsigned long long)world->now_ms, i,
				       phase_name((enum phase)host->op.phase),
				       phase_name((enum phase)reg->phase));
	}
}

/* Clients under strict: one operation after the other, each as long as is allowed. */
static void world_clients(struct world *world, struct world_host *host)
{
	uint64_t end_ms;

	if (host->op_end_ms > world->now_ms || host->segment.term == 0 ||
	    world->now_ms >= host->deadline_ms)
		return;
	end_ms = world->now_ms + 1 + world_random(world) % 200;
	host->op = host->segment;
	host->op_end_ms = end_ms;
}

static void world_host_do(struct world *world, uint32_t index, struct host_action *action)
{
	struct world_host *host = &world->host[index];
	struct world_message message = {.host = index, .to_coord = true};
	bool changed;

	switch (action->type) {
	case HOST_FETCH:
		break;
	case HOST_STORE:
		host->disk = *action->state;
		host->has_disk = true;
		host_stored(&host->host, true, world->now_ms);
		break;
	case HOST_PUBLISH:
		changed = world_order(&host->segment) != world_order(action->reg) ||
			  host->segment.term == 0;
		host->segment = *action->reg;
		/* What runs was checked against the deadline of its plan: op_timeout from here. */
		if (changed && host->op_end_ms > world->now_ms + 200)
			host->op_end_ms = world->now_ms + 200;
		host_published(&host->host, true, changed, world->now_ms);
		break;
	case HOST_STOP:
		host->work_ms = 0;
		host_stopped(&host->host, world->now_ms);
		break;
	case HOST_WORK:
		host->work_ms = world->now_ms + 1 + world_random(world) % 300;
		host->work_for = *action->reg;
		host->works[action->reg->phase]++;
		break;
	case HOST_LEASE:
		host->deadline_ms = action->deadline_ms;
		break;
	case HOST_RENEW:
		message.renew = action->renew;
		world_send(world, &message);
		break;
	}
}

static void world_host_run(struct world *world, uint32_t index)
{
	struct world_host *host = &world->host[index];
	struct host_action action;

	if (!host->up) {
		if (world->now_ms < host->up_ms)
			return;
		host->up = true;
		host_start(&host->host, world->list[0]->agents[index].name, world_random(world),
			   30000, host->has_disk ? &host->disk : NULL, host->segment.term != 0,
			   world->now_ms);
		host_connected(&host->host, true, world->now_ms);
	}
	if (host->work_ms != 0 && world->now_ms >= host->work_ms) {
		struct work work = {.state = WORK_DONE, .phase = host->work_for.phase};

		memcpy(work.pending, host->work_for.pending, LIST_HASH_BYTES);
		work.moved = 10;
		if (index == world->refuse_host && work.phase == PHASE_PREPARE) {
			work.state = WORK_REFUSED;
			(void)snprintf(work.reason, sizeof(work.reason), "refused for the test");
		}
		host->work_ms = 0;
		host_worked(&host->host, &work, world->now_ms);
	}
	host_tick(&host->host, world->now_ms);
	do {
		const struct change *change = world_lists(world, &host->host.known);

		if (change != NULL && host->work_ms == 0)
			host_lists(&host->host, change, world->now_ms);
		if (!host_next(&host->host, world->now_ms, &action))
			break;
		world_host_do(world, index, &action);
	} while (true);
}

static void world_coord_run(struct world *world)
{
	struct coord_action action;

	if (!world->coord_up) {
		const struct reg *saved = &world->coord_disk;

		if (world->now_ms < world->coord_up_ms)
			return;
		world->coord_up = true;
		(void)coord_init(&world->coord, "a0");
		coord_resume(&world->coord, saved, world->list[saved->epoch - 1],
			     saved->next_epoch != 0 ? world->list[1] : NULL,
			     world_lists(world, saved), world->now_ms);
	}
	coord_tick(&world->coord, world->now_ms);
	while (coord_next(&world->coord, world->now_ms, &action)) {
		if (action.type == COORD_STORE) {
			const struct reg reg = *action.reg;

			world->coord_disk = reg;
			world->steps++;
			coord_lists(&world->coord, world->list[reg.epoch - 1],
				    reg.next_epoch != 0 ? world->list[1] : NULL,
				    world_lists(world, &reg));
			coord_stored(&world->coord, true, world->now_ms);
			continue;
		}
		for (uint32_t i = 0; i < WORLD_HOSTS; i++) {
			struct world_message message = {.host = i, .type = 2};

			message.grant.reg = *action.reg;
			world_send(world, &message);
		}
	}
}

void world_crash(struct world *world, uint32_t index, uint64_t away_ms)
{
	struct world_host *host = &world->host[index];

	host->up = false;
	host->up_ms = world->now_ms + away_ms;
	host->work_ms = 0;
	world->crash_count++;
}

void world_crash_coord(struct world *world, uint64_t away_ms)
{
	if (!world->coord_up || world->coord_disk.term == 0)
		return;
	coord_free(&world->coord);
	world->coord_up = false;
	world->coord_up_ms = world->now_ms + away_ms;
	world->crash_count++;
}

void world_step(struct world *world)
{
	world->now_ms++;
	if (world->crashes && world_random(world) % 1500 == 0)
		world_crash(world, (uint32_t)(world_random(world) % WORLD_HOSTS),
			    world_random(world) % 2500);
	if (world->crashes && world_random(world) % 4000 == 0)
		world_crash_coord(world, world_random(world) % 2500);
	for (uint32_t i = 0; i < WORLD_MESSAGES; i++) {
		if (!world->message[i].used || world->message[i].at_ms > world->now_ms)
			continue;
		world->message[i].used = false;
		world_deliver(world, &world->message[i]);
	}
	world_coord_run(world);
	for (uint32_t i = 0; i < WORLD_HOSTS; i++) {
		world_host_run(world, i);
		world_clients(world, &world->host[i]);
	}
	world_check(world);
}

static bool world_settled(const struct world *world, uint64_t epoch)
{
	if (!world->coord_up || world->coord.reg.phase != PHASE_STEADY ||
	    world->coord.reg.epoch != epoch)
		return false;
	for (uint32_t i = 0; i < WORLD_HOSTS; i++)
		if (!world->host[i].up || world->host[i].segment.epoch != epoch ||
		    world->host[i].segment.phase != PHASE_STEADY ||
		    world->host[i].deadline_ms <= world->now_ms)
			return false;
	return true;
}

bool world_settle(struct world *world, uint64_t epoch, uint64_t limit_ms)
{
	for (uint64_t i = 0; i < limit_ms; i++) {
		if (world_settled(world, epoch))
			return true;
		world_step(world);
	}
	return world_settled(world, epoch);
}
