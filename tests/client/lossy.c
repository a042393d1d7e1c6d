/* lossy.c - see lossy.h. */
#include "lossy.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_at(struct mcr_reader *reader, uint32_t number, const char *address)
{
	struct mcr_server server;

	return mcr_server(reader, NULL, number, &server) == MCR_OK &&
	       strcmp(server.address, address) == 0;
}

int lossy_mark(const struct crew_setup *setup, const char *address, const char *which)
{
	const bool old = strcmp(which, "new") != 0, new = strcmp(which, "old") != 0;
	struct mcr_reader *reader = NULL;
	struct mcr *mcr = NULL;
	int marked = 0;
	int rc = mcr_open(setup->segments[0], MCR_OBSERVE, &mcr);

	if (!rc)
		rc = mcr_reader_new(mcr, &reader);
	for (uint32_t i = 0; !rc && i < setup->keys; i++) {
		const struct item item = item_of(i);
		uint32_t owners[2];

		rc = mcr_owner(reader, item.key, item.key_bytes, &owners[0], &owners[1]);
		if (!rc && ((old && is_at(reader, owners[0], address)) ||
			    (new &&is_at(reader, owners[1], address)))) {
			history_lossy(setup->history, i, true);
			marked++;
		}
	}
	if (rc)
		fprintf(stderr, "load: segment %s: %s\n", setup->segments[0], mcr_strerror(rc));
	if (reader)
		mcr_reader_free(reader);
	mcr_close(mcr);
	return rc ? -1 : marked;
}

void lossy_none(const struct crew_setup *setup)
{
	for (uint32_t i = 0; i < setup->keys; i++)
		history_lossy(setup->history, i, false);
}
