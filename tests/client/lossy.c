/* lossy.c - see lossy.h. */
#include "lossy.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One server is asked what it holds, whatever a plan would say: the adapter's own wire. */
#include "way.h"
#include "wire.h"

#define ASK_MS 20000

/* A key that the server in question owns. */
struct owned {
	uint32_t index;
	bool shared; /* by one that may hold it too */
	struct mcr_server other;
	struct item item;
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

#define OTHERS_MAX 64u

/* The wire to a server, made at its first use; NULL: it cannot be. */
static struct wire *other_wire(struct wire *wires[OTHERS_MAX], const struct mcr_server *server)
{
	static const struct mcr_pool_options options = {.prepare = way_prepare};
	unsigned i = 0;

	while (i < OTHERS_MAX && wires[i] && !mcr_wire_is(wires[i], server))
		i++;
	if (i == OTHERS_MAX)
		return NULL;
	if (!wires[i])
		wires[i] = mcr_wire_new(server, &options);
	return wires[i];
}

/* Which of them are at their other owner as well?  An empty value is a mover's reservation. */
static int others_ask(struct roll *roll)
{
	struct wire *wires[OTHERS_MAX] = {NULL};
	int rc = 0;

	for (uint32_t i = 0; !rc && i < roll->count; i++) {
		struct owned *owned = roll->owned + i;
		struct mcr_pool_value value = {.bytes = NULL};
		struct wire_query query = {
		    .key = owned->item.key, .key_bytes = owned->item.key_bytes, .value = &value};
		struct wire *wire;

		if (!owned->shared)
			continue;
		wire = other_wire(wires, &owned->other);
		if (wire)
			mcr_wire_get(wire, &query, ASK_MS);
		if (!wire || query.answer == WIRE_FAILED) {
			fprintf(stderr, "load: %s does not say what it holds\n",
				owned->other.address);
			rc = -1;
		}
		owned->shared = query.answer == WIRE_DONE && value.length > 0;
		free(value.bytes);
	}
	for (unsigned i = 0; i < OTHERS_MAX; i++)
		mcr_wire_free(wires[i]);
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
