/* list_source.c - see list_source.h.  An agent is believed no more than a file is. */
#include "admin/list_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "admin/file.h"

static int document_take(const char *name, const char *document, size_t document_bytes,
			 const struct signers_trusted *trusted, struct list **list,
			 struct failure *failure)
{
	struct failure why;
	size_t body_bytes;
	int error = 0;

	if (trusted != NULL && trusted->trust.count > 0)
		error =
		    document_verify(document, document_bytes, &trusted->trust, &body_bytes, &why);
	if (error == 0)
		error = list_parse(document, document_bytes, list, &why);
	return error < 0 ? failure_set(failure, -error, "%s: %s", name, why.text) : 0;
}

int list_source_file(const char *path, const struct signers_trusted *trusted, struct list **list,
		     struct failure *failure)
{
	char *document;
	size_t document_bytes;
	int error = file_read(path, DOCUMENT_BYTES_MAX, &document, &document_bytes, failure);

	if (error < 0)
		return error;
	error = document_take(path, document, document_bytes, trusted, list, failure);
	free(document);
	return error;
}

int list_source_agent(struct link *link, const struct signers_trusted *trusted, struct list **list,
		      struct failure *failure)
{
	char *document;
	size_t document_bytes;
	int error = link_list_get(link, &document, &document_bytes, failure);

	if (error < 0)
		return error;
	error =
	    document_take(link_peer_name(link), document, document_bytes, trusted, list, failure);
	free(document);
	return error;
}

int list_source_hash(struct link *link, const uint8_t hash[LIST_HASH_BYTES], struct list **list,
		     struct failure *failure)
{
	struct list *found = NULL;
	char *document;
	size_t document_bytes;
	int error = link_document_get(link, hash, &document, &document_bytes, failure);

	if (error < 0)
		return error;
	error =
	    document_take(link_peer_name(link), document, document_bytes, NULL, &found, failure);
	free(document);
	if (error < 0)
		return error;
	if (memcmp(found->hash, hash, LIST_HASH_BYTES) != 0) {
		list_free(found);
		return failure_set(failure, EBADMSG, "%s: gave another list than was asked for",
				   link_peer_name(link));
	}
	*list = found;
	return 0;
}
