/* clients_run.h - clients registered: the socket where they ask (include/mcroster_clients.h), the
 * memory in which they count what they have under way, and the table of them (core/clients.h).  On
 * the same socket a process hands over what it owes.
 *
 * Everybody on this host may connect, so a client is a stranger: identity is SO_PEERCRED's, each
 * user has a cap, and what a client sends or writes moves nothing but its own entry.  All calls
 * from the loop's thread.
 */
#ifndef MCROSTER_CLIENTS_RUN_H
#define MCROSTER_CLIENTS_RUN_H

#include <event2/event.h>

#include "core/clients.h"
#include "list/failure.h"

struct clients_run;
struct owed_run;

struct clients_options {
	const char *path; /* of the socket; "": there is none, nobody registers */
	unsigned mode;
	const char *cluster;
	uint64_t incarnation; /* as in the segment */
	uint32_t per_uid;
	struct owed_run *owed; /* who takes what clients owe; borrowed until clients_run_free */
};

/* Listens.  `changed` is called whenever clients_run_settled or the quorum may have become other
 * than they were; never from within a call. */
int clients_run_new(struct event_base *base, const struct clients_options *options,
		    void (*changed)(void *context), void *context, struct clients_run **run,
		    struct failure *failure);
/* NULL is fine. */
void clients_run_free(struct clients_run *run);

/* So many of one user from now on; who is registered stays. */
void clients_run_limit(struct clients_run *run, uint32_t per_uid);

/* Directly after each publication, in the same turn: see clients_published. */
void clients_run_published(struct clients_run *run, uint32_t generation, bool required,
			   uint32_t op_timeout_ms);
/* See clients_settled, clients_quorum_missing. */
bool clients_run_settled(struct clients_run *run);
bool clients_run_quorum_missing(struct clients_run *run, uint32_t quorum);

struct clients_status {
	uint32_t count[CLIENT_STANDINGS];
	uint32_t half_open; /* connected, and not registered */
	struct clients_totals totals;
	uint64_t misused;		  /* connections ended for what they sent */
	char last_refusal[FAILURE_BYTES]; /* "" */
};
void clients_run_status(struct clients_run *run, struct clients_status *status);
/* As they were when they were last looked at. */
void clients_run_count(const struct clients_run *run, uint32_t count[CLIENT_STANDINGS]);
/* The table, looked at just now; borrowed until the next call. */
const struct clients *clients_run_table(struct clients_run *run);

#endif
