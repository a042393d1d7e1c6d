/* utf8.h - whether text from outside is text: what is shown, logged or written as JSON is asked
 * character by character.  Reentrant.
 */
#ifndef MCROSTER_UTF8_H
#define MCROSTER_UTF8_H

#include <stddef.h>

/* The bytes of the well-formed UTF-8 character at `text` (RFC 3629), which ends with a NUL; 0 where
 * there is none. */
size_t utf8_length(const char *text);

#endif
