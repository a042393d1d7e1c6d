/* mover_rate.h - the token bucket that all movers of an agent draw from.
 *
 * Pure arithmetic; time is an argument.
 */
#ifndef MCROSTER_MOVER_RATE_H
#define MCROSTER_MOVER_RATE_H

#include <stdint.h>

struct mover_rate {
	uint64_t tokens; /* keys that may be begun at once */
	uint64_t at_ns;	 /* up to when it was filled; 0: never */
};

/* How many of `want` keys may be begun now, at `keys_a_second` (0: no limit).  Never more than a
 * tenth of a second's worth is saved up, and at least one key. */
uint32_t mover_rate_take(struct mover_rate *rate, uint64_t keys_a_second, uint64_t now_ns,
			 uint32_t want);
/* So many of those granted were not begun after all. */
void mover_rate_give_back(struct mover_rate *rate, uint32_t keys);

#endif
