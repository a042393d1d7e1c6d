/* log_often.c - see log_often.h. */
#include "daemon/log_often.h"

#include <stddef.h>

/* FNV-1a.  Two lines of one hash: one of them is held back for a moment. */
static uint64_t line_hash(const char *line)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (; *line != '\0'; line++)
		hash = (hash ^ (unsigned char)*line) * 0x100000001b3u;
	return hash != 0 ? hash : 1;
}

/* Its place, or that of the line that came the longest time ago.  What is held back is yet to be
 * written and keeps its place: NULL where all are. */
static struct log_often_line *line_find(struct log_often *often, uint64_t hash)
{
	struct log_often_line *oldest = NULL;

	for (size_t i = 0; i < LOG_OFTEN_LINES; i++) {
		struct log_often_line *line = &often->line[i];

		if (line->hash == hash)
			return line;
		if (line->left_out == 0 && (oldest == NULL || line->came < oldest->came))
			oldest = line;
	}
	return oldest;
}

/* Those held back, by their last coming. */
static struct log_often_line *line_first_held(struct log_often *often)
{
	struct log_often_line *first = NULL;

	for (size_t i = 0; i < LOG_OFTEN_LINES; i++) {
		struct log_often_line *line = &often->line[i];

		if (line->left_out != 0 && (first == NULL || line->came < first->came))
			first = line;
	}
	return first;
}

/* One that has waited for others for too long: they may take turns for ever. */
static struct log_often_line *line_late(struct log_often *often, uint64_t now_ms)
{
	for (size_t i = 0; i < LOG_OFTEN_LINES; i++) {
		struct log_often_line *line = &often->line[i];

		if (line->left_out != 0 && now_ms - line->written_ms >= LOG_OFTEN_LATE_MS)
			return line;
	}
	return NULL;
}

static bool line_paused(const struct log_often_line *line, uint64_t now_ms)
{
	return now_ms - line->written_ms < line->pause_ms;
}

static void line_written(struct log_often_line *line, uint64_t now_ms, bool again)
{
	line->pause_ms = again ? line->pause_ms * 2 : LOG_OFTEN_MIN_MS;
	if (line->pause_ms > LOG_OFTEN_MAX_MS)
		line->pause_ms = LOG_OFTEN_MAX_MS;
	line->written_ms = line->seen_ms = now_ms;
	line->left_out = 0;
}

struct log_often_word log_often_came(struct log_often *often, const char *text, uint64_t now_ms)
{
	struct log_often_word word = {.write = true, .place = LOG_OFTEN_LINES};
	const uint64_t hash = line_hash(text);
	struct log_often_line *line = line_find(often, hash), *first;
	bool again;

	if (line == NULL)
		return word;
	word.place = (uint32_t)(line - often->line);
	/* It was quiet for longer than it was held back: that was another time. */
	again = line->hash == hash && now_ms >= line->seen_ms &&
		(line->left_out != 0 || now_ms - line->seen_ms <= line->pause_ms);
	line->came = ++often->came;
	first = line_first_held(often);
	if (again && (line_paused(line, now_ms) || (first != NULL && first != line))) {
		line->seen_ms = now_ms;
		line->left_out++;
		word.write = false;
		return word;
	}
	if (again)
		word.before = line->left_out;
	line->hash = hash;
	line_written(line, now_ms, again);
	return word;
}

struct log_often_word log_often_next(struct log_often *often, uint64_t now_ms, bool all)
{
	struct log_often_word word = {.place = LOG_OFTEN_LINES};
	struct log_often_line *line = line_first_held(often);

	if (line != NULL && !all && line_paused(line, now_ms))
		line = line_late(often, now_ms);
	if (line == NULL)
		return word;
	word.write = true;
	word.place = (uint32_t)(line - often->line);
	word.before = line->left_out - 1;
	word.ago_ms = now_ms - line->seen_ms;
	line_written(line, now_ms, true);
	return word;
}
