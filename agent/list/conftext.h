/* conftext.h - what both programs do with a configuration file before libconfuse sees it.
 *
 * libconfuse 3.3 counts the lines of a file wrongly once it has skipped a comment, and takes the
 * end of the file for the end of a section.  Messages that name a line are worth more than its
 * comments, so these are blanked out first, and what is left open is refused here.
 */
#ifndef MCROSTER_CONFTEXT_H
#define MCROSTER_CONFTEXT_H

#include "list/failure.h"

#define CONFTEXT_BYTES_MAX (256u * 1024)

/* Reads a regular file of 1 to CONFTEXT_BYTES_MAX bytes without a NUL and prepares it.  *text is
 * malloc'd, NUL-terminated, owned by the caller.  -ENOENT and the like, -EINVAL. */
int conftext_read(const char *path, char **text, struct failure *failure);

/* Overwrites comments (# and // to the end of the line, C comments) outside quoted strings with
 * spaces; newlines stay, so lines and columns do too.  -EINVAL, with `path` and the line, for a
 * quote, comment or brace that is never closed. */
int conftext_prepare(char *text, const char *path, struct failure *failure);

#endif
