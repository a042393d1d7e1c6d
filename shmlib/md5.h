/* md5.h - MD5 (RFC 1321) of short strings: what rings of the ketama family are made of.
 *
 * Not for security, for which it is long unfit: other programs place keys by it, and the answer
 * must be theirs.  Pure; safe anywhere.
 */
#ifndef MCROSTER_MD5_H
#define MCROSTER_MD5_H

#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

/* The digest as four words; a word's low byte comes first in the digest's bytes. */
void mcr_md5(const void *data, size_t bytes, uint32_t digest[4]);

/* Its first word alone, which is all that places a key: a little faster. */
uint32_t mcr_md5_first(const void *data, size_t bytes);

#pragma GCC visibility pop

#endif
