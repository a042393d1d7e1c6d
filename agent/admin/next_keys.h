/* next_keys.h - the keys document that follows another. */
#ifndef MCROSTER_ADMIN_NEXT_KEYS_H
#define MCROSTER_ADMIN_NEXT_KEYS_H

#include "list/keys.h"

/* Makes the version after `previous` (NULL: version 1) with the keys and the threshold of `trust`.
 * The result's document is its unsigned body.  -EEXIST: it says what `previous` says; -EINVAL with
 * the rule that forbids it; -ENOMEM. */
int next_keys_make(const char *cluster, const struct keys *previous, const struct trust *trust,
		   struct keys **next, struct failure *failure);

/* How many operators at least have to sign it: the thresholds of both, a key that is in both
 * counted once. */
uint32_t next_keys_signers(const struct keys *previous, const struct keys *next);

#endif
