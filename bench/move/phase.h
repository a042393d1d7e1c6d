/* phase.h - one phase's work by the agent's own mover, in a process of its own.
 *
 * The mover is the daemon's, with its loop, spool and connections; the process is the agent without
 * what does nothing during a move, so its processor time and memory are the mover's.
 */
#ifndef MCROSTER_BENCH_PHASE_H
#define MCROSTER_BENCH_PHASE_H

#include <stdint.h>

#include "core/register.h"
#include "daemon/mover.h"

struct phase_run {
	const char *source, *destination; /* every key leaves the one for the other */
	enum phase phase;
	uint64_t count;		/* keys there */
	bool adaptive;		/* it gives way to other clients */
	bool aside;		/* it stands aside (bench_stand_aside) */
	struct mover_mark mark; /* saved last; kept for the next phase */
};

struct phase_result {
	double settled_s; /* until every key had been moved, found there or removed */
	double whole_s;	  /* until the phase's work was done, with all walks that prove it */
	double cpu_s;
	uint64_t resident_max_kib;
	struct work work;
	struct mover_mark mark;
};

/* Ends the benchmark where the work is not done. */
void phase_run(struct phase_run *run, struct phase_result *result);

#endif
