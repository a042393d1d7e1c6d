/* session_rate.h - how often one address may begin a handshake.
 *
 * A token bucket for each IPv4 address or IPv6 /64 in a table of fixed size, keyed with a random
 * secret so that nobody can choose whom to share a bucket with.  Pure: time is an argument.
 */
#ifndef MCROSTER_SESSION_RATE_H
#define MCROSTER_SESSION_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include <sys/socket.h>

#define RATE_PER_SECOND 20u /* and as many at once */
#define RATE_SETS	256u
#define RATE_WAYS	4u

struct rate_bucket {
	uint8_t address[8];
	uint64_t last_ms;
	uint32_t credit_ms; /* a handshake costs 1000 / RATE_PER_SECOND of it */
	bool used;
};

struct session_rate {
	uint8_t key[16];
	struct rate_bucket buckets[RATE_SETS][RATE_WAYS];
};

void session_rate_init(struct session_rate *rate);

/* May this address begin another handshake now?  Other families than IP always may. */
bool session_rate_allow(struct session_rate *rate, const struct sockaddr *address, uint64_t now_ms);

#endif
