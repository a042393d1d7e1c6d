/* plant.h - what programs do to the library on purpose: faults that whoever checks it has to see,
 * and a stop in the middle of a write.
 *
 * The adapter knows nothing of it.  Programs that link this file have it between the adapter and
 * libmcroster (ld's --wrap of mcr_begin, mcr_check and mcr_end): plans that lack a step, deadlines
 * that nobody looks at.  For all threads of a process; set while none of them is in an operation.
 */
#ifndef MCROSTER_TESTS_PLANT_H
#define MCROSTER_TESTS_PLANT_H

#include "mcroster.h"

/* The last one is no fault: it is as slow as PLANT_LATE, and holds to the rules. */
enum plant {
	PLANT_NOTHING,
	PLANT_FALLBACK, /* the first server's miss is taken for the answer */
	PLANT_LATE,	/* an operation that is slow now and then, and looks at no deadline */
	PLANT_SECOND,	/* the second step of a write is left out, but for deletes */
	PLANT_DELETE,	/* a delete goes to the old owner alone */
	PLANT_ORDER,	/* the steps of a write in the wrong order, and slowly */
	PLANT_STUBS,	/* an empty value is shown even where it counts as a miss */
	PLANT_SLOW,
	PLANT_COUNT
};

void plant(enum plant what, uint32_t op_timeout_ms);

/* Called in the middle of each write: one of its commands has been answered, the next is not sent
 * yet.  For those who want to die there. */
void plant_between(void (*between)(void *context, enum mcr_phase phase), void *context);

#endif
