/* reach.h - can this agent reach the memcacheds that it works for?  One quiet question to each,
 * every few seconds, on a connection that is kept.
 *
 * Only for the metrics, and only where there are any: an agent that nobody measures leaves
 * memcached alone while nothing moves.  All calls from the loop's thread.
 */
#ifndef MCROSTER_REACH_H
#define MCROSTER_REACH_H

#include <stdbool.h>

#include <event2/event.h>

#include "list/change.h"
#include "net/mc_access.h"

struct reach;

struct reach_setup {
	struct event_base *base;
	const char *agent;		     /* whose servers they are; borrowed */
	const struct mc_access_list *access; /* borrowed; NULL: plainly */
	/* The lists that this host holds now, or NULL; borrowed for the call. */
	const struct change *(*change)(void *context);
	void *context;
	uint32_t every_ms;
};

/* -ENOMEM. */
int reach_new(const struct reach_setup *setup, struct reach **reach);
void reach_free(struct reach *reach); /* NULL is fine */

/* False: it is not asked (another agent's, or not yet), and *answers is untouched. */
bool reach_server(const struct reach *reach, const char *name, const char *address, bool *answers);

#endif
