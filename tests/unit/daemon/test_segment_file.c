/* The segment as an object with a name: made, taken up by the next agent, locked, refused. */
#include <errno.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "segment_rig.h"

/* ---- creating and taking up */

START_TEST(a_new_segment_is_readable_by_all_whatever_the_umask)
{
	struct client client;
	struct mcr_plan plan;
	struct stat status;

	(void)umask(0777);
	open_segment();
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0644);
	ck_assert_int_eq(status.st_size, SEGMENT_TOTAL_BYTES);
	ck_assert_int_ge(status.st_blocks * 512, SEGMENT_TOTAL_BYTES);
	ck_assert_int_eq(stat(lock_path, &status), 0);
	client = client_open();
	ck_assert_int_eq(mcr_begin(client.reader, MCR_OP_GET, "k", 1, &plan), MCR_NOT_READY);
	ck_assert_uint_eq(publish(MCR_STEADY), 1);
	ck_assert_int_eq(mcr_begin(client.reader, MCR_OP_GET, "k", 1, &plan), MCR_OK);
	client_close(&client);
	segment_close(segment);
	segment = NULL;
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_int_eq(stat(lock_path, &status), -1);
}
END_TEST

START_TEST(a_restarted_agent_goes_on_in_the_same_object)
{
	struct stat before, after;
	struct client client;
	struct mcr_plan plan;
	uint64_t published_ns, incarnation;
	uint8_t *bytes;

	open_segment();
	ck_assert_uint_eq(segment_generation(segment, &published_ns), 0);
	ck_assert_uint_eq(published_ns, 0);
	publish(MCR_STEADY);
	ck_assert_uint_eq(publish(MCR_PREPARE), 2);
	segment_lease(segment, 4711);
	client = client_open();
	bytes = bytes_map();
	incarnation = u64_at(bytes, 96);
	ck_assert_int_eq(stat(path, &before), 0);
	segment_close(segment);
	open_segment();
	ck_assert_int_eq(stat(path, &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	ck_assert_uint_ne(u64_at(bytes, 96), incarnation);
	ck_assert_uint_eq(segment_generation(segment, &published_ns), 2);
	ck_assert_uint_eq(published_ns, NOW_NS);
	ck_assert_uint_eq(segment_lease_read(segment), 4711);
	/* The first one is new though it says the same: by it readers find the incarnation. */
	ck_assert_uint_eq(publish(MCR_PREPARE), 3);
	ck_assert_uint_eq(publish(MCR_PREPARE), 3);
	ck_assert_uint_eq(publish(MCR_COPY), 4);
	ck_assert_int_eq(mcr_begin(client.reader, MCR_OP_GET, "k", 1, &plan), MCR_OK);
	ck_assert_uint_eq(plan.generation, 4);
	ck_assert_uint_eq(plan.phase, MCR_COPY);
	bytes_unmap(bytes);
	client_close(&client);
}
END_TEST

START_TEST(a_second_writer_is_told_who_writes)
{
	struct segment *second = NULL;
	char pid[16];

	open_segment();
	ck_assert_int_eq(segment_open(name, "web", &second, &failure), -EBUSY);
	ck_assert_ptr_null(second);
	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	ck_assert_msg(strstr(failure.text, pid) != NULL, "%s", failure.text);
	ck_assert_msg(strstr(failure.text, name) != NULL, "%s", failure.text);
	segment_close(segment);
	segment = NULL;
	open_segment();
}
END_TEST

START_TEST(a_writer_that_was_killed_holds_no_lock)
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		open_segment();
		publish(MCR_STEADY);
		(void)raise(SIGKILL);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	open_segment();
	ck_assert_uint_eq(segment_generation(segment, NULL), 1);
}
END_TEST

START_TEST(a_readers_lock_keeps_no_agent_out)
{
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
	int fd;

	open_segment();
	segment_close(segment);
	segment = NULL;
	fd = open(path, O_RDONLY);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	ck_assert_int_eq(fcntl(fd, F_OFD_SETLK, &lock), 0);
	open_segment();
	(void)close(fd);
}
END_TEST

START_TEST(names_that_are_none_are_refused)
{
	static const char *const names[] = {"", "/", "web", "/a/b", "/.", "/..", "a/b"};
	char longest[300];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_int_eq(segment_open(names[i], "web", &segment, &failure), -EINVAL);
	memset(longest, 'x', sizeof(longest));
	longest[0] = '/';
	longest[251] = '\0';
	ck_assert_int_eq(segment_open(longest, "web", &segment, &failure), -EINVAL);
	longest[101] = '\0';
	ck_assert_int_eq(segment_open(name, longest + 1, &segment, &failure), -EINVAL);
	ck_assert_ptr_null(segment);
	ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

START_TEST(without_room_nothing_is_left_behind)
{
	const struct rlimit limit = {1 << 20, 1 << 20};

	/* What a full tmpfs says to the allocation, the file size limit says too. */
	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_eq(segment_open(name, "web", &segment, &failure), -EFBIG);
	ck_assert_msg(strstr(failure.text, path) != NULL, "%s", failure.text);
	ck_assert_ptr_null(segment);
	ck_assert_int_eq(access(path, F_OK), -1);
	ck_assert_int_eq(access(lock_path, F_OK), -1);
}
END_TEST

/* ---- what is there and is not ours */

/* Refused with a sentence that has `word`, and not a byte of the object is another. */
static void expect_refused(int error, const char *word)
{
	static uint8_t before[SEGMENT_TOTAL_BYTES + 64], after[SEGMENT_TOTAL_BYTES + 64];
	int fd = open(path, O_RDONLY | O_NONBLOCK);
	struct stat status_before, status_after;
	ssize_t got = 0;

	ck_assert_int_eq(lstat(path, &status_before), 0);
	if (S_ISREG(status_before.st_mode))
		got = pread(fd, before, sizeof(before), 0);
	failure.text[0] = '\0';
	ck_assert_int_eq(segment_open(name, "web", &segment, &failure), error);
	ck_assert_ptr_null(segment);
	ck_assert_msg(strstr(failure.text, path) != NULL, "%s", failure.text);
	ck_assert_msg(strstr(failure.text, word) != NULL, "%s", failure.text);
	ck_assert_int_eq(lstat(path, &status_after), 0);
	ck_assert_uint_eq(status_before.st_ino, status_after.st_ino);
	ck_assert_uint_eq(status_before.st_mode, status_after.st_mode);
	if (S_ISREG(status_before.st_mode)) {
		ck_assert_int_eq(pread(fd, after, sizeof(after), 0), got);
		ck_assert_int_eq(memcmp(before, after, (size_t)got), 0);
	}
	(void)close(fd);
}

START_TEST(another_magic_or_cluster_is_refused)
{
	uint8_t *bytes = leave_one();
	uint8_t header[448];

	memcpy(header, bytes, sizeof(header));
	bytes[0] = 'M';
	expect_refused(-EBADMSG, "magic");
	memcpy(bytes, header, sizeof(header));
	bytes[34] = 'x';
	expect_refused(-EBADMSG, "\"wex\", want \"web\"");
	memcpy(bytes, header, sizeof(header));
	memset(bytes + 32, 'w', 64);
	expect_refused(-EBADMSG, "want \"web\"");
	memcpy(bytes, header, sizeof(header));
	open_segment();
	bytes_unmap(bytes);
}
END_TEST

START_TEST(another_size_is_refused)
{
	bytes_unmap(leave_one());
	ck_assert_int_eq(truncate(path, SEGMENT_TOTAL_BYTES - 1), 0);
	expect_refused(-EBADMSG, "2641919 bytes, its header says 2641920");
	ck_assert_int_eq(truncate(path, SEGMENT_TOTAL_BYTES + 1), 0);
	expect_refused(-EBADMSG, "2641921 bytes");
	ck_assert_int_eq(truncate(path, 0), 0);
	expect_refused(-EBADMSG, "0 bytes");
}
END_TEST

START_TEST(another_mode_is_refused)
{
	bytes_unmap(leave_one());
	ck_assert_int_eq(chmod(path, 0666), 0);
	expect_refused(-EPERM, "mode 0666, want 0644");
	ck_assert_int_eq(chmod(path, 0600), 0);
	expect_refused(-EPERM, "mode 0600, want 0644");
}
END_TEST

START_TEST(a_symbolic_link_a_fifo_and_a_directory_are_refused)
{
	char target[128];

	bytes_unmap(leave_one());
	(void)snprintf(target, sizeof(target), "%s.target", path);
	ck_assert_int_eq(rename(path, target), 0);
	ck_assert_int_eq(symlink(target, path), 0);
	expect_refused(-EPERM, "symbolic link");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(unlink(target), 0);
	ck_assert_int_eq(symlink("/nowhere", path), 0);
	expect_refused(-EPERM, "symbolic link");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0644), 0);
	expect_refused(-EPERM, "not a regular file");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	expect_refused(-EISDIR, "directory");
	ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

START_TEST(another_users_segment_is_refused)
{
	bytes_unmap(leave_one());
	ck_assert_int_eq(chown(path, 54321, (gid_t)-1), 0);
	expect_refused(-EPERM, "owned by user 54321, want 0");
}
END_TEST

START_TEST(another_users_lock_file_is_refused)
{
	const int fd = open(lock_path, O_CREAT | O_RDWR, 0666);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fchown(fd, 54321, (gid_t)-1), 0);
	(void)close(fd);
	/* The kernel may refuse it first (fs.protected_regular). */
	ck_assert_int_lt(segment_open(name, "web", &segment, &failure), 0);
	ck_assert_msg(strstr(failure.text, lock_path) != NULL, "%s", failure.text);
	ck_assert_int_eq(access(lock_path, F_OK), 0);
	ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("daemon/segment_file");
	TCase *tests = tcase_create("file");

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_new_segment_is_readable_by_all_whatever_the_umask);
	tcase_add_test(tests, a_restarted_agent_goes_on_in_the_same_object);
	tcase_add_test(tests, a_second_writer_is_told_who_writes);
	tcase_add_test(tests, a_writer_that_was_killed_holds_no_lock);
	tcase_add_test(tests, a_readers_lock_keeps_no_agent_out);
	tcase_add_test(tests, names_that_are_none_are_refused);
	tcase_add_test(tests, without_room_nothing_is_left_behind);
	tcase_add_test(tests, another_magic_or_cluster_is_refused);
	tcase_add_test(tests, another_size_is_refused);
	tcase_add_test(tests, another_mode_is_refused);
	tcase_add_test(tests, a_symbolic_link_a_fifo_and_a_directory_are_refused);
	if (geteuid() == 0) {
		tcase_add_test(tests, another_users_segment_is_refused);
		tcase_add_test(tests, another_users_lock_file_is_refused);
	} else {
		(void)fprintf(stderr,
			      "daemon/segment_file: two tests of other users' files need root\n");
	}
	return suite_run(suite);
}
