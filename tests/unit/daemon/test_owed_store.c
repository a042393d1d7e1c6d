/* test_owed_store.c - the journal of owed keys as a file: whole after every crash, never appended
 * to after a failure, refused where it is none. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/owed_store.h"

static const struct owed_limits limits = {100, 100};
static char directory[64], path[96];
static struct owed owed;
static struct owed_store *store;
static struct owed_damage damage;
static struct change change;

static void set_up(void)
{
	strcpy(directory, "/tmp/mcroster-owed.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/owed", directory);
	memset(&change, 0, sizeof(change));
}

static int try_open(struct failure *failure)
{
	const struct owed_present present = {
	    .change = &change, .phase = PHASE_STEADY, .generation = 1};
	int error;

	ck_assert_int_eq(owed_init(&owed, &limits, 1), 0);
	error = owed_store_open(directory, &owed, &store, &damage, failure);
	if (error != 0)
		owed_free(&owed);
	else
		owed_present(&owed, &present, 0);
	return error;
}

static void reopen(void)
{
	struct failure failure;
	int error = try_open(&failure);

	ck_assert_msg(error == 0, "%s", error == 0 ? "" : failure.text);
}

static void leave(void)
{
	owed_store_close(store);
	owed_free(&owed);
}

static void tear_down(void)
{
	char command[96];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	ck_assert_int_eq(system(command), 0);
}

/* Carries out what the queue wants of the disk.  Without a lease it wants nothing else. */
static int store_all(struct failure *failure)
{
	struct owed_action action;
	int error = 0;

	while (error == 0 && owed_next(&owed, 0, &action)) {
		if (action.type == OWED_APPEND)
			error = owed_store_append(store, action.bytes, action.length, failure);
		else if (action.type == OWED_REWRITE)
			error = owed_store_rewrite(store, &owed, failure);
		else
			continue;
		owed_stored(&owed, error == 0, 0);
	}
	return error;
}

static void add(const char *key)
{
	struct owed_ticket ticket;

	ck_assert_int_eq(owed_add(&owed, key, strlen(key), 1, 5, &ticket, NULL), 0);
}

static off_t file_bytes(void)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_size;
}

START_TEST(what_was_stored_is_there_after_a_restart)
{
	struct stat st;

	reopen();
	ck_assert_int_eq(access(path, F_OK), -1);
	add("one");
	ck_assert_int_eq(store_all(NULL), 0);
	add("two");
	add("three");
	ck_assert_int_eq(store_all(NULL), 0);
	ck_assert_int_eq(file_bytes(), (off_t)owed.journal_bytes);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600); /* keys are data of the users */
	leave();
	reopen();
	ck_assert_uint_eq(owed.keys, 3);
	ck_assert_uint_eq(damage.torn_bytes, 0);
	add("four");
	ck_assert_int_eq(store_all(NULL), 0);
	leave();
	reopen();
	ck_assert_uint_eq(owed.keys, 4);
	leave();
}
END_TEST

START_TEST(a_file_cut_anywhere_gives_its_whole_records_and_goes_on)
{
	uint8_t whole[256];
	off_t bytes, first;
	int fd;

	reopen();
	add("one");
	ck_assert_int_eq(store_all(NULL), 0);
	first = file_bytes();
	add("two");
	ck_assert_int_eq(store_all(NULL), 0);
	bytes = file_bytes();
	leave();
	fd = open(path, O_RDONLY);
	ck_assert_int_eq(read(fd, whole, sizeof(whole)), bytes);
	close(fd);
	for (off_t cut = first; cut < bytes; cut++) {
		fd = open(path, O_WRONLY | O_TRUNC);
		ck_assert_int_eq(write(fd, whole, (size_t)cut), cut);
		close(fd);
		reopen();
		ck_assert_uint_eq(owed.keys, 1);
		ck_assert_uint_eq(damage.torn_bytes, (uint64_t)(cut - first));
		add("three");
		ck_assert_int_eq(store_all(NULL), 0);
		leave();
		reopen();
		ck_assert_uint_eq(owed.keys, 2);
		ck_assert_uint_eq(damage.torn_bytes + damage.damaged_bytes, 0);
		leave();
	}
}
END_TEST

static void is_refused(int error, const char *word)
{
	struct stat before, after;
	struct failure failure;

	ck_assert_int_eq(lstat(path, &before), 0);
	ck_assert_int_eq(try_open(&failure), -error);
	ck_assert_msg(strstr(failure.text, path) != NULL && strstr(failure.text, word) != NULL,
		      "%s", failure.text);
	ck_assert_int_eq(lstat(path, &after), 0);
	ck_assert(before.st_ino == after.st_ino && before.st_size == after.st_size);
}

static void write_file(const char *text, size_t length)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, length, file), length);
	ck_assert_int_eq(fclose(file), 0);
}

START_TEST(what_is_no_journal_is_refused_and_left_alone)
{
	write_file("", 0);
	is_refused(EBADMSG, "does not begin as a journal");
	write_file("mcrowed", 7);
	is_refused(EBADMSG, "does not begin as a journal");
	write_file("mcrowed2 and more", 17);
	is_refused(EBADMSG, "does not begin as a journal");
	ck_assert_int_eq(truncate(path, (off_t)OWED_JOURNAL_MAX + 1), 0);
	is_refused(EBADMSG, "larger than");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink("/etc/passwd", path), 0);
	is_refused(ELOOP, "cannot open");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	is_refused(EBADMSG, "not a regular file");
}
END_TEST

/* On a disk where a file may have only so many bytes.  Nothing is asserted meanwhile: that writes
 * to a file too. */
static int store_all_below(off_t bytes, struct failure *failure)
{
	struct rlimit before, limit;
	int error;

	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = (rlim_t)bytes;
	(void)setrlimit(RLIMIT_FSIZE, &limit);
	error = store_all(failure);
	(void)setrlimit(RLIMIT_FSIZE, &before);
	return error;
}

START_TEST(after_a_failed_append_the_journal_is_written_anew)
{
	struct failure failure;
	off_t bytes;
	ino_t before;
	struct stat st;

	reopen();
	add("one");
	ck_assert_int_eq(store_all(NULL), 0);
	bytes = file_bytes();
	ck_assert_int_eq(stat(path, &st), 0);
	before = st.st_ino;
	add("two");
	/* a part of it fits */
	ck_assert_int_eq(store_all_below(bytes + 9, &failure), -EFBIG);
	ck_assert_msg(strstr(failure.text, path) != NULL, "%s", failure.text);
	ck_assert_int_eq(file_bytes(), bytes); /* and is given back */
	ck_assert_int_eq(store_all(&failure), 0);
	ck_assert_uint_eq(owed.keys, 1);
	/* Nothing can be appended by mistake. */
	ck_assert_int_eq(owed_store_append(store, "x", 1, &failure), -EIO);
	owed.store_after_ms = 0;
	add("three");
	ck_assert_int_eq(store_all(&failure), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_ne(st.st_ino, before);
	leave();
	reopen();
	ck_assert_uint_eq(owed.keys, 2);
	leave();
}
END_TEST

START_TEST(a_failed_rewrite_leaves_the_journal_that_was_there)
{
	struct failure failure;
	char left[96];
	off_t bytes;

	reopen();
	add("one");
	ck_assert_int_eq(store_all(NULL), 0);
	bytes = file_bytes();
	owed.rewrite = true;
	add("two");
	ck_assert_int_eq(store_all_below(bytes, &failure), -EFBIG);
	ck_assert_int_eq(file_bytes(), bytes);
	(void)snprintf(left, sizeof(left), "%s/.owed.tmp", directory);
	ck_assert_int_eq(access(left, F_OK), -1);
	leave();
	reopen();
	ck_assert_uint_eq(owed.keys, 1);
	leave();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("owed_store");
	TCase *tcase = tcase_create("journal");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, what_was_stored_is_there_after_a_restart);
	tcase_add_test(tcase, a_file_cut_anywhere_gives_its_whole_records_and_goes_on);
	tcase_add_test(tcase, what_is_no_journal_is_refused_and_left_alone);
	tcase_add_test(tcase, after_a_failed_append_the_journal_is_written_anew);
	tcase_add_test(tcase, a_failed_rewrite_leaves_the_journal_that_was_there);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
