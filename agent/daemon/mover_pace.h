/* mover_pace.h - how fast the movers of an agent may go: the operator's limits, which may change
 * while they run, and what of them is used up.
 *
 * Pure arithmetic; time is an argument.  One agent is one process: all its movers draw from here.
 */
#ifndef MCROSTER_MOVER_PACE_H
#define MCROSTER_MOVER_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/mover_rate.h"

#define MOVER_PACE_RATE_MAX 1000000000000u /* a second; what is above makes no sense as a limit */

struct mover_pace {
	uint64_t rate_keys, rate_bytes; /* a second; 0: no limit */
	bool adaptive;			/* give way to the servers' other clients */
	struct mover_rate keys;		/* private, as what follows */
	uint64_t bytes_owed, bytes_at_ns;
};

/* How many of `want` keys may be begun now. */
uint32_t mover_pace_take(struct mover_pace *pace, uint64_t now_ns, uint32_t want);
/* Of `granted` keys so many were begun, items of so many bytes in all.  A batch is begun whole, so
 * bytes are taken on credit and nothing more is granted until time has paid for them. */
void mover_pace_used(struct mover_pace *pace, uint32_t granted, uint32_t begun, uint64_t bytes);

#endif
