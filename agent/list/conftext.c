/* conftext.c - see conftext.h.  Reentrant. */
#include "list/conftext.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "list/infile.h"

struct scan {
	char *at;
	unsigned line;
};

/* Goes on by one character, over a comment's leaving a space behind. */
static void scan_step(struct scan *scan, bool blank)
{
	if (*scan->at == '\n')
		scan->line++;
	else if (blank)
		*scan->at = ' ';
	scan->at++;
}

static void scan_line_comment(struct scan *scan)
{
	while (*scan->at != '\0' && *scan->at != '\n')
		scan_step(scan, true);
}

/* false: it has no end. */
static bool scan_block_comment(struct scan *scan)
{
	const char *end = strstr(scan->at + 2, "*/");

	if (end == NULL)
		return false;
	while (scan->at < end + 2)
		scan_step(scan, true);
	return true;
}

/* false: the closing quote is missing. */
static bool scan_quoted(struct scan *scan)
{
	const char quote = *scan->at;

	scan_step(scan, false);
	while (*scan->at != '\0' && *scan->at != quote) {
		if (scan->at[0] == '\\' && scan->at[1] != '\0')
			scan_step(scan, false);
		scan_step(scan, false);
	}
	if (*scan->at == '\0')
		return false;
	scan_step(scan, false);
	return true;
}

/* A slash within a bare word is part of the word. */
static bool in_word(const char *text, const char *at)
{
	return at > text && strchr(" \t\r\n={}(),\"'", at[-1]) == NULL;
}

static int not_closed(const char *path, unsigned line, const char *what, struct failure *failure)
{
	return failure_set(failure, EINVAL,
			   "%s:%u: found %s that is never closed, expected its end", path, line,
			   what);
}

int conftext_prepare(char *text, const char *path, struct failure *failure)
{
	struct scan scan = {.at = text, .line = 1};
	unsigned depth = 0, open_line = 0, line;

	while (*scan.at != '\0') {
		line = scan.line;
		if (*scan.at == '#' ||
		    (strncmp(scan.at, "//", 2) == 0 && !in_word(text, scan.at))) {
			scan_line_comment(&scan);
		} else if (strncmp(scan.at, "/*", 2) == 0 && !in_word(text, scan.at)) {
			if (!scan_block_comment(&scan))
				return not_closed(path, line, "a comment", failure);
		} else if (*scan.at == '"' || *scan.at == '\'') {
			if (!scan_quoted(&scan))
				return not_closed(path, line, "a quote", failure);
		} else {
			if (*scan.at == '{' && depth++ == 0)
				open_line = line;
			if (*scan.at == '}' && depth > 0)
				depth--;
			scan_step(&scan, false);
		}
	}
	return depth == 0 ? 0 : not_closed(path, open_line, "a '{'", failure);
}

static int content_read(int fd, const char *path, char **text, struct failure *failure)
{
	char *content;
	struct stat st;
	size_t got;
	int error;

	if (fstat(fd, &st) != 0)
		return failure_set(failure, errno, "%s: %s", path, strerror(errno));
	if (st.st_size < 1 || st.st_size > CONFTEXT_BYTES_MAX)
		return failure_set(failure, EINVAL, "%s: found %jd bytes, expected 1 to %u", path,
				   (intmax_t)st.st_size, CONFTEXT_BYTES_MAX);
	content = malloc((size_t)st.st_size + 1);
	if (content == NULL)
		return failure_set(failure, ENOMEM, "%s: no memory", path);
	error = infile_read(fd, path, content, (size_t)st.st_size, &got, failure);
	content[error == 0 ? got : 0] = '\0';
	if (error == 0 && memchr(content, '\0', got) != NULL)
		error = failure_set(failure, EINVAL, "%s: found a NUL byte, expected text", path);
	if (error == 0)
		error = conftext_prepare(content, path, failure);
	if (error != 0) {
		free(content);
		return error;
	}
	*text = content;
	return 0;
}

int conftext_read(const char *path, char **text, struct failure *failure)
{
	int fd, error = infile_open(path, &fd, failure);

	if (error != 0)
		return error;
	error = content_read(fd, path, text, failure);
	(void)close(fd);
	return error;
}
