/* test_failure.c - one sentence, bounded, and the number that goes with it. */
#include <errno.h>

#include "sample.h"

START_TEST(sentence_is_written_and_the_error_returned)
{
	struct failure failure;

	ck_assert_int_eq(failure_set(&failure, ENOENT, "%s: %d", "here", 7), -ENOENT);
	ck_assert_str_eq(failure.text, "here: 7");
	ck_assert_int_eq(failure_set(NULL, EIO, "nobody asks"), -EIO);
}
END_TEST

START_TEST(long_sentence_is_cut)
{
	struct {
		struct failure failure;
		char guard;
	} under = {.guard = 'g'};

	ck_assert_int_eq(failure_set(&under.failure, EIO, "%*s", 2 * FAILURE_BYTES, "x"), -EIO);
	ck_assert_uint_eq(strlen(under.failure.text), FAILURE_BYTES - 1);
	ck_assert_int_eq(under.guard, 'g');
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("failure");
	TCase *tcase = tcase_create("failure");

	tcase_add_test(tcase, sentence_is_written_and_the_error_returned);
	tcase_add_test(tcase, long_sentence_is_cut);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
