/* test_noise.c - the handshake against its published vectors, and against whoever bends it. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "net/noise_internal.h"
#include "noise_vectors.h"

#define TOKEN(t) NOISE_TOKEN_##t

static const struct noise_pattern other_patterns[] = {
    {
	.name = "Noise_IK_25519_ChaChaPoly_BLAKE2b",
	.responder_known = true,
	.message_count = 2,
	.tokens = {{TOKEN(E), TOKEN(ES), TOKEN(S), TOKEN(SS)}, {TOKEN(E), TOKEN(EE), TOKEN(SE)}},
    },
    {
	.name = "Noise_KK_25519_ChaChaPoly_BLAKE2b",
	.initiator_known = true,
	.responder_known = true,
	.message_count = 2,
	.tokens = {{TOKEN(E), TOKEN(ES), TOKEN(SS)}, {TOKEN(E), TOKEN(EE), TOKEN(SE)}},
    },
    {
	.name = "Noise_KKpsk0_25519_ChaChaPoly_BLAKE2b",
	.initiator_known = true,
	.responder_known = true,
	.has_psk = true,
	.message_count = 2,
	.tokens = {{TOKEN(PSK), TOKEN(E), TOKEN(ES), TOKEN(SS)}, {TOKEN(E), TOKEN(EE), TOKEN(SE)}},
    },
    {
	.name = "Noise_KKpsk2_25519_ChaChaPoly_BLAKE2b",
	.initiator_known = true,
	.responder_known = true,
	.has_psk = true,
	.message_count = 2,
	.tokens = {{TOKEN(E), TOKEN(ES), TOKEN(SS)}, {TOKEN(E), TOKEN(EE), TOKEN(SE), TOKEN(PSK)}},
    },
    {
	.name = "Noise_XX_25519_ChaChaPoly_BLAKE2b",
	.message_count = 3,
	.tokens = {{TOKEN(E)}, {TOKEN(E), TOKEN(EE), TOKEN(S), TOKEN(ES)}, {TOKEN(S), TOKEN(SE)}},
    },
};

static size_t unhex(const char *text, uint8_t *bytes, size_t capacity)
{
	size_t length = 0;

	ck_assert_int_eq(sodium_hex2bin(bytes, capacity, text, strlen(text), NULL, &length, NULL),
			 0);
	ck_assert_uint_eq(length, strlen(text) / 2);
	return length;
}

/* One side of a vector. */
static void begin_side(struct noise_handshake *handshake, bool initiator,
		       const struct noise_pattern *pattern, const char *prologue, const char *psk,
		       const char *secret, const char *ephemeral, const char *remote)
{
	uint8_t prologue_bytes[64], psk_bytes[32], secret_bytes[32], ephemeral_bytes[32];
	uint8_t public_bytes[32], remote_bytes[32];
	struct noise_setup setup = {.initiator = initiator,
				    .prologue = prologue_bytes,
				    .secret = secret_bytes,
				    .public_key = public_bytes};

	setup.prologue_bytes = unhex(prologue, prologue_bytes, sizeof(prologue_bytes));
	unhex(secret, secret_bytes, sizeof(secret_bytes));
	unhex(ephemeral, ephemeral_bytes, sizeof(ephemeral_bytes));
	ck_assert_int_eq(crypto_scalarmult_curve25519_base(public_bytes, secret_bytes), 0);
	if (psk != NULL) {
		unhex(psk, psk_bytes, sizeof(psk_bytes));
		setup.psk = psk_bytes;
	}
	if (remote != NULL) {
		unhex(remote, remote_bytes, sizeof(remote_bytes));
		setup.remote_static = remote_bytes;
	}
	noise_begin_with(handshake, &setup, pattern, ephemeral_bytes);
}

START_TEST(published_vectors_come_out_byte_for_byte)
{
	const struct noise_vector *vector = &noise_vectors[_i];
	const struct noise_pattern *pattern = NULL;
	struct noise_handshake side[2];
	struct noise_cipher send[2], receive[2];
	uint8_t hash[NOISE_HASH_BYTES];

	if (strcmp(noise_ikpsk2.name, vector->protocol_name) == 0)
		pattern = &noise_ikpsk2;
	for (size_t i = 0; i < sizeof(other_patterns) / sizeof(other_patterns[0]); i++)
		if (strcmp(other_patterns[i].name, vector->protocol_name) == 0)
			pattern = &other_patterns[i];
	ck_assert_ptr_nonnull(pattern);
	begin_side(&side[0], true, pattern, vector->init_prologue, vector->init_psk,
		   vector->init_static, vector->init_ephemeral, vector->init_remote_static);
	begin_side(&side[1], false, pattern, vector->resp_prologue, vector->resp_psk,
		   vector->resp_static, vector->resp_ephemeral, vector->resp_remote_static);
	for (size_t m = 0; m < 6; m++) {
		size_t from = m % 2, payload_bytes, want_bytes, length = 0;
		uint8_t payload[64], want[256], out[256], back[256];

		payload_bytes = unhex(vector->messages[m].payload, payload, sizeof(payload));
		want_bytes = unhex(vector->messages[m].ciphertext, want, sizeof(want));
		if (m < pattern->message_count) {
			ck_assert_int_eq(noise_write(&side[from], payload, payload_bytes, out,
						     sizeof(out), &length),
					 0);
			ck_assert_uint_eq(length, want_bytes);
			ck_assert_mem_eq(out, want, want_bytes);
			ck_assert_int_eq(
			    noise_read(&side[!from], out, length, back, sizeof(back), &length), 0);
			ck_assert_uint_eq(length, payload_bytes);
			ck_assert_mem_eq(back, payload, payload_bytes);
		}
		if (m + 1 == pattern->message_count) {
			unhex(vector->handshake_hash, hash, sizeof(hash));
			for (size_t i = 0; i < 2; i++) {
				ck_assert_mem_eq(side[i].hash, hash, sizeof(hash));
				ck_assert_int_eq(noise_split(&side[i], &send[i], &receive[i]), 0);
			}
		}
		if (m < pattern->message_count)
			continue;
		ck_assert_int_eq(
		    noise_cipher_seal(&send[from], NULL, 0, payload, payload_bytes, out), 0);
		ck_assert_uint_eq(payload_bytes + NOISE_TAG_BYTES, want_bytes);
		ck_assert_mem_eq(out, want, want_bytes);
		ck_assert_int_eq(noise_cipher_open(&receive[!from], NULL, 0, out, want_bytes, back),
				 0);
		ck_assert_mem_eq(back, payload, payload_bytes);
	}
}
END_TEST

/* A pair that speaks the product's pattern with fresh keys. */
struct pair {
	uint8_t secret[2][32], public_key[2][32], psk[32];
	struct noise_handshake initiator, responder;
};

static struct noise_setup pair_setup(const struct pair *pair, bool initiator)
{
	return (struct noise_setup){.initiator = initiator,
				    .prologue = "web",
				    .prologue_bytes = 3,
				    .secret = pair->secret[!initiator],
				    .public_key = pair->public_key[!initiator],
				    .remote_static = initiator ? pair->public_key[1] : NULL,
				    .psk = pair->psk};
}

static void pair_begin(struct pair *pair)
{
	struct noise_setup initiator, responder;

	for (size_t i = 0; i < 2; i++)
		crypto_box_keypair(pair->public_key[i], pair->secret[i]);
	randombytes_buf(pair->psk, sizeof(pair->psk));
	initiator = pair_setup(pair, true);
	responder = pair_setup(pair, false);
	noise_begin(&pair->initiator, &initiator);
	noise_begin(&pair->responder, &responder);
}

static int first(struct pair *pair, uint8_t message[NOISE_FIRST_BYTES])
{
	size_t length = 0;
	int error = noise_write(&pair->initiator, NULL, 0, message, NOISE_FIRST_BYTES, &length);

	ck_assert(error != 0 || length == NOISE_FIRST_BYTES);
	return error;
}

static int second(struct pair *pair, uint8_t message[NOISE_SECOND_BYTES])
{
	size_t length = 0;
	int error = noise_write(&pair->responder, NULL, 0, message, NOISE_SECOND_BYTES, &length);

	ck_assert(error != 0 || length == NOISE_SECOND_BYTES);
	return error;
}

static int take(struct noise_handshake *handshake, const uint8_t *message, size_t length)
{
	uint8_t payload[8];
	size_t payload_bytes;

	return noise_read(handshake, message, length, payload, sizeof(payload), &payload_bytes);
}

START_TEST(responder_learns_the_initiators_key)
{
	struct pair pair;
	uint8_t one[NOISE_FIRST_BYTES], two[NOISE_SECOND_BYTES];
	struct noise_cipher send[2], receive[2];

	pair_begin(&pair);
	ck_assert_int_eq(first(&pair, one), 0);
	ck_assert_int_eq(take(&pair.responder, one, sizeof(one)), 0);
	ck_assert_mem_eq(pair.responder.remote_static, pair.public_key[0], 32);
	ck_assert_int_eq(noise_split(&pair.responder, &send[1], &receive[1]), -EPROTO);
	ck_assert_int_eq(second(&pair, two), 0);
	ck_assert_int_eq(take(&pair.initiator, two, sizeof(two)), 0);
	ck_assert_int_eq(noise_split(&pair.initiator, &send[0], &receive[0]), 0);
	ck_assert_int_eq(noise_split(&pair.responder, &send[1], &receive[1]), 0);
	ck_assert_mem_eq(send[0].key, receive[1].key, 32);
	ck_assert_mem_eq(send[1].key, receive[0].key, 32);
	ck_assert_mem_ne(send[0].key, send[1].key, 32);
}
END_TEST

START_TEST(every_changed_byte_of_the_first_message_is_refused)
{
	struct pair pair;
	uint8_t one[NOISE_FIRST_BYTES], two[NOISE_SECOND_BYTES];

	pair_begin(&pair);
	ck_assert_int_eq(first(&pair, one), 0);
	one[_i] ^= 1;
	ck_assert_int_eq(take(&pair.responder, one, sizeof(one)), -EBADMSG);
	/* Failed once is failed for good: no second try, and no answer. */
	one[_i] ^= 1;
	ck_assert_int_eq(take(&pair.responder, one, sizeof(one)), -EPROTO);
	ck_assert_int_eq(second(&pair, two), -EPROTO);
}
END_TEST

START_TEST(every_changed_byte_of_the_second_message_is_refused)
{
	struct pair pair;
	uint8_t one[NOISE_FIRST_BYTES], two[NOISE_SECOND_BYTES];

	pair_begin(&pair);
	ck_assert_int_eq(first(&pair, one), 0);
	ck_assert_int_eq(take(&pair.responder, one, sizeof(one)), 0);
	ck_assert_int_eq(second(&pair, two), 0);
	two[_i] ^= 0x40;
	ck_assert_int_eq(take(&pair.initiator, two, sizeof(two)), -EBADMSG);
}
END_TEST

START_TEST(truncated_messages_are_refused_at_every_length)
{
	struct pair pair;
	uint8_t one[NOISE_FIRST_BYTES], two[NOISE_SECOND_BYTES];

	pair_begin(&pair);
	ck_assert_int_eq(first(&pair, one), 0);
	ck_assert_int_eq(take(&pair.responder, one, (size_t)_i), -EBADMSG);
	if (_i >= (int)sizeof(two))
		return;
	pair_begin(&pair);
	ck_assert_int_eq(first(&pair, one), 0);
	ck_assert_int_eq(take(&pair.responder, one, sizeof(one)), 0);
	ck_assert_int_eq(second(&pair, two), 0);
	ck_assert_int_eq(take(&pair.initiator, two, (size_t)_i), -EBADMSG);
}
END_TEST

START_TEST(another_psk_is_found_out_by_the_initiator)
{
	struct pair pair;
	uint8_t one[NOISE_FIRST_BYTES], two[NOISE_SECOND_BYTES];

	pair_begin(&pair);
	pair.responder.psk[0] ^= 1;
	ck_assert_int_eq(first(&pair, one), 0);
	ck_assert_int_eq(take(&pair.responder, one, sizeof(one)),
			 0); /* psk2: comes in the second */
	ck_assert_int_eq(second(&pair, two), 0);
	ck_assert_int_eq(take(&pair.initiator, two, sizeof(two)), -EBADMSG);
}
END_TEST

START_TEST(another_prologue_is_refused)
{
	struct pair pair;
	struct noise_setup setup;
	uint8_t one[NOISE_FIRST_BYTES];

	pair_begin(&pair);
	setup = pair_setup(&pair, false);
	setup.prologue = "wea";
	noise_begin(&pair.responder, &setup);
	ck_assert_int_eq(first(&pair, one), 0);
	ck_assert_int_eq(take(&pair.responder, one, sizeof(one)), -EBADMSG);
}
END_TEST

START_TEST(a_message_for_another_static_key_is_refused)
{
	struct pair pair, stranger;
	uint8_t one[NOISE_FIRST_BYTES];

	pair_begin(&pair);
	pair_begin(&stranger);
	ck_assert_int_eq(first(&pair, one), 0);
	ck_assert_int_eq(take(&stranger.responder, one, sizeof(one)), -EBADMSG);
}
END_TEST

/* Points of order 1, 2, 4 and 8, and their other spellings. */
static const char *const small_order[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

/* Whoever can make the shared secret zero could go on without any key.  Writing shows that it is
 * the Diffie-Hellman step itself that refuses: there is no tag there to fail. */
START_TEST(keys_of_small_order_are_refused)
{
	struct pair pair;
	struct noise_setup setup;
	uint8_t one[NOISE_FIRST_BYTES] = {0}, two[NOISE_SECOND_BYTES] = {0}, key[32];
	size_t length;

	unhex(small_order[_i], key, sizeof(key));
	pair_begin(&pair);
	setup = pair_setup(&pair, true);
	setup.remote_static = key;
	noise_begin(&pair.initiator, &setup);
	ck_assert_int_eq(noise_write(&pair.initiator, NULL, 0, one, sizeof(one), &length),
			 -EBADMSG);

	pair_begin(&pair);
	memcpy(one, key, sizeof(key));
	ck_assert_int_eq(take(&pair.responder, one, sizeof(one)), -EBADMSG);

	pair_begin(&pair);
	ck_assert_int_eq(first(&pair, one), 0);
	memcpy(two, key, sizeof(key));
	ck_assert_int_eq(take(&pair.initiator, two, sizeof(two)), -EBADMSG);
}
END_TEST

START_TEST(out_of_turn_is_refused)
{
	struct pair pair;
	uint8_t one[NOISE_FIRST_BYTES] = {0}, two[NOISE_SECOND_BYTES];

	pair_begin(&pair);
	ck_assert_int_eq(second(&pair, two), -EPROTO);
	ck_assert_int_eq(take(&pair.initiator, one, sizeof(one)), -EPROTO);
	pair_begin(&pair);
	ck_assert_int_eq(first(&pair, one), 0);
	ck_assert_int_eq(first(&pair, one), -EPROTO);
	pair_begin(&pair);
	ck_assert_int_eq(first(&pair, one), 0);
	ck_assert_int_eq(take(&pair.responder, one, sizeof(one)), 0);
	ck_assert_int_eq(take(&pair.responder, one, sizeof(one)), -EPROTO);
}
END_TEST

START_TEST(a_small_buffer_is_refused_not_overrun)
{
	uint8_t out[NOISE_FIRST_BYTES + 5 + 8], payload[8];
	size_t length = 777;
	struct pair pair;

	memset(out, 0xcc, sizeof(out));
	pair_begin(&pair);
	ck_assert_int_eq(
	    noise_write(&pair.initiator, (const uint8_t *)"hello", 5, out, (size_t)_i, &length),
	    -EMSGSIZE);
	ck_assert_uint_eq(length, 777);
	for (size_t i = (size_t)_i; i < sizeof(out); i++)
		ck_assert_uint_eq(out[i], 0xcc);
	pair_begin(&pair);
	ck_assert_int_eq(
	    noise_write(&pair.initiator, (const uint8_t *)"hello", 5, out, sizeof(out), &length),
	    0);
	ck_assert_int_eq(noise_read(&pair.responder, out, length, payload, 4, &length), -EMSGSIZE);
}
END_TEST

START_TEST(a_cipher_refuses_replay_reorder_and_change)
{
	struct noise_cipher send = {.keyed = true}, receive;
	uint8_t a[4 + NOISE_TAG_BYTES], b[4 + NOISE_TAG_BYTES], out[4];

	randombytes_buf(send.key, sizeof(send.key));
	receive = send;
	ck_assert_int_eq(noise_cipher_seal(&send, NULL, 0, (const uint8_t *)"aaaa", 4, a), 0);
	ck_assert_int_eq(noise_cipher_seal(&send, NULL, 0, (const uint8_t *)"bbbb", 4, b), 0);
	ck_assert_int_eq(noise_cipher_open(&receive, NULL, 0, b, sizeof(b), out), -EBADMSG);
	a[0] ^= 1;
	ck_assert_int_eq(noise_cipher_open(&receive, NULL, 0, a, sizeof(a), out), -EBADMSG);
	a[0] ^= 1;
	ck_assert_int_eq(noise_cipher_open(&receive, NULL, 0, a, sizeof(a) - 1, out), -EBADMSG);
	ck_assert_int_eq(noise_cipher_open(&receive, NULL, 0, a, 3, out), -EBADMSG);
	ck_assert_int_eq(noise_cipher_open(&receive, NULL, 0, a, sizeof(a), out), 0);
	ck_assert_int_eq(noise_cipher_open(&receive, NULL, 0, a, sizeof(a), out), -EBADMSG);
	ck_assert_int_eq(noise_cipher_open(&receive, NULL, 0, b, sizeof(b), out), 0);
	ck_assert_mem_eq(out, "bbbb", 4);
}
END_TEST

START_TEST(a_cipher_stops_before_its_counter_wraps)
{
	struct noise_cipher cipher = {.keyed = true, .counter = UINT64_MAX - 1};
	uint8_t out[NOISE_TAG_BYTES];

	ck_assert_int_eq(noise_cipher_seal(&cipher, NULL, 0, NULL, 0, out), 0);
	ck_assert_int_eq(noise_cipher_seal(&cipher, NULL, 0, NULL, 0, out), -EOVERFLOW);
	ck_assert_int_eq(noise_cipher_open(&cipher, NULL, 0, out, sizeof(out), out), -EOVERFLOW);
}
END_TEST

START_TEST(ephemeral_keys_are_fresh)
{
	struct pair pair, copy;
	uint8_t one[NOISE_FIRST_BYTES], other[NOISE_FIRST_BYTES];
	size_t length;

	pair_begin(&pair);
	copy = pair;
	ck_assert_int_eq(first(&pair, one), 0);
	ck_assert_int_eq(noise_write(&copy.initiator, NULL, 0, other, sizeof(other), &length), 0);
	ck_assert_mem_ne(one, other, NOISE_KEY_BYTES);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("noise");
	TCase *tcase = tcase_create("noise");
	SRunner *runner = srunner_create(suite);
	int failed;

	if (sodium_init() < 0)
		return EXIT_FAILURE;
	tcase_add_loop_test(tcase, published_vectors_come_out_byte_for_byte, 0,
			    (int)(sizeof(noise_vectors) / sizeof(noise_vectors[0])));
	tcase_add_test(tcase, responder_learns_the_initiators_key);
	tcase_add_loop_test(tcase, every_changed_byte_of_the_first_message_is_refused, 0,
			    (int)NOISE_FIRST_BYTES);
	tcase_add_loop_test(tcase, every_changed_byte_of_the_second_message_is_refused, 0,
			    (int)NOISE_SECOND_BYTES);
	tcase_add_loop_test(tcase, truncated_messages_are_refused_at_every_length, 0,
			    (int)NOISE_FIRST_BYTES);
	tcase_add_test(tcase, another_psk_is_found_out_by_the_initiator);
	tcase_add_test(tcase, another_prologue_is_refused);
	tcase_add_test(tcase, a_message_for_another_static_key_is_refused);
	tcase_add_loop_test(tcase, keys_of_small_order_are_refused, 0,
			    (int)(sizeof(small_order) / sizeof(small_order[0])));
	tcase_add_test(tcase, out_of_turn_is_refused);
	tcase_add_loop_test(tcase, a_small_buffer_is_refused_not_overrun, 0,
			    (int)NOISE_FIRST_BYTES + 5);
	tcase_add_test(tcase, a_cipher_refuses_replay_reorder_and_change);
	tcase_add_test(tcase, a_cipher_stops_before_its_counter_wraps);
	tcase_add_test(tcase, ephemeral_keys_are_fresh);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
