/* noise_internal.h - what only noise.c and the test of its published vectors may use.
 *
 * The vectors fix the ephemeral keys and cover more patterns than the one the product speaks; in
 * the product an ephemeral key is never anything but fresh randomness.
 */
#ifndef MCROSTER_NOISE_INTERNAL_H
#define MCROSTER_NOISE_INTERNAL_H

#include "net/noise.h"

enum noise_token {
	NOISE_TOKEN_END = 0,
	NOISE_TOKEN_E,
	NOISE_TOKEN_S,
	NOISE_TOKEN_EE,
	NOISE_TOKEN_ES,
	NOISE_TOKEN_SE,
	NOISE_TOKEN_SS,
	NOISE_TOKEN_PSK
};

#define NOISE_MESSAGES_MAX 3
#define NOISE_TOKENS_MAX   6

struct noise_pattern {
	const char *name;
	bool initiator_known, responder_known; /* static keys in the pre-messages */
	bool has_psk;
	uint8_t message_count;
	uint8_t tokens[NOISE_MESSAGES_MAX]
		      [NOISE_TOKENS_MAX]; /* the first message is the initiator's */
};

extern const struct noise_pattern noise_ikpsk2;

/* noise_begin with another pattern and, unless `ephemeral` is NULL, a given ephemeral secret. */
void noise_begin_with(struct noise_handshake *handshake, const struct noise_setup *setup,
		      const struct noise_pattern *pattern, const uint8_t *ephemeral);

#endif
