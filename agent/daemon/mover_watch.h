/* mover_watch.h - what the other clients of a memcached feel: how soon it answers, and whether
 * there are any.
 *
 * It has a connection of its own, so its probes (mn) wait behind nobody's pipeline but the
 * server's own work.  Before the move it learns how soon the server answers without the mover.
 */
#ifndef MCROSTER_MOVER_WATCH_H
#define MCROSTER_MOVER_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

struct mover_watch;

/* What the mover itself has asked for there so far: it is no other client. */
struct mover_own {
	uint64_t hits, sets;
};

struct mover_watch *
mover_watch_new(struct event_base *base, const char *address,
		uint32_t timeout_ms);		  /* `address` is borrowed; NULL: no memory */
void mover_watch_free(struct mover_watch *watch); /* NULL is fine */

/* To be called every MOVER_WATCH_MS. */
#define MOVER_WATCH_MS 5u
void mover_watch_tick(struct mover_watch *watch, const struct mover_own *own, uint64_t now_ns);
/* It knows what to compare with, or the server cannot be asked. */
bool mover_watch_ready(const struct mover_watch *watch);
bool mover_watch_others(const struct mover_watch *watch);
bool mover_watch_slow(const struct mover_watch *watch, uint64_t now_ns);

#endif
