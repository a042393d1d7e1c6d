/* mover_calm.c - see mover_calm.h. */
#include "daemon/mover_calm.h"

#define MS_NS	     1000000u
#define SPELL_NS     (100u * MS_NS)
#define WORKS_NS     (86u * MS_NS)
#define ENDS_NS	     (4u * MS_NS)
#define FIRST	     20000u
#define UP_SHARE     10u
#define DOWN_PERCENT 88u

static uint64_t least(uint64_t reads)
{
	uint64_t borne = reads / 100 * MOVER_CALM_BORNE_PERCENT;

	return borne > MOVER_CALM_LEAST ? borne : MOVER_CALM_LEAST;
}

void mover_calm_update(struct mover_calm *calm, uint64_t reads, bool slow, uint64_t now_ns)
{
	if (reads == 0) {
		*calm = (struct mover_calm){0};
		return;
	}
	if (calm->rate == 0) {
		*calm = (struct mover_calm){.rate = FIRST, .began_ns = now_ns, .eased_ns = now_ns};
		return;
	}
	if (now_ns - calm->eased_ns < SPELL_NS)
		return; /* what a change does is seen only after a while */
	calm->eased_ns = now_ns;
	calm->rate = slow ? calm->rate * DOWN_PERCENT / 100 : calm->rate + calm->rate / UP_SHARE;
	if (calm->rate < least(reads))
		calm->rate = least(reads);
	if (calm->rate > MOVER_CALM_MOST)
		calm->rate = MOVER_CALM_MOST;
}

enum mover_calm_spell mover_calm_spell(const struct mover_calm *calm, uint64_t now_ns)
{
	uint64_t at = (now_ns - calm->began_ns) % SPELL_NS;

	if (calm->rate == 0 || at < WORKS_NS)
		return MOVER_CALM_WORKS;
	return at < WORKS_NS + ENDS_NS ? MOVER_CALM_ENDS : MOVER_CALM_RESTS;
}
