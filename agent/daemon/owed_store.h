/* owed_store.h - the journal of owed invalidations as a file of the state directory.
 *
 * An accept costs one small write at its end and one fdatasync.  It is written anew into a
 * temporary file, which then takes its place: write, fsync, rename, fsync of the directory.  The
 * lock of the state directory (state.h) makes this process the only writer.  From the loop's thread
 * only.
 */
#ifndef MCROSTER_OWED_STORE_H
#define MCROSTER_OWED_STORE_H

#include <stddef.h>

#include "core/owed.h"
#include "list/failure.h"

struct owed_store;

/* Opens the journal in the directory (which is there, and locked) and reads it into `owed`, which
 * is fresh.  What had to be cut or passed over is in *damage.  -EBADMSG and the like with the path:
 * the file is not touched then. */
int owed_store_open(const char *directory, struct owed *owed, struct owed_store **store,
		    struct owed_damage *damage, struct failure *failure);
void owed_store_close(struct owed_store *store); /* NULL is fine */

/* 0 only when it is on disk.  After a failure only owed_store_rewrite can follow: nobody knows what
 * the file's end is then. */
int owed_store_append(struct owed_store *store, const void *bytes, size_t length,
		      struct failure *failure);
int owed_store_rewrite(struct owed_store *store, struct owed *owed, struct failure *failure);

#endif
