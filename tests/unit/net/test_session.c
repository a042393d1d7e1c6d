/* test_session.c - sessions over real sockets on the loopback. */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sodium.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/buffer.h>

#include "net/session_internal.h"
#include "net/session_rate.h"

#define DEADLINE_SECONDS 20

/* One end: what happened to it. */
struct end {
	struct session *session;
	struct session_identity identity;
	unsigned ready, messages, closed;
	bool close_on_ready, close_on_message, close_on_closed, echo, send_on_ready;
	struct message last;
	uint8_t *body;
	char why[512];
};

static struct event_base *base;
static struct session_listener *listener;
static struct end client, server;
static char address[64];
static char directory[64];

static void on_ready(struct session *session, void *context)
{
	struct end *end = context;
	struct message message = {.type = MESSAGE_STATUS_GET, .status_get = {.request = 9}};

	ck_assert(end->session == NULL || end->session == session);
	end->session = session;
	end->ready++;
	if (end->send_on_ready)
		ck_assert_int_eq(session_send(session, &message), 0);
	if (end->close_on_ready) {
		session_close(session);
		end->session = NULL;
	}
}

static void on_message(struct session *session, const struct message *message, void *context)
{
	struct end *end = context;

	ck_assert_uint_gt(end->ready, 0);
	end->messages++;
	end->last = *message;
	free(end->body);
	end->body = NULL;
	if (message->body_bytes > 0) {
		end->body = malloc(message->body_bytes);
		memcpy(end->body, message->body, message->body_bytes);
	}
	end->last.body = end->body;
	if (end->echo)
		ck_assert_int_eq(session_send(session, message), 0);
	if (end->close_on_message) {
		session_close(session);
		end->session = NULL;
	}
}

static void on_closed(struct session *session, const char *why, void *context)
{
	struct end *end = context;

	end->closed++;
	(void)snprintf(end->why, sizeof(end->why), "%s", why);
	if (end->close_on_closed)
		session_close(session);
	end->session = NULL;
}

static const struct session_events events = {on_ready, on_message, on_closed};

static void on_wake(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)context;
}

static double seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Runs the loop until the condition holds, or fails at the deadline. */
#define RUN_UNTIL(condition)                                                                       \
	do {                                                                                       \
		double deadline_ = seconds() + DEADLINE_SECONDS;                                   \
		while (!(condition)) {                                                             \
			ck_assert_msg(seconds() < deadline_, "never: %s", #condition);             \
			ck_assert_int_ge(event_base_loop(base, EVLOOP_ONCE), 0);                   \
		}                                                                                  \
	} while (0)

static void identity_make(struct session_identity *identity, const char *name)
{
	memset(identity, 0, sizeof(*identity));
	(void)snprintf(identity->cluster, sizeof(identity->cluster), "web");
	(void)snprintf(identity->name, sizeof(identity->name), "%s", name);
	crypto_box_keypair(identity->public_key, identity->secret);
	memset(identity->psk, 0x77, sizeof(identity->psk));
}

static struct event *tick;

static void setup(void)
{
	static const struct timeval often = {.tv_usec = 20000};
	struct failure failure;
	struct sockaddr_in free_port = {.sin_family = AF_INET};
	socklen_t length = sizeof(free_port);
	int fd, error = -EADDRINUSE;

	ck_assert_int_ge(sodium_init(), 0);
	(void)signal(SIGPIPE, SIG_IGN);
	base = event_base_new();
	tick = event_new(base, -1, EV_PERSIST, on_wake, NULL);
	event_add(tick, &often);
	memset(&client, 0, sizeof(client));
	memset(&server, 0, sizeof(server));
	identity_make(&client.identity, "web01");
	identity_make(&server.identity, "web02");
	for (int attempt = 0; attempt < 20 && error == -EADDRINUSE; attempt++) {
		free_port.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		free_port.sin_port = 0;
		fd = socket(AF_INET, SOCK_STREAM, 0);
		ck_assert_int_eq(bind(fd, (struct sockaddr *)&free_port, sizeof(free_port)), 0);
		ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&free_port, &length), 0);
		close(fd);
		(void)snprintf(address, sizeof(address), "127.0.0.1:%u", ntohs(free_port.sin_port));
		error = session_listen(base, address, &server.identity, &events, &server, &listener,
				       &failure);
	}
	ck_assert_msg(error == 0, "%s", failure.text);
	(void)snprintf(directory, sizeof(directory), "/tmp/mcroster-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void teardown(void)
{
	session_close(client.session);
	session_close(server.session);
	session_listener_free(listener);
	event_free(tick);
	event_base_free(base);
	free(client.body);
	free(server.body);
	ck_assert_int_eq(rmdir(directory), 0);
}

static void dial(void)
{
	struct failure failure;

	ck_assert_msg(session_dial(base, address, server.identity.public_key, &client.identity,
				   &events, &client, &client.session, &failure) == 0,
		      "%s", failure.text);
}

static void connect_both(void)
{
	dial();
	RUN_UNTIL(client.ready == 1 && server.ready == 1);
}

START_TEST(both_become_ready_and_know_each_other)
{
	connect_both();
	ck_assert_str_eq(session_peer_name(client.session), "web02");
	ck_assert_str_eq(session_peer_name(server.session), "web01");
	ck_assert_mem_eq(session_peer_key(client.session), server.identity.public_key, 32);
	ck_assert_mem_eq(session_peer_key(server.session), client.identity.public_key, 32);
	ck_assert_str_eq(session_peer_address(client.session), address);
	ck_assert_int_eq(strncmp(session_peer_address(server.session), "127.0.0.1:", 10), 0);
	ck_assert(!session_is_local(client.session));
	ck_assert_uint_eq(session_listener_counts(listener)->accepted, 1);
	ck_assert_uint_eq(session_listener_counts(listener)->completed, 1);
}
END_TEST

START_TEST(messages_cross_in_order)
{
	struct message message = {.type = MESSAGE_STATUS_GET};

	connect_both();
	server.echo = true;
	for (uint64_t i = 1; i <= 500; i++) {
		message.status_get.request = i;
		ck_assert_int_eq(session_send(client.session, &message), 0);
	}
	RUN_UNTIL(client.messages == 500);
	ck_assert_uint_eq(server.messages, 500);
	ck_assert_uint_eq(client.last.status_get.request, 500);
}
END_TEST

START_TEST(a_body_of_a_mebibyte_crosses_both_ways)
{
	struct message message = {.type = MESSAGE_OFFER, .request = 3};
	uint8_t *body = malloc(MESSAGE_BODY_MAX);

	ck_assert_ptr_nonnull(body);
	randombytes_buf(body, MESSAGE_BODY_MAX);
	message.body = body;
	message.body_bytes = MESSAGE_BODY_MAX;
	connect_both();
	server.echo = true;
	ck_assert_int_eq(session_send(client.session, &message), 0);
	RUN_UNTIL(client.messages == 1);
	ck_assert_uint_eq(client.last.body_bytes, MESSAGE_BODY_MAX);
	ck_assert_uint_eq(client.last.request, 3);
	ck_assert_mem_eq(client.body, body, MESSAGE_BODY_MAX);
	message.body_bytes = MESSAGE_BODY_MAX + 1;
	ck_assert_int_eq(session_send(client.session, &message), -EMSGSIZE);
	free(body);
}
END_TEST

START_TEST(nothing_can_be_sent_before_ready)
{
	struct message message = {.type = MESSAGE_STATUS_GET};

	dial();
	ck_assert_int_eq(session_send(client.session, &message), -EPIPE);
	ck_assert_str_eq(session_peer_name(client.session), "");
	RUN_UNTIL(client.ready == 1);
	ck_assert_int_eq(session_send(client.session, &message), 0);
}
END_TEST

START_TEST(the_context_can_be_changed)
{
	struct end other = {0};
	struct message message = {.type = MESSAGE_STATUS_GET};

	connect_both();
	ck_assert_ptr_eq(session_context(server.session), &server);
	other.ready = 1;
	session_set_context(server.session, &other);
	ck_assert_int_eq(session_send(client.session, &message), 0);
	RUN_UNTIL(other.messages == 1);
	ck_assert_uint_eq(server.messages, 0);
	session_set_context(server.session, &server);
}
END_TEST

/* Who is turned away.  The owner of the listener never hears of him; the listener counts. */

static void expect_refused(const char *why)
{
	RUN_UNTIL(client.closed == 1);
	ck_assert_msg(strstr(client.why, why) != NULL, "\"%s\" not in \"%s\"", why, client.why);
	ck_assert_msg(strncmp(client.why, address, strlen(address)) == 0, "%s", client.why);
	ck_assert_uint_eq(client.ready, 0);
	ck_assert_uint_eq(server.ready + server.closed + server.messages, 0);
	ck_assert_uint_eq(session_listener_counts(listener)->completed, 0);
}

START_TEST(another_psk_is_turned_away)
{
	client.identity.psk[0] ^= 1;
	dial();
	expect_refused("pre-shared key");
	ck_assert_uint_eq(session_listener_counts(listener)->refused_mac, 1);
	ck_assert_ptr_nonnull(strstr(session_listener_last_refusal(listener), "mac1"));
	ck_assert_int_eq(strncmp(session_listener_last_refusal(listener), "127.0.0.1:", 10), 0);
}
END_TEST

START_TEST(another_host_key_is_turned_away)
{
	struct session_identity other;
	struct failure failure;

	identity_make(&other, "other");
	ck_assert_int_eq(session_dial(base, address, other.public_key, &client.identity, &events,
				      &client, &client.session, &failure),
			 0);
	expect_refused("host key");
	ck_assert_uint_eq(session_listener_counts(listener)->refused_mac, 1);
}
END_TEST

START_TEST(another_cluster_is_turned_away)
{
	strcpy(client.identity.cluster, "mail");
	dial();
	expect_refused("cluster name");
	ck_assert_uint_eq(session_listener_counts(listener)->refused_handshake, 1);
	ck_assert_ptr_nonnull(strstr(session_listener_last_refusal(listener), "cluster than web"));
}
END_TEST

START_TEST(the_previous_psk_is_accepted)
{
	memcpy(server.identity.previous_psk, server.identity.psk, 32);
	server.identity.has_previous_psk = true;
	memset(server.identity.psk, 0x11, 32);
	connect_both();
	ck_assert_uint_eq(session_listener_counts(listener)->accepted, 1);
}
END_TEST

START_TEST(the_previous_psk_is_dialled_with_when_the_new_one_is_unknown)
{
	memcpy(client.identity.previous_psk, client.identity.psk, 32);
	client.identity.has_previous_psk = true;
	memset(client.identity.psk, 0x11, 32);
	server.echo = true;
	connect_both();
	ck_assert_uint_eq(session_listener_counts(listener)->refused_mac, 1);
	ck_assert_uint_eq(session_listener_counts(listener)->completed, 1);
	client.send_on_ready = true;
	on_ready(client.session, &client);
	RUN_UNTIL(client.messages == 1);
}
END_TEST

/* While both are rotated: either key of ours with either pre-shared key. */
START_TEST(both_host_keys_are_answered_to)
{
	uint8_t old_key[32], dialled[32];
	struct failure failure;

	memcpy(old_key, server.identity.public_key, 32);
	memcpy(server.identity.other_secret, server.identity.secret, 32);
	memcpy(server.identity.other_public_key, old_key, 32);
	server.identity.has_other = true;
	crypto_box_keypair(server.identity.public_key, server.identity.secret);
	memcpy(server.identity.previous_psk, server.identity.psk, 32);
	server.identity.has_previous_psk = true;
	memset(server.identity.psk, 0x11, 32);
	if ((_i & 1) != 0)
		memcpy(client.identity.psk, server.identity.psk, 32);
	memcpy(dialled, (_i & 2) != 0 ? old_key : server.identity.public_key, 32);
	ck_assert_int_eq(session_dial(base, address, dialled, &client.identity, &events, &client,
				      &client.session, &failure),
			 0);
	RUN_UNTIL(client.ready == 1 && server.ready == 1);
	ck_assert_mem_eq(session_peer_key(client.session), dialled, 32);
	ck_assert_uint_eq(session_listener_counts(listener)->accepted, 1);
}
END_TEST

START_TEST(session_ended_by_its_owner_says_why)
{
	connect_both();
	session_end_soon(client.session, "enough");
	ck_assert_uint_eq(client.closed, 0);
	RUN_UNTIL(client.closed == 1 && server.closed == 1);
	ck_assert_ptr_nonnull(strstr(client.why, "enough"));
}
END_TEST

START_TEST(two_unknown_psks_are_tried_once_each)
{
	memset(client.identity.previous_psk, 0x22, 32);
	client.identity.has_previous_psk = true;
	memset(client.identity.psk, 0x11, 32);
	dial();
	expect_refused("pre-shared key");
	ck_assert_uint_eq(session_listener_counts(listener)->refused_mac, 2);
}
END_TEST

/* Raw sockets: peers that do not keep to the protocol. */

static int raw_connect_from(const char *source)
{
	struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(inet_pton(AF_INET, source, &from.sin_addr), 1);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons((uint16_t)atoi(strchr(address, ':') + 1));
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static bool raw_is_closed(int fd)
{
	char byte;
	ssize_t got = recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);

	return got == 0 || (got < 0 && errno == ECONNRESET);
}

START_TEST(garbage_is_turned_away_and_the_listener_goes_on)
{
	int fd = raw_connect_from("127.0.0.1");
	uint8_t garbage[4096];

	randombytes_buf(garbage, sizeof(garbage));
	garbage[0] = WIRE_FIRST_BYTES;
	garbage[1] = _i == 0 ? 0 : 7;
	ck_assert_int_eq(send(fd, garbage, sizeof(garbage), MSG_NOSIGNAL), sizeof(garbage));
	RUN_UNTIL(raw_is_closed(fd));
	close(fd);
	ck_assert_uint_eq(session_listener_counts(listener)->refused_mac, _i == 0);
	ck_assert_uint_eq(session_listener_counts(listener)->refused_handshake, _i != 0);
	ck_assert_uint_eq(server.ready + server.closed + server.messages, 0);
	connect_both();
}
END_TEST

START_TEST(a_message_without_a_handshake_is_not_delivered)
{
	int fd = raw_connect_from("127.0.0.1");
	struct message message = {.type = MESSAGE_STATUS_GET};
	uint8_t frame[2 + MESSAGE_BYTES_MAX] = {0};
	size_t length = message_encode(&message, PROTOCOL_VERSION, frame + 2);

	frame[0] = (uint8_t)length;
	ck_assert_int_eq(send(fd, frame, 2 + length, MSG_NOSIGNAL), (ssize_t)(2 + length));
	RUN_UNTIL(raw_is_closed(fd));
	close(fd);
	ck_assert_uint_eq(server.ready + server.messages, 0);
	ck_assert_uint_eq(session_listener_counts(listener)->refused_handshake, 1);
}
END_TEST

START_TEST(a_silent_connection_is_closed)
{
	int fd = raw_connect_from("127.0.0.1");

	RUN_UNTIL(raw_is_closed(fd));
	close(fd);
	ck_assert_uint_eq(session_listener_counts(listener)->timed_out, 1);
	ck_assert_ptr_nonnull(strstr(session_listener_last_refusal(listener), "no handshake"));
	ck_assert_uint_eq(server.ready + server.closed, 0);
}
END_TEST

START_TEST(a_silent_listener_is_given_up)
{
	struct sockaddr_in silent = {.sin_family = AF_INET};
	socklen_t length = sizeof(silent);
	struct failure failure;
	char where[64];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	silent.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&silent, sizeof(silent)), 0);
	ck_assert_int_eq(listen(fd, 4), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&silent, &length), 0);
	(void)snprintf(where, sizeof(where), "127.0.0.1:%u", ntohs(silent.sin_port));
	ck_assert_int_eq(session_dial(base, where, server.identity.public_key, &client.identity,
				      &events, &client, &client.session, &failure),
			 0);
	RUN_UNTIL(client.closed == 1);
	ck_assert_ptr_nonnull(strstr(client.why, "no handshake within 3 s"));
	close(fd);
}
END_TEST

START_TEST(a_refused_connection_is_told)
{
	session_listener_free(listener);
	listener = NULL;
	dial();
	ck_assert_uint_eq(client.closed, 0); /* never from within the call */
	RUN_UNTIL(client.closed == 1);
	ck_assert_ptr_nonnull(strstr(client.why, "Connection refused"));
	ck_assert_ptr_nonnull(strstr(client.why, address));
}
END_TEST

/* Each from an address of its own, so that it is not the rate that turns them away. */
START_TEST(only_so_many_may_be_half_open)
{
	int fds[SESSION_HALF_OPEN_MAX + 1];
	char source[32];

	for (unsigned i = 0; i <= SESSION_HALF_OPEN_MAX; i++) {
		(void)snprintf(source, sizeof(source), "127.0.%u.%u", 1 + i / 200, 1 + i % 200);
		fds[i] = raw_connect_from(source);
		RUN_UNTIL(session_listener_counts(listener)->accepted == i + 1);
	}
	ck_assert_uint_eq(session_listener_counts(listener)->refused_half_open, 1);
	ck_assert_uint_eq(session_listener_counts(listener)->refused_rate, 0);
	RUN_UNTIL(raw_is_closed(fds[SESSION_HALF_OPEN_MAX]));
	ck_assert(!raw_is_closed(fds[SESSION_HALF_OPEN_MAX - 1]) ||
		  session_listener_counts(listener)->timed_out > 0);
	/* Those that go make room; how soon they are noticed is the loop's affair. */
	for (unsigned i = 0; i <= SESSION_HALF_OPEN_MAX; i++)
		close(fds[i]);
	do {
		client.closed = 0;
		dial();
		RUN_UNTIL(client.ready == 1 || client.closed == 1);
	} while (client.ready == 0);
}
END_TEST

START_TEST(one_address_may_begin_only_so_many_a_second)
{
	const struct session_counts *counts = session_listener_counts(listener);
	unsigned tries = 0;

	while (counts->refused_rate == 0) {
		uint64_t accepted = counts->accepted;

		ck_assert_uint_lt(tries++, 5000);
		close(raw_connect_from("127.0.0.1"));
		RUN_UNTIL(counts->accepted > accepted);
	}
	ck_assert_uint_gt(tries, RATE_PER_SECOND);
	/* Another address is not concerned. */
	close(raw_connect_from("127.0.0.2"));
	RUN_UNTIL(counts->accepted == tries + 1);
	ck_assert_uint_eq(counts->refused_rate, 1);
}
END_TEST

/* The end of a session. */

START_TEST(a_peer_that_does_not_read_is_cut_off)
{
	struct message message = {.type = MESSAGE_STATUS, .body_bytes = 256 * 1024};
	uint8_t *body = calloc(1, message.body_bytes);
	unsigned sent = 0;
	int error;

	message.body = body;
	connect_both();
	(void)bufferevent_disable(client.session->stream, EV_READ);
	while ((error = session_send(server.session, &message)) == 0) {
		ck_assert_uint_lt(sent++, 1000);
		ck_assert_int_ge(event_base_loop(base, EVLOOP_NONBLOCK), 0);
		ck_assert_uint_le(
		    evbuffer_get_length(bufferevent_get_output(server.session->stream)),
		    SESSION_QUEUE_MAX);
	}
	ck_assert_int_eq(error, -ENOBUFS);
	ck_assert_uint_ge(sent, (SESSION_QUEUE_MAX / message.body_bytes) - 1);
	ck_assert_uint_eq(server.closed, 0); /* never from within the call */
	ck_assert_int_eq(session_send(server.session, &message), -EPIPE);
	RUN_UNTIL(server.closed == 1);
	ck_assert_ptr_nonnull(strstr(server.why, "does not read"));
	free(body);
}
END_TEST

START_TEST(a_session_is_renewed_after_an_hour)
{
	struct timeval at, now;

	connect_both();
	ck_assert(event_pending(client.session->timer, EV_TIMEOUT, &at));
	(void)event_base_gettimeofday_cached(base, &now);
	ck_assert_int_ge(at.tv_sec - now.tv_sec, 3590);
	ck_assert_int_le(at.tv_sec - now.tv_sec, 3600);
	event_active(client.session->timer, EV_TIMEOUT, 1);
	RUN_UNTIL(client.closed == 1 && server.closed == 1);
	ck_assert_ptr_nonnull(strstr(client.why, "renewed"));
	ck_assert_ptr_nonnull(strstr(server.why, "closed by the peer"));
}
END_TEST

START_TEST(a_session_may_be_closed_while_it_is_dialling)
{
	dial();
	session_close(client.session);
	client.session = NULL;
	session_close(NULL);
	dial();
	RUN_UNTIL(client.ready == 1);
	ck_assert_uint_eq(client.closed, 0);
}
END_TEST

/* 0: in ready, 1: in message, 2: in closed; of the client, then of the server. */
START_TEST(a_session_may_be_closed_in_any_event)
{
	struct end *closer = _i < 3 ? &client : &server, *other = _i < 3 ? &server : &client;

	closer->close_on_ready = _i % 3 == 0;
	closer->close_on_message = _i % 3 == 1;
	closer->close_on_closed = other->close_on_ready = _i % 3 == 2;
	other->send_on_ready = _i % 3 == 1;
	dial();
	if (_i % 3 == 2) {
		RUN_UNTIL(closer->closed == 1);
		ck_assert_uint_eq(other->closed, 0);
	} else if (_i == 3) { /* the client may never have seen HELLO: nothing is flushed */
		RUN_UNTIL(server.ready == 1 && client.closed == 1);
		ck_assert_uint_eq(server.closed, 0);
	} else {
		RUN_UNTIL(other->closed == 1);
		ck_assert_uint_eq(closer->closed, 0);
		ck_assert_uint_eq(closer->messages, _i % 3 == 1);
		ck_assert_ptr_nonnull(strstr(other->why, "closed by the peer"));
	}
}
END_TEST

/* Both queued before the loop runs: the second must not come after the first closed the session. */
START_TEST(nothing_follows_a_close)
{
	struct message message = {.type = MESSAGE_STATUS_GET};

	connect_both();
	server.close_on_message = true;
	ck_assert_int_eq(session_send(client.session, &message), 0);
	ck_assert_int_eq(session_send(client.session, &message), 0);
	RUN_UNTIL(client.closed == 1);
	ck_assert_uint_eq(server.messages, 1);
	ck_assert_uint_eq(server.closed, 0);
}
END_TEST

START_TEST(ready_sessions_outlive_their_listener)
{
	struct message message = {.type = MESSAGE_STATUS_GET};
	int half_open;

	connect_both();
	half_open = raw_connect_from("127.0.0.1");
	RUN_UNTIL(session_listener_counts(listener)->accepted == 2);
	session_listener_free(listener);
	listener = NULL;
	RUN_UNTIL(raw_is_closed(half_open));
	close(half_open);
	server.echo = true;
	ck_assert_int_eq(session_send(client.session, &message), 0);
	RUN_UNTIL(client.messages == 1);
}
END_TEST

/* Addresses. */

START_TEST(a_bad_address_is_a_sentence)
{
	struct session_listener *other = NULL;
	struct failure failure;

	ck_assert_int_eq(session_dial(base, "localhost:1", server.identity.public_key,
				      &client.identity, &events, &client, &client.session,
				      &failure),
			 -EINVAL);
	ck_assert_ptr_nonnull(strstr(failure.text, "\"localhost:1\""));
	ck_assert_int_eq(
	    session_listen(base, "10.0.0.1", &server.identity, &events, &server, &other, &failure),
	    -EINVAL);
	ck_assert_ptr_nonnull(strstr(failure.text, "\"10.0.0.1\""));
	ck_assert_ptr_null(other);
}
END_TEST

START_TEST(a_port_in_use_is_a_sentence_with_advice)
{
	struct session_listener *other = NULL;
	struct failure failure;

	ck_assert_int_eq(
	    session_listen(base, address, &server.identity, &events, &server, &other, &failure),
	    -EADDRINUSE);
	ck_assert_ptr_nonnull(strstr(failure.text, address));
	ck_assert_ptr_nonnull(strstr(failure.text, "stop it, or choose another"));
	ck_assert_ptr_null(other);
	ck_assert_int_eq(session_listen(base, "192.0.2.1:11280", &server.identity, &events, &server,
					&other, &failure),
			 -EADDRNOTAVAIL);
	ck_assert_ptr_nonnull(strstr(failure.text, "192.0.2.1:11280"));
}
END_TEST

/* The control socket. */

static char control[96];

static void listen_local_as(unsigned mode, struct session_listener **made)
{
	struct failure failure;

	(void)snprintf(control, sizeof(control), "%s/control", directory);
	ck_assert_msg(session_listen_local(base, control, mode, &server.identity, &events, &server,
					   made, &failure) == 0,
		      "%s", failure.text);
}

START_TEST(the_control_socket_is_plain_and_has_its_mode)
{
	static const uint8_t zero[32];
	struct session_listener *local;
	struct failure failure;
	struct stat status;
	mode_t before = umask(_i == 0 ? 0 : 077);

	listen_local_as(_i == 0 ? 0600 : 0666, &local);
	ck_assert_uint_eq(umask(before), _i == 0 ? 0 : 077);
	ck_assert_int_eq(lstat(control, &status), 0);
	ck_assert_uint_eq(status.st_mode & 0777, _i == 0 ? 0600 : 0666);
	ck_assert_int_eq(session_dial_local(base, control, &client.identity, &events, &client,
					    &client.session, &failure),
			 0);
	server.echo = client.send_on_ready = true;
	RUN_UNTIL(client.messages == 1);
	ck_assert(session_is_local(client.session) && session_is_local(server.session));
	ck_assert_mem_eq(session_peer_key(server.session), zero, 32);
	ck_assert(!event_pending(client.session->timer, EV_TIMEOUT, NULL));
	ck_assert(!event_pending(server.session->timer, EV_TIMEOUT, NULL));
	ck_assert_str_eq(session_peer_name(server.session), "web01");
	ck_assert_str_eq(session_peer_name(client.session), "web02");
	ck_assert_str_eq(session_peer_address(client.session), control);
	ck_assert_ptr_nonnull(strstr(session_peer_address(server.session), "local process"));
	session_listener_free(local);
	ck_assert_int_eq(lstat(control, &status), -1);
}
END_TEST

START_TEST(a_control_socket_that_answers_is_left_alone)
{
	struct session_listener *local, *second = NULL;
	struct failure failure;

	listen_local_as(0600, &local);
	ck_assert_int_eq(session_listen_local(base, control, 0600, &server.identity, &events,
					      &server, &second, &failure),
			 -EADDRINUSE);
	ck_assert_ptr_null(second);
	ck_assert_ptr_nonnull(strstr(failure.text, control));
	ck_assert_int_eq(session_dial_local(base, control, &client.identity, &events, &client,
					    &client.session, &failure),
			 0);
	RUN_UNTIL(client.ready == 1);
	session_listener_free(local);
}
END_TEST

START_TEST(a_stale_control_socket_is_replaced)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	struct session_listener *local;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(name.sun_path, sizeof(name.sun_path), "%s/control", directory);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	close(fd); /* as after SIGKILL */
	listen_local_as(0600, &local);
	session_listener_free(local);
}
END_TEST

START_TEST(what_is_no_socket_is_not_removed)
{
	struct session_listener *local = NULL;
	struct failure failure;
	struct stat status;
	int fd;

	(void)snprintf(control, sizeof(control), "%s/control", directory);
	fd = open(control, O_CREAT | O_WRONLY, 0600);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(session_listen_local(base, control, 0600, &server.identity, &events,
					      &server, &local, &failure),
			 -EEXIST);
	ck_assert_ptr_nonnull(strstr(failure.text, control));
	ck_assert_int_eq(lstat(control, &status), 0);
	ck_assert_int_eq(unlink(control), 0);
	(void)snprintf(control, sizeof(control), "%s/none/control", directory);
	ck_assert_int_eq(session_listen_local(base, control, 0600, &server.identity, &events,
					      &server, &local, &failure),
			 -ENOENT);
	ck_assert_ptr_nonnull(strstr(failure.text, control));
}
END_TEST

START_TEST(a_listener_removes_only_its_own_socket)
{
	struct session_listener *local, *second;
	struct stat status;

	listen_local_as(0600, &local);
	ck_assert_int_eq(unlink(control), 0);
	listen_local_as(0600, &second);
	session_listener_free(local);
	ck_assert_int_eq(lstat(control, &status), 0);
	session_listener_free(second);
	ck_assert_int_eq(lstat(control, &status), -1);
}
END_TEST

START_TEST(a_missing_control_socket_is_told_from_the_loop)
{
	struct failure failure;
	char path[200];

	(void)snprintf(control, sizeof(control), "%s/none", directory);
	ck_assert_int_eq(session_dial_local(base, control, &client.identity, &events, &client,
					    &client.session, &failure),
			 0);
	ck_assert_uint_eq(client.closed, 0);
	RUN_UNTIL(client.closed == 1);
	ck_assert_ptr_nonnull(strstr(client.why, control));
	ck_assert_ptr_nonnull(strstr(client.why, "No such file"));
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	ck_assert_int_eq(session_dial_local(base, path, &client.identity, &events, &client,
					    &client.session, &failure),
			 -ENAMETOOLONG);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("session");
	TCase *tcase = tcase_create("session");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, both_become_ready_and_know_each_other);
	tcase_add_test(tcase, messages_cross_in_order);
	tcase_add_test(tcase, a_body_of_a_mebibyte_crosses_both_ways);
	tcase_add_test(tcase, nothing_can_be_sent_before_ready);
	tcase_add_test(tcase, the_context_can_be_changed);
	tcase_add_test(tcase, another_psk_is_turned_away);
	tcase_add_test(tcase, another_host_key_is_turned_away);
	tcase_add_test(tcase, another_cluster_is_turned_away);
	tcase_add_test(tcase, the_previous_psk_is_accepted);
	tcase_add_test(tcase, the_previous_psk_is_dialled_with_when_the_new_one_is_unknown);
	tcase_add_test(tcase, two_unknown_psks_are_tried_once_each);
	tcase_add_loop_test(tcase, both_host_keys_are_answered_to, 0, 4);
	tcase_add_test(tcase, session_ended_by_its_owner_says_why);
	tcase_add_loop_test(tcase, garbage_is_turned_away_and_the_listener_goes_on, 0, 2);
	tcase_add_test(tcase, a_message_without_a_handshake_is_not_delivered);
	tcase_add_test(tcase, a_silent_connection_is_closed);
	tcase_add_test(tcase, a_silent_listener_is_given_up);
	tcase_add_test(tcase, a_refused_connection_is_told);
	tcase_add_test(tcase, only_so_many_may_be_half_open);
	tcase_add_test(tcase, one_address_may_begin_only_so_many_a_second);
	tcase_add_test(tcase, a_peer_that_does_not_read_is_cut_off);
	tcase_add_test(tcase, a_session_is_renewed_after_an_hour);
	tcase_add_test(tcase, a_session_may_be_closed_while_it_is_dialling);
	tcase_add_loop_test(tcase, a_session_may_be_closed_in_any_event, 0, 6);
	tcase_add_test(tcase, nothing_follows_a_close);
	tcase_add_test(tcase, ready_sessions_outlive_their_listener);
	tcase_add_test(tcase, a_bad_address_is_a_sentence);
	tcase_add_test(tcase, a_port_in_use_is_a_sentence_with_advice);
	tcase_add_loop_test(tcase, the_control_socket_is_plain_and_has_its_mode, 0, 2);
	tcase_add_test(tcase, a_control_socket_that_answers_is_left_alone);
	tcase_add_test(tcase, a_stale_control_socket_is_replaced);
	tcase_add_test(tcase, what_is_no_socket_is_not_removed);
	tcase_add_test(tcase, a_listener_removes_only_its_own_socket);
	tcase_add_test(tcase, a_missing_control_socket_is_told_from_the_loop);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
