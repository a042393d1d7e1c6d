/* mover_dump.h - one `lru_crawler metadump hash` of a server, whole or not at all.
 *
 * It has a connection of its own, reads at full speed, asks for the counts before and after, and is
 * not begun while the hash table is being expanded.  What it hands on was parsed and checked.
 */
#ifndef MCROSTER_MOVER_DUMP_H
#define MCROSTER_MOVER_DUMP_H

#include "daemon/mover_peer.h"

enum mover_dump_outcome {
	MOVER_DUMP_WHOLE,  /* it ended with END, and the same process answered throughout */
	MOVER_DUMP_BUSY,   /* another crawl runs, or the hash table grows: normal, try again */
	MOVER_DUMP_FAILED, /* `why` says it */
};

struct mover_dump_events {
	/* false: stop, it cannot be taken in (then no `ended` follows; free the dump later). */
	bool (*line)(void *context, const struct mc_dump_line *line);
	/* items: the smaller of curr_items before and after; with WHOLE. */
	void (*ended)(void *context, enum mover_dump_outcome outcome, uint64_t items,
		      const char *why);
};

struct mover_dump;

/* identity: the process it must be.  NULL with the sentence in *failure. */
struct mover_dump *mover_dump_start(struct event_base *base, const char *address,
				    const struct mc_access *access, uint32_t op_timeout_ms,
				    const struct pass_identity *identity,
				    const struct mover_dump_events *events, void *context,
				    struct failure *failure);
/* Hangs up; no event follows.  May be called from within an event.  NULL is fine. */
void mover_dump_free(struct mover_dump *dump);

#endif
