/* tally.h - counts of what a load did and saw.
 *
 * Each worker counts in its own tally; anybody may add them up at any time (relaxed atomics: single
 * numbers are exact, two of them may be an operation apart).  Shared by the programs of this
 * directory (it has no main).
 */
#ifndef MCROSTER_TESTS_TALLY_H
#define MCROSTER_TESTS_TALLY_H

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

#include "mcroster_memcached.h"
#include "history.h"

struct tally {
	/* Answered operations, by the phase of the plan that gave the answer. */
	_Atomic uint64_t reads[MCR_PHASE_COUNT], writes[MCR_PHASE_COUNT];
	_Atomic uint64_t hits, misses;
	_Atomic uint64_t verdicts[VERDICT_COUNT];
	_Atomic uint64_t read_status[MCR_POOL_STATUS_COUNT], write_status[MCR_POOL_STATUS_COUNT];
	_Atomic uint64_t by_op[MCR_OP_COUNT]; /* tried */
	_Atomic uint64_t replanned, invalidated;
};

static inline void tally_one(_Atomic uint64_t *count)
{
	atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
}

void tally_add(struct tally *sum, const struct tally *part);

/* One JSON object on one line, flat, every value a number. */
void tally_print(const struct tally *tally, FILE *stream);

#endif
