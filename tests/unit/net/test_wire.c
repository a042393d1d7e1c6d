/* test_wire.c - the whole protocol without sockets: two wires and whoever stands between them. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "net/wire.h"

/* What one end has said and the other has not heard yet. */
struct pipe {
	uint8_t bytes[6u << 20];
	size_t length;
	int error; /* what the next output answers */
};

static struct session_identity initiator, responder;
static struct pipe from_initiator, from_responder;
static struct wire *a, *b; /* initiator, responder */
static struct message got;
static size_t messages;

static int on_output(void *context, const uint8_t *bytes, size_t length)
{
	struct pipe *pipe = context;

	if (pipe->error != 0)
		return pipe->error;
	ck_assert_uint_le(length, sizeof(pipe->bytes) - pipe->length);
	memcpy(pipe->bytes + pipe->length, bytes, length);
	pipe->length += length;
	return 0;
}

static void identity_make(struct session_identity *identity, const char *name)
{
	memset(identity, 0, sizeof(*identity));
	strcpy(identity->cluster, "web");
	strcpy(identity->name, name);
	crypto_box_keypair(identity->public_key, identity->secret);
	memset(identity->psk, 0x77, sizeof(identity->psk));
}

static struct wire_setup setup_of(bool is_initiator)
{
	return (struct wire_setup){.initiator = is_initiator,
				   .identity = is_initiator ? &initiator : &responder,
				   .peer_key = is_initiator ? responder.public_key : NULL,
				   .version_min = 1,
				   .version_max = 1,
				   .output = on_output,
				   .context = is_initiator ? &from_initiator : &from_responder};
}

static void open_wires(const struct wire_setup *first, const struct wire_setup *second)
{
	ck_assert_int_eq(wire_new(first, &a), 0);
	ck_assert_int_eq(wire_new(second, &b), 0);
}

static void open_default(void)
{
	struct wire_setup first = setup_of(true), second = setup_of(false);

	open_wires(&first, &second);
}

static void setup(void)
{
	ck_assert_int_ge(sodium_init(), 0);
	identity_make(&initiator, "web01");
	identity_make(&responder, "web02");
	from_initiator.length = from_responder.length = 0;
	from_initiator.error = from_responder.error = 0;
	a = b = NULL;
	messages = 0;
}

static void teardown(void)
{
	wire_free(a);
	wire_free(b);
}

/* Gives a wire bytes until it has used them up, is broken, or (stop_at_message) has a message. */
static enum wire_event give(struct wire *wire, const uint8_t *bytes, size_t length,
			    bool stop_at_message)
{
	enum wire_event event = WIRE_MORE, last = WIRE_MORE;
	size_t used;

	while (length > 0 && event != WIRE_BROKEN) {
		event = wire_receive(wire, bytes, length, &used, &got);
		ck_assert_uint_le(used, length);
		bytes += used;
		length -= used;
		if (event != WIRE_MORE)
			last = event;
		if (event == WIRE_MESSAGE) {
			ck_assert(wire_is_ready(wire));
			messages++;
			if (stop_at_message)
				break;
		}
	}
	return last;
}

static enum wire_event pass(struct wire *to, struct pipe *pipe)
{
	size_t length = pipe->length;

	pipe->length = 0;
	return give(to, pipe->bytes, length, false);
}

static void make_ready(void)
{
	ck_assert_int_eq(wire_start(a), 0);
	ck_assert_int_eq(pass(b, &from_initiator), WIRE_MORE);
	ck_assert_int_eq(pass(a, &from_responder), WIRE_MORE);
	ck_assert_int_eq(pass(b, &from_initiator), WIRE_READY);
	ck_assert_int_eq(pass(a, &from_responder), WIRE_READY);
	ck_assert(wire_is_ready(a) && wire_is_ready(b));
}

static void expect_broken(const struct wire *wire, enum wire_fault fault, const char *part)
{
	ck_assert_msg(wire_fault(wire) == fault, "fault %d: %s", wire_fault(wire),
		      wire_reason(wire));
	ck_assert_msg(strstr(wire_reason(wire), part) != NULL, "\"%s\" not in \"%s\"", part,
		      wire_reason(wire));
	ck_assert(!wire_is_ready(wire));
}

static const struct message request = {.type = MESSAGE_STATUS_GET,
				       .status_get = {.request = 5, .scope = STATUS_CLUSTER}};

START_TEST(two_wires_become_ready_and_talk_both_ways)
{
	open_default();
	make_ready();
	ck_assert_str_eq(wire_peer_name(a), "web02");
	ck_assert_str_eq(wire_peer_name(b), "web01");
	ck_assert_mem_eq(wire_peer_key(a), responder.public_key, 32);
	ck_assert_mem_eq(wire_peer_key(b), initiator.public_key, 32);
	ck_assert_uint_eq(wire_version(a), 1);
	ck_assert_uint_eq(wire_version(b), 1);
	for (uint64_t i = 0; i < 100; i++) {
		struct message message = request;

		message.status_get.request = i;
		ck_assert_int_eq(wire_send(a, &message), 0);
		ck_assert_uint_eq(from_initiator.length, wire_size(a, &message));
		ck_assert_int_eq(pass(b, &from_initiator), WIRE_MESSAGE);
		ck_assert_uint_eq(got.type, MESSAGE_STATUS_GET);
		ck_assert_uint_eq(got.status_get.request, i);
		ck_assert_int_eq(wire_send(b, &message), 0);
		ck_assert_int_eq(pass(a, &from_responder), WIRE_MESSAGE);
		ck_assert_uint_eq(got.status_get.request, i);
	}
}
END_TEST

START_TEST(plain_wires_skip_only_the_noise)
{
	struct wire_setup first = setup_of(true), second = setup_of(false);
	static const uint8_t zero[32];

	first.plain = second.plain = true;
	first.peer_key = NULL;
	open_wires(&first, &second);
	ck_assert_int_eq(wire_send(a, &request), -EPIPE);
	ck_assert_int_eq(wire_start(a), 0);
	ck_assert_int_eq(pass(b, &from_initiator), WIRE_READY);
	ck_assert_int_eq(pass(a, &from_responder), WIRE_READY);
	ck_assert_mem_eq(wire_peer_key(b), zero, 32);
	ck_assert_str_eq(wire_peer_name(b), "web01");
	ck_assert_int_eq(wire_send(a, &request), 0);
	ck_assert_uint_eq(from_initiator.length, wire_size(a, &request));
	ck_assert_uint_eq(from_initiator.length, 2 + 10);
	ck_assert_int_eq(pass(b, &from_initiator), WIRE_MESSAGE);
}
END_TEST

START_TEST(bytes_may_come_one_at_a_time)
{
	open_default();
	ck_assert_int_eq(wire_start(a), 0);
	for (int turn = 0; turn < 4; turn++) {
		struct pipe *pipe = turn % 2 == 0 ? &from_initiator : &from_responder;
		size_t length = pipe->length;

		pipe->length = 0;
		for (size_t i = 0; i < length; i++)
			ck_assert_int_ne(give(turn % 2 == 0 ? b : a, pipe->bytes + i, 1, false),
					 WIRE_BROKEN);
	}
	ck_assert(wire_is_ready(a) && wire_is_ready(b));
}
END_TEST

/* The handshake, bent. */

START_TEST(every_changed_byte_of_the_first_message_is_refused)
{
	open_default();
	ck_assert_int_eq(wire_start(a), 0);
	ck_assert_uint_eq(from_initiator.length, 2 + WIRE_FIRST_BYTES);
	from_initiator.bytes[_i] ^= 1;
	ck_assert_int_eq(pass(b, &from_initiator), WIRE_BROKEN);
	ck_assert_uint_eq(from_responder.length, 0);
	expect_broken(b, _i < 2 ? WIRE_FAULT_HANDSHAKE : WIRE_FAULT_MAC, _i < 2 ? "frame" : "mac1");
}
END_TEST

START_TEST(every_changed_byte_of_the_response_is_refused)
{
	open_default();
	ck_assert_int_eq(wire_start(a), 0);
	ck_assert_int_eq(pass(b, &from_initiator), WIRE_MORE);
	ck_assert_uint_eq(from_responder.length, 2 + NOISE_SECOND_BYTES);
	from_responder.bytes[_i] ^= 0x80;
	ck_assert_int_eq(pass(a, &from_responder), WIRE_BROKEN);
	ck_assert_uint_eq(from_initiator.length, 0);
	expect_broken(a, WIRE_FAULT_HANDSHAKE, "");
}
END_TEST

START_TEST(every_changed_byte_of_hello_is_refused)
{
	open_default();
	ck_assert_int_eq(wire_start(a), 0);
	ck_assert_int_eq(pass(b, &from_initiator), WIRE_MORE);
	ck_assert_int_eq(pass(a, &from_responder), WIRE_MORE);
	from_initiator.bytes[2 + _i] ^= 4;
	ck_assert_int_eq(pass(b, &from_initiator), WIRE_BROKEN);
	ck_assert_uint_eq(from_responder.length, 0);
	expect_broken(b, WIRE_FAULT_HANDSHAKE, "authenticate");
}
END_TEST

START_TEST(a_truncated_handshake_says_and_does_nothing)
{
	open_default();
	ck_assert_int_eq(wire_start(a), 0);
	ck_assert_int_eq(give(b, from_initiator.bytes, from_initiator.length - 1, false),
			 WIRE_MORE);
	ck_assert_uint_eq(from_responder.length, 0);
	ck_assert_int_eq(wire_send(b, &request), -EPIPE);
}
END_TEST

/* A whole recorded session, given to the responder again: it answers the first message with a new
 * ephemeral key, and the old records do not open. */
START_TEST(a_replayed_handshake_gains_nothing)
{
	static uint8_t first[256], rest[1024];
	struct wire_setup second = setup_of(false);
	size_t first_bytes, rest_bytes;

	open_default();
	ck_assert_int_eq(wire_start(a), 0);
	first_bytes = from_initiator.length;
	memcpy(first, from_initiator.bytes, first_bytes);
	ck_assert_int_eq(pass(b, &from_initiator), WIRE_MORE);
	ck_assert_int_eq(pass(a, &from_responder), WIRE_MORE);
	rest_bytes = from_initiator.length;
	memcpy(rest, from_initiator.bytes, rest_bytes);
	ck_assert_int_eq(pass(b, &from_initiator), WIRE_READY);
	wire_free(b);
	ck_assert_int_eq(wire_new(&second, &b), 0);
	ck_assert_int_eq(give(b, first, first_bytes, false), WIRE_MORE);
	ck_assert(!wire_is_ready(b));
	ck_assert_int_eq(wire_send(b, &request), -EPIPE);
	ck_assert_int_eq(give(b, rest, rest_bytes, false), WIRE_BROKEN);
	expect_broken(b, WIRE_FAULT_HANDSHAKE, "authenticate");
}
END_TEST

START_TEST(another_psk_is_refused_by_mac1)
{
	responder.psk[31] ^= 1;
	open_default();
	ck_assert_int_eq(wire_start(a), 0);
	ck_assert_int_eq(pass(b, &from_initiator), WIRE_BROKEN);
	expect_broken(b, WIRE_FAULT_MAC, "pre-shared key");
	ck_assert_uint_eq(from_responder.length, 0);
}
END_TEST

START_TEST(another_hosts_key_is_refused_by_mac1)
{
	open_default();
	ck_assert_int_eq(wire_start(a), 0);
	crypto_box_keypair(responder.public_key, responder.secret);
	ck_assert_int_eq(pass(b, &from_initiator), WIRE_BROKEN);
	expect_broken(b, WIRE_FAULT_MAC, "another host's key");
}
END_TEST

/* Knowing the public key but not the secret behind it: mac1 fits, the handshake does not. */
START_TEST(a_responder_without_the_secret_gets_nowhere)
{
	uint8_t ignored[32];

	crypto_box_keypair(ignored, responder.secret);
	open_default();
	ck_assert_int_eq(wire_start(a), 0);
	ck_assert_int_eq(pass(b, &from_initiator), WIRE_BROKEN);
	expect_broken(b, WIRE_FAULT_HANDSHAKE, "does not authenticate");
}
END_TEST

START_TEST(a_previous_psk_is_accepted_from_the_peer)
{
	memset(responder.previous_psk, 0x77, 32);
	memset(responder.psk, 0x11, 32);
	responder.has_previous_psk = true;
	open_default();
	make_ready();
	ck_assert_int_eq(wire_send(a, &request), 0);
	ck_assert_int_eq(pass(b, &from_initiator), WIRE_MESSAGE);
}
END_TEST

START_TEST(a_previous_psk_may_be_used_to_dial)
{
	struct wire_setup first, second = setup_of(false);

	memset(initiator.previous_psk, 0x77, 32);
	memset(initiator.psk, 0x11, 32);
	initiator.has_previous_psk = true;
	first = setup_of(true);
	first.use_previous_psk = true;
	open_wires(&first, &second);
	make_ready();
}
END_TEST

START_TEST(an_unused_previous_psk_opens_no_door)
{
	memset(responder.previous_psk, 0x77, 32);
	memset(responder.psk, 0x11, 32);
	open_default();
	ck_assert_int_eq(wire_start(a), 0);
	ck_assert_int_eq(pass(b, &from_initiator), WIRE_BROKEN);
	expect_broken(b, WIRE_FAULT_MAC, "mac1");
}
END_TEST

START_TEST(another_cluster_is_refused)
{
	strcpy(responder.cluster, "wea");
	open_default();
	ck_assert_int_eq(wire_start(a), 0);
	ck_assert_int_eq(pass(b, &from_initiator), WIRE_BROKEN);
	expect_broken(b, WIRE_FAULT_HANDSHAKE, "another cluster than wea");
}
END_TEST

/* A public key of small order would be refused by the curve operation: that mac1 refuses it first
 * shows the order. */
START_TEST(mac1_is_checked_before_any_curve_operation)
{
	uint8_t mac_key[32], key[32];
	crypto_generichash_blake2b_state state;
	uint8_t *message = from_initiator.bytes + 2;

	open_default();
	ck_assert_int_eq(wire_start(a), 0);
	memset(message, 0, 32);
	ck_assert_int_eq(pass(b, &from_initiator), WIRE_BROKEN);
	expect_broken(b, WIRE_FAULT_MAC, "mac1");

	/* The same with a mac1 that fits, made here from docs/protocol.md. */
	teardown();
	open_default();
	ck_assert_int_eq(wire_start(a), 0);
	memset(message, 0, 32);
	memset(key, 0x77, sizeof(key));
	crypto_generichash_blake2b_init(&state, key, sizeof(key), sizeof(mac_key));
	crypto_generichash_blake2b_update(&state, (const uint8_t *)"mcroster mac1", 13);
	crypto_generichash_blake2b_update(&state, responder.public_key, 32);
	crypto_generichash_blake2b_final(&state, mac_key, sizeof(mac_key));
	crypto_generichash_blake2b(message + 96, 16, message, 96, mac_key, sizeof(mac_key));
	ck_assert_int_eq(pass(b, &from_initiator), WIRE_BROKEN);
	expect_broken(b, WIRE_FAULT_HANDSHAKE, "authenticate");
}
END_TEST

START_TEST(a_peer_key_of_small_order_cannot_be_dialled)
{
	memset(responder.public_key, 0, 32);
	open_default();
	ck_assert_int_eq(wire_start(a), -EBADMSG);
	expect_broken(a, WIRE_FAULT_HANDSHAKE, "X25519");
	ck_assert_uint_eq(from_initiator.length, 0);
}
END_TEST

START_TEST(nothing_is_delivered_before_the_handshake_is_done)
{
	uint8_t record[2 + MESSAGE_BYTES_MAX];
	size_t length = message_encode(&request, PROTOCOL_VERSION, record + 2);

	record[0] = (uint8_t)length;
	record[1] = 0;
	open_default();
	ck_assert_int_eq(wire_send(a, &request), -EPIPE);
	ck_assert_int_eq(wire_send(b, &request), -EPIPE);
	ck_assert_int_eq(give(b, record, length + 2, false), WIRE_BROKEN);
	ck_assert_uint_eq(messages, 0);
}
END_TEST

/* A genuine peer, but its first record is no HELLO: seen on a plain wire, where we can write it. */
START_TEST(a_message_before_hello_is_refused)
{
	struct wire_setup first = setup_of(true), second = setup_of(false);
	uint8_t record[2 + MESSAGE_BYTES_MAX];
	size_t length = message_encode(&request, PROTOCOL_VERSION, record + 2);

	first.plain = second.plain = true;
	open_wires(&first, &second);
	record[0] = (uint8_t)length;
	record[1] = 0;
	ck_assert_int_eq(give(b, record, length + 2, false), WIRE_BROKEN);
	ck_assert_uint_eq(messages, 0);
	expect_broken(b, WIRE_FAULT_HANDSHAKE, "HELLO");
	ck_assert_uint_eq(from_responder.length, 0);
}
END_TEST

/* Versions. */

static void open_versions(uint16_t a_min, uint16_t a_max, uint16_t b_min, uint16_t b_max)
{
	struct wire_setup first = setup_of(true), second = setup_of(false);

	first.version_min = a_min;
	first.version_max = a_max;
	second.version_min = b_min;
	second.version_max = b_max;
	open_wires(&first, &second);
}

static const struct {
	uint16_t a_min, a_max, b_min, b_max, agreed;
} versions[] = {
    {1, 1, 1, 1, 1}, {1, 2, 1, 1, 1}, {1, 1, 1, 2, 1},
    {1, 2, 2, 3, 2}, {3, 9, 2, 5, 5}, {1, 65535, 7, 7, 7},
};

START_TEST(the_greatest_common_version_is_agreed_on)
{
	open_versions(versions[_i].a_min, versions[_i].a_max, versions[_i].b_min,
		      versions[_i].b_max);
	make_ready();
	ck_assert_uint_eq(wire_version(a), versions[_i].agreed);
	ck_assert_uint_eq(wire_version(b), versions[_i].agreed);
}
END_TEST

START_TEST(no_common_version_names_both_ranges_on_both_sides)
{
	open_versions(3, 4, 1, 2);
	ck_assert_int_eq(wire_start(a), 0);
	ck_assert_int_eq(pass(b, &from_initiator), WIRE_MORE);
	ck_assert_int_eq(pass(a, &from_responder), WIRE_MORE);
	ck_assert_int_eq(pass(b, &from_initiator), WIRE_BROKEN);
	expect_broken(b, WIRE_FAULT_HANDSHAKE, "web01 speaks 3 to 4, we speak 1 to 2");
	ck_assert_int_eq(pass(a, &from_responder), WIRE_BROKEN);
	expect_broken(a, WIRE_FAULT_HANDSHAKE, "web02 speaks 1 to 2, we speak 3 to 4");
}
END_TEST

START_TEST(a_longer_hello_of_a_later_version_is_understood)
{
	struct wire_setup first = setup_of(true), second = setup_of(false);
	struct message hello = {.type = MESSAGE_HELLO,
				.hello = {.version_min = 1, .version_max = 2, .name = "later"}};
	uint8_t record[2 + MESSAGE_BYTES_MAX] = {0};
	size_t length = message_encode(&hello, PROTOCOL_VERSION, record + 2) + 20;

	first.plain = second.plain = true;
	open_wires(&first, &second);
	memset(record + 2 + MESSAGE_HELLO_BYTES, 0xff, 20);
	record[0] = (uint8_t)length;
	ck_assert_int_eq(give(b, record, length + 2, false), WIRE_READY);
	ck_assert_str_eq(wire_peer_name(b), "later");
	ck_assert_uint_eq(wire_version(b), 1);
}
END_TEST

/* Frames and records after the handshake. */

/* Seals nothing: plain wires, so that hostile records can be written by hand. */
static void open_plain_ready(void)
{
	struct wire_setup first = setup_of(true), second = setup_of(false);

	first.plain = second.plain = true;
	open_wires(&first, &second);
	ck_assert_int_eq(wire_start(a), 0);
	ck_assert_int_eq(pass(b, &from_initiator), WIRE_READY);
	ck_assert_int_eq(pass(a, &from_responder), WIRE_READY);
}

static enum wire_event give_record(const uint8_t *record, size_t length)
{
	uint8_t head[2] = {(uint8_t)length, (uint8_t)(length >> 8)};
	enum wire_event event = give(b, head, sizeof(head), false);

	return event == WIRE_BROKEN ? event : give(b, record, length, false);
}

START_TEST(a_changed_or_replayed_frame_ends_the_session)
{
	static uint8_t copy[256];
	size_t length;

	open_default();
	make_ready();
	ck_assert_int_eq(wire_send(a, &request), 0);
	length = from_initiator.length;
	memcpy(copy, from_initiator.bytes, length);
	if (_i == 0) {
		ck_assert_int_eq(pass(b, &from_initiator), WIRE_MESSAGE);
	} else {
		copy[2 + _i - 1] ^= 1;
	}
	ck_assert_int_eq(give(b, copy, length, false), WIRE_BROKEN);
	ck_assert_uint_eq(messages, _i == 0 ? 1 : 0);
	expect_broken(b, WIRE_FAULT_PROTOCOL, "authenticate");
	ck_assert_int_eq(wire_send(b, &request), -EPIPE);
	/* Broken is broken: what comes later is not looked at. */
	ck_assert_int_eq(give(b, copy, length, false), WIRE_BROKEN);
}
END_TEST

START_TEST(reflected_frames_do_not_open)
{
	open_default();
	make_ready();
	ck_assert_int_eq(wire_send(a, &request), 0);
	ck_assert_int_eq(pass(a, &from_initiator), WIRE_BROKEN);
	ck_assert_uint_eq(messages, 0);
}
END_TEST

START_TEST(frames_of_impossible_sizes_are_refused_at_their_head)
{
	static const uint8_t head[][2] = {{0, 0}, {1, 0}, {15, 0}, {16, 0}};

	open_default();
	make_ready();
	ck_assert_int_eq(give(b, head[_i], 2, false), WIRE_BROKEN);
	expect_broken(b, WIRE_FAULT_PROTOCOL, "frame");
}
END_TEST

START_TEST(an_oversize_first_frame_is_refused_at_its_head)
{
	static const uint8_t heads[][2] = {{0xff, 0xff}, {113, 0}, {111, 0}, {0, 0}, {112, 1}};

	open_default();
	ck_assert_int_eq(give(b, heads[_i], 2, false), WIRE_BROKEN);
	expect_broken(b, WIRE_FAULT_HANDSHAKE, "frame");
}
END_TEST

START_TEST(garbage_in_a_largest_frame_is_refused)
{
	static uint8_t garbage[2 + WIRE_FRAME_MAX];

	open_default();
	make_ready();
	randombytes_buf(garbage, sizeof(garbage));
	garbage[0] = garbage[1] = 0xff;
	ck_assert_int_eq(give(b, garbage, sizeof(garbage), false), WIRE_BROKEN);
	expect_broken(b, WIRE_FAULT_PROTOCOL, "65535 bytes does not authenticate");
}
END_TEST

START_TEST(records_out_of_bounds_are_refused)
{
	uint8_t unknown[] = {99, 1, 2}, zero[] = {0}, bad_scope[10] = {MESSAGE_STATUS_GET};
	uint8_t hello[MESSAGE_BYTES_MAX];
	struct message again = {.type = MESSAGE_HELLO,
				.hello = {.version_min = 1, .version_max = 1}};
	size_t hello_bytes = message_encode(&again, PROTOCOL_VERSION, hello);

	bad_scope[9] = 7;
	open_plain_ready();
	switch (_i) {
	case 0:
		ck_assert_int_eq(give_record(unknown, sizeof(unknown)), WIRE_BROKEN);
		expect_broken(b, WIRE_FAULT_PROTOCOL, "type 99");
		break;
	case 1:
		ck_assert_int_eq(give_record(zero, sizeof(zero)), WIRE_BROKEN);
		break;
	case 2:
		ck_assert_int_eq(give_record(bad_scope, sizeof(bad_scope)), WIRE_BROKEN);
		expect_broken(b, WIRE_FAULT_PROTOCOL, "STATUS_GET");
		break;
	case 3:
		ck_assert_int_eq(give_record(hello, hello_bytes), WIRE_BROKEN);
		expect_broken(b, WIRE_FAULT_PROTOCOL, "second HELLO");
		break;
	}
	ck_assert_uint_eq(messages, 0);
}
END_TEST

/* Bodies. */

static uint8_t *random_body(size_t length)
{
	uint8_t *body = malloc(length + 1);

	ck_assert_ptr_nonnull(body);
	randombytes_buf(body, length);
	return body;
}

static const size_t body_sizes[] = {0,
				    1,
				    WIRE_CHUNK_BYTES - 1,
				    WIRE_CHUNK_BYTES,
				    WIRE_CHUNK_BYTES + 1,
				    2 * WIRE_CHUNK_BYTES,
				    MESSAGE_BODY_MAX - 1,
				    MESSAGE_BODY_MAX};

START_TEST(bodies_cross_whole_in_both_directions)
{
	size_t length = body_sizes[_i];
	uint8_t *body = random_body(length);
	struct message message = {
	    .type = MESSAGE_LIST, .request = 77, .body = body, .body_bytes = length};

	open_default();
	make_ready();
	for (int direction = 0; direction < 2; direction++) {
		struct wire *from = direction == 0 ? a : b, *to = direction == 0 ? b : a;
		struct pipe *pipe = direction == 0 ? &from_initiator : &from_responder;

		message.type = direction == 0 ? MESSAGE_OFFER : MESSAGE_LIST;
		ck_assert_int_eq(wire_send(from, &message), 0);
		ck_assert_int_eq(wire_send(from, &request), 0);
		ck_assert_uint_eq(pipe->length,
				  wire_size(from, &message) + wire_size(from, &request));
		ck_assert_int_eq(give(to, pipe->bytes, pipe->length, true), WIRE_MESSAGE);
		ck_assert_uint_eq(got.type, message.type);
		ck_assert_uint_eq(got.request, 77);
		ck_assert_uint_eq(got.body_bytes, length);
		ck_assert_mem_eq(got.body, body, length);
		/* The message after it ends the borrowed body's life, and is itself whole. */
		ck_assert_int_eq(give(to, pipe->bytes + wire_size(from, &message),
				      wire_size(from, &request), true),
				 WIRE_MESSAGE);
		ck_assert_uint_eq(got.type, MESSAGE_STATUS_GET);
		ck_assert_ptr_null(got.body);
		pipe->length = 0;
	}
	free(body);
}
END_TEST

START_TEST(a_body_over_the_limit_is_not_sent)
{
	struct message message = {.type = MESSAGE_OFFER, .body_bytes = MESSAGE_BODY_MAX + 1};

	open_default();
	make_ready();
	message.body = random_body(message.body_bytes);
	ck_assert_int_eq(wire_send(a, &message), -EMSGSIZE);
	ck_assert_uint_eq(from_initiator.length, 0);
	ck_assert(wire_is_ready(a));
	free((void *)(uintptr_t)message.body);
}
END_TEST

static size_t chunk_make(uint8_t *record, uint8_t type, uint64_t of, uint32_t total,
			 uint32_t offset, size_t part)
{
	size_t at = 0;

	record[at++] = type;
	for (unsigned i = 0; i < 8; i++)
		record[at++] = (uint8_t)(of >> (8 * i));
	for (unsigned i = 0; i < 4; i++)
		record[at++] = (uint8_t)(total >> (8 * i));
	for (unsigned i = 0; i < 4; i++)
		record[at++] = (uint8_t)(offset >> (8 * i));
	memset(record + at, 0x42, part);
	return at + part;
}

/* After a good first chunk of 100 of 300 bytes, request 1, of an OFFER. */
static const struct {
	uint8_t type;
	uint64_t of;
	uint32_t total, offset;
	size_t part;
} bad_chunks[] = {
    {MESSAGE_OFFER, 1, 300, 0, 100},   /* again */
    {MESSAGE_OFFER, 1, 300, 99, 100},  /* overlaps */
    {MESSAGE_OFFER, 1, 300, 101, 100}, /* leaves a hole */
    {MESSAGE_OFFER, 1, 300, 100, 201}, /* goes past the end */
    {MESSAGE_OFFER, 1, 300, 100, 0},   /* makes no progress */
    {MESSAGE_OFFER, 1, 301, 100, 100}, /* another total */
    {MESSAGE_OFFER, 2, 300, 100, 100}, /* another request */
    {MESSAGE_LIST, 1, 300, 100, 100},  /* another type */
    {MESSAGE_OFFER, 1, 300, UINT32_MAX, 100}, {MESSAGE_OFFER, 1, UINT32_MAX, 100, 100},
};

START_TEST(chunks_that_do_not_follow_are_refused)
{
	uint8_t record[512];

	open_plain_ready();
	ck_assert_int_eq(give_record(record, chunk_make(record, MESSAGE_OFFER, 1, 300, 0, 100)),
			 WIRE_MORE);
	ck_assert_int_eq(
	    give_record(record, chunk_make(record, bad_chunks[_i].type, bad_chunks[_i].of,
					   bad_chunks[_i].total, bad_chunks[_i].offset,
					   bad_chunks[_i].part)),
	    WIRE_BROKEN);
	expect_broken(b, WIRE_FAULT_PROTOCOL, "");
	ck_assert_uint_eq(messages, 0);
}
END_TEST

START_TEST(a_message_inside_a_body_is_refused)
{
	uint8_t record[MESSAGE_BYTES_MAX];

	open_plain_ready();
	ck_assert_int_eq(give_record(record, chunk_make(record, MESSAGE_OFFER, 1, 300, 0, 100)),
			 WIRE_MORE);
	ck_assert_int_eq(give_record(record, message_encode(&request, PROTOCOL_VERSION, record)),
			 WIRE_BROKEN);
	expect_broken(b, WIRE_FAULT_PROTOCOL, "STATUS_GET inside the body of OFFER");
}
END_TEST

START_TEST(bad_first_chunks_are_refused)
{
	uint8_t record[512];
	size_t length = 0;

	open_plain_ready();
	switch (_i) {
	case 0:
		length = chunk_make(record, MESSAGE_LIST, 1, MESSAGE_BODY_MAX + 1, 0, 100);
		break;
	case 1:
		length = chunk_make(record, MESSAGE_LIST, 1, 300, 1, 100);
		break;
	case 2:
		length = chunk_make(record, MESSAGE_LIST, 1, 0, 0, 1);
		break;
	case 3:
		length = chunk_make(record, MESSAGE_LIST, 1, 300, 0, 0);
		break;
	case 4:
		length = chunk_make(record, MESSAGE_LIST, 1, 0, 0, 0) - 1;
		break;
	case 5:
		length = 9;
		break;
	case 6:
		length = 1;
		record[0] = MESSAGE_STATUS;
		break;
	}
	ck_assert_int_eq(give_record(record, length), WIRE_BROKEN);
	ck_assert_uint_eq(messages, 0);
}
END_TEST

START_TEST(a_failing_output_breaks_the_wire_and_says_so)
{
	open_default();
	make_ready();
	from_initiator.error = -ENOMEM;
	ck_assert_int_eq(wire_send(a, &request), -ENOMEM);
	expect_broken(a, WIRE_FAULT_LOCAL, "queue");
	ck_assert_int_eq(wire_send(a, &request), -EPIPE);
}
END_TEST

START_TEST(an_initiator_needs_its_peers_key)
{
	struct wire_setup first = setup_of(true);

	first.peer_key = NULL;
	ck_assert_int_eq(wire_new(&first, &a), -EINVAL);
	ck_assert_ptr_null(a);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

int main(void)
{
	Suite *suite = suite_create("wire");
	TCase *tcase = tcase_create("wire");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, two_wires_become_ready_and_talk_both_ways);
	tcase_add_test(tcase, plain_wires_skip_only_the_noise);
	tcase_add_test(tcase, bytes_may_come_one_at_a_time);
	tcase_add_loop_test(tcase, every_changed_byte_of_the_first_message_is_refused, 0,
			    2 + (int)WIRE_FIRST_BYTES);
	tcase_add_loop_test(tcase, every_changed_byte_of_the_response_is_refused, 0,
			    2 + (int)NOISE_SECOND_BYTES);
	tcase_add_loop_test(tcase, every_changed_byte_of_hello_is_refused, 0,
			    (int)(MESSAGE_HELLO_BYTES + NOISE_TAG_BYTES));
	tcase_add_test(tcase, a_truncated_handshake_says_and_does_nothing);
	tcase_add_test(tcase, a_replayed_handshake_gains_nothing);
	tcase_add_test(tcase, another_psk_is_refused_by_mac1);
	tcase_add_test(tcase, another_hosts_key_is_refused_by_mac1);
	tcase_add_test(tcase, a_responder_without_the_secret_gets_nowhere);
	tcase_add_test(tcase, a_previous_psk_is_accepted_from_the_peer);
	tcase_add_test(tcase, a_previous_psk_may_be_used_to_dial);
	tcase_add_test(tcase, an_unused_previous_psk_opens_no_door);
	tcase_add_test(tcase, another_cluster_is_refused);
	tcase_add_test(tcase, mac1_is_checked_before_any_curve_operation);
	tcase_add_test(tcase, a_peer_key_of_small_order_cannot_be_dialled);
	tcase_add_test(tcase, nothing_is_delivered_before_the_handshake_is_done);
	tcase_add_test(tcase, a_message_before_hello_is_refused);
	tcase_add_loop_test(tcase, the_greatest_common_version_is_agreed_on, 0, COUNT(versions));
	tcase_add_test(tcase, no_common_version_names_both_ranges_on_both_sides);
	tcase_add_test(tcase, a_longer_hello_of_a_later_version_is_understood);
	tcase_add_loop_test(tcase, a_changed_or_replayed_frame_ends_the_session, 0,
			    1 + 10 + (int)NOISE_TAG_BYTES);
	tcase_add_test(tcase, reflected_frames_do_not_open);
	tcase_add_loop_test(tcase, frames_of_impossible_sizes_are_refused_at_their_head, 0, 4);
	tcase_add_loop_test(tcase, an_oversize_first_frame_is_refused_at_its_head, 0, 5);
	tcase_add_test(tcase, garbage_in_a_largest_frame_is_refused);
	tcase_add_loop_test(tcase, records_out_of_bounds_are_refused, 0, 4);
	tcase_add_loop_test(tcase, bodies_cross_whole_in_both_directions, 0, COUNT(body_sizes));
	tcase_add_test(tcase, a_body_over_the_limit_is_not_sent);
	tcase_add_loop_test(tcase, chunks_that_do_not_follow_are_refused, 0, COUNT(bad_chunks));
	tcase_add_test(tcase, a_message_inside_a_body_is_refused);
	tcase_add_loop_test(tcase, bad_first_chunks_are_refused, 0, 7);
	tcase_add_test(tcase, a_failing_output_breaks_the_wire_and_says_so);
	tcase_add_test(tcase, an_initiator_needs_its_peers_key);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
