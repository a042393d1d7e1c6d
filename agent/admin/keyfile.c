/* keyfile.c - see keyfile.h.  Secrets live in sodium_malloc'd memory only and are wiped there. */
#include "admin/keyfile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "admin/file.h"
#include "admin/passphrase.h"
#include "admin/screen.h"
#include "list/secretfile.h"

#define OPERATOR_MAGIC	      "mcroster-operator-key 1 "
#define OPERATOR_BASE64_CHARS 88u
#define OPERATOR_LINE_CHARS   (sizeof(OPERATOR_MAGIC) - 1 + OPERATOR_BASE64_CHARS)
#define KEYFILE_BYTES_MAX     256u

#define SEALED_MAGIC	    "mcroster-operator-key 2 "
#define BOX_BYTES	    (crypto_secretbox_MACBYTES + DOCUMENT_SECRET_BYTES)
#define SEALED_BYTES	    (crypto_pwhash_SALTBYTES + crypto_secretbox_NONCEBYTES + BOX_BYTES)
#define SEALED_BASE64_CHARS 160u
#define TRIES		    3u
/* A file from elsewhere must not make us work for days. */
#define PASSES_MAX 64u
#define KIB_MIN	   8u
#define KIB_MAX	   (4u << 20)

_Static_assert(SEALED_BYTES == 120, "as keyfile.h says");

struct sealed {
	uint64_t passes, kib;
	uint8_t bytes[SEALED_BYTES];
};

/* Takes the newline off the one line that the file consists of; it may be missing.  Returns false
 * when what is left cannot be a C string. */
static bool line_take(char *text, size_t length)
{
	if (memchr(text, '\0', length) != NULL)
		return false;
	if (length > 0 && text[length - 1] == '\n')
		text[length - 1] = '\0';
	return true;
}

/* A copied or edited key file may hold a public half that is not its secret half's: a signature
 * made with it would give the secret away. */
static bool operator_halves_match(const uint8_t *secret)
{
	uint8_t seed[crypto_sign_SEEDBYTES], made[crypto_sign_SECRETKEYBYTES];
	uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
	bool match;

	(void)crypto_sign_ed25519_sk_to_seed(seed, secret);
	(void)crypto_sign_seed_keypair(public_key, made, seed);
	match = sodium_memcmp(made, secret, sizeof(made)) == 0;
	sodium_memzero(seed, sizeof(seed));
	sodium_memzero(made, sizeof(made));
	return match;
}

/* ---- an encrypted one ---- */

/* -EKEYREJECTED: another passphrase, or damaged. */
static int sealed_open(const struct sealed *sealed, const char *passphrase, uint8_t *secret,
		       const char *path, struct failure *failure)
{
	const uint8_t *nonce = sealed->bytes + crypto_pwhash_SALTBYTES;
	const uint8_t *box = nonce + crypto_secretbox_NONCEBYTES;
	uint8_t *key = sodium_malloc(crypto_secretbox_KEYBYTES);
	int error = 0;

	if (key == NULL ||
	    crypto_pwhash(key, crypto_secretbox_KEYBYTES, passphrase, strlen(passphrase),
			  sealed->bytes, sealed->passes, (size_t)sealed->kib << 10,
			  crypto_pwhash_ALG_ARGON2ID13) != 0)
		error = failure_set(failure, ENOMEM,
				    "%s: no memory for its passphrase's key: %" PRIu64
				    " KiB are needed",
				    path, sealed->kib);
	else if (crypto_secretbox_open_easy(secret, box, BOX_BYTES, nonce, key) != 0)
		error = failure_set(failure, EKEYREJECTED,
				    "%s: the passphrase is wrong, or the file damaged", path);
	sodium_free(key);
	return error;
}

/* False: it is none. */
static bool sealed_parse(const char *text, size_t length, struct sealed *sealed)
{
	char *end;

	if (length < sizeof(SEALED_MAGIC) - 1 ||
	    memcmp(text, SEALED_MAGIC, sizeof(SEALED_MAGIC) - 1) != 0)
		return false;
	text += sizeof(SEALED_MAGIC) - 1;
	if (*text < '1' || *text > '9')
		return false;
	sealed->passes = strtoull(text, &end, 10);
	if (*end != ' ' || end[1] < '1' || end[1] > '9')
		return false;
	sealed->kib = strtoull(end + 1, &end, 10);
	return *end == ' ' && sealed->passes <= PASSES_MAX && sealed->kib >= KIB_MIN &&
	       sealed->kib <= KIB_MAX && strlen(end + 1) == SEALED_BASE64_CHARS &&
	       document_base64_decode(end + 1, SEALED_BASE64_CHARS, sealed->bytes, SEALED_BYTES) ==
		   0;
}

/* At a terminal one may mistype it. */
static int sealed_take(const struct sealed *sealed, const char *passphrase_file, uint8_t *secret,
		       const char *path, struct failure *failure)
{
	int error = -EKEYREJECTED;

	for (unsigned tries = passphrase_file != NULL ? 1 : TRIES;
	     tries > 0 && error == -EKEYREJECTED; tries--) {
		char *passphrase;

		error = passphrase_read(passphrase_file, path, &passphrase, failure);
		if (error != 0)
			return error;
		error = sealed_open(sealed, passphrase, secret, path, failure);
		sodium_free(passphrase);
		if (error == -EKEYREJECTED && tries > 1)
			screen_say(stderr, "%s", failure->text);
	}
	return error;
}

static int operator_take(const char *text, size_t length, const char *passphrase_file, uint8_t *key,
			 const char *path, struct failure *failure)
{
	struct sealed sealed;

	if (sealed_parse(text, length, &sealed))
		return sealed_take(&sealed, passphrase_file, key, path, failure);
	if (length != OPERATOR_LINE_CHARS ||
	    memcmp(text, OPERATOR_MAGIC, sizeof(OPERATOR_MAGIC) - 1) != 0 ||
	    document_base64_decode(text + sizeof(OPERATOR_MAGIC) - 1, OPERATOR_BASE64_CHARS, key,
				   DOCUMENT_SECRET_BYTES) != 0)
		return failure_set(failure, EBADMSG,
				   "%s: not an operator's key; one line 'mcroster-operator-key "
				   "...' is wanted, as 'mcadmin keygen' writes it",
				   path);
	if (passphrase_file != NULL)
		return failure_set(failure, EINVAL,
				   "%s: the key is not encrypted, expected no --passphrase-file "
				   "(mcadmin passphrase gives it one)",
				   path);
	return 0;
}

int keyfile_operator_load(const char *path, const char *passphrase_file, uint8_t **secret,
			  struct failure *failure)
{
	char *text;
	size_t length;
	uint8_t *key;
	int error = secretfile_read(path, KEYFILE_BYTES_MAX, &text, &length, failure);

	if (error < 0)
		return error;
	key = sodium_malloc(crypto_sign_SECRETKEYBYTES);
	if (key == NULL)
		error = failure_set(failure, ENOMEM, "%s: no locked memory for the secret", path);
	else
		error = operator_take(text, length, passphrase_file, key, path, failure);
	if (error == 0 && !operator_halves_match(key))
		error = failure_set(
		    failure, EBADMSG,
		    "%s: damaged: its public half does not belong to its secret half", path);
	sodium_free(text);
	if (error < 0) {
		sodium_free(key);
		return error;
	}
	*secret = key;
	return 0;
}

static int sealed_make(const uint8_t secret[DOCUMENT_SECRET_BYTES], const char *passphrase,
		       uint8_t bytes[SEALED_BYTES], const char *path, struct failure *failure)
{
	uint8_t *nonce = bytes + crypto_pwhash_SALTBYTES;
	uint8_t *box = nonce + crypto_secretbox_NONCEBYTES;
	uint8_t *key = sodium_malloc(crypto_secretbox_KEYBYTES);
	int error = 0;

	randombytes_buf(bytes, crypto_pwhash_SALTBYTES + crypto_secretbox_NONCEBYTES);
	if (key == NULL ||
	    crypto_pwhash(key, crypto_secretbox_KEYBYTES, passphrase, strlen(passphrase), bytes,
			  crypto_pwhash_OPSLIMIT_MODERATE, crypto_pwhash_MEMLIMIT_MODERATE,
			  crypto_pwhash_ALG_ARGON2ID13) != 0)
		error = failure_set(failure, ENOMEM,
				    "%s: no memory for its passphrase's key: %u KiB are needed",
				    path, crypto_pwhash_MEMLIMIT_MODERATE >> 10);
	else
		(void)crypto_secretbox_easy(box, secret, DOCUMENT_SECRET_BYTES, nonce, key);
	sodium_free(key);
	return error;
}

int keyfile_operator_store(const char *path, bool replace, const char *passphrase,
			   const uint8_t secret[DOCUMENT_SECRET_BYTES], struct failure *failure)
{
	char *line = sodium_malloc(KEYFILE_BYTES_MAX);
	uint8_t bytes[SEALED_BYTES];
	int length, error = 0;

	if (line == NULL)
		return failure_set(failure, ENOMEM, "%s: no locked memory for the secret", path);
	if (passphrase == NULL) {
		length = snprintf(line, KEYFILE_BYTES_MAX, OPERATOR_MAGIC);
		sodium_bin2base64(line + length, KEYFILE_BYTES_MAX - (size_t)length, secret,
				  DOCUMENT_SECRET_BYTES, sodium_base64_VARIANT_ORIGINAL);
	} else {
		error = sealed_make(secret, passphrase, bytes, path, failure);
		length = snprintf(line, KEYFILE_BYTES_MAX, SEALED_MAGIC "%llu %u ",
				  (unsigned long long)crypto_pwhash_OPSLIMIT_MODERATE,
				  crypto_pwhash_MEMLIMIT_MODERATE >> 10);
		sodium_bin2base64(line + length, KEYFILE_BYTES_MAX - (size_t)length, bytes,
				  sizeof(bytes), sodium_base64_VARIANT_ORIGINAL);
	}
	if (error == 0) {
		const size_t end = strlen(line);

		line[end] = '\n';
		error = file_write(path, 0600, replace, line, end + 1, failure);
	}
	sodium_free(line);
	return error;
}

static int key_store(const char *path, mode_t mode, bool replace, const uint8_t *key,
		     struct failure *failure)
{
	char line[DOCUMENT_KEY_CHARS + 2];
	int error;

	document_key_print(key, line);
	line[DOCUMENT_KEY_CHARS] = '\n';
	error = file_write(path, mode, replace, line, DOCUMENT_KEY_CHARS + 1, failure);
	sodium_memzero(line, sizeof(line));
	return error;
}

int keyfile_secret_store(const char *path, bool replace, const uint8_t key[KEYFILE_KEY_BYTES],
			 struct failure *failure)
{
	return key_store(path, 0600, replace, key, failure);
}

int keyfile_public_load(const char *file_or_base64, uint8_t key[KEYFILE_KEY_BYTES],
			struct failure *failure)
{
	char *text;
	size_t length;
	int error;

	if (document_key_parse(file_or_base64, key) == 0)
		return 0;
	error = file_read(file_or_base64, KEYFILE_BYTES_MAX, &text, &length, failure);
	if (error == -ENOENT)
		return failure_set(failure, ENOENT,
				   "'%s': neither a file nor the base64 of 32 bytes",
				   file_or_base64);
	if (error < 0)
		return error;
	if (!line_take(text, length) || document_key_parse(text, key) != 0)
		error = failure_set(
		    failure, EBADMSG,
		    "%s: not a public key; one line with the base64 of 32 bytes is wanted",
		    file_or_base64);
	/* It may have been the secret one by mistake. */
	sodium_memzero(text, length);
	free(text);
	return error;
}

int keyfile_public_store(const char *path, bool replace, const uint8_t key[KEYFILE_KEY_BYTES],
			 struct failure *failure)
{
	return key_store(path, 0644, replace, key, failure);
}
