/* json.c - see json.h.  Write errors stay in the FILE; main looks at stdout's before it exits. */
#include "admin/json.h"

#include <inttypes.h>
#include <stddef.h>

#include "list/utf8.h"

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

static void string_write(FILE *out, const char *value)
{
	const unsigned char *s = (const unsigned char *)value;

	(void)fputc('"', out);
	while (*s != '\0') {
		size_t length = utf8_length((const char *)s);

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
