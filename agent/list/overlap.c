/* overlap.c - see overlap.h. */
#include "list/overlap.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

#include "keyhash.h"

#define INDEPENDENT_PARTS (UINT64_C(1) << 32)

struct overlap {
	const struct table *from, *to;
	overlap_take *take;
	void *context;
};

/* Tables of as many slots: slot by slot. */
static uint64_t slots_count(const struct overlap *o)
{
	for (uint32_t i = 0; i < o->from->count; i++)
		o->take(o->context, o->from->owner[i], o->to->owner[i], 1);
	return o->from->count;
}

static uint32_t server_of(uint64_t point)
{
	return (uint32_t)point;
}

/* Rings under one hash: arc by arc, each up to the next point of either.  Behind the last points
 * the rings begin again, which is what the entry behind the last says. */
static uint64_t arcs_count(const struct overlap *o)
{
	const uint64_t all =
	    UINT64_C(1) << (keyhash_bits(o->from->hash) < 32 ? keyhash_bits(o->from->hash) : 32);
	uint32_t from = 0, to = 0;
	uint64_t done = 0;

	while (done < all) {
		const uint64_t from_end = (o->from->point[from] >> 32) + 1;
		const uint64_t to_end = (o->to->point[to] >> 32) + 1;
		uint64_t end = from_end < to_end ? from_end : to_end;

		if (end > all)
			end = all;
		if (end > done)
			o->take(o->context, server_of(o->from->point[from]),
				server_of(o->to->point[to]), end - done);
		done = end;
		from += done >= from_end && from < o->from->count;
		to += done >= to_end && to < o->to->count;
	}
	return all;
}

/* The remainders repeat after the least common multiple of both counts; a short hash may end
 * before that. */
static uint64_t remainders_count(const struct overlap *o)
{
	const unsigned bits = keyhash_bits(o->from->hash);
	const uint64_t values = UINT64_C(1) << (bits < 32 ? bits : 32);
	uint64_t a = o->from->count, b = o->to->count, all;

	while (b != 0) {
		const uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	all = (uint64_t)o->from->count / a * o->to->count;
	if (values < (UINT64_C(1) << 32))
		all = values;
	for (uint64_t i = 0; i < all; i++)
		o->take(o->context, o->from->owner[i % o->from->count],
			o->to->owner[i % o->to->count], 1);
	return all;
}

/* A jump hash moves a key only to or from the buckets that one side does not have: from a smaller
 * count to a larger one each bucket gives every new one the same part, and keeps the rest. */
static uint64_t buckets_count(const struct overlap *o)
{
	const bool grows = o->to->count >= o->from->count;
	const struct table *small = grows ? o->from : o->to, *large = grows ? o->to : o->from;

	for (uint32_t i = 0; i < small->count; i++) {
		o->take(o->context, o->from->owner[i], o->to->owner[i], small->count);
		for (uint32_t j = small->count; j < large->count; j++)
			o->take(o->context, grows ? o->from->owner[i] : o->from->owner[j],
				grows ? o->to->owner[j] : o->to->owner[i], 1);
	}
	return (uint64_t)small->count * large->count;
}

static void share_take(void *context, uint32_t owner, uint32_t same, uint64_t parts)
{
	uint64_t *shares = context;

	(void)same;
	shares[owner] += parts;
}

/* What each owner has of all keys, in INDEPENDENT_PARTS. */
static uint64_t *shares_of(const struct table *table, uint32_t server_count)
{
	uint64_t *shares = calloc(server_count, sizeof(*shares));
	uint64_t all;

	if (shares == NULL ||
	    overlap_count(table, table, server_count, share_take, shares, &all, NULL) != 0) {
		free(shares);
		return NULL;
	}
	for (uint32_t i = 0; i < server_count; i++) {
		const bool any = shares[i] != 0;

		shares[i] = (uint64_t)((double)shares[i] / (double)all * (double)INDEPENDENT_PARTS);
		if (any && shares[i] == 0)
			shares[i] = 1;
	}
	return shares;
}

static int products_count(const struct overlap *o, uint32_t server_count, uint64_t *all,
			  struct failure *failure)
{
	uint64_t *from = shares_of(o->from, server_count);
	uint64_t *to = shares_of(o->to, server_count);
	int error = 0;

	if (from == NULL || to == NULL)
		error =
		    failure_set(failure, ENOMEM, "no memory for the shares of %" PRIu32 " servers",
				server_count);
	for (uint32_t i = 0; error == 0 && i < server_count; i++)
		for (uint32_t j = 0; from[i] != 0 && j < server_count; j++) {
			const double part =
			    (double)from[i] * (double)to[j] / (double)INDEPENDENT_PARTS;

			if (to[j] != 0)
				o->take(o->context, i, j, part < 1 ? 1 : (uint64_t)part);
		}
	*all = INDEPENDENT_PARTS;
	free(from);
	free(to);
	return error;
}

int overlap_count(const struct table *old_table, const struct table *new_table,
		  uint32_t server_count, overlap_take *take, void *context, uint64_t *all,
		  struct failure *failure)
{
	const struct overlap o = {old_table, new_table, take, context};
	const bool same = old_table->hash == new_table->hash && old_table->kind == new_table->kind;

	if (same && old_table->kind == MCR_TABLE_SLOTS && old_table->count == new_table->count)
		*all = slots_count(&o);
	else if (same && old_table->kind == MCR_TABLE_RING)
		*all = arcs_count(&o);
	else if (same && old_table->kind == MCR_TABLE_MODULO)
		*all = remainders_count(&o);
	else if (same && old_table->kind == MCR_TABLE_JUMP)
		*all = buckets_count(&o);
	else
		return products_count(&o, server_count, all, failure);
	return 0;
}
