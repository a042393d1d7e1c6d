/* wake.h - how long after a publication those who sleep in mcr_wait have the new generation. */
#ifndef MCROSTER_BENCH_WAKE_H
#define MCROSTER_BENCH_WAKE_H

struct wake {
	double first_us, median_us, last_us; /* over the readers; medians over the rounds */
	double worst_us;		     /* the last reader of the worst round */
};

/* `readers` processes sleep in mcr_wait; each publication is timed from just before it is made
 * until the last of them has planned an operation by it. */
void wake_measure(unsigned readers, unsigned rounds, struct wake *wake);

#endif
