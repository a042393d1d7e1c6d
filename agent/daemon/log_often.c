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

/* Its place, or that of the line that came the longest time ago. */
static struct log_often_line *line_find(struct log_often *often, uint64_t hash)
{
	struct log_often_line *oldest = &often->line[0];

	for (size_t i = 0; i < LOG_OFTEN_LINES; i++) {
		struct log_often_line *line = &often->line[i];

		if (line->hash == hash)
			return line;
		if (line->seen_ms < oldest->seen_ms)
			oldest = line;
	}
	return oldest;
}

bool log_often_write(struct log_often *often, const char *text, uint64_t now_ms, uint32_t *left_out)
{
	const uint64_t hash = line_hash(text);
	struct log_often_line *line = line_find(often, hash);
	bool again = line->hash == hash && now_ms >= line->seen_ms;

	*left_out = 0;
	/* It was quiet for longer than it was held back: that was another time. */
	if (again && now_ms - line->seen_ms > line->pause_ms)
		again = false;
	if (again && now_ms - line->written_ms < line->pause_ms) {
		line->seen_ms = now_ms;
		line->left_out++;
		return false;
	}
	if (line->hash == hash)
		*left_out = line->left_out;
	line->pause_ms = again ? line->pause_ms * 2 : LOG_OFTEN_MIN_MS;
	if (line->pause_ms > LOG_OFTEN_MAX_MS)
		line->pause_ms = LOG_OFTEN_MAX_MS;
	line->hash = hash;
	line->written_ms = line->seen_ms = now_ms;
	line->left_out = 0;
	return true;
}
