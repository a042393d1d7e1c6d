/* test_mover_calm.c - a mover gives way while others are there and suffer, and takes its way again.
 */
#include <check.h>
#include <stdlib.h>

#include "daemon/mover_calm.h"

#define MS 1000000ull

#define READS 1000u

static struct mover_calm calm;

static void pass(unsigned ms, uint64_t *now_ns, bool slow)
{
	for (unsigned i = 0; i < ms; i += 5) {
		*now_ns += 5 * MS;
		mover_calm_update(&calm, READS, slow, *now_ns);
	}
}

START_TEST(alone_it_is_not_limited)
{
	calm = (struct mover_calm){0};
	mover_calm_update(&calm, 0, true, 5 * MS);
	ck_assert_uint_eq(calm.rate, 0);
}
END_TEST

START_TEST(it_falls_and_grows_by_small_steps_and_never_stands_still)
{
	uint64_t now_ns = 5 * MS, before;

	calm = (struct mover_calm){0};
	mover_calm_update(&calm, READS, false, now_ns);
	before = calm.rate;
	ck_assert_uint_gt(before, 0);
	pass(95, &now_ns, false);
	ck_assert_uint_eq(calm.rate, before);
	pass(905, &now_ns, false);
	ck_assert_uint_gt(calm.rate, 2 * before);
	before = calm.rate;
	pass(100, &now_ns, true);
	ck_assert_uint_gt(calm.rate, before / 4 * 3);
	pass(500, &now_ns, true);
	ck_assert_uint_lt(calm.rate, before / 2);
	pass(60000, &now_ns, true);
	ck_assert_uint_eq(calm.rate, MOVER_CALM_LEAST);
	pass(60000, &now_ns, false);
	ck_assert_uint_eq(calm.rate, MOVER_CALM_MOST);
	mover_calm_update(&calm, 0, false, now_ns);
	ck_assert_uint_eq(calm.rate, 0);
}
END_TEST

/* What is begun has ended before anything is taken for what the servers do without it. */
START_TEST(a_server_that_is_read_often_bears_keys_in_proportion)
{
	uint64_t now_ns = 5 * MS;

	calm = (struct mover_calm){0};
	for (unsigned i = 0; i < 1000; i++)
		mover_calm_update(&calm, 120000, true, now_ns += 100 * MS);
	ck_assert_uint_eq(calm.rate, 45600);
	for (unsigned i = 0; i < 1000; i++)
		mover_calm_update(&calm, 3000000, true, now_ns += 100 * MS);
	ck_assert_uint_eq(calm.rate, MOVER_CALM_MOST);
}
END_TEST

START_TEST(it_rests_between_spells_and_lets_its_work_end_first)
{
	enum mover_calm_spell before = MOVER_CALM_RESTS;
	unsigned spells[3] = {0};

	calm = (struct mover_calm){0};
	ck_assert_int_eq(mover_calm_spell(&calm, 95 * MS), MOVER_CALM_WORKS);
	mover_calm_update(&calm, READS, false, 7 * MS);
	for (uint64_t ms = 7; ms < 1007; ms++) {
		enum mover_calm_spell spell = mover_calm_spell(&calm, ms * MS);

		ck_assert(spell == before || spell == (before + 1) % 3);
		spells[spell]++;
		before = spell;
	}
	ck_assert_uint_gt(spells[MOVER_CALM_WORKS], 800);
	ck_assert_uint_gt(spells[MOVER_CALM_RESTS], 50);
	ck_assert_uint_gt(spells[MOVER_CALM_ENDS], 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mover_calm");
	TCase *rate = tcase_create("rate");
	SRunner *runner;
	int failed;

	tcase_add_test(rate, alone_it_is_not_limited);
	tcase_add_test(rate, it_falls_and_grows_by_small_steps_and_never_stands_still);
	tcase_add_test(rate, a_server_that_is_read_often_bears_keys_in_proportion);
	tcase_add_test(rate, it_rests_between_spells_and_lets_its_work_end_first);
	suite_add_tcase(suite, rate);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
