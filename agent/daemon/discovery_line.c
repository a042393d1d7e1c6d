/* discovery_line.c - see discovery_line.h. */
#include "daemon/discovery_line.h"

#include <string.h>

#define DIGITS_MAX 10u /* of the length of a value */

/* What is left of a line. */
struct words {
	const char *at, *end;
};

struct word {
	const char *at;
	size_t chars; /* 0: there is none */
};

static struct word word_next(struct words *line)
{
	struct word word;

	while (line->at < line->end && *line->at == ' ')
		line->at++;
	word.at = line->at;
	while (line->at < line->end && *line->at != ' ')
		line->at++;
	word.chars = (size_t)(line->at - word.at);
	return word;
}

static bool word_is(struct word word, const char *text)
{
	return word.chars == strlen(text) && memcmp(word.at, text, word.chars) == 0;
}

static enum discovery_request get_read(struct words line)
{
	struct word key = word_next(&line);
	enum discovery_request request = key.chars > 0 ? DISCOVERY_GET_ABSENT : DISCOVERY_UNKNOWN;

	for (; key.chars > 0; key = word_next(&line))
		if (word_is(key, DISCOVERY_KEY))
			request = DISCOVERY_GET;
	return request;
}

static enum discovery_request config_read(struct words line)
{
	const bool get = word_is(word_next(&line), "get");
	const struct word name = word_next(&line);

	if (!get || name.chars == 0 || word_next(&line).chars > 0)
		return DISCOVERY_UNKNOWN;
	return word_is(name, "cluster") ? DISCOVERY_CONFIG : DISCOVERY_CONFIG_ABSENT;
}

/* KEY FLAGS EXPIRY BYTES, and further words.  *data: the value and its line end. */
static enum discovery_request store_read(struct words line, uint64_t *data)
{
	struct word bytes;
	uint64_t length = 0;
	bool silent = false;

	(void)word_next(&line);
	(void)word_next(&line);
	(void)word_next(&line);
	bytes = word_next(&line);
	if (bytes.chars == 0 || bytes.chars > DIGITS_MAX)
		return DISCOVERY_BAD;
	for (size_t i = 0; i < bytes.chars; i++) {
		if (bytes.at[i] < '0' || bytes.at[i] > '9')
			return DISCOVERY_BAD;
		length = length * 10 + (uint64_t)(bytes.at[i] - '0');
	}
	for (struct word word = word_next(&line); word.chars > 0; word = word_next(&line))
		silent = word_is(word, "noreply");
	*data = length + 2;
	return silent ? DISCOVERY_NONE : DISCOVERY_STORE;
}

static bool word_stores(struct word word)
{
	static const char *const commands[] = {"set", "add", "replace", "append", "prepend", "cas"};

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (word_is(word, commands[i]))
			return true;
	return false;
}

static enum discovery_request line_read(struct words line, uint64_t *data)
{
	const struct word command = word_next(&line);

	if (word_is(command, "config"))
		return config_read(line);
	if (word_is(command, "get"))
		return get_read(line);
	if (word_stores(command))
		return store_read(line, data);
	if (word_is(command, "stats"))
		return word_next(&line).chars > 0 ? DISCOVERY_STATS_ABSENT : DISCOVERY_STATS;
	if (word_next(&line).chars > 0)
		return DISCOVERY_UNKNOWN;
	if (word_is(command, "version"))
		return DISCOVERY_VERSION;
	return word_is(command, "quit") ? DISCOVERY_QUIT : DISCOVERY_UNKNOWN;
}

size_t discovery_read(struct discovery_reader *reader, const char *bytes, size_t length,
		      enum discovery_request *request)
{
	const char *end;
	struct words line;

	*request = DISCOVERY_NONE;
	if (reader->data > 0) {
		const size_t passed = length < reader->data ? length : (size_t)reader->data;

		reader->data -= passed;
		return passed;
	}
	if (length == 0)
		return 0;
	if (reader->in_line) {
		end = memchr(bytes, '\n', length);
		reader->in_line = end == NULL;
		return end != NULL ? (size_t)(end - bytes) + 1 : length;
	}
	end = memchr(bytes, '\n', length <= DISCOVERY_LINE_MAX ? length : DISCOVERY_LINE_MAX + 1);
	if (end == NULL) {
		if (length <= DISCOVERY_LINE_MAX)
			return 0;
		reader->in_line = true;
		*request = DISCOVERY_TOO_LONG;
		return DISCOVERY_LINE_MAX + 1;
	}
	line.at = bytes;
	line.end = end > bytes && end[-1] == '\r' ? end - 1 : end;
	*request = line_read(line, &reader->data);
	return (size_t)(end - bytes) + 1;
}
