/* hashkit.c - the smaller hashes of libhashkit (libmemcached) and twemproxy.
 *
 * What they answer is what counts: so bytes above 127 are negative numbers where those programs
 * read the key as `char` (on x86-64), and crc32 gives 15 bits.  Keys are short and these are for
 * fleets that have them; the code is the plain one.
 */
#include "keyhash.h"

#define FNV_32_START 0x811c9dc5u
#define FNV_32_PRIME 0x01000193u
/* Of the 64-bit FNV only the low words matter to the low word of the result. */
#define FNV_64_START 0x84222325u
#define FNV_64_PRIME 0x000001b3u

#define CRC16_POLYNOMIAL 0x1021u
#define CRC32_POLYNOMIAL 0xedb88320u

#define MURMUR_SEED   0xdeadbeefu
#define MURMUR_FACTOR 0x5bd1e995u

#define JENKINS_START (0xdeadbeefu + 13)

static uint32_t as_char(uint8_t byte)
{
	return (uint32_t)(int32_t)(int8_t)byte;
}

static uint32_t read16(const uint8_t *from)
{
	return from[0] | (uint32_t)from[1] << 8;
}

static uint32_t read32(const uint8_t *from)
{
	return read16(from) | read16(from + 2) << 16;
}

/* The last 0 to 4 bytes, the rest zero. */
static uint32_t read_tail(const uint8_t *from, size_t bytes)
{
	uint32_t word = 0;

	for (size_t i = 0; i < bytes && i < 4; i++)
		word |= (uint32_t)from[i] << (8 * i);
	return word;
}

static uint32_t one_at_a_time(const uint8_t *key, size_t len)
{
	uint32_t value = 0;

	for (size_t i = 0; i < len; i++) {
		value += as_char(key[i]);
		value += value << 10;
		value ^= value >> 6;
	}
	value += value << 3;
	value ^= value >> 11;
	value += value << 15;
	return value;
}

static uint32_t fnv1(const uint8_t *key, size_t len, uint32_t value, uint32_t prime)
{
	for (size_t i = 0; i < len; i++)
		value = (value * prime) ^ as_char(key[i]);
	return value;
}

static uint32_t fnv1a(const uint8_t *key, size_t len, uint32_t value, uint32_t prime)
{
	for (size_t i = 0; i < len; i++)
		value = (value ^ as_char(key[i])) * prime;
	return value;
}

/* What leaves the 16 bits at the top is never cut off: twemproxy keeps it, so this has 32 bits. */
static uint32_t crc16(const uint8_t *key, size_t len)
{
	uint32_t crc = 0;

	for (size_t i = 0; i < len; i++) {
		uint32_t byte = (crc >> 8 ^ key[i]) & 0xff;

		byte <<= 8;
		for (int bit = 0; bit < 8; bit++)
			byte = byte << 1 ^ ((byte & 0x8000u) != 0 ? CRC16_POLYNOMIAL : 0);
		crc = crc << 8 ^ (byte & 0xffffu);
	}
	return crc;
}

static uint32_t crc32a(const uint8_t *key, size_t len)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		crc ^= key[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ ((crc & 1) != 0 ? CRC32_POLYNOMIAL : 0);
	}
	return ~crc;
}

static uint32_t hsieh_tail(uint32_t value, const uint8_t *key, size_t left)
{
	switch (left) {
	case 3:
		value += read16(key);
		value ^= value << 16;
		value ^= as_char(key[2]) << 18;
		return value + (value >> 11);
	case 2:
		value += read16(key);
		value ^= value << 11;
		return value + (value >> 17);
	case 1:
		value += key[0];
		value ^= value << 10;
		return value + (value >> 1);
	default:
		return value;
	}
}

static uint32_t hsieh(const uint8_t *key, size_t len)
{
	uint32_t value = 0;

	for (; len >= 4; len -= 4, key += 4) {
		value += read16(key);
		value = value << 16 ^ read16(key + 2) << 11 ^ value;
		value += value >> 11;
	}
	value = hsieh_tail(value, key, len);
	value ^= value << 3;
	value += value >> 5;
	value ^= value << 4;
	value += value >> 17;
	value ^= value << 25;
	value += value >> 6;
	return value;
}

static uint32_t murmur(const uint8_t *key, size_t len)
{
	uint32_t value = MURMUR_SEED * (uint32_t)len ^ (uint32_t)len;

	for (; len >= 4; len -= 4, key += 4) {
		uint32_t word = read32(key) * MURMUR_FACTOR;

		word ^= word >> 24;
		value = (value * MURMUR_FACTOR) ^ (word * MURMUR_FACTOR);
	}
	if (len > 0)
		value = (value ^ read_tail(key, len)) * MURMUR_FACTOR;
	value ^= value >> 13;
	value *= MURMUR_FACTOR;
	value ^= value >> 15;
	return value;
}

static uint32_t rotate(uint32_t word, unsigned by)
{
	return word << by | word >> (32 - by);
}

static void mix(uint32_t *into, uint32_t *with, uint32_t third, unsigned by)
{
	*into = (*into - *with) ^ rotate(*with, by);
	*with += third;
}

/* Bob Jenkins's lookup3, hashlittle. */
static uint32_t jenkins(const uint8_t *key, size_t len)
{
	uint32_t a = JENKINS_START + (uint32_t)len, b = a, c = a;

	for (; len > 12; len -= 12, key += 12) {
		a += read32(key);
		b += read32(key + 4);
		c += read32(key + 8);
		mix(&a, &c, b, 4);
		mix(&b, &a, c, 6);
		mix(&c, &b, a, 8);
		mix(&a, &c, b, 16);
		mix(&b, &a, c, 19);
		mix(&c, &b, a, 4);
	}
	if (len == 0)
		return c;
	a += read_tail(key, len);
	b += len > 4 ? read_tail(key + 4, len - 4) : 0;
	c += len > 8 ? read_tail(key + 8, len - 8) : 0;
	c = (c ^ b) - rotate(b, 14);
	a = (a ^ c) - rotate(c, 11);
	b = (b ^ a) - rotate(a, 25);
	c = (c ^ b) - rotate(b, 16);
	a = (a ^ c) - rotate(c, 4);
	b = (b ^ a) - rotate(a, 14);
	return (c ^ b) - rotate(b, 24);
}

uint32_t mcr_hashkit(uint32_t hash, const uint8_t *key, size_t len)
{
	switch (hash) {
	case MCR_HASH_ONE_AT_A_TIME:
		return one_at_a_time(key, len);
	case MCR_HASH_FNV1_64:
		return fnv1(key, len, FNV_64_START, FNV_64_PRIME);
	case MCR_HASH_FNV1A_64:
		return fnv1a(key, len, FNV_64_START, FNV_64_PRIME);
	case MCR_HASH_FNV1_32:
		return fnv1(key, len, FNV_32_START, FNV_32_PRIME);
	case MCR_HASH_FNV1A_32:
		return fnv1a(key, len, FNV_32_START, FNV_32_PRIME);
	case MCR_HASH_CRC16:
		return crc16(key, len);
	case MCR_HASH_CRC32:
		return (crc32a(key, len) >> 16) & 0x7fff;
	case MCR_HASH_CRC32A:
		return crc32a(key, len);
	case MCR_HASH_HSIEH:
		return hsieh(key, len);
	case MCR_HASH_MURMUR:
		return murmur(key, len);
	case MCR_HASH_JENKINS:
		return jenkins(key, len);
	default:
		return 0;
	}
}
