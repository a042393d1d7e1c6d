/* conftext.h - what both programs do with a configuration file before libconfuse sees it.
 *
 * libconfuse 3.3 counts the lines of a file wrongly once it has skipped a comment.  Messages that
 * name a line are worth more than its comments, so these are blanked out first.
 */
#ifndef MCROSTER_CONFTEXT_H
#define MCROSTER_CONFTEXT_H

#include <stddef.h>
#include <stdio.h>

#include "list/failure.h"

#define CONFTEXT_BYTES_MAX (256u * 1024)

/* Reads a regular file of 1 to CONFTEXT_BYTES_MAX bytes without a NUL, with its comments blanked
 * out.  *text is malloc'd, NUL-terminated, owned by the caller.  -ENOENT and the like, -EINVAL. */
int conftext_read(const char *path, char **text, size_t *length, struct failure *failure);

/* Overwrites comments (# and // to the end of the line, C comments) outside quoted strings with
 * spaces; newlines stay, so lines and columns do too. */
void conftext_comments_blank(char *text, size_t length);

#endif
