/* conftext.c - see conftext.h.  Reentrant. */
#include "list/conftext.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The number of bytes of the quoted string that begins at text[0], its end quote included. */
static size_t quoted_length(const char *text, size_t length)
{
	size_t i = 1;

	while (i < length && text[i] != text[0])
		i += text[i] == '\\' && i + 1 < length ? 2 : 1;
	return i < length ? i + 1 : length;
}

/* The number of bytes of the comment that begins at text[0]; 0: none does. */
static size_t comment_length(const char *text, size_t length)
{
	const char *end;

	if (text[0] == '#' || (length > 1 && text[0] == '/' && text[1] == '/')) {
		end = memchr(text, '\n', length);
		return end != NULL ? (size_t)(end - text) : length;
	}
	if (length > 1 && text[0] == '/' && text[1] == '*') {
		end = memmem(text + 2, length - 2, "*/", 2);
		/* One without an end is left for libconfuse to refuse. */
		return end != NULL ? (size_t)(end - text) + 2 : 0;
	}
	return 0;
}

void conftext_comments_blank(char *text, size_t length)
{
	size_t i = 0, n;

	while (i < length) {
		if (text[i] == '"' || text[i] == '\'') {
			i += quoted_length(text + i, length - i);
			continue;
		}
		n = comment_length(text + i, length - i);
		for (size_t j = i; j < i + n; j++)
			if (text[j] != '\n')
				text[j] = ' ';
		i += n > 0 ? n : 1;
	}
}

static int content_read(FILE *file, const char *path, char **text, size_t *length,
			struct failure *failure)
{
	char *content;
	struct stat st;
	size_t got;

	if (fstat(fileno(file), &st) != 0)
		return failure_set(failure, errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return failure_set(failure, EINVAL, "%s: found no regular file, expected one", path);
	if (st.st_size < 1 || st.st_size > CONFTEXT_BYTES_MAX)
		return failure_set(failure, EINVAL, "%s: found %jd bytes, expected 1 to %u", path,
				   (intmax_t)st.st_size, CONFTEXT_BYTES_MAX);
	content = malloc((size_t)st.st_size + 1);
	if (content == NULL)
		return failure_set(failure, ENOMEM, "%s: no memory", path);
	got = fread(content, 1, (size_t)st.st_size, file);
	if (ferror(file)) {
		free(content);
		return failure_set(failure, EIO, "%s: cannot read", path);
	}
	if (memchr(content, '\0', got) != NULL) {
		free(content);
		return failure_set(failure, EINVAL, "%s: found a NUL byte, expected text", path);
	}
	content[got] = '\0';
	*text = content;
	*length = got;
	return 0;
}

int conftext_read(const char *path, char **text, size_t *length, struct failure *failure)
{
	FILE *file = fopen(path, "re");
	int error;

	if (file == NULL)
		return failure_set(failure, errno, "%s: %s", path, strerror(errno));
	error = content_read(file, path, text, length, failure);
	fclose(file);
	if (error == 0)
		conftext_comments_blank(*text, *length);
	return error;
}
