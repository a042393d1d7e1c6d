/* wake.h - how long after a publication the clients have it, and how long until the host adopts it.
 */
#ifndef MCROSTER_BENCH_WAKE_H
#define MCROSTER_BENCH_WAKE_H

#include <stdbool.h>

struct wake {
	/* Until clients have planned an operation by it; medians over the rounds. */
	double first_us, median_us, last_us;
	double worst_us;   /* the last client of the worst round */
	double adopted_us; /* until the agent knows that nobody runs an older operation; median */
};

/* `readers` registered processes: asleep in mcr_wait, or busy with one operation after the other.
 */
void wake_measure(unsigned readers, bool busy, unsigned rounds, struct wake *wake);

#endif
