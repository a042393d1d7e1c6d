/* mc_dump_line.c - one line of `lru_crawler metadump` (see mc_protocol.h).
 *
 * memcached URI-encodes keys, and more of them than one expects: a colon comes out as %3A.  A line
 * that does not decode is refused; it is never taken for another key.
 */
#include "net/mc_protocol.h"

#include <errno.h>
#include <string.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static bool key_decode(const char *text, size_t length, struct mc_dump_line *out)
{
	size_t n = 0;

	for (size_t i = 0; i < length; i++, n++) {
		unsigned char c = (unsigned char)text[i];

		if (n == MC_KEY_MAX || c <= ' ' || c == 0x7f)
			return false;
		if (c == '%') {
			int high, low;

			if (length - i < 3)
				return false;
			high = hex_digit(text[i + 1]);
			low = hex_digit(text[i + 2]);
			if (high < 0 || low < 0)
				return false;
			c = (unsigned char)(high << 4 | low);
			i += 2;
		}
		out->key[n] = c;
	}
	out->key_bytes = n;
	return n > 0;
}

static bool expiry_parse(const char *text, size_t length, int64_t *expires)
{
	uint64_t number;

	if (length == 2 && memcmp(text, "-1", 2) == 0) {
		*expires = -1;
		return true;
	}
	if (!mc_number_parse(text, length, &number) || number > INT64_MAX)
		return false;
	*expires = (int64_t)number;
	return true;
}

enum { SEEN_KEY = 1, SEEN_EXPIRY = 2, SEEN_CAS = 4, SEEN_SIZE = 8, SEEN_ALL = 15 };

static bool is(const char *field, size_t length, const char *name, size_t name_bytes)
{
	return length > name_bytes && memcmp(field, name, name_bytes) == 0;
}

#define IS(name) is(field, length, name, sizeof(name) - 1)

/* A field "name=value".  Those of no use here are only passed over. */
static bool field_parse(const char *field, size_t length, struct mc_dump_line *out, unsigned *seen)
{
	switch (field[0]) {
	case 'k':
		if (!IS("key="))
			break;
		*seen |= SEEN_KEY;
		return key_decode(field + 4, length - 4, out);
	case 'e':
		if (!IS("exp="))
			break;
		*seen |= SEEN_EXPIRY;
		return expiry_parse(field + 4, length - 4, &out->expires);
	case 'c':
		if (!IS("cas="))
			break;
		*seen |= SEEN_CAS;
		return mc_number_parse(field + 4, length - 4, &out->cas);
	case 's':
		if (!IS("size="))
			break;
		*seen |= SEEN_SIZE;
		return mc_number_parse(field + 5, length - 5, &out->size);
	case 'l':
		if (!IS("la="))
			break;
		return mc_number_parse(field + 3, length - 3, &out->accessed);
	case 'f':
		if (!IS("fetch="))
			break;
		out->fetched = length == 9 && memcmp(field + 6, "yes", 3) == 0;
		return true;
	default:
		break;
	}
	return memchr(field, '=', length) != NULL;
}

int mc_dump_line_parse(const char *line, size_t length, struct mc_dump_line *out)
{
	const char *at = line, *end = line + length;
	unsigned seen = 0;

	out->accessed = 0;
	out->fetched = false;
	while (at < end) {
		const char *space = memchr(at, ' ', (size_t)(end - at));
		const char *stop = space != NULL ? space : end;

		if (stop != at && !field_parse(at, (size_t)(stop - at), out, &seen))
			return -EBADMSG;
		at = stop + (space != NULL);
	}
	return seen == SEEN_ALL ? 0 : -EBADMSG;
}
