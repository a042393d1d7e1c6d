/* test_phase.c - phases and their words. */
#include "list/phase.h"
#include "sample.h"

START_TEST(each_phase_is_found_by_its_own_name)
{
	for (int phase = 0; phase < PHASE_COUNT; phase++) {
		const char *name = phase_name((enum phase)phase);

		ck_assert_str_ne(name, "unknown");
		ck_assert_int_eq(phase_find(name, strlen(name)), phase);
		ck_assert_int_eq(phase_find(name, strlen(name) - 1), -1);
		ck_assert_int_eq(phase_find(name, strlen(name) + 1), -1);
	}
}
END_TEST

START_TEST(other_words_are_no_phase)
{
	static const char *const bad[] = {"", "steady", "none", "unknown", "STEADY ", "COUNT"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(phase_find(bad[i], strlen(bad[i])), -1);
	ck_assert_str_eq(phase_name(PHASE_COUNT), "unknown");
}
END_TEST

START_TEST(the_next_list_is_first_from_switch_on_and_never_after_an_abort)
{
	static const enum phase next[] = {PHASE_SWITCH, PHASE_SETTLE, PHASE_DRAIN,
					  PHASE_GIVEUP, PHASE_AFTER,  PHASE_PURGE};
	unsigned found = 0;

	for (size_t i = 0; i < sizeof(next) / sizeof(next[0]); i++)
		ck_assert(phase_next_first(next[i]));
	for (int phase = 0; phase < PHASE_COUNT; phase++)
		found += phase_next_first((enum phase)phase);
	ck_assert_uint_eq(found, sizeof(next) / sizeof(next[0]));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("phase");
	TCase *tcase = tcase_create("phase");

	tcase_add_test(tcase, each_phase_is_found_by_its_own_name);
	tcase_add_test(tcase, other_words_are_no_phase);
	tcase_add_test(tcase, the_next_list_is_first_from_switch_on_and_never_after_an_abort);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
