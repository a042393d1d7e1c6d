/* mover_rate.h - a token bucket of keys.
 *
 * Pure arithmetic; time is an argument.
 */
#ifndef MCROSTER_MOVER_RATE_H
#define MCROSTER_MOVER_RATE_H

#include <stdint.h>

struct mover_rate {
	int64_t tokens; /* keys that may be begun at once; below 0: to be earned first */
	uint64_t at_ns; /* up to when it was filled; 0: never */
};

/* How many of `want` keys may be begun now, at `keys_a_second` (0: no limit).  Never more than
 * saved_ms of it is saved up, and at least one key. */
uint32_t mover_rate_take(struct mover_rate *rate, uint64_t keys_a_second, uint32_t saved_ms,
			 uint64_t now_ns, uint32_t want);
/* So many of those granted were not begun after all. */
void mover_rate_give_back(struct mover_rate *rate, uint32_t keys);
/* What was begun weighs so many keys more: they are earned before anything else is. */
void mover_rate_owe(struct mover_rate *rate, uint64_t keys);

#endif
