/* test_confirm.c - only a person at a terminal who types yes has said yes. */
#include "admin/confirm.h"

#include <errno.h>
#include <fcntl.h>

#include "scratch.h"

static const struct {
	const char *typed;
	int error;
} answers[] = {
    {"yes\n", 0},
    {"y\n", -ECANCELED},
    {"YES\n", -ECANCELED},
    {"no\n", -ECANCELED},
    {"\n", -ECANCELED},
    {"yes please\n", -ECANCELED},
    {"a line that is longer than yes can be\n", -ECANCELED},
    {"\004", -ECANCELED}, /* end of file */
};

START_TEST(only_the_whole_word_is_a_yes)
{
	int leader = posix_openpt(O_RDWR | O_NOCTTY);
	size_t length = strlen(answers[_i].typed);
	char *said;
	size_t said_bytes;
	FILE *in, *out = open_memstream(&said, &said_bytes);

	ck_assert_int_ge(leader, 0);
	ck_assert_int_eq(grantpt(leader), 0);
	ck_assert_int_eq(unlockpt(leader), 0);
	in = fopen(ptsname(leader), "r");
	ck_assert_ptr_nonnull(in);
	ck_assert_int_eq(write(leader, answers[_i].typed, length), (ssize_t)length);
	ck_assert_int_eq(confirm_ask("Sign it?", in, out, &failure), answers[_i].error);
	(void)fclose(out);
	ck_assert_str_eq(said, "\nSign it? Type yes: ");
	if (answers[_i].error != 0)
		ck_assert_says(failure.text, "nothing was signed");
	free(said);
	(void)fclose(in);
	(void)close(leader);
}
END_TEST

START_TEST(file_is_not_asked)
{
	FILE *in = tmpfile();

	ck_assert_ptr_nonnull(in);
	ck_assert_int_ge(fputs("yes\n", in), 0);
	rewind(in);
	ck_assert_int_eq(confirm_ask("Sign it?", in, stdout, &failure), -ENOTTY);
	ck_assert_says(failure.text, "--yes");
	(void)fclose(in);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("confirm");
	TCase *tcase = tcase_create("confirm");

	tcase_add_loop_test(tcase, only_the_whole_word_is_a_yes, 0,
			    sizeof(answers) / sizeof(answers[0]));
	tcase_add_test(tcase, file_is_not_asked);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
