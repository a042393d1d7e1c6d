/* document.c - the envelope: where a body ends, who signed it, and whether that is enough.
 *
 * Everything here reads bytes from outside: the size is bounded first, then the shape of the
 * signature lines, then the signatures; the body is never looked into.  Pure functions, reentrant;
 * they work whether or not sodium_init was called.
 */
#include "list/document.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define SIGNATURE_WORD	   "signature "
#define SIGNATURE_BYTES	   crypto_sign_BYTES
#define SIGNATURE_CHARS	   88u /* base64 of 64 bytes */
#define WORD_CHARS	   (sizeof(SIGNATURE_WORD) - 1)
#define BASE64_PIECE_BYTES 384u
#define LINE_CHARS	   (WORD_CHARS + DOCUMENT_KEY_ID_CHARS + 1 + SIGNATURE_CHARS)

_Static_assert(DOCUMENT_KEY_BYTES == crypto_sign_PUBLICKEYBYTES, "Ed25519 public key");
_Static_assert(DOCUMENT_SECRET_BYTES == crypto_sign_SECRETKEYBYTES, "Ed25519 secret key");
_Static_assert(sodium_base64_ENCODED_LEN(SIGNATURE_BYTES, sodium_base64_VARIANT_ORIGINAL) ==
		   SIGNATURE_CHARS + 1,
	       "signature in base64");
_Static_assert(sodium_base64_ENCODED_LEN(DOCUMENT_KEY_BYTES, sodium_base64_VARIANT_ORIGINAL) ==
		   DOCUMENT_KEY_CHARS + 1,
	       "key in base64");

struct signature {
	char id[DOCUMENT_KEY_ID_CHARS + 1];
	uint8_t bytes[SIGNATURE_BYTES];
};

int document_base64_decode(const char *text, size_t text_chars, void *to, size_t bytes)
{
	const int variant = sodium_base64_VARIANT_ORIGINAL;
	const uint8_t *decoded = to;
	size_t decoded_bytes = 0;

	/* The length is compared first, so the work is bounded by what the caller asked for. */
	if (text_chars != sodium_base64_encoded_len(bytes, variant) - 1 ||
	    sodium_base642bin(to, bytes, text, text_chars, NULL, &decoded_bytes, NULL, variant) !=
		0 ||
	    decoded_bytes != bytes)
		return -EBADMSG;
	/* Encoded again piece by piece; three bytes make four characters, so pieces meet exactly.
	 */
	for (size_t at = 0; at < bytes; at += BASE64_PIECE_BYTES) {
		const size_t piece =
		    bytes - at < BASE64_PIECE_BYTES ? bytes - at : BASE64_PIECE_BYTES;
		char again[BASE64_PIECE_BYTES / 3 * 4 + 1];

		sodium_bin2base64(again, sizeof(again), decoded + at, piece, variant);
		if (memcmp(again, text + at / 3 * 4, strlen(again)) != 0)
			return -EBADMSG;
	}
	return 0;
}

int document_key_parse(const char *text, uint8_t key[DOCUMENT_KEY_BYTES])
{
	uint8_t decoded[DOCUMENT_KEY_BYTES];

	if (document_base64_decode(text, strlen(text), decoded, sizeof(decoded)) != 0)
		return -EINVAL;
	memcpy(key, decoded, sizeof(decoded));
	return 0;
}

void document_key_print(const uint8_t key[DOCUMENT_KEY_BYTES], char text[DOCUMENT_KEY_CHARS + 1])
{
	sodium_bin2base64(text, DOCUMENT_KEY_CHARS + 1, key, DOCUMENT_KEY_BYTES,
			  sodium_base64_VARIANT_ORIGINAL);
}

void document_hash(const void *body, size_t body_bytes, uint8_t hash[DOCUMENT_HASH_BYTES])
{
	(void)crypto_generichash(hash, DOCUMENT_HASH_BYTES, body, body_bytes, NULL, 0);
}

void document_key_id(const uint8_t key[DOCUMENT_KEY_BYTES], char id[DOCUMENT_KEY_ID_CHARS + 1])
{
	uint8_t hash[DOCUMENT_HASH_BYTES];

	document_hash(key, DOCUMENT_KEY_BYTES, hash);
	sodium_bin2hex(id, DOCUMENT_KEY_ID_CHARS + 1, hash, DOCUMENT_KEY_ID_CHARS / 2);
}

/* One signature line without its newline. */
static int signature_read(const char *line, size_t chars, uint32_t number,
			  struct signature *signature, struct failure *failure)
{
	const char *id = line + WORD_CHARS;

	if (chars != LINE_CHARS || memcmp(line, SIGNATURE_WORD, WORD_CHARS) != 0 ||
	    strspn(id, "0123456789abcdef") != DOCUMENT_KEY_ID_CHARS ||
	    id[DOCUMENT_KEY_ID_CHARS] != ' ')
		return failure_set(failure, EBADMSG,
				   "signature line %" PRIu32 ": want `signature <16 hex digits> "
				   "<88 characters of base64>` and nothing else after the body",
				   number);
	if (document_base64_decode(id + DOCUMENT_KEY_ID_CHARS + 1, SIGNATURE_CHARS,
				   signature->bytes, SIGNATURE_BYTES) != 0)
		return failure_set(failure, EBADMSG,
				   "signature line %" PRIu32 ": not canonical base64 of %u bytes",
				   number, SIGNATURE_BYTES);
	memcpy(signature->id, id, DOCUMENT_KEY_ID_CHARS);
	signature->id[DOCUMENT_KEY_ID_CHARS] = '\0';
	return 0;
}

/* Finds the end of the body and reads every line after it. */
static int envelope_read(const char *document, size_t document_bytes, size_t *body_bytes,
			 struct signature signatures[DOCUMENT_SIGNATURES_MAX], uint32_t *count,
			 struct failure *failure)
{
	const char *end = document + document_bytes;
	const char *line;
	uint32_t found = 0;

	if (document_bytes > DOCUMENT_BYTES_MAX)
		return failure_set(failure, EMSGSIZE,
				   "document of %zu bytes: at most %u are allowed", document_bytes,
				   DOCUMENT_BYTES_MAX);
	if (document_bytes == 0)
		return failure_set(failure, EBADMSG, "document is empty");
	if (end[-1] != '\n')
		return failure_set(failure, EBADMSG,
				   "document does not end with a newline: it may be cut short");
	if (document_bytes >= WORD_CHARS && memcmp(document, SIGNATURE_WORD, WORD_CHARS) == 0)
		return failure_set(failure, EBADMSG, "document has signatures but no body");

	line = memmem(document, document_bytes, "\n" SIGNATURE_WORD, 1 + WORD_CHARS);
	line = line == NULL ? end : line + 1;
	*body_bytes = (size_t)(line - document);
	while (line < end) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		int error;

		if (found == DOCUMENT_SIGNATURES_MAX)
			return failure_set(failure, EBADMSG, "more than %u signatures",
					   DOCUMENT_SIGNATURES_MAX);
		error = signature_read(line, (size_t)(newline - line), found + 1,
				       &signatures[found], failure);
		if (error != 0)
			return error;
		for (uint32_t i = 0; i < found; i++)
			if (strcmp(signatures[i].id, signatures[found].id) == 0)
				return failure_set(failure, EBADMSG,
						   "key %s signs twice: each key signs a document "
						   "once",
						   signatures[i].id);
		found++;
		line = newline + 1;
	}
	*count = found;
	return 0;
}

int document_split(const void *document, size_t document_bytes, size_t *body_bytes,
		   uint32_t *signature_count, struct failure *failure)
{
	struct signature signatures[DOCUMENT_SIGNATURES_MAX];
	size_t body = 0;
	uint32_t count = 0;
	int error = envelope_read(document, document_bytes, &body, signatures, &count, failure);

	if (error != 0)
		return error;
	*body_bytes = body;
	*signature_count = count;
	return 0;
}

/* 1: a trusted key's good signature; 0: no trusted key has this id; -1: a trusted key's bad one.
 * One line counts once, whatever `trust` repeats. */
static int signature_judge(const struct signature *signature, const struct trust *trust,
			   const void *body, size_t body_bytes)
{
	int verdict = 0;

	for (uint32_t i = 0; i < trust->count; i++) {
		char id[DOCUMENT_KEY_ID_CHARS + 1];

		document_key_id(trust->keys[i], id);
		if (strcmp(id, signature->id) != 0)
			continue;
		if (crypto_sign_verify_detached(signature->bytes, body, body_bytes,
						trust->keys[i]) == 0)
			return 1;
		verdict = -1;
	}
	return verdict;
}

static int under_signed(uint32_t good, uint32_t threshold, uint32_t strange,
			struct failure *failure)
{
	char others[80] = "";

	if (strange > 0)
		(void)snprintf(others, sizeof(others),
			       " (%" PRIu32 " signature%s by keys that are not trusted)", strange,
			       PLURAL(strange));
	return failure_set(failure, EKEYREJECTED,
			   "signed by %" PRIu32 " trusted key%s, %" PRIu32 " must have signed%s",
			   good, PLURAL(good), threshold, others);
}

int document_verify(const void *document, size_t document_bytes, const struct trust *trust,
		    size_t *body_bytes, struct failure *failure)
{
	struct signature signatures[DOCUMENT_SIGNATURES_MAX];
	size_t body = 0;
	uint32_t count = 0, good = 0;
	int error;

	if (trust->count < 1 || trust->count > TRUST_KEYS_MAX || trust->threshold < 1 ||
	    trust->threshold > trust->count)
		return failure_set(failure, EINVAL,
				   "threshold %" PRIu32 " of %" PRIu32
				   " trusted keys: want 1 to %u keys and a threshold of at least 1 "
				   "and at most their number",
				   trust->threshold, trust->count, TRUST_KEYS_MAX);
	error = envelope_read(document, document_bytes, &body, signatures, &count, failure);
	if (error != 0)
		return error;
	if (count == 0)
		return failure_set(failure, EKEYREJECTED,
				   "document is not signed: %" PRIu32 " of %" PRIu32
				   " trusted keys must have signed it",
				   trust->threshold, trust->count);
	for (uint32_t i = 0; i < count; i++) {
		int verdict = signature_judge(&signatures[i], trust, document, body);

		if (verdict < 0)
			return failure_set(failure, EKEYREJECTED,
					   "signature of key %s is wrong: it does not belong to "
					   "these %zu bytes",
					   signatures[i].id, body);
		good += (uint32_t)verdict;
	}
	if (good < trust->threshold)
		return under_signed(good, trust->threshold, count - good, failure);
	*body_bytes = body;
	return 0;
}

int document_sign(const void *document, size_t document_bytes,
		  const uint8_t secret[DOCUMENT_SECRET_BYTES], void **out, size_t *out_bytes,
		  struct failure *failure)
{
	const uint8_t *key = secret + DOCUMENT_SECRET_BYTES - DOCUMENT_KEY_BYTES;
	struct signature signatures[DOCUMENT_SIGNATURES_MAX], mine;
	char base64[SIGNATURE_CHARS + 1];
	size_t body = 0;
	uint32_t count = 0;
	char *bytes;
	int error = envelope_read(document, document_bytes, &body, signatures, &count, failure);

	if (error != 0)
		return error;
	document_key_id(key, mine.id);
	for (uint32_t i = 0; i < count; i++)
		if (strcmp(signatures[i].id, mine.id) == 0)
			return failure_set(failure, EEXIST, "key %s has signed already", mine.id);
	if (count == DOCUMENT_SIGNATURES_MAX ||
	    document_bytes + LINE_CHARS + 1 > DOCUMENT_BYTES_MAX)
		return failure_set(failure, EMSGSIZE,
				   "no room for one more signature: at most %u of them, %u bytes "
				   "in all",
				   DOCUMENT_SIGNATURES_MAX, DOCUMENT_BYTES_MAX);
	/* Verified at once: a damaged secret key would make signatures that nobody accepts. */
	if (crypto_sign_detached(mine.bytes, NULL, document, body, secret) != 0 ||
	    crypto_sign_verify_detached(mine.bytes, document, body, key) != 0)
		return failure_set(failure, EINVAL,
				   "secret key of %s is damaged: its halves do not belong together",
				   mine.id);
	sodium_bin2base64(base64, sizeof(base64), mine.bytes, SIGNATURE_BYTES,
			  sodium_base64_VARIANT_ORIGINAL);

	bytes = malloc(document_bytes + LINE_CHARS + 2);
	if (bytes == NULL)
		return failure_set(failure, ENOMEM, "no memory to sign %zu bytes", document_bytes);
	memcpy(bytes, document, document_bytes);
	(void)snprintf(bytes + document_bytes, LINE_CHARS + 2, SIGNATURE_WORD "%s %s\n", mine.id,
		       base64);
	*out = bytes;
	*out_bytes = document_bytes + LINE_CHARS + 1;
	return 0;
}
