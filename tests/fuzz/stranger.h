/* stranger.h - a trust in one key that has signed nothing in any corpus: nothing may verify. */
#ifndef MCROSTER_TESTS_STRANGER_H
#define MCROSTER_TESTS_STRANGER_H

#include <stdlib.h>

#include <sodium.h>

#include "list/document.h"

static inline const struct trust *stranger_trust(void)
{
	static const uint8_t seed[crypto_sign_SEEDBYTES] = "signed nothing in the corpus";
	static struct trust trust;
	uint8_t secret[crypto_sign_SECRETKEYBYTES];

	if (trust.count == 0) {
		if (crypto_sign_seed_keypair(trust.keys[0], secret, seed) != 0)
			abort();
		trust.count = 1;
		trust.threshold = 1;
	}
	return &trust;
}

#endif
