/* secretfile.h - files that hold a secret: regular, mode 0600 or stricter, owned by the caller or
 * root; or by the agent's user, mcroster, where the caller is root.  The agent's and the operator's,
 * by one rule.
 *
 * What was read is in memory of sodium_malloc only, and wiped by sodium_free.  A failure names the
 * path, what was found and what was expected, and never shows the content: -EPERM for mode and
 * owner, -EINVAL for what is no regular file or has another content, -ENOENT and the like.
 * Reentrant, after sodium_init.
 */
#ifndef MCROSTER_SECRETFILE_H
#define MCROSTER_SECRETFILE_H

#include <stdint.h>

#include "list/document.h"
#include "list/failure.h"

#define SECRETFILE_KEY_BYTES DOCUMENT_KEY_BYTES

/* Reads a file of at most `max` bytes, and takes the newline off its end where there is one.  *text
 * is sodium_malloc'd and has a NUL behind it. */
int secretfile_read(const char *path, size_t max, char **text, size_t *length,
		    struct failure *failure);

/* Reads a key: SECRETFILE_KEY_BYTES as one line of base64, not all zeros.  *key is
 * sodium_malloc'd. */
int secretfile_key_load(const char *path, uint8_t **key, struct failure *failure);

/* Reads a password: one line of 1 to `max` printable ASCII characters.  *password is
 * sodium_malloc'd and NUL-terminated. */
int secretfile_password_load(const char *path, size_t max, char **password,
			     struct failure *failure);

/* Is it a file as above, that can be read?  For those that a library reads. */
int secretfile_check(const char *path, struct failure *failure);

#endif
