/* follow.h - waits for what an accepted document has begun, and shows how far it is.
 *
 * The change belongs to the cluster: whatever happens to this program, it goes on, and that is what
 * is said whenever the waiting ends early.
 */
#ifndef MCROSTER_ADMIN_FOLLOW_H
#define MCROSTER_ADMIN_FOLLOW_H

#include "admin/link.h"
#include "admin/outcome.h"
#include "admin/status.h"
#include "list/list.h"
#include "list/order.h"

struct follow {
	struct link *link;
	const struct elapsed *elapsed;
	struct status *status; /* the last one; NULL before the first; for the caller to free */
};

/* Until the cluster has settled on the list, or has undone it. */
void follow_list(struct follow *follow, const struct list *list, struct outcome *outcome);

/* Until the change that the abort is for has been undone. */
void follow_abort(struct follow *follow, const struct order *order, struct outcome *outcome);

#endif
