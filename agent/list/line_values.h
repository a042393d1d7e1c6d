/* line_values.h - the values that lines of every document hold, taken or refused in words.
 *
 * Internal to agent/list.  Each takes one word of the line that is being pushed; `what` names it in
 * the refusal (-EBADMSG), which says what it should have been.
 */
#ifndef MCROSTER_LINE_VALUES_H
#define MCROSTER_LINE_VALUES_H

#include "list/lines.h"

/* The word after the magic: `1`. */
int line_format(struct lines *lines, struct word word);
int line_number(struct lines *lines, struct word word, const char *what, uint64_t min, uint64_t max,
		uint64_t *number);
int line_number32(struct lines *lines, struct word word, const char *what, uint32_t min,
		  uint32_t max, uint32_t *number);
int line_name(struct lines *lines, struct word word, const char *what,
	      char name[LIST_NAME_MAX + 1]);
/* No wildcard: every host would take that for itself, so it names no machine. */
int line_address(struct lines *lines, struct word word, const char *what,
		 char address[LIST_ADDRESS_MAX + 1]);
int line_created(struct lines *lines, struct word word, char created[LIST_CREATED_CHARS + 1]);
int line_hash(struct lines *lines, struct word word, const char *what,
	      uint8_t hash[LIST_HASH_BYTES]);
/* A hash, or `none`: then *has stays as it is. */
int line_hash_or_none(struct lines *lines, struct word word, const char *what, bool *has,
		      uint8_t hash[LIST_HASH_BYTES]);

#endif
