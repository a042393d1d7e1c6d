/* test_mover_calm.c - a mover gives way while others are there and suffer, and takes its way again.
 */
#include <check.h>
#include <stdlib.h>

#include "daemon/mover_calm.h"

#define MS 1000000ull

static struct mover_calm calm;

static void pass(unsigned ms, uint64_t *now_ns, bool slow)
{
	for (unsigned i = 0; i < ms; i += 5) {
		*now_ns += 5 * MS;
		mover_calm_update(&calm, true, slow, *now_ns);
	}
}

START_TEST(alone_it_is_not_limited)
{
	calm = (struct mover_calm){0};
	mover_calm_update(&calm, false, true, 5 * MS);
	ck_assert_uint_eq(calm.rate, 0);
}
END_TEST

START_TEST(it_falls_fast_grows_slowly_and_never_stands_still)
{
	uint64_t now_ns = 5 * MS, before;

	calm = (struct mover_calm){0};
	mover_calm_update(&calm, true, false, now_ns);
	before = calm.rate;
	ck_assert_uint_gt(before, 0);
	pass(1000, &now_ns, false);
	ck_assert_uint_gt(calm.rate, 2 * before);
	before = calm.rate;
	pass(200, &now_ns, true);
	ck_assert_uint_lt(calm.rate, before / 2);
	pass(60000, &now_ns, true);
	ck_assert_uint_eq(calm.rate, MOVER_CALM_LEAST);
	pass(10000, &now_ns, false);
	ck_assert_uint_gt(calm.rate, 100 * MOVER_CALM_LEAST);
	mover_calm_update(&calm, false, false, now_ns);
	ck_assert_uint_eq(calm.rate, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mover_calm");
	TCase *rate = tcase_create("rate");
	SRunner *runner;
	int failed;

	tcase_add_test(rate, alone_it_is_not_limited);
	tcase_add_test(rate, it_falls_fast_grows_slowly_and_never_stands_still);
	suite_add_tcase(suite, rate);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
