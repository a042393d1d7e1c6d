/* test_discovery_line.c - each command of the discovery endpoint's protocol, whole, in pieces and
 * broken. */
#include "daemon/discovery_line.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUESTS_MAX 16u

static enum discovery_request found[REQUESTS_MAX];
static unsigned count;

/* Reads `text`, of which no more than `piece` bytes come at once. */
static void take(const char *text, size_t length, size_t piece)
{
	struct discovery_reader reader = {0};
	size_t at = 0, here = 0;

	count = 0;
	while (at < length || here > 0) {
		enum discovery_request request;
		size_t used = discovery_read(&reader, text + at, here, &request);

		ck_assert_uint_le(used, here);
		at += used;
		here -= used;
		if (request != DISCOVERY_NONE) {
			ck_assert_uint_gt(used, 0);
			ck_assert_uint_lt(count, REQUESTS_MAX);
			found[count++] = request;
		}
		if (used > 0)
			continue;
		if (at + here == length)
			return;
		here += length - at - here < piece ? length - at - here : piece;
	}
}

static const struct {
	const char *line;
	enum discovery_request request;
} lines[] = {
    {"config get cluster\r\n", DISCOVERY_CONFIG},
    {"config get cluster\n", DISCOVERY_CONFIG},
    {"config  get  cluster \r\n", DISCOVERY_CONFIG},
    {"config get other\r\n", DISCOVERY_CONFIG_ABSENT},
    {"config get cluste\r\n", DISCOVERY_CONFIG_ABSENT},
    {"config get cluster other\r\n", DISCOVERY_UNKNOWN},
    {"config get\r\n", DISCOVERY_UNKNOWN},
    {"config\r\n", DISCOVERY_UNKNOWN},
    {"config set cluster 0 1\r\n", DISCOVERY_UNKNOWN},
    {"CONFIG GET CLUSTER\r\n", DISCOVERY_UNKNOWN},
    {"configget cluster\r\n", DISCOVERY_UNKNOWN},
    {"config get cluster\r\r\n", DISCOVERY_CONFIG_ABSENT},
    {"get AmazonElastiCache:cluster\r\n", DISCOVERY_GET},
    {"get a AmazonElastiCache:cluster b\r\n", DISCOVERY_GET},
    {"get AmazonElastiCache:cluster AmazonElastiCache:cluster\r\n", DISCOVERY_GET},
    {"get amazonelasticache:cluster\r\n", DISCOVERY_GET_ABSENT},
    {"get AmazonElastiCache:cluster2\r\n", DISCOVERY_GET_ABSENT},
    {"get AmazonElastiCache:cluste\r\n", DISCOVERY_GET_ABSENT},
    {"get key\r\n", DISCOVERY_GET_ABSENT},
    {"get \r\n", DISCOVERY_UNKNOWN},
    {"get\r\n", DISCOVERY_UNKNOWN},
    {"gets AmazonElastiCache:cluster\r\n", DISCOVERY_UNKNOWN},
    {"version\r\n", DISCOVERY_VERSION},
    {"version 1\r\n", DISCOVERY_UNKNOWN},
    {"versions\r\n", DISCOVERY_UNKNOWN},
    {"stats\r\n", DISCOVERY_STATS},
    {"stats items\r\n", DISCOVERY_STATS_ABSENT},
    {"quit\r\n", DISCOVERY_QUIT},
    {"quit now\r\n", DISCOVERY_UNKNOWN},
    {"set key 0 0 x\r\n", DISCOVERY_BAD},
    {"set key 0 0 -1\r\n", DISCOVERY_BAD},
    {"set key 0 0 12345678901\r\n", DISCOVERY_BAD},
    {"set key 0 0\r\n", DISCOVERY_BAD},
    {"set\r\n", DISCOVERY_BAD},
    {"delete key\r\n", DISCOVERY_UNKNOWN},
    {"flush_all\r\n", DISCOVERY_UNKNOWN},
    {"mg key v\r\n", DISCOVERY_UNKNOWN},
    {"\r\n", DISCOVERY_UNKNOWN},
    {"\n", DISCOVERY_UNKNOWN},
    {" \r\n", DISCOVERY_UNKNOWN},
    {"\x80\xff\x01\n", DISCOVERY_UNKNOWN},
};

START_TEST(each_line_is_its_request_however_it_comes)
{
	const size_t length = strlen(lines[_i].line);

	for (size_t piece = 1; piece <= length; piece++) {
		take(lines[_i].line, length, piece);
		ck_assert_uint_eq(count, 1);
		ck_assert_int_eq(found[0], lines[_i].request);
	}
	take(lines[_i].line, length - 1, length);
	ck_assert_uint_eq(count, 0);
}
END_TEST

/* A value is no command, whatever it says. */
START_TEST(what_comes_with_a_storage_command_is_passed_over)
{
	static const char *const commands[] = {"set k 1 2 6",	  "add k 1 2 6",
					       "replace k 1 2 6", "append k 0 0 6",
					       "prepend k 0 0 6", "cas k 1 2 6 77"};
	char text[128];

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const size_t length = (size_t)snprintf(
		    text, sizeof(text), "%s\r\nquit\r\n\r\nversion\r\n", commands[i]);

		for (size_t piece = 1; piece <= length; piece++) {
			take(text, length, piece);
			ck_assert_uint_eq(count, 2);
			ck_assert_int_eq(found[0], DISCOVERY_STORE);
			ck_assert_int_eq(found[1], DISCOVERY_VERSION);
		}
	}
	snprintf(text, sizeof(text), "set k 0 0 4 noreply\r\nquit\r\nversion\r\n");
	take(text, strlen(text), 3);
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(found[0], DISCOVERY_VERSION);
	/* One that is larger than anything that ever comes. */
	snprintf(text, sizeof(text), "set k 0 0 9999999999\r\nversion\r\n");
	take(text, strlen(text), 128);
	ck_assert_uint_eq(count, 1);
}
END_TEST

static void long_line(size_t chars, enum discovery_request request)
{
	static const char after[] = "\nversion\r\n";
	char *text = malloc(chars + sizeof(after));

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', chars);
	memcpy(text + chars, after, sizeof(after));
	for (size_t piece = 1; piece < 4 * DISCOVERY_LINE_MAX; piece += 1 + piece / 2) {
		take(text, chars + sizeof(after) - 1, piece);
		ck_assert_uint_eq(count, 2);
		ck_assert_int_eq(found[0], request);
		ck_assert_int_eq(found[1], DISCOVERY_VERSION);
	}
	free(text);
}

START_TEST(a_line_that_is_too_long_is_one_mistake_and_the_next_is_read)
{
	long_line(DISCOVERY_LINE_MAX, DISCOVERY_UNKNOWN);
	long_line(DISCOVERY_LINE_MAX + 1, DISCOVERY_TOO_LONG);
	long_line(DISCOVERY_LINE_MAX + 2, DISCOVERY_TOO_LONG);
	long_line(5 * DISCOVERY_LINE_MAX, DISCOVERY_TOO_LONG);
}
END_TEST

START_TEST(zero_bytes_end_nothing)
{
	static const char text[] = "version\0\r\nversion\r\n";

	take(text, sizeof(text) - 1, 5);
	ck_assert_uint_eq(count, 2);
	ck_assert_int_eq(found[0], DISCOVERY_UNKNOWN);
	ck_assert_int_eq(found[1], DISCOVERY_VERSION);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("discovery_line");
	TCase *tcase = tcase_create("discovery_line");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, each_line_is_its_request_however_it_comes, 0,
			    (int)(sizeof(lines) / sizeof(lines[0])));
	tcase_add_test(tcase, what_comes_with_a_storage_command_is_passed_over);
	tcase_add_test(tcase, a_line_that_is_too_long_is_one_mistake_and_the_next_is_read);
	tcase_add_test(tcase, zero_bytes_end_nothing);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
