/* slots.h - the slot planner: balanced to within one slot by weight, fewest moves.
 *
 * Pure arithmetic on tables; deterministic: the same input gives the same table on every host.
 */
#ifndef MCROSTER_SLOTS_H
#define MCROSTER_SLOTS_H

#include <stdint.h>

#include "list/failure.h"

#define SLOTS_NONE UINT16_MAX

/* How many of `slot_count` slots each server should own: its exact share by weight rounded down or
 * up, the sum exact.  A share may be rounded up where that keeps a slot at home (the server `have`s
 * more than its share rounded down), which makes the moves fewest; those that are left go to the
 * largest remainders, among equal ones to the lowest numbers.  `have` may be NULL: nobody holds
 * anything.  -EINVAL for no servers, no weight, or numbers out of range, -ENOMEM. */
int slots_quota(uint32_t slot_count, const uint32_t *weight, const uint32_t *have,
		uint32_t server_count, uint32_t *quota, struct failure *failure);

/* Computes the next table.  `table` holds slot_count entries: on entry each slot's present owner
 * by its number in the NEXT list (SLOTS_NONE where it has none: a new table, or its server leaves);
 * on return its owner.  Only slots that must move do.  -ENOMEM, -EINVAL; `table` untouched then.
 *
 * A change that only widens the table is not planned at all: what was within one slot of n may be
 * two apart in 2n, and putting that right would move keys. */
int slots_plan(uint16_t *table, uint32_t slot_count, const uint32_t *weight, uint32_t server_count,
	       struct failure *failure);

/* Doubles a table: slot i becomes 2i and 2i+1, with the same owner, so no key moves.
 * `to_count` is a power of two >= from_count; the target may not overlap the source. */
void slots_widen(const uint16_t *from, uint32_t from_count, uint16_t *to, uint32_t to_count);

#endif
