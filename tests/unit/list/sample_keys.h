/* sample_keys.h - keys documents that obey every rule, made from signers. */
#ifndef MCROSTER_TESTS_SAMPLE_KEYS_H
#define MCROSTER_TESTS_SAMPLE_KEYS_H

#include "list/keys.h"
#include "sample.h"

/* The next version after `previous` (NULL: version 1), with the keys of signers first.. */
static inline void keys_make(struct keys *keys, const struct keys *previous,
			     const struct sample_signer *signers, uint32_t count,
			     uint32_t threshold)
{
	memset(keys, 0, sizeof(*keys));
	strcpy(keys->cluster, "web");
	keys->version = previous == NULL ? 1 : previous->version + 1;
	keys->has_parent = previous != NULL;
	if (previous != NULL)
		memcpy(keys->parent, previous->hash, sizeof(keys->parent));
	strcpy(keys->created, "2026-11-22T10:00:00Z");
	keys->threshold = threshold;
	keys->key_count = count;
	for (uint32_t i = 0; i < count; i++)
		memcpy(keys->keys[i], signers[i].key, DOCUMENT_KEY_BYTES);
}

/* The body as a string; the caller frees it. */
static inline char *keys_body(const struct keys *keys)
{
	struct failure failure = {{0}};
	void *body = NULL;
	size_t bytes = 0;
	char *text;

	ck_assert_msg(keys_write(keys, &body, &bytes, &failure) == 0, "%s", failure.text);
	text = strndup(body, bytes);
	free(body);
	return text;
}

/* The document, signed by signers[first..first + count); the caller frees it. */
static inline char *keys_signed(const struct keys *keys, const struct sample_signer *signers,
				uint32_t first, uint32_t count)
{
	char *text = keys_body(keys);

	for (uint32_t i = first; i < first + count; i++) {
		char *more = text_sign(text, &signers[i]);

		free(text);
		text = more;
	}
	return text;
}

#endif
