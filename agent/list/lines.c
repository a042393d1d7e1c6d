/* lines.c - see lines.h.  The bytes come from outside: nothing in them is believed before its bound
 * was checked.  Reentrant; what a line means, and all memory that it takes, is the form's.
 */
#include "list/lines.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int lines_refuse(struct lines *lines, const char *format, ...)
{
	char text[FAILURE_BYTES];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return failure_set(lines->failure, EBADMSG, "line %" PRIu32 ": %s", lines->line, text);
}

/* May the line that `step` waits for be missing now? */
static bool step_may_end(const struct lines *lines, uint32_t step)
{
	return lines->form->steps[step].optional ||
	       (step == lines->step && lines->form->steps[step].repeats && lines->repeated);
}

/* The lines that may stand here, for a refusal. */
static void expected_print(const struct lines *lines, char *text, size_t bytes)
{
	const struct lines_form *form = lines->form;
	uint32_t step = lines->step;
	size_t used = 0;

	text[0] = '\0';
	for (; step < form->step_count && used < bytes; step++) {
		used += (size_t)snprintf(text + used, bytes - used, "%s`%s`",
					 used == 0 ? "" : " or ", form->steps[step].shape);
		if (!step_may_end(lines, step))
			return;
	}
	if (used < bytes)
		(void)snprintf(text + used, bytes - used, "%sthe end of the %s",
			       used == 0 ? "" : " or ", form->name);
}

/* Cuts a line at its single spaces.  A word too many is kept back: the step's count refuses it. */
static int line_cut(struct lines *lines, const char *line, size_t bytes)
{
	const char *end = line + bytes;

	if (bytes == 0)
		return lines_refuse(lines, "empty line");
	if (line[0] == ' ' || end[-1] == ' ')
		return lines_refuse(lines, "blank at the %s of the line",
				    line[0] == ' ' ? "beginning" : "end");
	lines->word_count = 0;
	while (line < end && lines->word_count < LINES_WORDS_MAX) {
		const char *space = memchr(line, ' ', (size_t)(end - line));
		const char *stop = space == NULL ? end : space;

		if (stop == line)
			return lines_refuse(lines, "two blanks in a row: words are parted by one");
		lines->words[lines->word_count++] = (struct word){line, (size_t)(stop - line)};
		line = stop + 1;
	}
	return 0;
}

static int line_bytes_check(struct lines *lines, const char *line, size_t bytes)
{
	const struct lines_form *form = lines->form;
	const size_t begins = form->long_line == NULL ? 0 : strlen(form->long_line);
	const bool is_long =
	    begins != 0 && bytes >= begins && memcmp(line, form->long_line, begins) == 0;
	const size_t max = is_long ? form->long_line_max : LIST_LINE_MAX;

	if (bytes > max)
		return lines_refuse(lines, "line of %zu bytes: at most %zu are allowed", bytes,
				    max);
	for (size_t i = 0; i < bytes; i++) {
		const unsigned byte = (unsigned char)line[i];

		if (byte < 0x20 || byte > 0x7e)
			return lines_refuse(
			    lines,
			    "byte 0x%02x at column %zu: the %s must be printable ASCII, its lines "
			    "ending in a newline alone",
			    byte, i + 1, form->name);
	}
	return 0;
}

static int line_push(struct lines *lines, const char *line, size_t bytes)
{
	const struct lines_form *form = lines->form;
	char expected[FAILURE_BYTES / 2];
	const struct lines_step *step;
	uint32_t at;
	int error = line_bytes_check(lines, line, bytes);

	if (error == 0)
		error = line_cut(lines, line, bytes);
	if (error != 0)
		return error;
	at = lines->step;
	while (at < form->step_count && !text_is(lines->words[0], form->steps[at].keyword) &&
	       step_may_end(lines, at))
		at++;
	if (at == form->step_count || !text_is(lines->words[0], form->steps[at].keyword)) {
		expected_print(lines, expected, sizeof(expected));
		return lines_refuse(lines, "found `%.*s`: want %s here",
				    (int)(lines->words[0].bytes > 40 ? 40 : lines->words[0].bytes),
				    lines->words[0].text, expected);
	}
	step = &form->steps[at];
	if (lines->word_count < step->words_min || lines->word_count > step->words_max)
		return lines_refuse(lines, "%" PRIu32 " words: want `%s`", lines->word_count,
				    step->shape);
	error = step->take(lines, lines->words);
	if (error != 0)
		return error;
	lines->step = step->repeats ? at : at + 1;
	lines->repeated = step->repeats;
	return 0;
}

static int lines_end(struct lines *lines)
{
	char expected[FAILURE_BYTES / 2];
	uint32_t at = lines->step;

	while (at < lines->form->step_count && step_may_end(lines, at))
		at++;
	lines->line++;
	if (at == lines->form->step_count)
		return lines->form->end != NULL ? lines->form->end(lines) : 0;
	expected_print(lines, expected, sizeof(expected));
	return lines_refuse(lines, "the %s ends here: want %s", lines->form->name, expected);
}

int lines_parse(const struct lines_form *form, void *made, const void *document,
		size_t document_bytes, size_t *body_bytes, struct failure *failure)
{
	struct lines lines = {.form = form, .made = made, .failure = failure};
	const char *at = document, *end;
	size_t bytes = 0;
	uint32_t signatures = 0;
	int error = document_split(document, document_bytes, &bytes, &signatures, failure);

	if (error != 0)
		return error;
	for (end = at + bytes; at < end; at++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		lines.line++;
		error = line_push(&lines, at, (size_t)(newline - at));
		if (error != 0)
			return error;
		at = newline;
	}
	error = lines_end(&lines);
	if (error == 0)
		*body_bytes = bytes;
	return error;
}

void *lines_grow(void *array, uint32_t count, uint32_t *room, size_t size)
{
	const uint32_t wanted = *room == 0 ? 16 : *room * 2;
	void *larger;

	if (count < *room)
		return array;
	larger = reallocarray(array, wanted, size);
	if (larger != NULL)
		*room = wanted;
	return larger;
}

int lines_keep(const void *document, size_t document_bytes, uint8_t **copy, size_t *copy_bytes,
	       struct failure *failure)
{
	uint8_t *bytes = malloc(document_bytes);

	if (bytes == NULL)
		return failure_set(failure, ENOMEM, "no memory for a document of %zu bytes",
				   document_bytes);
	memcpy(bytes, document, document_bytes);
	*copy = bytes;
	*copy_bytes = document_bytes;
	return 0;
}

int lines_write(int (*print)(const void *what, FILE *out), const void *what, char **text,
		size_t *bytes)
{
	FILE *out = open_memstream(text, bytes);
	int error;

	if (out == NULL)
		return -ENOMEM;
	error = print(what, out);
	if (ferror(out))
		error = -ENOMEM;
	if (fclose(out) != 0)
		error = -ENOMEM;
	return error;
}
