/* keys_source.h - a keys document from where the operator says it is. */
#ifndef MCROSTER_ADMIN_KEYS_SOURCE_H
#define MCROSTER_ADMIN_KEYS_SOURCE_H

#include "admin/link.h"
#include "admin/signers.h"
#include "list/keys.h"

/* From a file.  The signatures are checked before anything is parsed where `trusted` (NULL: none)
 * names keys.  The sentence names the file; -EBADMSG also for a document of another kind. */
int keys_source_file(const char *path, const struct signers_trusted *trusted, struct keys **keys,
		     struct failure *failure);

/* What is in force at an agent: *keys is NULL where that is its agent.conf alone.  `cluster` gets
 * the agent's. */
int keys_source_agent(struct link *link, struct keys **keys, char cluster[LIST_NAME_MAX + 1],
		      struct failure *failure);

#endif
