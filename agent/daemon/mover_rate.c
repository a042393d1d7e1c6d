/* mover_rate.c - see mover_rate.h. */
#include "daemon/mover_rate.h"

#define SECOND_NS 1000000000ull

static void fill(struct mover_rate *rate, uint64_t keys_a_second, uint64_t now_ns)
{
	uint64_t most = keys_a_second / 10 > 0 ? keys_a_second / 10 : 1;
	uint64_t passed = now_ns - rate->at_ns, earned;

	if (rate->at_ns == 0 || now_ns < rate->at_ns || passed > SECOND_NS) {
		rate->tokens = most;
		rate->at_ns = now_ns;
		return;
	}
	earned = passed * keys_a_second / SECOND_NS;
	if (earned == 0)
		return;
	/* Only the time that became whole keys is used up. */
	rate->at_ns += earned * SECOND_NS / keys_a_second;
	rate->tokens = rate->tokens + earned < most ? rate->tokens + earned : most;
}

uint32_t mover_rate_take(struct mover_rate *rate, uint64_t keys_a_second, uint64_t now_ns,
			 uint32_t want)
{
	uint32_t granted;

	if (keys_a_second == 0)
		return want;
	if (keys_a_second > SECOND_NS)
		keys_a_second = SECOND_NS;
	fill(rate, keys_a_second, now_ns);
	granted = rate->tokens < want ? (uint32_t)rate->tokens : want;
	rate->tokens -= granted;
	return granted;
}

void mover_rate_give_back(struct mover_rate *rate, uint32_t keys)
{
	rate->tokens += keys; /* the next fill cuts it to what may be saved up */
}
