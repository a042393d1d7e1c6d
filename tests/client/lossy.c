/* lossy.c - see lossy.h. */
#include "lossy.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire.h"

#define ASK_MS 20000

/* A key that the server in question owns. */
struct owned {
	uint32_t index;
	bool shared; /* by one that may hold it too */
	struct mcr_server other;
	struct item item;
	struct wire_query query;
};

struct roll {
	struct owned *owned;
	uint32_t count;
};

/* 1: the server owns it; then *shared says whether there is another owner, *other. */
static int owned_by(struct mcr_reader *reader, const struct item *item, const char *address,
		    bool *shared, struct mcr_server *other)
{
	struct mcr_server owner[2];
	uint32_t number[2];
	bool is[2];
	int rc = mcr_owner(reader, item->key, item->key_bytes, &number[0], &number[1]);

	for (int i = 0; !rc && i < 2; i++) {
		rc = mcr_server(reader, NULL, number[i], &owner[i]);
		is[i] = !rc && strcmp(owner[i].address, address) == 0;
	}
	if (rc)
		return rc;
	*shared = is[0] != is[1];
	*other = owner[is[0] ? 1 : 0];
	return is[0] || is[1];
}

static int roll_take(const struct crew_setup *setup, const char *address, struct roll *roll)
{
	struct mcr_reader *reader = NULL;
	struct mcr *mcr = NULL;
	int rc = mcr_open(setup->segments[0], MCR_OBSERVE, &mcr);

	if (!rc)
		rc = mcr_reader_new(mcr, &reader);
	roll->count = 0;
	roll->owned = calloc(setup->keys, sizeof(*roll->owned));
	for (uint32_t i = 0; rc >= 0 && roll->owned && i < setup->keys; i++) {
		struct owned *owned = roll->owned + roll->count;

		owned->index = i;
		owned->item = item_of(i);
		rc = owned_by(reader, &owned->item, address, &owned->shared, &owned->other);
		roll->count += rc == 1;
	}
	if (rc < 0)
		fprintf(stderr, "load: segment %s: %s\n", setup->segments[0], mcr_strerror(rc));
	if (reader)
		mcr_reader_free(reader);
	mcr_close(mcr);
	return rc < 0 || !roll->owned ? -1 : 0;
}

/* Which of them are at their other owner as well?  An empty value is a mover's reservation. */
static int others_ask(struct roll *roll)
{
	struct wire_pool *pool = wire_pool_new();
	struct wire *wire;
	int rc = pool ? 0 : -1;

	for (uint32_t i = 0; !rc && i < roll->count; i++) {
		struct owned *owned = roll->owned + i;

		if (!owned->shared)
			continue;
		owned->query.key = owned->item.key;
		owned->query.key_bytes = owned->item.key_bytes;
		wire = wire_of(pool, owned->other.id, owned->other.address);
		if (wire)
			wire_ask(wire, &owned->query);
		else
			rc = -1;
	}
	if (!rc)
		wire_pool_exchange(pool, ASK_MS);
	wire_pool_free(pool);
	for (uint32_t i = 0; !rc && i < roll->count; i++) {
		struct owned *owned = roll->owned + i;

		if (owned->shared && owned->query.answer == WIRE_FAILED) {
			fprintf(stderr, "load: %s does not say what it holds\n",
				owned->other.address);
			rc = -1;
		}
		owned->shared = owned->shared && owned->query.answer == WIRE_DONE &&
				owned->query.value_bytes > 0;
		free(owned->query.value);
	}
	return rc;
}

int lossy_killed(const struct crew_setup *setup, const char *address)
{
	struct roll roll;
	int lost = 0;

	if (roll_take(setup, address, &roll) || others_ask(&roll))
		lost = -1;
	for (uint32_t i = 0; lost >= 0 && i < roll.count; i++)
		if (!roll.owned[i].shared && history_lost(setup->history, roll.owned[i].index))
			lost++;
	free(roll.owned);
	return lost;
}

int lossy_evicts(const struct crew_setup *setup, const char *address)
{
	struct roll roll;
	int lossy = -1;

	if (roll_take(setup, address, &roll) == 0) {
		lossy = (int)roll.count;
		for (uint32_t i = 0; i < roll.count; i++)
			history_lossy(setup->history, roll.owned[i].index);
	}
	free(roll.owned);
	return lossy;
}

void lossy_none(const struct crew_setup *setup)
{
	for (uint32_t i = 0; i < setup->keys; i++)
		history_whole(setup->history, i);
}
