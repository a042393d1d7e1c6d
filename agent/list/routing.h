/* routing.h - a list's table, compiled: what the library finds in the segment and the agents use
 * themselves.
 *
 * The lookups are shmlib/table.h's, so all of them give one answer.
 */
#ifndef MCROSTER_ROUTING_H
#define MCROSTER_ROUTING_H

#include "list/list.h"
#include "table.h"

/* Makes a list's table; its owners are numbers[index into the list's servers], or without numbers
 * the indexes themselves.  A table of slots has at least `slots_min` of them (a power of two).
 * -ENOMEM, -EINVAL for a distribution that gives nobody any key. */
int routing_make(const struct list *list, const uint32_t *numbers, uint32_t slots_min,
		 struct table *table, struct failure *failure);

/* A table of one's own; *copy is freed like a made one.  -ENOMEM. */
int routing_copy(const struct table *table, struct table *copy);
void routing_free(struct table *table);

/* How many bytes its owners or its points take, and its index (0: it has none). */
size_t routing_bytes(const struct table *table);
size_t routing_index_bytes(const struct table *table);

#endif
