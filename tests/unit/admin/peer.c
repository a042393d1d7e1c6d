/* peer.c - see peer.h.  Sessions are the agents' own; only what they carry is the test's. */
#include "peer.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>
#include <sodium.h>

#include "net/session.h"

static struct peer_script script;
static unsigned statuses, offers;
static pid_t child;

static const char *document_find(const uint8_t hash[LIST_HASH_BYTES])
{
	if (script.liar || sodium_is_zero(hash, LIST_HASH_BYTES))
		return script.documents[0];
	for (unsigned i = 0; i < PEER_DOCUMENTS_MAX && script.documents[i] != NULL; i++) {
		const char *document = script.documents[i];
		uint8_t own[LIST_HASH_BYTES];
		size_t body_bytes;
		uint32_t count;

		if (document_split(document, strlen(document), &body_bytes, &count, NULL) != 0)
			continue;
		document_hash(document, body_bytes, own);
		if (memcmp(own, hash, sizeof(own)) == 0)
			return document;
	}
	return NULL;
}

static void keep(const char *path, int flags, const void *bytes, size_t length)
{
	int fd = open(path, O_WRONLY | O_CREAT | flags, 0600);

	if (fd < 0 || write(fd, bytes, length) != (ssize_t)length)
		_exit(1);
	(void)close(fd);
}

static void verdict_give(struct session *session, const struct message *offer)
{
	struct message message = {.type = MESSAGE_VERDICT};
	unsigned turn = offers++;

	while (turn > 0 && script.verdicts[turn].text == NULL)
		turn--;
	if (script.offered != NULL)
		keep(script.offered, O_TRUNC, offer->body, offer->body_bytes);
	if (script.count != NULL)
		keep(script.count, O_APPEND, "+", 1);
	message.verdict.request = offer->request;
	message.verdict.code = (uint8_t)script.verdicts[turn].code;
	(void)snprintf(message.verdict.text, sizeof(message.verdict.text), "%s",
		       script.verdicts[turn].text);
	(void)session_send(session, &message);
}

static void body_give(struct session *session, uint8_t type, uint64_t request, const char *body)
{
	struct message message = {.type = type, .request = request};

	message.body = (const uint8_t *)body;
	message.body_bytes = body == NULL ? 0 : strlen(body);
	(void)session_send(session, &message);
}

static void on_message(struct session *session, const struct message *message, void *context)
{
	unsigned turn;

	(void)context;
	switch (message->type) {
	case MESSAGE_STATUS_GET:
		turn = statuses < PEER_TEXTS_MAX - 1 ? statuses++ : statuses;
		while (turn > 0 && script.status[turn] == NULL)
			turn--;
		body_give(session, MESSAGE_STATUS, message->status_get.request,
			  script.status[turn]);
		break;
	case MESSAGE_LIST_GET:
		body_give(session, MESSAGE_LIST, message->list_get.request,
			  document_find(message->list_get.hash));
		break;
	case MESSAGE_OFFER:
		verdict_give(session, message);
		break;
	default:
		break;
	}
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

static void run(const char *path, int told)
{
	struct session_identity identity = {.cluster = "web", .name = "a1"};
	struct event_base *base = event_base_new();
	struct session_listener *listener;
	int error;

	(void)crypto_box_keypair(identity.public_key, identity.secret);
	error = session_listen_local(base, path, 0600, &identity, &events, NULL, &listener, NULL);
	if (write(told, error == 0 ? "+" : "-", 1) == 1 && error == 0)
		(void)event_base_dispatch(base);
	_exit(1);
}

void peer_start(const char *path, const struct peer_script *what)
{
	int told[2];
	char sign = 0;

	script = *what;
	ck_assert_int_eq(pipe(told), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		run(path, told[1]);
	(void)close(told[1]);
	ck_assert_int_eq(read(told[0], &sign, 1), 1);
	(void)close(told[0]);
	ck_assert_int_eq(sign, '+');
}

void peer_stop(void)
{
	if (child > 0) {
		(void)kill(child, SIGKILL);
		(void)waitpid(child, NULL, 0);
	}
	child = 0;
}
