/* log.h - one line for each thing that happened: to the journal with its level and fields where the
 * service manager gave us the journal, else on standard error.
 *
 * A line that comes again and again is written at once, and then ever more rarely, with the number
 * of times that it was left out; the last time is always written, when the pause is over and with
 * its age: what the log says last is true.  Never waits for the journal: the loop has clients to
 * keep.  From the loop's thread only.
 */
#ifndef MCROSTER_LOG_H
#define MCROSTER_LOG_H

#include <stdint.h>

/* syslog(3)'s. */
enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6
};

/* What a line is about, for whoever filters by it (`journalctl MCROSTER_EVENT=published`).  NULL
 * and 0: nothing of the kind. */
struct log_fields {
	const char *event; /* MCROSTER_EVENT: one word for each kind of thing that happens */
	const char *phase, *server, *peer; /* MCROSTER_PHASE, ... */
	uint64_t epoch, term, serial;
};

/* Lines are of this agent from now on (MCROSTER_CLUSTER, MCROSTER_AGENT).  `journal` is the
 * journal's socket; it is used where standard error is the journal's stream (JOURNAL_STREAM).
 * Borrowed: both names. */
void log_open(const char *journal, const char *cluster, const char *agent);
void log_close(void); /* after what is still held back */

/* Writes what was held back and is due: many times a second, by whoever has a tick. */
void log_tick(void);

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_event(enum log_level level, const struct log_fields *fields, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
