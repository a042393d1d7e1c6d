/* wake.h - how long after a publication the clients have it, and how long until the host adopts it.
 */
#ifndef MCROSTER_BENCH_WAKE_H
#define MCROSTER_BENCH_WAKE_H

struct wake {
	/* Until clients have planned an operation by it; medians over the rounds. */
	double first_us, median_us, last_us;
	double worst_us;   /* the last client of the worst round */
	double adopted_us; /* until the agent knows that nobody runs an older operation; median */
};

/* What the readers do meanwhile. */
enum wake_manner {
	WAKE_ASLEEP,  /* in mcr_wait */
	WAKE_POLLING, /* in poll on mcr_fd, as an event loop is */
	WAKE_BUSY,    /* one operation after the other */
};

/* `readers` registered processes. */
void wake_measure(unsigned readers, enum wake_manner manner, unsigned rounds, struct wake *wake);

#endif
