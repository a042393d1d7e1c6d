/* mc_key.c - keys and commands as they are written on the wire (see mc_protocol.h).
 *
 * A key goes as it is where a text line can carry it and nothing in it looks like the work of a
 * binary client; else in base64 with the flag b, which names the same item.  Reentrant.
 */
#include "net/mc_protocol.h"

#include <errno.h>
#include <string.h>

/* memcached's own limit on a key in a text line holds for the base64 too. */
#define BASE64_KEY_MAX (MC_KEY_MAX / 4 * 3)

static size_t base64_write(char *out, const uint8_t *in, size_t length)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *at = out;

	for (size_t i = 0; i < length; i += 3) {
		size_t left = length - i;
		uint32_t bits = (uint32_t)in[i] << 16;

		bits |= left > 1 ? (uint32_t)in[i + 1] << 8 : 0;
		bits |= left > 2 ? in[i + 2] : 0;
		*at++ = digits[bits >> 18];
		*at++ = digits[bits >> 12 & 63];
		*at++ = left > 1 ? digits[bits >> 6 & 63] : '=';
		*at++ = left > 2 ? digits[bits & 63] : '=';
	}
	return (size_t)(at - out);
}

enum { CONTROL = 1, BREAKS_LINE = 2 };

static const uint8_t kinds[256] = {
    [0] = CONTROL | BREAKS_LINE,    [1 ... '\n' - 1] = CONTROL,
    ['\n'] = CONTROL | BREAKS_LINE, ['\n' + 1 ... '\r' - 1] = CONTROL,
    ['\r'] = CONTROL | BREAKS_LINE, ['\r' + 1 ... ' ' - 1] = CONTROL,
    [' '] = CONTROL | BREAKS_LINE,  [0x7f] = CONTROL,
};

int mc_key_write(const void *key, size_t key_bytes, struct mc_key *out)
{
	const uint8_t *bytes = key;
	unsigned seen = 0;
	bool control, breaks_line;

	if (key_bytes == 0 || key_bytes > MC_KEY_MAX)
		return -EINVAL;
	for (size_t i = 0; i < key_bytes; i++)
		seen |= kinds[bytes[i]];
	control = (seen & CONTROL) != 0;
	breaks_line = (seen & BREAKS_LINE) != 0;
	if (control && key_bytes <= BASE64_KEY_MAX) {
		out->length = (uint8_t)base64_write(out->text, bytes, key_bytes);
		out->base64 = true;
		return 0;
	}
	if (breaks_line)
		return -ENAMETOOLONG;
	memcpy(out->text, bytes, key_bytes);
	out->length = (uint8_t)key_bytes;
	out->base64 = false;
	return 0;
}

static char *put_text(char *at, const char *text, size_t length)
{
	memcpy(at, text, length);
	return at + length;
}

#define PUT(at, literal) put_text(at, literal, sizeof(literal) - 1)

static char *put_number(char *at, uint64_t number)
{
	char digits[20];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	return put_text(at, digits + i, sizeof(digits) - i);
}

static char *put_key(char *at, const struct mc_key *key)
{
	at = put_text(at, key->text, key->length);
	return key->base64 ? PUT(at, " b") : at;
}

size_t mc_write_get_cas(char *out, const struct mc_key *key)
{
	return (size_t)(PUT(put_key(PUT(out, "mg "), key), " u c s\r\n") - out);
}

size_t mc_write_get_value(char *out, const struct mc_key *key)
{
	return (size_t)(PUT(put_key(PUT(out, "mg "), key), " u v f t c\r\n") - out);
}

size_t mc_write_reserve(char *out, const struct mc_key *key, unsigned ttl)
{
	char *at = PUT(put_key(PUT(out, "mg "), key), " N");

	return (size_t)(PUT(put_number(at, ttl), " u c s\r\n") - out);
}

size_t mc_write_delete(char *out, const struct mc_key *key)
{
	return (size_t)(PUT(put_key(PUT(out, "md "), key), "\r\n") - out);
}

size_t mc_write_delete_cas(char *out, const struct mc_key *key, uint64_t cas)
{
	char *at = PUT(put_key(PUT(out, "md "), key), " C");

	return (size_t)(PUT(put_number(at, cas), "\r\n") - out);
}

static char *put_quiet(char *at, uint32_t number)
{
	return put_number(PUT(at, " q O"), number);
}

size_t mc_write_delete_cas_quiet(char *out, const struct mc_key *key, uint64_t cas, uint32_t number)
{
	char *at = put_number(PUT(put_key(PUT(out, "md "), key), " C"), cas);

	return (size_t)(PUT(put_quiet(at, number), "\r\n") - out);
}

static char *put_set(char *out, const struct mc_key *key, size_t value_bytes, uint64_t cas,
		     uint32_t client_flags, int64_t ttl)
{
	char *at = put_text(PUT(out, "ms "), key->text, key->length);

	*at++ = ' ';
	at = put_number(at, value_bytes);
	if (key->base64)
		at = PUT(at, " b");
	if (cas != 0)
		at = put_number(PUT(at, " C"), cas);
	if (client_flags != 0)
		at = put_number(PUT(at, " F"), client_flags);
	if (ttl > 0)
		at = put_number(PUT(at, " T"), (uint64_t)ttl);
	return at;
}

size_t mc_write_set(char *out, const struct mc_key *key, size_t value_bytes, uint64_t cas,
		    uint32_t client_flags, int64_t ttl)
{
	char *at = put_set(out, key, value_bytes, cas, client_flags, ttl);

	return (size_t)(PUT(at, " c\r\n") - out);
}

size_t mc_write_set_quiet(char *out, const struct mc_key *key, size_t value_bytes, uint64_t cas,
			  uint32_t client_flags, int64_t ttl, uint32_t number)
{
	char *at = put_set(out, key, value_bytes, cas, client_flags, ttl);

	return (size_t)(PUT(put_quiet(at, number), "\r\n") - out);
}
