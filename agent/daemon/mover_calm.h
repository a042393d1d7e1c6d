/* mover_calm.h - how much a mover gives way to the other clients of the servers it works on.
 *
 * Pure.  It is told at short intervals whether these servers have other clients and whether they
 * answer more slowly than before the move; it answers with a rate.  The rate falls at once by a
 * quarter and grows slowly, so that it stays below what hurts.
 */
#ifndef MCROSTER_MOVER_CALM_H
#define MCROSTER_MOVER_CALM_H

#include <stdbool.h>
#include <stdint.h>

#define MOVER_CALM_LEAST 2000u /* keys a second: a move always ends */

struct mover_calm {
	uint64_t rate;	   /* keys a second; 0: no limit */
	uint64_t eased_ns; /* when it was changed last */
};

/* others: somebody else uses the servers; slow: they answer more slowly than they should. */
void mover_calm_update(struct mover_calm *calm, bool others, bool slow, uint64_t now_ns);

#endif
