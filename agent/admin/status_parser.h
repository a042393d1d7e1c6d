/* status_parser.h - what the files that understand a status share; for status*.c alone.
 *
 * A line is taken apart in place.  Takers of a line return 0, -EBADMSG naming it, or -ENOMEM.
 */
#ifndef MCROSTER_ADMIN_STATUS_PARSER_H
#define MCROSTER_ADMIN_STATUS_PARSER_H

#include "admin/status.h"

struct status_parser {
	struct status *status;
	uint32_t line;
	struct failure *failure;
};

/* -EBADMSG, with a sentence that names the line. */
int status_refuse(const struct status_parser *parser, const char *name, const char *value);
int status_no_memory(const struct status_parser *parser); /* -ENOMEM */

/* The next word of *rest ("" at its end), which is cut off it. */
char *status_word_take(char **rest);

/* "a=b" with the name `name`?  Then its value; NULL otherwise. */
const char *status_value_of(const char *word, const char *name);

/* "7<separator>8"; `text` is the same again afterwards. */
bool status_pair_parse(char *text, char separator, uint64_t *first, uint64_t *second);

/* A whole number, or -1. */
bool status_signed_parse(const char *text, int64_t *value);

/* 64 hex digits; "none" or nothing: there is no such document. */
bool status_hash_parse(const char *text, struct status_hash *hash);

/* Room for one more than `count`; NULL: no memory, and `array` stays. */
void *status_array_grow(void *array, uint32_t count, size_t size);

/* An item that is there once; false: no such name, *error untouched. */
bool status_field_take(const struct status_parser *parser, const char *name, const char *value,
		       int *error);

/* What stands behind "server", "host" and "asked-owes". */
int status_server_take(const struct status_parser *parser, char *value);
int status_host_take(const struct status_parser *parser, char *value);
int status_asked_owes_take(const struct status_parser *parser, char *value);

#endif
