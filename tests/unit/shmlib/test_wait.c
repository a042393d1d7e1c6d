/* Waiting for a generation, in processes of their own. */
#include "toy_segment.h"

#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static struct toy toy;
static struct mcr *mcr;

static void setup(void)
{
	toy_make(&toy, NULL);
	ck_assert_int_eq(mcr_attach_fd(toy.fd, 0, &mcr), MCR_OK);
}

static void teardown(void)
{
	mcr_close(mcr);
	toy_free(&toy);
}

START_TEST(answers_at_once_when_the_generation_differs)
{
	toy_publish(&toy, 1, MCR_STEADY);
	ck_assert_int_eq(mcr_wait(mcr, 0, -1), MCR_OK);
	ck_assert_int_eq(mcr_wait(mcr, 2, 1000), MCR_OK);
}
END_TEST

START_TEST(times_out)
{
	ck_assert_int_eq(mcr_wait(mcr, 0, 0), MCR_TIMED_OUT);
	ck_assert_int_eq(mcr_wait(mcr, 0, 20), MCR_TIMED_OUT);
	ck_assert_int_eq(mcr_wait(NULL, 0, 0), MCR_BAD_ARGUMENT);
}
END_TEST

static bool is_asleep(pid_t pid)
{
	long number = -1;
	char path[64];
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/syscall", (int)pid);
	file = fopen(path, "r");
	if (file == NULL)
		return false;
	if (fscanf(file, "%ld", &number) != 1)
		number = -1;
	(void)fclose(file);
	return number == SYS_futex;
}

static pid_t waiter_start(int timeout_ms)
{
	const pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(-mcr_wait(mcr, 0, timeout_ms));
	while (!is_asleep(pid) && waitpid(pid, NULL, WNOHANG) == 0)
		(void)sched_yield();
	return pid;
}

static int waiter_result(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

START_TEST(all_waiters_are_woken_by_a_publication)
{
	pid_t pids[3];
	long woken;

	for (int i = 0; i < 3; i++)
		pids[i] = waiter_start(-1);
	toy_publish(&toy, 1, MCR_STEADY);
	/* As the writer does it: shared, not private.  It says how many it woke. */
	woken = syscall(SYS_futex, &toy.header->generation, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
	ck_assert_int_ge(woken, 1);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(waiter_result(pids[i]), MCR_OK);
}
END_TEST

static void nothing(int number)
{
	(void)number;
}

START_TEST(a_signal_does_not_end_the_waiting)
{
	const struct sigaction action = {.sa_handler = nothing};
	pid_t pid;

	ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
	pid = waiter_start(-1);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(kill(pid, SIGUSR1), 0);
	ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
	toy_publish(&toy, 1, MCR_STEADY);
	(void)syscall(SYS_futex, &toy.header->generation, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
	ck_assert_int_eq(waiter_result(pid), MCR_OK);
}
END_TEST

START_TEST(a_replaced_segment_ends_the_waiting)
{
	const pid_t pid = waiter_start(-1);

	__atomic_store_n(&toy.header->moved, 1, __ATOMIC_RELAXED);
	(void)syscall(SYS_futex, &toy.header->generation, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
	ck_assert_int_eq(waiter_result(pid), MCR_MOVED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shmlib/wait");
	TCase *tests = tcase_create("wait");

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, answers_at_once_when_the_generation_differs);
	tcase_add_test(tests, times_out);
	tcase_add_test(tests, all_waiters_are_woken_by_a_publication);
	tcase_add_test(tests, a_signal_does_not_end_the_waiting);
	tcase_add_test(tests, a_replaced_segment_ends_the_waiting);
	return toy_run(suite);
}
