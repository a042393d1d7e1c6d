/* log_limit.h - lines that strangers bring about, each another one: so many are told in a while,
 * the rest are counted.  log_often.h is for lines that are the same.
 *
 * Pure: time is an argument.
 */
#ifndef MCROSTER_LOG_LIMIT_H
#define MCROSTER_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#define LOG_LIMIT_LINES 10u
#define LOG_LIMIT_MS	10000u

/* Zero: none was told yet. */
struct log_limit {
	uint64_t began_ms; /* the present while */
	uint32_t told;	   /* in it */
	uint32_t untold;   /* since the last that was told */
};

/* Is it told?  Then *untold is how many were not since the one before. */
bool log_limit_take(struct log_limit *limit, uint64_t now_ms, uint32_t *untold);

#endif
