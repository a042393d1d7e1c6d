/* screen.c - see screen.h. */
#include "admin/screen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define FOLD_COLUMNS_MIN 20u /* narrower than that words are no more readable folded */
#define HANG_MAX	 14u

/* The page being written: its memory is no terminal, but it is for one. */
static const struct page *page_now;

static bool window_get(FILE *out, struct winsize *window)
{
	const int fd = fileno(out);

	return fd >= 0 && isatty(fd) == 1 && ioctl(fd, TIOCGWINSZ, window) == 0;
}

unsigned screen_columns(FILE *out)
{
	struct winsize window;

	if (page_now != NULL && out == page_now->text)
		return page_now->columns;
	return window_get(out, &window) ? window.ws_col : 0;
}

unsigned screen_rows(FILE *out)
{
	struct winsize window;

	return window_get(out, &window) ? window.ws_row : 0;
}

static bool colours_wanted(FILE *out)
{
	const char *no_colour = getenv("NO_COLOR"), *kind = getenv("TERM");

	return isatty(fileno(out)) == 1 && (no_colour == NULL || no_colour[0] == '\0') &&
	       kind != NULL && strcmp(kind, "dumb") != 0;
}

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

/* Where what follows a folded line begins: below its second column, where it has one. */
static unsigned hang_of(const char *line, size_t length)
{
	size_t at = strspn(line, " ");

	while (at + 1 < length && !(line[at] == ' ' && line[at + 1] == ' '))
		at++;
	while (at < length && line[at] == ' ')
		at++;
	if (at >= length || at > HANG_MAX)
		at = strspn(line, " ") + 4;
	return at < HANG_MAX ? (unsigned)at : HANG_MAX;
}

/* So much of the text is put on a line of that width: up to a blank, where there is one. */
static size_t piece_of(const char *text, size_t length, size_t width)
{
	size_t at = width;

	if (length <= width)
		return length;
	while (at > 0 && text[at] != ' ')
		at--;
	while (at > 0 && text[at - 1] == ' ')
		at--;
	return at > 0 ? at : width;
}

static void line_fold(const char *line, size_t length, unsigned columns, bool coloured, FILE *out)
{
	unsigned hang = hang_of(line, length), indent = 0;
	size_t label = 0;
	const char *colour = coloured ? label_colour(line, &label) : NULL;

	if (columns < FOLD_COLUMNS_MIN)
		columns = 0;
	if (hang > columns / 3)
		hang = columns / 3;
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

int screen_fold(const char *text, unsigned columns, bool coloured, char **folded)
{
	size_t bytes;
	FILE *out = open_memstream(folded, &bytes);

	if (out == NULL)
		return -ENOMEM;
	while (*text != '\0') {
		const size_t length = strcspn(text, "\n");

		line_fold(text, length, columns, coloured, out);
		text += length + (text[length] == '\n');
	}
	return fclose(out) == 0 ? 0 : -ENOMEM;
}

/* ---- pages ---- */

int page_begin(struct page *page, FILE *out)
{
	memset(page, 0, sizeof(*page));
	page->columns = screen_columns(out);
	page->text = open_memstream(&page->bytes, &page->length);
	if (page->text == NULL)
		return -ENOMEM;
	page_now = page;
	return 0;
}

static int page_fold(struct page *page, FILE *out, char **folded)
{
	int error = fclose(page->text) == 0 ? 0 : -ENOMEM;

	page_now = NULL;
	if (error == 0)
		error = screen_fold(page->bytes, page->columns, colours_wanted(out), folded);
	free(page->bytes);
	page->bytes = NULL;
	return error;
}

int page_end(struct page *page, FILE *out)
{
	char *folded = NULL;
	int error = page_fold(page, out, &folded);

	if (error == 0)
		(void)fputs(folded, out);
	free(folded);
	return error;
}

static unsigned lines_count(const char *text)
{
	unsigned lines = 0;

	for (; *text != '\0'; text++)
		lines += *text == '\n';
	return lines;
}

int page_redraw(struct page *page, FILE *out)
{
	const unsigned rows = screen_rows(out);
	char *folded = NULL;
	int error = page_fold(page, out, &folded);
	const char *text = folded;
	unsigned lines, shown = 0;

	if (error < 0) {
		free(folded);
		return error;
	}
	lines = lines_count(folded);
	(void)fputs("\033[H", out);
	while (*text != '\0' && (rows == 0 || lines < rows || shown + 2 < rows)) {
		const size_t length = strcspn(text, "\n");

		(void)fprintf(out, "%.*s\033[K\n", (int)length, text);
		text += length + (text[length] == '\n');
		shown++;
	}
	if (shown < lines)
		(void)fprintf(out, "... %u more line%s\033[K", lines - shown,
			      lines - shown == 1 ? "" : "s");
	(void)fputs("\033[J", out);
	(void)fflush(out);
	free(folded);
	return 0;
}
