/* discovery.h - the list for stock clients that look for their memcacheds themselves: the discovery
 * protocol of ElastiCache's clients, on a loopback address (docs/discovery.md).
 *
 * Whoever may connect is a stranger.  So many connections are held; one more takes the place of the
 * one that has asked nothing for the longest time, so that nobody is kept out by those who hold on
 * to theirs.  A connection is asked one thing at a time: it is read from again when its answer has
 * gone out, and ended when that takes too long.  All of them together read and write so many bytes
 * a second, in equal parts.  All calls from the loop's thread.
 */
#ifndef MCROSTER_DISCOVERY_H
#define MCROSTER_DISCOVERY_H

#include <event2/event.h>

#include "list/failure.h"
#include "list/list.h"

#define DISCOVERY_CONNECTIONS_MAX 256u
#define DISCOVERY_WRITE_MS	  5000u
#define DISCOVERY_READ_RATE	  (32u << 10) /* bytes a second, of all: 1,600 requests for the list */
#define DISCOVERY_WRITE_RATE	  (16u << 20)

struct discovery;

/* Listens on a numeric address and port. */
int discovery_open(struct event_base *base, const char *address, struct discovery **discovery,
		   struct failure *failure);
/* Whoever is connected is cut off.  NULL is fine. */
void discovery_close(struct discovery *discovery);

/* From now on this list is the answer; before the first call there is none.  It is not kept. */
void discovery_show(struct discovery *discovery, const struct list *list);

#endif
