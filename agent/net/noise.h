/* noise.h - Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b (the Noise Protocol Framework, revision 34).
 *
 * Pure: bytes in, bytes out; no I/O, no clock; the one thing taken from outside is the ephemeral
 * key's randomness.  The initiator knows the responder's static key; the responder learns the
 * initiator's from the first message.  Two messages, then noise_split gives one cipher for each
 * direction.  A handshake that has failed once stays failed.  The structs hold secrets: a
 * handshake's is in memory of sodium_malloc and freed by sodium_free, a cipher is wiped by
 * noise_cipher_forget.
 */
#ifndef MCROSTER_NOISE_H
#define MCROSTER_NOISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NOISE_KEY_BYTES	 32u
#define NOISE_HASH_BYTES 64u
#define NOISE_TAG_BYTES	 16u

/* What the two handshake messages are larger than their payloads by. */
#define NOISE_FIRST_BYTES  (NOISE_KEY_BYTES + NOISE_KEY_BYTES + 2 * NOISE_TAG_BYTES)
#define NOISE_SECOND_BYTES (NOISE_KEY_BYTES + NOISE_TAG_BYTES)

struct noise_cipher {
	uint8_t key[NOISE_KEY_BYTES];
	uint64_t counter;
	bool keyed;
};

struct noise_pattern;

struct noise_handshake {
	const struct noise_pattern *pattern;
	uint8_t step; /* messages written and read so far */
	bool initiator, failed;
	bool has_ephemeral, has_remote_static, has_remote_ephemeral;
	struct noise_cipher cipher;
	uint8_t chaining_key[NOISE_HASH_BYTES], hash[NOISE_HASH_BYTES];
	uint8_t secret[NOISE_KEY_BYTES], public_key[NOISE_KEY_BYTES];
	uint8_t ephemeral_secret[NOISE_KEY_BYTES], ephemeral_public[NOISE_KEY_BYTES];
	uint8_t remote_static[NOISE_KEY_BYTES], remote_ephemeral[NOISE_KEY_BYTES];
	uint8_t psk[NOISE_KEY_BYTES];
};

/* All copied by noise_begin. */
struct noise_setup {
	bool initiator;
	const void *prologue; /* must be the same on both sides */
	size_t prologue_bytes;
	const uint8_t *secret, *public_key; /* our static X25519 pair */
	const uint8_t *remote_static;	    /* the responder's key for the initiator, NULL else */
	const uint8_t *psk;
};

void noise_begin(struct noise_handshake *handshake, const struct noise_setup *setup);

/* Writes our next message with its payload.  -EMSGSIZE when `capacity` is too small, -EPROTO when
 * it is not our turn, -EBADMSG when a Diffie-Hellman result is all zero. */
int noise_write(struct noise_handshake *handshake, const uint8_t *payload, size_t payload_bytes,
		uint8_t *out, size_t capacity, size_t *length);

/* Reads the peer's next message and gives its payload.  -EBADMSG when it is too short, does not
 * authenticate, or has a public key of small order; -EMSGSIZE, -EPROTO as above. */
int noise_read(struct noise_handshake *handshake, const uint8_t *in, size_t length,
	       uint8_t *payload, size_t capacity, size_t *payload_bytes);

bool noise_is_complete(const struct noise_handshake *handshake);

/* After the last message: the two transport ciphers.  -EPROTO before it. */
int noise_split(const struct noise_handshake *handshake, struct noise_cipher *send,
		struct noise_cipher *receive);

/* Seals `length` bytes into length + NOISE_TAG_BYTES; `out` may be `in`.  Opens the other way
 * round; -EBADMSG (the counter stays) when it does not authenticate.  -EOVERFLOW once the counter
 * is used up.  `associated` may be NULL when its size is 0. */
int noise_cipher_seal(struct noise_cipher *cipher, const uint8_t *associated,
		      size_t associated_bytes, const uint8_t *in, size_t length, uint8_t *out);
int noise_cipher_open(struct noise_cipher *cipher, const uint8_t *associated,
		      size_t associated_bytes, const uint8_t *in, size_t length, uint8_t *out);
void noise_cipher_forget(struct noise_cipher *cipher);

#endif
