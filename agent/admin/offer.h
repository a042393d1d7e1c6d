/* offer.h - a signed document offered to an agent until it has decided. */
#ifndef MCROSTER_ADMIN_OFFER_H
#define MCROSTER_ADMIN_OFFER_H

#include <stddef.h>

#include "admin/link.h"
#include "admin/outcome.h"

/* From now on signals end what is asked over the link, and so does the limit of `elapsed`. */
int offer_prepare(struct link *link, const struct elapsed *elapsed, struct failure *failure);

/* Offers the document; while the verdict is "later", again, for as long as `elapsed` allows.  Where
 * it was accepted the outcome's words are the agent's. */
void offer_document(struct link *link, const void *document, size_t document_bytes,
		    const struct elapsed *elapsed, struct outcome *outcome);

#endif
