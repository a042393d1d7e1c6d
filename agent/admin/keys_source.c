/* keys_source.c - see keys_source.h.  An agent is believed no more than a file is. */
#include "admin/keys_source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/any_document.h"
#include "admin/status.h"

int keys_source_file(const char *path, const struct signers_trusted *trusted, struct keys **keys,
		     struct failure *failure)
{
	struct any_document any;
	int error = any_document_file(path, trusted, &any, failure);

	if (error < 0)
		return error;
	if (any.kind != ANY_KEYS) {
		error = failure_set(failure, EBADMSG, "%s: this is %s, a keys document is wanted",
				    path, any.kind == ANY_LIST ? "a list" : "an order");
	} else {
		*keys = any.keys;
		any.keys = NULL;
	}
	any_document_clear(&any);
	return error;
}

static int document_get(struct link *link, const struct status *status, struct keys **keys,
			struct failure *failure)
{
	struct keys *found;
	struct failure why;
	char *document;
	size_t document_bytes;
	int error;

	if (!status->keys.there)
		return failure_set(failure, EBADMSG,
				   "%s: says keys version %" PRIu64 " is in force, not with which "
				   "hash",
				   link_peer_name(link), status->keys_version);
	error = link_document_get(link, status->keys.bytes, &document, &document_bytes, failure);
	if (error < 0)
		return error;
	error = keys_parse(document, document_bytes, &found, &why);
	free(document);
	if (error < 0)
		return failure_set(failure, -error, "%s: %s", link_peer_name(link), why.text);
	if (memcmp(found->hash, status->keys.bytes, LIST_HASH_BYTES) != 0 ||
	    found->version != status->keys_version) {
		keys_free(found);
		return failure_set(failure, EBADMSG,
				   "%s: gave another keys document than is in force",
				   link_peer_name(link));
	}
	*keys = found;
	return 0;
}

int keys_source_agent(struct link *link, struct keys **keys, char cluster[LIST_NAME_MAX + 1],
		      struct failure *failure)
{
	struct status *status;
	struct keys *found = NULL;
	char *body;
	size_t body_bytes;
	int error = link_status_get(link, STATUS_CLUSTER, &body, &body_bytes, failure);

	if (error < 0)
		return error;
	error = status_parse(body, body_bytes, &status, failure);
	free(body);
	if (error < 0)
		return error;
	if (status->keys_version != 0)
		error = document_get(link, status, &found, failure);
	if (error == 0) {
		(void)snprintf(cluster, LIST_NAME_MAX + 1, "%s", status->cluster);
		*keys = found;
	}
	status_free(status);
	return error;
}
