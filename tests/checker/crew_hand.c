/* crew_hand.c - what each thread of the crew does in a job (crew_internal.h). */
#include "crew_internal.h"

#include <time.h>

/* Half of the operations go to one key in HOT_SHARE, so that they meet. */
#define HOT_SHARE	 200u
#define READS_TO_A_WRITE 10u /* where there is a rate */
#define SINGLE_SHARE	 8u  /* one batch in so many is of a single key */
/* For how long what could not be done in its time is made up for. */
#define CATCH_UP_US UINT64_C(1000000)

uint32_t hand_draw(struct hand *hand, uint32_t below)
{
	hand->random ^= hand->random << 13;
	hand->random ^= hand->random >> 7;
	hand->random ^= hand->random << 17;
	return (uint32_t)((hand->random >> 16) % below);
}

static uint32_t draw_key(struct hand *hand)
{
	uint32_t keys = hand->crew->setup.keys, hot = keys / HOT_SHARE;

	if (hot && hand_draw(hand, 2))
		return hand_draw(hand, hot) * (HOT_SHARE + 1) % keys;
	return hand_draw(hand, keys);
}

/* Waits until this many operations are due. */
static void pace(struct hand *hand, unsigned operations)
{
	const struct crew_setup *setup = &hand->crew->setup;
	uint64_t now = ledger_now_us();
	uint64_t share =
	    hand->writes ? (uint64_t)READS_TO_A_WRITE * setup->writers : setup->readers;

	if (!setup->rate)
		return;
	if (hand->next_us + CATCH_UP_US < now)
		hand->next_us = now - CATCH_UP_US;
	if (hand->next_us > now)
		nanosleep(
		    &(struct timespec){.tv_sec = (time_t)((hand->next_us - now) / 1000000),
				       .tv_nsec = (long)((hand->next_us - now) % 1000000) * 1000},
		    NULL);
	hand->next_us += UINT64_C(1000000) * share * operations / setup->rate;
}

/* Most batches are full, for the sake of their number; some are of one key, as most programs read.
 */
static unsigned draw_batch(struct hand *hand)
{
	return hand_draw(hand, SINGLE_SHARE) ? hand->crew->setup.batch : 1;
}

static void hand_run(struct hand *hand)
{
	struct crew *crew = hand->crew;
	struct batch batch = {.count = 0};

	while (!atomic_load_explicit(&crew->stopped, memory_order_relaxed)) {
		if (hand->writes) {
			pace(hand, 1);
			uint32_t index = draw_key(hand);

			write_one(hand, index, draw_deed(hand, values_counter(index)));
			continue;
		}
		unsigned size = draw_batch(hand);
		pace(hand, size);
		while (batch.count < size)
			batch_add(hand, &batch, draw_key(hand));
		batch_read(hand, &batch);
	}
}

/* Every key once, shared out among all. */
static void hand_walk(struct hand *hand)
{
	struct crew *crew = hand->crew;
	struct batch batch = {.count = 0};
	uint32_t index;

	while (!atomic_load(&crew->stopped) &&
	       (index = atomic_fetch_add(&crew->cursor, 1)) < crew->setup.keys) {
		if (crew->job == JOB_FILL) {
			write_one(hand, index, DEED_SET);
			continue;
		}
		batch_add(hand, &batch, index);
		if (batch.count == crew->setup.batch)
			batch_read(hand, &batch);
	}
	if (batch.count)
		batch_read(hand, &batch);
}

void *hand_main(void *context)
{
	struct hand *hand = context;

	if (hand->crew->job == JOB_RUN)
		hand_run(hand);
	else
		hand_walk(hand);
	return NULL;
}
