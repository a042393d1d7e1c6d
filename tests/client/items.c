/* items.c - see items.h. */
#include "items.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THIRTY_DAYS_S (30 * 86400)
#define MULTIPLIER    UINT64_C(6364136223846793005)
#define INCREMENT     UINT64_C(1442695040888963407)

static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= UINT64_C(0xff51afd7ed558ccd);
	x ^= x >> 33;
	x *= UINT64_C(0xc4ceb9fe1a85ec53);
	return x ^ (x >> 33);
}

/* A few keys of one byte. */
#define TINY_KEYS 90u

static bool keys_plain;

void items_keys_plain(void)
{
	keys_plain = true;
}

static size_t key_write(uint32_t index, uint64_t r, unsigned char *key)
{
	char text[64];

	if (index < TINY_KEYS) {
		key[0] = (unsigned char)('!' + index);
		return 1;
	}
	int n = snprintf(text, sizeof(text), "user:%" PRIu32 "/profile", index);
	size_t length = (size_t)n;
	memcpy(key, text, length);
	switch (keys_plain && r % 32 == 1 ? 3 : r % 32) {
	case 0: /* as long as a key may be */
		memset(key + length, '%', ITEM_KEY_MAX - length);
		return ITEM_KEY_MAX;
	case 1: /* any bytes, NUL, space and newline among them */
		for (size_t i = 0; i < 12; i++)
			key[length + i] = (unsigned char)(mix(r + i) >> 24);
		return length + 12;
	case 2: { /* anything between */
		size_t more = (r >> 8) % (ITEM_KEY_MAX - length);
		memset(key + length, 'k', more);
		return length + more;
	}
	default:
		return length;
	}
}

static size_t size_of(uint32_t index, uint64_t r)
{
	if (index % 30000 == 1007)
		return ITEM_VALUE_MAX;
	if (index % 10000 == 2009)
		return 300000 + (r >> 16) % 400000;
	if (index % 2000 == 511)
		return 4000 + (r >> 16) % 30000;
	switch ((r >> 40) % 8) {
	case 0:
		return 1 + (r >> 16) % 8;
	case 1:
		return 200 + (r >> 16) % 800;
	default:
		return 8 + (r >> 16) % 120;
	}
}

static uint32_t ttl_of(uint64_t r)
{
	switch ((r >> 48) % 32) {
	case 0:
		return 10 + (uint32_t)((r >> 20) % 80); /* runs out while the load is on */
	case 1:
	case 2:
		return 3600;
	case 3:
	case 4:
		return ITEM_LONG_TTL;
	default:
		return 0;
	}
}

struct item item_of(uint32_t index)
{
	uint64_t r = mix(index + UINT64_C(0x9e3779b97f4a7c15));
	struct item item;

	memset(&item, 0, sizeof(item));
	item.key_bytes = key_write(index, r, item.key);
	item.counter = index % 20 == 5;
	item.value_bytes = size_of(index, r);
	item.ttl_s = ttl_of(r);
	return item;
}

time_t item_expiry(const struct item *item)
{
	return item->ttl_s > THIRTY_DAYS_S ? time(NULL) + item->ttl_s : (time_t)item->ttl_s;
}

uint32_t item_flags(const struct item *item, uint32_t index, uint32_t version)
{
	/* incr keeps the flags of the set it changes, so a counter's do not follow its version. */
	return (uint32_t)mix(((uint64_t)index << 32) | (item->counter ? 0 : version));
}

/* Version, index and a pattern that follows from both: a value put together from two shows. */
size_t item_value(const struct item *item, uint32_t index, uint32_t version, unsigned char *bytes)
{
	if (item->counter)
		return (size_t)snprintf((char *)bytes, 16, "%" PRIu32, version);

	uint32_t head[2] = {version, index};
	uint64_t word = mix(((uint64_t)version << 32) | index);
	size_t length = item->value_bytes;

	memcpy(bytes, head, length < 8 ? length : 8);
	for (size_t i = 8; i < length; i += 8) {
		memcpy(bytes + i, &word, length - i < 8 ? length - i : 8);
		word = word * MULTIPLIER + INCREMENT;
	}
	return length;
}

static bool value_is(const struct item *item, uint32_t index, uint32_t version,
		     const unsigned char *bytes)
{
	uint32_t head[2] = {version, index};
	uint64_t word = mix(((uint64_t)version << 32) | index);
	size_t length = item->value_bytes;

	if (memcmp(bytes, head, length < 8 ? length : 8) != 0)
		return false;
	for (size_t i = 8; i < length; i += 8) {
		if (memcmp(bytes + i, &word, length - i < 8 ? length - i : 8) != 0)
			return false;
		word = word * MULTIPLIER + INCREMENT;
	}
	return true;
}

static uint32_t counter_read(const unsigned char *bytes, size_t length)
{
	uint64_t number = 0;

	if (!length || length > 10)
		return 0;
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] < '0' || bytes[i] > '9')
			return 0;
		number = number * 10 + (uint64_t)(bytes[i] - '0');
	}
	return number > UINT32_MAX ? 0 : (uint32_t)number;
}

uint32_t item_version(const struct item *item, uint32_t index, const void *bytes, size_t length,
		      uint32_t flags, uint32_t newest)
{
	if (item->counter) {
		uint32_t version = counter_read(bytes, length);
		return flags == item_flags(item, index, version) ? version : 0;
	}
	if (length != item->value_bytes)
		return 0;
	/* The flags tell versions apart where the value is too short to. */
	for (uint32_t version = newest; version; version--)
		if (flags == item_flags(item, index, version) &&
		    value_is(item, index, version, bytes))
			return version;
	return 0;
}
