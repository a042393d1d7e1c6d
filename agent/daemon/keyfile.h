/* keyfile.h - files that hold a secret: regular, mode 0600 or stricter, owned by the caller or
 * root.
 *
 * A failure names the path, what was found and what was expected, and never shows the content:
 * -EINVAL, -EACCES, -ENOENT.
 */
#ifndef MCROSTER_KEYFILE_H
#define MCROSTER_KEYFILE_H

#include <stdint.h>

#include "list/document.h"
#include "list/failure.h"

#define KEYFILE_BYTES DOCUMENT_KEY_BYTES

/* Reads a key file: 32 bytes as one line of base64, not all zeros.  *secret is sodium_malloc'd;
 * free it with sodium_free. */
int keyfile_load(const char *path, uint8_t **secret, struct failure *failure);

/* Reads a password: one line of 1 to `max` printable ASCII characters.  *password is
 * sodium_malloc'd and NUL-terminated. */
int keyfile_password_load(const char *path, size_t max, char **password, struct failure *failure);

/* Is it a file as above, that can be read?  For those that a library reads. */
int keyfile_check(const char *path, struct failure *failure);

#endif
