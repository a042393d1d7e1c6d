/* test_state.c - the agent's files: whole, or the one before; what is damaged is told apart. */
#include "daemon/state.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#define HEADER_BYTES 48 /* magic, length, checksum: the format on disk */

static char base[64], directory[96];

static void set_up(void)
{
	strcpy(base, "/tmp/mcroster-state.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(base));
	snprintf(directory, sizeof(directory), "%s/state", base);
}

static void tear_down(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", base);
	ck_assert_int_eq(system(command), 0);
}

static struct state *open_state(void)
{
	struct state *state = NULL;
	struct failure failure;
	int error = state_open(directory, &state, &failure);

	ck_assert_msg(error == 0, "%s", error == 0 ? "" : failure.text);
	return state;
}

static const char *path_of(const char *name)
{
	static char path[160];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void assert_content(struct state *state, const char *name, const char *want)
{
	struct failure failure;
	void *bytes;
	size_t length;
	int error = state_load(state, name, 1 << 20, &bytes, &length, &failure);

	ck_assert_msg(error == 0, "%s", error == 0 ? "" : failure.text);
	ck_assert_uint_eq(length, strlen(want));
	ck_assert_mem_eq(bytes, want, length);
	free(bytes);
}

/* The file is refused with -EBADMSG, its path and a sentence that contains `word`. */
static void assert_bad(struct state *state, const char *name, const char *word)
{
	struct failure failure;
	void *bytes = &failure;
	size_t length = 77;

	ck_assert_int_eq(state_load(state, name, 1000, &bytes, &length, &failure), -EBADMSG);
	ck_assert_msg(strstr(failure.text, word) != NULL, "%s", failure.text);
	ck_assert_msg(strstr(failure.text, path_of(name)) != NULL, "%s", failure.text);
	ck_assert_ptr_eq(bytes, &failure);
	ck_assert_uint_eq(length, 77);
}

static void write_file(const char *name, const void *bytes, size_t length)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, length), (ssize_t)length);
	close(fd);
}

START_TEST(what_was_stored_is_loaded_after_a_restart)
{
	struct state *state = open_state();
	struct stat st;

	ck_assert_int_eq(stat(directory, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	ck_assert_int_eq(state_store(state, "register", "one", 3, NULL), 0);
	ck_assert_int_eq(state_store(state, "register", "second", 6, NULL), 0);
	ck_assert_int_eq(state_store(state, "empty", "", 0, NULL), 0);
	state_close(state);

	state = open_state();
	assert_content(state, "register", "second");
	assert_content(state, "empty", "");
	ck_assert_int_eq(stat(path_of("register"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	state_close(state);
}
END_TEST

START_TEST(an_absent_file_is_not_a_damaged_one)
{
	struct state *state = open_state();
	struct failure failure;
	void *bytes;
	size_t length;

	ck_assert_int_eq(state_load(state, "register", 10, &bytes, &length, &failure), -ENOENT);
	ck_assert_ptr_nonnull(strstr(failure.text, path_of("register")));
	state_close(state);
}
END_TEST

START_TEST(every_truncation_is_noticed)
{
	struct state *state = open_state();

	ck_assert_int_eq(state_store(state, "register", "0123456789", 10, NULL), 0);
	for (off_t length = HEADER_BYTES + 9; length >= 0; length--) {
		ck_assert_int_eq(truncate(path_of("register"), length), 0);
		assert_bad(state, "register", "truncated");
	}
	state_close(state);
}
END_TEST

START_TEST(every_changed_byte_is_noticed)
{
	struct state *state = open_state();
	uint8_t bytes[HEADER_BYTES + 10];
	int fd;

	ck_assert_int_eq(state_store(state, "register", "0123456789", 10, NULL), 0);
	fd = open(path_of("register"), O_RDONLY);
	ck_assert_int_eq(read(fd, bytes, sizeof(bytes)), (ssize_t)sizeof(bytes));
	close(fd);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] ^= 0x40;
		write_file("register", bytes, sizeof(bytes));
		assert_bad(state, "register",
			   i < 8    ? "foreign"
			   : i < 16 ? "header says"
				    : "checksum");
		bytes[i] ^= 0x40;
	}
	write_file("register", bytes, sizeof(bytes));
	assert_content(state, "register", "0123456789");
	ck_assert_int_eq(truncate(path_of("register"), sizeof(bytes) + 1), 0);
	assert_bad(state, "register", "longer");
	state_close(state);
}
END_TEST

START_TEST(what_is_not_a_state_file_is_foreign)
{
	struct state *state = open_state();
	char text[200];

	memset(text, 'x', sizeof(text));
	write_file("text", text, sizeof(text));
	assert_bad(state, "text", "foreign");
	ck_assert_int_eq(mkdir(path_of("directory"), 0700), 0);
	assert_bad(state, "directory", "not a regular file");
	ck_assert_int_eq(mkfifo(path_of("fifo"), 0600), 0);
	assert_bad(state, "fifo", "not a regular file");
	ck_assert_int_eq(symlink("/etc/passwd", path_of("link")), 0);
	assert_bad(state, "link", "symbolic link");
	state_close(state);
}
END_TEST

START_TEST(a_file_over_the_bound_is_refused)
{
	struct state *state = open_state();
	char bytes[1001] = "";

	ck_assert_int_eq(state_store(state, "list", bytes, 1000, NULL), 0);
	{
		void *loaded;
		size_t length;

		ck_assert_int_eq(state_load(state, "list", 1000, &loaded, &length, NULL), 0);
		free(loaded);
	}
	ck_assert_int_eq(state_store(state, "list", bytes, 1001, NULL), 0);
	assert_bad(state, "list", "larger");
	state_close(state);
}
END_TEST

START_TEST(names_that_leave_the_directory_are_refused)
{
	static const char *const bad[] = {"", ".", "..", ".lock", "a/b", "../x"};
	struct state *state = open_state();
	char long_name[300];
	struct failure failure;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		ck_assert_int_eq(state_store(state, bad[i], "x", 1, &failure), -EINVAL);
		ck_assert_int_eq(state_remove(state, bad[i], &failure), -EINVAL);
	}
	memset(long_name, 'n', sizeof(long_name));
	long_name[201] = '\0';
	ck_assert_int_eq(state_store(state, long_name, "x", 1, &failure), -EINVAL);
	long_name[200] = '\0';
	ck_assert_int_eq(state_store(state, long_name, "x", 1, &failure), 0);
	state_close(state);
}
END_TEST

START_TEST(the_second_opener_is_told_who_is_there)
{
	struct state *first = open_state(), *second = NULL;
	struct failure failure;
	char pid[32];

	ck_assert_int_eq(state_open(directory, &second, &failure), -EBUSY);
	ck_assert_ptr_null(second);
	snprintf(pid, sizeof(pid), "(pid %ld)", (long)getpid());
	ck_assert_msg(strstr(failure.text, pid) != NULL, "%s", failure.text);
	ck_assert_ptr_nonnull(strstr(failure.text, directory));

	/* The first one still works, and its end frees the directory. */
	ck_assert_int_eq(state_store(first, "register", "x", 1, NULL), 0);
	state_close(first);
	state_close(open_state());
}
END_TEST

START_TEST(a_killed_agent_leaves_no_lock)
{
	int ready[2], status;
	char byte;
	pid_t child;

	ck_assert_int_eq(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		struct state *state;

		if (state_open(directory, &state, NULL) != 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	state_close(open_state());
	close(ready[0]);
	close(ready[1]);
}
END_TEST

START_TEST(a_directory_that_others_may_write_is_refused)
{
	struct state *state;
	struct failure failure;

	ck_assert_int_eq(mkdir(directory, 0700), 0);
	ck_assert_int_eq(chmod(directory, 0770), 0);
	ck_assert_int_eq(state_open(directory, &state, &failure), -EACCES);
	ck_assert_msg(strstr(failure.text, "0770") != NULL, "%s", failure.text);
	ck_assert_int_eq(chmod(directory, 0755), 0);
	state_close(open_state());
}
END_TEST

START_TEST(a_path_that_is_no_directory_is_refused)
{
	struct state *state;
	struct failure failure;
	int fd = open(directory, O_WRONLY | O_CREAT, 0600);

	close(fd);
	ck_assert_int_eq(state_open(directory, &state, &failure), -ENOTDIR);
	ck_assert_ptr_nonnull(strstr(failure.text, directory));
	snprintf(directory, sizeof(directory), "%s/no/such", base);
	ck_assert_int_eq(state_open(directory, &state, &failure), -ENOENT);
	ck_assert_ptr_nonnull(strstr(failure.text, directory));
}
END_TEST

/* Root may write anywhere, so the one who tries is somebody else. */
START_TEST(a_read_only_directory_is_refused_in_words)
{
	int status;
	pid_t child;

	ck_assert_int_eq(mkdir(directory, 0700), 0);
	ck_assert_int_eq(chmod(base, 0755), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(chown(directory, 65534, 65534), 0);
	ck_assert_int_eq(chmod(directory, 0500), 0);
	child = fork();
	if (child == 0) {
		struct state *state;
		struct failure failure;

		if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
			_exit(2);
		if (state_open(directory, &state, &failure) != -EACCES)
			_exit(3);
		_exit(strstr(failure.text, directory) == NULL ? 4 : 0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(chmod(directory, 0700), 0);
}
END_TEST

/* A store that runs out of space keeps what was there, gives its space back, and works again. */
static void store_too_much(struct state *state, int want)
{
	static char big[1 << 20];
	struct failure failure;

	memset(big, 'b', sizeof(big));
	ck_assert_int_eq(state_store(state, "list", big, sizeof(big), &failure), want);
	ck_assert_msg(strstr(failure.text, path_of("list")) != NULL, "%s", failure.text);
	assert_content(state, "list", "the one before");
	ck_assert_int_eq(access(path_of(".list.tmp"), F_OK), -1);
}

START_TEST(a_store_beyond_the_file_size_limit_keeps_the_file_before)
{
	struct state *state = open_state();
	struct rlimit limit = {.rlim_cur = 4096, .rlim_max = RLIM_INFINITY}, before;

	ck_assert_ptr_ne(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit.rlim_max = before.rlim_max;
	ck_assert_int_eq(state_store(state, "list", "the one before", 14, NULL), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	store_too_much(state, -EFBIG);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	ck_assert_int_eq(state_store(state, "list", "next", 4, NULL), 0);
	assert_content(state, "list", "next");
	state_close(state);
}
END_TEST

START_TEST(a_full_disk_keeps_the_file_before)
{
	struct state *state;

	/* In a mount namespace of its own; without the right to one, the test above stands for it.
	 */
	if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mkdir(directory, 0700) != 0 ||
	    mount("tmpfs", directory, "tmpfs", 0, "size=64k,mode=0700") != 0) {
		fprintf(stderr,
			"skipped: a_full_disk_keeps_the_file_before (cannot mount a tmpfs)\n");
		return;
	}
	state = open_state();
	ck_assert_int_eq(state_store(state, "list", "the one before", 14, NULL), 0);
	store_too_much(state, -ENOSPC);
	ck_assert_int_eq(state_store(state, "list", "next", 4, NULL), 0);
	assert_content(state, "list", "next");
	state_close(state);
	ck_assert_int_eq(umount(directory), 0);
}
END_TEST

START_TEST(a_leftover_of_a_crash_is_written_over)
{
	struct state *state = open_state();

	write_file(".register.tmp", "half a regi", 11);
	ck_assert_int_eq(state_store(state, "register", "new", 3, NULL), 0);
	assert_content(state, "register", "new");
	ck_assert_int_eq(access(path_of(".register.tmp"), F_OK), -1);
	state_close(state);
}
END_TEST

START_TEST(a_removed_file_is_gone_and_may_be_gone_already)
{
	struct state *state = open_state();
	void *bytes;
	size_t length;

	ck_assert_int_eq(state_store(state, "mark", "x", 1, NULL), 0);
	ck_assert_int_eq(state_remove(state, "mark", NULL), 0);
	ck_assert_int_eq(state_load(state, "mark", 10, &bytes, &length, NULL), -ENOENT);
	ck_assert_int_eq(state_remove(state, "mark", NULL), 0);
	state_close(state);
}
END_TEST

struct seen {
	int count;
	char names[200];
};

static void see(const char *name, void *context)
{
	struct seen *seen = context;

	seen->count++;
	strcat(strcat(seen->names, name), " ");
}

START_TEST(each_shows_the_files_of_a_prefix_and_no_temporary_ones)
{
	struct state *state = open_state();
	struct seen seen = {0};

	ck_assert_int_eq(state_store(state, "mark.a", "x", 1, NULL), 0);
	ck_assert_int_eq(state_store(state, "mark.b", "x", 1, NULL), 0);
	ck_assert_int_eq(state_store(state, "register", "x", 1, NULL), 0);
	write_file(".mark.c.tmp", "x", 1);
	ck_assert_int_eq(state_each(state, "mark.", see, &seen, NULL), 0);
	ck_assert_int_eq(seen.count, 2);
	ck_assert_ptr_nonnull(strstr(seen.names, "mark.a "));
	ck_assert_ptr_nonnull(strstr(seen.names, "mark.b "));
	memset(&seen, 0, sizeof(seen));
	ck_assert_int_eq(state_each(state, "", see, &seen, NULL), 0);
	ck_assert_int_eq(seen.count, 3);
	state_close(state);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("daemon/state");
	TCase *tcase = tcase_create("state");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, what_was_stored_is_loaded_after_a_restart);
	tcase_add_test(tcase, an_absent_file_is_not_a_damaged_one);
	tcase_add_test(tcase, every_truncation_is_noticed);
	tcase_add_test(tcase, every_changed_byte_is_noticed);
	tcase_add_test(tcase, what_is_not_a_state_file_is_foreign);
	tcase_add_test(tcase, a_file_over_the_bound_is_refused);
	tcase_add_test(tcase, names_that_leave_the_directory_are_refused);
	tcase_add_test(tcase, the_second_opener_is_told_who_is_there);
	tcase_add_test(tcase, a_killed_agent_leaves_no_lock);
	tcase_add_test(tcase, a_directory_that_others_may_write_is_refused);
	tcase_add_test(tcase, a_path_that_is_no_directory_is_refused);
	tcase_add_test(tcase, a_read_only_directory_is_refused_in_words);
	tcase_add_test(tcase, a_store_beyond_the_file_size_limit_keeps_the_file_before);
	tcase_add_test(tcase, a_full_disk_keeps_the_file_before);
	tcase_add_test(tcase, a_leftover_of_a_crash_is_written_over);
	tcase_add_test(tcase, a_removed_file_is_gone_and_may_be_gone_already);
	tcase_add_test(tcase, each_shows_the_files_of_a_prefix_and_no_temporary_ones);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
