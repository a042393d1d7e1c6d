/* discovery_text.h - a list as the discovery protocol has it: two lines, "VERSION" and
 * "HOST|IP|PORT HOST|IP|PORT ...".  Pure.
 *
 * The version is the list's epoch: at least 1, the same at every agent that shows the list, and
 * greater for every list that follows, since no epoch is ever used again, that of a change which
 * was undone neither.
 */
#ifndef MCROSTER_DISCOVERY_TEXT_H
#define MCROSTER_DISCOVERY_TEXT_H

#include <stddef.h>

#include "list/list.h"

/* The host is what the server's label names, where that is a host and the server's own port
 * (clients that hash the names of hosts are then on the list's ring), else the address once more.
 * *text is malloc'd, without a NUL.  -ENOMEM. */
int discovery_text(const struct list *list, char **text, size_t *bytes);

#endif
