/* keyfile.h - keys on disk and on the command line: one line, nothing around it.
 *
 *   operator's secret   mcroster-operator-key 1 <base64 of 64 bytes>   0600
 *     ... encrypted     mcroster-operator-key 2 <passes> <KiB> <base64 of 120 bytes>   0600
 *   any 32-byte key     <base64 of 32 bytes>                           0600, public ones 0644
 *
 * An encrypted one is salt (16 bytes), nonce (24) and crypto_secretbox (80) of the 64 bytes under
 * the key that Argon2id (libsodium's version 1.3) makes of the passphrase and the salt with those
 * passes and that memory.
 */
#ifndef MCROSTER_ADMIN_KEYFILE_H
#define MCROSTER_ADMIN_KEYFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "list/document.h"
#include "list/failure.h"

#define KEYFILE_KEY_BYTES DOCUMENT_KEY_BYTES

/* The operator's Ed25519 secret (64 bytes, sodium_malloc'd: sodium_free), by the rules of
 * secretfile.h.  Of an encrypted one the passphrase is in a file, or asked for (NULL:
 * passphrase.h); a wrong one is -EKEYREJECTED, at the terminal after three tries.  -EBADMSG when
 * the file is something else or its two halves do not belong together. */
int keyfile_operator_load(const char *path, const char *passphrase_file, uint8_t **secret,
			  struct failure *failure);
/* `passphrase` NULL: as it is. */
int keyfile_operator_store(const char *path, bool replace, const char *passphrase,
			   const uint8_t secret[DOCUMENT_SECRET_BYTES], struct failure *failure);

/* A 32-byte secret: a host key or a pre-shared key; read again by secretfile_key_load. */
int keyfile_secret_store(const char *path, bool replace, const uint8_t key[KEYFILE_KEY_BYTES],
			 struct failure *failure);

/* A public key, given as base64 or as the file that holds it. */
int keyfile_public_load(const char *file_or_base64, uint8_t key[KEYFILE_KEY_BYTES],
			struct failure *failure);
int keyfile_public_store(const char *path, bool replace, const uint8_t key[KEYFILE_KEY_BYTES],
			 struct failure *failure);

#endif
