/* mover_watch.h - what the other clients of a memcached feel: how soon it answers, and whether
 * there are any.
 *
 * It has a connection of its own, so its probes (mn) wait behind nobody's pipeline but the
 * server's own work.  What they take while the mover rests, and before it begins, is what they are
 * compared with.
 */
#ifndef MCROSTER_MOVER_WATCH_H
#define MCROSTER_MOVER_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

#include "net/mc_access.h"

struct mover_watch;

/* What the mover itself has asked for there so far: it is no other client. */
struct mover_own {
	uint64_t hits, sets;
};

struct mover_watch *
mover_watch_new(struct event_base *base, const char *address, const struct mc_access *access,
		uint32_t timeout_ms); /* `address` and `access` are borrowed; NULL: no memory */
void mover_watch_free(struct mover_watch *watch); /* NULL is fine */

enum mover_watch_while {
	MOVER_WATCH_RESTS,
	MOVER_WATCH_WORKS,
	MOVER_WATCH_NEITHER, /* a probe would say nothing: none is sent */
	MOVER_WATCH_WHILES
};

/* To be called every MOVER_WATCH_MS, with what the mover does. */
#define MOVER_WATCH_MS 2u
void mover_watch_tick(struct mover_watch *watch, enum mover_watch_while doing,
		      const struct mover_own *own, uint64_t now_ns);
/* It knows what to compare with, or the server cannot be asked. */
bool mover_watch_ready(const struct mover_watch *watch);
/* How often others read there, a second; 0: hardly anybody does. */
uint64_t mover_watch_reads(const struct mover_watch *watch);
/* It answers more slowly while the mover works than while it rests. */
bool mover_watch_slow(const struct mover_watch *watch);

#endif
