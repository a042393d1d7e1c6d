/* offer.h - a signed document offered to an agent until it has decided. */
#ifndef MCROSTER_ADMIN_OFFER_H
#define MCROSTER_ADMIN_OFFER_H

#include <stddef.h>

#include "admin/link.h"
#include "admin/outcome.h"

/* Makes the link for an offer: signals end it, and so does the limit of `elapsed`. */
int offer_link(struct link_peer *peer, const struct elapsed *elapsed, struct link **link,
	       struct failure *failure);

/* Offers the document; while the verdict is "later", again, for as long as `elapsed` allows.  Where
 * it was accepted the outcome's words are the agent's. */
void offer_document(struct link *link, const void *document, size_t document_bytes,
		    const struct elapsed *elapsed, struct outcome *outcome);

#endif
