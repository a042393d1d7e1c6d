/* mover.c - see mover.h: carries out the orders of a pass (core/pass.h), one after the other.
 *
 * Everything that happens only wakes `step`, which looks at the whole and starts what comes next.
 * So no callback acts on a mover that another one has just changed or ended.
 */
#include "daemon/mover.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/pass.h"
#include "daemon/mover_dump.h"
#include "daemon/mover_keys.h"
#include "daemon/mover_peer.h"
#include "daemon/mover_probe.h"
#include "daemon/mover_queue.h"
#include "daemon/mover_rate.h"

#define SPOOL_BYTES_MAX (256ull << 20)
#define SPOOL_FILLED	(SPOOL_BYTES_MAX / 4 * 3)
#define PAUSE_SHORT_MS	20u  /* no rate left, no lease, a crawl that runs */
#define PAUSE_LONG_MS	250u /* something failed, or a key waits for a stub to expire */
#define SECOND_NS	1000000000ull

struct mover {
	struct mover_setup setup;
	struct pass pass;
	struct event *step, *pause, *second;
	struct mover_peer *source;
	struct mover_peer **peers;   /* by server number; NULL where not needed */
	struct pass_identity *known; /* of each peer: the process it was last */
	uint64_t *lost_ns;	     /* of each peer: when commands to it were lost; 0: none */
	bool source_identified, peer_came;
	struct mover_dump *dump;
	bool dump_ended;
	uint64_t spooled_bytes;
	struct mover_queue queue;
	bool queue_made;
	struct mover_keys *keys;
	struct mover_probe probe;
	uint32_t probed; /* servers up to here are proven different */
	uint64_t turned_ns, counted, rate;
	bool stopping, over;
	char waiting[WORK_REASON_BYTES];
};

/* One agent is one process: its movers share what rate_keys allows. */
static struct mover_rate agent_rate;

static uint64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

static void wake(struct mover *mover)
{
	event_active(mover->step, 0, 0);
}

static void wake_after(struct mover *mover, uint32_t pause_ms)
{
	struct timeval pause = {.tv_sec = pause_ms / 1000,
				.tv_usec = (suseconds_t)(pause_ms % 1000) * 1000};

	if (!event_pending(mover->pause, EV_TIMEOUT, NULL))
		(void)event_add(mover->pause, &pause);
}

static const struct change_server *server(const struct mover *mover, uint32_t number)
{
	return mover->setup.change->servers + number;
}

__attribute__((format(printf, 2, 3))) static void waits(struct mover *mover, const char *format,
							...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(mover->waiting, sizeof(mover->waiting), format, arguments);
	va_end(arguments);
}

static void waits_for_server(struct mover *mover, uint32_t number, const char *why)
{
	const struct change_server *s = server(mover, number);

	waits(mover, "waits for server %s %s: %s", s->name, s->address, why);
}

/* ---- the end ---- */

static void hang_up(struct mover *mover)
{
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
	if (mover->queue_made)
		mover_queue_free(&mover->queue);
	mover->queue_made = false;
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
	wake(mover);
}

static void peer_down(void *context, struct mover_peer *peer, bool was_up)
{
	struct mover *mover = context;

	(void)was_up;
	if (peer == mover->source)
		mover->source_identified = false;
	wake(mover);
}

static const struct mover_peer_events peer_events = {.up = peer_up, .down = peer_down};

static struct mover_peer *peer_get(struct mover *mover, uint32_t number)
{
	if (mover->peers[number] == NULL)
		mover->peers[number] =
		    mover_peer_new(mover->setup.base, server(mover, number)->address,
				   mover->setup.op_timeout_ms, number, &peer_events, mover);
	return mover->peers[number];
}

static void reservation_lost(void *context, uint32_t number)
{
	struct mover *mover = context;

	if (mover->lost_ns[number] == 0)
		mover->lost_ns[number] = now_ns();
}

/* ---- PASS_PROBE and PASS_MARK ---- */

static void probe_retry(struct mover *mover, uint32_t number)
{
	waits_for_server(mover, number, mover->probe.why);
	wake_after(mover, PAUSE_LONG_MS);
}

static void probe_ended(struct mover_probe *probe, void *context, bool ok)
{
	struct mover *mover = context;

	if (!ok)
		probe_retry(mover, mover->setup.server);
	else if (probe->same)
		pass_probed(&mover->pass, mover->probed);
	else
		mover->probed++;
	if (ok)
		wake(mover);
}

static void step_probe(struct mover *mover)
{
	struct mover_peer *other;

	while (mover->probed < mover->setup.change->server_count &&
	       !pass_probe_wanted(&mover->pass, mover->probed)) {
		mover->probed++;
	}
	if (mover->probed > 0) { /* the one before is not needed any more */
		for (uint32_t i = 0; i < mover->probed; i++) {
			mover_peer_free(mover->peers[i]);
			mover->peers[i] = NULL;
		}
	}
	if (mover->probed == mover->setup.change->server_count) {
		pass_probed(&mover->pass, mover->setup.server);
		wake(mover);
		return;
	}
	other = peer_get(mover, mover->probed);
	if (other == NULL || !mover_peer_is_up(other)) {
		if (other == NULL || mover_peer_why(other)[0] != '\0')
			waits_for_server(mover, mover->probed,
					 other == NULL ? "no memory" : mover_peer_why(other));
		wake_after(mover, PAUSE_LONG_MS);
		return;
	}
	mover_probe_start(&mover->probe, &mover->pass, mover->source, other, probe_ended, mover);
}

static void mark_ended(struct mover_probe *probe, void *context, bool ok)
{
	struct mover *mover = context;

	if (ok) {
		pass_marked(&mover->pass, probe->cas);
		wake(mover);
	} else {
		probe_retry(mover, mover->setup.server);
	}
}

static void step_save(struct mover *mover)
{
	const struct pass_mark *mark = &mover->pass.save;
	struct mover_mark saved = {.known = mark->known,
				   .full_pass_done = mark->full_pass_done,
				   .cas = mark->cas,
				   .pid = mark->of.pid,
				   .start_time = mark->of.start_time};
	int error = mover->setup.events->mark_save(mover->setup.context, &saved);

	if (error != 0) {
		waits(mover, "its mark cannot be saved: %s", strerror(error < 0 ? -error : error));
		wake_after(mover, PAUSE_LONG_MS);
		return;
	}
	pass_saved(&mover->pass);
	wake(mover);
}

/* ---- PASS_DUMP ---- */

static bool dump_line(void *context, const struct mc_dump_line *line)
{
	struct mover *mover = context;
	struct pass_verdict verdict;
	struct spool_record record;
	struct mc_key wire;
	int error;

	pass_line(&mover->pass, line->key, line->key_bytes, line->cas, &verdict);
	if (!verdict.concerned)
		return true;
	if (mc_key_write(line->key, line->key_bytes, &wire) < 0) {
		pass_unnameable(&mover->pass, verdict.spool);
		return true;
	}
	if (!verdict.spool)
		return true;
	mover->spooled_bytes += spool_record_bytes(line->key_bytes);
	if (mover->spooled_bytes > SPOOL_FILLED)
		return true; /* counted on, to know how many ranges it takes */
	record.cas = line->cas;
	record.size = line->size;
	record.destination = (uint16_t)verdict.destination;
	record.kind = (uint8_t)verdict.kind;
	record.attempts = 0;
	record.key_bytes = (uint8_t)line->key_bytes;
	memcpy(record.key, line->key, line->key_bytes);
	error = spool_append(mover->queue.now, &record);
	if (error == 0)
		return true;
	waits(mover, "its spool in %s cannot be written: %s", mover->setup.spool_directory,
	      strerror(-error));
	mover->dump_ended = true;
	wake_after(mover, PAUSE_LONG_MS);
	return false;
}

static void dump_ended(void *context, enum mover_dump_outcome outcome, uint64_t items,
		       const char *why)
{
	struct mover *mover = context;

	mover->dump_ended = true;
	if (outcome == MOVER_DUMP_WHOLE) {
		mover->waiting[0] = '\0';
		pass_dumped(&mover->pass, items,
			    (uint32_t)((mover->spooled_bytes + SPOOL_FILLED - 1) / SPOOL_FILLED));
		wake(mover);
		return;
	}
	waits_for_server(mover, mover->setup.server, why);
	wake_after(mover, outcome == MOVER_DUMP_BUSY ? PAUSE_SHORT_MS : PAUSE_LONG_MS);
}

static const struct mover_dump_events dump_events = {.line = dump_line, .ended = dump_ended};

static bool queue_ready(struct mover *mover)
{
	struct failure failure;

	if (!mover->queue_made) {
		if (mover_queue_init(&mover->queue, mover->setup.spool_directory, SPOOL_BYTES_MAX,
				     &failure) < 0) {
			waits(mover, "%.*s", (int)sizeof(mover->waiting) - 1, failure.text);
			return false;
		}
		mover->queue_made = true;
	}
	mover_queue_reset(&mover->queue);
	return true;
}

static void step_dump(struct mover *mover)
{
	struct failure failure;

	if (mover->dump != NULL && !mover->dump_ended)
		return;
	mover_dump_free(mover->dump);
	mover->dump = NULL;
	if (!queue_ready(mover)) {
		wake_after(mover, PAUSE_LONG_MS);
		return;
	}
	mover->spooled_bytes = 0;
	mover->dump_ended = false;
	pass_dump_begin(&mover->pass);
	mover->dump = mover_dump_start(
	    mover->setup.base, server(mover, mover->setup.server)->address,
	    mover->setup.op_timeout_ms, &mover->pass.self.identity, &dump_events, mover, &failure);
	if (mover->dump == NULL) {
		waits(mover, "%.*s", (int)sizeof(mover->waiting) - 1, failure.text);
		wake_after(mover, PAUSE_LONG_MS);
	}
}

/* ---- PASS_KEYS ---- */

static void batch_ended(void *context)
{
	wake(context);
}

static bool keys_ready(struct mover *mover)
{
	struct mover_keys_setup setup = {.base = mover->setup.base,
					 .pass = &mover->pass,
					 .queue = &mover->queue,
					 .source = mover->source,
					 .peers = mover->peers,
					 .op_timeout_ms = mover->setup.op_timeout_ms,
					 .ended = batch_ended,
					 .lost = reservation_lost,
					 .context = mover};

	if (mover->keys == NULL)
		mover->keys = mover_keys_new(&setup);
	if (mover->keys == NULL)
		waits(mover, "no memory for its batches");
	return mover->keys != NULL;
}

/* All who may get a key of ours are dialled, and either there or known to be away; else the keys of
 * the first batches would find nobody yet. */
static bool destinations_ready(struct mover *mover)
{
	const struct change *change = mover->setup.change;
	bool ready = true;

	if (mover->setup.phase != PHASE_COPY && mover->setup.phase != PHASE_DRAIN)
		return true;
	for (uint32_t i = 0; i < change->server_count; i++) {
		if (change->servers[i].gained == 0 || i == mover->setup.server)
			continue;
		if (peer_get(mover, i) == NULL) {
			waits(mover, "no memory for its connections");
			return false;
		}
		ready &= mover_peer_is_up(mover->peers[i]) || mover_peer_why(mover->peers[i])[0] != '\0';
	}
	return ready;
}

static bool may_work(struct mover *mover, uint64_t now)
{
	uint64_t until_ns = 0;

	if (mover->setup.events->may_work(mover->setup.context, &until_ns) && now < until_ns)
		return true;
	waits(mover, "waits for the host's lease");
	return false;
}

/* Begins batches while there are keys, room, a lease and rate.  Returns how long to pause, or 0. */
static uint32_t batches_begin(struct mover *mover)
{
	uint32_t room;

	while ((room = mover_keys_room(mover->keys)) > 0 && spool_count(mover->queue.now) > 0) {
		uint64_t now = now_ns();
		int error;

		if (!may_work(mover, now))
			return PAUSE_SHORT_MS;
		if (room > spool_count(mover->queue.now))
			room = (uint32_t)spool_count(mover->queue.now);
		room = mover_rate_take(&agent_rate, *mover->setup.rate_keys, now, room);
		if (room == 0)
			return PAUSE_SHORT_MS;
		mover->waiting[0] = '\0';
		error = mover_keys_begin(mover->keys, room, now);
		if (error < 0) {
			/* What it held is found again by the next walk. */
			waits(mover, "its spool in %s cannot be read: %s",
			      mover->setup.spool_directory, strerror(-error));
			pass_incomplete(&mover->pass);
			mover_queue_reset(&mover->queue);
		}
	}
	return 0;
}

static void waits_for_destination(struct mover *mover)
{
	for (uint32_t i = 0; i < mover->setup.change->server_count; i++)
		if (mover->peers[i] != NULL && !mover_peer_is_up(mover->peers[i]) &&
		    mover_peer_why(mover->peers[i])[0] != '\0') {
			waits_for_server(mover, i, mover_peer_why(mover->peers[i]));
			return;
		}
}

/* The queue's first half is empty and nothing is in flight: what is to be tried again? */
static void step_again(struct mover *mover)
{
	uint64_t now = now_ns();

	if (spool_count(mover->queue.later) == 0) {
		pass_keys_done(&mover->pass);
		wake(mover);
		return;
	}
	if (!mover->peer_came &&
	    (mover->queue.later_live == 0 || now - mover->turned_ns < PAUSE_LONG_MS * 1000000ull)) {
		waits_for_destination(mover);
		wake_after(mover, PAUSE_LONG_MS);
		return;
	}
	mover->peer_came = false;
	mover->turned_ns = now;
	mover_queue_turn(&mover->queue);
	wake(mover);
}

static void step_keys(struct mover *mover)
{
	uint32_t pause;

	if (!destinations_ready(mover) || !keys_ready(mover)) {
		wake_after(mover, PAUSE_LONG_MS);
		return;
	}
	pause = batches_begin(mover);
	if (pause > 0)
		wake_after(mover, pause);
	else if (mover_keys_in_flight(mover->keys) == 0 && spool_count(mover->queue.now) == 0)
		step_again(mover);
}

/* ---- the step ---- */

static void step_quiet(struct mover *mover)
{
	waits(mover, "waits until reservations of an earlier mover must have expired");
	wake_after(mover, PAUSE_LONG_MS);
}

static void step_order(struct mover *mover)
{
	switch (pass_order(&mover->pass, now_ns())) {
	case PASS_IDENTIFY:
		break;
	case PASS_PROBE:
		step_probe(mover);
		break;
	case PASS_MARK:
		mover_probe_start(&mover->probe, &mover->pass, mover->source, NULL, mark_ended,
				  mover);
		break;
	case PASS_SAVE:
		step_save(mover);
		break;
	case PASS_DUMP:
		step_dump(mover);
		break;
	case PASS_KEYS:
		step_keys(mover);
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

static bool in_flight(const struct mover *mover)
{
	return mover->keys != NULL && mover_keys_in_flight(mover->keys) > 0;
}

static void step_event(evutil_socket_t fd, short what, void *argument)
{
	struct mover *mover = argument;
	bool settled;

	(void)fd;
	(void)what;
	if (mover->stopping) {
		if (in_flight(mover))
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
			waits_for_server(mover, mover->setup.server, mover_peer_why(mover->source));
		return;
	}
	if (mover->probe.running || (in_flight(mover) && mover->pass.order != PASS_KEYS))
		return;
	step_order(mover);
}

static void pause_event(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	wake(argument);
}

static void second_event(evutil_socket_t fd, short what, void *argument)
{
	struct mover *mover = argument;
	const struct work *work = &mover->pass.work;
	uint64_t counted = work->moved + work->present + work->gone + work->failed;

	(void)fd;
	(void)what;
	mover->rate = counted - mover->counted;
	mover->counted = counted;
}

/* ---- the interface ---- */

void mover_progress(const struct mover *mover, struct work *work)
{
	*work = mover->pass.work;
	work->rate = mover->rate;
	if (mover->waiting[0] != '\0')
		memcpy(work->reason, mover->waiting, sizeof(work->reason));
}

void mover_stop(struct mover *mover)
{
	mover->stopping = true;
	wake(mover);
}

static int mover_make(struct mover *mover, const struct mover_setup *setup)
{
	struct timeval second = {.tv_sec = 1};
	uint32_t count = setup->change->server_count;
	struct pass_setup pass = {.change = setup->change,
				  .server = setup->server,
				  .phase = setup->phase,
				  .restarted = setup->restarted,
				  .mark = {.of = {.known = setup->mark.known,
						  .pid = setup->mark.pid,
						  .start_time = setup->mark.start_time},
					   .known = setup->mark.known,
					   .full_pass_done = setup->mark.full_pass_done,
					   .cas = setup->mark.cas},
				  .now_ns = now_ns(),
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
	mover->source = mover_peer_new(setup->base, setup->change->servers[setup->server].address,
				       setup->op_timeout_ms, setup->server, &peer_events, mover);
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
	pass_free(&mover->pass);
	free(mover->peers);
	free(mover->known);
	free(mover->lost_ns);
	free(mover);
}
