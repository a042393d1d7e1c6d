/* document.h - the signed envelope that every mcroster document travels in.
 *
 * A document is a body (text lines, the first of them its magic) followed by one or more lines
 *     signature <key id> <base64 Ed25519 signature of the body>
 * Signatures cover the exact bytes before the first signature line.  They are checked before
 * anything of the body is parsed, and sizes are bounded before that.  A document's hash is the
 * BLAKE2b-256 of its body, so adding a signature does not change it.
 */
#ifndef MCROSTER_DOCUMENT_H
#define MCROSTER_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "list/failure.h"

#define DOCUMENT_BYTES_MAX      (1u << 20)
#define DOCUMENT_SIGNATURES_MAX 32u
#define DOCUMENT_HASH_BYTES     32u
#define DOCUMENT_KEY_BYTES      32u /* Ed25519 public key */
#define DOCUMENT_SECRET_BYTES   64u /* Ed25519 secret key as libsodium keeps it */
#define DOCUMENT_KEY_ID_CHARS   16u /* hex of the first 8 bytes of BLAKE2b-256(public key) */
#define DOCUMENT_KEY_CHARS      44u /* canonical base64 of DOCUMENT_KEY_BYTES, padding included */
#define TRUST_KEYS_MAX          32u

/* Whose signatures count, and how many distinct ones of them are needed. */
struct trust {
	uint32_t count;
	uint32_t threshold; /* 1..count */
	uint8_t keys[TRUST_KEYS_MAX][DOCUMENT_KEY_BYTES];
};

/* A 32-byte key (Ed25519 or X25519) as text: canonical base64, 44 characters.  -EINVAL for anything
 * else, the same bytes in another spelling included; `key` is untouched then. */
int document_key_parse(const char *text, uint8_t key[DOCUMENT_KEY_BYTES]);
void document_key_print(const uint8_t key[DOCUMENT_KEY_BYTES], char text[DOCUMENT_KEY_CHARS + 1]);

/* Decodes canonical base64 with padding into exactly `bytes` bytes.  Canonical: encoding the result
 * gives `text` again.  -EBADMSG otherwise, `to` undefined then. */
int document_base64_decode(const char *text, size_t text_chars, void *to, size_t bytes);

/* Writes the NUL-terminated key id of a public key. */
void document_key_id(const uint8_t key[DOCUMENT_KEY_BYTES], char id[DOCUMENT_KEY_ID_CHARS + 1]);

/* The hash of a body. */
void document_hash(const void *body, size_t body_bytes, uint8_t hash[DOCUMENT_HASH_BYTES]);

/* Finds where the body ends and checks the shape of the signature lines (canonical base64, known
 * form, no key id twice, at most DOCUMENT_SIGNATURES_MAX, nothing after them).  A document without
 * any signature is all body.  -EMSGSIZE over DOCUMENT_BYTES_MAX, -EBADMSG for a bad shape. */
int document_split(const void *document, size_t document_bytes, size_t *body_bytes,
		   uint32_t *signature_count, struct failure *failure);

/* document_split, then: at least trust->threshold distinct trusted keys have signed the body, and
 * no line names a trusted key with a wrong signature.  Signatures by unknown keys are not counted.
 * -EKEYREJECTED when that does not hold; -EINVAL when `trust` itself is out of its bounds. */
int document_verify(const void *document, size_t document_bytes, const struct trust *trust,
		    size_t *body_bytes, struct failure *failure);

/* Appends a signature line to a document (signed or not).  *out is malloc'd, owned by the caller.
 * -EEXIST when that key has signed already, -EMSGSIZE when there is no room for one more, -EINVAL
 * when the halves of `secret` do not belong together. */
int document_sign(const void *document, size_t document_bytes,
		  const uint8_t secret[DOCUMENT_SECRET_BYTES], void **out, size_t *out_bytes,
		  struct failure *failure);

#endif
