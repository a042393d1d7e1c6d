/* test_session_rate.c - the buckets, under a clock of the test's own. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sodium.h>

#include "net/address.h"
#include "net/session_rate.h"

static struct session_rate rate;

static void setup(void)
{
	ck_assert_int_ge(sodium_init(), 0);
	session_rate_init(&rate);
}

static bool allow(const char *text, uint64_t now_ms)
{
	struct sockaddr_storage address;
	socklen_t length;

	ck_assert_int_eq(address_parse(text, &address, &length), 0);
	return session_rate_allow(&rate, (const struct sockaddr *)&address, now_ms);
}

START_TEST(so_many_at_once_and_then_one_by_one)
{
	for (unsigned i = 0; i < RATE_PER_SECOND; i++)
		ck_assert(allow("10.0.0.1:1000", 5000));
	ck_assert(!allow("10.0.0.1:1001", 5000));
	ck_assert(!allow("10.0.0.1:1001", 5049));
	ck_assert(allow("10.0.0.1:1001", 5050));
	ck_assert(!allow("10.0.0.1:1001", 5099));
	ck_assert(allow("10.0.0.1:1001", 5100));
}
END_TEST

START_TEST(a_long_silence_saves_up_no_more_than_a_second)
{
	ck_assert(allow("10.0.0.1:1", 0));
	for (unsigned i = 0; i < RATE_PER_SECOND; i++)
		ck_assert(allow("10.0.0.1:1", 1000000000));
	ck_assert(!allow("10.0.0.1:1", 1000000000));
}
END_TEST

START_TEST(addresses_do_not_share_but_a_v6_network_is_one)
{
	for (unsigned i = 0; i < RATE_PER_SECOND; i++) {
		ck_assert(allow("10.0.0.1:1", 0));
		ck_assert(allow("[2001:db8::1]:1", 0));
	}
	ck_assert(!allow("10.0.0.1:1", 0));
	ck_assert(allow("10.0.0.2:1", 0));
	ck_assert(!allow("[2001:db8::ffff:2]:1", 0));
	ck_assert(allow("[2001:db8:0:1::1]:1", 0));
	ck_assert(allow("[a00:1::]:1", 0)); /* the bytes of 10.0.0.1, but another family */
}
END_TEST

START_TEST(local_sockets_have_no_rate)
{
	struct sockaddr address = {.sa_family = AF_UNIX};

	for (unsigned i = 0; i < 1000; i++)
		ck_assert(session_rate_allow(&rate, &address, 0));
}
END_TEST

/* The table is bounded; many addresses push out the ones that were used least lately, each still
 * with its own limit. */
START_TEST(a_flood_of_addresses_fits_the_table)
{
	struct sockaddr_in address = {.sin_family = AF_INET};

	for (uint32_t i = 0; i < 100000; i++) {
		address.sin_addr.s_addr = htonl(0x0a000000u + i);
		ck_assert(session_rate_allow(&rate, (const struct sockaddr *)&address, i));
	}
	for (unsigned i = 0; i < RATE_PER_SECOND; i++)
		ck_assert(allow("192.0.2.1:1", 200000));
	ck_assert(!allow("192.0.2.1:1", 200000));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("session_rate");
	TCase *tcase = tcase_create("session_rate");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, so_many_at_once_and_then_one_by_one);
	tcase_add_test(tcase, a_long_silence_saves_up_no_more_than_a_second);
	tcase_add_test(tcase, addresses_do_not_share_but_a_v6_network_is_one);
	tcase_add_test(tcase, local_sockets_have_no_rate);
	tcase_add_test(tcase, a_flood_of_addresses_fits_the_table);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
