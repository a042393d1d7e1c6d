/* log.h - one line for each thing that happened, on standard error, with the journal's level. */
#ifndef MCROSTER_LOG_H
#define MCROSTER_LOG_H

/* sd-daemon(3) levels: the journal strips "<6>"; on a terminal it is left out. */
enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6
};

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
