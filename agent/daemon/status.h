/* status.h - what `mcadmin status` shows: "name value" lines, names as documented in mcadmin(8). */
#ifndef MCROSTER_STATUS_H
#define MCROSTER_STATUS_H

#include <stdbool.h>
#include <stddef.h>

struct agent;

/* `cluster`: with the coordinator's view, where this agent coordinates.  `clients`: with this host's
 * client processes one by one.  *text is malloc'd. */
int status_text(const struct agent *agent, bool cluster, bool clients, char **text,
		size_t *bytes);
/* What the coordinator said, and after it what this agent, which was asked, has to say of itself:
 * lines whose names begin with "asked".  -EBADMSG: it was no coordinator that said it; -ENOMEM. */
int status_asked(const struct agent *agent, const void *said, size_t said_bytes, char **text,
		 size_t *bytes);

#endif
