/* noise.c - see noise.h.  Names and steps follow sections 5 and 9 of the Noise specification.
 * Reentrant. */
#include "net/noise_internal.h"

#include <errno.h>
#include <string.h>

#include <sodium.h>

#define BLOCK_BYTES 128u /* BLAKE2b's, for HMAC */

const struct noise_pattern noise_ikpsk2 = {
    .name = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b",
    .responder_known = true,
    .has_psk = true,
    .message_count = 2,
    .tokens = {{NOISE_TOKEN_E, NOISE_TOKEN_ES, NOISE_TOKEN_S, NOISE_TOKEN_SS},
	       {NOISE_TOKEN_E, NOISE_TOKEN_EE, NOISE_TOKEN_SE, NOISE_TOKEN_PSK}},
};

/* The ciphers. */

static void nonce_make(uint64_t counter, uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES])
{
	memset(nonce, 0, 4);
	for (unsigned i = 0; i < 8; i++)
		nonce[4 + i] = (uint8_t)(counter >> (8 * i));
}

int noise_cipher_seal(struct noise_cipher *cipher, const uint8_t *associated,
		      size_t associated_bytes, const uint8_t *in, size_t length, uint8_t *out)
{
	uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];

	if (cipher->counter == UINT64_MAX) /* reserved by the specification */
		return -EOVERFLOW;
	nonce_make(cipher->counter++, nonce);
	(void)crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, in, length, associated,
							associated_bytes, NULL, nonce, cipher->key);
	return 0;
}

int noise_cipher_open(struct noise_cipher *cipher, const uint8_t *associated,
		      size_t associated_bytes, const uint8_t *in, size_t length, uint8_t *out)
{
	uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];

	if (cipher->counter == UINT64_MAX)
		return -EOVERFLOW;
	nonce_make(cipher->counter, nonce);
	if (length < NOISE_TAG_BYTES ||
	    crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, in, length, associated,
						      associated_bytes, nonce, cipher->key) != 0)
		return -EBADMSG;
	cipher->counter++;
	return 0;
}

void noise_cipher_forget(struct noise_cipher *cipher)
{
	sodium_memzero(cipher, sizeof(*cipher));
}

/* The hash. */

static void hmac(const uint8_t key[NOISE_HASH_BYTES], const uint8_t *data, size_t length,
		 const uint8_t *more, size_t more_bytes, uint8_t out[NOISE_HASH_BYTES])
{
	crypto_generichash_blake2b_state state;
	uint8_t pad[BLOCK_BYTES], inner[NOISE_HASH_BYTES];

	memset(pad, 0x36, sizeof(pad));
	for (size_t i = 0; i < NOISE_HASH_BYTES; i++)
		pad[i] ^= key[i];
	(void)crypto_generichash_blake2b_init(&state, NULL, 0, NOISE_HASH_BYTES);
	(void)crypto_generichash_blake2b_update(&state, pad, sizeof(pad));
	(void)crypto_generichash_blake2b_update(&state, data, length);
	(void)crypto_generichash_blake2b_update(&state, more, more_bytes);
	(void)crypto_generichash_blake2b_final(&state, inner, sizeof(inner));
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36 ^ 0x5c;
	(void)crypto_generichash_blake2b_init(&state, NULL, 0, NOISE_HASH_BYTES);
	(void)crypto_generichash_blake2b_update(&state, pad, sizeof(pad));
	(void)crypto_generichash_blake2b_update(&state, inner, sizeof(inner));
	(void)crypto_generichash_blake2b_final(&state, out, NOISE_HASH_BYTES);
	sodium_memzero(&state, sizeof(state));
	sodium_memzero(pad, sizeof(pad));
	sodium_memzero(inner, sizeof(inner));
}

/* HKDF with two or three outputs; `third` may be NULL. */
static void hkdf(const uint8_t chaining_key[NOISE_HASH_BYTES], const uint8_t *input, size_t length,
		 uint8_t first[NOISE_HASH_BYTES], uint8_t second[NOISE_HASH_BYTES], uint8_t *third)
{
	static const uint8_t counter[3] = {1, 2, 3};
	uint8_t key[NOISE_HASH_BYTES], one[NOISE_HASH_BYTES];

	hmac(chaining_key, input, length, NULL, 0, key);
	hmac(key, &counter[0], 1, NULL, 0, one);
	hmac(key, one, sizeof(one), &counter[1], 1, second);
	if (third != NULL)
		hmac(key, second, NOISE_HASH_BYTES, &counter[2], 1, third);
	memcpy(first, one, sizeof(one));
	sodium_memzero(key, sizeof(key));
	sodium_memzero(one, sizeof(one));
}

static void cipher_key(struct noise_cipher *cipher, const uint8_t key[NOISE_KEY_BYTES])
{
	memcpy(cipher->key, key, NOISE_KEY_BYTES);
	cipher->counter = 0;
	cipher->keyed = true;
}

static void mix_hash(struct noise_handshake *handshake, const void *data, size_t length)
{
	crypto_generichash_blake2b_state state;

	(void)crypto_generichash_blake2b_init(&state, NULL, 0, NOISE_HASH_BYTES);
	(void)crypto_generichash_blake2b_update(&state, handshake->hash, NOISE_HASH_BYTES);
	(void)crypto_generichash_blake2b_update(&state, data, length);
	(void)crypto_generichash_blake2b_final(&state, handshake->hash, NOISE_HASH_BYTES);
}

static void mix_key(struct noise_handshake *handshake, const uint8_t input[NOISE_KEY_BYTES])
{
	uint8_t key[NOISE_HASH_BYTES];

	hkdf(handshake->chaining_key, input, NOISE_KEY_BYTES, handshake->chaining_key, key, NULL);
	cipher_key(&handshake->cipher, key);
	sodium_memzero(key, sizeof(key));
}

static void mix_key_and_hash(struct noise_handshake *handshake,
			     const uint8_t input[NOISE_KEY_BYTES])
{
	uint8_t hash[NOISE_HASH_BYTES], key[NOISE_HASH_BYTES];

	hkdf(handshake->chaining_key, input, NOISE_KEY_BYTES, handshake->chaining_key, hash, key);
	mix_hash(handshake, hash, sizeof(hash));
	cipher_key(&handshake->cipher, key);
	sodium_memzero(hash, sizeof(hash));
	sodium_memzero(key, sizeof(key));
}

/* What is written, and read, grows and shrinks by a tag once there is a key. */
static size_t tag_bytes(const struct noise_handshake *handshake)
{
	return handshake->cipher.keyed ? NOISE_TAG_BYTES : 0;
}

static int encrypt_and_hash(struct noise_handshake *handshake, const uint8_t *in, size_t length,
			    uint8_t *out)
{
	if (handshake->cipher.keyed) {
		int error = noise_cipher_seal(&handshake->cipher, handshake->hash, NOISE_HASH_BYTES,
					      in, length, out);

		if (error != 0)
			return error;
	} else if (length > 0) {
		memcpy(out, in, length);
	}
	mix_hash(handshake, out, length + tag_bytes(handshake));
	return 0;
}

static int decrypt_and_hash(struct noise_handshake *handshake, const uint8_t *in, size_t length,
			    uint8_t *out)
{
	uint8_t hash[NOISE_HASH_BYTES];

	memcpy(hash, handshake->hash, sizeof(hash));
	mix_hash(handshake, in, length);
	if (handshake->cipher.keyed)
		return noise_cipher_open(&handshake->cipher, hash, sizeof(hash), in, length, out);
	if (length > 0)
		memcpy(out, in, length);
	return 0;
}

/* The handshake. */

void noise_begin_with(struct noise_handshake *handshake, const struct noise_setup *setup,
		      const struct noise_pattern *pattern, const uint8_t *ephemeral)
{
	const uint8_t *initiator, *responder;

	memset(handshake, 0, sizeof(*handshake));
	handshake->pattern = pattern;
	handshake->initiator = setup->initiator;
	memcpy(handshake->secret, setup->secret, NOISE_KEY_BYTES);
	memcpy(handshake->public_key, setup->public_key, NOISE_KEY_BYTES);
	if (setup->remote_static != NULL) {
		memcpy(handshake->remote_static, setup->remote_static, NOISE_KEY_BYTES);
		handshake->has_remote_static = true;
	}
	if (pattern->has_psk)
		memcpy(handshake->psk, setup->psk, NOISE_KEY_BYTES);
	if (ephemeral != NULL) {
		memcpy(handshake->ephemeral_secret, ephemeral, NOISE_KEY_BYTES);
		handshake->has_ephemeral = true;
	}
	if (strlen(pattern->name) <= NOISE_HASH_BYTES)
		memcpy(handshake->hash, pattern->name, strlen(pattern->name));
	else
		(void)crypto_generichash_blake2b(handshake->hash, NOISE_HASH_BYTES,
						 (const uint8_t *)pattern->name,
						 strlen(pattern->name), NULL, 0);
	memcpy(handshake->chaining_key, handshake->hash, NOISE_HASH_BYTES);
	mix_hash(handshake, setup->prologue, setup->prologue_bytes);
	initiator = setup->initiator ? handshake->public_key : handshake->remote_static;
	responder = setup->initiator ? handshake->remote_static : handshake->public_key;
	if (pattern->initiator_known)
		mix_hash(handshake, initiator, NOISE_KEY_BYTES);
	if (pattern->responder_known)
		mix_hash(handshake, responder, NOISE_KEY_BYTES);
}

void noise_begin(struct noise_handshake *handshake, const struct noise_setup *setup)
{
	noise_begin_with(handshake, setup, &noise_ikpsk2, NULL);
}

/* An all-zero result means a public key of small order: the peer would choose our secret. */
static int mix_dh(struct noise_handshake *handshake, const uint8_t *secret,
		  const uint8_t *public_key)
{
	uint8_t shared[NOISE_KEY_BYTES];
	int error = crypto_scalarmult_curve25519(shared, secret, public_key);

	if (error == 0 && !sodium_is_zero(shared, sizeof(shared)))
		mix_key(handshake, shared);
	else
		error = -EBADMSG;
	sodium_memzero(shared, sizeof(shared));
	return error;
}

/* The tokens that are the same for writer and reader.  The first letter of a token is the
 * initiator's key. */
static int mix_token(struct noise_handshake *h, uint8_t token)
{
	bool static_ours =
	    token == NOISE_TOKEN_SS || token == (h->initiator ? NOISE_TOKEN_SE : NOISE_TOKEN_ES);
	bool static_theirs =
	    token == NOISE_TOKEN_SS || token == (h->initiator ? NOISE_TOKEN_ES : NOISE_TOKEN_SE);

	if (token == NOISE_TOKEN_PSK) {
		mix_key_and_hash(h, h->psk);
		return 0;
	}
	if (static_theirs ? !h->has_remote_static : !h->has_remote_ephemeral)
		return -EPROTO;
	return mix_dh(h, static_ours ? h->secret : h->ephemeral_secret,
		      static_theirs ? h->remote_static : h->remote_ephemeral);
}

static void mix_ephemeral(struct noise_handshake *handshake, const uint8_t *key)
{
	mix_hash(handshake, key, NOISE_KEY_BYTES);
	if (handshake->pattern->has_psk)
		mix_key(handshake, key);
}

static int fail(struct noise_handshake *handshake, int error)
{
	if (error != 0)
		handshake->failed = true;
	return error;
}

static bool may_run(const struct noise_handshake *handshake, bool write)
{
	bool initiators_turn = handshake->step % 2 == 0;

	return !handshake->failed && handshake->step < handshake->pattern->message_count &&
	       (initiators_turn == handshake->initiator) == write;
}

static int write_ephemeral(struct noise_handshake *handshake, uint8_t out[NOISE_KEY_BYTES])
{
	if (!handshake->has_ephemeral) {
		randombytes_buf(handshake->ephemeral_secret, NOISE_KEY_BYTES);
		handshake->has_ephemeral = true;
	}
	if (crypto_scalarmult_curve25519_base(handshake->ephemeral_public,
					      handshake->ephemeral_secret) != 0)
		return -EBADMSG;
	memcpy(out, handshake->ephemeral_public, NOISE_KEY_BYTES);
	mix_ephemeral(handshake, handshake->ephemeral_public);
	return 0;
}

static int write_tokens(struct noise_handshake *handshake, const uint8_t *payload,
			size_t payload_bytes, uint8_t *out, size_t capacity, size_t *length)
{
	const uint8_t *token = handshake->pattern->tokens[handshake->step];
	size_t at = 0, need;
	int error = 0;

	for (; *token != NOISE_TOKEN_END && error == 0; token++) {
		if (*token == NOISE_TOKEN_E) {
			if (capacity - at < NOISE_KEY_BYTES)
				return -EMSGSIZE;
			error = write_ephemeral(handshake, out + at);
			at += NOISE_KEY_BYTES;
		} else if (*token == NOISE_TOKEN_S) {
			need = NOISE_KEY_BYTES + tag_bytes(handshake);
			if (capacity - at < need)
				return -EMSGSIZE;
			error = encrypt_and_hash(handshake, handshake->public_key, NOISE_KEY_BYTES,
						 out + at);
			at += need;
		} else {
			error = mix_token(handshake, *token);
		}
	}
	if (error != 0)
		return error;
	need = tag_bytes(handshake);
	if (capacity - at < need || capacity - at - need < payload_bytes)
		return -EMSGSIZE;
	error = encrypt_and_hash(handshake, payload, payload_bytes, out + at);
	if (error == 0)
		*length = at + payload_bytes + need;
	return error;
}

int noise_write(struct noise_handshake *handshake, const uint8_t *payload, size_t payload_bytes,
		uint8_t *out, size_t capacity, size_t *length)
{
	int error;

	if (!may_run(handshake, true))
		return fail(handshake, -EPROTO);
	error = write_tokens(handshake, payload, payload_bytes, out, capacity, length);
	handshake->step++;
	return fail(handshake, error);
}

static int read_tokens(struct noise_handshake *handshake, const uint8_t *in, size_t length,
		       uint8_t *payload, size_t capacity, size_t *payload_bytes)
{
	const uint8_t *token = handshake->pattern->tokens[handshake->step];
	size_t need;
	int error = 0;

	for (; *token != NOISE_TOKEN_END && error == 0; token++) {
		if (*token == NOISE_TOKEN_E) {
			if (length < NOISE_KEY_BYTES)
				return -EBADMSG;
			memcpy(handshake->remote_ephemeral, in, NOISE_KEY_BYTES);
			handshake->has_remote_ephemeral = true;
			mix_ephemeral(handshake, in);
			need = NOISE_KEY_BYTES;
		} else if (*token == NOISE_TOKEN_S) {
			need = NOISE_KEY_BYTES + tag_bytes(handshake);
			if (length < need)
				return -EBADMSG;
			error = decrypt_and_hash(handshake, in, need, handshake->remote_static);
			handshake->has_remote_static = error == 0;
		} else {
			need = 0;
			error = mix_token(handshake, *token);
		}
		in += need;
		length -= need;
	}
	if (error != 0)
		return error;
	need = tag_bytes(handshake);
	if (length < need)
		return -EBADMSG;
	if (length - need > capacity)
		return -EMSGSIZE;
	error = decrypt_and_hash(handshake, in, length, payload);
	if (error == 0)
		*payload_bytes = length - need;
	return error;
}

int noise_read(struct noise_handshake *handshake, const uint8_t *in, size_t length,
	       uint8_t *payload, size_t capacity, size_t *payload_bytes)
{
	int error;

	if (!may_run(handshake, false))
		return fail(handshake, -EPROTO);
	error = read_tokens(handshake, in, length, payload, capacity, payload_bytes);
	handshake->step++;
	return fail(handshake, error);
}

bool noise_is_complete(const struct noise_handshake *handshake)
{
	return !handshake->failed && handshake->step == handshake->pattern->message_count;
}

int noise_split(const struct noise_handshake *handshake, struct noise_cipher *send,
		struct noise_cipher *receive)
{
	uint8_t first[NOISE_HASH_BYTES], second[NOISE_HASH_BYTES];

	if (!noise_is_complete(handshake))
		return -EPROTO;
	hkdf(handshake->chaining_key, NULL, 0, first, second, NULL);
	cipher_key(send, handshake->initiator ? first : second);
	cipher_key(receive, handshake->initiator ? second : first);
	sodium_memzero(first, sizeof(first));
	sodium_memzero(second, sizeof(second));
	return 0;
}
