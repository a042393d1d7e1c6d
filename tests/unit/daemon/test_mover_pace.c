/* test_mover_pace.c - bytes are taken on credit, and paid for by time. */
#include <check.h>
#include <stdlib.h>

#include "daemon/mover_pace.h"

#define MS 1000000ull

START_TEST(over_any_time_no_more_bytes_than_the_rate)
{
	struct mover_pace pace = {.rate_bytes = 1000000};
	uint64_t now_ns = 5 * MS, begun_ns = now_ns, given = 0;

	for (unsigned i = 0; i < 20000; i++) {
		uint32_t keys = mover_pace_take(&pace, now_ns, 10);

		mover_pace_used(&pace, keys, keys, keys * 5000u);
		given += keys * 5000u;
		now_ns += (i % 7) * 100000 + 1;
	}
	ck_assert_uint_le(given, (now_ns - begun_ns) / 1000 + 50000);
	ck_assert_uint_ge(given + 60000, (now_ns - begun_ns) / 1000);
}
END_TEST

START_TEST(a_limit_may_be_lifted_while_much_is_owed)
{
	struct mover_pace pace = {.rate_bytes = 1};

	ck_assert_uint_eq(mover_pace_take(&pace, 5 * MS, 10), 10);
	mover_pace_used(&pace, 10, 10, 1u << 30);
	ck_assert_uint_eq(mover_pace_take(&pace, 6 * MS, 10), 0);
	pace.rate_bytes = 0;
	ck_assert_uint_eq(mover_pace_take(&pace, 7 * MS, 10), 10);
	pace.rate_bytes = 1;
	ck_assert_uint_eq(mover_pace_take(&pace, 8 * MS, 10), 10);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mover_pace");
	TCase *bytes = tcase_create("bytes");
	SRunner *runner;
	int failed;

	tcase_add_test(bytes, over_any_time_no_more_bytes_than_the_rate);
	tcase_add_test(bytes, a_limit_may_be_lifted_while_much_is_owed);
	suite_add_tcase(suite, bytes);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
