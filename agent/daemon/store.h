/* store.h - where the register lives: in a file of this agent, or in an etcd that several share.
 *
 * The owner opens a store and is told by events what it may do; the rest of the daemon does not
 * know which kind it is.  The rules of both:
 *  - Between `elected` and `lost` this agent coordinates, and only while clock_now_ms() is less
 * than the last until_ms that it was told: it looks at the clock itself before each grant, for
 * after a pause of the process no event has come yet.
 *  - The register is on disk, or agreed on by etcd's majority, before `stored` says so.
 *  - `stored(false)` is certain: what was to be written stands nowhere and will not.  Where `lost`
 *    comes before `stored`, no `stored` follows: whether it was written shows at the next
 * `elected`. Events come from the event loop, never from within a call; every call may be made from
 * within an event, but for store_close.  One thread.  Times are CLOCK_BOOTTIME in ms.
 */
#ifndef MCROSTER_STORE_H
#define MCROSTER_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

#include "core/election.h"
#include "core/register.h"
#include "daemon/config.h"
#include "daemon/keyring.h"
#include "daemon/state.h"

struct store;

/* A signed document, borrowed for the call. */
struct store_document {
	const void *bytes;
	size_t length;
};

/* What a register names, and the store may not hold yet: lists, and the chain of keys documents
 * from version 1 to the one in force.  The store knows which of the chain it has. */
struct store_bodies {
	const struct store_document *keys, *lists;
	uint32_t key_count, list_count;
};

struct store_events {
	/* The keys document in force (its hash is `in_force`), before any list, where the store
	 * keeps them (file: never, they are in keyring.h).  -EAGAIN: it does not join on yet, bring
	 * the one whose hash is now in `before` too.  Otherwise as `list`. */
	int (*keys)(void *context, const uint8_t in_force[LIST_HASH_BYTES], const void *document,
		    size_t bytes, uint8_t before[LIST_HASH_BYTES], struct failure *failure);
	/* The body of a list that the register names, before `elected`, where the store keeps them
	 * (file: never, they are in lists.h).  Its hash is right, its signatures are for the owner
	 * to judge: with a negative errno and the sentence nobody is elected from this register. */
	int (*list)(void *context, const void *document, size_t bytes, struct failure *failure);
	/* This agent leads.  reg: as it stands; NULL: there is none yet. */
	void (*elected)(void *context, const struct reg *reg, uint64_t until_ms);
	void (*leads)(void *context, uint64_t until_ms); /* the time was extended */
	/* It leads no longer.  The store tries again by itself, unless it was resigned. */
	void (*lost)(void *context, const char *why);
	/* Who leads now: an agent's name, our own too; "" : nobody, or nobody knows. */
	void (*leader)(void *context, const char *name);
	/* The answer to store_write. */
	void (*stored)(void *context, bool ok, const char *why);
	/* What is in the way, once until it changes; "" : nothing any more.  May be NULL. */
	void (*trouble)(void *context, const char *why);
};

struct store_owner {
	const struct store_events *events;
	void *context;
};

/* The state file "register" of this agent, which is its one candidate: elected at once, until
 * UINT64_MAX.  `state` and `name` (the agent's) are borrowed.  -ENOMEM. */
int store_open_file(struct state *state, const char *name, struct event_base *base,
		    const struct store_owner *owner, struct store **store, struct failure *failure);

/* The key /mcroster/<cluster>/register in etcd; this agent stands in the elections.  `config` is
 * borrowed.  `known` is the newest register that this host has adopted, NULL for none: an etcd that
 * holds an older one, or none, is refused.  -ENOMEM, -EIO. */
int store_open_etcd(const struct config *config, const struct reg *known, struct event_base *base,
		    const struct store_owner *owner, struct store **store, struct failure *failure);

/* Writes the register, and before it what it names and the store does not hold (NULL: nothing).
 * All is copied.  Answered by `stored`.  -EAGAIN: does not lead; -EBUSY: the one before is not
 * answered; -ESTALE: not newer than the one that stands; -ENOMEM. */
int store_write(struct store *store, const struct reg *reg, const struct store_bodies *bodies);

/* The chain up to the keys document that the register names, for struct store_bodies; borrowed from
 * the ring.  Returns how many they are; 0: the register names none, or the ring does not hold it.
 */
uint32_t store_chain(const struct keyring *ring, const struct reg *reg,
		     struct store_document chain[KEYS_VERSIONS_MAX]);

/* A signed failover makes this agent begin `term`: for that it may lead, though the register is
 * gone or older than one that is known.  Not ours: it does not lead until that term has begun.  (A
 * file elects its agent in any case.) */
void store_failover(struct store *store, uint64_t term, bool ours);
/* Reads the register again where an operator may have put it: a file.  -ENOENT: there is none (an
 * etcd is asked at each election, and nowhere else); -EAGAIN: not elected yet; or it cannot be
 * read. */
int store_look(struct store *store, struct reg *reg, struct failure *failure);
/* Others hold the register (term, serial): no older one is to be led from. */
void store_known(struct store *store, uint64_t term, uint64_t serial);

/* What this agent may stand for, where there are elections; at first to begin a register. */
void store_stand(struct store *store, enum election_stand stand);

/* Gives the leadership back and stands in no election any more; `leader` is still told.  From the
 * call on nothing may be granted; `lost` says when it is given back. */
void store_resign(struct store *store);

/* Leaves it as it is: a leadership that was not given back before runs out by itself. */
void store_close(struct store *store); /* NULL is fine */

#endif
