/* test_log.c - what the journal gets, and what standard error does. */
#include "daemon/log.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <check.h>

static char base[64], path[96], stream_path[96], got[8192];
static int journal, standard_error;

/* Standard error is a file of ours, and the journal a socket. */
static void set_up(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int stream;

	strcpy(base, "/tmp/mcroster-log.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(base));
	snprintf(path, sizeof(path), "%s/journal", base);
	snprintf(stream_path, sizeof(stream_path), "%s/stream", base);
	memcpy(address.sun_path, path, strlen(path));
	journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(journal, (struct sockaddr *)&address, sizeof(address)), 0);
	standard_error = dup(STDERR_FILENO);
	stream = open(stream_path, O_RDWR | O_CREAT | O_APPEND, 0600);
	ck_assert_int_eq(dup2(stream, STDERR_FILENO), STDERR_FILENO);
	close(stream);
	unsetenv("JOURNAL_STREAM");
}

static void tear_down(void)
{
	char command[128];

	log_close();
	dup2(standard_error, STDERR_FILENO);
	close(standard_error);
	close(journal);
	snprintf(command, sizeof(command), "rm -rf '%s'", base);
	ck_assert_int_eq(system(command), 0);
}

/* The manager's word that standard error is its stream. */
static void stream_is_journal(int plus)
{
	struct stat status;
	char text[64];

	ck_assert_int_eq(fstat(STDERR_FILENO, &status), 0);
	snprintf(text, sizeof(text), "%" PRIu64 ":%" PRIu64, (uint64_t)status.st_dev,
		 (uint64_t)status.st_ino + (uint64_t)plus);
	setenv("JOURNAL_STREAM", text, 1);
}

static const char *datagram(void)
{
	ssize_t n = recv(journal, got, sizeof(got) - 1, 0);

	got[n > 0 ? n : 0] = '\0';
	return got;
}

static const char *stream(void)
{
	ssize_t n = pread(STDERR_FILENO, got, sizeof(got) - 1, 0);

	got[n > 0 ? n : 0] = '\0';
	return got;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

START_TEST(a_terminal_gets_the_line_alone)
{
	log_open(path, "web", "web01");
	log_line(LOG_LEVEL_WARNING, "a %s", "line");
	ck_assert_str_eq(stream(), "a line\n");
	ck_assert_str_eq(datagram(), "");
}
END_TEST

START_TEST(the_journal_gets_level_and_fields)
{
	const struct log_fields fields = {.event = "published",
					  .phase = "COPY",
					  .server = "cache01",
					  .peer = "10.0.0.1:2",
					  .epoch = 7,
					  .term = 2,
					  .serial = 9};

	stream_is_journal(0);
	log_open(path, "web", "web01");
	log_event(LOG_LEVEL_NOTICE, &fields, "published: epoch %d", 7);
	ck_assert_str_eq(datagram(),
			 "PRIORITY=5\nSYSLOG_IDENTIFIER=mcrosterd\nMESSAGE=published: epoch 7\n"
			 "MCROSTER_CLUSTER=web\nMCROSTER_AGENT=web01\nMCROSTER_EVENT=published\n"
			 "MCROSTER_PHASE=COPY\nMCROSTER_SERVER=cache01\nMCROSTER_PEER=10.0.0.1:2\n"
			 "MCROSTER_EPOCH=7\nMCROSTER_TERM=2\nMCROSTER_SERIAL=9\n");
	ck_assert_str_eq(stream(), "");
}
END_TEST

START_TEST(a_line_without_fields_has_none)
{
	stream_is_journal(0);
	log_open(path, "web", "web01");
	log_line(LOG_LEVEL_ERROR, "no");
	ck_assert_str_eq(datagram(), "PRIORITY=3\nSYSLOG_IDENTIFIER=mcrosterd\nMESSAGE=no\n"
				     "MCROSTER_CLUSTER=web\nMCROSTER_AGENT=web01\n");
}
END_TEST

START_TEST(names_from_outside_forge_neither_lines_nor_fields)
{
	stream_is_journal(0);
	log_open(path, "web", "web01");
	log_line(LOG_LEVEL_ERROR, "from %s", "x\nPRIORITY=0\n\x1b[1m");
	ck_assert_str_eq(datagram(), "PRIORITY=3\nSYSLOG_IDENTIFIER=mcrosterd\n"
				     "MESSAGE=from x?PRIORITY=0??[1m\n"
				     "MCROSTER_CLUSTER=web\nMCROSTER_AGENT=web01\n");
}
END_TEST

/* The journal shows a MESSAGE that is no text as "blob data". */
START_TEST(whatever_comes_from_outside_the_journal_can_show_it)
{
	static const struct {
		const char *name, *shown;
	} cases[] = {
	    {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
	     "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"},
	    {"\xff\xfe.", "??."},
	    {"cut \xe2\x82", "cut ??"},
	    {"\x7f\xc2\x9b.\xc2\xa0", "???.\xc2\xa0"},
	};
	char want[64];

	stream_is_journal(0);
	log_open(path, "web", "web01");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		log_line(LOG_LEVEL_INFO, "%s", cases[i].name);
		snprintf(want, sizeof(want), "MESSAGE=%s\n", cases[i].shown);
		ck_assert_ptr_nonnull(strstr(datagram(), want));
	}
}
END_TEST

START_TEST(a_stream_that_is_not_the_journals_is_written_to)
{
	stream_is_journal(1);
	log_open(path, "web", "web01");
	log_line(LOG_LEVEL_INFO, "here");
	ck_assert_str_eq(datagram(), "");
	ck_assert_str_eq(stream(), "here\n"); /* nobody would take a level off it */
}
END_TEST

START_TEST(without_its_socket_the_stream_has_levels)
{
	stream_is_journal(0);
	ck_assert_int_eq(unlink(path), 0);
	log_open(path, "web", "web01");
	log_line(LOG_LEVEL_INFO, "here");
	ck_assert_str_eq(stream(), "<6>here\n");
}
END_TEST

START_TEST(a_journal_that_went_away_loses_nothing)
{
	stream_is_journal(0);
	log_open(path, "web", "web01");
	close(journal);
	log_line(LOG_LEVEL_INFO, "here");
	ck_assert_str_eq(stream(), "<6>here\n");
	journal = dup(STDERR_FILENO);
}
END_TEST

START_TEST(a_journal_that_does_not_read_holds_nothing_up_and_is_told)
{
	unsigned taken = 0;
	char want[32];

	stream_is_journal(0);
	log_open(path, "web", "web01");
	for (unsigned i = 0; i < 3000; i++)
		log_line(LOG_LEVEL_INFO, "line %u", i);
	while (datagram()[0] != '\0')
		taken++;
	ck_assert_uint_lt(taken, 3000);
	log_line(LOG_LEVEL_INFO, "the next one");
	snprintf(want, sizeof(want), "LINES_LOST=%u\n", 3000 - taken);
	ck_assert_ptr_nonnull(strstr(datagram(), want));
}
END_TEST

START_TEST(no_line_is_there_twice)
{
	stream_is_journal(0);
	log_open(path, "web", "web01");
	log_line(LOG_LEVEL_INFO, "again");
	log_line(LOG_LEVEL_INFO, "again");
	ck_assert_ptr_nonnull(strstr(datagram(), "MESSAGE=again\n"));
	ck_assert_str_eq(datagram(), "");
}
END_TEST

/* The same line with what else it is about, and when it came. */
START_TEST(what_was_held_back_is_written_by_a_tick_with_its_level_and_fields)
{
	const struct log_fields fields = {.event = "published", .peer = "10.0.0.1:2", .epoch = 7};
	const struct timespec a_moment = {.tv_nsec = 5000000};
	const uint64_t began_ms = now_ms();

	stream_is_journal(0);
	log_open(path, "web", "web01");
	for (unsigned i = 0; i < 3; i++)
		log_event(LOG_LEVEL_NOTICE, &fields, "again");
	ck_assert_ptr_nonnull(strstr(datagram(), "MESSAGE=again\n"));
	ck_assert_str_eq(datagram(), "");
	while (datagram()[0] == '\0') { /* the suite has a deadline */
		(void)nanosleep(&a_moment, NULL);
		log_tick();
	}
	ck_assert_uint_ge(now_ms() - began_ms, 1000); /* no line twice within a second */
	ck_assert_ptr_nonnull(strstr(got, "PRIORITY=5\n"));
	ck_assert_ptr_nonnull(strstr(got, "MESSAGE=again ("));
	ck_assert_ptr_nonnull(strstr(got, " s ago) (and 1 time before)\n"
					  "MCROSTER_CLUSTER=web\nMCROSTER_AGENT=web01\n"
					  "MCROSTER_EVENT=published\nMCROSTER_PEER=10.0.0.1:2\n"
					  "MCROSTER_EPOCH=7\n"));
	log_tick();
	ck_assert_str_eq(datagram(), "");
}
END_TEST

START_TEST(a_close_writes_what_was_held_back_and_ends_with_the_truth)
{
	stream_is_journal(0);
	log_open(path, "web", "web01");
	for (unsigned i = 0; i < 2; i++) {
		log_line(LOG_LEVEL_WARNING, "closed");
		log_line(LOG_LEVEL_INFO, "connected");
	}
	(void)datagram();
	(void)datagram();
	ck_assert_str_eq(datagram(), "");
	log_close();
	ck_assert_ptr_nonnull(strstr(datagram(), "PRIORITY=4\n"));
	ck_assert_ptr_nonnull(strstr(got, "MESSAGE=closed ("));
	ck_assert_ptr_nonnull(strstr(datagram(), "PRIORITY=6\n"));
	ck_assert_ptr_nonnull(strstr(got, "MESSAGE=connected ("));
	ck_assert_ptr_null(strstr(got, " before)"));
	ck_assert_str_eq(datagram(), "");
}
END_TEST

START_TEST(what_was_held_back_goes_where_lines_go)
{
	const char *out;

	log_open(path, "web", "web01");
	log_line(LOG_LEVEL_INFO, "again");
	log_line(LOG_LEVEL_INFO, "again");
	ck_assert_str_eq(stream(), "again\n");
	log_close();
	out = stream();
	ck_assert_int_eq(strncmp(out, "again\nagain (", 13), 0);
	ck_assert_ptr_nonnull(strstr(out, " s ago)\n"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log");
	TCase *tests = tcase_create("log");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_terminal_gets_the_line_alone);
	tcase_add_test(tests, the_journal_gets_level_and_fields);
	tcase_add_test(tests, a_line_without_fields_has_none);
	tcase_add_test(tests, names_from_outside_forge_neither_lines_nor_fields);
	tcase_add_test(tests, whatever_comes_from_outside_the_journal_can_show_it);
	tcase_add_test(tests, a_stream_that_is_not_the_journals_is_written_to);
	tcase_add_test(tests, without_its_socket_the_stream_has_levels);
	tcase_add_test(tests, a_journal_that_went_away_loses_nothing);
	tcase_add_test(tests, a_journal_that_does_not_read_holds_nothing_up_and_is_told);
	tcase_add_test(tests, no_line_is_there_twice);
	tcase_add_test(tests, what_was_held_back_is_written_by_a_tick_with_its_level_and_fields);
	tcase_add_test(tests, a_close_writes_what_was_held_back_and_ends_with_the_truth);
	tcase_add_test(tests, what_was_held_back_goes_where_lines_go);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
