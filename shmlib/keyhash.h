/* keyhash.h - the hashes that place a key, each exactly as the program that is named with it has
 * it.
 *
 * The numbers are MCR_HASH_... of the segment.  Pure; safe anywhere.
 */
#ifndef MCROSTER_KEYHASH_H
#define MCROSTER_KEYHASH_H

#include <stddef.h>
#include <stdint.h>

#include "mcroster_segment.h"

#pragma GCC visibility push(hidden)

/* XXH3_64bits for MCR_HASH_XXH3; 32 bits for every other one; 0 for a number that is none. */
uint64_t mcr_keyhash(uint32_t hash, const void *key, size_t len);

/* The hashes of libhashkit and twemproxy, for MCR_HASH_ONE_AT_A_TIME to MCR_HASH_JENKINS. */
uint32_t mcr_hashkit(uint32_t hash, const uint8_t *key, size_t len);

#pragma GCC visibility pop

/* A hash has so many values, from 0 up: 2 to this power. */
static inline unsigned keyhash_bits(uint32_t hash)
{
	switch (hash) {
	case MCR_HASH_XXH3:
		return 64;
	case MCR_HASH_CRC32:
		return 15;
	default:
		return 32;
	}
}

#endif
