/* register_value.c - see register_value.h. */
#include "core/register_value.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "list/document.h"

#define MAGIC "mcroster-register "
#define MOVED " moved"

size_t register_value_write(const struct reg *reg, const char *cluster, bool moved,
			    char text[REGISTER_VALUE_BYTES])
{
	uint8_t bytes[REGISTER_BYTES];
	int used = snprintf(text, REGISTER_VALUE_BYTES, MAGIC "%u %s%s\n", REGISTER_VALUE_FORMAT,
			    cluster, moved ? MOVED : "");
	size_t at = (size_t)used;

	register_encode(reg, bytes);
	(void)sodium_bin2base64(text + at, REGISTER_VALUE_BYTES - at, bytes, sizeof(bytes),
				sodium_base64_VARIANT_ORIGINAL);
	at += strlen(text + at);
	assert(at + 1 < REGISTER_VALUE_BYTES);
	text[at++] = '\n';
	text[at] = '\0';
	return at;
}

/* The format's number: 1 to 9 digits and a space; 0 for anything else. */
static unsigned value_format(const char *line, size_t bytes, size_t *used)
{
	unsigned format = 0;
	size_t i = 0;

	while (i < bytes && i < 9 && line[i] >= '0' && line[i] <= '9')
		format = format * 10 + (unsigned)(line[i++] - '0');
	if (i == 0 || line[0] == '0' || i == bytes || line[i] != ' ')
		return 0;
	*used = i + 1;
	return format;
}

/* What stands in a value may be anything; only names may be repeated to an operator. */
static void value_name(const char *text, size_t bytes, char name[LIST_NAME_MAX + 1])
{
	size_t i = 0;

	for (; i < bytes && i < LIST_NAME_MAX && text[i] > 0x20 && text[i] < 0x7f; i++)
		name[i] = text[i];
	name[i] = '\0';
}

static int value_bad(struct failure *failure, const char *what)
{
	return failure_set(failure, EBADMSG, "the register is damaged or none of mcroster's: %s",
			   what);
}

int register_value_read(const char *text, size_t bytes, const char *cluster, struct reg *reg,
			bool *moved, struct failure *failure)
{
	const size_t magic = sizeof(MAGIC) - 1, marked = sizeof(MOVED) - 1;
	const char *line = text, *end = memchr(text, '\n', bytes);
	uint8_t encoded[REGISTER_BYTES];
	char name[LIST_NAME_MAX + 1];
	size_t length, used = 0;
	struct reg got;
	unsigned format;
	bool gone;

	if (end == NULL || (size_t)(end - line) < magic || memcmp(line, MAGIC, magic) != 0)
		return value_bad(failure, "found no line that begins with " MAGIC);
	line += magic;
	length = (size_t)(end - line);
	format = value_format(line, length, &used);
	if (format == 0)
		return value_bad(failure, "found no format number in its first line");
	if (format > REGISTER_VALUE_FORMAT)
		return failure_set(failure, EPROTONOSUPPORT,
				   "the register is of a newer format: found %u, expected at most "
				   "%u: upgrade this agent",
				   format, REGISTER_VALUE_FORMAT);
	line += used;
	length -= used;
	gone = length > marked && memcmp(line + length - marked, MOVED, marked) == 0;
	length -= gone ? marked : 0;
	if (length != strlen(cluster) || memcmp(line, cluster, length) != 0) {
		value_name(line, length, name);
		return failure_set(failure, EINVAL,
				   "the register is another cluster's: found '%s', expected '%s'",
				   name, cluster);
	}
	length = bytes - (size_t)(end + 1 - text);
	if (length == 0 || end[length] != '\n')
		return value_bad(failure, "found no newline at its end");
	if (document_base64_decode(end + 1, length - 1, encoded, sizeof(encoded)) != 0)
		return value_bad(failure, "its second line is no base64 of a register's size");
	if (register_decode(encoded, &got) != 0 || got.term == 0)
		return value_bad(failure, "a field is out of its bounds");
	*reg = got;
	*moved = gone;
	return 0;
}
