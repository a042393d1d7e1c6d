/* mover_pace.c - see mover_pace.h. */
#include "daemon/mover_pace.h"

#define SECOND_NS 1000000000ull
#define SAVED_MS  100u /* an agent that was held up makes up for that much */

static void bytes_pay(struct mover_pace *pace, uint64_t now_ns)
{
	uint64_t passed = now_ns - pace->bytes_at_ns, paid;

	if (now_ns < pace->bytes_at_ns || pace->bytes_at_ns == 0)
		passed = 0;
	if (passed > SECOND_NS)
		passed = SECOND_NS; /* then the rest of a large batch is paid for a second later */
	paid = (uint64_t)((double)passed * (double)pace->rate_bytes / (double)SECOND_NS);
	if (paid == 0 && passed > 0 && pace->bytes_owed > 0)
		return; /* not yet a whole byte's time */
	pace->bytes_at_ns = now_ns;
	pace->bytes_owed = paid < pace->bytes_owed ? pace->bytes_owed - paid : 0;
}

uint32_t mover_pace_take(struct mover_pace *pace, uint64_t now_ns, uint32_t want)
{
	if (pace->rate_bytes == 0) {
		pace->bytes_owed = 0;
	} else {
		bytes_pay(pace, now_ns);
		if (pace->bytes_owed > 0)
			return 0;
	}
	return mover_rate_take(&pace->keys, pace->rate_keys, SAVED_MS, now_ns, want);
}

void mover_pace_used(struct mover_pace *pace, uint32_t granted, uint32_t begun, uint64_t bytes)
{
	mover_rate_give_back(&pace->keys, granted - begun);
	if (pace->rate_bytes != 0)
		pace->bytes_owed += bytes;
}
