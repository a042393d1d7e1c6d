/* speed.h - nanoseconds of one whole operation, beside libmemcached's lookup in the same run.
 *
 * A round measures each fleet once in each manner, one after the other, so what the machine does
 * meanwhile hits all of them; what is reported is the median over the rounds.
 */
#ifndef MCROSTER_BENCH_SPEED_H
#define MCROSTER_BENCH_SPEED_H

#include "fleet.h"

struct speed {
	double ns;	  /* begin, route, plan, end of a get */
	double strict_ns; /* the same for a client opened MCR_STRICT */
	double peer_ns;	  /* memcached_generate_hash; 0: libmemcached cannot hold it */
};

/* Measures `count` fleets with `threads` threads at once, each with a reader of its own.  `agrees`:
 * libmemcached has to give the same answers. */
void speed_measure(struct fleet *const *fleets, unsigned count, bool agrees, unsigned threads,
		   unsigned rounds, struct speed *speeds);

#endif
