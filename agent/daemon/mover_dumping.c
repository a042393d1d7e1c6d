/* mover_dumping.c - the order to dump: lines are judged by the pass and spooled as they come. */
#include <string.h>
#include <time.h>

#include "daemon/mover_inside.h"

#define SPOOL_BYTES_MAX (256ull << 20)
#define SPOOL_FILLED	(SPOOL_BYTES_MAX / 4 * 3)
/* While a dump goes on the work on its keys is looked at so often. */
#define ALONG_KEYS 256u

static int64_t server_clock(const struct mover *mover)
{
	return (int64_t)time(NULL) + mover_peer_info(mover->source)->clock_ahead_s;
}

static int64_t seconds_left(int64_t clock, int64_t expires)
{
	return expires < 0 ? -1 : expires > clock ? expires - clock : 0;
}

static uint32_t expires_written(int64_t expires)
{
	return expires < 0 ? 0 : expires < UINT32_MAX ? (uint32_t)expires : UINT32_MAX;
}

static bool dump_line(void *context, const struct mc_dump_line *line)
{
	struct mover *mover = context;
	struct pass_verdict verdict;
	struct spool_record record;
	struct mc_key wire;
	int64_t clock;
	bool by_heat;
	int error;

	pass_line(&mover->pass, line->key, line->key_bytes, line->cas, &verdict);
	if (!verdict.concerned)
		return true;
	clock = server_clock(mover);
	if (!pass_worth(&verdict, seconds_left(clock, line->expires))) {
		pass_expired(&mover->pass, verdict.spool);
		return true;
	}
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
	record.expires = expires_written(line->expires);
	record.idle_s = room_idle(clock, line->accessed, line->fetched);
	record.destination = (uint16_t)verdict.destination;
	record.kind = (uint8_t)verdict.kind;
	record.attempts = 0;
	record.key_bytes = (uint8_t)line->key_bytes;
	memcpy(record.key, line->key, line->key_bytes);
	by_heat = mover->rooms != NULL && verdict.destination != mover->setup.server &&
		  mover_rooms_by_heat(mover->rooms, &record);
	error = by_heat ? mover_queue_put_by_heat(&mover->queue, &record)
			: spool_append(mover->queue.now, &record);
	if (error == 0) {
		if (!by_heat && spool_count(mover->queue.now) % ALONG_KEYS == 0)
			mover_wake(mover);
		return true;
	}
	mover_waits(mover, "its spool in %s cannot be written: %s", mover->setup.spool_directory,
		    strerror(-error));
	mover->dump_ended = true;
	mover_wake_after(mover, MOVER_PAUSE_LONG_MS);
	return false;
}

static void dump_ended(void *context, enum mover_dump_outcome outcome, uint64_t items,
		       const char *why)
{
	struct mover *mover = context;

	mover->dump_ended = true;
	if (outcome == MOVER_DUMP_WHOLE) {
		mover->waiting[0] = '\0';
		mover_queue_hottest(&mover->queue);
		pass_dumped(&mover->pass, items,
			    (uint32_t)((mover->spooled_bytes + SPOOL_FILLED - 1) / SPOOL_FILLED));
		mover_wake(mover);
		return;
	}
	mover_waits_for(mover, mover->setup.server, why);
	mover_wake_after(mover,
			 outcome == MOVER_DUMP_BUSY ? MOVER_PAUSE_SHORT_MS : MOVER_PAUSE_LONG_MS);
}

static const struct mover_dump_events dump_events = {.line = dump_line, .ended = dump_ended};

static bool phase_moves(enum phase phase)
{
	return phase == PHASE_COPY || phase == PHASE_SETTLE || phase == PHASE_DRAIN;
}

static bool queue_ready(struct mover *mover)
{
	struct failure failure;

	if (!mover->queue_made) {
		if (mover_queue_init(&mover->queue, mover->setup.spool_directory, SPOOL_BYTES_MAX,
				     &failure) < 0) {
			mover_waits(mover, "%.*s", (int)sizeof(mover->waiting) - 1, failure.text);
			return false;
		}
		mover->queue_made = true;
	}
	mover_queue_reset(&mover->queue);
	return true;
}

/* Each is begun at the first look, so they wait beside each other. */
static bool all_ready(struct mover *mover)
{
	bool gentle = mover_gentle_ready(mover);

	if (mover->rooms == NULL)
		return gentle;
	return mover_destinations_ready(mover) && mover_rooms_ready(mover->rooms) && gentle;
}

void mover_step_dump(struct mover *mover)
{
	struct failure failure;

	if (mover->dump != NULL && !mover->dump_ended) {
		/* Sanitising counts all before it drops anything, and what does not fit into the
		 * spool is walked again in ranges. */
		if (phase_moves(mover->setup.phase) && mover->spooled_bytes <= SPOOL_FILLED)
			mover_step_along(mover);
		return;
	}
	if (mover_in_flight(mover))
		return;
	if (!all_ready(mover)) {
		mover_wake_after(mover, MOVER_PAUSE_CALM_MS);
		return;
	}
	mover_dump_free(mover->dump);
	mover->dump = NULL;
	/* Of a dump that is walked again: perhaps no line names them any more. */
	if (mover->queue_made && spool_count(mover->queue.later) > 0)
		pass_reservations_unknown(&mover->pass, mover_clock_ns());
	if (!queue_ready(mover)) {
		mover_wake_after(mover, MOVER_PAUSE_LONG_MS);
		return;
	}
	mover->spooled_bytes = 0;
	mover->dump_ended = false;
	pass_dump_begin(&mover->pass);
	if (mover->rooms != NULL)
		mover_rooms_walk(mover->rooms);
	mover->dump =
	    mover_dump_start(mover->setup.base, mover_server(mover, mover->setup.server)->address,
			     mover_access(mover, mover->setup.server), mover->setup.op_timeout_ms,
			     &mover->pass.self.identity, &dump_events, mover, &failure);
	if (mover->dump == NULL) {
		mover_waits(mover, "%.*s", (int)sizeof(mover->waiting) - 1, failure.text);
		mover_wake_after(mover, MOVER_PAUSE_LONG_MS);
	}
}
