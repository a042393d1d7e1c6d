/* test_log_often.c - a line is written at once, and one that goes on ever more rarely; the
 * last time is always told. */
#include "daemon/log_often.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

static struct log_often often;

static void set_up(void)
{
	memset(&often, 0, sizeof(often));
}

/* Is it written at once? */
static bool came(const char *line, uint64_t now_ms)
{
	return log_often_came(&often, line, now_ms).write;
}

/* What is held back is known by its place. */
static uint32_t held(const char *line, uint64_t now_ms)
{
	const struct log_often_word word = log_often_came(&often, line, now_ms);

	ck_assert(!word.write);
	ck_assert_uint_lt(word.place, LOG_OFTEN_LINES);
	return word.place;
}

static bool none_is_due(uint64_t now_ms)
{
	return !log_often_next(&often, now_ms, false).write;
}

static uint32_t due(uint64_t now_ms)
{
	const struct log_often_word word = log_often_next(&often, now_ms, false);

	ck_assert(word.write);
	return word.place;
}

START_TEST(lines_of_their_own_are_all_written)
{
	struct log_often_word word;
	char line[32];

	for (unsigned i = 0; i < 1000; i++) {
		snprintf(line, sizeof(line), "published: epoch %u", i);
		word = log_often_came(&often, line, 5000);
		ck_assert(word.write);
		ck_assert_uint_eq(word.before, 0);
	}
	ck_assert(none_is_due(1000000));
}
END_TEST

START_TEST(no_line_is_written_twice_within_a_second)
{
	struct log_often_word word;

	ck_assert(came("disk full", 5000));
	ck_assert(!came("disk full", 5001));
	ck_assert(!came("disk full", 5999));
	ck_assert(none_is_due(5999));
	word = log_often_came(&often, "disk full", 6000);
	ck_assert(word.write);
	ck_assert_uint_eq(word.before, 2);
	ck_assert(none_is_due(1000000));
}
END_TEST

START_TEST(what_was_held_back_is_written_when_the_pause_is_over)
{
	struct log_often_word word;
	uint32_t place;

	ck_assert(came("disk full", 5000));
	place = held("disk full", 5100);
	ck_assert_uint_eq(held("disk full", 5400), place);
	ck_assert(none_is_due(5999));
	word = log_often_next(&often, 6000, false);
	ck_assert(word.write);
	ck_assert_uint_eq(word.place, place);
	ck_assert_uint_eq(word.before, 1);
	ck_assert_uint_eq(word.ago_ms, 600);
	ck_assert(none_is_due(1000000));
}
END_TEST

START_TEST(written_late_counts_as_written)
{
	ck_assert(came("disk full", 5000));
	held("disk full", 5900);
	due(6000);
	held("disk full", 6100); /* and the pause is two seconds now */
	ck_assert(none_is_due(7999));
	due(8000);
}
END_TEST

START_TEST(what_comes_by_turns_ends_with_the_one_that_came_last)
{
	uint32_t connected, closed;

	ck_assert(came("connected", 5000));
	ck_assert(came("closed", 5500));
	closed = held("closed", 5600);
	connected = held("connected", 5600);
	ck_assert(none_is_due(6499)); /* its own pause is over, but it came last */
	ck_assert_uint_eq(due(6500), closed);
	ck_assert_uint_eq(due(6500), connected);
	ck_assert(none_is_due(1000000));
}
END_TEST

START_TEST(what_comes_again_after_its_pause_waits_for_what_came_before)
{
	uint32_t connected, closed;

	ck_assert(came("connected", 5000));
	ck_assert(came("closed", 5500));
	closed = held("closed", 5600);
	connected = held("connected", 5700);
	ck_assert_uint_eq(held("connected", 6100), connected);
	ck_assert_uint_eq(due(6500), closed);
	ck_assert_uint_eq(due(6500), connected);
}
END_TEST

START_TEST(one_that_waits_for_others_stays_behind_them_after_a_quiet_time)
{
	uint32_t full, connected;

	ck_assert(came("disk full", 5000));
	held("disk full", 5100);
	due(6000);
	full = held("disk full", 6100); /* until 8000 */
	ck_assert(came("connected", 6200));
	connected = held("connected", 6300);
	ck_assert_uint_eq(held("connected", 7900), connected);
	ck_assert(none_is_due(7999));
	ck_assert_uint_eq(due(8000), full);
	ck_assert_uint_eq(due(8000), connected);
}
END_TEST

/* Two others hold it up by turns: one of them is always held back and came before it. */
START_TEST(no_line_waits_for_others_for_ever)
{
	unsigned written = 0;

	ck_assert(came("disk full", 5000));
	ck_assert(came("one", 5600));
	for (uint64_t now_ms = 6000; now_ms < 6000 + 3600000; now_ms += 10) {
		struct log_often_word word;
		const uint32_t place = log_often_came(&often, "disk full", now_ms).place;

		if (now_ms % 1000 == 0)
			(void)came("one", now_ms);
		if (now_ms % 1000 == 500 || now_ms == 6100)
			(void)came("other", now_ms);
		while ((word = log_often_next(&often, now_ms, false)).write)
			written += word.place == place;
	}
	ck_assert_uint_ge(written, 29);
	ck_assert_uint_le(written, 31);
}
END_TEST

START_TEST(in_the_end_all_that_was_held_back_is_written_in_order)
{
	uint32_t places[3];
	struct log_often_word word;

	for (uint64_t now_ms = 5000; now_ms < 5002; now_ms++) {
		(void)came("one", now_ms);
		(void)came("other", now_ms);
		(void)came("third", now_ms);
	}
	places[0] = held("other", 5010);
	places[1] = held("third", 5010);
	places[2] = held("one", 5010);
	for (unsigned i = 0; i < 3; i++) {
		word = log_often_next(&often, 5020, true);
		ck_assert(word.write);
		ck_assert_uint_eq(word.place, places[i]);
		ck_assert_uint_eq(word.before, 1);
		ck_assert_uint_eq(word.ago_ms, 10);
	}
	ck_assert(!log_often_next(&often, 5020, true).write);
}
END_TEST

START_TEST(what_goes_on_for_an_hour_is_said_once_a_minute_in_the_end)
{
	unsigned written = 0, told = 0, in_last_ten_minutes = 0;

	for (uint64_t now_ms = 5000; now_ms < 5000 + 3600000; now_ms += 100) {
		struct log_often_word word = log_often_came(&often, "disk full", now_ms);

		if (!word.write)
			word = log_often_next(&often, now_ms, false);
		if (word.write) {
			written++;
			told += word.before;
			in_last_ten_minutes += now_ms >= 5000 + 3000000;
		}
	}
	ck_assert_uint_le(written, 6 + 60);
	ck_assert_uint_eq(in_last_ten_minutes, 10);
	ck_assert_uint_ge(written + told, 36000 - 600);
}
END_TEST

START_TEST(after_a_quiet_time_it_is_new_again)
{
	struct log_often_word word;

	for (uint64_t now_ms = 5000; now_ms < 65000; now_ms += 100)
		(void)came("disk full", now_ms);
	due(125000);
	ck_assert(came("disk full", 125000 + 60001));
	ck_assert(!came("disk full", 125000 + 60002));
	word = log_often_came(&often, "disk full", 125000 + 61001);
	ck_assert(word.write);
	ck_assert_uint_eq(word.before, 1);
}
END_TEST

START_TEST(other_lines_between_do_not_make_it_new)
{
	char line[32];

	ck_assert(came("disk full", 5000));
	for (unsigned i = 0; i < LOG_OFTEN_LINES - 1; i++) {
		snprintf(line, sizeof(line), "other %u", i);
		ck_assert(came(line, 5001 + i));
	}
	ck_assert(!came("disk full", 5500));
}
END_TEST

START_TEST(what_is_held_back_is_not_forgotten_for_others)
{
	uint32_t place;
	char line[32];

	ck_assert(came("disk full", 5000));
	place = held("disk full", 5000);
	for (unsigned i = 0; i < 10 * LOG_OFTEN_LINES; i++) {
		snprintf(line, sizeof(line), "other %u", i);
		ck_assert_uint_ne(log_often_came(&often, line, 5001 + i).place, place);
	}
	ck_assert_uint_eq(due(6000), place);
}
END_TEST

START_TEST(where_all_places_are_held_other_lines_are_written_as_they_come)
{
	struct log_often_word word;
	char line[32];

	for (unsigned i = 0; i < 2 * LOG_OFTEN_LINES; i++) {
		snprintf(line, sizeof(line), "line %u", i / 2);
		(void)came(line, 5000);
	}
	for (unsigned i = 0; i < 2; i++) {
		word = log_often_came(&often, "one more", 5001);
		ck_assert(word.write);
		ck_assert_uint_eq(word.place, LOG_OFTEN_LINES);
	}
	for (unsigned i = 0; i < LOG_OFTEN_LINES; i++)
		due(6000);
	ck_assert(none_is_due(6000));
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
	tcase_add_test(tests, what_was_held_back_is_written_when_the_pause_is_over);
	tcase_add_test(tests, written_late_counts_as_written);
	tcase_add_test(tests, what_comes_by_turns_ends_with_the_one_that_came_last);
	tcase_add_test(tests, what_comes_again_after_its_pause_waits_for_what_came_before);
	tcase_add_test(tests, one_that_waits_for_others_stays_behind_them_after_a_quiet_time);
	tcase_add_test(tests, no_line_waits_for_others_for_ever);
	tcase_add_test(tests, in_the_end_all_that_was_held_back_is_written_in_order);
	tcase_add_test(tests, what_goes_on_for_an_hour_is_said_once_a_minute_in_the_end);
	tcase_add_test(tests, after_a_quiet_time_it_is_new_again);
	tcase_add_test(tests, other_lines_between_do_not_make_it_new);
	tcase_add_test(tests, what_is_held_back_is_not_forgotten_for_others);
	tcase_add_test(tests, where_all_places_are_held_other_lines_are_written_as_they_come);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
