/* json.c - see json.h.  Write errors stay in the FILE; main looks at stdout's before it exits. */
#include "admin/json.h"

#include <inttypes.h>
#include <stddef.h>

void json_begin(struct json *json, FILE *out)
{
	json->out = out;
	json->follows = false;
}

void json_end(struct json *json)
{
	(void)fputc('\n', json->out);
	(void)fflush(json->out);
}

/* The length of the well-formed UTF-8 sequence at `s` (RFC 3629), 0 where there is none. */
static size_t utf8_length(const unsigned char *s)
{
	static const struct {
		unsigned char first, last, low, high; /* of the lead, of the byte after it */
		size_t length;
	} forms[] = {
	    {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
	    {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
	    {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	if (s[0] < 0x80)
		return 1;
	for (size_t f = 0; f < sizeof(forms) / sizeof(forms[0]); f++) {
		if (s[0] < forms[f].first || s[0] > forms[f].last)
			continue;
		if (s[1] < forms[f].low || s[1] > forms[f].high)
			return 0;
		for (size_t i = 2; i < forms[f].length; i++)
			if (s[i] < 0x80 || s[i] > 0xbf)
				return 0;
		return forms[f].length;
	}
	return 0;
}

static void string_write(FILE *out, const char *value)
{
	const unsigned char *s = (const unsigned char *)value;

	(void)fputc('"', out);
	while (*s != '\0') {
		size_t length = utf8_length(s);

		if (length == 0)
			(void)fputs("\\ufffd", out);
		else if (*s == '"' || *s == '\\')
			(void)fprintf(out, "\\%c", *s);
		else if (*s < 0x20 || *s == 0x7f)
			(void)fprintf(out, "\\u%04x", *s);
		else
			(void)fwrite(s, 1, length, out);
		s += length == 0 ? 1 : length;
	}
	(void)fputc('"', out);
}

static void value_begin(struct json *json, const char *name)
{
	if (json->follows)
		(void)fputc(',', json->out);
	json->follows = true;
	if (name != NULL) {
		string_write(json->out, name);
		(void)fputc(':', json->out);
	}
}

static void level_open(struct json *json, const char *name, int bracket)
{
	value_begin(json, name);
	(void)fputc(bracket, json->out);
	json->follows = false;
}

static void level_close(struct json *json, int bracket)
{
	(void)fputc(bracket, json->out);
	json->follows = true;
}

void json_object_open(struct json *json, const char *name)
{
	level_open(json, name, '{');
}

void json_object_close(struct json *json)
{
	level_close(json, '}');
}

void json_array_open(struct json *json, const char *name)
{
	level_open(json, name, '[');
}

void json_array_close(struct json *json)
{
	level_close(json, ']');
}

void json_string(struct json *json, const char *name, const char *value)
{
	value_begin(json, name);
	if (value == NULL)
		(void)fputs("null", json->out);
	else
		string_write(json->out, value);
}

void json_unsigned(struct json *json, const char *name, uint64_t value)
{
	value_begin(json, name);
	(void)fprintf(json->out, "%" PRIu64, value);
}

void json_signed(struct json *json, const char *name, int64_t value)
{
	value_begin(json, name);
	(void)fprintf(json->out, "%" PRId64, value);
}

void json_thousandths(struct json *json, const char *name, double value)
{
	value_begin(json, name);
	(void)fprintf(json->out, "%.3f", value);
}

void json_decimal(struct json *json, const char *name, double value)
{
	value_begin(json, name);
	(void)fprintf(json->out, "%.1f", value);
}

void json_bool(struct json *json, const char *name, bool value)
{
	value_begin(json, name);
	(void)fputs(value ? "true" : "false", json->out);
}

void json_hex(struct json *json, const char *name, const uint8_t *bytes, size_t length)
{
	value_begin(json, name);
	(void)fputc('"', json->out);
	for (size_t i = 0; i < length; i++)
		(void)fprintf(json->out, "%02x", bytes[i]);
	(void)fputc('"', json->out);
}
