/* lists.h - the signed lists that this agent holds: verified, on disk, by hash.
 *
 * A list is on disk before it is used.  Bounded: the oldest that no register names go first.
 */
#ifndef MCROSTER_LISTS_H
#define MCROSTER_LISTS_H

#include "daemon/state.h"
#include "list/list.h"

#define LISTS_KEPT 16u

struct lists;

/* Loads what the state directory holds; a damaged or no longer trusted one is left out, with a log
 * line.  `trust` and `cluster` are borrowed. */
int lists_open(struct state *state, const struct trust *trust, const char *cluster,
	       struct lists **lists, struct failure *failure);
void lists_close(struct lists *lists);

/* By hash; NULL when it is not here.  Borrowed until lists_close or lists_trim. */
const struct list *lists_find(const struct lists *lists, const uint8_t hash[LIST_HASH_BYTES]);
/* The one with the greatest epoch; NULL when there is none. */
const struct list *lists_newest(const struct lists *lists);

/* Verifies, parses and stores a document; *list is the one now held (borrowed). */
int lists_add(struct lists *lists, const void *document, size_t bytes, const struct list **list,
	      struct failure *failure);

/* Lets the oldest go while there are more than LISTS_KEPT; never the two named (NULL is fine). */
void lists_trim(struct lists *lists, const struct list *keep, const struct list *keep_too);

#endif
