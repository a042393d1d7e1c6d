/* test_log_limit.c - strangers bring about so many lines in a while, and no more. */
#include "daemon/log_limit.h"

#include <stdlib.h>

#include <check.h>

START_TEST(a_few_are_told_and_the_rest_are_counted)
{
	struct log_limit limit = {0};
	uint32_t untold = 99;

	for (uint32_t i = 0; i < LOG_LIMIT_LINES; i++) {
		ck_assert(log_limit_take(&limit, 50000 + i, &untold));
		ck_assert_uint_eq(untold, 0);
	}
	for (uint32_t i = 0; i < 500; i++)
		ck_assert(!log_limit_take(&limit, 50100 + i, &untold));
	ck_assert(!log_limit_take(&limit, 50000 + LOG_LIMIT_MS - 1, &untold));
	ck_assert(log_limit_take(&limit, 50000 + LOG_LIMIT_MS, &untold));
	ck_assert_uint_eq(untold, 501);
	ck_assert(log_limit_take(&limit, 50001 + LOG_LIMIT_MS, &untold));
	ck_assert_uint_eq(untold, 0);
}
END_TEST

START_TEST(now_and_then_is_always_told)
{
	struct log_limit limit = {0};
	uint32_t untold;

	for (uint64_t now_ms = 1; now_ms < 3600000; now_ms += LOG_LIMIT_MS / LOG_LIMIT_LINES) {
		ck_assert(log_limit_take(&limit, now_ms, &untold));
		ck_assert_uint_eq(untold, 0);
	}
}
END_TEST

START_TEST(an_hour_of_them_is_a_line_a_second)
{
	struct log_limit limit = {0};
	uint32_t untold = 0, told = 0, counted = 0;

	for (uint64_t now_ms = 0; now_ms < 3600000; now_ms += 2)
		if (log_limit_take(&limit, now_ms, &untold)) {
			told++;
			counted += untold;
		}
	ck_assert_uint_eq(told, 3600);
	ck_assert_uint_eq(told + counted + limit.untold, 1800000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log_limit");
	TCase *tests = tcase_create("log_limit");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, a_few_are_told_and_the_rest_are_counted);
	tcase_add_test(tests, now_and_then_is_always_told);
	tcase_add_test(tests, an_hour_of_them_is_a_line_a_second);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
