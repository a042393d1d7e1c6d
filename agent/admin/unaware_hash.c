/* unaware_hash.c - see unaware_hash.h. */
#include "admin/unaware_hash.h"

#include <stdlib.h>
#include <string.h>

#include "admin/status.h"
#include "list/phase.h"

int unaware_hash(struct link *link, bool *there, uint8_t out[LIST_HASH_BYTES],
		 struct failure *failure)
{
	static const enum phase next[] = {PHASE_SWITCH, PHASE_SETTLE, PHASE_DRAIN,
					  PHASE_GIVEUP, PHASE_AFTER,  PHASE_PURGE};
	struct status *status = NULL;
	const struct status_hash *hash;
	size_t bytes;
	char *body;
	int error = link_status_get(link, STATUS_LOCAL, &body, &bytes, failure);

	if (error < 0)
		return error;
	error = status_parse(body, bytes, &status, failure);
	free(body);
	if (error < 0)
		return error;
	hash = &status->active;
	for (size_t i = 0; i < sizeof(next) / sizeof(next[0]); i++)
		if (status->pending.there && strcmp(status->phase, phase_name(next[i])) == 0)
			hash = &status->pending;
	*there = hash->there;
	memcpy(out, hash->bytes, LIST_HASH_BYTES);
	status_free(status);
	return 0;
}
