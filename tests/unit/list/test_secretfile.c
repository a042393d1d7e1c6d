/* test_secretfile.c - files that hold secrets: what is read of them, and which are refused. */
#include "list/secretfile.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "sample.h"

#define KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static char directory[64], path[96];
static struct failure failure;
static uint8_t *key;
static char *text;
static size_t length;

static void set_up(void)
{
	ck_assert_int_ge(sodium_init(), 0);
	strcpy(directory, "/tmp/mcroster-secret.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/key", directory);
	memset(&failure, 0, sizeof(failure));
}

static void tear_down(void)
{
	char other[112];

	(void)snprintf(other, sizeof(other), "%s.link", path);
	(void)unlink(other);
	(void)unlink(path);
	ck_assert_int_eq(rmdir(directory), 0);
}

static void file_write(const char *content, size_t bytes, mode_t mode)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, content, bytes), (ssize_t)bytes);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
}

static void refused(int error, const char *word)
{
	ck_assert_int_eq(secretfile_key_load(path, &key, &failure), error);
	ck_assert_msg(strstr(failure.text, word) != NULL, "'%s' lacks '%s'", failure.text, word);
	ck_assert_msg(strstr(failure.text, path) != NULL, "'%s' names no file", failure.text);
	ck_assert_ptr_null(strstr(failure.text, "AAECAw"));
}

START_TEST(a_key_is_one_line_with_a_newline_or_without)
{
	static const char *const good[] = {KEY, KEY "\n"};
	static const char *const bad[] = {"",	      "\n",    KEY "\n\n",    " " KEY,
					  KEY "\r\n", KEY "A", KEY "\nmore\n"};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		file_write(good[i], strlen(good[i]), 0600);
		ck_assert_int_eq(secretfile_key_load(path, &key, &failure), 0);
		for (uint8_t byte = 0; byte < SECRETFILE_KEY_BYTES; byte++)
			ck_assert_uint_eq(key[byte], byte);
		sodium_free(key);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		file_write(bad[i], strlen(bad[i]), 0600);
		refused(-EINVAL, "one line");
	}
	file_write("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\0", 44, 0600);
	refused(-EINVAL, "one line");
	file_write("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", 44, 0600);
	refused(-EINVAL, "zeros");
}
END_TEST

START_TEST(modes_that_let_others_in_are_refused_and_stricter_ones_taken)
{
	static const mode_t bad[] = {0640, 0604, 0620, 0610, 0601, 0700, 04600, 02600};
	static const mode_t good[] = {0600, 0400};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char mode[8];

		(void)snprintf(mode, sizeof(mode), "%04o", (unsigned)bad[i]);
		file_write(KEY, strlen(KEY), bad[i]);
		refused(-EPERM, mode);
		ck_assert_int_eq(secretfile_check(path, &failure), -EPERM);
		ck_assert_int_eq(secretfile_password_load(path, 99, &text, &failure), -EPERM);
		ck_assert_int_eq(secretfile_read(path, 99, &text, &length, &failure), -EPERM);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		(void)unlink(path);
		file_write(KEY, strlen(KEY), good[i]);
		ck_assert_int_eq(secretfile_check(path, &failure), 0);
	}
}
END_TEST

START_TEST(what_is_no_regular_file_is_refused_and_not_waited_for)
{
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	refused(-EINVAL, "regular file");
	ck_assert_int_eq(secretfile_check(path, &failure), -EINVAL);
	ck_assert_int_eq(secretfile_password_load(path, 99, &text, &failure), -EINVAL);
	ck_assert_int_eq(unlink(path), 0);
	refused(-ENOENT, "No such file");
	ck_assert_int_eq(symlink("/dev/zero", path), 0);
	refused(-EINVAL, "regular file");
	ck_assert_int_eq(secretfile_key_load(directory, &key, &failure), -EINVAL);
}
END_TEST

START_TEST(a_link_is_judged_by_what_it_leads_to)
{
	char link[112];

	(void)snprintf(link, sizeof(link), "%s.link", path);
	ck_assert_int_eq(symlink(path, link), 0);
	file_write(KEY, strlen(KEY), 0600);
	ck_assert_int_eq(secretfile_key_load(link, &key, &failure), 0);
	sodium_free(key);
	file_write(KEY, strlen(KEY), 0644);
	ck_assert_int_eq(secretfile_key_load(link, &key, &failure), -EPERM);
}
END_TEST

START_TEST(somebody_elses_file_is_refused)
{
	if (geteuid() != 0) {
		fprintf(stderr, "skipped: somebody_elses_file_is_refused (needs root)\n");
		return;
	}
	file_write(KEY, strlen(KEY), 0600);
	ck_assert_int_eq(chown(path, 65534, 65534), 0);
	refused(-EPERM, "uid 65534, expected root or the agent's user, mcroster");
}
END_TEST

START_TEST(reading_is_bounded_and_takes_one_newline_off)
{
	file_write("0123456789", 10, 0600);
	ck_assert_int_eq(secretfile_read(path, 9, &text, &length, &failure), -EINVAL);
	ck_assert_int_eq(secretfile_read(path, 10, &text, &length, &failure), 0);
	ck_assert_uint_eq(length, 10);
	ck_assert_str_eq(text, "0123456789");
	sodium_free(text);
	file_write("01\n\n", 4, 0600);
	ck_assert_int_eq(secretfile_read(path, 4, &text, &length, &failure), 0);
	ck_assert_uint_eq(length, 3);
	ck_assert_str_eq(text, "01\n");
	sodium_free(text);
}
END_TEST

START_TEST(a_password_is_one_printable_line)
{
	static const char *const bad[] = {"", "\n", "123456\n", "12\n\n", "1\t2\n", "\xc3\xa9\n"};

	file_write("1 3!5\n", 6, 0600);
	ck_assert_int_eq(secretfile_password_load(path, 5, &text, &failure), 0);
	ck_assert_str_eq(text, "1 3!5");
	sodium_free(text);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		file_write(bad[i], strlen(bad[i]), 0600);
		ck_assert_int_eq(secretfile_password_load(path, 5, &text, &failure), -EINVAL);
		ck_assert_ptr_nonnull(strstr(failure.text, "one line"));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("secretfile");
	TCase *tcase = tcase_create("secretfile");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, a_key_is_one_line_with_a_newline_or_without);
	tcase_add_test(tcase, modes_that_let_others_in_are_refused_and_stricter_ones_taken);
	tcase_add_test(tcase, what_is_no_regular_file_is_refused_and_not_waited_for);
	tcase_add_test(tcase, a_link_is_judged_by_what_it_leads_to);
	tcase_add_test(tcase, somebody_elses_file_is_refused);
	tcase_add_test(tcase, reading_is_bounded_and_takes_one_newline_off);
	tcase_add_test(tcase, a_password_is_one_printable_line);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
