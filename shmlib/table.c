/* table.c - see table.h. */
#include "table.h"

#include "keyhash.h"

#define JUMP_FACTOR UINT64_C(2862933555777941757)

/* Most of the index's intervals hold no point or one, so what it leads to is compared once, without
 * a branch to guess, and only where more lie together they are searched.  A hostile index leads at
 * most to another point. */
static uint32_t ring_find(const struct table *ring, uint32_t hash)
{
	const uint64_t want = (uint64_t)hash << 32;
	const uint32_t interval = (uint32_t)((uint64_t)hash >> (32 - ring->bits));
	uint32_t at = u32_load_relaxed(&ring->index[interval]);
	uint32_t end = u32_load_relaxed(&ring->index[interval + 1]);

	if (at > ring->count)
		at = ring->count;
	if (end > ring->count)
		end = ring->count;
	if (end > at + 1) {
		while (at < end) {
			const uint32_t middle = at + (end - at) / 2;

			if (u64_load_relaxed(&ring->point[middle]) < want)
				at = middle + 1;
			else
				end = middle;
		}
	} else if (at < ring->count) {
		at += u64_load_relaxed(&ring->point[at]) < want;
	}
	return (uint32_t)u64_load_relaxed(&ring->point[at]);
}

/* J. Lamping and E. Veach, "A fast, minimal memory, consistent hash algorithm".  The bucket grows
 * with every turn, so `count` bounds them. */
static uint32_t jump(uint64_t hash, uint32_t count)
{
	int64_t bucket = -1, next = 0;

	while (next < count) {
		bucket = next;
		hash = hash * JUMP_FACTOR + 1;
		next = (int64_t)((double)(bucket + 1) *
				 ((double)(INT64_C(1) << 31) / (double)((hash >> 33) + 1)));
	}
	return (uint32_t)bucket;
}

uint32_t mcr_table_find(const struct table *table, uint64_t hash)
{
	switch (table->kind) {
	case MCR_TABLE_RING:
		return ring_find(table, (uint32_t)hash);
	case MCR_TABLE_MODULO:
		return u16_load_relaxed(&table->owner[(uint32_t)hash % table->count]);
	default:
		return u16_load_relaxed(&table->owner[jump(hash, table->count)]);
	}
}

uint32_t mcr_table_owner(const struct table *table, const void *key, size_t len)
{
	if (table->kind == MCR_TABLE_SLOTS)
		return table_slot_owner(table, mcr_hash(key, len));
	return mcr_table_find(table, mcr_keyhash(table->hash, key, len));
}
