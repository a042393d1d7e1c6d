/* store.c - see store.h: the calls, handed to the kind that was opened. */
#include "daemon/store_internal.h"

#include <errno.h>
#include <string.h>

int store_write(struct store *store, const struct reg *reg, const struct store_bodies *bodies)
{
	static const struct store_bodies none;

	return store->ops->write(store, reg, false, bodies != NULL ? bodies : &none);
}

uint32_t store_chain(const struct keyring *ring, const struct reg *reg,
		     struct store_document chain[KEYS_VERSIONS_MAX])
{
	const struct keys *keys = keyring_at(ring, reg->keys_version);
	uint32_t count = 0;

	if (keys == NULL || memcmp(keys->hash, reg->keys, LIST_HASH_BYTES) != 0)
		return 0;
	while (count < reg->keys_version) {
		keys = keyring_at(ring, count + 1);
		chain[count].bytes = keys->document;
		chain[count++].length = keys->document_bytes;
	}
	return count;
}

void store_failover(struct store *store, uint64_t term, bool ours)
{
	if (store->ops->failover != NULL)
		store->ops->failover(store, term, ours);
}

int store_look(struct store *store, struct reg *reg, struct failure *failure)
{
	return store->ops->look != NULL
		   ? store->ops->look(store, reg, failure)
		   : failure_set(failure, ENOENT, "no register is put here by hand");
}

void store_known(struct store *store, uint64_t term, uint64_t serial)
{
	if (store->ops->known != NULL)
		store->ops->known(store, term, serial);
}

void store_stand(struct store *store, enum election_stand stand)
{
	if (store->ops->stand != NULL)
		store->ops->stand(store, stand);
}

void store_resign(struct store *store)
{
	store->ops->resign(store);
}

void store_close(struct store *store)
{
	if (store != NULL)
		store->ops->close(store);
}
