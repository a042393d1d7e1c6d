/* any_document.h - a signed document of whatever kind: its magic line says which. */
#ifndef MCROSTER_ADMIN_ANY_DOCUMENT_H
#define MCROSTER_ADMIN_ANY_DOCUMENT_H

#include "admin/link.h"
#include "admin/signers.h"
#include "list/keys.h"
#include "list/list.h"
#include "list/order.h"

enum any_kind { ANY_LIST, ANY_ORDER, ANY_KEYS };

struct any_document {
	enum any_kind kind;
	/* The one of its kind, owned; the others are NULL. */
	struct list *list;
	struct order *order;
	struct keys *keys;
	/* Borrowed from it. */
	const char *cluster;
	const uint8_t *hash, *bytes;
	size_t length;
};

#define ANY_TITLE_BYTES 256u

/* From a file.  The signatures are checked before anything is parsed where `trusted` (NULL: none)
 * names keys.  The sentence names the file. */
int any_document_file(const char *path, const struct signers_trusted *trusted,
		      struct any_document *any, struct failure *failure);

/* The active list of an agent (`hash` NULL), or whatever it holds under that hash.  -EBADMSG when
 * it answers with something else. */
int any_document_agent(struct link *link, const uint8_t *hash,
		       const struct signers_trusted *trusted, struct any_document *any,
		       struct failure *failure);
void any_document_clear(struct any_document *any);

/* "epoch 42", "order abort for term 3, serial 17, COPY", "keys version 2". */
const char *any_document_title(const struct any_document *any, char title[ANY_TITLE_BYTES]);

/* "list", "order", "keys". */
const char *any_document_kind(const struct any_document *any);

#endif
