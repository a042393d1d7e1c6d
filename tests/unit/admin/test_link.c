/* test_link.c - a request and its answer over real sessions, with a peer that may misbehave. */
#include "admin/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include <event2/event.h>

#include "net/session.h"
#include "scratch.h"

enum manner {
	MANNER_GOOD,
	MANNER_EMPTY,	 /* it has no list */
	MANNER_STRAYS,	 /* other answers come before the right one */
	MANNER_HANGS_UP, /* instead of an answer */
	MANNER_ONCE,	 /* at the second request */
	MANNER_SILENT
};

static struct session_identity identity;
static struct link_peer peer;
static struct link *dialled;
static pid_t child;

/* ---- the peer, in a process of its own ---- */

static enum manner manner;
static unsigned requests;
static bool stray; /* what is answered now is not what was asked */

static void answer(struct session *session, const struct message *asked, uint64_t request)
{
	struct message message = {.request = request};

	switch (asked->type) {
	case MESSAGE_LIST_GET:
		message.type = MESSAGE_LIST;
		message.body = (const uint8_t *)(stray ? "other!\n" : "a list\n");
		message.body_bytes = manner == MANNER_EMPTY ? 0 : 7;
		break;
	case MESSAGE_STATUS_GET:
		message.type = MESSAGE_STATUS;
		message.body = (const uint8_t *)"view cluster\n";
		message.body_bytes = asked->status_get.scope == STATUS_CLUSTER ? 13 : 0;
		break;
	default:
		message.type = MESSAGE_VERDICT;
		message.verdict.request = request;
		message.verdict.code = stray			? VERDICT_ACCEPTED
				       : asked->body_bytes == 3 ? VERDICT_REFUSED
								: VERDICT_BUSY;
		(void)snprintf(message.verdict.text, sizeof(message.verdict.text), "no: \x1b[2J");
		break;
	}
	(void)session_send(session, &message);
}

static void on_message(struct session *session, const struct message *message, void *context)
{
	uint64_t request = message->type == MESSAGE_LIST_GET	 ? message->list_get.request
			   : message->type == MESSAGE_STATUS_GET ? message->status_get.request
								 : message->request;

	(void)context;
	if (manner == MANNER_HANGS_UP) {
		session_close(session);
		return;
	}
	if (manner == MANNER_SILENT)
		return;
	if (manner == MANNER_STRAYS) {
		struct message other = {.type = MESSAGE_STATUS_GET};

		stray = true;
		answer(session, &other, request + 7);
		answer(session, message, request + 1);
		answer(session, message, request - 1);
		stray = false;
	}
	if (manner == MANNER_ONCE && requests++ > 0)
		_exit(0);
	answer(session, message, request);
}

static void on_ready(struct session *session, void *context)
{
	(void)session;
	(void)context;
}

static void on_closed(struct session *session, const char *why, void *context)
{
	(void)session;
	(void)why;
	(void)context;
}

static const struct session_events events = {on_ready, on_message, on_closed};

static void peer_run(int told)
{
	struct event_base *base = event_base_new();
	struct session_listener *listener;
	int error = peer.path[0] != '\0' ? session_listen_local(base, peer.path, 0600, &identity,
								&events, NULL, &listener, &failure)
					 : session_listen(base, peer.address, &identity, &events,
							  NULL, &listener, &failure);

	(void)!write(told, error == 0 ? "+" : "-", 1);
	if (error == 0)
		(void)event_base_dispatch(base);
	_exit(1);
}

/* Returns once the peer listens. */
static void peer_start(enum manner how)
{
	int told[2];
	char sign = 0;

	manner = how;
	ck_assert_int_eq(pipe(told), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		peer_run(told[1]);
	(void)close(told[1]);
	ck_assert_int_eq(read(told[0], &sign, 1), 1);
	(void)close(told[0]);
	ck_assert_int_eq(sign, '+');
}

static void peer_stop(void)
{
	if (child > 0) {
		(void)kill(child, SIGKILL);
		(void)waitpid(child, NULL, 0);
	}
	child = 0;
}

/* ---- fixture ---- */

static void setup(void)
{
	scratch_setup();
	memset(&peer, 0, sizeof(peer));
	memset(&identity, 0, sizeof(identity));
	(void)snprintf(peer.path, sizeof(peer.path), "%s", scratch_path("control"));
	(void)snprintf(identity.cluster, sizeof(identity.cluster), "web");
	(void)snprintf(identity.name, sizeof(identity.name), "a1");
	(void)crypto_box_keypair(identity.public_key, identity.secret);
	randombytes_buf(identity.psk, sizeof(identity.psk));
	dialled = NULL;
}

static void teardown(void)
{
	link_free(dialled);
	peer_stop();
	scratch_teardown();
}

static void link_make(void)
{
	ck_assert_int_eq(link_new(&peer, &dialled, &failure), 0);
}

static unsigned free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, length), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	(void)close(fd);
	return ntohs(address.sin_port);
}

static void remote_make(void)
{
	peer.path[0] = '\0';
	(void)snprintf(peer.address, sizeof(peer.address), "127.0.0.1:%u", free_port());
	memcpy(peer.cluster, identity.cluster, sizeof(peer.cluster));
	memcpy(peer.key, identity.public_key, sizeof(peer.key));
	memcpy(peer.psk, identity.psk, sizeof(peer.psk));
}

/* ---- tests ---- */

static void assert_all_answered(void)
{
	enum verdict verdict;
	char *body, text[MESSAGE_TEXT_BYTES];
	size_t body_bytes;

	ck_assert_msg(link_list_get(dialled, &body, &body_bytes, &failure) == 0, "%s",
		      failure.text);
	ck_assert_uint_eq(body_bytes, 7);
	ck_assert_str_eq(body, "a list\n");
	free(body);
	ck_assert_int_eq(link_status_get(dialled, STATUS_CLUSTER, &body, &body_bytes, &failure), 0);
	ck_assert_str_eq(body, "view cluster\n");
	free(body);
	ck_assert_int_eq(link_offer(dialled, "abc", 3, &verdict, text, &failure), 0);
	ck_assert_int_eq(verdict, VERDICT_REFUSED);
	ck_assert_str_eq(text, "no: ?[2J");
	ck_assert_int_eq(link_offer(dialled, "abcd", 4, &verdict, text, &failure), 0);
	ck_assert_int_eq(verdict, VERDICT_BUSY);
}

START_TEST(requests_are_answered_over_the_control_socket)
{
	peer_start(MANNER_GOOD);
	link_make();
	assert_all_answered();
}
END_TEST

START_TEST(requests_are_answered_over_the_network)
{
	remote_make();
	peer_start(MANNER_GOOD);
	link_make();
	assert_all_answered();
}
END_TEST

START_TEST(answers_to_other_questions_are_passed_over)
{
	peer_start(MANNER_STRAYS);
	link_make();
	assert_all_answered();
}
END_TEST

static void assert_no_list(int error, const char *says)
{
	char *body;
	size_t body_bytes;

	ck_assert_int_eq(link_list_get(dialled, &body, &body_bytes, &failure), error);
	ck_assert_says(failure.text, says);
}

START_TEST(agent_without_a_list_says_so)
{
	peer_start(MANNER_EMPTY);
	link_make();
	assert_no_list(-ENOENT, "has no active list yet");
}
END_TEST

START_TEST(peer_that_hangs_up_is_an_error)
{
	peer_start(MANNER_HANGS_UP);
	link_make();
	assert_no_list(-ECONNRESET, "the connection ended before the answer");
}
END_TEST

START_TEST(link_dials_again_when_the_agent_is_back)
{
	char *body;
	size_t body_bytes;

	peer_start(MANNER_ONCE);
	link_make();
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(link_list_get(dialled, &body, &body_bytes, &failure), 0);
		free(body);
		assert_no_list(-ECONNRESET, "the connection ended before the answer");
		(void)waitpid(child, NULL, 0);
		assert_no_list(-ECONNREFUSED, "no agent answers");
		peer_start(MANNER_ONCE);
	}
}
END_TEST

START_TEST(missing_socket_is_named)
{
	link_make();
	assert_no_list(-ECONNREFUSED, peer.path);
}
END_TEST

START_TEST(wrong_pre_shared_key_gets_no_answer)
{
	remote_make();
	peer_start(MANNER_GOOD);
	peer.psk[0] ^= 1;
	link_make();
	ck_assert_int_lt(
	    link_status_get(dialled, STATUS_LOCAL, &(char *){NULL}, &(size_t){0}, &failure), 0);
	ck_assert_says(failure.text, peer.address);
}
END_TEST

START_TEST(wrong_host_key_gets_no_answer)
{
	remote_make();
	peer_start(MANNER_GOOD);
	peer.key[0] ^= 1;
	link_make();
	ck_assert_int_lt(
	    link_status_get(dialled, STATUS_LOCAL, &(char *){NULL}, &(size_t){0}, &failure), 0);
}
END_TEST

START_TEST(signal_ends_the_waiting)
{
	peer_start(MANNER_SILENT);
	link_make();
	ck_assert_int_eq(link_catch_interrupt(dialled, &failure), 0);
	ck_assert_int_eq(raise(SIGINT), 0);
	assert_no_list(-EINTR, "interrupted");
	ck_assert_int_eq(link_pause(dialled, 60000, &failure), -EINTR);
}
END_TEST

START_TEST(limit_ends_every_waiting)
{
	struct timespec before, after;

	peer_start(MANNER_SILENT);
	link_make();
	ck_assert_int_eq(link_limit(dialled, 50, &failure), 0);
	assert_no_list(-ETIMEDOUT, "no answer to LIST_GET in time");
	(void)clock_gettime(CLOCK_MONOTONIC, &before);
	ck_assert_int_eq(link_pause(dialled, 60000, &failure), 0);
	(void)clock_gettime(CLOCK_MONOTONIC, &after);
	ck_assert_int_lt(after.tv_sec - before.tv_sec, 30);
	assert_no_list(-ETIME, "no time is left to ask");
}
END_TEST

START_TEST(secret_does_not_stay_with_the_caller)
{
	memset(peer.psk, 7, sizeof(peer.psk));
	link_make();
	ck_assert(sodium_is_zero(peer.psk, sizeof(peer.psk)));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("link");
	TCase *tcase = tcase_create("link");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, requests_are_answered_over_the_control_socket);
	tcase_add_test(tcase, requests_are_answered_over_the_network);
	tcase_add_test(tcase, answers_to_other_questions_are_passed_over);
	tcase_add_test(tcase, agent_without_a_list_says_so);
	tcase_add_test(tcase, peer_that_hangs_up_is_an_error);
	tcase_add_test(tcase, link_dials_again_when_the_agent_is_back);
	tcase_add_test(tcase, missing_socket_is_named);
	tcase_add_test(tcase, wrong_pre_shared_key_gets_no_answer);
	tcase_add_test(tcase, wrong_host_key_gets_no_answer);
	tcase_add_test(tcase, signal_ends_the_waiting);
	tcase_add_test(tcase, limit_ends_every_waiting);
	tcase_add_test(tcase, secret_does_not_stay_with_the_caller);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
