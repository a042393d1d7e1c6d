/* json.h - writes one JSON value on one line (RFC 8259), nothing kept in memory.
 *
 * In an object every member has a name; in an array, and at the top, `name` is NULL.
 */
#ifndef MCROSTER_ADMIN_JSON_H
#define MCROSTER_ADMIN_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *out;
	bool follows; /* a value stands before, on this level: a comma is due */
};

void json_begin(struct json *json, FILE *out);
void json_end(struct json *json); /* the newline */

void json_object_open(struct json *json, const char *name);
void json_object_close(struct json *json);
void json_array_open(struct json *json, const char *name);
void json_array_close(struct json *json);

/* Any bytes up to the NUL: controls, quotes and backslashes are escaped, what is not UTF-8 becomes
 * U+FFFD.  NULL is null. */
void json_string(struct json *json, const char *name, const char *value);
void json_unsigned(struct json *json, const char *name, uint64_t value);
void json_signed(struct json *json, const char *name, int64_t value);
void json_decimal(struct json *json, const char *name, double value); /* one decimal; finite */
void json_thousandths(struct json *json, const char *name, double value); /* three decimals */
void json_bool(struct json *json, const char *name, bool value);
void json_hex(struct json *json, const char *name, const uint8_t *bytes, size_t length);

#endif
