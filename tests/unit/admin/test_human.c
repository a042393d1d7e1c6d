/* test_human.c - words and numbers for people. */
#include "admin/human.h"

#include "list/list.h"
#include "scratch.h"

static char buffer[HUMAN_NUMBER_BYTES];

START_TEST(durations_keep_two_units)
{
	ck_assert_str_eq(human_duration(0, buffer), "0.0 s");
	ck_assert_str_eq(human_duration(4299, buffer), "4.2 s");
	ck_assert_str_eq(human_duration(59999, buffer), "59.9 s");
	ck_assert_str_eq(human_duration(60000, buffer), "1 min 0 s");
	ck_assert_str_eq(human_duration(3599000, buffer), "59 min 59 s");
	ck_assert_str_eq(human_duration(7500000, buffer), "2 h 5 min");
	ck_assert_str_eq(human_duration(UINT64_MAX, buffer), "5124095576030 h 25 min");
}
END_TEST

START_TEST(percent_has_one_decimal_and_nothing_has_none)
{
	ck_assert_str_eq(human_percent(4096, 16384, buffer), "25.0 %");
	ck_assert_str_eq(human_percent(1, 3, buffer), "33.3 %");
	ck_assert_str_eq(human_percent(0, 0, buffer), "0.0 %");
	ck_assert_str_eq(human_bytes(0, buffer), "0 B");
	ck_assert_str_eq(human_bytes(999, buffer), "999 B");
	ck_assert_str_eq(human_bytes(1000, buffer), "1.0 kB");
	ck_assert_str_eq(human_bytes(999949, buffer), "999.9 kB");
	ck_assert_str_eq(human_bytes(999950, buffer), "1.0 MB");
	ck_assert_str_eq(human_bytes(UINT64_MAX, buffer), "18.4 EB");
	ck_assert_str_eq(human_percent(UINT64_MAX, UINT64_MAX, buffer), "100.0 %");
}
END_TEST

START_TEST(numbers_have_one_spelling_and_bounds)
{
	static const char *const bad[] = {"",
					  "-1",
					  "+1",
					  " 1",
					  "1 ",
					  "01",
					  "0x1",
					  "1e3",
					  "1.0",
					  "18446744073709551616",
					  "99999999999999999999999"};
	uint64_t value = 7;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!human_number(bad[i], 0, UINT64_MAX, &value), "%s", bad[i]);
	ck_assert(!human_number("4", 5, 6, &value));
	ck_assert(!human_number("7", 5, 6, &value));
	ck_assert_uint_eq(value, 7);
	ck_assert(human_number("0", 0, 6, &value));
	ck_assert_uint_eq(value, 0);
	ck_assert(human_number("18446744073709551615", 0, UINT64_MAX, &value));
	ck_assert_uint_eq(value, UINT64_MAX);
}
END_TEST

START_TEST(nothing_steers_the_terminal_after_cleaning)
{
	char text[] = "a\x1b[2Jb\r\n\t\x7f\xc2\x9b~ ";

	ck_assert_str_eq(human_clean(text), "a?[2Jb??????~ ");
}
END_TEST

START_TEST(now_is_the_lists_spelling_of_time)
{
	char now[21];

	human_now(now);
	ck_assert_uint_eq(strlen(now), LIST_CREATED_CHARS);
	ck_assert_int_eq(now[10], 'T');
	ck_assert_int_eq(now[19], 'Z');
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("human");
	TCase *tcase = tcase_create("human");

	tcase_add_test(tcase, durations_keep_two_units);
	tcase_add_test(tcase, percent_has_one_decimal_and_nothing_has_none);
	tcase_add_test(tcase, numbers_have_one_spelling_and_bounds);
	tcase_add_test(tcase, nothing_steers_the_terminal_after_cleaning);
	tcase_add_test(tcase, now_is_the_lists_spelling_of_time);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
