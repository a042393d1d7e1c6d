/* status.h - what `mcadmin status` shows: "name value" lines, names as documented in mcadmin(8). */
#ifndef MCROSTER_STATUS_H
#define MCROSTER_STATUS_H

#include <stdbool.h>
#include <stddef.h>

struct agent;

/* `cluster`: with the coordinator's view, where this agent coordinates.  *text is malloc'd. */
int status_text(const struct agent *agent, bool cluster, char **text, size_t *bytes);

#endif
