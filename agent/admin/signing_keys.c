/* signing_keys.c - see signing_keys.h.  A secret is in locked memory from the file until it has
 * signed: whoever watches a change for an hour does not hold it. */
#include "admin/signing_keys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "admin/keyfile.h"

int signing_keys_option(struct signing_keys *keys, int option, const char *argument,
			struct failure *failure)
{
	if (option == 'k') {
		if (keys->count == DOCUMENT_SIGNATURES_MAX)
			return failure_set(failure, EINVAL,
					   "-k %s: a document has at most %u signatures", argument,
					   DOCUMENT_SIGNATURES_MAX);
		keys->path[keys->count++] = argument;
		return 1;
	}
	if (option != SIGNING_PASSPHRASE_FILE)
		return 0;
	if (keys->count == 0)
		return failure_set(failure, EINVAL,
				   "--passphrase-file %s: it stands behind the -k KEYFILE that it "
				   "is for",
				   argument);
	keys->passphrase_file[keys->count - 1] = argument;
	return 1;
}

/* libsodium keeps the public key in the secret's second half. */
static const uint8_t *public_of(const uint8_t *secret)
{
	return secret + crypto_sign_SEEDBYTES;
}

int signing_keys_load(struct signing_keys *keys, struct failure *failure)
{
	for (uint32_t i = 0; i < keys->count; i++) {
		int error = keyfile_operator_load(keys->path[i], keys->passphrase_file[i],
						  &keys->secret[i], failure);

		if (error < 0)
			return error;
		document_key_id(public_of(keys->secret[i]), keys->id[i]);
		for (uint32_t j = 0; j < i; j++)
			if (memcmp(public_of(keys->secret[i]), public_of(keys->secret[j]),
				   DOCUMENT_KEY_BYTES) == 0)
				return failure_set(failure, EEXIST,
						   "-k %s: the same key as -k %s, and each key "
						   "signs a document once",
						   keys->path[i], keys->path[j]);
	}
	return 0;
}

static void secrets_wipe(struct signing_keys *keys)
{
	for (uint32_t i = 0; i < keys->count; i++) {
		sodium_free(keys->secret[i]);
		keys->secret[i] = NULL;
	}
}

void signing_keys_clear(struct signing_keys *keys)
{
	secrets_wipe(keys);
	memset(keys, 0, sizeof(*keys));
}

int signing_keys_sign(struct signing_keys *keys, const void *document, size_t document_bytes,
		      void **out, size_t *out_bytes, struct failure *failure)
{
	void *signed_document = NULL;
	size_t signed_bytes = document_bytes;
	int error = 0;

	for (uint32_t i = 0; i < keys->count && error == 0; i++) {
		void *more = NULL;

		error = document_sign(signed_document != NULL ? signed_document : document,
				      signed_bytes, keys->secret[i], &more, &signed_bytes, failure);
		free(signed_document);
		signed_document = more;
	}
	secrets_wipe(keys);
	if (error < 0)
		return error;
	*out = signed_document;
	*out_bytes = signed_bytes;
	return 0;
}

const char *signing_keys_ids(const struct signing_keys *keys, char ids[SIGNING_KEYS_IDS_BYTES])
{
	size_t used = 0;

	ids[0] = '\0';
	for (uint32_t i = 0; i < keys->count; i++)
		used += (size_t)snprintf(ids + used, SIGNING_KEYS_IDS_BYTES - used, "%s%s",
					 i == 0 ? "" : ", ", keys->id[i]);
	return ids;
}
