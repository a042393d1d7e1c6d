/* watch.c - see watch.h.  No clock and no connection here: what time it is and what the agent said
 * are arguments. */
#include "admin/watch.h"

#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "admin/human.h"

#define LINE_BYTES	 512u
#define TERMINAL_COLUMNS 80
#define PHASE_COLUMNS	 7

enum watch_state watch_judge(struct watch *watch, const struct status *status)
{
	if (status->next_epoch == watch->epoch || status->change_epoch == watch->epoch)
		watch->seen = true;
	if (status->epoch > watch->epoch)
		return WATCH_OVERTAKEN;
	if (status->epoch == watch->epoch)
		return status->settled || status->next_epoch > watch->epoch ? WATCH_SETTLED
									    : WATCH_RUNNING;
	if (status->next_epoch > watch->epoch)
		return WATCH_UNDONE; /* something else runs from a list before ours */
	return status->settled && watch->seen ? WATCH_UNDONE : WATCH_RUNNING;
}

char *watch_keys(const struct status *status, char *out, size_t size)
{
	uint64_t left = status->keys_left, found = status->keys_found;
	uint64_t done = left < found ? found - left : 0;
	char percent[HUMAN_NUMBER_BYTES], duration[HUMAN_NUMBER_BYTES];
	int used;

	out[0] = '\0';
	if (found == 0)
		return out;
	used = snprintf(out, size, "%" PRIu64 " of %" PRIu64 " keys (%s)", done, found,
			human_percent(done, found, percent));
	if (left > 0 && status->keys_rate > 0 && used > 0 && (size_t)used < size)
		(void)snprintf(
		    out + used, size - (size_t)used, ", %" PRIu64 "/s, %s left", status->keys_rate,
		    human_duration(left < UINT64_MAX / 1000 ? left * 1000 / status->keys_rate
							    : UINT64_MAX / 1000,
				   duration));
	return out;
}

/* What holds the change up: the coordinator's word, or that of the first host that has one. */
static void note_find(const struct status *status, char note[STATUS_TEXT_MAX + 1])
{
	note[0] = '\0';
	if (status->waits_for[0] != '\0') {
		(void)snprintf(note, STATUS_TEXT_MAX + 1, "waits for %.240s", status->waits_for);
		return;
	}
	for (uint32_t i = 0; i < status->host_count && note[0] == '\0'; i++) {
		const struct status_host *host = &status->hosts[i];

		if (host->reason[0] != '\0')
			(void)snprintf(note, STATUS_TEXT_MAX + 1, "%.63s: %.180s", host->name,
				       host->reason);
	}
}

static int terminal_columns(FILE *out)
{
	struct winsize window;

	if (ioctl(fileno(out), TIOCGWINSZ, &window) == 0 && window.ws_col > 0)
		return window.ws_col;
	return TERMINAL_COLUMNS;
}

/* One column stays free: a full line would wrap, and could not be redrawn. */
static void line_redraw(struct watch_progress *progress, const char *line)
{
	(void)fprintf(progress->out, "\r\033[K%.*s", terminal_columns(progress->out) - 1, line);
	(void)fflush(progress->out);
	progress->drawn = true;
}

void watch_progress_begin(struct watch_progress *progress, FILE *out)
{
	memset(progress, 0, sizeof(*progress));
	progress->out = out;
	progress->terminal = isatty(fileno(out)) == 1;
}

/* A phase is worth its line off a terminal once; so is a reason. */
static bool news(struct watch_progress *progress, const char *phase, const char *note)
{
	if (strcmp(progress->phase, phase) == 0 && strcmp(progress->note, note) == 0)
		return false;
	(void)snprintf(progress->phase, sizeof(progress->phase), "%s", phase);
	(void)snprintf(progress->note, sizeof(progress->note), "%s", note);
	return true;
}

void watch_progress_show(struct watch_progress *progress, const struct status *status,
			 uint64_t elapsed_ms)
{
	char line[LINE_BYTES], keys[128], note[STATUS_TEXT_MAX + 1], time[HUMAN_NUMBER_BYTES];
	const char *phase = status->next_epoch == 0 && status->settled ? "waiting" : status->phase;

	note_find(status, note);
	(void)watch_keys(status, keys, sizeof(keys));
	/* No blanks at the end of a line. */
	(void)snprintf(line, sizeof(line), "%9s  %-*s%s%s%s%s", human_duration(elapsed_ms, time),
		       keys[0] == '\0' && note[0] == '\0' ? 0 : PHASE_COLUMNS, phase,
		       keys[0] == '\0' ? "" : "  ", keys, note[0] == '\0' ? "" : "  ", note);
	if (progress->terminal)
		line_redraw(progress, line);
	else if (news(progress, phase, note))
		(void)fprintf(progress->out, "%s\n", line);
	(void)fflush(progress->out);
}

void watch_progress_note(struct watch_progress *progress, const char *note)
{
	if (progress->terminal)
		line_redraw(progress, note);
	else if (news(progress, progress->phase, note))
		(void)fprintf(progress->out, "%s\n", note);
	(void)fflush(progress->out);
}

void watch_progress_end(struct watch_progress *progress)
{
	if (progress->drawn)
		(void)fputs("\r\033[K", progress->out);
	progress->drawn = false;
	(void)fflush(progress->out);
}
