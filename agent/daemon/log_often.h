/* log_often.h - how often a line that comes again and again is written: at once, and then after
 * ever longer pauses.
 *
 * Pure: time is an argument.  A few lines are remembered, the ones that came last.
 */
#ifndef MCROSTER_LOG_OFTEN_H
#define MCROSTER_LOG_OFTEN_H

#include <stdbool.h>
#include <stdint.h>

#define LOG_OFTEN_LINES	 32u
#define LOG_OFTEN_MIN_MS 1000u	/* no line twice within it */
#define LOG_OFTEN_MAX_MS 60000u /* what goes on for long is said once a minute */

struct log_often {
	struct log_often_line {
		uint64_t hash; /* 0: free */
		uint64_t written_ms, seen_ms;
		uint32_t pause_ms, left_out;
	} line[LOG_OFTEN_LINES];
};

/* Is the line to be written now?  *left_out is how often it was not, since it was last. */
bool log_often_write(struct log_often *often, const char *line, uint64_t now_ms,
		     uint32_t *left_out);

#endif
