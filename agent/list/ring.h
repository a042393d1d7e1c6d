/* ring.h - the points of a list's servers on a ring, as the program that it is taken from has them.
 */
#ifndef MCROSTER_RING_H
#define MCROSTER_RING_H

#include "list/list.h"

/* Makes them in the form of struct mcr_segment_table: *count ascending points, each value once, and
 * the one behind the last; a server is its number in the list.  *points is the caller's.  -ENOMEM,
 * -EINVAL where no server gets a point. */
int ring_make(const struct list *list, uint64_t **points, uint32_t *count, struct failure *failure);

#endif
