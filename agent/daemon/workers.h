/* workers.h - the movers of this agent: one for each of its servers that has work in the phase. */
#ifndef MCROSTER_WORKERS_H
#define MCROSTER_WORKERS_H

#include <stdbool.h>

#include "core/register.h"

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
/* Tells the host how far they are. */
void workers_report(struct workers *workers);

#endif
