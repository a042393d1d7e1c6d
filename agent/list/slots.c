/* slots.c - see slots.h.
 *
 * Why the moves are fewest: a slot can stay only with the server that holds it, so a server keeps
 * at most min(held, quota) and everything else moves.  With each quota either the share rounded
 * down or one more, one more saves a move exactly at a server that holds more than the share
 * rounded down; those get it first.  slots_plan then keeps min(held, quota) at every server.
 */
#include "list/slots.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "list/list.h"

/* A server whose share is not whole: a candidate for one slot more. */
struct rounding {
	uint32_t server;
	bool keeps; /* rounding up saves a move */
	uint64_t remainder;
};

static int rounding_compare(const void *left, const void *right)
{
	const struct rounding *a = left, *b = right;

	if (a->keeps != b->keeps)
		return a->keeps ? -1 : 1;
	if (a->remainder != b->remainder)
		return a->remainder > b->remainder ? -1 : 1;
	return a->server < b->server ? -1 : 1;
}

static int input_check(uint32_t slot_count, const uint32_t *weight, uint32_t server_count,
		       uint64_t *total, struct failure *failure)
{
	uint64_t sum = 0;

	if (slot_count == 0 || slot_count > LIST_SLOTS_MAX)
		return failure_set(failure, EINVAL, "%" PRIu32 " slots: want 1 to %u", slot_count,
				   LIST_SLOTS_MAX);
	if (server_count == 0 || server_count > LIST_SERVERS_MAX)
		return failure_set(failure, EINVAL, "%" PRIu32 " servers: want 1 to %u",
				   server_count, LIST_SERVERS_MAX);
	for (uint32_t i = 0; i < server_count; i++) {
		if (weight[i] > LIST_WEIGHT_MAX)
			return failure_set(failure, EINVAL, "weight %" PRIu32 ": at most %u",
					   weight[i], LIST_WEIGHT_MAX);
		sum += weight[i];
	}
	if (sum == 0)
		return failure_set(failure, EINVAL, "no server has any weight");
	*total = sum;
	return 0;
}

int slots_quota(uint32_t slot_count, const uint32_t *weight, const uint32_t *have,
		uint32_t server_count, uint32_t *quota, struct failure *failure)
{
	struct rounding *roundings;
	uint32_t candidates = 0, left = slot_count;
	uint64_t total = 0;
	int error = input_check(slot_count, weight, server_count, &total, failure);

	if (error != 0)
		return error;
	roundings = calloc(server_count, sizeof(*roundings));
	if (roundings == NULL)
		return failure_set(failure, ENOMEM, "no memory for %" PRIu32 " servers",
				   server_count);
	for (uint32_t i = 0; i < server_count; i++) {
		const uint64_t product = (uint64_t)slot_count * weight[i];

		quota[i] = (uint32_t)(product / total);
		left -= quota[i];
		if (product % total != 0)
			roundings[candidates++] = (struct rounding){
			    .server = i,
			    .keeps = have != NULL && have[i] > quota[i],
			    .remainder = product % total,
			};
	}
	/* The remainders add up to `left` times the total, so there are more candidates than that.
	 */
	qsort(roundings, candidates, sizeof(*roundings), rounding_compare);
	for (uint32_t i = 0; i < left; i++)
		quota[roundings[i].server]++;
	free(roundings);
	return 0;
}

/* Counts what each server holds. */
static int table_count(const uint16_t *table, uint32_t slot_count, uint32_t server_count,
		       uint32_t *have, struct failure *failure)
{
	for (uint32_t i = 0; i < slot_count; i++) {
		if (table[i] == SLOTS_NONE)
			continue;
		if (table[i] >= server_count)
			return failure_set(failure, EINVAL,
					   "slot %" PRIu32
					   " belongs to server number %u of %" PRIu32,
					   i, table[i], server_count);
		have[table[i]]++;
	}
	return 0;
}

int slots_plan(uint16_t *table, uint32_t slot_count, const uint32_t *weight, uint32_t server_count,
	       struct failure *failure)
{
	uint32_t *have, *quota, next = 0;
	uint64_t total = 0;
	int error = input_check(slot_count, weight, server_count, &total, failure);

	if (error != 0)
		return error;
	have = calloc(server_count, sizeof(*have));
	quota = calloc(server_count, sizeof(*quota));
	if (have == NULL || quota == NULL)
		error =
		    failure_set(failure, ENOMEM, "no memory for %" PRIu32 " servers", server_count);
	if (error == 0)
		error = table_count(table, slot_count, server_count, have, failure);
	if (error == 0)
		error = slots_quota(slot_count, weight, have, server_count, quota, failure);
	if (error != 0)
		goto out;

	/* First everybody keeps what the quota lets him keep, then what is free is handed out. */
	memset(have, 0, server_count * sizeof(*have));
	for (uint32_t i = 0; i < slot_count; i++) {
		if (table[i] == SLOTS_NONE)
			continue;
		if (have[table[i]] < quota[table[i]])
			have[table[i]]++;
		else
			table[i] = SLOTS_NONE;
	}
	for (uint32_t i = 0; i < slot_count; i++) {
		if (table[i] != SLOTS_NONE)
			continue;
		while (have[next] == quota[next])
			next++;
		table[i] = (uint16_t)next;
		have[next]++;
	}
out:
	free(quota);
	free(have);
	return error;
}

void slots_widen(const uint16_t *from, uint32_t from_count, uint16_t *to, uint32_t to_count)
{
	const uint32_t times = to_count / from_count;

	for (uint32_t i = 0; i < to_count; i++)
		to[i] = from[i / times];
}
