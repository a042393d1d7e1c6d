/* segment_file.h - the segment as an object with a name: made whole, taken up, locked, refused. */
#ifndef MCROSTER_SEGMENT_FILE_H
#define MCROSTER_SEGMENT_FILE_H

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

/* Opens the segment at `path` and checks that it is ours and of this cluster.  One of another layout
 * or size is replaced, its clients are told (`moved`); a missing one is made, complete before it has
 * its name.  Mapped for writing, SEGMENT_TOTAL_BYTES.  A refusal leaves what is there untouched. */
int segment_file_map(const char *path, const char *cluster, struct mcr_segment_header **header,
		     struct failure *failure);
void segment_file_unmap(struct mcr_segment_header *header);

#endif
