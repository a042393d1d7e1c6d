/* mover_calm.c - see mover_calm.h. */
#include "daemon/mover_calm.h"

#define FIRST	     20000u
#define MOST	     1000000u
#define DOWN_NS	     50000000u /* what a change does is seen only after a while */
#define UP_NS	     100000000u
#define UP_SHARE     8u
#define DOWN_PERCENT 75u

void mover_calm_update(struct mover_calm *calm, bool others, bool slow, uint64_t now_ns)
{
	uint64_t passed = now_ns - calm->eased_ns;

	if (!others) {
		*calm = (struct mover_calm){0};
		return;
	}
	if (calm->rate == 0) {
		*calm = (struct mover_calm){.rate = FIRST, .eased_ns = now_ns};
		return;
	}
	if (slow && passed >= DOWN_NS) {
		calm->rate = calm->rate * DOWN_PERCENT / 100;
		if (calm->rate < MOVER_CALM_LEAST)
			calm->rate = MOVER_CALM_LEAST;
		calm->eased_ns = now_ns;
	} else if (!slow && passed >= UP_NS) {
		calm->rate += calm->rate / UP_SHARE;
		if (calm->rate > MOST)
			calm->rate = MOST;
		calm->eased_ns = now_ns;
	}
}
