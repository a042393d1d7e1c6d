/* mover_rate.c - see mover_rate.h. */
#include "daemon/mover_rate.h"

#define SECOND_NS 1000000000ull

static void fill(struct mover_rate *rate, uint64_t keys_a_second, uint32_t saved_ms,
		 uint64_t now_ns)
{
	int64_t most = (int64_t)(keys_a_second * saved_ms / 1000);
	uint64_t passed = now_ns - rate->at_ns, earned;

	if (most == 0)
		most = 1;
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
	rate->tokens += (int64_t)earned;
	if (rate->tokens > most)
		rate->tokens = most;
}

uint32_t mover_rate_take(struct mover_rate *rate, uint64_t keys_a_second, uint32_t saved_ms,
			 uint64_t now_ns, uint32_t want)
{
	uint32_t granted;

	if (keys_a_second == 0)
		return want;
	if (keys_a_second > SECOND_NS)
		keys_a_second = SECOND_NS;
	fill(rate, keys_a_second, saved_ms, now_ns);
	if (rate->tokens <= 0)
		return 0;
	granted = rate->tokens < want ? (uint32_t)rate->tokens : want;
	rate->tokens -= granted;
	return granted;
}

void mover_rate_give_back(struct mover_rate *rate, uint32_t keys)
{
	rate->tokens += keys; /* the next fill cuts it to what may be saved up */
}

void mover_rate_owe(struct mover_rate *rate, uint64_t keys)
{
	rate->tokens -= (int64_t)(keys < INT32_MAX ? keys : INT32_MAX);
}
