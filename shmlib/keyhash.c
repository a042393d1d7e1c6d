/* keyhash.c - see keyhash.h. */
#include "keyhash.h"

#include "hash.h"
#include "md5.h"

uint64_t mcr_keyhash(uint32_t hash, const void *key, size_t len)
{
	switch (hash) {
	case MCR_HASH_XXH3:
		return mcr_hash(key, len);
	case MCR_HASH_MD5:
		return mcr_md5_first(key, len);
	default:
		return mcr_hashkit(hash, key, len);
	}
}
