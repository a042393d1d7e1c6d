/* list_parse.c - a body becomes a struct list, pushed in one line at a time.
 *
 * Lines are bounded, checked for bytes that may not be there, cut into words and matched with the
 * step that is due; what they mean is list_lines.c's.  A list that is returned obeys every rule of
 * mcroster-list(5); of one that breaks a rule nothing is kept.
 */
#include "list/list_parser.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_LINE     "slots "
#define SLOTS_CHARS    ((LIST_SLOTS_MAX * 2 + 2) / 3 * 4)
#define SLOTS_LINE_MAX (sizeof(SLOTS_LINE) - 1 + SLOTS_CHARS)

int list_refuse(struct list_parser *parser, const char *format, ...)
{
	char text[FAILURE_BYTES];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return failure_set(parser->failure, EBADMSG, "line %" PRIu32 ": %s", parser->line, text);
}

/* May the line that `step` waits for be missing now? */
static bool step_may_end(const struct list_parser *parser, uint32_t step)
{
	return list_steps[step].optional ||
	       (step == parser->step && list_steps[step].repeats && parser->repeated);
}

/* The lines that may stand here, for a refusal. */
static void expected_print(const struct list_parser *parser, char *text, size_t bytes)
{
	size_t used = 0;

	text[0] = '\0';
	for (uint32_t step = parser->step; step < list_step_count && used < bytes; step++) {
		used += (size_t)snprintf(text + used, bytes - used, "%s`%s`",
					 used == 0 ? "" : " or ", list_steps[step].shape);
		if (!step_may_end(parser, step))
			break;
	}
	if (text[0] == '\0')
		(void)snprintf(text, bytes, "the end of the list");
}

/* Cuts a line at its single spaces.  A word too many is kept back: the step's count refuses it. */
static int line_cut(struct list_parser *parser, const char *line, size_t bytes)
{
	const char *end = line + bytes;

	if (bytes == 0)
		return list_refuse(parser, "empty line");
	if (line[0] == ' ' || end[-1] == ' ')
		return list_refuse(parser, "blank at the %s of the line",
				   line[0] == ' ' ? "beginning" : "end");
	parser->word_count = 0;
	while (line < end && parser->word_count < LIST_WORDS_MAX) {
		const char *space = memchr(line, ' ', (size_t)(end - line));
		const char *stop = space == NULL ? end : space;

		if (stop == line)
			return list_refuse(parser, "two blanks in a row: words are parted by one");
		parser->words[parser->word_count++] = (struct word){line, (size_t)(stop - line)};
		line = stop + 1;
	}
	return 0;
}

static int line_bytes_check(struct list_parser *parser, const char *line, size_t bytes)
{
	const size_t slots_bytes = sizeof(SLOTS_LINE) - 1;
	const bool is_slots = bytes >= slots_bytes && memcmp(line, SLOTS_LINE, slots_bytes) == 0;
	const size_t max = is_slots ? SLOTS_LINE_MAX : LIST_LINE_MAX;

	if (bytes > max)
		return list_refuse(parser, "line of %zu bytes: at most %zu are allowed", bytes,
				   max);
	for (size_t i = 0; i < bytes; i++) {
		const unsigned byte = (unsigned char)line[i];

		if (byte < 0x20 || byte > 0x7e)
			return list_refuse(
			    parser,
			    "byte 0x%02x at column %zu: a list is printable ASCII, and "
			    "lines end in a newline alone",
			    byte, i + 1);
	}
	return 0;
}

static int parser_push(struct list_parser *parser, const char *line, size_t bytes)
{
	char expected[FAILURE_BYTES / 2];
	const struct list_step *step;
	uint32_t at;
	int error = line_bytes_check(parser, line, bytes);

	if (error == 0)
		error = line_cut(parser, line, bytes);
	if (error != 0)
		return error;
	at = parser->step;
	while (at < list_step_count && !text_is(parser->words[0], list_steps[at].keyword) &&
	       step_may_end(parser, at))
		at++;
	if (at == list_step_count || !text_is(parser->words[0], list_steps[at].keyword)) {
		expected_print(parser, expected, sizeof(expected));
		return list_refuse(parser, "found `%.*s`: want %s here",
				   (int)(parser->words[0].bytes > 40 ? 40 : parser->words[0].bytes),
				   parser->words[0].text, expected);
	}
	step = &list_steps[at];
	if (parser->word_count < step->words_min || parser->word_count > step->words_max)
		return list_refuse(parser, "%" PRIu32 " words: want `%s`", parser->word_count,
				   step->shape);
	error = step->take(parser, parser->words);
	if (error != 0)
		return error;
	parser->step = step->repeats ? at : at + 1;
	parser->repeated = step->repeats;
	return 0;
}

static int parser_end(struct list_parser *parser)
{
	char expected[FAILURE_BYTES / 2];

	if (parser->step == list_step_count)
		return 0;
	parser->line++;
	expected_print(parser, expected, sizeof(expected));
	return list_refuse(parser, "the list ends here: want %s", expected);
}

static int body_push(struct list_parser *parser, const char *body, size_t body_bytes)
{
	const char *end = body + body_bytes;

	while (body < end) {
		const char *newline = memchr(body, '\n', (size_t)(end - body));
		int error;

		parser->line++;
		error = parser_push(parser, body, (size_t)(newline - body));
		if (error != 0)
			return error;
		body = newline + 1;
	}
	return parser_end(parser);
}

int list_parse(const void *document, size_t document_bytes, struct list **list,
	       struct failure *failure)
{
	struct list_parser parser = {.failure = failure};
	size_t body_bytes = 0;
	uint32_t signatures = 0;
	int error = document_split(document, document_bytes, &body_bytes, &signatures, failure);

	if (error != 0)
		return error;
	parser.list = calloc(1, sizeof(*parser.list));
	if (parser.list == NULL)
		return failure_set(failure, ENOMEM, "no memory for a list");
	error = body_push(&parser, document, body_bytes);
	if (error != 0)
		goto refused;
	parser.list->document = malloc(document_bytes);
	if (parser.list->document == NULL) {
		error = failure_set(failure, ENOMEM, "no memory for a list of %zu bytes",
				    document_bytes);
		goto refused;
	}
	memcpy(parser.list->document, document, document_bytes);
	parser.list->document_bytes = document_bytes;
	document_hash(document, body_bytes, parser.list->hash);
	*list = parser.list;
	return 0;
refused:
	list_free(parser.list);
	return error;
}
