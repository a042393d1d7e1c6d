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
	uint8_t parent[LIST_HASH_BYTES];
};

struct keyring {
	struct state *state;
	const struct trust *trust;
	const char *cluster;
	uint64_t count; /* versions 1 to count are held */
	struct keys *keys[KEYS_VERSIONS_MAX];
	uint32_t waiting_count; /* on the way back: each is the parent of the one before it */
	struct waiting waiting[KEYS_VERSIONS_MAX];
};

static void keyring_file_name(uint64_t version, char name[64])
{
	(void)snprintf(name, 64, KEYRING_FILE "%" PRIu64, version);
}

/* The version after `after`, opened as such. */
static int keyring_open_next(const struct keyring *ring, const void *document, size_t bytes,
			     uint64_t after, struct keys **keys, struct failure *failure)
{
	if (after == KEYS_VERSIONS_MAX)
		return failure_set(failure, ENOSPC, "keys: %u versions are kept at most",
				   KEYS_VERSIONS_MAX);
	if (after > ring->count)
		return failure_set(failure, EAGAIN, "keys version %" PRIu64 " is not here yet",
				   after);
	if (after == 0)
		return keys_open_first(document, bytes, ring->trust, ring->cluster, keys, failure);
	return keys_open_next(document, bytes, ring->keys[after - 1], keys, failure);
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
	while (error == 0 && ring->count < KEYS_VERSIONS_MAX) {
		struct failure why;
		void *document;
		size_t bytes;
		char name[64];

		keyring_file_name(ring->count + 1, name);
		error = state_load(state, name, DOCUMENT_BYTES_MAX, &document, &bytes, &why);
		if (error == 0) {
			error = keyring_open_next(ring, document, bytes, ring->count,
						  &ring->keys[ring->count], &why);
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

/* Lets go what stands after `version`.  A file that stays behind is of another chain than the one
 * before it, and left out at the next start. */
static void keyring_cut(struct keyring *ring, uint64_t version)
{
	while (ring->count > version) {
		struct failure failure;
		char name[64];

		log_line(LOG_LEVEL_WARNING,
			 "keys version %" PRIu64 " was never in force: another one takes its place",
			 ring->count);
		keyring_file_name(ring->count, name);
		if (ring->count > version + 1 && state_remove(ring->state, name, &failure) != 0)
			log_line(LOG_LEVEL_WARNING, "%s", failure.text);
		keys_free(ring->keys[--ring->count]);
	}
}

int keyring_add(struct keyring *ring, const void *document, size_t bytes, uint64_t after,
		const struct keys **keys, struct failure *failure)
{
	const struct keys *held;
	struct keys *next;
	char name[64];
	size_t body_bytes;
	uint32_t signatures;
	uint8_t hash[LIST_HASH_BYTES];
	int error = document_split(document, bytes, &body_bytes, &signatures, failure);

	if (error != 0)
		return error;
	document_hash(document, body_bytes, hash);
	held = keyring_find(ring, hash);
	if (held != NULL) {
		*keys = held;
		return failure_set(failure, EALREADY, "keys version %" PRIu64 " is held already",
				   held->version);
	}
	error = keyring_open_next(ring, document, bytes, after, &next, failure);
	if (error != 0)
		return error;
	keyring_file_name(next->version, name);
	error = state_store(ring->state, name, document, bytes, failure);
	if (error != 0) {
		keys_free(next);
		return error;
	}
	keyring_cut(ring, after);
	ring->keys[ring->count++] = next;
	*keys = next;
	return 0;
}

/* Keeps a document that does not join on yet. */
static int keyring_wait(struct keyring *ring, const struct keys *keys, const void *document,
			size_t bytes, struct failure *failure)
{
	struct waiting *waiting = &ring->waiting[ring->waiting_count];

	if (ring->waiting_count == KEYS_VERSIONS_MAX)
		return failure_set(failure, ENOSPC, "keys: the chain is too long");
	waiting->bytes = malloc(bytes);
	if (waiting->bytes == NULL)
		return failure_set(failure, ENOMEM, "keys: no memory");
	memcpy(waiting->bytes, document, bytes);
	waiting->length = bytes;
	memcpy(waiting->parent, keys->parent, LIST_HASH_BYTES);
	ring->waiting_count++;
	return 0;
}

/* Does the version before it stand in the ring? */
static bool keyring_joins(const struct keyring *ring, const struct keys *keys)
{
	const struct keys *before = keyring_at(ring, keys->version - 1);

	return keys->version == 1 ||
	       (before != NULL && memcmp(before->hash, keys->parent, LIST_HASH_BYTES) == 0);
}

/* Is it the one in force, or the one that the last of those waiting names as its parent? */
static bool keyring_wants(struct keyring *ring, const uint8_t in_force[LIST_HASH_BYTES],
			  const struct keys *keys)
{
	if (memcmp(keys->hash, in_force, LIST_HASH_BYTES) == 0) {
		keyring_waiting_drop(ring); /* we asked once more */
		return true;
	}
	return ring->waiting_count > 0 && memcmp(ring->waiting[ring->waiting_count - 1].parent,
						 keys->hash, LIST_HASH_BYTES) == 0;
}

/* Adds a document that joins on, and what waits for it. */
static int keyring_join(struct keyring *ring, const void *document, size_t bytes, uint64_t version,
			struct failure *failure)
{
	const struct keys *added;
	int error = keyring_add(ring, document, bytes, version - 1, &added, failure);

	while (error == 0 && ring->waiting_count > 0) {
		const struct waiting *next = &ring->waiting[ring->waiting_count - 1];

		error = keyring_add(ring, next->bytes, next->length, ring->count, &added, failure);
		if (error == 0)
			free(ring->waiting[--ring->waiting_count].bytes);
	}
	keyring_waiting_drop(ring);
	return error;
}

int keyring_catch_up(struct keyring *ring, const uint8_t in_force[LIST_HASH_BYTES],
		     const void *document, size_t bytes, uint8_t want[LIST_HASH_BYTES],
		     struct failure *failure)
{
	struct keys *keys;
	int error = keys_parse(document, bytes, &keys, failure);

	if (error != 0)
		return error;
	if (keyring_find(ring, keys->hash) != NULL) {
		error = failure_set(failure, EALREADY, "keys version %" PRIu64 " is held already",
				    keys->version);
	} else if (!keyring_wants(ring, in_force, keys)) {
		error = failure_set(failure, ESTALE,
				    "keys version %" PRIu64
				    " does not lead to the one in force, and was not asked for",
				    keys->version);
	} else if (keyring_joins(ring, keys)) {
		error = keyring_join(ring, document, bytes, keys->version, failure);
	} else {
		error = keyring_wait(ring, keys, document, bytes, failure);
		if (error == 0) {
			memcpy(want, keys->parent, LIST_HASH_BYTES);
			error = -EAGAIN;
		} else {
			keyring_waiting_drop(ring);
		}
	}
	keys_free(keys);
	return error;
}

bool keyring_trust(const struct keyring *ring, uint64_t version, const uint8_t *hash,
		   struct trust *trust)
{
	const struct keys *keys = keyring_at(ring, version);

	if (version == 0) {
		*trust = *ring->trust;
		return true;
	}
	if (keys == NULL || (hash != NULL && memcmp(keys->hash, hash, LIST_HASH_BYTES) != 0))
		return false;
	keys_trust(keys, trust);
	return true;
}

int keyring_contradicts(const struct keyring *ring, const void *document, size_t bytes,
			struct failure *failure)
{
	const struct keys *held;
	struct keys *keys, *proven;
	int error = keys_parse(document, bytes, &keys, failure);

	if (error != 0)
		return error;
	held = keyring_at(ring, keys->version);
	if (held == NULL || !keys_equivocate(held, keys))
		error = failure_set(failure, ENOENT, "keys version %" PRIu64 " contradicts none",
				    keys->version);
	if (error == 0)
		error =
		    keyring_open_next(ring, document, bytes, keys->version - 1, &proven, failure);
	if (error == 0)
		keys_free(proven);
	keys_free(keys);
	return error;
}

int keyring_list_open(const struct keyring *ring, const void *document, size_t bytes,
		      uint64_t since, struct list **list, struct failure *failure)
{
	int error = failure_set(failure, EAGAIN,
				"keys version %" PRIu64 " is in force, and not here yet", since);

	/* The newest one's reason says most. */
	for (uint64_t version = ring->count + 1; version > since;) {
		struct trust trust;

		(void)keyring_trust(ring, --version, NULL, &trust);
		error = list_open(document, bytes, &trust, ring->cluster, list,
				  version == ring->count ? failure : NULL);
		if (error != -EKEYREJECTED)
			return error;
	}
	return error;
}
