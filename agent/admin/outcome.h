/* outcome.h - how an offer, or the waiting for what it began, has ended. */
#ifndef MCROSTER_ADMIN_OUTCOME_H
#define MCROSTER_ADMIN_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include "admin/admin.h"
#include "net/message.h"

struct outcome {
	const char *result; /* one word, for --json */
	int code;	    /* enum admin_exit */
	char words[FAILURE_BYTES + MESSAGE_TEXT_BYTES];
};

void outcome_set(struct outcome *outcome, const char *result, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Leaves off waiting for something ("the change") that goes on by itself; `agent` are the options
 * that name the agent it can be watched at. */
void outcome_leave(struct outcome *outcome, const char *result, int code, const char *why,
		   const char *what, const char *agent);

/* What went well on stdout, unless `quiet`; the rest on stderr.  Returns the exit code. */
int outcome_say(const struct outcome *outcome, const char *command, bool quiet);

/* Since when, and for how long at most. */
struct elapsed {
	uint64_t begun_ms, limit_ms; /* limit 0: none */
};

void elapsed_begin(struct elapsed *elapsed, uint64_t limit_ms);
uint64_t elapsed_ms(const struct elapsed *elapsed);
bool elapsed_over(const struct elapsed *elapsed);

#endif
