/* lists.h - the signed lists that this agent holds: verified, on disk, by hash.
 *
 * A list is on disk before it is used.  Bounded: the oldest that no register names go first.
 */
#ifndef MCROSTER_LISTS_H
#define MCROSTER_LISTS_H

#include "daemon/keyring.h"
#include "daemon/state.h"
#include "list/list.h"

#define LISTS_KEPT 16u

struct lists;

/* Loads what the state directory holds; a damaged or no longer trusted one is left out, with a log
 * line.  `ring` is borrowed: signed under any of its versions is trusted, for it was accepted
 * before.
 */
int lists_open(struct state *state, const struct keyring *ring, struct lists **lists,
	       struct failure *failure);
void lists_close(struct lists *lists);

/* By hash; NULL when it is not here.  Borrowed until lists_close or lists_trim. */
const struct list *lists_find(const struct lists *lists, const uint8_t hash[LIST_HASH_BYTES]);
/* The one with the greatest epoch; NULL when there is none. */
const struct list *lists_newest(const struct lists *lists);

/* Verifies (signed under a version of the ring from `since` on: whether it may become the next list
 * is asked before), parses and stores a document; *list is the one now held (borrowed). */
int lists_add(struct lists *lists, const void *document, size_t bytes, uint64_t since,
	      const struct list **list, struct failure *failure);

/* A list of that epoch, but another than the one of that hash; NULL: there is none. */
const struct list *lists_rival(const struct lists *lists, uint64_t epoch,
			       const uint8_t hash[LIST_HASH_BYTES]);

/* Lets the oldest go while there are more than LISTS_KEPT; never the two named (NULL is fine). */
void lists_trim(struct lists *lists, const struct list *keep, const struct list *keep_too);

#endif
