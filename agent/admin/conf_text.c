/* conf_text.c - see conf_text.h.  One pass; quotes as libconfuse reads them. */
#include "admin/conf_text.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

struct scan {
	char *at;
	uint32_t line;
	uint32_t depth, open_line; /* brackets open, and where the outermost was opened */
};

static void advance(struct scan *scan, bool blank)
{
	if (*scan->at == '\n')
		scan->line++;
	else if (blank)
		*scan->at = ' ';
	scan->at++;
}

static void comment_line_blank(struct scan *scan)
{
	while (*scan->at != '\0' && *scan->at != '\n')
		advance(scan, true);
}

/* Returns false when the end of the comment is missing. */
static bool comment_block_blank(struct scan *scan)
{
	advance(scan, true);
	advance(scan, true);
	while (*scan->at != '\0') {
		bool last = scan->at[0] == '*' && scan->at[1] == '/';

		advance(scan, true);
		if (last) {
			advance(scan, true);
			return true;
		}
	}
	return false;
}

/* Returns false when the closing quote is missing. */
static bool quoted_skip(struct scan *scan)
{
	char quote = *scan->at;

	advance(scan, false);
	while (*scan->at != '\0' && *scan->at != quote) {
		if (scan->at[0] == '\\' && scan->at[1] != '\0')
			advance(scan, false);
		advance(scan, false);
	}
	if (*scan->at == '\0')
		return false;
	advance(scan, false);
	return true;
}

/* A slash within a bare word is part of it. */
static bool word_before(const char *text, const char *at)
{
	return at > text && strchr(" \t\r\n={}(),\"'", at[-1]) == NULL;
}

int conf_text_prepare(char *text, const char *path, struct failure *failure)
{
	struct scan scan = {.at = text, .line = 1};

	while (*scan.at != '\0') {
		uint32_t line = scan.line;

		if (*scan.at == '#' ||
		    (scan.at[0] == '/' && scan.at[1] == '/' && !word_before(text, scan.at))) {
			comment_line_blank(&scan);
		} else if (scan.at[0] == '/' && scan.at[1] == '*') {
			if (!comment_block_blank(&scan))
				return failure_set(
				    failure, EINVAL,
				    "%s:%u: the comment that begins here is not closed", path,
				    line);
		} else if (*scan.at == '"' || *scan.at == '\'') {
			if (!quoted_skip(&scan))
				return failure_set(
				    failure, EINVAL,
				    "%s:%u: the quote that begins here is not closed", path, line);
		} else {
			if (*scan.at == '{' && scan.depth++ == 0)
				scan.open_line = line;
			if (*scan.at == '}' && scan.depth > 0)
				scan.depth--;
			advance(&scan, false);
		}
	}
	if (scan.depth > 0)
		return failure_set(failure, EINVAL,
				   "%s:%u: the '{' of this line is not closed by a '}'", path,
				   scan.open_line);
	return 0;
}
