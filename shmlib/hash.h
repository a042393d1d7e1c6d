/* hash.h - the one hash of the slots distribution: XXH3_64bits with seed 0, as in xxHash 0.8.
 *
 * The agent and the library both route by it, so it stands once.  Safe anywhere.
 */
#ifndef MCROSTER_HASH_H
#define MCROSTER_HASH_H

#include <stddef.h>
#include <stdint.h>

#define XXH_INLINE_ALL
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#endif
#include <xxhash.h>
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

static inline uint64_t mcr_hash(const void *key, size_t len)
{
	return XXH3_64bits(key, len);
}

/* The slot of a hash in a table of 1 << bits slots, bits 1..63. */
static inline uint32_t mcr_hash_slot(uint64_t hash, unsigned bits)
{
	return (uint32_t)(hash >> (64u - bits));
}

#endif
