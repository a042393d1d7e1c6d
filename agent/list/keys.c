/* keys.c - which keys document may follow which, and who must have signed it.
 *
 * The signatures that the document before asks for are checked first; only then is anything parsed,
 * and only the parsed document can say which signatures it asks for itself.  Reentrant.
 */
#include "list/keys.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

void keys_free(struct keys *keys)
{
	if (keys == NULL)
		return;
	free(keys->document);
	free(keys);
}

void keys_trust(const struct keys *keys, struct trust *trust)
{
	memset(trust, 0, sizeof(*trust));
	trust->count = keys->key_count;
	trust->threshold = keys->threshold;
	memcpy(trust->keys, keys->keys, keys->key_count * sizeof(keys->keys[0]));
}

bool keys_equivocate(const struct keys *one, const struct keys *other)
{
	return one->version == other->version && strcmp(one->cluster, other->cluster) == 0 &&
	       memcmp(one->hash, other->hash, LIST_HASH_BYTES) != 0;
}

/* document_verify, saying whose signatures it was about. */
static int signed_by(const void *document, size_t document_bytes, const struct trust *trust,
		     const char *whose, struct failure *failure)
{
	struct failure reason = {{0}};
	size_t body_bytes = 0;
	const int error = document_verify(document, document_bytes, trust, &body_bytes, &reason);

	if (error == 0)
		return 0;
	return failure_set(failure, -error, "keys document, judged by %s: %s", whose, reason.text);
}

/* Parses what the document before has vouched for, and checks that it vouches for itself. */
static int keys_open(const void *document, size_t document_bytes, const struct trust *before,
		     const char *whose, const char *cluster, struct keys **keys,
		     struct failure *failure)
{
	struct keys *opened = NULL;
	struct trust own;
	int error = signed_by(document, document_bytes, before, whose, failure);

	if (error == 0)
		error = keys_parse(document, document_bytes, &opened, failure);
	if (error != 0)
		return error;
	keys_trust(opened, &own);
	if (strcmp(opened->cluster, cluster) != 0)
		error = failure_set(failure, EINVAL,
				    "the keys document is for cluster `%s`, this is cluster `%s`",
				    opened->cluster, cluster);
	else
		error = signed_by(document, document_bytes, &own, "its own keys", failure);
	if (error != 0) {
		keys_free(opened);
		return error;
	}
	*keys = opened;
	return 0;
}

int keys_open_first(const void *document, size_t document_bytes, const struct trust *trust,
		    const char *cluster, struct keys **keys, struct failure *failure)
{
	struct keys *opened = NULL;
	int error = keys_open(document, document_bytes, trust, "the configured keys", cluster,
			      &opened, failure);

	if (error != 0)
		return error;
	if (opened->version != 1) {
		error = failure_set(failure, ESTALE,
				    "keys version %" PRIu64 ": the first one must be version 1",
				    opened->version);
		keys_free(opened);
		return error;
	}
	*keys = opened;
	return 0;
}

static int follows(const struct keys *next, const struct keys *previous, struct failure *failure)
{
	char wanted[2 * LIST_HASH_BYTES + 1], named[2 * LIST_HASH_BYTES + 1];

	if (next->version == previous->version)
		return failure_set(failure, ESTALE, "keys version %" PRIu64 " is here already%s",
				   next->version,
				   keys_equivocate(next, previous)
				       ? ", with another content: its signers signed both"
				       : "");
	if (next->version - previous->version != 1)
		return failure_set(failure, ESTALE,
				   "keys version %" PRIu64 " cannot follow version %" PRIu64
				   ": each version follows the one before it",
				   next->version, previous->version);
	if (memcmp(next->parent, previous->hash, LIST_HASH_BYTES) == 0)
		return 0;
	(void)sodium_bin2hex(named, sizeof(named), next->parent, LIST_HASH_BYTES);
	(void)sodium_bin2hex(wanted, sizeof(wanted), previous->hash, LIST_HASH_BYTES);
	return failure_set(failure, ESTALE,
			   "keys version %" PRIu64 " names parent %s, but version %" PRIu64
			   " is %s: it belongs to another chain",
			   next->version, named, previous->version, wanted);
}

int keys_open_next(const void *document, size_t document_bytes, const struct keys *previous,
		   struct keys **keys, struct failure *failure)
{
	char whose[64];
	struct keys *opened = NULL;
	struct trust trust;
	int error;

	(void)snprintf(whose, sizeof(whose), "the keys of version %" PRIu64, previous->version);
	keys_trust(previous, &trust);
	error =
	    keys_open(document, document_bytes, &trust, whose, previous->cluster, &opened, failure);
	if (error == 0)
		error = follows(opened, previous, failure);
	if (error != 0) {
		keys_free(opened);
		return error;
	}
	*keys = opened;
	return 0;
}

int keys_chain_verify(const struct keys_document *chain, uint32_t count, const struct keys *from,
		      const struct trust *trust, const char *cluster, struct keys **newest,
		      struct failure *failure)
{
	struct failure reason = {{0}};
	struct keys *last = NULL;

	if (count == 0)
		return failure_set(failure, EINVAL, "an empty chain of keys documents");
	for (uint32_t i = 0; i < count; i++) {
		const struct keys *previous = last != NULL ? last : from;
		struct keys *opened = NULL;
		int error = previous == NULL ? keys_open_first(chain[i].bytes, chain[i].length,
							       trust, cluster, &opened, &reason)
					     : keys_open_next(chain[i].bytes, chain[i].length,
							      previous, &opened, &reason);

		keys_free(last);
		last = opened;
		if (error != 0)
			return failure_set(failure, -error,
					   "document %" PRIu32 " of %" PRIu32 ": %s", i + 1, count,
					   reason.text);
	}
	*newest = last;
	return 0;
}
