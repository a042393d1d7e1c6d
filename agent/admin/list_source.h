/* list_source.h - a list from where the operator says it is. */
#ifndef MCROSTER_ADMIN_LIST_SOURCE_H
#define MCROSTER_ADMIN_LIST_SOURCE_H

#include "admin/link.h"
#include "admin/signers.h"
#include "list/failure.h"
#include "list/list.h"

/* From a file.  The signatures are checked before anything is parsed where `trusted` (NULL: none)
 * names keys.  The sentence names the file. */
int list_source_file(const char *path, const struct signers_trusted *trusted, struct list **list,
		     struct failure *failure);

/* The active list of an agent, in the same way. */
int list_source_agent(struct link *link, const struct signers_trusted *trusted, struct list **list,
		      struct failure *failure);

/* The list with this hash, from an agent.  -EBADMSG when it answers with another. */
int list_source_hash(struct link *link, const uint8_t hash[LIST_HASH_BYTES], struct list **list,
		     struct failure *failure);

#endif
