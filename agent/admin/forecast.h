/* forecast.h - how many keys and bytes a change is going to move, and how long that takes.
 *
 * Arithmetic alone: what the servers hold is told, and each moves the share of it that its parts
 * say.  What a server holds beside the list's prefix, or past its expiry, is counted as well.
 */
#ifndef MCROSTER_ADMIN_FORECAST_H
#define MCROSTER_ADMIN_FORECAST_H

#include <stdbool.h>
#include <stdint.h>

#include "list/change.h"

/* What a source is taken to send a second where nothing limits it. */
#define FORECAST_KEYS_A_SECOND	200000u
#define FORECAST_BYTES_A_SECOND 100000000u

struct forecast_server {
	bool concerned, asked; /* it loses or gains keys; it has said what it holds */
	char why[160];	       /* why it has not */
	uint64_t items, bytes, limit;
	uint64_t keys_out, bytes_out, keys_in, bytes_in;
	uint64_t room; /* bytes that it takes without evicting; UINT64_MAX: not known */
	bool too_small;
};

struct forecast {
	struct forecast_server *servers; /* by the change's numbers */
	uint32_t count, not_asked;
	uint64_t rate_keys, rate_bytes; /* of one host's movers, a second; 0: no limit */
	uint64_t keys, bytes, ms;
};

/* NULL: no memory.  Then who is concerned is known. */
struct forecast *forecast_new(const struct change *change);
void forecast_free(struct forecast *forecast); /* NULL is fine */

/* With what the servers have said and the rates set, the rest.  -ENOMEM. */
int forecast_make(struct forecast *forecast, const struct change *change, struct failure *failure);

#endif
