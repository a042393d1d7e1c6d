/* mover.c - see mover.h: carries out the orders of a pass (core/pass.h), one after the other.
 *
 * Everything that happens only wakes `step`, which looks at the whole and starts what comes next.
 * So no callback acts on a mover that another one has just changed or ended.
 */
#include "daemon/mover_inside.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND_NS 1000000000ull

uint64_t mover_clock_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

void mover_wake(struct mover *mover)
{
	event_active(mover->step, 0, 0);
}

void mover_wake_after(struct mover *mover, uint32_t pause_ms)
{
	struct timeval pause = {.tv_sec = pause_ms / 1000,
				.tv_usec = (suseconds_t)(pause_ms % 1000) * 1000};

	if (!event_pending(mover->pause, EV_TIMEOUT, NULL))
		(void)event_add(mover->pause, &pause);
}

const struct change_server *mover_server(const struct mover *mover, uint32_t number)
{
	return mover->setup.change->servers + number;
}

const struct mc_access *mover_access(const struct mover *mover, uint32_t number)
{
	return mc_access_find(mover->setup.access, mover_server(mover, number)->name);
}

void mover_waits(struct mover *mover, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(mover->waiting, sizeof(mover->waiting), format, arguments);
	va_end(arguments);
}

void mover_waits_for(struct mover *mover, uint32_t number, const char *why)
{
	const struct change_server *s = mover_server(mover, number);

	mover_waits(mover, "waits for server %s %s: %s", s->name, s->address, why);
}

/* ---- the end ---- */

static void hang_up(struct mover *mover)
{
	mover_gentle_stop(mover);
	mover_dump_free(mover->dump);
	mover->dump = NULL;
	for (uint32_t i = 0; mover->peers != NULL && i < mover->setup.change->server_count; i++) {
		mover_peer_free(mover->peers[i]);
		mover->peers[i] = NULL;
	}
	mover_peer_free(mover->source);
	mover->source = NULL;
	mover_keys_free(mover->keys);
	mover->keys = NULL;
	(void)event_del(mover->pause);
	(void)event_del(mover->second);
	mover->rate = 0;
	mover->waiting[0] = '\0';
	mover->over = true;
}

static void finish(struct mover *mover)
{
	struct work work;

	hang_up(mover);
	mover_progress(mover, &work);
	mover->setup.events->finished(mover->setup.context, &work);
}

/* ---- peers ---- */

static void source_up(struct mover *mover, struct mover_peer *peer)
{
	mover->source_identified = pass_identified(&mover->pass, &mover_peer_info(peer)->server);
	mover->probed = 0; /* what was proven of another process says nothing of this one */
	/* Keys that could not go on without it are waiting, and no new owner need have been away.
	 */
	mover->peer_came = true;
	if (!mover->source_identified && mover->pass.order != PASS_REFUSED)
		mover_peer_fail(peer, mover->pass.work.reason);
}

static void destination_up(struct mover *mover, uint32_t number)
{
	const struct pass_identity *found = &mover_peer_info(mover->peers[number])->server.identity;
	struct pass_identity *known = mover->known + number;
	bool same =
	    known->known && known->pid == found->pid && known->start_time == found->start_time;

	if (known->known && !same)
		pass_destination_restarted(&mover->pass, number);
	/* The same process may yet carry out what was sent to it before. */
	if (same && mover->lost_ns[number] != 0)
		pass_reservations_unknown(&mover->pass, mover->lost_ns[number]);
	mover->lost_ns[number] = 0;
	*known = *found;
	mover->peer_came = true;
}

static void peer_up(void *context, struct mover_peer *peer)
{
	struct mover *mover = context;

	if (peer == mover->source)
		source_up(mover, peer);
	else
		destination_up(mover, mover_peer_number(peer));
	mover_wake(mover);
}

static void peer_down(void *context, struct mover_peer *peer, bool was_up)
{
	struct mover *mover = context;

	(void)was_up;
	if (peer == mover->source)
		mover->source_identified = false;
	mover_wake(mover);
}

static const struct mover_peer_events peer_events = {.up = peer_up, .down = peer_down};

struct mover_peer *mover_peer_get(struct mover *mover, uint32_t number)
{
	if (mover->peers[number] == NULL)
		mover->peers[number] =
		    mover_peer_new(mover->setup.base, mover_server(mover, number)->address,
				   mover_access(mover, number), mover->setup.op_timeout_ms, number,
				   &peer_events, mover);
	return mover->peers[number];
}

/* ---- the step ---- */

static void step_quiet(struct mover *mover)
{
	mover_waits(mover,
		    "waits until what an earlier mover sent must be carried out or have expired");
	mover_wake_after(mover, MOVER_PAUSE_LONG_MS);
}

static void step_order(struct mover *mover)
{
	switch (pass_order(&mover->pass, mover_clock_ns())) {
	case PASS_IDENTIFY:
		break;
	case PASS_PROBE:
		mover_step_probe(mover);
		break;
	case PASS_MARK:
		mover_step_mark(mover);
		break;
	case PASS_SAVE:
		mover_step_save(mover);
		break;
	case PASS_DUMP:
		mover_step_dump(mover);
		break;
	case PASS_KEYS:
		mover_step_keys(mover);
		break;
	case PASS_WAIT:
		step_quiet(mover);
		break;
	case PASS_DONE:
	case PASS_REFUSED:
		finish(mover);
		break;
	}
}

static void conn_take(struct mover_peer *peer, bool held)
{
	struct mc_conn *conn = peer != NULL ? mover_peer_conn(peer) : NULL;

	if (conn == NULL)
		return;
	mc_conn_hold(conn, held);
	mc_conn_look(conn);
}

/* Who gives way takes replies once in a while, all that have come by then, and sends what follows
 * from them together: else each piece wakes it, and it the servers.  True: it does. */
static bool replies_take(struct mover *mover)
{
	const bool held = mover->calm.rate != 0 && mover->pass.order == PASS_KEYS &&
			  mover->source_identified && !mover->stopping && !mover->over;

	conn_take(mover->source, held);
	for (uint32_t i = 0; i < mover->setup.change->server_count; i++)
		conn_take(mover->peers[i], held);
	return held;
}

static void step(struct mover *mover)
{
	bool settled;

	if (mover->stopping) {
		if (mover_in_flight(mover))
			return;
		if (!mover->over)
			hang_up(mover);
		mover->setup.events->stopped(mover->setup.context);
		return;
	}
	if (mover->over)
		return;
	settled = mover->pass.order == PASS_REFUSED;
	if (!mover->source_identified && !settled) {
		/* Nothing goes on without it; keys in flight end by themselves. */
		mover_dump_free(mover->dump);
		mover->dump = NULL;
		if (mover_peer_why(mover->source)[0] != '\0')
			mover_waits_for(mover, mover->setup.server, mover_peer_why(mover->source));
		return;
	}
	if (mover->probe.running || (mover_in_flight(mover) && mover->pass.order != PASS_KEYS &&
				     mover->pass.order != PASS_DUMP))
		return;
	step_order(mover);
}

static void step_event(evutil_socket_t fd, short what, void *argument)
{
	const struct timeval soon = {.tv_usec = MOVER_PAUSE_CALM_MS * 1000};
	struct mover *mover = argument;
	bool held;

	(void)fd;
	(void)what;
	held = replies_take(mover);
	step(mover);
	if (held && mover_in_flight(mover))
		(void)event_add(mover->pause, &soon); /* whatever else is waited for */
}

static void pause_event(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	mover_wake(argument);
}

static void second_event(evutil_socket_t fd, short what, void *argument)
{
	struct mover *mover = argument;
	const struct work *work = &mover->pass.work;
	uint64_t counted = work->found - work->left;

	(void)fd;
	(void)what;
	/* Smoothed, so that an estimate made of it does not jump. */
	mover->rate = mover->rate == 0 ? counted - mover->counted
				       : (3 * mover->rate + counted - mover->counted) / 4;
	mover->counted = counted;
	if (mover->rooms != NULL)
		mover_rooms_refresh(mover->rooms);
}

/* ---- the interface ---- */

void mover_progress(const struct mover *mover, struct work *work)
{
	*work = mover->pass.work;
	work->rate = mover->rate;
	if (mover->waiting[0] != '\0')
		memcpy(work->reason, mover->waiting, sizeof(work->reason));
	else if (work->reason[0] == '\0' && work->cold > 0)
		(void)snprintf(work->reason, sizeof(work->reason),
			       "no room: %" PRIu64 " cold keys left %s", work->cold,
			       work->phase == PHASE_COPY ? "to DRAIN" : "as misses");
}

void mover_progress_failures(const struct mover *mover, struct mover_failures *failures)
{
	*failures = mover->failures;
}

void mover_stop(struct mover *mover)
{
	mover->stopping = true;
	mover_wake(mover);
}

static int mover_make(struct mover *mover, const struct mover_setup *setup)
{
	struct timeval second = {.tv_sec = 1};
	uint32_t count = setup->change->server_count;
	struct pass_setup pass = {.change = setup->change,
				  .given_up = setup->given_up,
				  .server = setup->server,
				  .phase = setup->phase,
				  .restarted = setup->restarted,
				  .mark = {.of = {.known = setup->mark.known,
						  .pid = setup->mark.pid,
						  .start_time = setup->mark.start_time},
					   .known = setup->mark.known,
					   .full_pass_done = setup->mark.full_pass_done,
					   .cas = setup->mark.cas},
				  .now_ns = mover_clock_ns(),
				  .op_timeout_ms = setup->op_timeout_ms};

	mover->setup = *setup;
	mover->peers = calloc(count, sizeof(struct mover_peer *));
	mover->known = calloc(count, sizeof(*mover->known));
	mover->lost_ns = calloc(count, sizeof(*mover->lost_ns));
	mover->step = event_new(setup->base, -1, 0, step_event, mover);
	mover->pause = event_new(setup->base, -1, 0, pause_event, mover);
	mover->second = event_new(setup->base, -1, EV_PERSIST, second_event, mover);
	if (mover->peers == NULL || mover->known == NULL || mover->lost_ns == NULL ||
	    mover->step == NULL || mover->pause == NULL || mover->second == NULL ||
	    event_add(mover->second, &second) < 0 || pass_init(&mover->pass, &pass) < 0)
		return -ENOMEM;
	if (setup->phase == PHASE_COPY || setup->phase == PHASE_DRAIN) {
		mover->rooms = mover_rooms_new(mover);
		if (mover->rooms == NULL)
			return -ENOMEM;
	}
	mover->source = mover_peer_new(setup->base, mover_server(mover, setup->server)->address,
				       mover_access(mover, setup->server), setup->op_timeout_ms,
				       setup->server, &peer_events, mover);
	return mover->source != NULL ? 0 : -ENOMEM;
}

int mover_start(const struct mover_setup *setup, struct mover **result, struct failure *failure)
{
	struct mover *mover = calloc(1, sizeof(*mover));

	if (mover == NULL || mover_make(mover, setup) < 0) {
		mover_free(mover);
		return failure_set(failure, ENOMEM, "server %s: no memory for its mover",
				   setup->change->servers[setup->server].name);
	}
	*result = mover;
	return 0;
}

void mover_free(struct mover *mover)
{
	if (mover == NULL)
		return;
	if (mover->pause != NULL && mover->second != NULL)
		hang_up(mover);
	if (mover->step != NULL)
		event_free(mover->step);
	if (mover->pause != NULL)
		event_free(mover->pause);
	if (mover->second != NULL)
		event_free(mover->second);
	if (mover->watching != NULL)
		event_free(mover->watching);
	/* Only here: to give a large file back takes a while, which no report has to wait for. */
	if (mover->queue_made)
		mover_queue_free(&mover->queue);
	mover_rooms_free(mover->rooms);
	pass_free(&mover->pass);
	free(mover->peers);
	free(mover->known);
	free(mover->lost_ns);
	free(mover);
}
