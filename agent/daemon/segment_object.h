/* segment_object.h - the segment's object itself: made whole without a name, named, retired. */
#ifndef MCROSTER_SEGMENT_OBJECT_H
#define MCROSTER_SEGMENT_OBJECT_H

#include "list/failure.h"
#include "mcroster_segment.h"

/* An object without a name, complete but for it, SEGMENT_TOTAL_BYTES.  *fd is the caller's. */
int segment_object_make(const char *path, const char *cluster, int *fd, struct failure *failure);

/* Gives it its name; -EEXIST when something has that already. */
int segment_object_name(const char *path, int fd, struct failure *failure);

/* Mapped for writing, SEGMENT_TOTAL_BYTES. */
int segment_object_map(const char *path, int fd, struct mcr_segment_header **header,
		       struct failure *failure);

/* Tells the clients of a segment that another one takes its place: there will be no generation in
 * it any more.  In every layout `moved` and `generation` stand where they stand in this one. */
void segment_object_retire(struct mcr_segment_header *header);

#endif
