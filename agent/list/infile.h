/* infile.h - a file that a person has named is opened: never waited for, and nothing but a file.
 *
 * Anybody may have put a FIFO or a device where a file is expected: opening the one waits for a
 * writer, reading the other may have no end.  Symbolic links are followed, for configurations are
 * full of them; it is what they lead to that is judged.  Reentrant.
 */
#ifndef MCROSTER_INFILE_H
#define MCROSTER_INFILE_H

#include <stddef.h>

#include "list/failure.h"

/* *fd is the caller's, for reading.  -EINVAL for what is no regular file, otherwise the errno of
 * the call that failed. */
int infile_open(const char *path, int *fd, struct failure *failure);

/* Reads up to `size` bytes, fewer only at the end of the file. */
int infile_read(int fd, const char *path, void *bytes, size_t size, size_t *length,
		struct failure *failure);

#endif
