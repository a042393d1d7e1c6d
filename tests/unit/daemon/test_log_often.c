/* test_log_often.c - a line is written at once, and one that goes on ever more rarely. */
#include "daemon/log_often.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

static struct log_often often;
static uint32_t left_out;

static void set_up(void)
{
	memset(&often, 0, sizeof(often));
}

START_TEST(lines_of_their_own_are_all_written)
{
	char line[32];

	for (unsigned i = 0; i < 1000; i++) {
		snprintf(line, sizeof(line), "published: epoch %u", i);
		ck_assert(log_often_write(&often, line, 5000, &left_out));
		ck_assert_uint_eq(left_out, 0);
	}
}
END_TEST

START_TEST(no_line_is_written_twice_within_a_second)
{
	ck_assert(log_often_write(&often, "disk full", 5000, &left_out));
	ck_assert(!log_often_write(&often, "disk full", 5001, &left_out));
	ck_assert(!log_often_write(&often, "disk full", 5999, &left_out));
	ck_assert(log_often_write(&often, "disk full", 6000, &left_out));
	ck_assert_uint_eq(left_out, 2);
}
END_TEST

START_TEST(what_goes_on_for_an_hour_is_said_once_a_minute_in_the_end)
{
	unsigned written = 0, told = 0, in_last_ten_minutes = 0;

	for (uint64_t now_ms = 5000; now_ms < 5000 + 3600000; now_ms += 100)
		if (log_often_write(&often, "disk full", now_ms, &left_out)) {
			written++;
			told += left_out;
			in_last_ten_minutes += now_ms >= 5000 + 3000000;
		}
	ck_assert_uint_le(written, 6 + 60);
	ck_assert_uint_eq(in_last_ten_minutes, 10);
	ck_assert_uint_ge(written + told, 36000 - 600);
}
END_TEST

START_TEST(after_a_quiet_time_it_is_new_again)
{
	for (uint64_t now_ms = 5000; now_ms < 65000; now_ms += 100)
		(void)log_often_write(&often, "disk full", now_ms, &left_out);
	ck_assert(log_often_write(&often, "disk full", 65000 + 60001, &left_out));
	ck_assert(!log_often_write(&often, "disk full", 65000 + 60002, &left_out));
	ck_assert(log_often_write(&often, "disk full", 65000 + 61001, &left_out));
	ck_assert_uint_eq(left_out, 1);
}
END_TEST

START_TEST(other_lines_between_do_not_make_it_new)
{
	char line[32];

	ck_assert(log_often_write(&often, "disk full", 5000, &left_out));
	for (unsigned i = 0; i < LOG_OFTEN_LINES - 1; i++) {
		snprintf(line, sizeof(line), "other %u", i);
		ck_assert(log_often_write(&often, line, 5001 + i, &left_out));
	}
	ck_assert(!log_often_write(&often, "disk full", 5500, &left_out));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log_often");
	TCase *tests = tcase_create("log_often");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_add_test(tests, lines_of_their_own_are_all_written);
	tcase_add_test(tests, no_line_is_written_twice_within_a_second);
	tcase_add_test(tests, what_goes_on_for_an_hour_is_said_once_a_minute_in_the_end);
	tcase_add_test(tests, after_a_quiet_time_it_is_new_again);
	tcase_add_test(tests, other_lines_between_do_not_make_it_new);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
