/* lists.c - the world's lists: each changes its parent in some way, and two laid over each other.
 */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct list *list_make(struct world *world, uint32_t servers_mask, uint64_t epoch)
{
	struct list *list = calloc(1, sizeof(*list));
	uint32_t count = 0;

	if (list == NULL)
		abort();
	(void)snprintf(list->cluster, sizeof(list->cluster), "w");
	list->epoch = epoch;
	(void)snprintf(list->created, sizeof(list->created), "2026-11-22T10:00:00Z");
	list->slot_count = LIST_SLOTS_MIN;
	list->lease_ms = world->lease_ms;
	list->steady_lease_ms = world->steady_lease_ms;
	list->op_timeout_ms = world->op_timeout_ms;
	list->isolation = LIST_ISOLATION_BYPASS;
	list->registration_required = world->required;
	list->client_quorum = world->quorum;
	list->agent_count = AGENTS;
	list->agents = calloc(AGENTS, sizeof(*list->agents));
	list->servers = calloc(SERVERS, sizeof(*list->servers));
	list->slots = calloc(list->slot_count, sizeof(*list->slots));
	if (list->agents == NULL || list->servers == NULL || list->slots == NULL)
		abort();
	for (uint32_t i = 0; i < AGENTS; i++) {
		(void)snprintf(list->agents[i].name, sizeof(list->agents[i].name), "a%u", i);
		(void)snprintf(list->agents[i].address, sizeof(list->agents[i].address),
			       "10.0.0.%u:11280", i + 1);
		memset(list->agents[i].key, (int)i + 1, LIST_HOST_KEY_BYTES);
	}
	for (uint32_t i = 0; i < SERVERS; i++) {
		struct list_server *server = &list->servers[count];

		if ((servers_mask & (1u << i)) == 0)
			continue;
		(void)snprintf(server->name, sizeof(server->name), "s%u", i);
		(void)snprintf(server->address, sizeof(server->address), "10.0.0.%u:11211", i + 1);
		server->weight = 1;
		server->agent = i == 6 ? 0 : i; /* the last two share an agent with others */
		server->has_wipe = true;
		server->wipe = 1000;
		count++;
	}
	list->server_count = count;
	list->coordinator_count = world->shared ? CANDIDATES : 1;
	for (uint32_t i = 0; i < CANDIDATES && world->shared; i++)
		list->coordinators[i] = world->candidate[(i + world->list_count) % CANDIDATES];
	list->coordinator = list->coordinators[0];
	memset(list->hash, (int)world->list_count + 1, LIST_HASH_BYTES);
	world->list[world->list_count++] = list;
	return list;
}

static uint32_t server_number(const char *name)
{
	return (uint32_t)(name[1] - '0');
}

void lists_first(struct world *world)
{
	struct list *list = list_make(world, 0x1f, 1);

	for (uint32_t i = 0; i < list->slot_count; i++)
		list->slots[i] = (uint16_t)(i % list->server_count);
}

static uint32_t list_mask(const struct list *list)
{
	uint32_t mask = 0;

	for (uint32_t i = 0; i < list->server_count; i++)
		mask |= 1u << server_number(list->servers[i].name);
	return mask;
}

/* Slots stay where they can; some of them move at random. */
static void slots_make(struct world *world, const struct list *from, struct list *to)
{
	const uint32_t wander = (const uint32_t[]){0, 10, 30}[pick(world, 3)];

	for (uint32_t i = 0; i < to->slot_count; i++) {
		const int stays =
		    list_server_find(to, from->servers[from->slots[i % from->slot_count]].name);
		const bool new_ones = to->server_count > from->server_count && chance(world, 25);

		if (stays >= 0 && !new_ones && !chance(world, wander))
			to->slots[i] = (uint16_t)stays;
		else if (new_ones)
			to->slots[i] =
			    (uint16_t)(to->server_count - 1 -
				       pick(world, to->server_count - from->server_count));
		else
			to->slots[i] = (uint16_t)pick(world, to->server_count);
	}
}

int lists_next(struct world *world, int parent, uint32_t coordinator, uint64_t epoch)
{
	const struct list *from = world->list[parent];
	uint32_t mask = list_mask(from), wanted = mask;
	struct list *list;

	if (world->list_count == LISTS)
		return -1;
	switch (pick(world, 5)) {
	case 0: /* one more */
	case 1:
		wanted |= 1u << pick(world, SERVERS);
		break;
	case 2: /* one less */
	case 3:
		if (from->server_count > 3)
			wanted &= ~(1u << server_number(
					from->servers[pick(world, from->server_count)].name));
		break;
	default: /* one for another */
		wanted |= 1u << pick(world, SERVERS);
		if (from->server_count > 3)
			wanted &= ~(1u << server_number(
					from->servers[pick(world, from->server_count)].name));
	}
	list = list_make(world, wanted, epoch);
	list->has_parent = true;
	memcpy(list->parent, from->hash, LIST_HASH_BYTES);
	if (!world->shared)
		list->coordinator = list->coordinators[0] = coordinator;
	for (uint32_t i = 0; i < list->server_count; i++) {
		if (chance(world, 10))
			list->servers[i].agent = pick(world, AGENTS);
		if (chance(world, world->faults_on ? 30 : 0))
			list->servers[i].has_wipe = false;
	}
	slots_make(world, from, list);
	return (int)world->list_count - 1;
}

static void layout_owners(struct world *world, struct layout *layout)
{
	for (uint32_t i = 0; i < layout->change->server_count; i++)
		layout->server[i] = (uint8_t)server_number(layout->change->servers[i].name);
	for (uint32_t k = 0; k < KEYS; k++) {
		uint32_t from, to;

		change_key_owners(layout->change, world->key[k], strlen(world->key[k]), &from, &to);
		layout->old_owner[k] = layout->server[from];
		layout->new_owner[k] = layout->server[to];
	}
}

const struct layout *lists_layout(struct world *world, int active, int pending)
{
	struct layout *layout;

	for (uint32_t i = 0; i < world->layout_count; i++)
		if (world->layout[i].active == active && world->layout[i].pending == pending)
			return &world->layout[i];
	if (world->layout_count == LAYOUTS)
		abort();
	layout = &world->layout[world->layout_count++];
	layout->active = active;
	layout->pending = pending;
	if (change_new(world->list[active], pending >= 0 ? world->list[pending] : NULL,
		       &layout->change, NULL) != 0)
		abort();
	layout_owners(world, layout);
	return layout;
}

const struct layout *lists_of(struct world *world, const struct reg *reg)
{
	return lists_layout(world, list_number(reg->active),
			    reg->next_epoch != 0 ? list_number(reg->pending) : -1);
}

int machine_named(const struct world *world, const char *name)
{
	for (uint32_t i = 0; i < MACHINES; i++)
		if (strcmp(world->machine[i].name, name) == 0)
			return (int)i;
	return -1;
}
