/* test_discovery_text.c - a list as clients of the discovery protocol read it. */
#include "daemon/discovery_text.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct list_server servers[3];
static struct list list;

static void server_set(uint32_t number, const char *address, const char *label)
{
	strcpy(servers[number].address, address);
	strcpy(servers[number].label, label);
}

static void set_up(void)
{
	memset(servers, 0, sizeof(servers));
	list.epoch = 7;
	list.servers = servers;
	list.server_count = 3;
	server_set(0, "10.0.0.1:11211", "");
	server_set(1, "10.0.0.2:11212", "");
	server_set(2, "10.0.0.3:1", "");
}

static void is(const char *expected)
{
	char *text;
	size_t bytes;

	ck_assert_int_eq(discovery_text(&list, &text, &bytes), 0);
	ck_assert_uint_eq(bytes, strlen(expected));
	ck_assert_mem_eq(text, expected, bytes);
	free(text);
}

START_TEST(the_servers_stand_in_the_list_s_order_and_host_and_address_are_there)
{
	is("7\n10.0.0.1|10.0.0.1|11211 10.0.0.2|10.0.0.2|11212 10.0.0.3|10.0.0.3|1\n");
	list.server_count = 1;
	list.epoch = LIST_EPOCH_MAX;
	is("9223372036854775807\n10.0.0.1|10.0.0.1|11211\n");
}
END_TEST

START_TEST(a_label_that_is_a_host_with_that_port_is_the_host)
{
	server_set(0, "10.0.0.1:11211", "cache-01.example.net:11211");
	server_set(1, "10.0.0.2:11212", "10.9.9.9:11212");
	is("7\ncache-01.example.net|10.0.0.1|11211 10.9.9.9|10.0.0.2|11212 10.0.0.3|10.0.0.3|1\n");
}
END_TEST

/* Whoever connects by it must reach the server. */
START_TEST(another_label_is_no_host)
{
	static const char *const labels[] = {"alpha",	  "alpha:11212",
					     ":11211",	  "/10.0.0.1:11211",
					     "a|b:11211", "10.0.0.1/10.0.0.1:11211",
					     "a_b:11211", "alpha:11211:11211",
					     "alpha:",	  "[::1]:11211"};

	list.server_count = 1;
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		server_set(0, "10.0.0.1:11211", labels[i]);
		is("7\n10.0.0.1|10.0.0.1|11211\n");
	}
}
END_TEST

START_TEST(an_address_of_ipv6_stands_without_brackets)
{
	list.server_count = 1;
	server_set(0, "[2001:db8::1]:11211", "");
	is("7\n2001:db8::1|2001:db8::1|11211\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("discovery_text");
	TCase *tcase = tcase_create("discovery_text");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, set_up, NULL);
	tcase_add_test(tcase, the_servers_stand_in_the_list_s_order_and_host_and_address_are_there);
	tcase_add_test(tcase, a_label_that_is_a_host_with_that_port_is_the_host);
	tcase_add_test(tcase, another_label_is_no_host);
	tcase_add_test(tcase, an_address_of_ipv6_stands_without_brackets);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
