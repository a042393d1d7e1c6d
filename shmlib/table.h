/* table.h - from a key to its owner: one table of one list, ready for lookups.
 *
 * Library and agent route by the same functions, the one over a mapping that may change or lie
 * under it, the other over its own memory; so every load is a relaxed atomic one and nothing that
 * is read moves a lookup out of the table's bounds.  The owner that comes out is whatever stood
 * there: the caller bounds it.  Safe anywhere.
 */
#ifndef MCROSTER_TABLE_H
#define MCROSTER_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "atomics.h"
#include "hash.h"
#include "mcroster_segment.h"

/* See struct mcr_segment_table.  Either `owner`, or `point` and `index`. */
struct table {
	uint32_t kind, hash, count, bits;
	const uint16_t *owner;
	const uint64_t *point;
	const uint32_t *index;
};

#pragma GCC visibility push(hidden)

/* The owner's number by a table of any kind. */
uint32_t mcr_table_owner(const struct table *table, const void *key, size_t len);

/* The owner of a hash by a table of any kind but slots. */
uint32_t mcr_table_find(const struct table *table, uint64_t hash);

#pragma GCC visibility pop

static inline uint32_t table_slot_owner(const struct table *table, uint64_t hash)
{
	return u16_load_relaxed(&table->owner[mcr_hash_slot(hash, table->bits)]);
}

/* A table of `count` slots, a power of two from 2 on. */
static inline struct table table_of_slots(const uint16_t *owner, uint32_t count)
{
	const struct table table = {
	    .kind = MCR_TABLE_SLOTS,
	    .hash = MCR_HASH_XXH3,
	    .count = count,
	    .bits = (uint32_t)__builtin_ctz(count),
	    .owner = owner,
	};

	return table;
}

#endif
