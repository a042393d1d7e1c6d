/* any_document.c - see any_document.h. */
#include "admin/any_document.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/file.h"

static bool begins(const char *document, size_t document_bytes, const char *magic)
{
	const size_t length = strlen(magic);

	return document_bytes > length && memcmp(document, magic, length) == 0 &&
	       document[length] == ' ';
}

static int list_take(const char *document, size_t document_bytes, struct any_document *any,
		     struct failure *failure)
{
	int error = list_parse(document, document_bytes, &any->list, failure);

	if (error < 0)
		return error;
	any->kind = ANY_LIST;
	any->cluster = any->list->cluster;
	any->hash = any->list->hash;
	any->bytes = any->list->document;
	any->length = any->list->document_bytes;
	return 0;
}

static int order_take(const char *document, size_t document_bytes, struct any_document *any,
		      struct failure *failure)
{
	int error = order_parse(document, document_bytes, &any->order, failure);

	if (error < 0)
		return error;
	any->kind = ANY_ORDER;
	any->cluster = any->order->cluster;
	any->hash = any->order->hash;
	any->bytes = any->order->document;
	any->length = any->order->document_bytes;
	return 0;
}

static int keys_take(const char *document, size_t document_bytes, struct any_document *any,
		     struct failure *failure)
{
	int error = keys_parse(document, document_bytes, &any->keys, failure);

	if (error < 0)
		return error;
	any->kind = ANY_KEYS;
	any->cluster = any->keys->cluster;
	any->hash = any->keys->hash;
	any->bytes = any->keys->document;
	any->length = any->keys->document_bytes;
	return 0;
}

static int document_take(const char *document, size_t document_bytes, struct any_document *any,
			 struct failure *failure)
{
	size_t body_bytes;
	uint32_t count;
	int error;

	if (begins(document, document_bytes, "mcroster-list"))
		return list_take(document, document_bytes, any, failure);
	if (begins(document, document_bytes, "mcroster-order"))
		return order_take(document, document_bytes, any, failure);
	if (begins(document, document_bytes, "mcroster-keys"))
		return keys_take(document, document_bytes, any, failure);
	/* What is wrong with the envelope says more than the missing magic. */
	error = document_split(document, document_bytes, &body_bytes, &count, failure);
	if (error < 0)
		return error;
	return failure_set(failure, EBADMSG,
			   "line 1: neither mcroster-list, mcroster-order nor mcroster-keys: no "
			   "document of mcroster's");
}

/* `name` is where it came from. */
static int document_open(const char *name, const char *document, size_t document_bytes,
			 const struct signers_trusted *trusted, struct any_document *any,
			 struct failure *failure)
{
	struct failure why;
	size_t body_bytes;
	int error = 0;

	memset(any, 0, sizeof(*any));
	if (trusted != NULL && trusted->trust.count > 0)
		error =
		    document_verify(document, document_bytes, &trusted->trust, &body_bytes, &why);
	if (error == 0)
		error = document_take(document, document_bytes, any, &why);
	return error < 0 ? failure_set(failure, -error, "%s: %s", name, why.text) : 0;
}

int any_document_file(const char *path, const struct signers_trusted *trusted,
		      struct any_document *any, struct failure *failure)
{
	char *document;
	size_t document_bytes;
	int error = file_read(path, DOCUMENT_BYTES_MAX, &document, &document_bytes, failure);

	if (error < 0)
		return error;
	error = document_open(path, document, document_bytes, trusted, any, failure);
	free(document);
	return error;
}

int any_document_agent(struct link *link, const uint8_t *hash,
		       const struct signers_trusted *trusted, struct any_document *any,
		       struct failure *failure)
{
	char *document;
	size_t document_bytes;
	int error = hash == NULL
			? link_list_get(link, &document, &document_bytes, failure)
			: link_document_get(link, hash, &document, &document_bytes, failure);

	if (error < 0)
		return error;
	error =
	    document_open(link_peer_name(link), document, document_bytes, trusted, any, failure);
	free(document);
	if (error == 0 && (hash == NULL ? any->kind != ANY_LIST
					: memcmp(any->hash, hash, LIST_HASH_BYTES) != 0)) {
		any_document_clear(any);
		error =
		    failure_set(failure, EBADMSG, "%s: gave another document than was asked for",
				link_peer_name(link));
	}
	return error;
}

void any_document_clear(struct any_document *any)
{
	list_free(any->list);
	order_free(any->order);
	keys_free(any->keys);
	memset(any, 0, sizeof(*any));
}

static void order_title(const struct order *order, char title[ANY_TITLE_BYTES])
{
	const struct order_binding *bound = &order->binding;

	if (order->kind == ORDER_FAILOVER)
		(void)snprintf(title, ANY_TITLE_BYTES, "order failover to %s for term %" PRIu64,
			       order->targets[0].name, bound->term);
	else
		(void)snprintf(title, ANY_TITLE_BYTES,
			       "order %s%s%s%s for term %" PRIu64 ", serial %" PRIu64 ", %s",
			       order_kind_name(order->kind), order->target_count > 0 ? " " : "",
			       order->target_count > 0 ? order->targets[0].name : "",
			       order->target_count > 1 ? " and others" : "", bound->term,
			       bound->serial, phase_name(bound->phase));
}

const char *any_document_title(const struct any_document *any, char title[ANY_TITLE_BYTES])
{
	switch (any->kind) {
	case ANY_LIST:
		(void)snprintf(title, ANY_TITLE_BYTES, "epoch %" PRIu64, any->list->epoch);
		break;
	case ANY_ORDER:
		order_title(any->order, title);
		break;
	case ANY_KEYS:
		(void)snprintf(title, ANY_TITLE_BYTES, "keys version %" PRIu64, any->keys->version);
		break;
	}
	return title;
}

const char *any_document_kind(const struct any_document *any)
{
	static const char *const words[] = {
	    [ANY_LIST] = "list", [ANY_ORDER] = "order", [ANY_KEYS] = "keys"};

	return words[any->kind];
}
