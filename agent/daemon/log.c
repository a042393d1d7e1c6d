/* log.c - see log.h.  One write per line, so lines of two processes do not mix. */
#include "daemon/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void log_line(enum log_level level, const char *format, ...)
{
	char line[1024];
	size_t used = 0;
	va_list arguments;

	if (getenv("JOURNAL_STREAM") != NULL)
		used = (size_t)snprintf(line, sizeof(line), "<%d>", (int)level);
	va_start(arguments, format);
	(void)vsnprintf(line + used, sizeof(line) - used - 1, format, arguments);
	va_end(arguments);
	used = strlen(line);
	for (size_t i = 0; i < used; i++)
		if ((unsigned char)line[i] < 0x20)
			line[i] = '?'; /* names from outside must not forge lines */
	line[used++] = '\n';
	for (size_t done = 0; done < used;) {
		ssize_t n = write(STDERR_FILENO, line + done, used - done);

		if (n <= 0)
			break;
		done += (size_t)n;
	}
}
