/* mover_gentle.c - the mover gives way: the servers it works on are watched, and the rate follows.
 *
 * Watched are the source and who gains keys; only in COPY and DRAIN, and only where the pace says
 * adaptive.  A dump is never slowed: memcached's crawler holds an item lock while it waits for who
 * reads it, and every client that comes to that lock waits too.
 */
#include <stdlib.h>

#include "daemon/mover_inside.h"

#define LEARNING_MS 1u

static bool concerned(const struct mover *mover, uint32_t number)
{
	return number == mover->setup.server || mover_server(mover, number)->gained > 0;
}

static void watches_free(struct mover *mover)
{
	for (uint32_t i = 0; mover->watches != NULL && i < mover->setup.change->server_count; i++)
		mover_watch_free(mover->watches[i]);
	free(mover->watches);
	mover->watches = NULL;
}

void mover_gentle_stop(struct mover *mover)
{
	if (mover->watching != NULL)
		(void)event_del(mover->watching);
	watches_free(mover);
}

static bool watches_make(struct mover *mover)
{
	uint32_t count = mover->setup.change->server_count;

	mover->watches = calloc(count, sizeof(struct mover_watch *));
	for (uint32_t i = 0; mover->watches != NULL && i < count; i++) {
		if (!concerned(mover, i))
			continue;
		mover->watches[i] =
		    mover_watch_new(mover->setup.base, mover_server(mover, i)->address,
				    mover_access(mover, i), mover->setup.op_timeout_ms);
		if (mover->watches[i] == NULL)
			watches_free(mover);
	}
	return mover->watches != NULL;
}

static bool all_ready(const struct mover *mover)
{
	for (uint32_t i = 0; i < mover->setup.change->server_count; i++)
		if (mover->watches[i] != NULL && !mover_watch_ready(mover->watches[i]))
			return false;
	return true;
}

static void watch_every(struct mover *mover, uint32_t ms)
{
	struct timeval often = {.tv_usec = (suseconds_t)ms * 1000};

	(void)event_add(mover->watching, &often);
}

/* A dump is a load that no rest interrupts. */
static enum mover_watch_while doing(const struct mover *mover, uint64_t now_ns)
{
	if (mover->dump != NULL && !mover->dump_ended)
		return MOVER_WATCH_NEITHER;
	if (!mover_in_flight(mover) && mover_calm_spell(&mover->calm, now_ns) == MOVER_CALM_RESTS)
		return MOVER_WATCH_RESTS;
	if (mover->calm.rate == 0)
		return mover_in_flight(mover) ? MOVER_WATCH_NEITHER : MOVER_WATCH_RESTS;
	return mover_calm_spell(&mover->calm, now_ns) == MOVER_CALM_WORKS ? MOVER_WATCH_WORKS
									  : MOVER_WATCH_NEITHER;
}

static void tick_event(evutil_socket_t fd, short what, void *argument)
{
	static const struct mover_own none;
	struct mover *mover = argument;
	uint64_t now_ns = mover_clock_ns();
	enum mover_watch_while does = doing(mover, now_ns);
	uint64_t least = 0;
	bool slow = false;

	(void)fd;
	(void)what;
	for (uint32_t i = 0; i < mover->setup.change->server_count; i++) {
		struct mover_watch *watch = mover->watches[i];
		uint64_t reads;
		struct mover_peer *peer =
		    i == mover->setup.server ? mover->source : mover->peers[i];

		if (watch == NULL)
			continue;
		mover_watch_tick(watch, does, peer != NULL ? mover_peer_own(peer) : &none, now_ns);
		reads = mover_watch_reads(watch);
		if (reads == 0)
			continue;
		if (least == 0 || reads < least)
			least = reads;
		slow |= mover_watch_slow(watch);
	}
	mover_calm_update(&mover->calm, mover->setup.pace->adaptive ? least : 0, slow, now_ns);
	watch_every(mover, all_ready(mover) ? MOVER_WATCH_MS : LEARNING_MS);
}

bool mover_gentle_ready(struct mover *mover)
{
	if (!mover->setup.pace->adaptive ||
	    (mover->setup.phase != PHASE_COPY && mover->setup.phase != PHASE_DRAIN))
		return true;
	if (mover->watches == NULL) {
		if (!watches_make(mover))
			return true; /* without memory for it the move goes on as it is paced */
		if (mover->watching == NULL)
			mover->watching = event_new(mover->setup.base, -1, 0, tick_event, mover);
		if (mover->watching == NULL) {
			watches_free(mover);
			return true;
		}
		watch_every(mover, LEARNING_MS);
	}
	return all_ready(mover);
}
