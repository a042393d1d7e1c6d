/* test_mc_conn.c - the pipelined connection, against a server of the test's own on the loopback. */
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "net/mc_conn.h"

#define PATIENCE_S 20

static struct event_base *base;
static struct event *tick;
static struct mc_conn *conn;
static int listener, peer = -1;
static char address[32];

static bool ready, closed, close_at_reply, fail_at_reply;
static unsigned replies, lost, lines;
static uintptr_t last_command;
static char why[128], value[64];
static size_t value_bytes;

static void on_ready(void *context)
{
	(void)context;
	ready = true;
}

static void on_reply(void *context, void *command, const struct mc_reply *reply)
{
	(void)context;
	if (reply->code == MC_LINE) {
		lines++;
		return;
	}
	if (reply->code == MC_LOST)
		lost++;
	else
		replies++;
	/* First in, first out: commands are numbered. */
	ck_assert_uint_eq((uintptr_t)command, last_command + 1);
	last_command = (uintptr_t)command;
	if (reply->code == MC_VA) {
		value_bytes = reply->value_bytes;
		memcpy(value, reply->value,
		       value_bytes < sizeof(value) ? value_bytes : sizeof(value));
	}
	if (close_at_reply) {
		mc_conn_close(conn);
		conn = NULL;
	}
	if (fail_at_reply && reply->code != MC_LOST)
		mc_conn_fail(conn, "the test says so");
}

static void on_closed(void *context, const char *said)
{
	(void)context;
	ck_assert(!closed);
	closed = true;
	conn = NULL;
	(void)snprintf(why, sizeof(why), "%s", said);
}

static const struct mc_conn_events events = {
    .ready = on_ready, .reply = on_reply, .closed = on_closed};

static void nothing(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	(void)argument;
}

static void turn_until(const bool *condition)
{
	time_t began = time(NULL);

	while (!*condition) {
		ck_assert(time(NULL) - began < PATIENCE_S);
		event_base_loop(base, EVLOOP_ONCE);
	}
}

static void turn_until_count(const unsigned *count, unsigned wanted)
{
	time_t began = time(NULL);

	while (*count < wanted) {
		ck_assert(time(NULL) - began < PATIENCE_S);
		event_base_loop(base, EVLOOP_ONCE);
	}
}

static void set_up(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(at);
	struct timeval often = {.tv_usec = 10000};

	base = event_base_new();
	tick = event_new(base, -1, EV_PERSIST, nothing, NULL);
	event_add(tick, &often);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&at, &length), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	(void)snprintf(address, sizeof(address), "127.0.0.1:%u", ntohs(at.sin_port));
}

static void tear_down(void)
{
	mc_conn_close(conn);
	if (peer >= 0)
		close(peer);
	close(listener);
	event_free(tick);
	event_base_free(base);
}

static void dial(uint32_t timeout_ms)
{
	struct failure failure;

	ck_assert_int_eq(
	    mc_conn_open(base, address, timeout_ms, 8u << 20, &events, NULL, &conn, &failure), 0);
	peer = accept(listener, NULL, NULL);
	ck_assert_int_ge(peer, 0);
	turn_until(&ready);
	ck_assert(mc_conn_is_ready(conn));
}

static void command(uintptr_t number)
{
	char *room = mc_conn_room(conn, 4);

	ck_assert_ptr_nonnull(room);
	memcpy(room, "mn\r\n", 4);
	mc_conn_send(conn, 4, (void *)number);
}

static void answer(const char *bytes, size_t length)
{
	ck_assert_int_eq(send(peer, bytes, length, MSG_NOSIGNAL), (ssize_t)length);
}

START_TEST(thousands_are_under_way_and_answered_in_order)
{
	static char all[5000 * 4];
	size_t got = 0;

	dial(5000);
	for (uintptr_t i = 1; i <= 5000; i++)
		command(i);
	ck_assert_uint_eq(mc_conn_outstanding(conn), 5000);
	while (got < sizeof(all)) {
		ssize_t n;

		event_base_loop(base, EVLOOP_ONCE);
		n = recv(peer, all + got, sizeof(all) - got, MSG_DONTWAIT);
		got += n > 0 ? (size_t)n : 0;
	}
	ck_assert_mem_eq(all, "mn\r\nmn\r\n", 8);
	for (size_t i = 0; i < sizeof(all); i += 4)
		memcpy(all + i, "MN\r\n", 4);
	answer(all, sizeof(all));
	turn_until_count(&replies, 5000);
	ck_assert_uint_eq(mc_conn_outstanding(conn), 0);
	ck_assert_uint_eq(lost, 0);
}
END_TEST

START_TEST(a_value_in_pieces_and_larger_than_the_buffer_arrives_whole)
{
	size_t bytes = 3u << 20;
	char *large = malloc(bytes);
	char line[32];

	dial(5000);
	memset(large, 'v', bytes);
	command(1);
	answer(line, (size_t)snprintf(line, sizeof(line), "VA %zu c1\r\n", bytes));
	for (size_t sent = 0; sent < bytes;) {
		ssize_t n = send(peer, large + sent, bytes - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		sent += n > 0 ? (size_t)n : 0;
		event_base_loop(base, EVLOOP_ONCE);
		ck_assert_uint_eq(replies, 0);
	}
	answer("\r\n", 2);
	turn_until_count(&replies, 1);
	ck_assert_uint_eq(value_bytes, bytes);
	free(large);
}
END_TEST

START_TEST(a_command_of_many_lines_is_one_command)
{
	char *room;

	dial(5000);
	room = mc_conn_room(conn, 7);
	memcpy(room, "stats\r\n", 7);
	mc_conn_send_lines(conn, 7, (void *)1);
	command(2);
	answer("STAT a 1\r\nSTAT b 2\r\nEND\r\nMN\r\n", 29);
	turn_until_count(&replies, 2);
	ck_assert_uint_eq(lines, 2);
}
END_TEST

START_TEST(a_lost_connection_leaves_what_is_outstanding_unknown)
{
	dial(5000);
	for (uintptr_t i = 1; i <= 10; i++)
		command(i);
	answer("MN\r\nMN\r\nMN\r\nM", 13);
	turn_until_count(&replies, 3);
	close(peer);
	peer = -1;
	turn_until(&closed);
	ck_assert_uint_eq(lost, 7);
	ck_assert_ptr_null(mc_conn_room(conn, 1));
}
END_TEST

START_TEST(silence_ends_the_connection)
{
	dial(100);
	command(1);
	turn_until(&closed);
	ck_assert_uint_eq(lost, 1);
	ck_assert_str_eq(why, "it does not answer");
}
END_TEST

START_TEST(silence_with_nothing_outstanding_does_not)
{
	unsigned turns = 0;

	dial(20);
	while (turns++ < 30)
		event_base_loop(base, EVLOOP_ONCE);
	command(1);
	answer("MN\r\n", 4);
	turn_until_count(&replies, 1);
	ck_assert(!closed);
}
END_TEST

START_TEST(nobody_there_is_said)
{
	struct failure failure;

	close(listener);
	listener = -1;
	ck_assert_int_eq(mc_conn_open(base, address, 1000, 100, &events, NULL, &conn, &failure), 0);
	command(1); /* may be queued while it dials */
	turn_until(&closed);
	ck_assert_uint_eq(lost, 1);
	ck_assert_str_eq(why, strerror(ECONNREFUSED));
	ck_assert_int_eq(
	    mc_conn_open(base, "localhost:11211", 1000, 100, &events, NULL, &conn, &failure),
	    -EINVAL);
	ck_assert_str_eq(failure.text, "localhost:11211 is no numeric address:port");
}
END_TEST

START_TEST(what_is_no_memcached_ends_the_connection)
{
	static const char *const said[] = {"VA x\r\n", "VA 999999999999\r\n", "MN\r\nMN\r\n"};

	dial(5000);
	command(1);
	answer(said[_i], strlen(said[_i]));
	turn_until(&closed);
	ck_assert_uint_eq(replies + lost, 1);
}
END_TEST

START_TEST(it_may_be_ended_from_within_a_reply)
{
	dial(5000);
	for (uintptr_t i = 1; i <= 3; i++)
		command(i);
	close_at_reply = _i == 0;
	fail_at_reply = _i == 1;
	answer("MN\r\nMN\r\nMN\r\n", 12);
	turn_until_count(&replies, 1);
	for (int i = 0; i < 3; i++)
		event_base_loop(base, EVLOOP_ONCE);
	ck_assert_uint_eq(replies, 1);
	ck_assert_uint_eq(lost, _i == 0 ? 0 : 2);
	ck_assert_int_eq(closed, _i == 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mc_conn");
	TCase *sockets = tcase_create("sockets");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(sockets, set_up, tear_down);
	tcase_add_test(sockets, thousands_are_under_way_and_answered_in_order);
	tcase_add_test(sockets, a_value_in_pieces_and_larger_than_the_buffer_arrives_whole);
	tcase_add_test(sockets, a_command_of_many_lines_is_one_command);
	tcase_add_test(sockets, a_lost_connection_leaves_what_is_outstanding_unknown);
	tcase_add_test(sockets, silence_ends_the_connection);
	tcase_add_test(sockets, silence_with_nothing_outstanding_does_not);
	tcase_add_test(sockets, nobody_there_is_said);
	tcase_add_loop_test(sockets, what_is_no_memcached_ends_the_connection, 0, 3);
	tcase_add_loop_test(sockets, it_may_be_ended_from_within_a_reply, 0, 2);
	suite_add_tcase(suite, sockets);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
