/* log_often.h - how often a line that comes again and again is written: at once, and then after
 * ever longer pauses.  What came in a pause is written when the pause is over, so that nothing that
 * was said last goes unsaid.
 *
 * Pure: time is an argument.  A few lines are remembered, the ones that came last.
 */
#ifndef MCROSTER_LOG_OFTEN_H
#define MCROSTER_LOG_OFTEN_H

#include <stdbool.h>
#include <stdint.h>

#define LOG_OFTEN_LINES	  32u
#define LOG_OFTEN_MIN_MS  1000u			 /* no line twice within it */
#define LOG_OFTEN_MAX_MS  60000u		 /* what goes on for long is said once a minute */
#define LOG_OFTEN_LATE_MS (2 * LOG_OFTEN_MAX_MS) /* no line waits for others any longer */

struct log_often {
	struct log_often_line {
		uint64_t hash; /* 0: free */
		uint64_t written_ms, seen_ms;
		uint64_t came; /* its last coming, counted */
		uint32_t pause_ms;
		uint32_t left_out; /* not 0: held back */
	} line[LOG_OFTEN_LINES];
	uint64_t came;
};

/* What becomes of a line. */
struct log_often_word {
	bool write;	 /* else it is held back */
	uint32_t place;	 /* where it is remembered; LOG_OFTEN_LINES: nowhere */
	uint32_t before; /* how often it came and was not written, before this time */
	uint64_t ago_ms; /* when it came */
};

/* A line that came. */
struct log_often_word log_often_came(struct log_often *often, const char *line, uint64_t now_ms);

/* The next line held back that is to be written now, in the order in which they came last: where
 * two come by turns, the log ends with the one that is true.  `all`: pauses are cut short.  Until
 * .write is false. */
struct log_often_word log_often_next(struct log_often *often, uint64_t now_ms, bool all);

#endif
