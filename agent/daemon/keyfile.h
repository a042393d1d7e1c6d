/* keyfile.h - files that hold one secret of 32 bytes, as one line of base64.
 */
#ifndef MCROSTER_KEYFILE_H
#define MCROSTER_KEYFILE_H

#include <stdint.h>

#include "list/document.h"
#include "list/failure.h"

#define KEYFILE_BYTES DOCUMENT_KEY_BYTES

/* Reads a key file: regular, mode 0600 or stricter, owned by the caller or root, one line, not all
 * zeros.  *secret is sodium_malloc'd; free it with sodium_free.  A failure never shows the content.
 * -EINVAL, -EACCES, -ENOENT with the path, what was found and what was expected. */
int keyfile_load(const char *path, uint8_t **secret, struct failure *failure);

#endif
