/* identity.h - who we are to our peers. */
#ifndef MCROSTER_IDENTITY_H
#define MCROSTER_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "list/list.h"

#define SESSION_KEY_BYTES 32u

/* Borrowed by sessions and listeners; must outlive them.  What changes in it holds for handshakes
 * that begin later.  The owner keeps it in memory made for
 * secrets (sodium_malloc) and wipes it. */
struct session_identity {
	char cluster[LIST_NAME_MAX + 1];   /* the prologue */
	char name[LIST_NAME_MAX + 1];	   /* for HELLO */
	uint8_t secret[SESSION_KEY_BYTES]; /* X25519 */
	uint8_t public_key[SESSION_KEY_BYTES];
	uint8_t psk[SESSION_KEY_BYTES];
	bool has_previous_psk; /* accepted beside psk while it is rotated */
	uint8_t previous_psk[SESSION_KEY_BYTES];
	bool has_other; /* peers that dial may mean this key of ours, while it is rotated */
	uint8_t other_secret[SESSION_KEY_BYTES];
	uint8_t other_public_key[SESSION_KEY_BYTES];
};

#endif
