/* watch.h - following one change through the status an agent gives. */
#ifndef MCROSTER_ADMIN_WATCH_H
#define MCROSTER_ADMIN_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "admin/status.h"
#include "list/order.h"

enum watch_state {
	WATCH_RUNNING,
	WATCH_SETTLED,
	WATCH_UNDONE,
	WATCH_OVERTAKEN /* a later list is active: whether ours was is for its parent to tell */
};

struct watch {
	uint64_t epoch; /* of the list whose fate is watched */
	bool seen;	/* the change to it has been seen under way, or over */
};

/* What the status says of the change.  An agent may not have heard of it yet: RUNNING. */
enum watch_state watch_judge(struct watch *watch, const struct status *status);

/* What the status says of the change that an abort with this binding is for.  Carrying an order out
 * is a step of the register, so what an agent says of that register or an earlier one is old. */
enum watch_state watch_abort_judge(const struct order_binding *bound, const struct status *status);

/* "61234 keys moved (61.2 %), 20000/s, 2.0 s left"; "" while no key is known of.  The percentage is
 * of all that was found, whatever became of it.  Returns `out`. */
char *watch_keys(const struct status *status, char *out, size_t size);

/* Says how far it is: on a terminal one line and a bar for each server, redrawn; elsewhere a line
 * for each phase and, where one lasts, now and then what holds it up and how far each server is.
 * There are no colours. */
struct watch_progress {
	FILE *out;
	bool terminal;
	bool drawn; /* a line is there to be redrawn */
	uint32_t bars;	  /* and so many below it */
	uint64_t bars_ms; /* off a terminal: when they were said last */
	char phase[STATUS_WORD_MAX + 1];
	uint64_t phase_ms; /* since when it is that phase */
	uint64_t note_ms;  /* when a note was last said in it; 0: not yet */
	char note[STATUS_TEXT_MAX + 1];
};

void watch_progress_begin(struct watch_progress *progress, FILE *out);
void watch_progress_show(struct watch_progress *progress, const struct status *status,
			 uint64_t elapsed_ms);
/* Something other than a status to say, such as why there is none. */
void watch_progress_note(struct watch_progress *progress, const char *note, uint64_t elapsed_ms);
/* Removes the redrawn line. */
void watch_progress_end(struct watch_progress *progress);

#endif
