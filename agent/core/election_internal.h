/* election_internal.h - between election.c, which asks and says, and election_reply.c, which
 * judges what came back.
 */
#ifndef MCROSTER_ELECTION_INTERNAL_H
#define MCROSTER_ELECTION_INTERNAL_H

#include "core/election.h"

/* Says it once, until it changes; "": it is over. */
void election_trouble(struct election *election, const char *why);
void election_leader_is(struct election *election, const char *name);
/* Leads no longer, or gives the attempt up: the lease is given back, then it looks again. */
void election_stop(struct election *election, const char *why, uint64_t now_ms);
/* The lease is given back, or will run out. */
void election_released(struct election *election, uint64_t now_ms);

/* Does it stand in this election, for what was read last? */
bool election_may_lead(const struct election *election);
/* Does a failover let it lead from what stands, were it of this term, or from nothing (0)? */
bool election_fails_over(const struct election *election, uint64_t term);
/* Does a failover make another candidate begin a term that has not begun? */
bool election_barred(const struct election *election);

#endif
