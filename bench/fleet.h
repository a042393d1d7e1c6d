/* fleet.h - a list of equal servers, published as an agent would, and the same in libmemcached.
 *
 * What is compared must be the same fleet: both sides are made here from one description.
 */
#ifndef MCROSTER_BENCH_FLEET_H
#define MCROSTER_BENCH_FLEET_H

#include <libmemcached/memcached.h>

#include "daemon/segment.h"
#include "list/list.h"
#include "mcroster.h"

#define FLEET_SLOTS 16384u

/* libmemcached's own limit: with more servers Debian's build stops in an assertion. */
#define FLEET_PEER_SERVERS_MAX 100u

struct fleet {
	struct list list;
	struct change *change;
	struct segment *segment;
	char segment_name[64];
	struct mcr *mcr, *strict;
};

/* A list of `servers` equal servers; the slots are those of `parent` with the fewest moved, NULL: a
 * first list.  Ends the program when something fails: there is nothing to measure then. */
void fleet_list_make(struct list *list, uint32_t servers, const struct list *parent);
void fleet_list_free(struct list *list);

/* Publishes such a list in a segment of its own and opens it, once plainly and once MCR_STRICT. */
void fleet_open(struct fleet *fleet, uint32_t servers);
void fleet_close(struct fleet *fleet);

/* The same servers in libmemcached, KETAMA_WEIGHTED. */
memcached_st *fleet_peer_open(const struct list *list);

#endif
