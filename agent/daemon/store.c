/* store.c - see store.h: the calls, handed to the kind that was opened. */
#include "daemon/store_internal.h"

int store_write(struct store *store, const struct reg *reg, const void *document, size_t bytes)
{
	const struct store_list list = {.document = (void *)(uintptr_t)document, .bytes = bytes};

	return store->ops->write(store, reg, false, &list, document != NULL ? 1 : 0);
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
