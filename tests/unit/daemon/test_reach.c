/* test_reach.c - which of this agent's memcacheds answer, with real processes. */
#include "daemon/reach.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <check.h>

#include "memcached_process.h"

#define PATIENCE_S 20
#define EVERY_MS   20u

static struct memcached_process process;
static struct change_server servers[3];
static struct change change;
static bool no_lists;
static struct event_base *base;
static struct reach *reach;

static const struct change *lists(void *context)
{
	(void)context;
	return no_lists ? NULL : &change;
}

static void server(uint32_t number, const char *name, const char *address, const char *agent)
{
	(void)snprintf(servers[number].name, sizeof(servers[number].name), "%s", name);
	(void)snprintf(servers[number].address, sizeof(servers[number].address), "%s", address);
	(void)snprintf(servers[number].old_agent, sizeof(servers[number].old_agent), "%s", agent);
	(void)snprintf(servers[number].new_agent, sizeof(servers[number].new_agent), "%s", agent);
	servers[number].in_old = servers[number].in_new = true;
}

static void set_up(void)
{
	struct reach_setup setup = {.agent = "a1", .change = lists, .every_ms = EVERY_MS};

	memset(&process, 0, sizeof(process));
	memcached_start(&process, NULL);
	memset(&change, 0, sizeof(change));
	change.servers = servers;
	change.server_count = 3;
	change.op_timeout_ms = 200;
	server(0, "s1", process.address, "a1");
	server(1, "s2", process.address, "a2");
	server(2, "s3", "127.0.0.1:1", "a1");
	no_lists = false;
	base = event_base_new();
	setup.base = base;
	ck_assert_int_eq(reach_new(&setup, &reach), 0);
}

static void tear_down(void)
{
	reach_free(reach);
	event_base_free(base);
	if (process.pid != 0)
		memcached_kill(&process);
}

static bool is(const char *name, bool expected)
{
	bool answers;

	return reach_server(reach, name, strcmp(name, "s3") == 0 ? "127.0.0.1:1" : process.address,
			    &answers) &&
	       answers == expected;
}

static bool is_known(const char *name)
{
	return is(name, true) || is(name, false);
}

#define UNTIL(condition)                                                                           \
	do {                                                                                       \
		const time_t deadline = time(NULL) + PATIENCE_S;                                   \
		while (!(condition)) {                                                             \
			ck_assert_msg(time(NULL) < deadline, "never: %s", #condition);             \
			(void)event_base_loop(base, EVLOOP_ONCE);                                  \
		}                                                                                  \
	} while (0)

START_TEST(own_servers_are_asked_and_those_of_others_are_not)
{
	ck_assert(!is_known("s1"));
	UNTIL(is("s1", true) && is("s3", false));
	ck_assert(!is_known("s2"));
}
END_TEST

START_TEST(stopped_server_does_not_answer_until_it_goes_on)
{
	UNTIL(is("s1", true));
	memcached_stop(&process);
	UNTIL(is("s1", false));
	memcached_continue(&process);
	UNTIL(is("s1", true));
}
END_TEST

START_TEST(killed_server_answers_again_once_it_is_back)
{
	UNTIL(is("s1", true));
	memcached_kill(&process);
	UNTIL(is("s1", false));
	memcached_start(&process, NULL);
	UNTIL(is("s1", true));
}
END_TEST

START_TEST(server_of_another_list_is_forgotten)
{
	UNTIL(is("s1", true));
	server(0, "s1", process.address, "a2");
	UNTIL(!is_known("s1"));
	ck_assert(is("s3", false));
	no_lists = true;
	UNTIL(!is_known("s3"));
}
END_TEST

/* One connection, kept: the server is left alone otherwise. */
START_TEST(questions_share_one_connection)
{
	uint64_t before;
	unsigned i = 0;

	UNTIL(is("s1", true));
	before = memcached_stat(&process, "total_connections");
	UNTIL(++i == 200);
	ck_assert_uint_eq(memcached_stat(&process, "total_connections"), before);
	ck_assert_uint_eq(memcached_stat(&process, "cmd_get"), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reach");
	TCase *tests = tcase_create("servers");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, own_servers_are_asked_and_those_of_others_are_not);
	tcase_add_test(tests, stopped_server_does_not_answer_until_it_goes_on);
	tcase_add_test(tests, killed_server_answers_again_once_it_is_back);
	tcase_add_test(tests, server_of_another_list_is_forgotten);
	tcase_add_test(tests, questions_share_one_connection);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
