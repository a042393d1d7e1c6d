/* workers.h - the movers of this agent: one for each of its servers that has work in the phase. */
#ifndef MCROSTER_WORKERS_H
#define MCROSTER_WORKERS_H

#include <stdbool.h>

#include "core/register.h"
#include "daemon/mover.h"

struct agent;
struct workers;

int workers_new(struct agent *agent, struct workers **workers);
void workers_free(struct workers *workers);

/* Starts the work of a step on this agent's servers (none may be running). */
void workers_start(struct workers *workers, const struct reg *reg, bool restarted);
/* Stops all of them; host_stopped follows, perhaps at once. */
void workers_stop(struct workers *workers);
/* Do movers still hold the change they were started with? */
bool workers_busy(const struct workers *workers);
/* How far the work on one server is (its number in the host's change).  False: there is none here
 * in this phase. */
bool workers_server(const struct workers *workers, uint32_t server, struct work *work,
		    struct mover_failures *failures);
/* What all movers have done since the agent started, by the phase they did it in.  These only grow:
 * what is found once more in one phase counts once. */
struct mover_counts {
	uint64_t found, moved, present, expired, gone, cold; /* as in struct work */
	struct mover_failures failed;
};
const struct mover_counts *workers_counts(const struct workers *workers, unsigned phase);
/* The limits of all movers, at once and until they are changed again. */
struct mover_pace *workers_pace(struct workers *workers);
/* Tells the host how far they are. */
void workers_report(struct workers *workers);

#endif
