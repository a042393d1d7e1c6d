/* screen.h - text on its way to a terminal: folded to its width, its words of alarm coloured.
 *
 * Elsewhere than at a terminal text stays as it is: no folding, no colours.  NO_COLOR
 * (no-color.org) and TERM=dumb take the colours away.
 * What stands in 'quotes' is kept in one piece, however long: a command that is shown can be
 * copied.
 */
#ifndef MCROSTER_ADMIN_SCREEN_H
#define MCROSTER_ADMIN_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* The width of a terminal, or of the one for which a page is being written; 0: as wide as it likes.
 */
unsigned screen_columns(FILE *out);
unsigned screen_rows(FILE *out); /* 0: no terminal */

/* A page: text that is put together before it is shown.  One at a time. */
struct page {
	FILE *text; /* print here */
	char *bytes;
	size_t length;
	unsigned columns;
};

/* For `out`.  -ENOMEM. */
int page_begin(struct page *page, FILE *out);
/* Shows it, folded and coloured as fits `out`, and forgets it.  -ENOMEM. */
int page_end(struct page *page, FILE *out);
/* The same over the one before, from the screen's corner; what does not fit below is left out, and
 * how much is said in the last line. */
int page_redraw(struct page *page, FILE *out);

/* Text that is no page: folded, not coloured; as it is where there is no memory for that. */
void screen_print(FILE *out, const char *text);
/* The same of one line without its end; behind what is on standard output already. */
void screen_say(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The text folded: a line that is longer than `columns` (0: none is) goes on below, a little to the
 * right of where its words begin; lines that were broken for 80 columns are joined first. Coloured:
 * "FAULT", "WARN" and "ok" where a line begins with them, and other capitals there that two blanks
 * follow.  *out is malloc'd.  -ENOMEM. */
int screen_fold(const char *text, unsigned columns, bool coloured, char **out);

#endif
