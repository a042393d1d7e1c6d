/* human.h - words and numbers for people. */
#ifndef MCROSTER_ADMIN_HUMAN_H
#define MCROSTER_ADMIN_HUMAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HUMAN_NUMBER_BYTES 32u

/* Replaces what is not printable ASCII by '?', so that what came from outside cannot steer the
 * terminal.  Returns `text`. */
char *human_clean(char *text);

/* "4.2 s", "3 min 20 s", "2 h 5 min". */
const char *human_duration(uint64_t ms, char buffer[HUMAN_NUMBER_BYTES]);

/* "25.0 %"; 0.0 % of nothing. */
const char *human_percent(uint64_t part, uint64_t whole, char buffer[HUMAN_NUMBER_BYTES]);

/* "512 B", "1.4 MB": powers of 1000. */
const char *human_bytes(uint64_t bytes, char buffer[HUMAN_NUMBER_BYTES]);

/* Of a change that is counted in slots "4096 slots (25.0 % of all)", else "25.0 % of the keys". */
#define HUMAN_PARTS_BYTES 64u
const char *human_parts(uint64_t part, uint64_t whole, char buffer[HUMAN_PARTS_BYTES]);
/* Is `whole` a number of slots? */
bool human_in_slots(uint64_t whole);

/* A decimal number without sign, blanks or leading zeros, in min..max? */
bool human_number(const char *text, uint64_t min, uint64_t max, uint64_t *value);

void human_hex(const uint8_t *bytes, size_t length, char *text); /* 2 * length + 1 */

/* Now, UTC: 2026-11-22T10:00:00Z (LIST_CREATED_CHARS + 1 bytes). */
void human_now(char text[21]);

#endif
