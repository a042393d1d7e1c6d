/* distribution.c - see distribution.h. */
#include "list/distribution.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mcroster_segment.h"

static const struct distribution_rules all[DISTRIBUTION_COUNT] = {
    [DISTRIBUTION_SLOTS] = {.name = "slots",
			    .weighted = true,
			    .kind = MCR_TABLE_SLOTS,
			    .hash = MCR_HASH_XXH3},
    [DISTRIBUTION_KETAMA_WEIGHTED] = {.name = "ketama-weighted",
				      .hash_said = true,
				      .weighted = true,
				      .kind = MCR_TABLE_RING,
				      .points = POINTS_WEIGHTED,
				      .label = LABEL_HOST},
    [DISTRIBUTION_KETAMA] = {.name = "ketama",
			     .weighted = true,
			     .kind = MCR_TABLE_RING,
			     .hash = MCR_HASH_MD5,
			     .points = POINTS_LIBKETAMA},
    [DISTRIBUTION_SPYMEMCACHED] = {.name = "spymemcached",
				   .weighted = true,
				   .kind = MCR_TABLE_RING,
				   .hash = MCR_HASH_MD5,
				   .points = POINTS_SPYMEMCACHED},
    [DISTRIBUTION_MODULA] = {.name = "modula", .hash_said = true, .kind = MCR_TABLE_MODULO},
    [DISTRIBUTION_PROXY_RING] = {.name = "proxy-ring",
				 .variant = "default",
				 .kind = MCR_TABLE_RING,
				 .hash = MCR_HASH_XXH3,
				 .points = POINTS_ONE_OF_160},
    [DISTRIBUTION_PROXY_RING_KETAMA] = {.name = "proxy-ring",
					.variant = "ketama",
					.kind = MCR_TABLE_RING,
					.hash = MCR_HASH_MD5,
					.points = POINTS_FOUR_OF_40},
    [DISTRIBUTION_PROXY_RING_TWEMPROXY] = {.name = "proxy-ring",
					   .variant = "twemproxy",
					   .kind = MCR_TABLE_RING,
					   .hash = MCR_HASH_MD5,
					   .points = POINTS_FOUR_OF_40,
					   .label = LABEL_HOST},
    [DISTRIBUTION_PROXY_RING_EVCACHE] = {.name = "proxy-ring",
					 .variant = "evcache",
					 .kind = MCR_TABLE_RING,
					 .hash = MCR_HASH_MD5,
					 .points = POINTS_FOUR_OF_40,
					 .label = LABEL_HOST_ADDRESS},
    [DISTRIBUTION_PROXY_JUMP] = {.name = "proxy-jump",
				 .kind = MCR_TABLE_JUMP,
				 .hash = MCR_HASH_XXH3},
};

static const char *const hash_names[MCR_HASH_LAST + 1] = {
    [MCR_HASH_MD5] = "md5",	    [MCR_HASH_ONE_AT_A_TIME] = "one_at_a_time",
    [MCR_HASH_FNV1_64] = "fnv1_64", [MCR_HASH_FNV1A_64] = "fnv1a_64",
    [MCR_HASH_FNV1_32] = "fnv1_32", [MCR_HASH_FNV1A_32] = "fnv1a_32",
    [MCR_HASH_CRC16] = "crc16",	    [MCR_HASH_CRC32] = "crc32",
    [MCR_HASH_CRC32A] = "crc32a",   [MCR_HASH_HSIEH] = "hsieh",
    [MCR_HASH_MURMUR] = "murmur",   [MCR_HASH_JENKINS] = "jenkins",
};

const struct distribution_rules *distribution_rules(enum distribution distribution)
{
	return &all[distribution];
}

bool distribution_find(const char *name, const char *variant, enum distribution *distribution)
{
	for (unsigned i = 0; i < DISTRIBUTION_COUNT; i++)
		if (strcmp(all[i].name, name) == 0 &&
		    (all[i].variant == NULL || strcmp(all[i].variant, variant) == 0)) {
			*distribution = (enum distribution)i;
			return true;
		}
	return false;
}

bool distribution_known(const char *name)
{
	for (unsigned i = 0; i < DISTRIBUTION_COUNT; i++)
		if (strcmp(all[i].name, name) == 0)
			return true;
	return false;
}

const char *distribution_hash_name(uint32_t hash)
{
	return hash <= MCR_HASH_LAST ? hash_names[hash] : NULL;
}

bool distribution_hash_find(const char *name, uint32_t *hash)
{
	for (uint32_t i = 0; i <= MCR_HASH_LAST; i++)
		if (hash_names[i] != NULL && strcmp(hash_names[i], name) == 0) {
			*hash = i;
			return true;
		}
	return false;
}

void distribution_print(enum distribution distribution, uint32_t hash, uint32_t slot_count,
			char text[DISTRIBUTION_TEXT_BYTES])
{
	const struct distribution_rules *rules = distribution_rules(distribution);
	const char *word = rules->hash_said ? distribution_hash_name(hash) : rules->variant;

	if (distribution == DISTRIBUTION_SLOTS)
		(void)snprintf(text, DISTRIBUTION_TEXT_BYTES, "%s %" PRIu32, rules->name,
			       slot_count);
	else
		(void)snprintf(text, DISTRIBUTION_TEXT_BYTES, "%s%s%s", rules->name,
			       word != NULL ? " " : "", word != NULL ? word : "");
}
