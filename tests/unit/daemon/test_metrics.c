/* test_metrics.c - the metrics' HTTP: what is served, and what strangers on this host can do to it.
 */
#include "daemon/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <check.h>

#define PATIENCE_S 20

static struct event_base *base;
static struct metrics *metrics;
static char address[32];
static unsigned port, made;
static bool no_page;

static int page(void *context, char **text, size_t *bytes)
{
	(void)context;
	if (no_page)
		return -ENOMEM;
	made++;
	*text = malloc(32);
	*bytes = (size_t)snprintf(*text, 32, "mcroster_made %u\n", made);
	return 0;
}

static void set_up(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
	socklen_t length = sizeof(at);
	struct failure failure;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, length), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &length), 0);
	(void)close(fd);
	port = ntohs(at.sin_port);
	(void)snprintf(address, sizeof(address), "127.0.0.1:%u", port);
	made = 0;
	no_page = false;
	base = event_base_new();
	ck_assert_msg(metrics_open(base, address, page, NULL, &metrics, &failure) == 0, "%s",
		      failure.text);
}

static void tear_down(void)
{
	metrics_close(metrics);
	event_base_free(base);
}

static int dial(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(0x7f000001)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static void nothing(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)context;
}

static void turn(void)
{
	const struct timeval soon = {.tv_usec = 5000};

	(void)event_base_once(base, -1, EV_TIMEOUT, nothing, NULL, &soon);
	(void)event_base_loop(base, EVLOOP_ONCE);
}

/* Everything that comes until the other side closes. */
static void hear(int fd, char *out, size_t size)
{
	const time_t deadline = time(NULL) + PATIENCE_S;
	size_t used = 0;

	for (;;) {
		ssize_t n = recv(fd, out + used, size - 1 - used, 0);

		if (n == 0 || (n < 0 && errno != EAGAIN))
			break;
		if (n > 0)
			used += (size_t)n;
		else
			turn();
		ck_assert_msg(time(NULL) < deadline, "it is not closed in %d s", PATIENCE_S);
	}
	out[used] = '\0';
	(void)close(fd);
}

/* Says it as far as it is taken. */
static void say(int fd, const char *text, size_t length)
{
	const time_t deadline = time(NULL) + PATIENCE_S;
	size_t done = 0;

	while (done < length) {
		ssize_t n = send(fd, text + done, length - done, MSG_NOSIGNAL);

		if (n > 0)
			done += (size_t)n;
		else if (errno == EAGAIN)
			turn();
		else
			return; /* it does not want to hear the rest */
		ck_assert_msg(time(NULL) < deadline, "it neither reads nor closes");
	}
}

static void ask(const char *request, char *out, size_t size)
{
	int fd = dial();

	say(fd, request, strlen(request));
	hear(fd, out, size);
}

static void begins(const char *answer, const char *expected)
{
	ck_assert_msg(strncmp(answer, expected, strlen(expected)) == 0, "'%.60s', expected '%s'",
		      answer, expected);
}

static void still_serves(void)
{
	char answer[1024];

	ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", answer, sizeof(answer));
	begins(answer, "HTTP/1.1 200 ");
}

START_TEST(page_is_served_as_prometheus_text)
{
	char answer[1024];

	ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", answer, sizeof(answer));
	begins(answer, "HTTP/1.1 200 ");
	ck_assert_ptr_nonnull(strstr(answer, "Content-Type: text/plain; version=0.0.4"));
	ck_assert_ptr_nonnull(strstr(answer, "\r\n\r\nmcroster_made 1\n"));
	ask("GET /metrics HTTP/1.0\r\n\r\n", answer, sizeof(answer));
	begins(answer, "HTTP/1.0 200 ");
	ask("HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n", answer, sizeof(answer));
	begins(answer, "HTTP/1.1 200 ");
	ck_assert_ptr_null(strstr(answer, "mcroster_made"));
}
END_TEST

START_TEST(page_is_made_once_a_second_however_often_it_is_asked_for)
{
	const time_t deadline = time(NULL) + PATIENCE_S;

	/* Sixty answers may take a second, but not sixty pages. */
	for (unsigned i = 0; i < 60; i++)
		still_serves();
	ck_assert_uint_lt(made, 60);
	for (unsigned before = made; made == before;) {
		still_serves();
		ck_assert_msg(time(NULL) < deadline, "it is never made again");
	}
}
END_TEST

START_TEST(nothing_else_is_served)
{
	static const struct {
		const char *request, *answer;
	} cases[] = {
	    {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 "},
	    {"GET /metrics/ HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 "},
	    {"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 "},
	    {"GET http:// HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 4"},
	    {"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 501 "},
	    {"DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 501 "},
	    {"\r\n\r\n", "HTTP/1.1 400 "},
	    {"\x16\x03\x01\x02\x01\r\n\r\n", "HTTP/1.1 400 "},
	    {"GET /metrics\r\n\r\n", "HTTP/1.1 400 "},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char answer[1024];

		ask(cases[i].request, answer, sizeof(answer));
		begins(answer, cases[i].answer);
		ck_assert_ptr_null(strstr(answer, "mcroster_made"));
	}
	still_serves();
}
END_TEST

START_TEST(without_a_page_it_says_so)
{
	char answer[1024];

	no_page = true;
	ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", answer, sizeof(answer));
	begins(answer, "HTTP/1.1 503 ");
}
END_TEST

/* Megabytes in each part of a request: it is ended long before they are heard. */
START_TEST(huge_requests_are_cut_short)
{
	static const char *const begin[] = {
	    "",
	    "GET /",
	    "GET /metrics HTTP/1.1\r\nHost: ",
	    "GET /metrics HTTP/1.1\r\n",
	    "GET /metrics HTTP/1.1\r\nContent-Length: 8000000\r\n\r\n",
	    "GET /metrics HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\n"};
	const size_t length = 8u << 20;
	char *many = malloc(length);

	for (size_t i = 0; i < sizeof(begin) / sizeof(*begin); i++) {
		char answer[1024];
		int fd = dial();

		/* Of lines where headers are. */
		for (size_t at = 0; at < length; at++)
			many[at] = i == 3 && at % 8 == 6   ? '\r'
				   : i == 3 && at % 8 == 7 ? '\n'
				   : i == 3 && at % 8 == 1 ? ':'
							   : 'a';
		say(fd, begin[i], strlen(begin[i]));
		say(fd, many, length);
		hear(fd, answer, sizeof(answer));
		ck_assert_ptr_null(strstr(answer, "mcroster_made"));
		still_serves();
	}
	free(many);
}
END_TEST

/* One letter now and then keeps the idle time from running out; the connection's own has its end.
 */
START_TEST(slow_request_is_cut_off)
{
	const time_t deadline = time(NULL) + PATIENCE_S;
	int fd = dial();
	char heard[256];
	ssize_t n;

	say(fd, "GET /", 5);
	while ((n = recv(fd, heard, sizeof(heard), 0)) < 0 && errno == EAGAIN) {
		for (unsigned i = 0; i < 10; i++)
			turn();
		if (send(fd, "a", 1, MSG_NOSIGNAL) < 0)
			break;
		ck_assert_msg(time(NULL) < deadline, "it may go on for ever");
	}
	(void)close(fd);
	still_serves();
}
END_TEST

/* Who sends nothing keeps the others waiting, and for a moment only. */
START_TEST(silent_crowd_is_let_in_a_few_at_a_time)
{
	int silent[10];
	unsigned files = 0;

	for (unsigned i = 0; i < 10; i++) {
		silent[i] = dial();
		turn();
	}
	/* This process' own ends, and no more than the places at the other side. */
	for (int fd = 0; fd < 1024; fd++) {
		struct sockaddr_in at;
		socklen_t length = sizeof(at);

		files += getsockname(fd, (struct sockaddr *)&at, &length) == 0 &&
			 at.sin_family == AF_INET && ntohs(at.sin_port) == port;
	}
	ck_assert_uint_le(files, 1 + METRICS_CONNECTIONS_MAX);
	ck_assert_uint_ge(files, METRICS_CONNECTIONS_MAX);
	still_serves();
	for (unsigned i = 0; i < 10; i++)
		(void)close(silent[i]);
}
END_TEST

START_TEST(port_in_use_is_said)
{
	struct metrics *second = NULL;
	struct failure failure;

	ck_assert_int_eq(metrics_open(base, address, page, NULL, &second, &failure), -EADDRINUSE);
	ck_assert_ptr_nonnull(strstr(failure.text, address));
	ck_assert_ptr_nonnull(strstr(failure.text, "choose another"));
	ck_assert_ptr_null(second);
}
END_TEST

START_TEST(closing_cuts_everybody_off)
{
	struct failure failure;
	char answer[64];
	int open = dial(), half = dial();

	say(half, "GET /metr", 9);
	for (unsigned i = 0; i < 4; i++)
		turn();
	metrics_close(metrics);
	hear(open, answer, sizeof(answer));
	hear(half, answer, sizeof(answer));
	ck_assert_int_eq(metrics_open(base, address, page, NULL, &metrics, &failure), 0);
	still_serves();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("metrics");
	TCase *tests = tcase_create("http");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, page_is_served_as_prometheus_text);
	tcase_add_test(tests, page_is_made_once_a_second_however_often_it_is_asked_for);
	tcase_add_test(tests, nothing_else_is_served);
	tcase_add_test(tests, without_a_page_it_says_so);
	tcase_add_test(tests, huge_requests_are_cut_short);
	tcase_add_test(tests, slow_request_is_cut_off);
	tcase_add_test(tests, silent_crowd_is_let_in_a_few_at_a_time);
	tcase_add_test(tests, port_in_use_is_said);
	tcase_add_test(tests, closing_cuts_everybody_off);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
