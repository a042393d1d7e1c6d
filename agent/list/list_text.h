/* list_text.h - the words of a list and the one canonical spelling of each kind of value.
 *
 * Internal to agent/list.  Each function takes a word as it stands in the line (not NUL-terminated),
 * returns whether it is canonical, and writes its result only then.
 */
#ifndef MCROSTER_LIST_TEXT_H
#define MCROSTER_LIST_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "list/list.h"

struct word {
	const char *text;
	size_t bytes;
};

bool text_is(struct word word, const char *what);

/* Takes `option` ("key=") off the front of the word. */
bool text_option(struct word *word, const char *option);

/* Decimal, no sign, no leading zero, min <= number <= max. */
bool text_number(struct word word, uint64_t min, uint64_t max, uint64_t *number);

/* 1 to LIST_NAME_MAX of A-Z a-z 0-9 . _ -, the first a letter or digit: names become file names and
 * arguments of commands. */
bool text_name(struct word word, char name[LIST_NAME_MAX + 1]);

/* See list_address_valid. */
bool text_address(struct word word, char address[LIST_ADDRESS_MAX + 1]);

/* A real UTC second as 2026-11-22T10:00:00Z, 1970 to 9999. */
bool text_time(struct word word, char created[LIST_CREATED_CHARS + 1]);

/* 64 lower-case hex digits. */
bool text_hash(struct word word, uint8_t hash[LIST_HASH_BYTES]);

/* 44 characters of canonical base64. */
bool text_key(struct word word, uint8_t key[LIST_HOST_KEY_BYTES]);

#endif
