/* next_keys.c - see next_keys.h. */
#include "admin/next_keys.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/human.h"
#include "admin/keys_report.h"

static uint32_t common_count(const struct keys *one, const struct keys *other)
{
	uint32_t common = 0;

	for (uint32_t i = 0; i < one->key_count; i++)
		common += keys_report_has(other, one->keys[i]);
	return common;
}

uint32_t next_keys_signers(const struct keys *previous, const struct keys *next)
{
	uint32_t both;

	if (previous == NULL)
		return next->threshold;
	both = common_count(previous, next);
	if (both > previous->threshold)
		both = previous->threshold;
	if (both > next->threshold)
		both = next->threshold;
	return previous->threshold + next->threshold - both;
}

static int next_check(const struct keys *previous, const struct keys *next, struct failure *failure)
{
	if (previous == NULL)
		return 0;
	if (previous->threshold == next->threshold && previous->key_count == next->key_count &&
	    common_count(previous, next) == next->key_count)
		return failure_set(failure, EEXIST,
				   "nothing changes: version %" PRIu64
				   " has these keys and this threshold already",
				   previous->version);
	if (next_keys_signers(previous, next) > DOCUMENT_SIGNATURES_MAX)
		return failure_set(
		    failure, EINVAL,
		    "the thresholds of version %" PRIu64 " and of its own need %" PRIu32
		    " signatures, a document has at most %u: exchange the keys in more "
		    "than one version",
		    previous->version, next_keys_signers(previous, next), DOCUMENT_SIGNATURES_MAX);
	return 0;
}

int next_keys_make(const char *cluster, const struct keys *previous, const struct trust *trust,
		   struct keys **next, struct failure *failure)
{
	struct keys draft = {.version = previous == NULL ? 1 : previous->version + 1};
	struct keys *made = NULL;
	void *body = NULL;
	size_t body_bytes;
	int error;

	(void)snprintf(draft.cluster, sizeof(draft.cluster), "%s", cluster);
	human_now(draft.created);
	draft.has_parent = previous != NULL;
	if (previous != NULL)
		memcpy(draft.parent, previous->hash, sizeof(draft.parent));
	draft.threshold = trust->threshold;
	draft.key_count = trust->count;
	memcpy(draft.keys, trust->keys, sizeof(draft.keys));
	error = keys_write(&draft, &body, &body_bytes, failure);
	if (error == 0)
		error = keys_parse(body, body_bytes, &made, failure);
	if (error == 0)
		error = next_check(previous, made, failure);
	free(body);
	if (error < 0) {
		keys_free(made);
		return error;
	}
	*next = made;
	return 0;
}
