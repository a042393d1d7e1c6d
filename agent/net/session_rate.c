/* session_rate.c - see session_rate.h.  One thread at a time. */
#include "net/session_rate.h"

#include <string.h>

#include <netinet/in.h>
#include <sodium.h>

#define CREDIT_MAX_MS 1000u
#define COST_MS	      (CREDIT_MAX_MS / RATE_PER_SECOND)

void session_rate_init(struct session_rate *rate)
{
	memset(rate, 0, sizeof(*rate));
	randombytes_buf(rate->key, sizeof(rate->key));
}

/* The holder of an IPv6 /64 has all its addresses: it counts as one. */
static bool bucket_address(const struct sockaddr *address, uint8_t bytes[8])
{
	memset(bytes, 0, 8);
	if (address->sa_family == AF_INET) {
		struct sockaddr_in v4;

		memcpy(&v4, address, sizeof(v4));
		memcpy(bytes, &v4.sin_addr, 4);
		bytes[7] = 4; /* apart from 2000:0000:: and the like */
		return true;
	}
	if (address->sa_family == AF_INET6) {
		struct sockaddr_in6 v6;

		memcpy(&v6, address, sizeof(v6));
		memcpy(bytes, &v6.sin6_addr, 8);
		return true;
	}
	return false;
}

/* Its bucket, or the one in its set that was used least lately. */
static struct rate_bucket *bucket_find(struct session_rate *rate, const uint8_t address[8])
{
	uint8_t hash[crypto_shorthash_BYTES];
	struct rate_bucket *set, *oldest;

	(void)crypto_shorthash(hash, address, 8, rate->key);
	set = rate->buckets[hash[0] % RATE_SETS];
	oldest = &set[0];
	for (unsigned i = 0; i < RATE_WAYS; i++) {
		if (set[i].used && memcmp(set[i].address, address, 8) == 0)
			return &set[i];
		if (oldest->used && (!set[i].used || set[i].last_ms < oldest->last_ms))
			oldest = &set[i];
	}
	oldest->used = false;
	return oldest;
}

bool session_rate_allow(struct session_rate *rate, const struct sockaddr *address, uint64_t now_ms)
{
	struct rate_bucket *bucket;
	uint64_t credit;
	uint8_t bytes[8];

	if (!bucket_address(address, bytes))
		return true;
	bucket = bucket_find(rate, bytes);
	if (!bucket->used) {
		*bucket = (struct rate_bucket){.used = true, .credit_ms = CREDIT_MAX_MS};
		memcpy(bucket->address, bytes, sizeof(bucket->address));
		bucket->last_ms = now_ms;
	}
	credit = bucket->credit_ms + (now_ms - bucket->last_ms);
	bucket->credit_ms = credit > CREDIT_MAX_MS ? CREDIT_MAX_MS : (uint32_t)credit;
	bucket->last_ms = now_ms;
	if (bucket->credit_ms < COST_MS)
		return false;
	bucket->credit_ms -= COST_MS;
	return true;
}
