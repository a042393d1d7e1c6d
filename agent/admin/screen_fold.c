/* screen_fold.c - see screen.h: text folded to a width, and its words of alarm coloured.  Nothing
 * here knows of terminals. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "admin/screen.h"

#define FOLD_COLUMNS_MIN 20u /* narrower than that words are no more readable folded */
#define HANG_MAX	 14u
#define BROKEN_COLUMNS	 60u

/* ---- one line ---- */

static const char *label_colour(const char *line, size_t *length)
{
	const size_t capitals = strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

	*length = capitals;
	if (capitals == 4 && strncmp(line, "WARN", 4) == 0)
		return "\033[33m";
	if (strncmp(line, "ok ", 3) == 0) {
		*length = 2;
		return "\033[32m";
	}
	if (capitals > 1 && line[capitals] == ' ' && line[capitals + 1] == ' ')
		return "\033[31m";
	return NULL;
}

/* Where a line's second column begins, which two blanks part from the first; 0: it has none.  After
 * the end of a sentence two blanks are no columns. */
static size_t column_of(const char *line, size_t length)
{
	size_t at = strspn(line, " ");

	while (at + 1 < length &&
	       !(line[at] == ' ' && line[at + 1] == ' ' && at > 0 && line[at - 1] != '.'))
		at++;
	while (at < length && line[at] == ' ')
		at++;
	return at + 1 < length ? at : 0;
}

/* Where what follows a folded line begins: below its second column, where it has one. */
static unsigned hang_of(const char *line, size_t length)
{
	size_t at = column_of(line, length);

	if (at == 0 || at > HANG_MAX)
		at = strspn(line, " ") + 4;
	return at < HANG_MAX ? (unsigned)at : HANG_MAX;
}

/* Where the quotes end that open there; 0: none do. */
static size_t quotes_end(const char *text, size_t length)
{
	size_t at = strspn(text, "(");

	if (text[at] != '\'')
		return 0;
	for (at++; at < length; at++)
		if (text[at] == '\'' && (at + 1 == length || !isalnum((unsigned char)text[at + 1])))
			return at + 1;
	return 0;
}

/* So much of the text is put on a line of that width: as many words as there is room for.  What is
 * in quotes counts as one. */
static size_t piece_of(const char *text, size_t length, size_t width)
{
	size_t taken = 0;

	while (taken < length) {
		const size_t blanks = strspn(text + taken, " ");
		const char *word = text + taken + blanks;
		const size_t left = length - taken - blanks, quoted = quotes_end(word, left);
		const size_t end = quoted + strcspn(word + quoted, " ");
		const size_t bytes = end < left ? end : left;

		if (taken + blanks + bytes <= width)
			taken += blanks + bytes;
		else if (taken > 0)
			break;
		else
			return quoted > 0 ? blanks + bytes : width;
	}
	return taken;
}

static void line_fold(const char *line, size_t length, unsigned hang, unsigned columns,
		      bool coloured, FILE *out)
{
	unsigned indent = 0;
	size_t label = 0;
	const char *colour = coloured ? label_colour(line, &label) : NULL;

	if (columns < FOLD_COLUMNS_MIN)
		columns = 0;
	if (hang > columns * 2 / 5)
		hang = columns * 2 / 5;
	do {
		const size_t room = columns > 0 ? columns - indent : length;
		size_t piece = piece_of(line, length, room);

		(void)fprintf(out, "%*s", (int)indent, "");
		if (colour != NULL && label <= piece) {
			(void)fprintf(out, "%s%.*s\033[0m%.*s", colour, (int)label, line,
				      (int)(piece - label), line + label);
			colour = NULL;
		} else {
			(void)fwrite(line, 1, piece, out);
		}
		(void)fputc('\n', out);
		while (piece < length && line[piece] == ' ')
			piece++;
		line += piece;
		length -= piece;
		indent = hang;
	} while (length > 0);
}

/* ---- lines that belong together ---- */

/* Texts are broken for 80 columns.  A line goes on in the next one where that stands below its
 * second column; and where neither has one, they begin alike, and it is so long that it was broken.
 */
static bool goes_on(const char *first, size_t length, const char *next)
{
	const size_t indent = strspn(first, " "), column = column_of(first, strcspn(first, "\n"));
	const size_t below = strspn(next, " "), next_length = strcspn(next, "\n");

	if (below == next_length)
		return false;
	if (column > 0)
		return below == column;
	return below == indent && column_of(next, next_length) == 0 && length > BROKEN_COLUMNS;
}

/* How many bytes the lines have that belong to the first one; *wide: one is longer than that. */
static size_t group_of(const char *text, unsigned columns, bool *wide)
{
	size_t length = strcspn(text, "\n"), all = length;
	const char *line = text;

	*wide = length > columns;
	while (line[length] == '\n' && goes_on(text, length, line + length + 1)) {
		line += length + 1;
		length = strcspn(line, "\n");
		all = (size_t)(line - text) + length;
		*wide = *wide || length > columns;
	}
	return all;
}

/* In place: one line of them. */
static size_t group_join(char *text, size_t length)
{
	size_t to = 0;

	for (size_t from = 0; from < length;) {
		const bool broken = text[from] == '\n';

		text[to++] = broken ? ' ' : text[from];
		from++;
		if (broken)
			from += strspn(text + from, " ");
	}
	text[to] = '\0';
	return to;
}

static int group_fold(const char *text, size_t length, unsigned columns, bool coloured, FILE *out)
{
	const size_t first = strcspn(text, "\n");
	const bool paragraph = first < length && column_of(text, first) == 0;
	char *joined = strndup(text, length);
	unsigned hang;

	if (joined == NULL)
		return -ENOMEM;
	length = group_join(joined, length);
	hang = paragraph ? (unsigned)strspn(joined, " ") : hang_of(joined, length);
	line_fold(joined, length, hang, columns, coloured, out);
	free(joined);
	return 0;
}

int screen_fold(const char *text, unsigned columns, bool coloured, char **folded)
{
	size_t bytes;
	FILE *out = open_memstream(folded, &bytes);
	int error = 0;

	if (out == NULL)
		return -ENOMEM;
	while (error == 0 && *text != '\0') {
		size_t length = 0;
		bool wide = false;

		if (columns >= FOLD_COLUMNS_MIN)
			length = group_of(text, columns, &wide);
		if (wide) {
			error = group_fold(text, length, columns, coloured, out);
		} else {
			length = strcspn(text, "\n");
			line_fold(text, length, hang_of(text, length), columns, coloured, out);
		}
		text += length + (text[length] == '\n');
	}
	if (fclose(out) != 0)
		error = -ENOMEM;
	if (error < 0) {
		free(*folded);
		*folded = NULL;
	}
	return error;
}
