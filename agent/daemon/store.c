/* store.c - see store.h: the calls, handed to the kind that was opened. */
#include "daemon/store_internal.h"

#include <errno.h>

int store_write(struct store *store, const struct reg *reg, const void *document, size_t bytes)
{
	const struct store_list list = {.document = (void *)(uintptr_t)document, .bytes = bytes};

	return store->ops->write(store, reg, false, &list, document != NULL ? 1 : 0);
}

void store_failover(struct store *store, uint64_t term)
{
	if (store->ops->failover != NULL)
		store->ops->failover(store, term);
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

void store_resign(struct store *store)
{
	store->ops->resign(store);
}

void store_close(struct store *store)
{
	if (store != NULL)
		store->ops->close(store);
}
