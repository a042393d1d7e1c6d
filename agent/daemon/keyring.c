/* keyring.c - see keyring.h. */
#include "daemon/keyring.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log.h"

#define KEYRING_FILE "keys."

struct waiting {
	void *bytes;
	size_t length;
	uint8_t hash[LIST_HASH_BYTES];
};

struct keyring {
	struct state *state;
	const struct trust *trust;
	const char *cluster;
	uint64_t count; /* versions 1 to count are held */
	struct keys *keys[KEYRING_VERSIONS_MAX];
	uint32_t waiting_count; /* on the way back: each is the parent of the one before it */
	struct waiting waiting[KEYRING_VERSIONS_MAX];
};

static void keyring_file_name(uint64_t version, char name[64])
{
	(void)snprintf(name, 64, KEYRING_FILE "%" PRIu64, version);
}

/* The next version, opened as such. */
static int keyring_open_next(const struct keyring *ring, const void *document, size_t bytes,
			     struct keys **keys, struct failure *failure)
{
	if (ring->count == KEYRING_VERSIONS_MAX)
		return failure_set(failure, ENOSPC, "keys: %u versions are kept at most",
				   KEYRING_VERSIONS_MAX);
	if (ring->count == 0)
		return keys_open_first(document, bytes, ring->trust, ring->cluster, keys, failure);
	return keys_open_next(document, bytes, ring->keys[ring->count - 1], keys, failure);
}

int keyring_open(struct state *state, const struct trust *trust, const char *cluster,
		 struct keyring **out, struct failure *failure)
{
	struct keyring *ring = calloc(1, sizeof(*ring));
	int error = 0;

	if (ring == NULL)
		return failure_set(failure, ENOMEM, "keys: no memory");
	ring->state = state;
	ring->trust = trust;
	ring->cluster = cluster;
	while (error == 0 && ring->count < KEYRING_VERSIONS_MAX) {
		struct failure why;
		void *document;
		size_t bytes;
		char name[64];

		keyring_file_name(ring->count + 1, name);
		error = state_load(state, name, DOCUMENT_BYTES_MAX, &document, &bytes, &why);
		if (error == 0) {
			error = keyring_open_next(ring, document, bytes, &ring->keys[ring->count],
						  &why);
			free(document);
		}
		if (error == 0)
			ring->count++;
		else if (error != -ENOENT)
			log_line(LOG_LEVEL_ERROR, "%s: not used: %s", name, why.text);
	}
	*out = ring;
	return 0;
}

static void keyring_waiting_drop(struct keyring *ring)
{
	for (uint32_t i = 0; i < ring->waiting_count; i++)
		free(ring->waiting[i].bytes);
	ring->waiting_count = 0;
}

void keyring_close(struct keyring *ring)
{
	if (ring == NULL)
		return;
	keyring_waiting_drop(ring);
	for (uint64_t i = 0; i < ring->count; i++)
		keys_free(ring->keys[i]);
	free(ring);
}

uint64_t keyring_version(const struct keyring *ring)
{
	return ring->count;
}

const struct keys *keyring_at(const struct keyring *ring, uint64_t version)
{
	return version >= 1 && version <= ring->count ? ring->keys[version - 1] : NULL;
}

const struct keys *keyring_find(const struct keyring *ring, const uint8_t hash[LIST_HASH_BYTES])
{
	for (uint64_t i = 0; i < ring->count; i++)
		if (memcmp(ring->keys[i]->hash, hash, LIST_HASH_BYTES) == 0)
			return ring->keys[i];
	return NULL;
}

int keyring_add(struct keyring *ring, const void *document, size_t bytes, const struct keys **keys,
		struct failure *failure)
{
	struct keys *next;
	char name[64];
	size_t body_bytes;
	uint32_t signatures;
	uint8_t hash[LIST_HASH_BYTES];
	int error = document_split(document, bytes, &body_bytes, &signatures, failure);

	if (error != 0)
		return error;
	document_hash(document, body_bytes, hash);
	*keys = keyring_find(ring, hash);
	if (*keys != NULL)
		return failure_set(failure, EALREADY, "keys version %" PRIu64 " is held already",
				   (*keys)->version);
	error = keyring_open_next(ring, document, bytes, &next, failure);
	if (error != 0)
		return error;
	keyring_file_name(next->version, name);
	error = state_store(ring->state, name, document, bytes, failure);
	if (error != 0) {
		keys_free(next);
		return error;
	}
	ring->keys[ring->count++] = next;
	*keys = next;
	return 0;
}

/* Keeps a document that does not join on yet. */
static int keyring_wait(struct keyring *ring, const struct keys *keys, const void *document,
			size_t bytes, struct failure *failure)
{
	struct waiting *waiting = &ring->waiting[ring->waiting_count];

	if (ring->waiting_count == KEYRING_VERSIONS_MAX)
		return failure_set(failure, ENOSPC, "keys: the chain is too long");
	waiting->bytes = malloc(bytes);
	if (waiting->bytes == NULL)
		return failure_set(failure, ENOMEM, "keys: no memory");
	memcpy(waiting->bytes, document, bytes);
	waiting->length = bytes;
	memcpy(waiting->hash, keys->hash, LIST_HASH_BYTES);
	ring->waiting_count++;
	return 0;
}

int keyring_catch_up(struct keyring *ring, const void *document, size_t bytes,
		     uint8_t want[LIST_HASH_BYTES], struct failure *failure)
{
	const struct keys *added;
	struct keys *keys;
	int error = keys_parse(document, bytes, &keys, failure);

	if (error != 0)
		return error;
	if (keys->version > ring->count + 1) {
		/* Each one is only asked for by the hash that its child names, so what waits is a
		 * chain down from a hash that is in the register. */
		error = keyring_wait(ring, keys, document, bytes, failure);
		if (error == 0) {
			memcpy(want, keys->parent, LIST_HASH_BYTES);
			error = -EAGAIN;
		}
		keys_free(keys);
		if (error != -EAGAIN)
			keyring_waiting_drop(ring);
		return error;
	}
	keys_free(keys);
	error = keyring_add(ring, document, bytes, &added, failure);
	while (error == 0 && ring->waiting_count > 0) {
		const struct waiting *next = &ring->waiting[ring->waiting_count - 1];

		error = keyring_add(ring, next->bytes, next->length, &added, failure);
		if (error == 0)
			free(ring->waiting[--ring->waiting_count].bytes);
	}
	keyring_waiting_drop(ring);
	return error;
}

struct trust keyring_trust(const struct keyring *ring, uint64_t version)
{
	struct trust trust = *ring->trust;

	if (version > ring->count)
		version = ring->count;
	if (version > 0)
		keys_trust(ring->keys[version - 1], &trust);
	return trust;
}

int keyring_list_open(const struct keyring *ring, const void *document, size_t bytes,
		      struct list **list, struct failure *failure)
{
	int error;

	for (uint64_t version = ring->count;; version--) {
		const struct trust trust = keyring_trust(ring, version);

		error = list_open(document, bytes, &trust, ring->cluster, list,
				  version == ring->count ? failure : NULL);
		if (error != -EKEYREJECTED || version == 0)
			return error;
	}
}
