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
#include "list/utf8.h"

#define LINE_BYTES     1024u
#define FIELDS_BYTES   1024u
#define REMARK_BYTES   64u
#define DATAGRAM_BYTES 3072u

struct line {
	enum log_level level;
	char text[LINE_BYTES];
	char fields[FIELDS_BYTES]; /* as the journal has them */
};

static struct {
	int journal; /* -1: standard error */
	const char *cluster, *agent;
	struct log_often often;
	struct line held[LOG_OFTEN_LINES]; /* what is held back, by its place there */
	uint32_t not_taken;		   /* lines that the journal had no room for */
} state = {.journal = -1};

/* ---- a line's ways out ---- */

__attribute__((format(printf, 4, 5))) static void put(char *out, size_t size, size_t *used,
						      const char *format, ...)
{
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(out + *used, size - *used, format, arguments);
	va_end(arguments);
	if (n > 0 && (size_t)n < size - *used)
		*used += (size_t)n;
	out[*used] = '\0';
}

static void put_text(char *out, size_t size, size_t *used, const char *name, const char *text)
{
	if (text != NULL && text[0] != '\0')
		put(out, size, used, "%s=%.200s\n", name, text);
}

static void fields_put(char out[FIELDS_BYTES], const struct log_fields *fields)
{
	size_t used = 0;

	out[0] = '\0';
	put_text(out, FIELDS_BYTES, &used, "MCROSTER_EVENT", fields->event);
	put_text(out, FIELDS_BYTES, &used, "MCROSTER_PHASE", fields->phase);
	put_text(out, FIELDS_BYTES, &used, "MCROSTER_SERVER", fields->server);
	put_text(out, FIELDS_BYTES, &used, "MCROSTER_PEER", fields->peer);
	if (fields->epoch != 0)
		put(out, FIELDS_BYTES, &used, "MCROSTER_EPOCH=%" PRIu64 "\n", fields->epoch);
	if (fields->term != 0)
		put(out, FIELDS_BYTES, &used,
		    "MCROSTER_TERM=%" PRIu64 "\nMCROSTER_SERIAL=%" PRIu64 "\n", fields->term,
		    fields->serial);
}

/* False: it has gone another way than to the journal. */
static bool journal_send(const struct line *line, const char *remark)
{
	char datagram[DATAGRAM_BYTES];
	size_t used = 0;

	if (state.journal < 0)
		return false;
	put(datagram, sizeof(datagram), &used,
	    "PRIORITY=%d\nSYSLOG_IDENTIFIER=mcrosterd\nMESSAGE=%s%s\n", (int)line->level,
	    line->text, remark);
	put_text(datagram, sizeof(datagram), &used, "MCROSTER_CLUSTER", state.cluster);
	put_text(datagram, sizeof(datagram), &used, "MCROSTER_AGENT", state.agent);
	put(datagram, sizeof(datagram), &used, "%s", line->fields);
	if (state.not_taken != 0)
		put(datagram, sizeof(datagram), &used, "MCROSTER_LINES_LOST=%" PRIu32 "\n",
		    state.not_taken);
	if (send(state.journal, datagram, used, MSG_NOSIGNAL) >= 0) {
		state.not_taken = 0;
		return true;
	}
	if (errno != EAGAIN && errno != ENOBUFS)
		return false;
	state.not_taken++; /* the stream is the same journal: a write there would wait for it */
	return true;
}

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

/* One write, so lines of two processes do not mix.  The manager strips "<6>". */
static void stream_write(const struct line *line, const char *remark)
{
	char text[LINE_BYTES + REMARK_BYTES + 8];
	int n = stream_is_journal() ? snprintf(text, sizeof(text), "<%d>%s%s\n", (int)line->level,
					       line->text, remark)
				    : snprintf(text, sizeof(text), "%s%s\n", line->text, remark);

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

static void line_write(const struct line *line, const struct log_often_word *word, bool held)
{
	char remark[REMARK_BYTES] = "";
	size_t used = 0;

	if (held)
		put(remark, sizeof(remark), &used, " (%.1f s ago)", (double)word->ago_ms / 1000);
	if (word->before != 0)
		put(remark, sizeof(remark), &used, " (and %" PRIu32 " time%s before)", word->before,
		    word->before == 1 ? "" : "s");
	if (!journal_send(line, remark))
		stream_write(line, remark);
}

static void held_write(bool all)
{
	const uint64_t now = now_ms();
	struct log_often_word word;

	while ((word = log_often_next(&state.often, now, all)).write)
		line_write(&state.held[word.place], &word, true);
}

/* Names from outside must neither forge lines nor have the journal take one for a blob, which it
 * does not show. */
static void line_clean(char *text)
{
	size_t length;

	for (; *text != '\0'; text += length) {
		const unsigned char *c = (const unsigned char *)text;
		const bool control =
		    c[0] < 0x20 || c[0] == 0x7f || (c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0);

		length = utf8_length(text);
		if (control || length == 0) {
			*text = '?';
			length = 1;
		}
	}
}

__attribute__((format(printf, 3, 0))) static void log_out(enum log_level level,
							  const struct log_fields *fields,
							  const char *format, va_list arguments)
{
	struct line line = {.level = level};
	struct log_often_word word;

	(void)vsnprintf(line.text, sizeof(line.text), format, arguments);
	line_clean(line.text);
	fields_put(line.fields, fields);
	word = log_often_came(&state.often, line.text, now_ms());
	if (word.write)
		line_write(&line, &word, false);
	else
		state.held[word.place] = line;
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

void log_tick(void)
{
	held_write(false);
}

/* ---- where lines go ---- */

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
	held_write(true);
	if (state.journal >= 0)
		(void)close(state.journal);
	memset(&state, 0, sizeof(state));
	state.journal = -1;
}
