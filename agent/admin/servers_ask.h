/* servers_ask.h - asks the servers of a change what they hold, all at once and within seconds.
 *
 * Only `stats` is sent.  Who does not answer is left with the reason.
 */
#ifndef MCROSTER_ADMIN_SERVERS_ASK_H
#define MCROSTER_ADMIN_SERVERS_ASK_H

#include "admin/forecast.h"
#include "list/failure.h"

/* Those that the forecast is concerned with.  -ENOMEM. */
int servers_ask(struct forecast *forecast, const struct change *change, struct failure *failure);

/* What the servers of a first list hold, for it moves nothing. */
struct first_held {
	uint64_t keys;
	uint32_t holding, not_asked; /* servers */
};
/* -ENOMEM. */
int servers_ask_first(const struct list *list, struct first_held *held, struct failure *failure);

#endif
