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
static enum mc_code codes[16]; /* by command */
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
	if (last_command < sizeof(codes) / sizeof(codes[0]))
		codes[last_command] = reply->code;
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
	    mc_conn_open(base, address, NULL, timeout_ms, 8u << 20, &events, NULL, &conn, &failure),
	    0);
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

/* Returns the number it must carry; what it says is nobody's matter here. */
static uint32_t quiet(uintptr_t number)
{
	uint32_t token = UINT32_MAX;
	char *room = mc_conn_room_quiet(conn, 3, &token);

	ck_assert_ptr_nonnull(room);
	memcpy(room, "q\r\n", 3);
	mc_conn_send_quiet(conn, 3, (void *)number);
	return token;
}

static void arrives(const char *bytes)
{
	char got[256];
	size_t length = strlen(bytes), n = 0;

	while (n < length) {
		ssize_t more;

		event_base_loop(base, EVLOOP_ONCE);
		more = recv(peer, got + n, sizeof(got) - n, MSG_DONTWAIT);
		n += more > 0 ? (size_t)more : 0;
	}
	ck_assert_uint_eq(n, length);
	ck_assert_mem_eq(got, bytes, length);
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

/* What waits is one piece, and what was read of an answer already is not waited for again. */
START_TEST(answers_of_a_long_pipeline_are_gathered_and_none_is_waited_for_in_vain)
{
	static char all[1300 * 4];
	size_t got = 0;

	dial(5000);
	for (uintptr_t i = 1; i <= 1300; i++)
		command(i);
	while (got < sizeof(all)) {
		ssize_t n;

		event_base_loop(base, EVLOOP_ONCE);
		n = recv(peer, all + got, sizeof(all) - got, MSG_DONTWAIT);
		got += n > 0 ? (size_t)n : 0;
	}
	for (size_t i = 0; i < sizeof(all); i += 4)
		memcpy(all + i, "MN\r\n", 4);
	answer(all, 400);
	for (int turns = 0; turns < 5; turns++)
		event_base_loop(base, EVLOOP_ONCE);
	ck_assert_uint_eq(replies, 0);
	answer(all, 944 * 4 + 3);
	turn_until_count(&replies, 1044);
	answer(all + 3, 256 * 4 - 4);
	turn_until_count(&replies, 1299);
	answer("\n", 1);
	turn_until_count(&replies, 1300);
	ck_assert_uint_eq(mc_conn_outstanding(conn), 0);
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

/* All that has come by then is delivered together, also where the pipeline was gathered before. */
START_TEST(a_held_connection_reads_when_it_is_looked_at)
{
	dial(5000);
	for (uintptr_t i = 1; i <= 1300; i++)
		command(i);
	for (int turns = 0; turns < 5; turns++)
		event_base_loop(base, EVLOOP_ONCE);
	mc_conn_look(conn); /* it is not held: nothing to do */
	mc_conn_hold(conn, true);
	mc_conn_hold(conn, true);
	answer("MN\r\nMN\r\nM", 9);
	for (int turns = 0; turns < 5; turns++)
		event_base_loop(base, EVLOOP_ONCE);
	ck_assert_uint_eq(replies, 0);
	mc_conn_look(conn);
	ck_assert_uint_eq(replies, 2);
	mc_conn_look(conn); /* nothing more is there */
	ck_assert_uint_eq(replies, 2);
	answer("N\r\n", 3);
	mc_conn_hold(conn, false);
	turn_until_count(&replies, 3);
	mc_conn_hold(conn, true);
	close(peer);
	peer = -1;
	for (int turns = 0; turns < 5; turns++)
		event_base_loop(base, EVLOOP_ONCE);
	ck_assert(!closed);
	mc_conn_look(conn);
	ck_assert(closed);
	ck_assert_uint_eq(replies, 3);
	ck_assert_uint_eq(lost, 1297);
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

START_TEST(quiet_commands_are_through_at_the_fence)
{
	dial(5000);
	for (uintptr_t i = 1; i <= 3; i++)
		(void)quiet(i);
	command(4);
	(void)quiet(5);
	arrives("q\r\nq\r\nq\r\nmn\r\nmn\r\nq\r\nmn\r\n");
	answer("MN\r\n", 4);
	turn_until_count(&replies, 3);
	for (uintptr_t i = 1; i <= 3; i++)
		ck_assert_int_eq(codes[i], MC_HD);
	answer("EN\r\nMN\r\n", 8);
	turn_until_count(&replies, 5);
	ck_assert_int_eq(codes[4], MC_EN);
	ck_assert_int_eq(codes[5], MC_HD);
	ck_assert_uint_eq(mc_conn_outstanding(conn), 0);
	ck_assert(mc_conn_may_be_quiet(conn));
}
END_TEST

START_TEST(a_failure_names_its_quiet_command)
{
	uint32_t tokens[6];
	char line[64];

	dial(5000);
	for (uintptr_t i = 1; i <= 5; i++)
		tokens[i] = quiet(i);
	answer(line, (size_t)snprintf(line, sizeof(line), "EX O%u\r\nNF O%u\r\nMN\r\n", tokens[2],
				      tokens[5]));
	turn_until_count(&replies, 5);
	ck_assert_int_eq(codes[1], MC_HD);
	ck_assert_int_eq(codes[2], MC_EX);
	ck_assert_int_eq(codes[3], MC_HD);
	ck_assert_int_eq(codes[4], MC_HD);
	ck_assert_int_eq(codes[5], MC_NF);
	ck_assert(mc_conn_may_be_quiet(conn));
}
END_TEST

START_TEST(an_error_without_a_name_leaves_its_run_unsure_and_no_other)
{
	uint32_t tokens[6];
	char line[96];

	dial(5000);
	for (uintptr_t i = 1; i <= 3; i++)
		tokens[i] = quiet(i);
	command(4);
	tokens[5] = quiet(5);
	answer(line, (size_t)snprintf(line, sizeof(line),
				      "SERVER_ERROR out of memory\r\nEX O%u\r\nMN\r\nEN\r\nMN\r\n",
				      tokens[2]));
	turn_until_count(&replies, 5);
	ck_assert_int_eq(codes[1], MC_UNSURE);
	ck_assert_int_eq(codes[2], MC_EX);
	ck_assert_int_eq(codes[3], MC_UNSURE);
	ck_assert_int_eq(codes[4], MC_EN);
	ck_assert_int_eq(codes[5], MC_HD);
	ck_assert(!mc_conn_may_be_quiet(conn));
}
END_TEST

START_TEST(a_lost_connection_leaves_quiet_commands_unknown)
{
	dial(5000);
	for (uintptr_t i = 1; i <= 3; i++)
		(void)quiet(i);
	arrives("q\r\nq\r\nq\r\nmn\r\n");
	close(peer);
	peer = -1;
	turn_until(&closed);
	ck_assert_uint_eq(lost, 3);
}
END_TEST

/* Answers to what was not asked, while quiet commands stand before a loud one. */
START_TEST(a_wrong_answer_to_quiet_commands_ends_the_connection)
{
	static const char *const said[] = {"HD\r\n",
					   "EX O2\r\n",
					   "EX O4000000000\r\n",
					   "MN\r\nEX O1\r\nHD\r\n",
					   "EX Ox\r\n",
					   "ERROR\r\n",
					   "CLIENT_ERROR bad data chunk\r\n"};

	dial(5000);
	for (uintptr_t i = 1; i <= 2; i++)
		(void)quiet(i);
	command(3);
	answer(said[_i], strlen(said[_i]));
	turn_until(&closed);
	ck_assert_uint_eq(replies + lost, 3);
}
END_TEST

START_TEST(nobody_there_is_said)
{
	struct failure failure;

	close(listener);
	listener = -1;
	ck_assert_int_eq(
	    mc_conn_open(base, address, NULL, 1000, 100, &events, NULL, &conn, &failure), 0);
	command(1); /* may be queued while it dials */
	turn_until(&closed);
	ck_assert_uint_eq(lost, 1);
	ck_assert_str_eq(why, strerror(ECONNREFUSED));
	ck_assert_int_eq(
	    mc_conn_open(base, "localhost:11211", NULL, 1000, 100, &events, NULL, &conn, &failure),
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
	tcase_add_test(sockets,
		       answers_of_a_long_pipeline_are_gathered_and_none_is_waited_for_in_vain);
	tcase_add_test(sockets, a_value_in_pieces_and_larger_than_the_buffer_arrives_whole);
	tcase_add_test(sockets, a_command_of_many_lines_is_one_command);
	tcase_add_test(sockets, a_lost_connection_leaves_what_is_outstanding_unknown);
	tcase_add_test(sockets, a_held_connection_reads_when_it_is_looked_at);
	tcase_add_test(sockets, silence_ends_the_connection);
	tcase_add_test(sockets, silence_with_nothing_outstanding_does_not);
	tcase_add_test(sockets, quiet_commands_are_through_at_the_fence);
	tcase_add_test(sockets, a_failure_names_its_quiet_command);
	tcase_add_test(sockets, an_error_without_a_name_leaves_its_run_unsure_and_no_other);
	tcase_add_test(sockets, a_lost_connection_leaves_quiet_commands_unknown);
	tcase_add_loop_test(sockets, a_wrong_answer_to_quiet_commands_ends_the_connection, 0, 7);
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
