/* test_spool.c - the spool keeps order, bounds its size and leaves no file behind. */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/spool.h"

static char directory[] = "/tmp/test_spool.XXXXXX";
static struct spool *spool;

static void set_up(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void tear_down(void)
{
	spool_free(spool);
	ck_assert_int_eq(rmdir(directory), 0); /* it is empty */
}

static struct spool_record record(unsigned i)
{
	struct spool_record r = {.cas = i * 1000003ull,
				 .size = i,
				 .destination = (uint16_t)i,
				 .kind = (uint8_t)(i % 7),
				 .attempts = (uint8_t)(i % 11),
				 .key_bytes = (uint8_t)(1 + i % SPOOL_KEY_MAX)};

	memset(r.key, (int)(i % 256), r.key_bytes);
	return r;
}

static void make(uint64_t bytes_max)
{
	struct failure failure;

	ck_assert_int_eq(spool_new(directory, bytes_max, &spool, &failure), 0);
}

static void next_is(unsigned i)
{
	struct spool_record want = record(i), got;

	ck_assert_int_eq(spool_next(spool, &got), 1);
	ck_assert_uint_eq(got.cas, want.cas);
	ck_assert_uint_eq(got.size, want.size);
	ck_assert_uint_eq(got.destination, want.destination);
	ck_assert_uint_eq(got.kind, want.kind);
	ck_assert_uint_eq(got.attempts, want.attempts);
	ck_assert_uint_eq(got.key_bytes, want.key_bytes);
	ck_assert_mem_eq(got.key, want.key, want.key_bytes);
}

START_TEST(records_come_out_in_the_order_they_went_in)
{
	struct spool_record r, none;
	unsigned in = 0, out = 0;

	make(64u << 20);
	for (unsigned round = 1; round < 12; round++) { /* taken and put in turns */
		for (unsigned i = 0; i < round * 200; i++) {
			r = record(in++);
			ck_assert_int_eq(spool_append(spool, &r), 0);
		}
		for (unsigned i = 0; i < round * 150; i++)
			next_is(out++);
		ck_assert_uint_eq(spool_count(spool), in - out);
	}
	while (out < in)
		next_is(out++);
	ck_assert_int_eq(spool_next(spool, &none), 0);
	spool_reset(spool);
	r = record(5);
	ck_assert_int_eq(spool_append(spool, &r), 0);
	next_is(5);
	ck_assert_int_eq(spool_next(spool, &none), 0);
}
END_TEST

START_TEST(it_does_not_grow_over_its_bound)
{
	struct spool_record r = record(99);
	unsigned count = 0;
	int error;

	make(100000);
	while ((error = spool_append(spool, &r)) == 0)
		count++;
	ck_assert_int_eq(error, -EFBIG);
	ck_assert_uint_eq(count, 100000 / spool_record_bytes(r.key_bytes));
	ck_assert_uint_eq(spool_count(spool), count);
	spool_reset(spool);
	ck_assert_int_eq(spool_append(spool, &r), 0);
}
END_TEST

START_TEST(its_file_has_no_name)
{
	struct spool_record r = record(1);
	struct dirent *entry;
	DIR *opened;

	make(1u << 20);
	ck_assert_int_eq(spool_append(spool, &r), 0);
	opened = opendir(directory);
	while ((entry = readdir(opened)) != NULL)
		ck_assert(entry->d_name[0] == '.' &&
			  entry->d_name[strspn(entry->d_name, ".")] == '\0');
	closedir(opened);
}
END_TEST

START_TEST(a_directory_that_is_not_there_is_named)
{
	struct failure failure;

	ck_assert_int_eq(spool_new("/nowhere/at/all", 1000, &spool, &failure), -ENOENT);
	ck_assert_str_eq(failure.text,
			 "no spool file in /nowhere/at/all: No such file or directory");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("spool");
	TCase *files = tcase_create("files");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(files, set_up, tear_down);
	tcase_add_test(files, records_come_out_in_the_order_they_went_in);
	tcase_add_test(files, it_does_not_grow_over_its_bound);
	tcase_add_test(files, its_file_has_no_name);
	tcase_add_test(files, a_directory_that_is_not_there_is_named);
	suite_add_tcase(suite, files);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
