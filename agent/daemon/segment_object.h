/* segment_object.h - the segment's object itself: made whole without a name, named, retired. */
#ifndef MCROSTER_SEGMENT_OBJECT_H
#define MCROSTER_SEGMENT_OBJECT_H

#include <stddef.h>

#include "list/failure.h"
#include "mcroster_segment.h"

/* The size of an object whose slots have so many bytes. */
size_t segment_object_bytes(uint32_t slot_bytes);

/* An object without a name, complete but for it.  *fd is the caller's. */
int segment_object_make(const char *path, const char *cluster, uint32_t slot_bytes, int *fd,
			struct failure *failure);

/* Gives it its name; -EEXIST when something has that already. */
int segment_object_name(const char *path, int fd, struct failure *failure);

/* Mapped for writing. */
int segment_object_map(const char *path, int fd, uint32_t slot_bytes,
		       struct mcr_segment_header **header, struct failure *failure);

/* Tells the clients of a segment that another one takes its place: there will be no generation in
 * it any more.  In every layout `moved` and `generation` stand where they stand in this one. */
void segment_object_retire(struct mcr_segment_header *header);

#endif
