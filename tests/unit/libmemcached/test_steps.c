/* test_steps.c - how long each step of a plan may take: what the steps before it have left.
 *
 * Times are in the tens of minutes, so that no pause of the machine is one of them.
 */
#include <check.h>
#include <stdlib.h>

#include "pool.h"

#define ALL_MS	 8000000u /* an eighth of it is a step's share */
#define SHARE_MS 1000000u
#define SLACK_MS 600000u

static struct session session;
static struct run run;

static void steps_begin(void)
{
	session = (struct session){.op_timeout_ms = ALL_MS};
	run = (struct run){.plan.step_count = 2};
}

static void run_since(uint64_t gone_ms)
{
	run.begun_ns = mcr_pool_now_ns() - gone_ms * UINT64_C(1000000);
}

/* At most `ms`, less what the test has taken. */
static void lasts(unsigned step, uint64_t ms)
{
	const int found = mcr_run_step_timeout_ms(&session, &run, step);

	ck_assert_int_gt(found, 0);
	ck_assert_uint_le((uint64_t)found, ms);
	ck_assert_uint_gt((uint64_t)found + SLACK_MS, ms);
}

START_TEST(a_step_leaves_a_share_to_the_next)
{
	run_since(0);
	lasts(0, ALL_MS - SHARE_MS);
	lasts(1, ALL_MS);
	run.plan.step_count = 1;
	lasts(0, ALL_MS);
}
END_TEST

/* A time-out is never exact: the first step has always taken a little of the share. */
START_TEST(a_first_step_that_timed_out_leaves_the_rest_of_the_share)
{
	run_since(ALL_MS - SHARE_MS);
	lasts(1, SHARE_MS);
	run_since(ALL_MS - SHARE_MS + 1);
	lasts(1, SHARE_MS - 1);
	run_since(ALL_MS - SHARE_MS + 100000);
	lasts(1, SHARE_MS - 100000);
}
END_TEST

START_TEST(a_late_step_with_another_behind_it_takes_its_share_only)
{
	run_since(ALL_MS - SHARE_MS - SHARE_MS / 2);
	run.plan.step_count = 3;
	lasts(1, SHARE_MS);
	lasts(2, SHARE_MS + SHARE_MS / 2);
}
END_TEST

START_TEST(a_step_is_sent_when_no_time_is_left)
{
	run_since(ALL_MS);
	ck_assert_int_eq(mcr_run_step_timeout_ms(&session, &run, 1), 1);
	run_since(2 * ALL_MS);
	ck_assert_int_eq(mcr_run_step_timeout_ms(&session, &run, 1), 1);
	session.op_timeout_ms = 3; /* a share of nothing */
	run_since(ALL_MS);
	ck_assert_int_eq(mcr_run_step_timeout_ms(&session, &run, 1), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("steps");
	TCase *tests = tcase_create("timeouts");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, steps_begin, NULL);
	tcase_add_test(tests, a_step_leaves_a_share_to_the_next);
	tcase_add_test(tests, a_first_step_that_timed_out_leaves_the_rest_of_the_share);
	tcase_add_test(tests, a_late_step_with_another_behind_it_takes_its_share_only);
	tcase_add_test(tests, a_step_is_sent_when_no_time_is_left);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
