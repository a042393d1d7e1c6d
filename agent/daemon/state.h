/* state.h - the agent's persistent files: whole, or the one before.
 *
 * A store is write to a temporary file, fsync, rename, fsync of the directory; only then is it
 * said.  Each file carries a magic, its length and a BLAKE2b-256 of its content, so a truncated or
 * foreign one is told apart from an absent one.
 */
#ifndef MCROSTER_STATE_H
#define MCROSTER_STATE_H

#include <stddef.h>

#include "list/failure.h"

struct state;

/* Opens (creates, mode 0700) the directory and locks it against a second agent (-EBUSY, naming the
 * pid).  -EACCES and the like with the path. */
int state_open(const char *directory, struct state **state, struct failure *failure);
void state_close(struct state *state);

/* Stores `bytes` as the file `name` (one path component).  0 only when it is on disk. */
int state_store(struct state *state, const char *name, const void *bytes, size_t length,
		struct failure *failure);

/* Reads a file whole (at most `max` bytes).  *bytes is malloc'd, owned by the caller.
 * -ENOENT: not there; -EBADMSG: truncated, damaged or foreign, with the path and what is wrong. */
int state_load(struct state *state, const char *name, size_t max, void **bytes, size_t *length,
	       struct failure *failure);

/* Removes a file durably; it is fine when it is not there. */
int state_remove(struct state *state, const char *name, struct failure *failure);

/* Calls `each` for every file whose name begins with `prefix` (temporary files are skipped). */
int state_each(struct state *state, const char *prefix,
	       void (*each)(const char *name, void *context), void *context,
	       struct failure *failure);

#endif
