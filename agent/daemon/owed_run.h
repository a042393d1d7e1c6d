/* owed_run.h - owed invalidations carried out: the queue (core/owed.h) with its journal, one
 * connection to each memcached that has a delete to answer, and the loop.
 *
 * Whoever accepts keys from clients (owed_run_add) tells them nothing but what `done` says.  What
 * is added in one turn of the loop shares one write to the disk.  All calls from the loop's thread.
 */
#ifndef MCROSTER_OWED_RUN_H
#define MCROSTER_OWED_RUN_H

#include <event2/event.h>

#include "core/owed.h"
#include "list/failure.h"
#include "net/mc_access.h"

struct owed_run;
struct owed_wait;

/* Reads what is owed from the state directory, which is locked by this agent (state_open).  A
 * journal that cannot be read is left as it is, and refused: *failure says what to do.  `access`
 * (how servers are spoken to) is borrowed; NULL: plainly. */
int owed_run_new(struct event_base *base, const char *state_directory,
		 const struct owed_limits *limits, const struct mc_access_list *access,
		 struct owed_run **run, struct failure *failure);
/* Nobody is told anything any more; what is owed stays on disk.  NULL is fine. */
void owed_run_free(struct owed_run *run);

enum owed_news {
	OWED_IS_ACCEPTED, /* it is on disk; OWED_IS_COMPLETE follows */
	OWED_IS_REFUSED,  /* it could not be put on disk; nothing follows */
	OWED_IS_COMPLETE  /* a delete of the key that counts is through; nothing follows */
};
/* Never called from within owed_run_add; may call owed_run_add, and owed_run_forget of whoever has
 * still something to be told, itself included. */
typedef void owed_run_done(void *context, enum owed_news news);

/* A client of `uid` owes a delete of the key.  0: `done` follows; *wait, until nothing more
 * follows, is for owed_run_forget.  Else it is refused, with the reason: see owed_add; -ENOMEM. */
int owed_run_add(struct owed_run *run, const void *key, size_t key_bytes, uint32_t uid,
		 owed_run_done *done, void *context, struct owed_wait **wait,
		 struct failure *failure);
/* Whoever waited is gone: `done` is not called any more.  The key stays owed. */
void owed_run_forget(struct owed_run *run, struct owed_wait *wait);

/* What the segment says now.  Call it directly after each publication, in the same turn, with the
 * change, phase and generation that were published, and whenever the lease's deadline has changed
 * (the segment's, CLOCK_BOOTTIME ms; 0: no lease).  The change is copied where the generation or
 * the phase is new; cheap otherwise.  NULL: nothing is published.  -ENOMEM: nothing is carried out
 * until it is called again. */
int owed_run_phase(struct owed_run *run, const struct change *change, enum phase phase,
		   uint32_t generation, uint64_t lease_ms);

/* Is there such a server in the lists that are published? */
bool owed_run_has_server(const struct owed_run *run, const char *name, const char *address);

/* See owed_in_flight: true holds the host's report of that generation back. */
bool owed_run_in_flight(const struct owed_run *run, uint32_t generation);

/* `trouble` (borrowed) is what keeps the journal from being written, or "". */
void owed_run_status(const struct owed_run *run, struct owed_status *status, const char **trouble);
/* By number in the change last given; see owed_status_servers. */
void owed_run_status_servers(const struct owed_run *run, struct owed_to *to, uint32_t count);

#endif
