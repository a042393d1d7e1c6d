/* mover_working.c - the order to work: batches are begun while there are keys, a lease and rate
 * left, and keys that could not be moved are tried again.
 */
#include <string.h>

#include "daemon/mover_inside.h"

static void mover_reservation_lost(void *context, uint32_t number)
{
	struct mover *mover = context;

	if (mover->lost_ns[number] == 0)
		mover->lost_ns[number] = mover_clock_ns();
}

bool mover_in_flight(const struct mover *mover)
{
	return mover->keys != NULL && mover_keys_in_flight(mover->keys) > 0;
}

static void batch_ended(void *context)
{
	mover_wake(context);
}

static bool keys_ready(struct mover *mover)
{
	struct mover_keys_setup setup = {.base = mover->setup.base,
					 .pass = &mover->pass,
					 .queue = &mover->queue,
					 .source = mover->source,
					 .peers = mover->peers,
					 .failures = &mover->failures,
					 .rooms = mover->rooms,
					 .op_timeout_ms = mover->setup.op_timeout_ms,
					 .ended = batch_ended,
					 .lost = mover_reservation_lost,
					 .context = mover};

	if (mover->keys == NULL)
		mover->keys = mover_keys_new(&setup);
	if (mover->keys == NULL)
		mover_waits(mover, "no memory for its batches");
	return mover->keys != NULL;
}

/* All who may get a key of ours, or gave us one, are dialled, and either there or known to be away;
 * else the keys of the first batches would find nobody yet. */
bool mover_destinations_ready(struct mover *mover)
{
	const struct change *change = mover->setup.change;
	bool ready = true;

	if (mover->setup.phase != PHASE_COPY && mover->setup.phase != PHASE_SETTLE &&
	    mover->setup.phase != PHASE_DRAIN)
		return true;
	for (uint32_t i = 0; i < change->server_count; i++) {
		const struct change_server *server = change->servers + i;
		/* SETTLE compares with those that the keys came from. */
		bool other =
		    mover->setup.phase == PHASE_SETTLE ? server->lost > 0 : server->gained > 0;

		if (!other || i == mover->setup.server)
			continue;
		if (mover_peer_get(mover, i) == NULL) {
			mover_waits(mover, "no memory for its connections");
			return false;
		}
		ready &=
		    mover_peer_is_up(mover->peers[i]) || mover_peer_why(mover->peers[i])[0] != '\0';
	}
	return ready;
}

static bool may_work(struct mover *mover, uint64_t now)
{
	uint64_t until_ns = 0;

	if (mover->setup.events->may_work(mover->setup.context, &until_ns) && now < until_ns)
		return true;
	mover_waits(mover, "waits for the host's lease");
	return false;
}

/* What the operator's limits and the servers' other clients leave of `want` keys. */
static uint32_t take(struct mover *mover, uint64_t now, uint32_t want)
{
	uint32_t calm, granted;

	if (mover_calm_spell(&mover->calm, now) != MOVER_CALM_WORKS)
		return 0;
	calm = mover_rate_take(&mover->calm_rate, mover->calm.rate, MOVER_CALM_SAVED_MS, now, want);
	granted = mover_pace_take(mover->setup.pace, now, calm);
	mover_rate_give_back(&mover->calm_rate, calm - granted);
	return granted;
}

static void used(struct mover *mover, uint32_t granted, uint32_t begun, uint64_t bytes)
{
	mover_rate_give_back(&mover->calm_rate, granted - begun);
	if (mover->calm.rate != 0)
		mover_rate_owe(&mover->calm_rate, bytes / MOVER_CALM_BYTES);
	mover_pace_used(mover->setup.pace, granted, begun, bytes);
}

/* Begins batches while there are keys, room, a lease and rate; only full ones, where more keys are
 * to come.  Returns how long to pause, or 0. */
static uint32_t batches_begin(struct mover *mover, bool only_full)
{
	uint32_t room;

	while ((room = mover_keys_room(mover->keys)) > 0 && spool_count(mover->queue.now) > 0) {
		uint64_t now = mover_clock_ns(), bytes = 0;
		int begun;

		if (only_full && spool_count(mover->queue.now) < room)
			return 0;
		if (!may_work(mover, now))
			return MOVER_PAUSE_SHORT_MS;
		if (room > spool_count(mover->queue.now))
			room = (uint32_t)spool_count(mover->queue.now);
		room = take(mover, now, room);
		if (room == 0)
			return mover->calm.rate != 0 ? MOVER_PAUSE_CALM_MS : MOVER_PAUSE_PACED_MS;
		mover->waiting[0] = '\0';
		begun = mover_keys_begin(mover->keys, room,
					 mover->calm.rate != 0 ? MOVER_CALM_BYTES_ONCE : UINT64_MAX,
					 now, &bytes);
		used(mover, room, begun > 0 ? (uint32_t)begun : 0, bytes);
		if (begun < 0) {
			/* What it held is found again by the next walk. */
			mover_waits(mover, "its spool in %s cannot be read: %s",
				    mover->setup.spool_directory, strerror(-begun));
			pass_incomplete(&mover->pass);
			mover_queue_reset(&mover->queue);
		}
		if (!only_full)
			mover_queue_hottest(&mover->queue);
		if (begun == 0) { /* others have their turn in between */
			mover_wake(mover);
			return 0;
		}
	}
	return 0;
}

static void waits_for_destination(struct mover *mover)
{
	for (uint32_t i = 0; i < mover->setup.change->server_count; i++)
		if (mover->peers[i] != NULL && !mover_peer_is_up(mover->peers[i]) &&
		    mover_peer_why(mover->peers[i])[0] != '\0') {
			mover_waits_for(mover, i, mover_peer_why(mover->peers[i]));
			return;
		}
}

/* The queue's first half is empty and nothing is in flight: what is to be tried again? */
static void step_again(struct mover *mover)
{
	uint64_t now = mover_clock_ns();

	if (spool_count(mover->queue.later) == 0) {
		pass_keys_done(&mover->pass);
		mover_wake(mover);
		return;
	}
	if (!mover->peer_came && (mover->queue.later_live == 0 ||
				  now - mover->turned_ns < MOVER_PAUSE_LONG_MS * 1000000ull)) {
		waits_for_destination(mover);
		mover_wake_after(mover, MOVER_PAUSE_LONG_MS);
		return;
	}
	mover->peer_came = false;
	mover->turned_ns = now;
	mover_queue_turn(&mover->queue);
	mover_wake(mover);
}

void mover_step_keys(struct mover *mover)
{
	uint32_t pause;

	if (!mover_destinations_ready(mover) || !keys_ready(mover)) {
		mover_wake_after(mover, MOVER_PAUSE_LONG_MS);
		return;
	}
	if (!mover_gentle_ready(mover)) {
		mover_wake_after(mover, MOVER_PAUSE_PACED_MS);
		return;
	}
	pause = batches_begin(mover, false);
	if (pause > 0)
		mover_wake_after(mover, pause);
	else if (mover_keys_in_flight(mover->keys) == 0 && spool_count(mover->queue.now) == 0)
		step_again(mover);
}

void mover_step_along(struct mover *mover)
{
	uint32_t pause;

	if (!mover_gentle_ready(mover) || !mover_destinations_ready(mover) || !keys_ready(mover))
		return; /* what came in the way is looked at when the dump has ended */
	if (mover->calm.rate != 0)
		return; /* the dump is load enough for who else is there */
	pause = batches_begin(mover, true);
	if (pause > 0)
		mover_wake_after(mover, pause);
}
