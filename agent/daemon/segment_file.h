/* segment_file.h - the segment as an object with a name: made whole, taken up, locked, refused. */
#ifndef MCROSTER_SEGMENT_FILE_H
#define MCROSTER_SEGMENT_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "list/failure.h"
#include "mcroster_segment.h"

#define SEGMENT_PATH_BYTES 272u

/* The writer's lock: a file of its own beside the segment (<name>.lock, mode 0600), since anybody
 * who can read the segment could hold a lock on the segment itself. */
struct segment_lock {
	int fd;
	char path[SEGMENT_PATH_BYTES];
};

/* `name` is "/mcroster.web"; `path` becomes /dev/shm/mcroster.web.  -EINVAL. */
int segment_file_path(const char *name, char path[SEGMENT_PATH_BYTES], struct failure *failure);

/* -EBUSY with the pid that holds it; -EPERM, -EACCES and the like. */
int segment_file_lock(const char *path, struct segment_lock *lock, struct failure *failure);
void segment_file_unlock(struct segment_lock *lock);

/* A segment, mapped for writing.  The header's form is the same in every layout. */
struct segment_object {
	struct mcr_segment_header *header;
	size_t bytes;
	uint32_t slot_bytes;
	bool outdated; /* of another layout or geometry, or moved: only its header can be used */
};

/* Opens the segment at `path` and checks that it is ours and of this cluster; a missing one is made,
 * complete before it has its name.  A refusal leaves what is there untouched. */
int segment_file_map(const char *path, const char *cluster, struct segment_object *object,
		     struct failure *failure);
void segment_file_unmap(struct segment_object *object);

/* A new segment that is to take the place of the one at `path`; and its taking it, at once. */
int segment_file_successor(const char *path, const char *cluster, uint32_t slot_bytes,
			   struct segment_object *object, struct failure *failure);
int segment_file_succeed(const char *path, struct failure *failure);

#endif
