/* test_mover_rate.c - the token bucket gives what time has earned, and no more. */
#include <check.h>
#include <stdlib.h>

#include "daemon/mover_rate.h"

#define MS 1000000ull

START_TEST(over_any_time_no_more_than_the_rate)
{
	static const uint64_t rates[] = {1, 3, 10, 999, 50000, 1000000, 700000000};
	uint64_t rate_a_second = rates[_i], now = 5 * MS, begun = now, given = 0;
	struct mover_rate rate = {0};

	for (unsigned i = 0; i < 100000; i++) {
		now += (i % 7) * 100000 + 1;
		given += mover_rate_take(&rate, rate_a_second, 100, now, 1 + i % 2000);
	}
	/* what was earned, and at first a bucket of a tenth of a second, or one key */
	ck_assert_uint_le(given,
			  (now - begun) / 1000 * rate_a_second / 1000000 + rate_a_second / 10 + 2);
	if (rate_a_second <= 1000000)
		ck_assert_uint_ge(given + 1 + rate_a_second / 1000,
				  (now - begun) / 1000 * rate_a_second / 1000000);
}
END_TEST

START_TEST(nothing_is_saved_up_while_nobody_asks)
{
	struct mover_rate rate = {0};

	ck_assert_uint_eq(mover_rate_take(&rate, 1000, 100, 5 * MS, 5000), 100);
	ck_assert_uint_eq(mover_rate_take(&rate, 1000, 100, 5 * MS, 5000), 0);
	ck_assert_uint_eq(mover_rate_take(&rate, 1000, 100, 905 * MS, 5000), 100);
	ck_assert_uint_eq(mover_rate_take(&rate, 1000, 100, 3600000 * MS, 5000), 100);
}
END_TEST

START_TEST(what_weighs_more_is_earned_first)
{
	struct mover_rate rate = {0};

	ck_assert_uint_eq(mover_rate_take(&rate, 1000, 10, 5 * MS, 10), 10);
	mover_rate_owe(&rate, 20);
	ck_assert_uint_eq(mover_rate_take(&rate, 1000, 10, 25 * MS, 10), 0);
	ck_assert_uint_eq(mover_rate_take(&rate, 1000, 10, 28 * MS, 10), 3);
}
END_TEST

START_TEST(no_limit_is_no_limit)
{
	struct mover_rate rate = {0};

	ck_assert_uint_eq(mover_rate_take(&rate, 0, 100, 5 * MS, 5000), 5000);
	ck_assert_uint_eq(mover_rate_take(&rate, 0, 100, 5 * MS, UINT32_MAX), UINT32_MAX);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mover_rate");
	TCase *bucket = tcase_create("bucket");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(bucket, over_any_time_no_more_than_the_rate, 0, 7);
	tcase_add_test(bucket, nothing_is_saved_up_while_nobody_asks);
	tcase_add_test(bucket, what_weighs_more_is_earned_first);
	tcase_add_test(bucket, no_limit_is_no_limit);
	suite_add_tcase(suite, bucket);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
