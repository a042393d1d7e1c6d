/* log.c - see log.h.  The journal's own protocol is one datagram of NAME=value lines to a socket;
 * it needs no library (systemd's JOURNAL_NATIVE_PROTOCOL). */
#include "daemon/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "daemon/log_often.h"

#define LINE_BYTES     1024u
#define DATAGRAM_BYTES 2048u

static struct {
	int journal; /* -1: standard error */
	const char *cluster, *agent;
	struct log_often often;
	uint32_t not_taken; /* lines that the journal had no room for */
} state = {.journal = -1};

/* JOURNAL_STREAM is device:inode of the stream that the manager gave us; ours may be another. */
static bool stream_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uint64_t device, inode;
	struct stat status;

	return stream != NULL && sscanf(stream, "%" SCNu64 ":%" SCNu64, &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device &&
	       status.st_ino == inode;
}

void log_open(const char *journal, const char *cluster, const char *agent)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	log_close();
	state.cluster = cluster;
	state.agent = agent;
	if (!stream_is_journal() || strlen(journal) >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, journal, strlen(journal));
	state.journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (state.journal >= 0 &&
	    connect(state.journal, (const struct sockaddr *)&address, sizeof(address)) != 0)
		log_close();
}

void log_close(void)
{
	if (state.journal >= 0)
		(void)close(state.journal);
	memset(&state, 0, sizeof(state));
	state.journal = -1;
}

/* ---- a line's ways out ---- */

__attribute__((format(printf, 3, 4))) static void put(char datagram[DATAGRAM_BYTES], size_t *used,
						      const char *format, ...)
{
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(datagram + *used, DATAGRAM_BYTES - *used, format, arguments);
	va_end(arguments);
	if (n > 0 && (size_t)n < DATAGRAM_BYTES - *used)
		*used += (size_t)n;
}

static void put_text(char datagram[DATAGRAM_BYTES], size_t *used, const char *name,
		     const char *text)
{
	if (text != NULL && text[0] != '\0')
		put(datagram, used, "%s=%.200s\n", name, text);
}

/* False: it has gone another way than to the journal. */
static bool journal_send(enum log_level level, const struct log_fields *fields, const char *line)
{
	char datagram[DATAGRAM_BYTES];
	size_t used = 0;

	if (state.journal < 0)
		return false;
	put(datagram, &used, "PRIORITY=%d\nSYSLOG_IDENTIFIER=mcrosterd\nMESSAGE=%s\n", (int)level,
	    line);
	put_text(datagram, &used, "MCROSTER_CLUSTER", state.cluster);
	put_text(datagram, &used, "MCROSTER_AGENT", state.agent);
	put_text(datagram, &used, "MCROSTER_EVENT", fields->event);
	put_text(datagram, &used, "MCROSTER_PHASE", fields->phase);
	put_text(datagram, &used, "MCROSTER_SERVER", fields->server);
	put_text(datagram, &used, "MCROSTER_PEER", fields->peer);
	if (fields->epoch != 0)
		put(datagram, &used, "MCROSTER_EPOCH=%" PRIu64 "\n", fields->epoch);
	if (fields->term != 0)
		put(datagram, &used, "MCROSTER_TERM=%" PRIu64 "\nMCROSTER_SERIAL=%" PRIu64 "\n",
		    fields->term, fields->serial);
	if (state.not_taken != 0)
		put(datagram, &used, "MCROSTER_LINES_LOST=%" PRIu32 "\n", state.not_taken);
	if (send(state.journal, datagram, used, MSG_NOSIGNAL) >= 0) {
		state.not_taken = 0;
		return true;
	}
	if (errno != EAGAIN && errno != ENOBUFS)
		return false;
	state.not_taken++; /* the stream is the same journal: a write there would wait for it */
	return true;
}

/* One write, so lines of two processes do not mix.  The manager strips "<6>". */
static void stream_write(enum log_level level, const char *line)
{
	char text[LINE_BYTES + 8];
	int n = getenv("JOURNAL_STREAM") != NULL
		    ? snprintf(text, sizeof(text), "<%d>%s\n", (int)level, line)
		    : snprintf(text, sizeof(text), "%s\n", line);

	for (ssize_t done = 0, step; done < n; done += step) {
		step = write(STDERR_FILENO, text + done, (size_t)(n - done));
		if (step <= 0)
			break;
	}
}

static uint64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

__attribute__((format(printf, 3, 0))) static void log_out(enum log_level level,
							  const struct log_fields *fields,
							  const char *format, va_list arguments)
{
	char line[LINE_BYTES];
	uint32_t left_out;
	size_t used;

	(void)vsnprintf(line, sizeof(line), format, arguments);
	used = strlen(line);
	for (size_t i = 0; i < used; i++)
		if ((unsigned char)line[i] < 0x20)
			line[i] = '?'; /* names from outside must not forge lines */
	if (!log_often_write(&state.often, line, now_ms(), &left_out))
		return;
	if (left_out != 0)
		(void)snprintf(line + used, sizeof(line) - used, " (and %" PRIu32 " times before)",
			       left_out);
	if (!journal_send(level, fields, line))
		stream_write(level, line);
}

void log_line(enum log_level level, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_out(level, &(const struct log_fields){0}, format, arguments);
	va_end(arguments);
}

void log_event(enum log_level level, const struct log_fields *fields, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_out(level, fields, format, arguments);
	va_end(arguments);
}
