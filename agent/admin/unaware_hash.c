/* unaware_hash.c - see unaware_hash.h. */
#include "admin/unaware_hash.h"

#include <stdlib.h>
#include <string.h>

#include "admin/status.h"
#include "list/phase.h"

int unaware_hash(struct link *link, bool *there, uint8_t out[LIST_HASH_BYTES],
		 struct failure *failure)
{
	struct status *status = NULL;
	const struct status_hash *hash;
	int phase;
	size_t bytes;
	char *body;
	int error = link_status_get(link, STATUS_LOCAL, &body, &bytes, failure);

	if (error < 0)
		return error;
	error = status_parse(body, bytes, &status, failure);
	free(body);
	if (error < 0)
		return error;
	phase = phase_find(status->phase, strlen(status->phase));
	hash = status->pending.there && phase >= 0 && phase_next_first((enum phase)phase)
		   ? &status->pending
		   : &status->active;
	*there = hash->there;
	memcpy(out, hash->bytes, LIST_HASH_BYTES);
	status_free(status);
	return 0;
}
