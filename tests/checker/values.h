/* values.h - the checker's keys and values: each value says whose it is.
 *
 * A value carries the number of its key, of the worker that wrote it and its version, which grows
 * with each write of that key, and then a filling that follows from the version, so that one put
 * together from two shows.  Counters are the exception: their value is the version in decimal.
 * Pure functions.
 */
#ifndef MCROSTER_TESTS_CHECKER_VALUES_H
#define MCROSTER_TESTS_CHECKER_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VALUES_KEY_MAX	 32u
#define VALUES_VALUE_MAX 65536u

/* Writes the key of number `index`; returns its length. */
size_t values_key(uint32_t index, char key[VALUES_KEY_MAX]);

bool values_counter(uint32_t index);

/* Writes the value; returns its length. */
size_t values_write(uint32_t index, uint32_t writer, uint32_t version,
		    char bytes[VALUES_VALUE_MAX]);

/* The version of a value; 0: it is none of this key.  *writer: of a counter 0. */
uint32_t values_version(uint32_t index, const char *bytes, size_t length, uint32_t *writer);

#endif
