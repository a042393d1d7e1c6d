/* A segment that is not gone on in, of another version or taken away: another one takes its place,
 * and whoever has it mapped is told. */
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "segment_rig.h"

#define ANOTHER_LAYOUT 99u

static void u32_set(uint8_t *bytes, size_t at, uint32_t value)
{
	memcpy(bytes + at, &value, sizeof(value));
}

static ino_t inode_of(const char *file_name)
{
	struct stat status;

	ck_assert_int_eq(stat(file_name, &status), 0);
	return status.st_ino;
}

/* A good segment with its client, which then turns out to be of another layout. */
static struct client leave_another(struct mcr_plan *plan)
{
	uint8_t *bytes = leave_one();
	const struct client client = client_open();

	ck_assert_int_eq(mcr_begin(client.reader, MCR_OP_SET, "key", 3, plan), MCR_OK);
	u32_set(bytes, 8, ANOTHER_LAYOUT);
	bytes_unmap(bytes);
	return client;
}

START_TEST(its_clients_are_told_and_find_the_new_one)
{
	struct mcr_plan plan, next;
	struct client before = leave_another(&plan), after;
	struct mcr_info info;
	const ino_t inode = inode_of(path);

	open_segment();
	ck_assert_uint_ne(inode_of(path), inode);
	ck_assert_int_eq(mcr_check(before.reader, &plan), MCR_LATE);
	ck_assert_int_eq(mcr_end(before.reader, &plan), MCR_REPEAT);
	ck_assert_int_eq(mcr_begin(before.reader, MCR_OP_SET, "key", 3, &next), MCR_MOVED);
	ck_assert_int_eq(mcr_info(before.mcr, &info), MCR_MOVED);
	ck_assert_int_eq(mcr_wait(before.mcr, plan.generation, -1), MCR_MOVED);
	client_close(&before);
	after = client_open();
	ck_assert_int_eq(mcr_begin(after.reader, MCR_OP_SET, "key", 3, &next), MCR_NOT_READY);
	publish(MCR_STEADY);
	ck_assert_int_eq(mcr_begin(after.reader, MCR_OP_SET, "key", 3, &next), MCR_OK);
	client_close(&after);
}
END_TEST

/* The bare futex without a time-out: nothing but the writer's wake ends it. */
START_TEST(who_sleeps_on_it_is_woken)
{
	uint8_t *bytes = leave_one();
	pid_t pid;
	int status;

	u32_set(bytes, 8, ANOTHER_LAYOUT);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(syscall(SYS_futex, bytes + 256, FUTEX_WAIT, 1, NULL, NULL, 0) == 0 ? 0 : 1);
	for (long number = -1; number != SYS_futex; (void)sched_yield()) {
		char name_of[64];
		FILE *file;

		(void)snprintf(name_of, sizeof(name_of), "/proc/%d/syscall", (int)pid);
		file = fopen(name_of, "r");
		ck_assert_ptr_nonnull(file);
		if (fscanf(file, "%ld", &number) != 1)
			number = -1;
		(void)fclose(file);
	}
	open_segment();
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	bytes_unmap(bytes);
}
END_TEST

START_TEST(an_old_library_says_which_layout_it_reads)
{
	struct mcr_plan plan;
	struct client client = leave_another(&plan);
	struct mcr *mcr = NULL;
	char wanted[32];

	(void)snprintf(wanted, sizeof(wanted), "layout %u", MCR_SEGMENT_LAYOUT);
	ck_assert_int_eq(mcr_open(name, 0, &mcr), MCR_BAD_LAYOUT);
	ck_assert_ptr_null(mcr);
	ck_assert_msg(strstr(mcr_strerror(MCR_BAD_LAYOUT), wanted) != NULL, "%s",
		      mcr_strerror(MCR_BAD_LAYOUT));
	client_close(&client);
}
END_TEST

START_TEST(another_geometry_is_replaced_too)
{
	uint8_t *bytes = leave_one();
	const uint64_t total = 4096 + 4 * 64000;
	const ino_t inode = inode_of(path);

	u32_set(bytes, 16, 64000);
	memcpy(bytes + 24, &total, sizeof(total));
	bytes_unmap(bytes);
	ck_assert_int_eq(truncate(path, (off_t)total), 0);
	open_segment();
	ck_assert_uint_ne(inode_of(path), inode);
	publish(MCR_STEADY);
}
END_TEST

/* Its writer died between telling the clients and taking the name away. */
START_TEST(one_that_was_given_up_already_is_not_taken_up)
{
	uint8_t *bytes = leave_one();
	const ino_t inode = inode_of(path);
	struct client client;
	struct mcr_plan plan;

	u32_set(bytes, 144, 1);
	bytes_unmap(bytes);
	open_segment();
	ck_assert_uint_ne(inode_of(path), inode);
	publish(MCR_STEADY);
	client = client_open();
	ck_assert_int_eq(mcr_begin(client.reader, MCR_OP_SET, "key", 3, &plan), MCR_OK);
	client_close(&client);
}
END_TEST

START_TEST(a_restarted_agent_of_the_same_version_replaces_nothing)
{
	ino_t inode;

	bytes_unmap(leave_one());
	inode = inode_of(path);
	open_segment();
	ck_assert_uint_eq(inode_of(path), inode);
}
END_TEST

/* ---- taken away while its agent lives */

START_TEST(one_that_was_removed_is_made_again_and_says_the_same)
{
	struct client before, after;
	struct mcr_plan plan, next;
	struct mcr_info info_before, info_after;

	open_segment();
	publish(MCR_STEADY);
	publish(MCR_COPY);
	segment_lease(segment, 4711);
	before = client_open();
	ck_assert_int_eq(mcr_begin(before.reader, MCR_OP_SET, "key", 3, &plan), MCR_OK);
	ck_assert_int_eq(mcr_info(before.mcr, &info_before), MCR_OK);
	ck_assert_int_eq(segment_keep(segment, &failure), 0);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(segment_keep(segment, &failure), -ENOENT);
	ck_assert_msg(strstr(failure.text, "removed") != NULL, "%s", failure.text);
	ck_assert_int_eq(segment_keep(segment, &failure), 0);
	ck_assert_int_eq(mcr_begin(before.reader, MCR_OP_SET, "key", 3, &next), MCR_MOVED);
	ck_assert_int_eq(mcr_check(before.reader, &plan), MCR_LATE);
	after = client_open();
	ck_assert_int_eq(mcr_info(after.mcr, &info_after), MCR_OK);
	ck_assert_int_eq(memcmp(&info_before, &info_after, sizeof(info_before)), 0);
	ck_assert_int_eq(mcr_begin(after.reader, MCR_OP_SET, "key", 3, &next), MCR_OK);
	ck_assert_int_eq(memcmp(&plan, &next, sizeof(plan)), 0);
	ck_assert_uint_eq(publish(MCR_SWITCH), 3);
	ck_assert_int_eq(mcr_begin(after.reader, MCR_OP_SET, "key", 3, &next), MCR_OK);
	ck_assert_uint_eq(next.phase, MCR_SWITCH);
	client_close(&before);
	client_close(&after);
}
END_TEST

START_TEST(a_name_that_somebody_else_has_is_said_once_and_left)
{
	struct client client;
	struct mcr_plan plan;
	int fd;

	open_segment();
	publish(MCR_STEADY);
	client = client_open();
	ck_assert_int_eq(unlink(path), 0);
	fd = open(path, O_CREAT | O_EXCL | O_RDWR, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(segment_keep(segment, &failure), -EEXIST);
	ck_assert_msg(strstr(failure.text, path) != NULL, "%s", failure.text);
	ck_assert_int_eq(segment_keep(segment, &failure), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_END), 0);
	/* Who has it mapped goes on. */
	publish(MCR_COPY);
	ck_assert_int_eq(mcr_begin(client.reader, MCR_OP_SET, "key", 3, &plan), MCR_OK);
	ck_assert_uint_eq(plan.phase, MCR_COPY);
	/* When it is gone the segment is made again. */
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(segment_keep(segment, &failure), -ENOENT);
	(void)close(fd);
	client_close(&client);
}
END_TEST

START_TEST(without_room_the_clients_that_have_it_go_on)
{
	const struct rlimit limit = {1 << 20, 1 << 20};
	struct client client;
	struct mcr_plan plan;

	open_segment();
	publish(MCR_STEADY);
	client = client_open();
	ck_assert_int_eq(unlink(path), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_eq(segment_keep(segment, &failure), -EFBIG);
	ck_assert_int_eq(access(path, F_OK), -1);
	publish(MCR_COPY);
	ck_assert_int_eq(mcr_begin(client.reader, MCR_OP_SET, "key", 3, &plan), MCR_OK);
	ck_assert_uint_eq(plan.phase, MCR_COPY);
	client_close(&client);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("daemon/segment_replace");
	TCase *tests = tcase_create("replace");

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, its_clients_are_told_and_find_the_new_one);
	tcase_add_test(tests, who_sleeps_on_it_is_woken);
	tcase_add_test(tests, an_old_library_says_which_layout_it_reads);
	tcase_add_test(tests, another_geometry_is_replaced_too);
	tcase_add_test(tests, one_that_was_given_up_already_is_not_taken_up);
	tcase_add_test(tests, a_restarted_agent_of_the_same_version_replaces_nothing);
	tcase_add_test(tests, one_that_was_removed_is_made_again_and_says_the_same);
	tcase_add_test(tests, a_name_that_somebody_else_has_is_said_once_and_left);
	tcase_add_test(tests, without_room_the_clients_that_have_it_go_on);
	return suite_run(suite);
}
