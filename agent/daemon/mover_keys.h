/* mover_keys.h - takes keys from the queue in batches and carries each through its move.
 *
 * Several batches are under way at once, thousands of commands on each connection; nothing is
 * allocated for a key.  A batch that is not through by its deadline loses its connections: what
 * became of its commands is then unknown, and its keys are tried again.
 */
#ifndef MCROSTER_MOVER_KEYS_H
#define MCROSTER_MOVER_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

#include "core/pass.h"
#include "daemon/mover_peer.h"
#include "daemon/mover_queue.h"

struct mover_keys;
struct mover_failures;
struct mover_rooms;

struct mover_keys_setup {
	struct event_base *base;
	struct pass *pass; /* told of each key's end; borrowed, as all of these */
	struct mover_queue *queue;
	struct mover_peer *source;
	struct mover_peer **peers;	 /* by server number; those of destinations are not NULL */
	struct mover_failures *failures; /* counted here */
	struct mover_rooms *rooms;	 /* NULL: no key is left out */
	uint32_t op_timeout_ms;
	void (*ended)(void *context); /* a batch has ended: there is room for another */
	void (*lost)(void *context, uint32_t server); /* a reservation there may still come to be */
	void *context;
};

struct mover_keys *mover_keys_new(const struct mover_keys_setup *setup); /* NULL: no memory */
void mover_keys_free(struct mover_keys *keys);

/* How many keys a batch begun now may have; 0: as many batches are under way as may be. */
uint32_t mover_keys_room(const struct mover_keys *keys);
/* Begins one with at most `most` keys of the queue, no more after bytes_most of items, to be
 * through by now + op_timeout, and returns how many it has; *bytes: their items'.  0: those that it
 * looked at are left out, others may be there.  A negative errno when the spool cannot be read. */
int mover_keys_begin(struct mover_keys *keys, uint32_t most, uint64_t bytes_most, uint64_t now_ns,
		     uint64_t *bytes);
uint32_t mover_keys_in_flight(const struct mover_keys *keys);

#endif
