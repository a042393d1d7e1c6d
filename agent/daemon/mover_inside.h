/* mover_inside.h - what the files that carry out a mover's orders share.  For mover*.c only.
 *
 * An order's step is called whenever anything has happened and looks at what is to be done next; it
 * never waits.  mover.c calls the steps; what they start ends in a wake of mover.c's own step.
 */
#ifndef MCROSTER_MOVER_INSIDE_H
#define MCROSTER_MOVER_INSIDE_H

#include "core/pass.h"
#include "daemon/mover.h"
#include "daemon/mover_calm.h"
#include "daemon/mover_dump.h"
#include "daemon/mover_keys.h"
#include "daemon/mover_peer.h"
#include "daemon/mover_probe.h"
#include "daemon/mover_queue.h"
#include "daemon/mover_rooms.h"
#include "daemon/mover_watch.h"

#define MOVER_PAUSE_CALM_MS  1u	  /* as below, where others would wait behind a larger batch */
#define MOVER_PAUSE_PACED_MS 4u	  /* no rate left: small batches, evenly spread */
#define MOVER_PAUSE_SHORT_MS 20u  /* no lease, a crawl that runs */
#define MOVER_PAUSE_LONG_MS  250u /* something failed, or a key waits for a stub to expire */

struct mover {
	struct mover_setup setup;
	struct pass pass;
	struct event *step, *pause, *second;
	struct mover_peer *source;
	struct mover_peer **peers;   /* by server number; NULL where not needed */
	struct pass_identity *known; /* of each peer: the process it was last */
	uint64_t *lost_ns;	     /* of each peer: when commands to it were lost; 0: none */
	bool source_identified, peer_came;
	struct mover_dump *dump;
	bool dump_ended;
	uint64_t spooled_bytes;
	struct mover_rooms *rooms; /* COPY, DRAIN; else NULL */
	struct mover_queue queue;
	bool queue_made;
	struct mover_keys *keys;
	struct mover_probe probe;
	uint32_t probed; /* servers up to here are proven different */
	uint64_t turned_ns, counted, rate;
	struct mover_watch **watches; /* by server number; NULL where not watched */
	struct event *watching;
	struct mover_calm calm;
	struct mover_rate calm_rate;
	struct mover_failures failures;
	bool stopping, over;
	char waiting[WORK_REASON_BYTES];
};

uint64_t mover_clock_ns(void); /* CLOCK_BOOTTIME */

/* The step runs again: in this turn of the loop, or after a pause. */
void mover_wake(struct mover *mover);
void mover_wake_after(struct mover *mover, uint32_t pause_ms);

/* What it waits for, for work.reason. */
void mover_waits(struct mover *mover, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void mover_waits_for(struct mover *mover, uint32_t server, const char *why);

const struct change_server *mover_server(const struct mover *mover, uint32_t number);
const struct mc_access *mover_access(const struct mover *mover, uint32_t number);
/* The connection to another server, dialled where it is not yet.  NULL: no memory. */
struct mover_peer *mover_peer_get(struct mover *mover, uint32_t number);

/* PASS_PROBE, PASS_MARK, PASS_SAVE (mover_mark.c). */
void mover_step_probe(struct mover *mover);
void mover_step_mark(struct mover *mover);
void mover_step_save(struct mover *mover);
/* PASS_DUMP (mover_dumping.c). */
void mover_step_dump(struct mover *mover);
/* PASS_KEYS (mover_working.c). */
void mover_step_keys(struct mover *mover);
/* While a dump goes on: what is spooled already is begun (mover_working.c). */
void mover_step_along(struct mover *mover);
bool mover_in_flight(const struct mover *mover);
/* Who may get a key of ours is there, or known to be away (mover_working.c). */
bool mover_destinations_ready(struct mover *mover);

/* Begins to watch the servers; false: it is not known yet how they are without the mover. */
bool mover_gentle_ready(struct mover *mover);
void mover_gentle_stop(struct mover *mover);

#endif
