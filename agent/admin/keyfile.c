/* keyfile.c - see keyfile.h.  Secrets live in sodium_malloc'd memory only and are wiped there. */
#include "admin/keyfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "admin/file.h"
#include "list/secretfile.h"

#define OPERATOR_MAGIC	      "mcroster-operator-key 1 "
#define OPERATOR_BASE64_CHARS 88u
#define OPERATOR_LINE_CHARS   (sizeof(OPERATOR_MAGIC) - 1 + OPERATOR_BASE64_CHARS)
#define KEYFILE_BYTES_MAX     256u

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

int keyfile_operator_load(const char *path, uint8_t **secret, struct failure *failure)
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
	else if (length != OPERATOR_LINE_CHARS ||
		 memcmp(text, OPERATOR_MAGIC, sizeof(OPERATOR_MAGIC) - 1) != 0 ||
		 document_base64_decode(text + sizeof(OPERATOR_MAGIC) - 1, OPERATOR_BASE64_CHARS,
					key, DOCUMENT_SECRET_BYTES) != 0)
		error =
		    failure_set(failure, EBADMSG,
				"%s: not an operator's key; one line '" OPERATOR_MAGIC
				"<base64 of 64 bytes>' is wanted, as 'mcadmin keygen' writes it",
				path);
	else if (!operator_halves_match(key))
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

int keyfile_operator_store(const char *path, bool replace,
			   const uint8_t secret[DOCUMENT_SECRET_BYTES], struct failure *failure)
{
	char *line = sodium_malloc(OPERATOR_LINE_CHARS + 2);
	int error;

	if (line == NULL)
		return failure_set(failure, ENOMEM, "%s: no locked memory for the secret", path);
	memcpy(line, OPERATOR_MAGIC, sizeof(OPERATOR_MAGIC) - 1);
	sodium_bin2base64(line + sizeof(OPERATOR_MAGIC) - 1, OPERATOR_BASE64_CHARS + 1, secret,
			  crypto_sign_SECRETKEYBYTES, sodium_base64_VARIANT_ORIGINAL);
	line[OPERATOR_LINE_CHARS] = '\n';
	error = file_write(path, 0600, replace, line, OPERATOR_LINE_CHARS + 1, failure);
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
