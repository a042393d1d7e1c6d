/* test_mover_watch.c - what is asked of a watched memcached, and what its answers are taken for;
 * against a server of the test's own on the loopback.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "daemon/mover_watch.h"

#define PATIENCE_S 20

static struct event_base *base;
static struct event *accepts, *asked, *tick;
static struct mover_watch *watch;
static int listener, peer;
static unsigned probes, counts;
static enum mover_watch_while doing;
static struct mover_own own;
/* What the server says, and what each count finds more of: others' reads, what this mover has asked
 * for, and keys that another mover has reserved and set. */
static uint64_t hits, sets, theirs, ours, moved;

static uint64_t now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void answer(evutil_socket_t fd, short what, void *argument)
{
	char text[512], stats[128];
	ssize_t n = recv(fd, text, sizeof(text), 0);

	(void)what;
	(void)argument;
	ck_assert_int_ge(n, 0);
	/* One command at a time is asked, and both are short. */
	if (n == 4 && memcmp(text, "mn\r\n", 4) == 0) {
		probes++;
		ck_assert_int_eq(send(fd, "MN\r\n", 4, MSG_NOSIGNAL), 4);
	} else if (n == 7 && memcmp(text, "stats\r\n", 7) == 0) {
		int length;

		counts++;
		hits += theirs + ours + moved;
		sets += moved;
		own.hits += ours;
		length = snprintf(stats, sizeof(stats),
				  "STAT get_hits %llu\r\nSTAT cmd_set %llu\r\nEND\r\n",
				  (unsigned long long)hits, (unsigned long long)sets);
		ck_assert_int_eq(send(fd, stats, (size_t)length, MSG_NOSIGNAL), length);
	} else {
		ck_assert_int_eq(n, 0);
		event_del(asked);
	}
}

static void accepted(evutil_socket_t fd, short what, void *argument)
{
	(void)what;
	(void)argument;
	peer = accept(fd, NULL, NULL);
	ck_assert_int_ge(peer, 0);
	asked = event_new(base, peer, EV_READ | EV_PERSIST, answer, NULL);
	event_add(asked, NULL);
}

static void ticks(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	(void)argument;
	mover_watch_tick(watch, doing, &own, now());
}

static void set_up(void)
{
	static char address[32];
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(at);
	struct timeval often = {.tv_usec = 1000};

	probes = counts = 0;
	hits = sets = theirs = ours = moved = 0;
	own = (struct mover_own){0};
	peer = -1;
	asked = NULL;
	base = event_base_new();
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&at, &length), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	(void)snprintf(address, sizeof(address), "127.0.0.1:%u", ntohs(at.sin_port));
	accepts = event_new(base, listener, EV_READ | EV_PERSIST, accepted, NULL);
	event_add(accepts, NULL);
	tick = event_new(base, -1, EV_PERSIST, ticks, NULL);
	event_add(tick, &often);
	watch = mover_watch_new(base, address, NULL, 5000);
	ck_assert_ptr_nonnull(watch);
}

static void tear_down(void)
{
	mover_watch_free(watch);
	event_free(tick);
	event_free(accepts);
	if (asked != NULL)
		event_free(asked);
	if (peer >= 0)
		close(peer);
	close(listener);
	event_base_free(base);
}

static void turn_until_count(const unsigned *count, unsigned wanted)
{
	time_t began = time(NULL);

	while (*count < wanted) {
		ck_assert(time(NULL) - began < PATIENCE_S);
		event_base_loop(base, EVLOOP_ONCE);
	}
}

START_TEST(a_resting_mover_learns_how_soon_it_answers)
{
	doing = MOVER_WATCH_RESTS;
	turn_until_count(&probes, 13);
	turn_until_count(&counts, 2);
	turn_until_count(&probes, probes + 1); /* the count before it is answered */
	ck_assert(mover_watch_ready(watch));
	ck_assert(!mover_watch_slow(watch));
	ck_assert_uint_eq(mover_watch_reads(watch), 0);
}
END_TEST

/* A probe costs the server a wake-up, and would say nothing: only who reads there is asked. */
START_TEST(a_probe_that_would_say_nothing_is_not_sent)
{
	doing = MOVER_WATCH_NEITHER;
	turn_until_count(&counts, 3);
	ck_assert_uint_eq(probes, 0);
	doing = MOVER_WATCH_WORKS;
	turn_until_count(&probes, 3);
}
END_TEST

START_TEST(others_who_read_are_counted)
{
	doing = MOVER_WATCH_NEITHER;
	theirs = 1000000;
	turn_until_count(&counts, 3);
	ck_assert_uint_gt(mover_watch_reads(watch), 0);
}
END_TEST

START_TEST(what_the_mover_itself_asks_for_is_nobody_else)
{
	doing = MOVER_WATCH_NEITHER;
	ours = 1000000;
	turn_until_count(&counts, 4);
	ck_assert_uint_eq(mover_watch_reads(watch), 0);
}
END_TEST

START_TEST(another_mover_is_no_reader)
{
	doing = MOVER_WATCH_NEITHER;
	moved = 1000000;
	turn_until_count(&counts, 4);
	ck_assert_uint_eq(mover_watch_reads(watch), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mover_watch");
	TCase *tcase = tcase_create("asked");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 2 * PATIENCE_S);
	tcase_add_test(tcase, a_resting_mover_learns_how_soon_it_answers);
	tcase_add_test(tcase, a_probe_that_would_say_nothing_is_not_sent);
	tcase_add_test(tcase, others_who_read_are_counted);
	tcase_add_test(tcase, what_the_mover_itself_asks_for_is_nobody_else);
	tcase_add_test(tcase, another_mover_is_no_reader);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
