/* test_discovery.c - the discovery endpoint over real sockets: every reply byte by byte, and
 * clients that hold on, send rubbish, or do not read.  The loop is turned by the test. */
#include "daemon/discovery.h"

#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "daemon/discovery_line.h"
#include "net/address.h"

#define WAIT_S 20

static struct event_base *base;
static struct discovery *discovery;
static struct list_server servers[LIST_SERVERS_MAX];
static struct list list;
static char address[ADDRESS_TEXT_BYTES];
static struct sockaddr_storage where;
static socklen_t where_bytes;
static struct failure failure;

/* A port that is free now. */
static void address_choose(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(address_parse("127.0.0.1:1", &where, &where_bytes), 0);
	memset(((struct sockaddr *)&where)->sa_data, 0, 2);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&where, where_bytes), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&where, &where_bytes), 0);
	address_format((struct sockaddr *)&where, address);
	close(fd);
}

static void set_up(void)
{
	base = event_base_new();
	memset(servers, 0, sizeof(servers));
	for (uint32_t i = 0; i < LIST_SERVERS_MAX; i++)
		snprintf(servers[i].address, sizeof(servers[i].address), "10.0.%u.%u:11211",
			 i / 250, i % 250 + 1);
	list.epoch = 7;
	list.servers = servers;
	list.server_count = 2;
	list.unaware_poll_ms = 500;
	address_choose();
	ck_assert_int_eq(discovery_open(base, address, &discovery, &failure), 0);
	discovery_show(discovery, &list);
}

static void tear_down(void)
{
	discovery_close(discovery);
	event_base_free(base);
}

static void turn(void)
{
	static const struct timespec moment = {.tv_nsec = 200000};

	(void)event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	(void)nanosleep(&moment, NULL); /* the kernel's part */
}

static int dial(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert(connect(fd, (struct sockaddr *)&where, where_bytes) == 0 || errno == EINPROGRESS);
	return fd;
}

static void say(int fd, const char *text, size_t bytes)
{
	const time_t until = time(NULL) + WAIT_S;

	while (bytes > 0) {
		ssize_t sent = send(fd, text, bytes, MSG_NOSIGNAL);

		ck_assert(time(NULL) < until);
		if (sent > 0) {
			text += sent;
			bytes -= (size_t)sent;
		} else {
			ck_assert_int_eq(errno, EAGAIN);
		}
		turn();
	}
}

/* Reads until `expected` is there, and nothing else. */
static void hear(int fd, const char *expected)
{
	const time_t until = time(NULL) + WAIT_S;
	const size_t bytes = strlen(expected);
	char *text = calloc(1, bytes + 1);
	size_t heard = 0;

	while (heard < bytes) {
		ssize_t got = recv(fd, text + heard, bytes - heard, MSG_DONTWAIT);

		ck_assert_msg(time(NULL) < until, "heard '%s'", text);
		if (got > 0)
			heard += (size_t)got;
		else if (got == 0)
			ck_abort_msg("it has hung up after '%s'", text);
		turn();
	}
	ck_assert_str_eq(text, expected);
	free(text);
}

static void ask(int fd, const char *text, const char *expected)
{
	say(fd, text, strlen(text));
	hear(fd, expected);
}

/* It is hung up on; what was still to be read is thrown away. */
static bool hung_up(int fd)
{
	char text[4096];
	ssize_t got;

	while ((got = recv(fd, text, sizeof(text), MSG_DONTWAIT)) > 0)
		;
	return got == 0 || (errno != EAGAIN && errno != EINTR);
}

#define UNTIL(condition)                                                                           \
	do {                                                                                       \
		const time_t until = time(NULL) + WAIT_S;                                          \
		while (!(condition)) {                                                             \
			ck_assert_msg(time(NULL) < until, "not in time: " #condition);             \
			turn();                                                                    \
		}                                                                                  \
	} while (0)

static uint64_t stat_read(int fd, const char *name)
{
	const time_t until = time(NULL) + WAIT_S;
	char text[4096] = "", line[64];
	size_t heard = 0;
	const char *at;

	say(fd, "stats\r\n", 7);
	while (strstr(text, "\r\nEND\r\n") == NULL) {
		ssize_t got = recv(fd, text + heard, sizeof(text) - 1 - heard, MSG_DONTWAIT);

		ck_assert(time(NULL) < until);
		if (got > 0)
			heard += (size_t)got;
		turn();
	}
	snprintf(line, sizeof(line), "STAT %s ", name);
	at = strstr(text, line);
	ck_assert_msg(at != NULL, "no %s in %s", name, text);
	return strtoull(at + strlen(line), NULL, 10);
}

#define TEXT	 "7\n10.0.0.1|10.0.0.1|11211 10.0.0.2|10.0.0.2|11211\n"
#define CONFIG	 "CONFIG cluster 0 50\r\n" TEXT "\r\nEND\r\n"
#define VALUE	 "VALUE AmazonElastiCache:cluster 0 50\r\n" TEXT "\r\nEND\r\n"
#define NOT_YET	 "SERVER_ERROR the agent has no list yet\r\n"
#define NO_STORE "SERVER_ERROR a discovery endpoint stores nothing\r\n"
#define BAD	 "CLIENT_ERROR bad command line format\r\n"
#define TOO_LONG "CLIENT_ERROR line too long\r\n"
#define VERSION	 "VERSION 1.4.14\r\n"

START_TEST(each_command_has_its_answer)
{
	int fd = dial();

	ck_assert_uint_eq(sizeof(TEXT) - 1, 50);
	ask(fd, "config get cluster\r\n", CONFIG);
	ask(fd, "get AmazonElastiCache:cluster\r\n", VALUE);
	ask(fd, "get a AmazonElastiCache:cluster b\r\n", VALUE);
	ask(fd, "version\r\n", VERSION);
	ask(fd, "config get other\r\n", "END\r\n");
	ask(fd, "get other keys\r\n", "END\r\n");
	ask(fd, "stats settings\r\n", "END\r\n");
	ask(fd, "flush_all\r\n", "ERROR\r\n");
	ask(fd, "\r\n", "ERROR\r\n");
	ask(fd, "set k 0 0 5\r\nquit\n\r\nversion\r\n", NO_STORE VERSION);
	ask(fd, "set k 0 0 x\r\n", BAD);
	say(fd, "quit\r\n", 6);
	UNTIL(hung_up(fd));
	close(fd);
}
END_TEST

START_TEST(stats_say_what_there_is)
{
	int fd = dial(), other = dial();

	ask(other, "config get cluster\r\n", CONFIG);
	ck_assert_uint_eq(stat_read(fd, "pid"), (uint64_t)getpid());
	ck_assert_uint_eq(stat_read(fd, "curr_connections"), 2);
	ck_assert_uint_eq(stat_read(fd, "total_connections"), 2);
	ck_assert_uint_eq(stat_read(fd, "config_answers"), 1);
	ck_assert_uint_eq(stat_read(fd, "config_version"), 7);
	ck_assert_uint_eq(stat_read(fd, "config_servers"), 2);
	ck_assert_uint_eq(stat_read(fd, "unaware_poll_ms"), 500);
	close(other);
	UNTIL(stat_read(fd, "curr_connections") == 1);
	close(fd);
}
END_TEST

START_TEST(requests_that_come_together_are_answered_in_order)
{
	int fd = dial();

	ask(fd, "version\r\nconfig get cluster\nnonsense\r\nversion\r\n",
	    VERSION CONFIG "ERROR\r\n" VERSION);
	for (const char *at = "config get cluster\r\n"; *at != '\0'; at++)
		say(fd, at, 1);
	hear(fd, CONFIG);
	/* One that says all at once and goes. */
	say(fd, "version\r\nconfig get cluster\r\nversion\r\n", 38);
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	hear(fd, VERSION CONFIG VERSION);
	UNTIL(hung_up(fd));
	close(fd);
}
END_TEST

START_TEST(without_a_list_it_says_so_and_with_the_next_one_it_shows_that)
{
	struct discovery *before = discovery;
	int fd;

	discovery_close(before);
	ck_assert_int_eq(discovery_open(base, address, &discovery, &failure), 0);
	fd = dial();
	ask(fd, "config get cluster\r\n", NOT_YET);
	ask(fd, "get AmazonElastiCache:cluster\r\n", NOT_YET);
	discovery_show(discovery, &list);
	ask(fd, "config get cluster\r\n", CONFIG);
	list.epoch = 12;
	list.server_count = 1;
	discovery_show(discovery, &list);
	ask(fd, "config get cluster\r\n",
	    "CONFIG cluster 0 27\r\n12\n10.0.0.1|10.0.0.1|11211\n\r\nEND\r\n");
	close(fd);
}
END_TEST

/* Of 1,024 servers with labels, and of the greatest version. */
START_TEST(the_largest_list_arrives_whole)
{
	const size_t most = 128 * LIST_SERVERS_MAX;
	char *expected = malloc(most), *text = malloc(most);
	size_t bytes;
	int fd = dial();

	list.epoch = LIST_EPOCH_MAX;
	list.server_count = LIST_SERVERS_MAX;
	for (uint32_t i = 0; i < LIST_SERVERS_MAX; i++)
		snprintf(servers[i].label, sizeof(servers[i].label),
			 "%04u-a-host-of-a-long-name.in-some.example.net:11211", i);
	bytes = (size_t)snprintf(text, most, "%" PRIu64 "\n", list.epoch);
	for (uint32_t i = 0; i < LIST_SERVERS_MAX; i++)
		bytes += (size_t)snprintf(
		    text + bytes, most - bytes,
		    "%s%04u-a-host-of-a-long-name.in-some.example.net|10.0.%u.%u|11211",
		    i > 0 ? " " : "", i, i / 250, i % 250 + 1);
	bytes += (size_t)snprintf(text + bytes, most - bytes, "\n");
	snprintf(expected, most, "CONFIG cluster 0 %zu\r\n%s\r\nEND\r\n", bytes, text);
	discovery_show(discovery, &list);
	ask(fd, "config get cluster\r\n", expected);
	ask(fd, "version\r\n", VERSION);
	memset(servers, 0, sizeof(servers));
	close(fd);
	free(text);
	free(expected);
}
END_TEST

/* Half a line, byte by byte and then no more, holds nobody up and is no request. */
START_TEST(half_a_line_is_waited_for_and_nobody_waits_with_it)
{
	int half[8], good = dial();

	for (unsigned i = 0; i < 8; i++) {
		half[i] = dial();
		say(half[i], "config get clus", 15);
	}
	ask(good, "config get cluster\r\n", CONFIG);
	ck_assert_uint_eq(stat_read(good, "config_answers"), 1);
	for (unsigned i = 0; i < 8; i++) {
		ask(half[i], "ter\r\n", CONFIG);
		close(half[i]);
	}
	close(good);
}
END_TEST

START_TEST(what_is_no_protocol_at_all_harms_nobody_else)
{
	const size_t bytes = 10 * DISCOVERY_LINE_MAX;
	char *rubbish = malloc(bytes);
	int fd = dial(), good = dial();

	for (size_t i = 0; i < bytes; i++)
		rubbish[i] = (char)(0x80 + i % 97);
	say(fd, rubbish, bytes);
	hear(fd, TOO_LONG);
	ask(good, "config get cluster\r\n", CONFIG);
	ask(fd, "\nversion\r\n", VERSION);
	close(fd);
	close(good);
	free(rubbish);
}
END_TEST

/* It asks without end and reads nothing: no more than one answer is kept for it, and at last it is
 * hung up on. */
START_TEST(one_that_does_not_read_is_cut_off_and_fills_no_memory)
{
	static const char request[] = "config get cluster\r\n";
	static char requests[1000 * (sizeof(request) - 1)];
	int small = 4096, fd, good;

	list.epoch = 8;
	list.server_count = LIST_SERVERS_MAX;
	discovery_show(discovery, &list);
	fd = dial();
	good = dial();
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	for (size_t i = 0; i < sizeof(requests); i++)
		requests[i] = request[i % (sizeof(request) - 1)];
	UNTIL((send(fd, requests, sizeof(requests), MSG_NOSIGNAL),
	       stat_read(good, "curr_connections") == 1));
	/* What the kernel's buffers take, and one; tens of thousands were asked for. */
	ck_assert_uint_lt(stat_read(good, "config_answers"), 1000);
	close(fd);
	close(good);
}
END_TEST

START_TEST(those_who_hold_on_keep_nobody_out)
{
	int fd[DISCOVERY_CONNECTIONS_MAX], good = dial(), late;

	ask(good, "version\r\n", VERSION);
	for (unsigned i = 0; i < DISCOVERY_CONNECTIONS_MAX - 1; i++) {
		fd[i] = dial();
		ask(fd[i], "version\r\n", VERSION);
	}
	ck_assert_uint_eq(stat_read(good, "curr_connections"), DISCOVERY_CONNECTIONS_MAX);
	ck_assert(!hung_up(fd[0]));
	late = dial();
	ask(late, "config get cluster\r\n", CONFIG);
	/* `good` has just asked: the first of the others has to go. */
	UNTIL(hung_up(fd[0]));
	ck_assert(!hung_up(fd[1]));
	ask(good, "config get cluster\r\n", CONFIG);
	ck_assert_uint_eq(stat_read(good, "evicted_connections"), 1);
	ck_assert_uint_eq(stat_read(good, "curr_connections"), DISCOVERY_CONNECTIONS_MAX);
	for (unsigned i = 0; i < DISCOVERY_CONNECTIONS_MAX - 1; i++)
		close(fd[i]);
	close(good);
	close(late);
}
END_TEST

/* A flood on one connection leaves another one its part, and the loop its other work. */
START_TEST(a_flood_is_slowed_down_and_others_are_answered)
{
	static char flood[64 * 1024];
	int fd = dial(), good = dial();

	memset(flood, '\n', sizeof(flood));
	for (unsigned i = 0; i < 5; i++) {
		while (send(fd, flood, sizeof(flood), MSG_NOSIGNAL) > 0)
			;
		(void)hung_up(fd);
		ask(good, "config get cluster\r\n", CONFIG);
	}
	close(fd);
	close(good);
}
END_TEST

START_TEST(an_address_in_use_is_named)
{
	struct discovery *second = NULL;

	ck_assert_int_eq(discovery_open(base, address, &second, &failure), -EADDRINUSE);
	ck_assert_ptr_null(second);
	ck_assert_ptr_nonnull(strstr(failure.text, address));
	ck_assert_ptr_nonnull(strstr(failure.text, "choose another"));
	ck_assert_int_eq(discovery_open(base, "localhost:1", &second, &failure), -EINVAL);
	discovery_close(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("discovery");
	TCase *tcase = tcase_create("discovery");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, each_command_has_its_answer);
	tcase_add_test(tcase, stats_say_what_there_is);
	tcase_add_test(tcase, requests_that_come_together_are_answered_in_order);
	tcase_add_test(tcase, without_a_list_it_says_so_and_with_the_next_one_it_shows_that);
	tcase_add_test(tcase, the_largest_list_arrives_whole);
	tcase_add_test(tcase, half_a_line_is_waited_for_and_nobody_waits_with_it);
	tcase_add_test(tcase, what_is_no_protocol_at_all_harms_nobody_else);
	tcase_add_test(tcase, one_that_does_not_read_is_cut_off_and_fills_no_memory);
	tcase_add_test(tcase, those_who_hold_on_keep_nobody_out);
	tcase_add_test(tcase, a_flood_is_slowed_down_and_others_are_answered);
	tcase_add_test(tcase, an_address_in_use_is_named);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
