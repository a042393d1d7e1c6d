/* lists.c - see lists.h. */
#include "daemon/lists.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "daemon/log.h"

#define LISTS_FILE "list."

struct lists {
	struct state *state;
	const struct keyring *ring;
	uint32_t count;
	struct list *list[LISTS_KEPT + 2];
};

static void lists_file_name(const uint8_t hash[LIST_HASH_BYTES], char name[128])
{
	char hex[2 * LIST_HASH_BYTES + 1];

	(void)sodium_bin2hex(hex, sizeof(hex), hash, LIST_HASH_BYTES);
	(void)snprintf(name, 128, LISTS_FILE "%s", hex);
}

static void lists_load(const char *name, void *context)
{
	struct lists *lists = context;
	struct failure failure;
	struct list *list;
	void *document;
	size_t bytes;

	if (lists->count == LISTS_KEPT) {
		log_line(LOG_LEVEL_WARNING, "%s: not read: %u lists are kept", name, LISTS_KEPT);
		return;
	}
	if (state_load(lists->state, name, DOCUMENT_BYTES_MAX, &document, &bytes, &failure) != 0) {
		log_line(LOG_LEVEL_ERROR, "%s", failure.text);
		return;
	}
	if (keyring_list_open(lists->ring, document, bytes, 0, &list, &failure) != 0)
		log_line(LOG_LEVEL_ERROR, "%s: not used: %s", name, failure.text);
	else
		lists->list[lists->count++] = list;
	free(document);
}

int lists_open(struct state *state, const struct keyring *ring, struct lists **out,
	       struct failure *failure)
{
	struct lists *lists = calloc(1, sizeof(*lists));
	int error;

	if (lists == NULL)
		return failure_set(failure, ENOMEM, "lists: no memory");
	lists->state = state;
	lists->ring = ring;
	error = state_each(state, LISTS_FILE, lists_load, lists, failure);
	if (error != 0) {
		lists_close(lists);
		return error;
	}
	*out = lists;
	return 0;
}

void lists_close(struct lists *lists)
{
	if (lists == NULL)
		return;
	for (uint32_t i = 0; i < lists->count; i++)
		list_free(lists->list[i]);
	free(lists);
}

const struct list *lists_find(const struct lists *lists, const uint8_t hash[LIST_HASH_BYTES])
{
	for (uint32_t i = 0; i < lists->count; i++)
		if (memcmp(lists->list[i]->hash, hash, LIST_HASH_BYTES) == 0)
			return lists->list[i];
	return NULL;
}

const struct list *lists_newest(const struct lists *lists)
{
	const struct list *newest = NULL;

	for (uint32_t i = 0; i < lists->count; i++)
		if (newest == NULL || lists->list[i]->epoch > newest->epoch)
			newest = lists->list[i];
	return newest;
}

static void lists_drop(struct lists *lists, uint32_t index)
{
	struct failure failure;
	char name[128];

	lists_file_name(lists->list[index]->hash, name);
	if (state_remove(lists->state, name, &failure) != 0)
		log_line(LOG_LEVEL_WARNING, "%s", failure.text);
	list_free(lists->list[index]);
	lists->list[index] = lists->list[--lists->count];
}

void lists_trim(struct lists *lists, const struct list *keep, const struct list *keep_too)
{
	while (lists->count > LISTS_KEPT - 1) {
		uint32_t oldest = lists->count;

		for (uint32_t i = 0; i < lists->count; i++)
			if (lists->list[i] != keep && lists->list[i] != keep_too &&
			    (oldest == lists->count ||
			     lists->list[i]->epoch < lists->list[oldest]->epoch))
				oldest = i;
		if (oldest == lists->count)
			return;
		lists_drop(lists, oldest);
	}
}

const struct list *lists_rival(const struct lists *lists, uint64_t epoch,
			       const uint8_t hash[LIST_HASH_BYTES])
{
	for (uint32_t i = 0; i < lists->count; i++)
		if (lists->list[i]->epoch == epoch &&
		    memcmp(lists->list[i]->hash, hash, LIST_HASH_BYTES) != 0)
			return lists->list[i];
	return NULL;
}

int lists_add(struct lists *lists, const void *document, size_t bytes, uint64_t since,
	      const struct list **out, struct failure *failure)
{
	struct list *list;
	char name[128];
	int error;

	error = keyring_list_open(lists->ring, document, bytes, since, &list, failure);
	if (error != 0)
		return error;
	*out = lists_find(lists, list->hash);
	if (*out != NULL) {
		list_free(list);
		return 0;
	}
	if (lists->count == LISTS_KEPT + 2) {
		list_free(list);
		return failure_set(failure, ENOSPC, "lists: %u are kept already", LISTS_KEPT);
	}
	lists_file_name(list->hash, name);
	error = state_store(lists->state, name, document, bytes, failure);
	if (error != 0) {
		list_free(list);
		return error;
	}
	lists->list[lists->count++] = list;
	*out = list;
	return 0;
}
