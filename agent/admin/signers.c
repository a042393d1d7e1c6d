/* signers.c - see signers.h.  All judging of signatures is left to document_verify, asked for one
 * key at a time, so there is one place only that decides what a good signature is. */
#include "admin/signers.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "admin/admin.h"
#include "admin/human.h"
#include "admin/keyfile.h"

/* A file or base64. */
static int trust_add(struct signers_trusted *trusted, const char *file_or_base64,
		     struct failure *failure)
{
	struct trust *trust = &trusted->trust;
	uint8_t key[DOCUMENT_KEY_BYTES];
	int error;

	if (trust->count == TRUST_KEYS_MAX)
		return failure_set(failure, EINVAL, "-p: more than %u keys", TRUST_KEYS_MAX);
	error = keyfile_public_load(file_or_base64, key, failure);
	if (error < 0)
		return error;
	for (uint32_t i = 0; i < trust->count; i++)
		if (memcmp(trust->keys[i], key, sizeof(key)) == 0)
			return failure_set(failure, EINVAL, "-p %s: the same key as -p %s",
					   file_or_base64, trusted->source[i]);
	memcpy(trust->keys[trust->count], key, sizeof(key));
	trusted->source[trust->count++] = file_or_base64;
	return 0;
}

int signers_option(const char *command, struct signers_trusted *trusted, int option,
		   const char *argument)
{
	struct failure failure;
	int error;

	switch (option) {
	case 'p':
		error = trust_add(trusted, argument, &failure);
		return error < 0 ? admin_fail(command, error, &failure) : -1;
	case 't':
		if (human_number(argument, 1, TRUST_KEYS_MAX, &trusted->wanted))
			return -1;
		return admin_usage(command, "-t '%s': a number from 1 to %u is wanted", argument,
				   TRUST_KEYS_MAX);
	default:
		return -2;
	}
}

int signers_trust_finish(struct signers_trusted *trusted, struct failure *failure)
{
	if (trusted->wanted > trusted->trust.count)
		return failure_set(failure, EINVAL,
				   "-t %" PRIu64 ": more signatures than keys given with -p (%u)",
				   trusted->wanted, trusted->trust.count);
	trusted->trust.threshold = trusted->wanted == 0 ? 1 : (uint32_t)trusted->wanted;
	return 0;
}

static bool signed_by(const void *document, size_t document_bytes, const uint8_t *key)
{
	struct trust one = {.count = 1, .threshold = 1};
	size_t body_bytes;

	memcpy(one.keys[0], key, DOCUMENT_KEY_BYTES);
	return document_verify(document, document_bytes, &one, &body_bytes, NULL) == 0;
}

static int trusted_find(const struct signers_trusted *trusted, const char *id)
{
	for (uint32_t i = 0; trusted != NULL && i < trusted->trust.count; i++) {
		char own[DOCUMENT_KEY_ID_CHARS + 1];

		document_key_id(trusted->trust.keys[i], own);
		if (strcmp(own, id) == 0)
			return (int)i;
	}
	return -1;
}

int signers_read(const void *document, size_t document_bytes, const struct signers_trusted *trusted,
		 struct signers *signers, struct failure *failure)
{
	static const char word[] = "signature ";
	const char *at = document, *end = at + document_bytes;
	size_t body_bytes;
	uint32_t count;
	int error = document_split(document, document_bytes, &body_bytes, &count, failure);

	if (error < 0)
		return error;
	memset(signers, 0, sizeof(*signers));
	/* document_split has checked the form of each line. */
	for (at += body_bytes; at < end && signers->count < count; signers->count++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		char *id = signers->by[signers->count].id;
		int trusted_key;

		memcpy(id, at + sizeof(word) - 1, DOCUMENT_KEY_ID_CHARS);
		id[DOCUMENT_KEY_ID_CHARS] = '\0';
		trusted_key = trusted_find(trusted, id);
		signers->by[signers->count].trusted = trusted_key;
		signers->by[signers->count].valid =
		    trusted_key >= 0 &&
		    signed_by(document, document_bytes, trusted->trust.keys[trusted_key]);
		at = newline == NULL ? end : newline + 1;
	}
	return 0;
}

void signers_print(const struct signers *signers, const struct signers_trusted *trusted,
		   const char *label, FILE *out)
{
	if (signers->count == 0)
		(void)fprintf(out, "%snobody: this document is unsigned\n", label);
	for (uint32_t i = 0; i < signers->count; i++) {
		int key = signers->by[i].trusted;

		(void)fprintf(out, "%*s%s  ", (int)strlen(label), i == 0 ? label : "",
			      signers->by[i].id);
		if (trusted == NULL || trusted->trust.count == 0)
			(void)fprintf(out, "not checked\n");
		else if (key < 0)
			(void)fprintf(out, "unknown key, not counted\n");
		else
			(void)fprintf(out, "%s (%s)\n",
				      signers->by[i].valid ? "valid" : "WRONG SIGNATURE",
				      trusted->source[key]);
	}
}
