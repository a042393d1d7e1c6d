/* status_parser.c - see status_parser.h: words, pairs, hashes, and what is said of wrong ones. */
#include "admin/status_parser.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "admin/human.h"

int status_refuse(const struct status_parser *parser, const char *name, const char *value)
{
	return failure_set(parser->failure, EBADMSG,
			   "the agent's status, line %" PRIu32
			   ": '%.40s %.80s' cannot be understood",
			   parser->line, name, value);
}

int status_no_memory(const struct status_parser *parser)
{
	return failure_set(parser->failure, ENOMEM, "no memory for the agent's status");
}

char *status_word_take(char **rest)
{
	char *word = *rest, *space = strchr(word, ' ');

	if (space != NULL) {
		*space = '\0';
		*rest = space + 1;
	} else {
		*rest = word + strlen(word);
	}
	return word;
}

const char *status_value_of(const char *word, const char *name)
{
	size_t length = strlen(name);

	return strncmp(word, name, length) == 0 && word[length] == '=' ? word + length + 1 : NULL;
}

bool status_pair_parse(char *text, char separator, uint64_t *first, uint64_t *second)
{
	char *at = strchr(text, separator);
	bool good;

	if (at == NULL)
		return false;
	*at = '\0';
	good =
	    human_number(text, 0, UINT64_MAX, first) && human_number(at + 1, 0, UINT64_MAX, second);
	*at = separator;
	return good;
}

void *status_array_grow(void *array, uint32_t count, size_t size)
{
	/* Doubling at powers of two keeps a long body from costing its square. */
	if (count != 0 && (count & (count - 1)) != 0)
		return array;
	return reallocarray(array, count == 0 ? 1 : (size_t)count * 2, size);
}

bool status_signed_parse(const char *text, int64_t *value)
{
	uint64_t number;

	if (strcmp(text, "-1") == 0) {
		*value = -1;
		return true;
	}
	if (!human_number(text, 0, INT64_MAX, &number))
		return false;
	*value = (int64_t)number;
	return true;
}

bool status_hash_parse(const char *text, struct status_hash *hash)
{
	size_t bytes = 0;
	const char *end = text;

	hash->there = false;
	if (*text == '\0' || strcmp(text, "none") == 0)
		return true;
	hash->there = sodium_hex2bin(hash->bytes, sizeof(hash->bytes), text, strlen(text), NULL,
				     &bytes, &end) == 0 &&
		      bytes == sizeof(hash->bytes) && *end == '\0';
	return hash->there;
}
