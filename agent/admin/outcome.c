/* outcome.c - see outcome.h.  Suspended time counts, as everywhere else. */
#include "admin/outcome.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "admin/screen.h"

void outcome_set(struct outcome *outcome, const char *result, int code, const char *format, ...)
{
	va_list arguments;

	outcome->result = result;
	outcome->code = code;
	va_start(arguments, format);
	(void)vsnprintf(outcome->words, sizeof(outcome->words), format, arguments);
	va_end(arguments);
}

void outcome_leave(struct outcome *outcome, const char *result, int code, const char *why,
		   const char *what, const char *agent)
{
	outcome_set(outcome, result, code,
		    "%s; %s goes on by itself, and 'mcadmin status --watch %s' shows it", why, what,
		    agent);
}

int outcome_say(const struct outcome *outcome, const char *command, bool quiet)
{
	if (outcome->code != ADMIN_DONE) {
		screen_say(stderr, "%s: %s", command, outcome->words);
	} else if (!quiet) {
		screen_say(stdout, "%s", outcome->words);
	}
	return outcome->code;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void elapsed_begin(struct elapsed *elapsed, uint64_t limit_ms)
{
	elapsed->begun_ms = now_ms();
	elapsed->limit_ms = limit_ms;
}

uint64_t elapsed_ms(const struct elapsed *elapsed)
{
	return now_ms() - elapsed->begun_ms;
}

bool elapsed_over(const struct elapsed *elapsed)
{
	return elapsed->limit_ms != 0 && elapsed_ms(elapsed) >= elapsed->limit_ms;
}
