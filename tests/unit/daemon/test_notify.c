/* test_notify.c - what the service manager gets, from both kinds of socket. */
#include "daemon/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <check.h>

static char base[64], path[96];

static void set_up(void)
{
	strcpy(base, "/tmp/mcroster-notify.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(base));
	snprintf(path, sizeof(path), "%s/socket", base);
}

static void tear_down(void)
{
	unlink(path);
	ck_assert_int_eq(rmdir(base), 0);
}

/* A manager that listens on `name`. */
static int manager(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	memcpy(address.sun_path, name, strlen(name));
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
			 0);
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", name, 1), 0);
	return fd;
}

static void assert_received(int fd, const char *want)
{
	char got[8192];
	ssize_t n = recv(fd, got, sizeof(got), 0);

	ck_assert_int_eq(n, (ssize_t)strlen(want));
	ck_assert_mem_eq(got, want, strlen(want));
	ck_assert_int_eq(recv(fd, got, sizeof(got), 0), -1);
}

START_TEST(without_a_manager_nothing_is_sent)
{
	ck_assert_int_eq(unsetenv("NOTIFY_SOCKET"), 0);
	ck_assert_int_eq(notify_send(NOTIFY_READY, NULL), 0);
}
END_TEST

START_TEST(ready_arrives_at_a_path)
{
	int fd = manager(path);

	ck_assert_int_eq(notify_send(NOTIFY_READY, NULL), 1);
	assert_received(fd, "READY=1");
	ck_assert_int_eq(notify_send(NOTIFY_STOPPING "\nSTATUS=bye", NULL), 1);
	assert_received(fd, "STOPPING=1\nSTATUS=bye");
	close(fd);
}
END_TEST

START_TEST(ready_arrives_at_an_abstract_name)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "@mcroster-test-notify-%ld", (long)getpid());
	fd = manager(name);
	ck_assert_int_eq(notify_send(NOTIFY_READY, NULL), 1);
	assert_received(fd, "READY=1");
	close(fd);
}
END_TEST

START_TEST(a_name_that_is_none_is_refused_in_words)
{
	static const char *const bad[] = {"", "/", "relative", "vsock:2:1234"};
	char long_name[200];
	struct failure failure;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		ck_assert_int_eq(setenv("NOTIFY_SOCKET", bad[i], 1), 0);
		ck_assert_int_eq(notify_send(NOTIFY_READY, &failure), -EINVAL);
		ck_assert_ptr_nonnull(strstr(failure.text, bad[i]));
		ck_assert_ptr_nonnull(strstr(failure.text, "NOTIFY_SOCKET"));
	}
	memset(long_name, '/', sizeof(long_name));
	long_name[108] = '\0';
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", long_name, 1), 0);
	ck_assert_int_eq(notify_send(NOTIFY_READY, &failure), -EINVAL);
}
END_TEST

START_TEST(a_manager_that_is_gone_or_does_not_read_is_an_error)
{
	struct failure failure;
	int fd, error;

	ck_assert_int_eq(setenv("NOTIFY_SOCKET", path, 1), 0);
	ck_assert_int_eq(notify_send(NOTIFY_READY, &failure), -ENOENT);
	ck_assert_ptr_nonnull(strstr(failure.text, path));
	fd = manager(path);
	do
		error = notify_send(NOTIFY_READY, &failure);
	while (error == 1); /* until its queue is full: then it must not block */
	ck_assert_int_eq(error, -EAGAIN);
	close(fd);
}
END_TEST

START_TEST(a_message_over_the_bound_is_refused)
{
	char big[4098];
	int fd = manager(path);

	memset(big, 'x', sizeof(big));
	big[4097] = '\0';
	ck_assert_int_eq(notify_send(big, NULL), -EMSGSIZE);
	big[4096] = '\0';
	ck_assert_int_eq(notify_send(big, NULL), 1);
	assert_received(fd, big);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("daemon/notify");
	TCase *tcase = tcase_create("notify");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, without_a_manager_nothing_is_sent);
	tcase_add_test(tcase, ready_arrives_at_a_path);
	tcase_add_test(tcase, ready_arrives_at_an_abstract_name);
	tcase_add_test(tcase, a_name_that_is_none_is_refused_in_words);
	tcase_add_test(tcase, a_manager_that_is_gone_or_does_not_read_is_an_error);
	tcase_add_test(tcase, a_message_over_the_bound_is_refused);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
