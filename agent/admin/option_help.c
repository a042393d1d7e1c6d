/* option_help.c - see option_help.h.  A line of an option begins with blanks and a '-'; what it
 * does follows after two blanks, or on the next line. */
#include "admin/option_help.h"

#include <stddef.h>
#include <string.h>

static void words_copy(char out[OPTION_HELP_BYTES], const char *from, size_t length)
{
	if (length >= OPTION_HELP_BYTES)
		length = OPTION_HELP_BYTES - 1;
	memcpy(out, from, length);
	out[length] = '\0';
}

/* Where the column that ends at two blanks or the end of the line ends. */
static const char *column_end(const char *text)
{
	while (*text != '\0' && *text != '\n' && !(text[0] == ' ' && text[1] == ' '))
		text++;
	return text;
}

static const char *blanks_skip(const char *text)
{
	while (*text == ' ')
		text++;
	return text;
}

/* `line` begins with an option: is it the one?  Returns what follows its name. */
static const char *name_match(const char *line, const char *name, char *letter)
{
	const size_t length = strlen(name);

	*letter = 0;
	if (line[0] == '-' && line[1] != '-' && line[2] == ',' && line[3] == ' ') {
		*letter = line[1];
		line += 4;
	}
	if (strncmp(line, "--", 2) != 0 || strncmp(line + 2, name, length) != 0)
		return NULL;
	line += 2 + length;
	return *line == ' ' || *line == '\n' ? line : NULL;
}

bool option_help_find(const char *usage, const char *name, struct option_help *help)
{
	for (const char *line = usage; line != NULL; line = strchr(line, '\n')) {
		const char *at, *end;

		line += *line == '\n';
		at = blanks_skip(line);
		if (at == line || *at != '-')
			continue;
		at = name_match(at, name, &help->letter);
		if (at == NULL)
			continue;
		help->value[0] = '\0';
		if (at[0] == ' ' && at[1] != ' ') {
			end = column_end(at + 1);
			words_copy(help->value, at + 1, (size_t)(end - at - 1));
			at = end;
		}
		at = blanks_skip(at);
		if (*at == '\n')
			at = blanks_skip(at + 1);
		end = strchr(at, '\n');
		words_copy(help->sentence, at, end != NULL ? (size_t)(end - at) : strlen(at));
		return true;
	}
	return false;
}
