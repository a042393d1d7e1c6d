/* segment_file.h - the segment as an object with a name: made whole, taken up, locked, refused. */
#ifndef MCROSTER_SEGMENT_FILE_H
#define MCROSTER_SEGMENT_FILE_H

#include <sys/types.h>

#include "list/failure.h"
#include "mcroster_segment.h"

#define SEGMENT_PATH_BYTES     272u
#define SEGMENT_FILE_DIRECTORY "/dev/shm"
#define SEGMENT_FILE_MODE      0644u

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

/* The object that is mapped, and what its name has to lead to. */
struct segment_file {
	struct mcr_segment_header *header; /* for writing */
	uint32_t slot_bytes;
	dev_t device;
	ino_t inode;
};

/* Opens the segment at `path` and checks that it is ours and of this cluster.  One of another
 * layout or size is replaced, its clients are told (`moved`); a missing one is made, complete
 * before it has its name.  A refusal leaves what is there untouched. */
int segment_file_map(const char *path, const char *cluster, struct segment_file *file,
		     struct failure *failure);
void segment_file_unmap(struct segment_file *file);

/* Does the name still lead to the object?  When somebody took it away, another one that says the
 * same is made, and the clients of the old one are told.  0: it does; 1: another one is mapped now;
 * negative: it does not, and nothing could be made; the old one goes on. */
int segment_file_keep(const char *path, struct segment_file *file, struct failure *failure);

/* Makes a segment with other slots that is to take the place of the one at `path`, still without a
 * name; *fd is for segment_file_replace. */
int segment_file_larger(const char *path, const char *cluster, uint32_t slot_bytes, int *fd,
			struct segment_file *file, struct failure *failure);

/* Tells the clients of `old` that it has moved, and gives its name to `fd`, which is closed.  On
 * failure they may have been told already. */
int segment_file_replace(const char *path, const struct segment_file *old, int fd,
			 struct failure *failure);

#endif
