/* watchdog.h - tells the service manager that the agent's loop still turns (WatchdogSec in the
 * unit; sd_watchdog_enabled(3)).
 *
 * Fed where the segment's heartbeat is counted and nowhere else: an agent that its clients would
 * take for dead is dead for the service manager too.
 */
#ifndef MCROSTER_WATCHDOG_H
#define MCROSTER_WATCHDOG_H

#include <stdint.h>

#include "list/failure.h"

struct watchdog {
	uint64_t every_ms; /* half of what the manager waits; 0: nobody waits */
	uint64_t next_ms;
};

/* Reads WATCHDOG_USEC and WATCHDOG_PID.  -EINVAL with the sentence: nothing will be fed. */
int watchdog_start(struct watchdog *watchdog, struct failure *failure);
void watchdog_feed(struct watchdog *watchdog, uint64_t now_ms);

#endif
