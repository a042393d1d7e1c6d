/* unaware_hash.h - which list those are to look at who know nothing of phases. */
#ifndef MCROSTER_ADMIN_UNAWARE_HASH_H
#define MCROSTER_ADMIN_UNAWARE_HASH_H

#include <stdbool.h>
#include <stdint.h>

#include "admin/link.h"
#include "list/failure.h"
#include "list/list.h"

/* The hash of the list that has the keys of clients with one owner for each: the active one, and
 * while a change runs the next one as soon as its owners are asked first, that is, from SWITCH on.
 * *there is false where the agent has no list. */
int unaware_hash(struct link *link, bool *there, uint8_t hash[LIST_HASH_BYTES],
		 struct failure *failure);

#endif
