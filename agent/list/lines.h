/* lines.h - a body pushed in one line at a time: the parser that all documents share.
 *
 * Internal to agent/list.  Lines are bounded, checked for bytes that may not be there, cut into
 * words and matched with the step of the form that is due; what they mean is the form's own.
 */
#ifndef MCROSTER_LINES_H
#define MCROSTER_LINES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "list/list.h"
#include "list/list_text.h"

#define LINES_WORDS_MAX 8u

struct lines;

struct lines_step {
	const char *keyword;
	const char *shape; /* what the whole line looks like, for the refusal */
	uint32_t words_min, words_max;
	bool optional, repeats;
	/* Takes a line of printable ASCII with that keyword and number of words into lines->made;
	 * words[0] is the keyword. */
	int (*take)(struct lines *lines, const struct word *words);
};

/* One kind of document: its lines in the one order they may have. */
struct lines_form {
	const char *name; /* "list": what refusals call it */
	const struct lines_step *steps;
	uint32_t step_count;
	const char *long_line; /* how the one line begins that may exceed LIST_LINE_MAX; or NULL */
	size_t long_line_max;
	/* After the last line: what only all of them together tell; or NULL. */
	int (*end)(struct lines *lines);
};

struct lines {
	const struct lines_form *form;
	void *made; /* what was taken so far; the form knows its type */
	struct failure *failure;
	uint32_t line; /* number of the line that is pushed, from 1; at the end one more */
	uint32_t step; /* of the form: the line that is waited for */
	bool repeated; /* that step has had a line already */
	struct word words[LINES_WORDS_MAX];
	uint32_t word_count;
};

/* Splits the document and pushes its body, to its end, into `made`.  -EBADMSG with "line N: ..."
 * for anything that is not canonical; what was taken until then stays in `made`. */
int lines_parse(const struct lines_form *form, void *made, const void *document,
		size_t document_bytes, size_t *body_bytes, struct failure *failure);

/* -EBADMSG with "line N: ". */
int lines_refuse(struct lines *lines, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Room for one element more; doubles, because the number of lines is the author's to choose.  NULL:
 * no memory; `array` stays as it is then. */
void *lines_grow(void *array, uint32_t count, uint32_t *room, size_t size);

/* A copy of the document, for whoever was parsed from it; *copy is the caller's.  -ENOMEM. */
int lines_keep(const void *document, size_t document_bytes, uint8_t **copy, size_t *copy_bytes,
	       struct failure *failure);

/* The other direction: what `print` writes of `what`, as a string.  *text is the caller's, also on
 * failure.  -ENOMEM, and what `print` returns. */
int lines_write(int (*print)(const void *what, FILE *out), const void *what, char **text,
		size_t *bytes);

#endif
