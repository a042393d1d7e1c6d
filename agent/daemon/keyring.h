/* keyring.h - whose signatures count: the keys of agent.conf, then the chain of keys documents.
 *
 * A version is on disk before it is used.  Which version is in force is the register's business;
 * the ring only knows which ones are proven.
 */
#ifndef MCROSTER_KEYRING_H
#define MCROSTER_KEYRING_H

#include "daemon/state.h"
#include "list/keys.h"
#include "list/list.h"

struct keyring;

/* Loads and proves the chain that the state directory holds; what follows a gap or a damaged
 * document is left out, with a log line.  `trust` and `cluster` are borrowed. */
int keyring_open(struct state *state, const struct trust *trust, const char *cluster,
		 struct keyring **ring, struct failure *failure);
void keyring_close(struct keyring *ring); /* NULL is fine */

/* The highest version that is proven; 0: only agent.conf's keys. */
uint64_t keyring_version(const struct keyring *ring);
/* Versions 1 to keyring_version; NULL for another. */
const struct keys *keyring_at(const struct keyring *ring, uint64_t version);
/* By hash; NULL when it is not here. */
const struct keys *keyring_find(const struct keyring *ring, const uint8_t hash[LIST_HASH_BYTES]);

/* Proves and stores the version that follows `after`.  What the ring holds beyond `after` was never
 * in force, and gives way to it.  *keys is the one now held (borrowed).  -EALREADY: it is held;
 * -EAGAIN: `after` is not here; -ESTALE: another version or parent, -EKEYREJECTED, ... as
 * keys_open_next. */
int keyring_add(struct keyring *ring, const void *document, size_t bytes, uint64_t after,
		const struct keys **keys, struct failure *failure);

/* A document that was asked for on the way back from the one in force, whose hash the register
 * names.  When it does not join on yet, `want` gets the hash of the one before it, to be asked for
 * next, and -EAGAIN is returned; when it does, everything that was waiting is added, in the place
 * of what the ring held instead and the register has never named.  -EALREADY: it is held. */
int keyring_catch_up(struct keyring *ring, const uint8_t in_force[LIST_HASH_BYTES],
		     const void *document, size_t bytes, uint8_t want[LIST_HASH_BYTES],
		     struct failure *failure);

/* Who has to sign under a version, which has that hash (NULL: whichever is here; not read for
 * version 0, agent.conf's keys).  False: it is not proven yet. */
bool keyring_trust(const struct keyring *ring, uint64_t version, const uint8_t *hash,
		   struct trust *trust);

/* Is it a second document for a version that is held, signed as that one had to be?  -EKEYREJECTED
 * and the like where it proves nothing. */
int keyring_contradicts(const struct keyring *ring, const void *document, size_t bytes,
			struct failure *failure);

/* Opens a list that was accepted under one of the versions from `since` on. */
int keyring_list_open(const struct keyring *ring, const void *document, size_t bytes,
		      uint64_t since, struct list **list, struct failure *failure);

#endif
