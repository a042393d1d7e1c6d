/* change.h - two lists laid over each other: who owns a key before, who after.
 *
 * The servers of both lists stand once each, numbered together; identity is name and address.  The
 * publisher, the coordinator and the movers all read ownership from here, so they cannot disagree.
 * Immutable; it keeps no pointer into the lists it was made from.
 */
#ifndef MCROSTER_CHANGE_H
#define MCROSTER_CHANGE_H

#include "list/list.h"
#include "table.h"

#define CHANGE_PARTS (UINT64_C(1) << 32)

struct change_server {
	char name[LIST_NAME_MAX + 1];
	char address[LIST_ADDRESS_MAX + 1];
	bool in_old, in_new;
	char
	    old_agent[LIST_NAME_MAX + 1]; /* works for it under the old list; "" where not in_old */
	char new_agent[LIST_NAME_MAX + 1];
	uint32_t weight;	       /* the new list's where it has one */
	uint64_t old_parts, new_parts; /* owned, of the change's parts */
	uint64_t gained, lost;	       /* parts that come and go; 0 only where no key does */
	bool has_wipe;
	uint64_t wipe;
};

/* Agents of both lists, once each, by name; key and address are the new list's where it has one. */
struct change_agent {
	char name[LIST_NAME_MAX + 1];
	char address[LIST_ADDRESS_MAX + 1];
	uint8_t key[LIST_HOST_KEY_BYTES];
	bool in_old, in_new;
};

struct change {
	uint64_t old_epoch, new_epoch; /* new_epoch 0: no change, one list */
	uint8_t old_hash[LIST_HASH_BYTES], new_hash[LIST_HASH_BYTES];
	char prefix[LIST_PREFIX_MAX + 1];
	/* What shares are counted in: slots where both lists have them (the larger number of the
	 * two), else CHANGE_PARTS. */
	uint64_t parts;
	bool in_slots;
	uint32_t server_count;
	struct change_server *servers;
	uint32_t agent_count;
	struct change_agent *agents;
	struct table old_table, new_table; /* the same one where there is no change */
	uint64_t moved;			   /* parts whose owner differs */
	uint32_t lease_ms, steady_lease_ms, op_timeout_ms; /* the larger of the two lists' */
	uint32_t unaware_poll_ms; /* likewise; 0: no client is unaware of phases */
	bool bypass;		  /* either list's isolation */
};

/* `next` may be NULL (settled: one list; every server is then in_old and in_new, nothing moves,
 * new_hash is zero).  The servers are the active list's in its order, then those that only the next
 * one has in its order.  -EINVAL when cluster or prefix differ, or a server is renamed at one
 * address; -ENOMEM. */
int change_new(const struct list *active, const struct list *next, struct change **change,
	       struct failure *failure);
void change_free(struct change *change);

/* A change of one's own that says the same, without the agents; NULL where memory is out. */
struct change *change_copy(const struct change *change);

/* The agent that works for a server during the change: the new list's, or, for a server that
 * leaves, the old list's. */
const char *change_server_agent(const struct change *change, uint32_t server);

/* The number of a server by name and address, of an agent by name; -1 where there is none. */
int change_server_find(const struct change *change, const char *name, const char *address);
int change_agent_find(const struct change *change, const char *name);

bool change_key_covered(const struct change *change, const void *key, size_t key_bytes);

/* Owners of a key before and after, as numbers into `servers`. */
void change_key_owners(const struct change *change, const void *key, size_t key_bytes,
		       uint32_t *old_owner, uint32_t *new_owner);

#endif
