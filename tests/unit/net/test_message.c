/* test_message.c - every message there and back, and every field that is out of its range. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/message.h"

/* Filled member by member: the test compares whole structs, padding included. */
static void sample_register(struct reg *reg)
{
	reg->term = 3;
	reg->serial = 17;
	reg->epoch = 41;
	reg->next_epoch = 42;
	reg->highest_epoch = 43;
	reg->phase = PHASE_DRAIN;
	reg->copied = true;
	strcpy(reg->coordinator, "web01");
	strcpy(reg->reason, "why not");
	reg->aborting = true;
	reg->keys_version = 5;
	memset(reg->keys, 0xdd, sizeof(reg->keys));
	reg->given_up[0] = 1;
	reg->excused[255] = 0x80;
	memset(reg->active, 0xaa, sizeof(reg->active));
	memset(reg->pending, 0xbb, sizeof(reg->pending));
}

static void sample_renew(struct renew *renew)
{
	renew->sequence = 1;
	renew->incarnation = UINT64_MAX;
	renew->term = 3;
	renew->serial = 16;
	sample_register(&renew->known);
	renew->successor = true;
	renew->ready = true;
	renew->vote = 4;
	renew->generation = 99;
	strcpy(renew->release, "1.2.3");
	for (unsigned i = 0; i < CLIENT_STANDINGS; i++)
		renew->clients[i] = 0x30 + i;
	renew->work.phase = PHASE_COPY;
	renew->work.state = WORK_REFUSED;
	renew->work.found = 0x11;
	renew->work.moved = 0x12;
	renew->work.present = 0x13;
	renew->work.gone = 0x14;
	renew->work.failed = 0x15;
	renew->work.expired = 0x18;
	renew->work.cold = 0x19;
	renew->work.left = 0x16;
	renew->work.rate = 0x17;
	strcpy(renew->work.reason, "12 items are foreign");
	memset(renew->work.pending, 0xcc, LIST_HASH_BYTES);
	renew->moved.found = 0x21;
	renew->moved.moved = 0x22;
	renew->moved.present = 0x23;
	renew->moved.gone = 0x24;
	renew->moved.failed = 0x25;
	renew->moved.expired = 0x26;
	renew->moved.cold = 0x27;
}

/* One of each type, every field set; the size is what docs/protocol.md says. */
static size_t sample(uint8_t type, struct message *message)
{
	memset(message, 0, sizeof(*message));
	message->type = type;
	switch (type) {
	case MESSAGE_HELLO:
		message->hello.version_min = 1;
		message->hello.version_max = 0x0203;
		strcpy(message->hello.name, "web02");
		return MESSAGE_HELLO_BYTES;
	case MESSAGE_RENEW:
		sample_renew(&message->renew);
		return 1486;
	case MESSAGE_GRANT:
		message->grant.sequence = 0x0807060504030201u;
		message->grant.lease_ms = 60000;
		sample_register(&message->grant.reg);
		return 994;
	case MESSAGE_REGISTER:
		sample_register(&message->reg);
		return 982;
	case MESSAGE_ELSEWHERE:
		strcpy(message->elsewhere.name, "web03");
		strcpy(message->elsewhere.address, "[fe80::1]:11280");
		return 177;
	case MESSAGE_LIST_GET:
		message->list_get.request = 12;
		memset(message->list_get.hash, 0xdd, LIST_HASH_BYTES);
		return 41;
	case MESSAGE_VERDICT:
		message->verdict.request = 13;
		message->verdict.code = VERDICT_LATER;
		strcpy(message->verdict.text, "epoch 42 is under way: COPY, 61 %");
		return 522;
	case MESSAGE_STATUS_GET:
		message->status_get.request = 14;
		message->status_get.scope = STATUS_CLUSTER;
		return 10;
	case MESSAGE_PACE:
		message->pace.request = 16;
		message->pace.rate_keys = 17;
		message->pace.rate_bytes = 18;
		message->pace.adaptive = PACE_ADAPTIVE_UNCHANGED;
		return 26;
	default:
		message->request = 15;
		return 9;
	}
}

START_TEST(every_type_comes_back_as_it_was)
{
	uint8_t bytes[MESSAGE_BYTES_MAX], again[MESSAGE_BYTES_MAX];
	struct message message, got;
	size_t want = sample((uint8_t)_i, &message), length;

	length = message_encode(&message, PROTOCOL_VERSION, bytes);
	ck_assert_uint_eq(length, want);
	ck_assert_uint_eq(bytes[0], (uint8_t)_i);
	ck_assert_int_eq(message_decode(bytes, length, PROTOCOL_VERSION, &got), 0);
	/* Both were zeroed before they were filled, so padding is equal too. */
	ck_assert_mem_eq(&got, &message, sizeof(got));
	ck_assert_uint_eq(message_encode(&got, PROTOCOL_VERSION, again), length);
	ck_assert_mem_eq(again, bytes, length);
	ck_assert_str_ne(message_name((uint8_t)_i), "unknown");
}
END_TEST

/* Offsets from docs/protocol.md: a byte each that only the right field has there. */
static const struct {
	uint8_t type;
	size_t at;
	uint8_t value;
} places[] = {
    {MESSAGE_HELLO, 1, 1},
    {MESSAGE_HELLO, 3, 3},
    {MESSAGE_HELLO, 4, 2},
    {MESSAGE_HELLO, 5, 'w'},
    {MESSAGE_RENEW, 1, 1},
    {MESSAGE_RENEW, 16, 0xff},
    {MESSAGE_RENEW, 17, 3},
    {MESSAGE_RENEW, 25, 16},
    {MESSAGE_RENEW, 33, 99},
    {MESSAGE_RENEW, 41, 0xcc},
    {MESSAGE_RENEW, 73, PHASE_COPY},
    {MESSAGE_RENEW, 74, WORK_REFUSED},
    {MESSAGE_RENEW, 75, 0x11},
    {MESSAGE_RENEW, 83, 0x12},
    {MESSAGE_RENEW, 91, 0x13},
    {MESSAGE_RENEW, 99, 0x18},
    {MESSAGE_RENEW, 107, 0x14},
    {MESSAGE_RENEW, 115, 0x15},
    {MESSAGE_RENEW, 123, 0x19},
    {MESSAGE_RENEW, 131, 0x16},
    {MESSAGE_RENEW, 139, 0x17},
    {MESSAGE_RENEW, 403, 0x21},
    {MESSAGE_RENEW, 411, 0x22},
    {MESSAGE_RENEW, 419, 0x23},
    {MESSAGE_RENEW, 427, 0x26},
    {MESSAGE_RENEW, 435, 0x24},
    {MESSAGE_RENEW, 443, 0x25},
    {MESSAGE_RENEW, 451, 0x27},
    {MESSAGE_RENEW, 459, 1},
    {MESSAGE_RENEW, 460, 1},
    {MESSAGE_RENEW, 461, 4},
    {MESSAGE_RENEW, 469, 0x30},
    {MESSAGE_RENEW, 485, 0x34},
    {MESSAGE_RENEW, 489, 3},
    {MESSAGE_RENEW, 147, '1'},
    {MESSAGE_RENEW, 1470, '1'},
    {MESSAGE_GRANT, 1, 1},
    {MESSAGE_GRANT, 8, 8},
    {MESSAGE_GRANT, 9, 0x60},
    {MESSAGE_GRANT, 10, 0xea},
    {MESSAGE_GRANT, 13, 3},
    {MESSAGE_REGISTER, 1, 3},
    {MESSAGE_REGISTER, 9, 17},
    {MESSAGE_ELSEWHERE, 1, 'w'},
    {MESSAGE_ELSEWHERE, 65, '['},
    {MESSAGE_LIST_GET, 1, 12},
    {MESSAGE_LIST_GET, 9, 0xdd},
    {MESSAGE_LIST, 1, 15},
    {MESSAGE_OFFER, 1, 15},
    {MESSAGE_VERDICT, 1, 13},
    {MESSAGE_VERDICT, 9, VERDICT_LATER},
    {MESSAGE_VERDICT, 10, 'e'},
    {MESSAGE_STATUS_GET, 1, 14},
    {MESSAGE_STATUS_GET, 9, STATUS_CLUSTER},
    {MESSAGE_STATUS, 1, 15},
    {MESSAGE_PACE, 1, 16},
    {MESSAGE_PACE, 9, 17},
    {MESSAGE_PACE, 17, 18},
    {MESSAGE_PACE, 25, PACE_ADAPTIVE_UNCHANGED},
};

START_TEST(fields_are_where_the_table_says)
{
	uint8_t bytes[MESSAGE_BYTES_MAX];
	struct message message;

	sample(places[_i].type, &message);
	message_encode(&message, PROTOCOL_VERSION, bytes);
	ck_assert_uint_eq(bytes[places[_i].at], places[_i].value);
}
END_TEST

START_TEST(every_other_length_is_refused)
{
	uint8_t bytes[MESSAGE_BYTES_MAX] = {0};
	struct message message, got;
	size_t length;

	sample((uint8_t)_i, &message);
	length = message_encode(&message, PROTOCOL_VERSION, bytes);
	for (size_t cut = 0; cut < length; cut++)
		ck_assert_int_eq(message_decode(bytes, cut, PROTOCOL_VERSION, &got), -EBADMSG);
	ck_assert_int_eq(message_decode(bytes, length + 1, PROTOCOL_VERSION, &got), -EBADMSG);
}
END_TEST

START_TEST(unknown_types_are_refused)
{
	uint8_t bytes[MESSAGE_BYTES_MAX] = {0};
	struct message got;

	for (unsigned type = 0; type < 256; type++) {
		if (type >= MESSAGE_HELLO && type <= MESSAGE_PACE)
			continue;
		bytes[0] = (uint8_t)type;
		for (size_t length = 0; length < 600; length++)
			ck_assert_int_eq(message_decode(bytes, length, PROTOCOL_VERSION, &got),
					 -EBADMSG);
		ck_assert_str_eq(message_name((uint8_t)type), "unknown");
		ck_assert(!message_has_body((uint8_t)type));
	}
}
END_TEST

/* Offsets from docs/protocol.md: one byte each that makes a field wrong. */
static const struct {
	uint8_t type;
	size_t at;
	uint8_t value;
} wrong[] = {
    {MESSAGE_HELLO, 1, 0},    /* version_min 0 */
    {MESSAGE_HELLO, 2, 0x10}, /* version_min above version_max */
    {MESSAGE_HELLO, 5, ' '},  /* name */
    {MESSAGE_HELLO, 5, '\n'},
    {MESSAGE_HELLO, 68, 'x'},			/* name: not padded with NULs */
    {MESSAGE_RENEW, 41 + 32, PHASE_COUNT},	/* work.phase */
    {MESSAGE_RENEW, 41 + 33, WORK_REFUSED + 1}, /* work.state */
    {MESSAGE_RENEW, 41 + 34 + 72, '\033'},	/* work.reason */
    {MESSAGE_RENEW, 402, 'x'},
    {MESSAGE_GRANT, 13 + 40, PHASE_COUNT}, /* reg.phase */
    {MESSAGE_GRANT, 13 + 41, 2},	   /* reg.long_leases */
    {MESSAGE_GRANT, 439, 'x'},
    {MESSAGE_REGISTER, 1 + 42, 2},	 /* reg.copied */
    {MESSAGE_REGISTER, 1 + 107, 0x80},	 /* reg.coordinator */
    {MESSAGE_ELSEWHERE, 1, 0x7f},	 /* name */
    {MESSAGE_ELSEWHERE, 65, 'h'},	 /* address: no number */
    {MESSAGE_ELSEWHERE, 65 + 11, 'x'},	 /* address: port */
    {MESSAGE_VERDICT, 9, VERDICT_COUNT}, /* code */
    {MESSAGE_VERDICT, 10, '\r'},	 /* text */
    {MESSAGE_VERDICT, 521, 'x'},
    {MESSAGE_STATUS_GET, 9, STATUS_CLUSTER + 1}, /* scope */
    {MESSAGE_PACE, 25, PACE_ADAPTIVE_UNCHANGED + 1},
};

START_TEST(fields_out_of_range_are_refused)
{
	uint8_t bytes[MESSAGE_BYTES_MAX];
	struct message message, got;
	size_t length;

	sample(wrong[_i].type, &message);
	length = message_encode(&message, PROTOCOL_VERSION, bytes);
	ck_assert_uint_lt(wrong[_i].at, length);
	bytes[wrong[_i].at] = wrong[_i].value;
	ck_assert_int_eq(message_decode(bytes, length, PROTOCOL_VERSION, &got), -EBADMSG);
}
END_TEST

/* Where a string fills its field to the last byte there is no end to it. */
static const struct {
	uint8_t type;
	size_t at, width;
} strings[] = {
    {MESSAGE_HELLO, 5, 64},	   {MESSAGE_RENEW, 147, 256},	   {MESSAGE_RENEW, 1470, 16},
    {MESSAGE_GRANT, 13 + 107, 64}, {MESSAGE_GRANT, 13 + 171, 256}, {MESSAGE_ELSEWHERE, 1, 64},
    {MESSAGE_ELSEWHERE, 65, 112},  {MESSAGE_VERDICT, 10, 512},
};

START_TEST(strings_without_an_end_are_refused)
{
	uint8_t bytes[MESSAGE_BYTES_MAX];
	struct message message, got;
	size_t length;

	sample(strings[_i].type, &message);
	length = message_encode(&message, PROTOCOL_VERSION, bytes);
	memset(bytes + strings[_i].at, 'x', strings[_i].width);
	ck_assert_int_eq(message_decode(bytes, length, PROTOCOL_VERSION, &got), -EBADMSG);
}
END_TEST

/* All that is there stays where it is. */
START_TEST(an_older_version_is_the_beginning_of_a_later_one)
{
	uint8_t older[MESSAGE_BYTES_MAX], newer[MESSAGE_BYTES_MAX];
	struct message message, got;
	size_t older_bytes, newer_bytes;

	(void)sample((uint8_t)_i, &message);
	for (uint16_t version = PROTOCOL_VERSION_MIN; version < PROTOCOL_VERSION; version++) {
		older_bytes = message_encode(&message, version, older);
		newer_bytes = message_encode(&message, (uint16_t)(version + 1), newer);
		ck_assert_uint_le(older_bytes, newer_bytes);
		ck_assert_mem_eq(older, newer, older_bytes);
		ck_assert_int_eq(message_decode(older, older_bytes, version, &got), 0);
		if (older_bytes < newer_bytes) {
			ck_assert_int_eq(message_decode(newer, newer_bytes, version, &got),
					 -EBADMSG);
			ck_assert_int_eq(
			    message_decode(older, older_bytes, (uint16_t)(version + 1), &got),
			    -EBADMSG);
		}
	}
}
END_TEST

START_TEST(version_1_has_no_release)
{
	uint8_t bytes[MESSAGE_BYTES_MAX];
	struct message message, got;

	(void)sample(MESSAGE_RENEW, &message);
	ck_assert_uint_eq(message_encode(&message, 1, bytes), 1470);
	ck_assert_int_eq(message_decode(bytes, 1470, 1, &got), 0);
	ck_assert_str_eq(got.renew.release, "");
	ck_assert_uint_eq(got.renew.clients[4], message.renew.clients[4]);
}
END_TEST

/* What a program says carelessly still arrives, and cannot reach a terminal as a command. */
START_TEST(any_text_can_be_encoded)
{
	uint8_t bytes[MESSAGE_BYTES_MAX];
	struct message message = {.type = MESSAGE_VERDICT}, got;
	size_t length;

	memset(message.verdict.text, 'x', sizeof(message.verdict.text));
	memcpy(message.verdict.text, "\033[2J\n\xc3\xa4", 7);
	length = message_encode(&message, PROTOCOL_VERSION, bytes);
	ck_assert_int_eq(message_decode(bytes, length, PROTOCOL_VERSION, &got), 0);
	ck_assert_int_eq(memcmp(got.verdict.text, "?[2J?\xc3\xa4xx", 9), 0);
	ck_assert_uint_eq(strlen(got.verdict.text), MESSAGE_TEXT_BYTES - 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("message");
	TCase *tcase = tcase_create("message");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, every_type_comes_back_as_it_was, MESSAGE_HELLO,
			    MESSAGE_PACE + 1);
	tcase_add_loop_test(tcase, fields_are_where_the_table_says, 0,
			    (int)(sizeof(places) / sizeof(places[0])));
	tcase_add_loop_test(tcase, every_other_length_is_refused, MESSAGE_HELLO, MESSAGE_PACE + 1);
	tcase_add_test(tcase, unknown_types_are_refused);
	tcase_add_loop_test(tcase, fields_out_of_range_are_refused, 0,
			    (int)(sizeof(wrong) / sizeof(wrong[0])));
	tcase_add_loop_test(tcase, strings_without_an_end_are_refused, 0,
			    (int)(sizeof(strings) / sizeof(strings[0])));
	tcase_add_loop_test(tcase, an_older_version_is_the_beginning_of_a_later_one, MESSAGE_HELLO,
			    MESSAGE_PACE + 1);
	tcase_add_test(tcase, version_1_has_no_release);
	tcase_add_test(tcase, any_text_can_be_encoded);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
