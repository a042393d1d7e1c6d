/* items.h - the items of a load: which key, value, flags and expiry item number `index` has.
 *
 * All of it follows from the index and a version, so what a read returns can be judged without
 * remembering a single value: item_version says which version bytes and flags are of.  Kinds:
 * values of 1 byte and up, some near the item-size limit; keys of 1 to 250 bytes, some with bytes
 * that are no text; counters; expiries none, short, long, and beyond 30 days. Pure functions.
 * Shared by the programs of this directory (it has no main).
 */
#ifndef MCROSTER_TESTS_ITEMS_H
#define MCROSTER_TESTS_ITEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define ITEM_KEY_MAX   250u
#define ITEM_VALUE_MAX 1048000u /* memcached's limit is 1 MiB with the key and its own header */
#define ITEM_LONG_TTL  (40 * 86400)

struct item {
	unsigned char key[ITEM_KEY_MAX];
	size_t key_bytes;
	size_t value_bytes; /* not for counters */
	bool counter;	    /* the value is the version in decimal, changed by incr */
	uint32_t ttl_s;	    /* 0: none */
};

struct item item_of(uint32_t index);

/* From now on no key has bytes that only the binary protocol carries.  Before any thread. */
void items_keys_plain(void);

/* What is given to memcached: ttl_s itself, or, above 30 days, the absolute time. */
time_t item_expiry(const struct item *item);

uint32_t item_flags(const struct item *item, uint32_t index, uint32_t version);

/* Writes the value of a version to `bytes` (ITEM_VALUE_MAX); returns its length. */
size_t item_value(const struct item *item, uint32_t index, uint32_t version, unsigned char *bytes);

/* The version that bytes and flags are of, up to `newest` (a counter: any); 0: they are no value of
 * this item. */
uint32_t item_version(const struct item *item, uint32_t index, const void *bytes, size_t length,
		      uint32_t flags, uint32_t newest);

#endif
