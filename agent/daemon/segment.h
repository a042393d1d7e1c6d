/* segment.h - the writer of the shared-memory segment (layout: include/mcroster_segment.h).
 *
 * One writer per segment, one thread.  Killed at any instruction it has merely not published.
 */
#ifndef MCROSTER_SEGMENT_WRITER_H
#define MCROSTER_SEGMENT_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "list/change.h"
#include "list/failure.h"

struct segment;

/* What one generation says. */
struct segment_view {
	const struct change *change; /* both lists while keys move; one list when settled */
	uint8_t phase;		     /* enum mcr_phase */
	bool new_only; /* STEADY under the new list of `change` (it is still being adopted) */
	bool bypass;   /* isolation bypass */
	bool registration_required;
	bool confirm; /* only if the present generation says it already: -ESTALE otherwise */
};

/* Creates the segment `name` ("/mcroster.web"), or takes up the one that is there: ours (owner,
 * mode 0644, cluster), with no other live writer (a lock held for the writer's life; EBUSY).  One
 * that an agent of another version made is replaced, and its clients are told to open the name
 * again.  What is another owner's or no segment is refused and left as it is. */
int segment_open(const char *name, const char *cluster, struct segment **segment,
		 struct failure *failure);

/* Where clients register; "" (as it is after segment_open): nowhere.  At most
 * MCR_SEGMENT_PATH_BYTES - 1 bytes. */
void segment_clients(struct segment *segment, const char *path);

/* Another number with each segment_open. */
uint64_t segment_incarnation(const struct segment *segment);

/* Closes the mapping; the object stays for the clients that have it mapped. */
void segment_close(struct segment *segment);

/* Publishes the next generation and wakes the waiters.  When what it would say is what the present
 * generation says already nothing is published, unless it is the first since segment_open: readers
 * look for another incarnation only when the generation changes.  *generation: the one that says
 * it. -E2BIG when the lists do not fit. now_ns: CLOCK_BOOTTIME. */
int segment_publish(struct segment *segment, const struct segment_view *view, uint64_t now_ns,
		    uint32_t *generation, struct failure *failure);

/* The generation out now (0: none yet), when it was published (CLOCK_BOOTTIME ns). */
uint32_t segment_generation(const struct segment *segment, uint64_t *published_ns);

/* The newest epoch that the present generation names; 0: none is out. */
uint64_t segment_epoch(const struct segment *segment);

/* The lease's deadline that clients compare when strict (CLOCK_BOOTTIME ns; 0: no lease). */
void segment_lease(struct segment *segment, uint64_t deadline_ns);
uint64_t segment_lease_read(const struct segment *segment);

/* Sees to it that the segment is found under its name: one that somebody has removed is made again
 * and its clients are told.  Negative, with the sentence for the log, when that happened, and once
 * when it cannot be done (the clients that have it mapped go on). */
int segment_keep(struct segment *segment, struct failure *failure);

/* Called several times a second while the agent lives. */
void segment_heartbeat(struct segment *segment);

#endif
