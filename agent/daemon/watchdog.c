/* watchdog.c - see watchdog.h. */
#include "daemon/watchdog.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/notify.h"

#define NUMBER_DIGITS_MAX 18u

static bool number_read(const char *text, uint64_t *number)
{
	const size_t length = strlen(text);

	if (length == 0 || length > NUMBER_DIGITS_MAX || strspn(text, "0123456789") != length)
		return false;
	*number = strtoull(text, NULL, 10);
	return true;
}

int watchdog_start(struct watchdog *watchdog, struct failure *failure)
{
	const char *pid = getenv("WATCHDOG_PID"), *every = getenv("WATCHDOG_USEC");
	uint64_t process, usec;

	memset(watchdog, 0, sizeof(*watchdog));
	if (every == NULL)
		return 0;
	if (pid != NULL && (!number_read(pid, &process) || process != (uint64_t)getpid()))
		return 0; /* it is meant for another process */
	if (!number_read(every, &usec) || usec < 2000)
		return failure_set(failure, EINVAL,
				   "WATCHDOG_USEC: found '%.40s', expected at least 2000 "
				   "microseconds: the service manager is told nothing",
				   every);
	watchdog->every_ms = usec / 2000;
	return 0;
}

void watchdog_feed(struct watchdog *watchdog, uint64_t now_ms)
{
	if (watchdog->every_ms == 0 || now_ms < watchdog->next_ms)
		return;
	if (notify_send(NOTIFY_WATCHDOG, NULL) == 1)
		watchdog->next_ms = now_ms + watchdog->every_ms;
}
