/* stats_ask.h - what memcacheds say of themselves (stats, stats settings), all asked at once and
 * within seconds.  Nothing else is sent, and nothing changes there.
 */
#ifndef MCROSTER_ADMIN_STATS_ASK_H
#define MCROSTER_ADMIN_STATS_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "list/failure.h"

#define STATS_ASK_MS 3000u

/* Flags are -1 where nothing was said of them. */
struct server_stats {
	const char *address; /* whom to ask; NULL: nobody */
	bool answered;
	char why[160]; /* why it has not */
	char version[32];
	uint64_t items, bytes, limit, evictions, time, connections, connections_max, item_size_max;
	int cas, dump, crawler, evicting, expanding;
};

/* -ENOMEM. */
int stats_ask(struct server_stats *servers, uint32_t count, struct failure *failure);

#endif
