/* routing.c - see routing.h. */
#include "list/routing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "list/ring.h"
#include "list/slots.h"

static uint32_t number_of(const uint32_t *numbers, uint32_t server)
{
	return numbers != NULL ? numbers[server] : server;
}

static int slots_route(const struct list *list, const uint32_t *numbers, uint32_t slots_min,
		       struct table *table)
{
	const uint32_t count = list->slot_count > slots_min ? list->slot_count : slots_min;
	uint16_t *owner = calloc(count, sizeof(*owner));

	if (owner == NULL)
		return -ENOMEM;
	slots_widen(list->slots, list->slot_count, owner, count);
	for (uint32_t i = 0; i < count; i++)
		owner[i] = (uint16_t)number_of(numbers, owner[i]);
	*table = table_of_slots(owner, count);
	return 0;
}

static int servers_route(const struct list *list, const uint32_t *numbers, struct table *table)
{
	uint16_t *owner = calloc(list->server_count, sizeof(*owner));

	if (owner == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < list->server_count; i++)
		owner[i] = (uint16_t)number_of(numbers, i);
	table->owner = owner;
	table->count = list->server_count;
	return 0;
}

/* Two to four intervals for each point: most hold none or one. */
static uint32_t index_bits(uint32_t points)
{
	uint32_t bits = MCR_SEGMENT_BITS_MIN;

	while (1u << bits < points)
		bits++;
	return bits < MCR_SEGMENT_INDEX_BITS_MAX ? bits + 1 : bits;
}

static uint32_t *index_make(const uint64_t *points, uint32_t count, uint32_t bits)
{
	const uint32_t intervals = 1u << bits;
	uint32_t *index = calloc((size_t)intervals + 1, sizeof(*index));
	uint32_t below = 0;

	for (uint32_t i = 0; index != NULL && i <= intervals; i++) {
		while (below < count && points[below] >> (64 - bits) < i)
			below++;
		index[i] = below;
	}
	return index;
}

static int ring_route(const struct list *list, const uint32_t *numbers, struct table *table,
		      struct failure *failure)
{
	uint64_t *points;
	uint32_t count;
	int error = ring_make(list, &points, &count, failure);

	if (error != 0)
		return error;
	for (uint32_t i = 0; i <= count; i++)
		points[i] = (points[i] >> 32) << 32 | number_of(numbers, (uint32_t)points[i]);
	table->count = count;
	table->bits = index_bits(count);
	table->point = points;
	table->index = index_make(points, count, table->bits);
	if (table->index != NULL)
		return 0;
	free(points);
	return -ENOMEM;
}

int routing_make(const struct list *list, const uint32_t *numbers, uint32_t slots_min,
		 struct table *table, struct failure *failure)
{
	const struct distribution_rules *rules = distribution_rules(list->distribution);
	struct table made = {
	    .kind = rules->kind,
	    .hash = rules->hash_said ? list->key_hash : rules->hash,
	};
	int error;

	switch (rules->kind) {
	case MCR_TABLE_SLOTS:
		error = slots_route(list, numbers, slots_min, &made);
		break;
	case MCR_TABLE_RING:
		error = ring_route(list, numbers, &made, failure);
		break;
	default:
		error = servers_route(list, numbers, &made);
		break;
	}
	if (error == -ENOMEM)
		return failure_set(failure, ENOMEM, "no memory for the table of a list");
	if (error == 0)
		*table = made;
	return error;
}

size_t routing_bytes(const struct table *table)
{
	if (table->kind == MCR_TABLE_RING)
		return ((size_t)table->count + 1) * sizeof(*table->point);
	return table->count * sizeof(*table->owner);
}

size_t routing_index_bytes(const struct table *table)
{
	return table->kind == MCR_TABLE_RING
		   ? (((size_t)1 << table->bits) + 1) * sizeof(*table->index)
		   : 0;
}

static void *bytes_copy(const void *from, size_t bytes)
{
	void *copy = from != NULL ? malloc(bytes) : NULL;

	if (copy != NULL)
		memcpy(copy, from, bytes);
	return copy;
}

int routing_copy(const struct table *table, struct table *copy)
{
	struct table made = *table;

	made.owner = bytes_copy(table->owner, routing_bytes(table));
	made.point = bytes_copy(table->point, routing_bytes(table));
	made.index = bytes_copy(table->index, routing_index_bytes(table));
	if ((made.owner == NULL) != (table->owner == NULL) ||
	    (made.point == NULL) != (table->point == NULL) ||
	    (made.index == NULL) != (table->index == NULL)) {
		routing_free(&made);
		return -ENOMEM;
	}
	*copy = made;
	return 0;
}

void routing_free(struct table *table)
{
	free((void *)(uintptr_t)table->owner);
	free((void *)(uintptr_t)table->point);
	free((void *)(uintptr_t)table->index);
	memset(table, 0, sizeof(*table));
}
