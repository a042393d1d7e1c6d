/* keys.h - whose signatures count, as a signed document: operator keys change without a config
 * file.
 *
 * A document in the envelope of lists, with one canonical text:
 *
 *     mcroster-keys 1
 *     cluster NAME
 *     version N
 *     parent HASH|none                   (none: version 1, and only that)
 *     created TIME
 *     threshold K
 *     key BASE64                         (each of them a line, in ascending order of their bytes)
 *     signature ...
 *
 * The documents of a cluster are one chain: version N+1 names the hash of version N and is signed
 * by the threshold of N (they hand over) and by its own (they are there, and can sign).  Before
 * version 1 stands the trust of the configuration file.  A document has at most
 * DOCUMENT_SIGNATURES_MAX signatures, so large sets that have no key in common are exchanged in
 * more than one version. A `struct keys` is never changed after it was made.
 */
#ifndef MCROSTER_KEYS_H
#define MCROSTER_KEYS_H

#include "list/list.h"

#define KEYS_VERSIONS_MAX 256u /* of one cluster that are kept; they are kept for ever */

struct keys {
	char cluster[LIST_NAME_MAX + 1];
	uint64_t version; /* 1..LIST_EPOCH_MAX */
	bool has_parent;  /* version > 1 */
	uint8_t parent[LIST_HASH_BYTES];
	char created[LIST_CREATED_CHARS + 1];
	uint32_t threshold; /* 1..key_count */
	uint32_t key_count; /* 1..TRUST_KEYS_MAX */
	uint8_t keys[TRUST_KEYS_MAX][DOCUMENT_KEY_BYTES];
	uint8_t hash[LIST_HASH_BYTES]; /* of the body: what the next version names as its parent */
	uint8_t *document;	       /* the exact bytes it came from, signatures included */
	size_t document_bytes;
};

/* Parses a body whose signatures were checked (or are not needed).  *keys is owned by the caller.
 * -EBADMSG with "line N: ..." for anything that is not canonical, -ENOMEM. */
int keys_parse(const void *document, size_t document_bytes, struct keys **keys,
	       struct failure *failure);

/* Writes the canonical body (hash and document are not read; the keys may have any order).  *body
 * is malloc'd, owned by the caller.  It is parsed again before it is returned; -EINVAL with the
 * reason where the fields break a rule. */
int keys_write(const struct keys *keys, void **body, size_t *body_bytes, struct failure *failure);

void keys_free(struct keys *keys); /* NULL is fine */

/* Opens version 1: signed by the threshold of `trust` (before anything is parsed) and by its own.
 * -EKEYREJECTED says whose signatures are missing, -EINVAL for another cluster, -ESTALE for another
 * version. */
int keys_open_first(const void *document, size_t document_bytes, const struct trust *trust,
		    const char *cluster, struct keys **keys, struct failure *failure);

/* Opens the version after `previous`: signed by the threshold of `previous` (before anything is
 * parsed) and by its own.  -EKEYREJECTED, -EINVAL for another cluster, -ESTALE for another version
 * or parent. */
int keys_open_next(const void *document, size_t document_bytes, const struct keys *previous,
		   struct keys **keys, struct failure *failure);

/* Two documents for one version of one cluster: whoever signed both said two things.  It counts as
 * evidence only where both were opened after the same document. */
bool keys_equivocate(const struct keys *one, const struct keys *other);

/* What document_verify asks for. */
void keys_trust(const struct keys *keys, struct trust *trust);

struct keys_document {
	const void *bytes;
	size_t length;
};

/* Opens `count` (at least 1) documents, each the next version of the one before.  The first follows
 * `from`, or, where that is NULL, is version 1 under `trust` and `cluster` (which are not read
 * otherwise).  *newest is the last of them, owned by the caller.  Fails as the two above, and says
 * which document it was. */
int keys_chain_verify(const struct keys_document *chain, uint32_t count, const struct keys *from,
		      const struct trust *trust, const char *cluster, struct keys **newest,
		      struct failure *failure);

#endif
