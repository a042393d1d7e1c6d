/* watch.c - see watch.h.  No clock and no connection here: what time it is and what the agent said
 * are arguments. */
#include "admin/watch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/bars.h"
#include "admin/human.h"
#include "admin/screen.h"

#define LINE_BYTES	 512u
#define TERMINAL_COLUMNS 80u
#define TERMINAL_ROWS	 24u
#define PHASE_COLUMNS	 7
#define PHASE_LASTS_MS	 3000u
#define NOTE_AGAIN_MS	 10000u
#define BARS_AGAIN_MS	 10000u

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

static bool is_hash(const struct status_hash *hash, const uint8_t bytes[LIST_HASH_BYTES])
{
	return hash->there && memcmp(hash->bytes, bytes, LIST_HASH_BYTES) == 0;
}

enum watch_state watch_abort_judge(const struct order_binding *bound, const struct status *status)
{
	if (status->term < bound->term ||
	    (status->term == bound->term && status->serial <= bound->serial))
		return WATCH_RUNNING;
	if (!status->active.there || is_hash(&status->pending, bound->pending))
		return WATCH_RUNNING;
	if (is_hash(&status->active, bound->pending))
		return WATCH_SETTLED;
	if (!is_hash(&status->active, bound->active))
		return WATCH_OVERTAKEN;
	return status->settled || status->pending.there ? WATCH_UNDONE : WATCH_RUNNING;
}

char *watch_keys(const struct status *status, char *out, size_t size)
{
	uint64_t left = status->keys_left, found = status->keys_found;
	uint64_t done = left < found ? found - left : 0, left_ms;
	char percent[HUMAN_NUMBER_BYTES], duration[HUMAN_NUMBER_BYTES];
	int used;

	out[0] = '\0';
	if (found == 0)
		return out;
	used = snprintf(out, size, "%" PRIu64 " keys moved (%s)", status->keys_moved,
			human_percent(done, found, percent));
	if (left == 0 || status->keys_rate == 0 || used < 0 || (size_t)used >= size)
		return out;
	left_ms = left < UINT64_MAX / 1000 ? left * 1000 / status->keys_rate : UINT64_MAX;
	(void)snprintf(out + used, size - (size_t)used, ", %" PRIu64 "/s, %s left",
		       status->keys_rate, human_duration(left_ms, duration));
	return out;
}

/* What holds the change up: a host's own word at once, the coordinator's when a phase lasts (each
 * waits a moment for its adoption, which is nothing to speak of). */
static void note_find(const struct status *status, uint64_t lasts_ms,
		      char note[STATUS_TEXT_MAX + 1])
{
	note[0] = '\0';
	for (uint32_t i = 0; i < status->host_count; i++) {
		const struct status_host *host = &status->hosts[i];

		if (host->reason[0] == '\0')
			continue;
		(void)snprintf(note, STATUS_TEXT_MAX + 1, "%.63s: %.180s", host->name,
			       host->reason);
		return;
	}
	if (status->waits_for[0] != '\0' && lasts_ms >= PHASE_LASTS_MS)
		(void)snprintf(note, STATUS_TEXT_MAX + 1, "waits for %.240s", status->waits_for);
	else if (status->trouble[0] != '\0' && lasts_ms >= PHASE_LASTS_MS)
		(void)snprintf(note, STATUS_TEXT_MAX + 1, "%.250s", status->trouble);
}

static unsigned terminal_columns(FILE *out)
{
	const unsigned columns = screen_columns(out);

	return columns > 0 ? columns : TERMINAL_COLUMNS;
}

/* As many as the screen holds below the line: what has scrolled away cannot be redrawn. */
static uint32_t bars_fit(FILE *out, uint32_t count)
{
	const unsigned there = screen_rows(out), rows = there > 0 ? there : TERMINAL_ROWS;

	return count + 2 < rows ? count : rows > 2 ? rows - 2 : 0;
}

/* The cursor stays behind the last line, and goes up to the first one. */
static void lines_clear(struct watch_progress *progress)
{
	if (progress->bars > 0)
		(void)fprintf(progress->out, "\033[%" PRIu32 "A", progress->bars);
	(void)fputs("\r\033[J", progress->out);
	progress->bars = 0;
}

/* One column stays free: a full line would wrap, and could not be redrawn. */
static void line_redraw(struct watch_progress *progress, const char *line)
{
	lines_clear(progress);
	(void)fprintf(progress->out, "%.*s", (int)terminal_columns(progress->out) - 1, line);
	progress->drawn = true;
}

static void bars_draw(struct watch_progress *progress, const struct status *status)
{
	struct bar bars[BARS_MAX];
	uint32_t count = bars_fit(progress->out, bars_find(status, bars));
	char line[BAR_LINE_BYTES];

	for (uint32_t i = 0; i < count; i++) {
		bar_line(&bars[i], terminal_columns(progress->out), bars_name_columns(bars, count),
			 line);
		(void)fprintf(progress->out, "\n%s", line);
	}
	progress->bars = count;
}

static void bars_say(struct watch_progress *progress, const struct status *status,
		     uint64_t elapsed_ms)
{
	struct bar bars[BARS_MAX];
	uint32_t count = bars_find(status, bars);

	if (elapsed_ms - progress->bars_ms < BARS_AGAIN_MS)
		return;
	progress->bars_ms = elapsed_ms;
	for (uint32_t i = 0; i < count; i++) {
		char percent[HUMAN_NUMBER_BYTES];
		uint64_t done = bars[i].left < bars[i].found ? bars[i].found - bars[i].left : 0;

		(void)fprintf(progress->out,
			      "%9s  %s: %" PRIu64 " of %" PRIu64 " keys (%s), %" PRIu64 "/s\n", "",
			      bars[i].name, done, bars[i].found,
			      human_percent(done, bars[i].found, percent), bars[i].rate);
	}
}

/* One that cannot be redrawn. */
static bool terminal_is_dumb(void)
{
	const char *kind = getenv("TERM");

	return kind != NULL && strcmp(kind, "dumb") == 0;
}

void watch_progress_begin(struct watch_progress *progress, FILE *out)
{
	memset(progress, 0, sizeof(*progress));
	progress->out = out;
	progress->terminal = isatty(fileno(out)) == 1 && !terminal_is_dumb();
}

/* Off a terminal a note is said once, and another (it may differ in a number only) after a while.
 */
static void note_say(struct watch_progress *progress, const char *note, uint64_t elapsed_ms)
{
	if (note[0] == '\0' || strcmp(progress->note, note) == 0 ||
	    (progress->note_ms != 0 && elapsed_ms - progress->note_ms < NOTE_AGAIN_MS))
		return;
	progress->note_ms = elapsed_ms;
	(void)snprintf(progress->note, sizeof(progress->note), "%s", note);
	(void)fprintf(progress->out, "%9s  %s\n", "", note);
}

void watch_progress_show(struct watch_progress *progress, const struct status *status,
			 uint64_t elapsed_ms)
{
	const char *phase = status->next_epoch == 0 && status->settled ? "waiting" : status->phase;
	bool begins = strcmp(progress->phase, phase) != 0;
	char line[LINE_BYTES], keys[128], note[STATUS_TEXT_MAX + 1], time[HUMAN_NUMBER_BYTES];

	if (begins) {
		(void)snprintf(progress->phase, sizeof(progress->phase), "%s", phase);
		progress->phase_ms = elapsed_ms;
		progress->note_ms = 0;
		progress->note[0] = '\0';
		progress->bars_ms = elapsed_ms;
	}
	note_find(status, elapsed_ms - progress->phase_ms, note);
	(void)watch_keys(status, keys, sizeof(keys));
	/* No blanks at the end of a line. */
	(void)snprintf(line, sizeof(line), "%9s  %-*s%s%s", human_duration(elapsed_ms, time),
		       keys[0] == '\0' ? 0 : PHASE_COLUMNS, phase, keys[0] == '\0' ? "" : "  ",
		       keys);
	if (progress->terminal) {
		size_t used = strlen(line);

		if (note[0] != '\0')
			(void)snprintf(line + used, sizeof(line) - used, "  %s", note);
		line_redraw(progress, line);
		bars_draw(progress, status);
	} else {
		if (begins)
			(void)fprintf(progress->out, "%s\n", line);
		note_say(progress, note, elapsed_ms);
		bars_say(progress, status, elapsed_ms);
	}
	(void)fflush(progress->out);
}

void watch_progress_note(struct watch_progress *progress, const char *note, uint64_t elapsed_ms)
{
	if (progress->terminal)
		line_redraw(progress, note);
	else
		note_say(progress, note, elapsed_ms);
	(void)fflush(progress->out);
}

void watch_progress_end(struct watch_progress *progress)
{
	if (progress->drawn)
		lines_clear(progress);
	progress->drawn = false;
	(void)fflush(progress->out);
}
