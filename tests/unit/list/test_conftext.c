/* test_conftext.c - comments go, lines stay, and what is left open is refused with its line. */
#include "list/conftext.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <check.h>

static void assert_becomes(const char *before, const char *after)
{
	char text[256];
	struct failure failure;
	int error;

	strcpy(text, before);
	error = conftext_prepare(text, "f", &failure);
	ck_assert_msg(error == 0, "%s", error == 0 ? "" : failure.text);
	ck_assert_str_eq(text, after);
}

static void assert_open(const char *text, unsigned line, const char *what)
{
	char copy[256], begin[64];
	struct failure failure;

	strcpy(copy, text);
	snprintf(begin, sizeof(begin), "f:%u: found %s ", line, what);
	ck_assert_int_eq(conftext_prepare(copy, "f", &failure), -EINVAL);
	ck_assert_msg(strncmp(failure.text, begin, strlen(begin)) == 0, "%s", failure.text);
}

START_TEST(comments_become_spaces_and_lines_stay)
{
	assert_becomes("# a\nb = 1 # c\n", "   \nb = 1    \n");
	assert_becomes("// a 'b\nb // {", "       \nb     ");
	assert_becomes("a /* b\nc\n*/ = 1", "a     \n \n   = 1");
	assert_becomes("/**/a/**/", "    a/**/");
	assert_becomes("", "");
	assert_becomes("#", " ");
}
END_TEST

START_TEST(what_is_quoted_or_within_a_word_is_no_comment)
{
	assert_becomes("a = \"#1 // /* x\"#", "a = \"#1 // /* x\" ");
	assert_becomes("a = '# \"'#", "a = '# \"' ");
	assert_becomes("a = \"\\\"#\" # x", "a = \"\\\"#\"    ");
	assert_becomes("u = http://x", "u = http://x");
	assert_becomes("p = /a/*/b", "p = /a/*/b");
}
END_TEST

START_TEST(what_is_never_closed_is_refused_with_its_line)
{
	assert_open("a = 1\nb = \"x\nc = 2\n", 2, "a quote");
	assert_open("\n\n'", 3, "a quote");
	assert_open("\"\\\"", 1, "a quote");
	assert_open("\"\\", 1, "a quote");
	assert_open("a\n/* b\n", 2, "a comment");
	assert_open("/*/", 1, "a comment");
	assert_open("a {\nb {\n}\n", 1, "a '{'");
}
END_TEST

START_TEST(files_are_bounded_and_of_text)
{
	char path[] = "/tmp/mcroster-conftext.XXXXXX", *text = path;
	struct failure failure;
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(conftext_read(path, &text, &failure), -EINVAL);
	ck_assert_ptr_nonnull(strstr(failure.text, "0 bytes"));
	ck_assert_int_eq(write(fd, "a#b\n", 4), 4);
	ck_assert_int_eq(conftext_read(path, &text, &failure), 0);
	ck_assert_str_eq(text, "a  \n");
	free(text);
	text = path;
	ck_assert_int_eq(write(fd, "\0x", 2), 2);
	ck_assert_int_eq(conftext_read(path, &text, &failure), -EINVAL);
	ck_assert_ptr_nonnull(strstr(failure.text, "NUL"));
	ck_assert_int_eq(ftruncate(fd, CONFTEXT_BYTES_MAX + 1), 0);
	ck_assert_int_eq(conftext_read(path, &text, &failure), -EINVAL);
	ck_assert_ptr_nonnull(strstr(failure.text, "262145 bytes"));
	close(fd);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(conftext_read(path, &text, &failure), -ENOENT);
	ck_assert_ptr_nonnull(strstr(failure.text, path));
	ck_assert_int_eq(conftext_read("/tmp", &text, &failure), -EINVAL);
	ck_assert_ptr_nonnull(strstr(failure.text, "regular"));
	ck_assert_int_eq(mkfifo(path, 0600), 0); /* nobody will ever write to it */
	ck_assert_int_eq(conftext_read(path, &text, &failure), -EINVAL);
	ck_assert_ptr_nonnull(strstr(failure.text, "regular"));
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_ptr_eq(text, path);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("list/conftext");
	TCase *tcase = tcase_create("conftext");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, comments_become_spaces_and_lines_stay);
	tcase_add_test(tcase, what_is_quoted_or_within_a_word_is_no_comment);
	tcase_add_test(tcase, what_is_never_closed_is_refused_with_its_line);
	tcase_add_test(tcase, files_are_bounded_and_of_text);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
