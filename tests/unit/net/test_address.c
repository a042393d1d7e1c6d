/* test_address.c - numeric addresses, and nothing else. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "net/address.h"

static const char *const good[] = {
    "10.0.0.1:11280", "0.0.0.0:1",  "255.255.255.255:65535",
    "[::1]:11280",    "[::]:65535", "[fe80:1111:2222:3333:4444:5555:6666:7777]:11211",
};

START_TEST(good_addresses_come_back_as_the_same_text)
{
	struct sockaddr_storage address;
	socklen_t length = 0;
	char text[ADDRESS_TEXT_BYTES];

	ck_assert_int_eq(address_parse(good[_i], &address, &length), 0);
	ck_assert_uint_eq(length, good[_i][0] == '[' ? sizeof(struct sockaddr_in6)
						     : sizeof(struct sockaddr_in));
	address_format((const struct sockaddr *)&address, text);
	ck_assert_str_eq(text, good[_i]);
}
END_TEST

static const char *const bad[] = {
    "",
    ":",
    ":11280",
    "10.0.0.1",
    "10.0.0.1:",
    "10.0.0.1:0",
    "10.0.0.1:65536",
    "10.0.0.1:99999",
    "10.0.0.1:011",
    "10.0.0.1:+1",
    "10.0.0.1: 1",
    "10.0.0.1:1 ",
    "10.0.0.1:123456",
    "10.0.0:1",
    "10.0.0.256:1",
    "localhost:1",
    "::1:11280",
    "[::1]",
    "[::1]:",
    "[::1:1",
    "[]:1",
    "[:1",
    "[::g]:1",
    "[10.0.0.1]:1",
    "[::1]x:1",
    "[fe80:1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa]:11211",
};

START_TEST(anything_else_is_refused_and_nothing_is_written)
{
	struct sockaddr_storage address, before;
	socklen_t length = 77;

	memset(&address, 0x33, sizeof(address));
	before = address;
	ck_assert_int_eq(address_parse(bad[_i], &address, &length), -EINVAL);
	ck_assert_uint_eq(length, 77);
	ck_assert_mem_eq(&address, &before, sizeof(before));
}
END_TEST

START_TEST(the_bytes_are_those_the_kernel_takes)
{
	struct sockaddr_storage address;
	struct sockaddr_in v4;
	socklen_t length;

	ck_assert_int_eq(address_parse("127.0.0.1:258", &address, &length), 0);
	memcpy(&v4, &address, sizeof(v4));
	ck_assert_int_eq(v4.sin_family, AF_INET);
	ck_assert_uint_eq(ntohs(v4.sin_port), 258);
	ck_assert_uint_eq(ntohl(v4.sin_addr.s_addr), INADDR_LOOPBACK);
}
END_TEST

START_TEST(only_this_host_s_own_are_loopback)
{
	static const char *const yes[] = {"127.0.0.1:1", "127.255.255.255:1", "[::1]:1"};
	static const char *const no[] = {"126.255.255.255:1", "128.0.0.1:1",
					 "0.0.0.0:1",	      "[::]:1",
					 "[::2]:1",	      "[::ffff:127.0.0.1]:1"};
	struct sockaddr_storage address;
	socklen_t length;

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		ck_assert_int_eq(address_parse(yes[i], &address, &length), 0);
		ck_assert(address_is_loopback(&address));
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		ck_assert_int_eq(address_parse(no[i], &address, &length), 0);
		ck_assert(!address_is_loopback(&address));
	}
}
END_TEST

START_TEST(other_families_are_local)
{
	struct sockaddr address = {.sa_family = AF_UNIX};
	char text[ADDRESS_TEXT_BYTES];

	address_format(&address, text);
	ck_assert_str_eq(text, "local");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("address");
	TCase *tcase = tcase_create("address");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, good_addresses_come_back_as_the_same_text, 0,
			    (int)(sizeof(good) / sizeof(good[0])));
	tcase_add_loop_test(tcase, anything_else_is_refused_and_nothing_is_written, 0,
			    (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(tcase, the_bytes_are_those_the_kernel_takes);
	tcase_add_test(tcase, only_this_host_s_own_are_loopback);
	tcase_add_test(tcase, other_families_are_local);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
