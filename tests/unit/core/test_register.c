/* test_register.c - the register's order and its one encoding. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/register.h"

enum { /* offsets, as docs/protocol.md gives them */
       AT_PHASE = 40,
       AT_LONG_LEASES = 41,
       AT_COPIED = 42,
       AT_ACTIVE = 43,
       AT_PENDING = 75,
       AT_COORDINATOR = 107,
       AT_REASON = 171,
};

static struct reg sample(void)
{
	struct reg reg = {.term = 0x0102030405060708u,
			  .serial = 7,
			  .epoch = 41,
			  .next_epoch = 42,
			  .highest_epoch = 43,
			  .phase = PHASE_CLEAN,
			  .long_leases = true,
			  .coordinator = "web01",
			  .reason = "cache04: 12 items are foreign"};

	memset(reg.active, 0xa5, sizeof(reg.active));
	memset(reg.pending, 0x5a, sizeof(reg.pending));
	return reg;
}

START_TEST(term_orders_before_serial)
{
	struct reg a = {.term = 1, .serial = 9}, b = {.term = 2, .serial = 1};

	ck_assert_int_lt(register_compare(&a, &b), 0);
	ck_assert_int_gt(register_compare(&b, &a), 0);
	b.term = 1;
	ck_assert_int_gt(register_compare(&a, &b), 0);
	b.serial = 9;
	b.phase = PHASE_COPY;
	ck_assert_int_eq(register_compare(&a, &b), 0);
}
END_TEST

START_TEST(encoding_is_little_endian_at_fixed_offsets)
{
	struct reg reg = sample();
	uint8_t bytes[REGISTER_BYTES];

	memset(bytes, 0xee, sizeof(bytes));
	register_encode(&reg, bytes);
	ck_assert_uint_eq(REGISTER_BYTES, 981);
	ck_assert_uint_eq(bytes[0], 0x08);
	ck_assert_uint_eq(bytes[7], 0x01);
	ck_assert_uint_eq(bytes[8], 7);
	ck_assert_uint_eq(bytes[16], 41);
	ck_assert_uint_eq(bytes[24], 42);
	ck_assert_uint_eq(bytes[32], 43);
	ck_assert_uint_eq(bytes[AT_PHASE], 11);
	ck_assert_uint_eq(bytes[AT_LONG_LEASES], 1);
	ck_assert_uint_eq(bytes[AT_COPIED], 0);
	ck_assert_uint_eq(bytes[AT_ACTIVE], 0xa5);
	ck_assert_uint_eq(bytes[AT_PENDING], 0x5a);
	ck_assert_str_eq((char *)bytes + AT_COORDINATOR, "web01");
	ck_assert_str_eq((char *)bytes + AT_REASON, "cache04: 12 items are foreign");
	ck_assert_uint_eq(bytes[REGISTER_BYTES - 1], 0);
}
END_TEST

START_TEST(what_is_encoded_decodes_to_the_same)
{
	struct reg reg = sample(), got;
	uint8_t bytes[REGISTER_BYTES], again[REGISTER_BYTES];

	register_encode(&reg, bytes);
	ck_assert_int_eq(register_decode(bytes, &got), 0);
	ck_assert_uint_eq(got.term, reg.term);
	ck_assert_uint_eq(got.serial, reg.serial);
	ck_assert_uint_eq(got.epoch, reg.epoch);
	ck_assert_uint_eq(got.next_epoch, reg.next_epoch);
	ck_assert_uint_eq(got.highest_epoch, reg.highest_epoch);
	ck_assert_uint_eq(got.phase, reg.phase);
	ck_assert(got.long_leases);
	ck_assert(!got.copied);
	ck_assert_mem_eq(got.active, reg.active, sizeof(reg.active));
	ck_assert_mem_eq(got.pending, reg.pending, sizeof(reg.pending));
	ck_assert_str_eq(got.coordinator, reg.coordinator);
	ck_assert_str_eq(got.reason, reg.reason);
	register_encode(&got, again);
	ck_assert_mem_eq(bytes, again, sizeof(bytes));
}
END_TEST

/* A reason is written by many hands; none of them may make a register that nobody can read. */
START_TEST(any_reason_can_be_stored)
{
	struct reg reg = sample(), got;
	uint8_t bytes[REGISTER_BYTES];

	memset(reg.reason, 'x', sizeof(reg.reason));
	reg.reason[0] = '\n';
	reg.reason[1] = '\033';
	memset(reg.coordinator, 'y', sizeof(reg.coordinator));
	register_encode(&reg, bytes);
	ck_assert_int_eq(register_decode(bytes, &got), 0);
	ck_assert_uint_eq(strlen(got.reason), sizeof(got.reason) - 1);
	ck_assert_int_eq(memcmp(got.reason, "??xx", 4), 0);
	ck_assert_uint_eq(strlen(got.coordinator), sizeof(got.coordinator) - 1);
}
END_TEST

static const struct {
	size_t at;
	uint8_t value;
} bad_bytes[] = {
    {AT_PHASE, PHASE_COUNT},
    {AT_PHASE, 255},
    {AT_LONG_LEASES, 2},
    {AT_COPIED, 255},
    {AT_COORDINATOR, ' '},
    {AT_COORDINATOR + 1, 0x80},
    {AT_COORDINATOR + 40, 'x'}, /* after the end of the string */
    {AT_REASON + 2, '\033'},
    {AT_REASON + 2, 0x7f},
    {AT_REASON + 200, 1},
    {AT_REASON + 255, 'x'},
    {427, 2},
    {428, 2}, /* aborting, handed over */
};

START_TEST(fields_out_of_bounds_are_refused_and_nothing_is_touched)
{
	struct reg reg = sample(), got = {.term = 99};
	uint8_t bytes[REGISTER_BYTES];

	register_encode(&reg, bytes);
	bytes[bad_bytes[_i].at] = bad_bytes[_i].value;
	ck_assert_int_eq(register_decode(bytes, &got), -EBADMSG);
	ck_assert_uint_eq(got.term, 99);
}
END_TEST

START_TEST(strings_without_an_end_are_refused)
{
	struct reg reg = sample(), got;
	uint8_t bytes[REGISTER_BYTES];

	register_encode(&reg, bytes);
	memset(bytes + AT_COORDINATOR, 'x', 64);
	ck_assert_int_eq(register_decode(bytes, &got), -EBADMSG);
	register_encode(&reg, bytes);
	memset(bytes + AT_REASON, 'x', REGISTER_REASON_BYTES);
	ck_assert_int_eq(register_decode(bytes, &got), -EBADMSG);
}
END_TEST

START_TEST(phases_know_their_names_and_their_work)
{
	static const struct {
		const char *name;
		bool gaining, losing;
	} want[PHASE_COUNT] = {
	    {"STEADY", false, false}, {"PREPARE", true, true},	{"COPY", false, true},
	    {"SWITCH", false, false}, {"SETTLE", false, false}, {"DRAIN", false, true},
	    {"GIVEUP", false, false}, {"AFTER", false, false},	{"PURGE", false, true},
	    {"UNWIND", false, false}, {"BACK", false, false},	{"CLEAN", true, false},
	};

	for (unsigned phase = 0; phase < PHASE_COUNT; phase++) {
		ck_assert_str_eq(phase_name((enum phase)phase), want[phase].name);
		ck_assert_int_eq(phase_works_gaining((enum phase)phase, false),
				 want[phase].gaining);
		ck_assert_int_eq(phase_works_gaining((enum phase)phase, true),
				 want[phase].gaining || phase == PHASE_SWITCH ||
				     phase == PHASE_SETTLE);
		ck_assert_int_eq(phase_works_losing((enum phase)phase), want[phase].losing);
	}
	ck_assert_str_eq(phase_name(PHASE_COUNT), "unknown");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("register");
	TCase *tcase = tcase_create("register");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, term_orders_before_serial);
	tcase_add_test(tcase, encoding_is_little_endian_at_fixed_offsets);
	tcase_add_test(tcase, what_is_encoded_decodes_to_the_same);
	tcase_add_test(tcase, any_reason_can_be_stored);
	tcase_add_loop_test(tcase, fields_out_of_bounds_are_refused_and_nothing_is_touched, 0,
			    (int)(sizeof(bad_bytes) / sizeof(bad_bytes[0])));
	tcase_add_test(tcase, strings_without_an_end_are_refused);
	tcase_add_test(tcase, phases_know_their_names_and_their_work);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
