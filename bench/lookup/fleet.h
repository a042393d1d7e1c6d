/* fleet.h - a list of equal servers, published as an agent would, and the same in libmemcached.
 *
 * What is compared must be the same fleet: both sides are made here from one description.
 */
#ifndef MCROSTER_BENCH_FLEET_H
#define MCROSTER_BENCH_FLEET_H

#include <libmemcached/memcached.h>

#include "host.h"
#include "list/list.h"
#include "mcroster.h"

#define FLEET_SLOTS 16384u

/* Debian's libmemcached stops in an assertion when a ring has more servers. */
#define FLEET_PEER_SERVERS_MAX 100u

/* A distribution and, where one is said with it, its hash. */
struct fleet_kind {
	enum distribution distribution;
	uint32_t hash; /* MCR_HASH_... */
};

struct fleet {
	struct list list;
	struct change *change;
	char name[64], socket_path[64];
	struct host *host;
	struct mcr *mcr, *strict; /* registered */
};

/* A list of `servers` equal servers; its slots are those of `parent` with the fewest moved, NULL: a
 * first list.  Ends the program when something fails: there is nothing to measure then. */
void fleet_list_make(struct list *list, const struct fleet_kind *kind, uint32_t servers,
		     const struct list *parent);
void fleet_list_free(struct list *list);

/* Publishes such a list and opens it, once plainly and once MCR_STRICT; both are registered. */
void fleet_open(struct fleet *fleet, const struct fleet_kind *kind, uint32_t servers);
void fleet_close(struct fleet *fleet);

/* A client of it, registered. */
struct mcr *fleet_client(const struct fleet *fleet, unsigned flags);

/* The same servers in libmemcached: modula for the list that is modula, else KETAMA_WEIGHTED.  NULL
 * where it cannot hold so many. */
memcached_st *fleet_peer_open(const struct list *list);

/* Does libmemcached give the same answer, not only one of its own? */
bool fleet_peer_agrees(const struct fleet_kind *kind);

#endif
