/* test_watchdog.c - when the service manager is fed, and when not. */
#include "daemon/watchdog.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <check.h>

static int manager;

static void set_up(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char name[64];

	snprintf(name, sizeof(name), "@mcroster-test-watchdog-%ld", (long)getpid());
	memcpy(address.sun_path + 1, name + 1, strlen(name) - 1);
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(manager, (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
			 0);
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", name, 1), 0);
	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
}

static void tear_down(void)
{
	close(manager);
}

static unsigned fed(void)
{
	char got[64];
	ssize_t n;
	unsigned count = 0;

	while ((n = recv(manager, got, sizeof(got), 0)) >= 0) {
		ck_assert_int_eq(n, 10);
		ck_assert_mem_eq(got, "WATCHDOG=1", 10);
		count++;
	}
	return count;
}

START_TEST(it_is_fed_twice_in_the_time_and_no_oftener)
{
	struct watchdog watchdog;
	unsigned count = 0;

	setenv("WATCHDOG_USEC", "1000000", 1);
	ck_assert_int_eq(watchdog_start(&watchdog, NULL), 0);
	for (uint64_t now_ms = 5000; now_ms < 10000; now_ms += 10) {
		watchdog_feed(&watchdog, now_ms);
		count += fed();
	}
	ck_assert_uint_eq(count, 10);
}
END_TEST

START_TEST(nobody_is_fed_who_does_not_ask)
{
	struct watchdog watchdog;

	ck_assert_int_eq(watchdog_start(&watchdog, NULL), 0);
	watchdog_feed(&watchdog, 5000);
	ck_assert_uint_eq(fed(), 0);
}
END_TEST

START_TEST(what_is_meant_for_another_process_is_not_ours)
{
	struct watchdog watchdog;
	char pid[24];

	setenv("WATCHDOG_USEC", "1000000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	ck_assert_int_eq(watchdog_start(&watchdog, NULL), 0);
	watchdog_feed(&watchdog, 5000);
	ck_assert_uint_eq(fed(), 0);
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	ck_assert_int_eq(watchdog_start(&watchdog, NULL), 0);
	watchdog_feed(&watchdog, 5000);
	ck_assert_uint_eq(fed(), 1);
}
END_TEST

START_TEST(what_was_not_taken_is_sent_again)
{
	struct watchdog watchdog;

	setenv("WATCHDOG_USEC", "1000000", 1);
	ck_assert_int_eq(watchdog_start(&watchdog, NULL), 0);
	tear_down();
	watchdog_feed(&watchdog, 5000);
	set_up();
	watchdog_feed(&watchdog, 5010);
	ck_assert_uint_eq(fed(), 1);
}
END_TEST

START_TEST(a_time_that_is_none_is_refused)
{
	static const char *const wrong[] = {"",	    "soon", "-1",
					    "1999", "1e9",  "99999999999999999999"};
	struct watchdog watchdog;
	struct failure failure;

	setenv("WATCHDOG_USEC", wrong[_i], 1);
	ck_assert_int_eq(watchdog_start(&watchdog, &failure), -EINVAL);
	ck_assert_ptr_nonnull(strstr(failure.text, "WATCHDOG_USEC: found '"));
	watchdog_feed(&watchdog, 5000);
	ck_assert_uint_eq(fed(), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("watchdog");
	TCase *tests = tcase_create("watchdog");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, it_is_fed_twice_in_the_time_and_no_oftener);
	tcase_add_test(tests, nobody_is_fed_who_does_not_ask);
	tcase_add_test(tests, what_is_meant_for_another_process_is_not_ours);
	tcase_add_test(tests, what_was_not_taken_is_sent_again);
	tcase_add_loop_test(tests, a_time_that_is_none_is_refused, 0, 6);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
