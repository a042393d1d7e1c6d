/* distribution.h - the distributions a list may say, and what each is made of.
 *
 * `slots` is mcroster's own; each other one gives the very answer of a program that fleets already
 * run, so that they can be adopted without moving a key.
 */
#ifndef MCROSTER_DISTRIBUTION_H
#define MCROSTER_DISTRIBUTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum distribution {
	DISTRIBUTION_SLOTS = 0,
	DISTRIBUTION_KETAMA_WEIGHTED,
	DISTRIBUTION_KETAMA,
	DISTRIBUTION_SPYMEMCACHED,
	DISTRIBUTION_MODULA,
	DISTRIBUTION_PROXY_RING,
	DISTRIBUTION_PROXY_RING_KETAMA,
	DISTRIBUTION_PROXY_RING_TWEMPROXY,
	DISTRIBUTION_PROXY_RING_EVCACHE,
	DISTRIBUTION_PROXY_JUMP,
	DISTRIBUTION_COUNT
};

/* How many points of a ring a server gets. */
enum distribution_points {
	POINTS_NONE,	  /* no ring */
	POINTS_WEIGHTED,  /* libmemcached's, twemproxy's and weighted spymemcached's arithmetic */
	POINTS_LIBKETAMA, /* libketama's, which rounds otherwise */
	POINTS_SPYMEMCACHED, /* 160 where all weights are the same, else POINTS_WEIGHTED */
	POINTS_FOUR_OF_40,   /* 160, four of each digest */
	POINTS_ONE_OF_160,   /* 160, one of each hash */
};

/* What a point's hash is of, before "-" and its number. */
enum distribution_label {
	LABEL_ADDRESS,	    /* host:port */
	LABEL_HOST,	    /* host:port, of port 11211 the host alone */
	LABEL_HOST_ADDRESS, /* host/host:port */
};

struct distribution_rules {
	const char *name;
	const char
	    *variant;	/* the word behind the name; NULL: none, a hash, or a number of slots */
	bool hash_said; /* the word behind the name is a hash */
	bool weighted;	/* the servers' weights count */
	uint32_t kind;	/* MCR_TABLE_... */
	uint32_t hash;	/* MCR_HASH_..., unless it is said */
	enum distribution_points points;
	enum distribution_label label;
};

const struct distribution_rules *distribution_rules(enum distribution distribution);

/* By name and, where it has one, variant (else ignored). */
bool distribution_find(const char *name, const char *variant, enum distribution *distribution);
/* Is there a distribution of this name, whatever its variant? */
bool distribution_known(const char *name);

/* A hash that a distribution may say; NULL and false for MCR_HASH_XXH3 and what is none. */
const char *distribution_hash_name(uint32_t hash);
bool distribution_hash_find(const char *name, uint32_t *hash);

/* "slots 16384", "ketama-weighted md5": the words of the list's line. */
#define DISTRIBUTION_TEXT_BYTES 48u
void distribution_print(enum distribution distribution, uint32_t hash, uint32_t slot_count,
			char text[DISTRIBUTION_TEXT_BYTES]);

#endif
