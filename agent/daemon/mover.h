/* mover.h - carries out one phase's work on one memcached server.
 *
 * The logic of each key is agent/core/move.h, of passes and marks agent/core/pass.h; here they meet
 * connections, the dump's spool file, the rate limit and the loop.  All calls from the loop's
 * thread.
 */
#ifndef MCROSTER_MOVER_H
#define MCROSTER_MOVER_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

#include "core/register.h"
#include "daemon/mover_pace.h"
#include "list/change.h"
#include "list/failure.h"
#include "net/mc_access.h"

/* How far a source's values are known to be at their new owners: everything with a CAS up to `mark`
 * as the process (pid, start time) handed it out.  Kept by the daemon on disk, one for each server
 * and change. */
struct mover_mark {
	bool known;	     /* false: nothing is known, every key is to be treated as changed */
	bool full_pass_done; /* the first pass over all keys has ended */
	uint64_t cas;
	uint64_t pid, start_time; /* `stats`: pid, time - uptime */
};

struct mover_events {
	/* Persist the mark (write, fsync, rename, fsync) before returning 0; an errno: the mover
	 * does not go on from there and tries again. */
	int (*mark_save)(void *context, const struct mover_mark *mark);
	/* May a batch be started now (the host holds its lease)?  Until when, CLOCK_BOOTTIME ns. */
	bool (*may_work)(void *context, uint64_t *until_ns);
	/* The phase's work on this server is done (work.state WORK_DONE), or cannot be done
	 * and the change must be undone (WORK_REFUSED, reason set; only in PREPARE).  Once. */
	void (*finished)(void *context, const struct work *work);
	/* After mover_stop: nothing of this mover's is in flight any more.  Free it then. */
	void (*stopped)(void *context);
};

struct mover_setup {
	struct event_base *base;
	const struct change *change; /* borrowed for the mover's life */
	uint32_t server;	     /* number in change->servers */
	enum phase phase;	     /* as in struct pass_setup */
	const uint8_t *given_up;     /* servers that nothing is moved to (struct reg); borrowed */
	bool restarted; /* a mover of this phase ran before and was lost: wait for its stubs */
	/* The one saved last: in COPY for COPY and DRAIN, in SWITCH for SWITCH and SETTLE. */
	struct mover_mark mark;
	const char *spool_directory;
	const struct mc_access_list *access; /* how servers are spoken to; borrowed; may be NULL */
	struct mover_pace *pace;	     /* of all movers of the agent; its limits may change */
	uint32_t op_timeout_ms;
	const struct mover_events *events;
	void *context;
};

/* Why keys were lost as a miss: the sum is work.failed. */
struct mover_failures {
	uint64_t refused;    /* the new owner has no memory for it, or it is too large there */
	uint64_t both_sides; /* found on both sides with the mark unknown: deleted on both */
	uint64_t too_often;  /* tried again and again, and never through in time */
	uint64_t late;	     /* written at the old owner by clients that had not polled yet */
	uint64_t given_up;   /* its new owner is given up */
};

struct mover;

int mover_start(const struct mover_setup *setup, struct mover **mover, struct failure *failure);
/* What it has done so far. */
void mover_progress(const struct mover *mover, struct work *work);
void mover_progress_failures(const struct mover *mover, struct mover_failures *failures);
/* Starts nothing more; `stopped` follows when the last reply or time-out is in. */
void mover_stop(struct mover *mover);
void mover_free(struct mover *mover); /* NULL is fine; only finished or stopped, or at exit */

#endif
