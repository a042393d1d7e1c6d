/* test_socket.c - a connection is found by its two ends, and nothing else is taken for it. */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "socket.h"

union address {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
};

static socklen_t address_make(union address *address, const char *host, uint16_t port)
{
	*address = (union address){.any.sa_family = AF_UNSPEC};
	if (inet_pton(AF_INET, host, &address->four.sin_addr) == 1) {
		address->four.sin_family = AF_INET;
		address->four.sin_port = htons(port);
		return sizeof(address->four);
	}
	ck_assert_int_eq(inet_pton(AF_INET6, host, &address->six.sin6_addr), 1);
	address->six.sin6_family = AF_INET6;
	address->six.sin6_port = htons(port);
	return sizeof(address->six);
}

/* The port is the one that is there where it is 0. */
static int bound(const char *host, uint16_t *port)
{
	union address address;
	socklen_t bytes = address_make(&address, host, *port);
	const int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	ck_assert_int_eq(bind(fd, &address.any, bytes), 0);
	ck_assert_int_eq(getsockname(fd, &address.any, &bytes), 0);
	*port =
	    ntohs(address.any.sa_family == AF_INET ? address.four.sin_port : address.six.sin6_port);
	return fd;
}

static int listening(const char *host, uint16_t *port)
{
	const int fd = bound(host, port);

	ck_assert_int_eq(listen(fd, 8), 0);
	return fd;
}

static void connect_there(int fd, const char *host, uint16_t port)
{
	union address address;
	const socklen_t bytes = address_make(&address, host, port);

	ck_assert_int_eq(connect(fd, &address.any, bytes), 0);
}

/* From one local port to two hosts and to two ports of one. */
START_TEST(each_connection_is_told_from_those_that_share_an_end)
{
	uint16_t local = 0, one = 0, other = 0;
	const int listen_one = listening("127.0.0.1", &one),
		  listen_there = listening("127.0.0.2", &one),
		  listen_other = listening("127.0.0.1", &other);
	const int to_one = bound("127.0.0.1", &local), to_there = bound("127.0.0.1", &local),
		  to_other = bound("127.0.0.1", &local);
	uint16_t second = 0;
	const int again = bound("127.0.0.1", &second);

	connect_there(to_one, "127.0.0.1", one);
	connect_there(to_there, "127.0.0.2", one);
	connect_there(to_other, "127.0.0.1", other);
	connect_there(again, "127.0.0.1", one);
	ck_assert_int_eq(mcr_socket_find(local, "127.0.0.1", one), to_one);
	ck_assert_int_eq(mcr_socket_find(local, "127.0.0.2", one), to_there);
	ck_assert_int_eq(mcr_socket_find(local, "127.0.0.1", other), to_other);
	ck_assert_int_eq(mcr_socket_find(second, "127.0.0.1", one), again);
	ck_assert_int_eq(mcr_socket_find(second, "127.0.0.1", other), -1);
	(void)close(to_one);
	ck_assert_int_eq(mcr_socket_find(local, "127.0.0.1", one), -1);
	(void)close(to_there);
	(void)close(to_other);
	(void)close(again);
	(void)close(listen_one);
	(void)close(listen_there);
	(void)close(listen_other);
}
END_TEST

START_TEST(what_is_no_connection_is_not_found)
{
	uint16_t listened = 0, idle = 0;
	const int listener = listening("127.0.0.1", &listened),
		  unconnected = bound("127.0.0.1", &idle);

	ck_assert_int_eq(mcr_socket_find(listened, "127.0.0.1", listened), -1);
	ck_assert_int_eq(mcr_socket_find(idle, "127.0.0.1", listened), -1);
	ck_assert_int_eq(mcr_socket_find(0, "127.0.0.1", listened), -1);
	ck_assert_int_eq(mcr_socket_find(idle, "127.0.0.1", 0), -1);
	(void)close(unconnected);
	(void)close(listener);
}
END_TEST

START_TEST(addresses_of_both_families_are_known_and_names_are_not)
{
	uint16_t local = 0, port = 0;
	const int listener = listening("::1", &port), connection = bound("::1", &local);

	connect_there(connection, "::1", port);
	ck_assert_int_eq(mcr_socket_find(local, "::1", port), connection);
	ck_assert_int_eq(mcr_socket_find(local, "0:0::1", port), connection);
	ck_assert_int_eq(mcr_socket_find(local, "::2", port), -1);
	ck_assert_int_eq(mcr_socket_find(local, "127.0.0.1", port), -1);
	ck_assert_int_eq(mcr_socket_find(local, "localhost", port), -1);
	(void)close(connection);
	(void)close(listener);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("socket");
	TCase *tests = tcase_create("find");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, each_connection_is_told_from_those_that_share_an_end);
	tcase_add_test(tests, what_is_no_connection_is_not_found);
	tcase_add_test(tests, addresses_of_both_families_are_known_and_names_are_not);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
