/* file.h - the operator's files: read with a bound, written whole or not at all. */
#ifndef MCROSTER_ADMIN_FILE_H
#define MCROSTER_ADMIN_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "list/failure.h"

/* Reads a whole file of at most `max` bytes.  *bytes is malloc'd, owned by the caller, and has a
 * NUL after its last byte.  -EFBIG when it is larger, otherwise as infile_open. */
int file_read(const char *path, size_t max, char **bytes, size_t *length, struct failure *failure);

/* Writes to a temporary file beside `path`, fsyncs, renames, fsyncs the directory.  Without
 * `replace` an existing file is left as it is: -EEXIST.  What is not a regular file is never
 * replaced (-EEXIST).  `mode` holds whatever the umask. */
int file_write(const char *path, mode_t mode, bool replace, const void *bytes, size_t length,
	       struct failure *failure);

#endif
