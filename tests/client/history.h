/* history.h - what is known to have been written, and the verdict on every answer.
 *
 * One record for each key, shared by all threads.  A write is pending from before its first command
 * until after its last; versions grow with each write of a key.  A read is *stale* when it returns
 * a version older than one whose write had completed before the read began (and was not begun while
 * that older one was still pending); it is *missed* when it found nothing though the key was
 * stored, its expiry not near, and no write or delete of it overlapped the read; *lost* is the same
 * where that was to be expected: the one server that held it was killed, and nobody has written the
 * key since; or its server loses keys at any time, for it evicts them; *late* is stale, missed, or
 * a counter too far, by a command that its client had given up before (late.h): what the promise
 * does not cover.  A write that an agent owes counts as complete from history_settle on; until then
 * the agent may delete the key at any time, so a read of it may find nothing.  Any thread may call,
 * and any process forked after history_new; records are guarded by striped locks.  Shared by the
 * programs of this directory (it has no main).
 */
#ifndef MCROSTER_TESTS_HISTORY_H
#define MCROSTER_TESTS_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "mcroster_memcached.h"
#include "items.h"

enum verdict {
	VERDICT_RIGHT,
	VERDICT_MISSED,
	VERDICT_LOST, /* missed, as was to be expected */
	VERDICT_STALE,
	VERDICT_LATE,	       /* wrong by a command that had been given up before (late.h) */
	VERDICT_FOREIGN,       /* a value that nobody wrote: a mover's reservation, or damage */
	VERDICT_OVERDUE,       /* a value long past its expiry */
	VERDICT_UPDATE_MISSED, /* an incr that found nothing while keys moved: allowed, counted */
	VERDICT_COUNT
};

struct history;

struct history *history_new(uint32_t keys);
void history_free(struct history *history);

/* While it is held no record is locked by anybody else, so a process that shares it may be stopped
 * without the others waiting for its locks. */
void history_hold(struct history *history);
void history_release(struct history *history);

/* The key is gone with the server that held it, unless it is written again.  True: it was stored.
 */
bool history_lost(struct history *history, uint32_t index);
/* The key may be lost at any time from now on. */
void history_lossy(struct history *history, uint32_t index);
/* A miss is no loss any more, whatever was said of the key. */
void history_whole(struct history *history, uint32_t index);
/* The writes still under way are those of processes that were killed: nobody ends them, and their
 * outcome stays unknown.  Only while all others are at rest. */
void history_bury(struct history *history);

/* ---- reads ---- */

struct history_read {
	uint32_t index;
	uint32_t floor;	   /* no version below it may be returned */
	uint32_t activity; /* grows with each begin and end of a write */
	bool stored;	   /* must be found when nothing overlaps */
	bool absent;	   /* must not be found when nothing overlaps */
	uint64_t expires_ns, overdue_ns;
};

void history_read_begin(struct history *history, uint32_t index, struct history_read *read);
/* `status` and `value` are what mcr_pool_get answered (MCR_POOL_OK or MCR_POOL_NOT_FOUND). */
enum verdict history_read_end(struct history *history, const struct history_read *read,
			      const struct item *item, enum mcr_pool_status status,
			      const struct mcr_pool_value *value, uint32_t *version);

/* ---- writes ---- */

struct history_write {
	enum mcr_op op;
	uint32_t index;
	uint32_t version;
	uint32_t supersedes; /* what completes makes every version below this stale */
	bool alone;	     /* no other write was pending at its beginning */
	bool was_stored, was_absent;
	uint64_t begun_ns;
	uint32_t activity;
};

/* False: two writes of the key are pending already, or one and it is to be the only one (`alone`:
 * counters, whose every value is foretold).  Then nothing was begun. */
bool history_write_begin(struct history *history, uint32_t index, bool alone,
			 struct history_write *write);
/* After the write, and before its end, this was found. */
void history_write_found(struct history *history, const struct history_write *write,
			 const struct item *item, const struct mcr_pool_value *value);
/* What the client answered; `number` is an incr's result. */
enum verdict history_write_end(struct history *history, struct history_write *write,
			       const struct item *item, const struct mcr_pool_report *result,
			       uint64_t number);

/* How long ago, in ns, the last command of the key was given up that the server may have executed
 * later all the same, and of which version; UINT64_MAX: none is known. */
uint64_t history_given_up(struct history *history, uint32_t index, uint32_t *version);

/* All that agents owed has been carried out: those writes are complete now.  Nothing is under way.
 */
void history_settle(struct history *history);

const char *verdict_name(enum verdict verdict);

#endif
