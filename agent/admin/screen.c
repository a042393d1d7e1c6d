/* screen.c - see screen.h. */
#include "admin/screen.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LINE_BYTES 2048u

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

/* ---- text ---- */

void screen_print(FILE *out, const char *text)
{
	const unsigned columns = screen_columns(out);
	char *folded = NULL;

	if (columns > 0 && screen_fold(text, columns, false, &folded) == 0)
		(void)fputs(folded, out);
	else
		(void)fputs(text, out);
	free(folded);
}

void screen_say(FILE *out, const char *format, ...)
{
	char text[LINE_BYTES];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text) - 1, format, arguments);
	va_end(arguments);
	(void)strcat(text, "\n");
	(void)fflush(stdout);
	screen_print(out, text);
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
