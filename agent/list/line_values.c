/* line_values.c - see line_values.h.  The spelling of each value is list_text.c's. */
#include "list/line_values.h"

#include <inttypes.h>
#include <string.h>

int line_format(struct lines *lines, struct word word)
{
	if (!text_is(word, "1"))
		return lines_refuse(lines, "%s format `%.*s`: only format 1 is known",
				    lines->form->name, (int)word.bytes, word.text);
	return 0;
}

int line_number(struct lines *lines, struct word word, const char *what, uint64_t min, uint64_t max,
		uint64_t *number)
{
	if (!text_number(word, min, max, number))
		return lines_refuse(lines,
				    "%s `%.*s`: want a decimal number from %" PRIu64 " to %" PRIu64
				    " without leading zeros",
				    what, (int)word.bytes, word.text, min, max);
	return 0;
}

int line_number32(struct lines *lines, struct word word, const char *what, uint32_t min,
		  uint32_t max, uint32_t *number)
{
	uint64_t value = 0;
	int error = line_number(lines, word, what, min, max, &value);

	if (error == 0)
		*number = (uint32_t)value;
	return error;
}

int line_name(struct lines *lines, struct word word, const char *what, char name[LIST_NAME_MAX + 1])
{
	if (!text_name(word, name))
		return lines_refuse(
		    lines,
		    "%s `%.*s`: want a name of 1 to %u letters, digits, `.`, `_` or `-` "
		    "that begins with a letter or digit",
		    what, (int)word.bytes, word.text, LIST_NAME_MAX);
	return 0;
}

static bool address_is_wildcard(const char *address)
{
	return strncmp(address, "0.0.0.0:", 8) == 0 || strncmp(address, "[::]:", 5) == 0;
}

int line_address(struct lines *lines, struct word word, const char *what,
		 char address[LIST_ADDRESS_MAX + 1])
{
	if (!text_address(word, address) || address_is_wildcard(address))
		return lines_refuse(
		    lines,
		    "%s `%.*s`: want the numeric address of one host in its shortest "
		    "spelling with a port, like 10.0.0.1:11211 or [fd00::1]:11211",
		    what, (int)word.bytes, word.text);
	return 0;
}

int line_created(struct lines *lines, struct word word, char created[LIST_CREATED_CHARS + 1])
{
	if (!text_time(word, created))
		return lines_refuse(lines,
				    "created `%.*s`: want a real UTC time like "
				    "2026-11-22T10:00:00Z",
				    (int)word.bytes, word.text);
	return 0;
}

int line_hash(struct lines *lines, struct word word, const char *what,
	      uint8_t hash[LIST_HASH_BYTES])
{
	if (!text_hash(word, hash))
		return lines_refuse(lines, "%s `%.*s`: want 64 lower-case hex digits", what,
				    (int)word.bytes, word.text);
	return 0;
}

int line_hash_or_none(struct lines *lines, struct word word, const char *what, bool *has,
		      uint8_t hash[LIST_HASH_BYTES])
{
	if (text_is(word, "none"))
		return 0;
	if (!text_hash(word, hash))
		return lines_refuse(lines, "%s `%.*s`: want 64 lower-case hex digits, or none",
				    what, (int)word.bytes, word.text);
	*has = true;
	return 0;
}
