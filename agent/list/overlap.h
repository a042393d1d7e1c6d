/* overlap.h - two tables laid over each other: which part of the keys goes from whom to whom.
 *
 * Counted, not sampled, where both tables ask the same hash; where they ask different ones a key's
 * two owners have nothing to do with each other, and the product of their shares is the part.  A
 * part is never 0 where a key can be in it.
 */
#ifndef MCROSTER_OVERLAP_H
#define MCROSTER_OVERLAP_H

#include <stdint.h>

#include "list/failure.h"
#include "table.h"

/* Told of every pair of owners, one pair possibly several times. */
typedef void overlap_take(void *context, uint32_t old_owner, uint32_t new_owner, uint64_t parts);

/* *all: of how many parts the keys are taken to consist (for two tables of as many slots: the
 * slots).  Owners are less than server_count.  -ENOMEM; nothing was taken then. */
int overlap_count(const struct table *old_table, const struct table *new_table,
		  uint32_t server_count, overlap_take *take, void *context, uint64_t *all,
		  struct failure *failure);

#endif
