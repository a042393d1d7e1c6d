/* on_change.h - the operator's command that is told of another list.
 *
 * It is run, with no shell, when the list that clients who know nothing of phases are to look at
 * (mcadmin show --unaware) is another one than it was told of last, and once after the agent's
 * start, for something may have changed while the agent was away.  Never two at once: what comes
 * while it runs is told when it has ended, the newest alone.  One that takes too long is killed,
 * with all of its process group.  Its environment is the agent's, and MCROSTER_CLUSTER,
 * MCROSTER_EPOCH and MCROSTER_CONTROL, the control socket; its input is empty, its output goes
 * where the agent's log goes.  The agent waits for nothing of it, and only its log says how it
 * ended.
 */
#ifndef MCROSTER_ON_CHANGE_H
#define MCROSTER_ON_CHANGE_H

#include <stdint.h>

#include <event2/event.h>

#include "daemon/config.h"
#include "list/failure.h"

struct on_change;

/* Runs what `config`, which is borrowed, names at that time: it may name another command later, or
 * none. */
int on_change_new(const struct config *config, struct event_base *base,
		  struct on_change **on_change, struct failure *failure);
/* Ends the command where one runs.  NULL is fine. */
void on_change_free(struct on_change *on_change);

/* The epoch of that list. */
void on_change_told(struct on_change *on_change, uint64_t epoch);

#endif
