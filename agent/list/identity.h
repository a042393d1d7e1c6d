/* identity.h - lines that name a server or an agent by what it is: name and address together.
 *
 * Internal to agent/list.  A list's giveup lines and an order's target lines are such; their order
 * means nothing, so they stand in ascending order of the names and there is one canonical text.
 */
#ifndef MCROSTER_IDENTITY_H
#define MCROSTER_IDENTITY_H

#include "list/lines.h"

struct identities {
	struct list_identity *items; /* malloc'd */
	uint32_t count, room;
};

/* Takes `KEYWORD NAME ADDRESS` into the array.  -EBADMSG over `max`, for a bad name or address, one
 * of either that stands already, or a name out of order; -ENOMEM. */
int identity_take(struct lines *lines, const struct word *words, const char *keyword, uint32_t max,
		  struct identities *identities);

/* Prints such lines in their order, whichever one `items` has.  -ENOMEM. */
int identity_print(const char *keyword, const struct list_identity *items, uint32_t count,
		   FILE *out);

#endif
