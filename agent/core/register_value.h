/* register_value.h - the register as the value of a key in a store that others can write to.
 *
 * Two lines of text:
 *     mcroster-register 1 <cluster>
 *     <base64 of register_encode's bytes>
 * Where the register was moved to another store, the first line ends in " moved": nobody may
 * coordinate from it, and nothing older than it may take its place.  The number is the format's: a
 * reader refuses one that it does not know, by name.  Pure, reentrant.
 */
#ifndef MCROSTER_REGISTER_VALUE_H
#define MCROSTER_REGISTER_VALUE_H

#include "core/register.h"

#define REGISTER_VALUE_FORMAT 1u
#define REGISTER_VALUE_BYTES  (32u + LIST_NAME_MAX + (REGISTER_BYTES + 2) / 3 * 4)

/* Writes the NUL-terminated text, returns its length without the NUL. */
size_t register_value_write(const struct reg *reg, const char *cluster, bool moved,
			    char text[REGISTER_VALUE_BYTES]);

/* -EBADMSG for what is no register, -EPROTONOSUPPORT for a newer format, -EINVAL for another
 * cluster's.  The sentence begins with "the register"; *reg and *moved are untouched then. */
int register_value_read(const char *text, size_t bytes, const char *cluster, struct reg *reg,
			bool *moved, struct failure *failure);

#endif
