/* signing_keys.h - the operators' secret keys given with -k, and signing with all of them. */
#ifndef MCROSTER_ADMIN_SIGNING_KEYS_H
#define MCROSTER_ADMIN_SIGNING_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "list/document.h"

struct signing_keys {
	uint32_t count;
	const char *path[DOCUMENT_SIGNATURES_MAX]; /* borrowed */
	uint8_t *secret[DOCUMENT_SIGNATURES_MAX];  /* once they are loaded */
};

/* Notes what stands after -k.  -EINVAL: more than a document can have. */
int signing_keys_add(struct signing_keys *keys, const char *path, struct failure *failure);

/* Reads the files.  -EEXIST: two of them hold the same key. */
int signing_keys_load(struct signing_keys *keys, struct failure *failure);
void signing_keys_clear(struct signing_keys *keys); /* wipes them */

/* Signs with each of them; *out is malloc'd, owned by the caller.  -EEXIST: one has signed already.
 */
int signing_keys_sign(const struct signing_keys *keys, const void *document, size_t document_bytes,
		      void **out, size_t *out_bytes, struct failure *failure);

#define SIGNING_KEYS_IDS_BYTES (DOCUMENT_SIGNATURES_MAX * (DOCUMENT_KEY_ID_CHARS + 2))

/* Their ids, with commas. */
const char *signing_keys_ids(const struct signing_keys *keys, char ids[SIGNING_KEYS_IDS_BYTES]);

#endif
