/* link.c - see link.h.  The session calls back into `struct link`; `link_run` turns the loop until
 * what is waited for is there, the session has ended, the deadline is past or a signal came. */
#include "admin/link.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <sodium.h>

#include "admin/human.h"
#include "admin/target.h"
#include "net/session.h"

#define LINK_DIAL_MS	    5000u
#define LINK_ANSWER_MS	    10000u
#define LINK_DOCUMENT_TRIES 15u
#define LINK_DOCUMENT_MS    200u
/* The agent may have to ask the coordinator, and that to write to its disk. */
#define LINK_VERDICT_MS 30000u

struct link {
	struct event_base *base;
	struct event *timer, *limit, *interrupt, *terminate;
	struct session *session; /* NULL: to be dialled */
	struct session_identity identity;
	struct link_peer peer;
	char name[LIST_ADDRESS_MAX + sizeof("agent at ")];
	char options[LIST_ADDRESS_MAX + LIST_NAME_MAX + 64];

	bool ready, timed_out, limited, interrupted;
	char why[FAILURE_BYTES]; /* the last session's end; "" while it lives */

	uint64_t request; /* the number of the last one */
	uint8_t answer_type;
	bool answered, lost; /* lost: no memory for the answer */
	char *body;
	size_t body_bytes;
	uint8_t verdict;
	char text[MESSAGE_TEXT_BYTES];
};

static void on_ready(struct session *session, void *context)
{
	struct link *link = context;

	(void)session;
	link->ready = true;
}

static void on_closed(struct session *session, const char *why, void *context)
{
	struct link *link = context;

	(void)session;
	link->session = NULL; /* freed once this returns */
	link->ready = false;
	(void)snprintf(link->why, sizeof(link->why), "%s", why);
	(void)human_clean(link->why);
}

static void body_keep(struct link *link, const struct message *message)
{
	link->body = malloc(message->body_bytes + 1);
	if (link->body == NULL) {
		link->lost = true;
		return;
	}
	if (message->body_bytes > 0)
		memcpy(link->body, message->body, message->body_bytes);
	link->body[message->body_bytes] = '\0';
	link->body_bytes = message->body_bytes;
}

/* What is not the answer waited for (a late one, a register pushed to all) is none of ours. */
static void on_message(struct session *session, const struct message *message, void *context)
{
	struct link *link = context;

	(void)session;
	if (link->answered || message->type != link->answer_type)
		return;
	if (message->type == MESSAGE_VERDICT) {
		if (message->verdict.request != link->request)
			return;
		link->verdict = message->verdict.code;
		(void)snprintf(link->text, sizeof(link->text), "%s", message->verdict.text);
		(void)human_clean(link->text);
	} else {
		if (message->request != link->request)
			return;
		body_keep(link, message);
	}
	link->answered = true;
}

static const struct session_events events = {
    .ready = on_ready,
    .message = on_message,
    .closed = on_closed,
};

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct link *link = context;

	(void)fd;
	(void)what;
	link->timed_out = true;
}

static void on_limit(evutil_socket_t fd, short what, void *context)
{
	struct link *link = context;

	(void)fd;
	(void)what;
	link->limited = true;
}

static void on_signal(evutil_socket_t fd, short what, void *context)
{
	struct link *link = context;

	(void)fd;
	(void)what;
	link->interrupted = true;
}

static bool waits_for_time(const struct link *link)
{
	(void)link;
	return false;
}

static bool waits_for_ready(const struct link *link)
{
	return link->ready || link->session == NULL;
}

static bool waits_for_answer(const struct link *link)
{
	return link->answered || link->session == NULL;
}

/* Turns the loop until `done`; 0, -ETIMEDOUT or -EINTR. */
static int link_run(struct link *link, uint32_t ms, bool (*done)(const struct link *link))
{
	const struct timeval timeout = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	link->timed_out = false;
	(void)evtimer_add(link->timer, &timeout);
	while (!done(link) && !link->timed_out && !link->limited && !link->interrupted)
		if (event_base_loop(link->base, EVLOOP_ONCE) < 0)
			break;
	(void)evtimer_del(link->timer);
	if (link->interrupted)
		return -EINTR;
	return done(link) ? 0 : -ETIMEDOUT;
}

static int interrupted_say(struct failure *failure)
{
	return failure_set(failure, EINTR, "interrupted");
}

static int link_dial(struct link *link, struct failure *failure)
{
	struct failure why = {""};
	int error;

	if (link->session != NULL && link->ready)
		return 0;
	link->why[0] = '\0';
	link->ready = false;
	if (link->peer.path[0] != '\0')
		error = session_dial_local(link->base, link->peer.path, &link->identity, &events,
					   link, &link->session, &why);
	else
		error = session_dial(link->base, link->peer.address, link->peer.key,
				     &link->identity, &events, link, &link->session, &why);
	if (error < 0) {
		link->session = NULL;
		return failure_set(failure, -error, "no agent answers: %s", why.text);
	}
	error = link_run(link, LINK_DIAL_MS, waits_for_ready);
	if (error == 0 && link->session != NULL)
		return 0;
	session_close(link->session);
	link->session = NULL;
	if (error == -EINTR)
		return interrupted_say(failure);
	if (error == -ETIMEDOUT)
		return failure_set(failure, link->limited ? ETIME : EHOSTUNREACH,
				   "%s: does not answer", link->name);
	return failure_set(failure, ECONNREFUSED, "no agent answers: %s", link->why);
}

/* Sends a request, numbered anew, and waits for the answer of type `answer_type`. */
static int link_ask(struct link *link, struct message *message, uint8_t answer_type, uint32_t ms,
		    struct failure *failure)
{
	int error = link_dial(link, failure);

	if (error < 0)
		return error;
	if (link->limited)
		return failure_set(failure, ETIME, "%s: no time is left to ask", link->name);
	link->answer_type = answer_type;
	link->answered = link->lost = false;
	link->body = NULL;
	link->body_bytes = 0;
	error = session_send(link->session, message);
	if (error < 0)
		return failure_set(failure, -error, "%s: the request cannot be sent: %s",
				   link->name, strerror(-error));
	error = link_run(link, ms, waits_for_answer);
	if (error == -EINTR)
		return interrupted_say(failure);
	if (error == -ETIMEDOUT)
		return failure_set(failure, ETIMEDOUT, "%s: no answer to %s in time", link->name,
				   message_name(message->type));
	if (!link->answered)
		return failure_set(failure, ECONNRESET,
				   "the connection ended before the answer: %s", link->why);
	if (link->lost)
		return failure_set(failure, ENOMEM, "%s: no memory for its answer", link->name);
	return 0;
}

static int document_ask(struct link *link, const uint8_t hash[LIST_HASH_BYTES],
			struct failure *failure)
{
	struct message message = {.type = MESSAGE_LIST_GET};
	char hex[2 * LIST_HASH_BYTES + 1];
	int error;

	message.list_get.request = ++link->request;
	memcpy(message.list_get.hash, hash, LIST_HASH_BYTES);
	error = link_ask(link, &message, MESSAGE_LIST, LINK_ANSWER_MS, failure);
	if (error < 0 || link->body_bytes > 0)
		return error;
	free(link->body);
	if (sodium_is_zero(hash, LIST_HASH_BYTES))
		return failure_set(failure, ENOENT, "%s: has no active list yet", link->name);
	human_hex(hash, LIST_HASH_BYTES, hex);
	return failure_set(failure, ENOENT, "%s: has no document %s", link->name, hex);
}

int link_document_get(struct link *link, const uint8_t hash[LIST_HASH_BYTES], char **document,
		      size_t *document_bytes, struct failure *failure)
{
	const bool named = !sodium_is_zero(hash, LIST_HASH_BYTES);
	int error = document_ask(link, hash, failure);

	/* The hash may be the coordinator's word, and the agent be fetching the document still. */
	for (unsigned tries = 1; error == -ENOENT && named && tries < LINK_DOCUMENT_TRIES;
	     tries++) {
		error = link_pause(link, LINK_DOCUMENT_MS, failure);
		if (error == 0)
			error = document_ask(link, hash, failure);
	}
	if (error < 0)
		return error;
	*document = link->body;
	*document_bytes = link->body_bytes;
	return 0;
}

int link_list_get(struct link *link, char **document, size_t *document_bytes,
		  struct failure *failure)
{
	static const uint8_t active[LIST_HASH_BYTES];

	return link_document_get(link, active, document, document_bytes, failure);
}

int link_offer(struct link *link, const void *document, size_t document_bytes,
	       enum verdict *verdict, char text[MESSAGE_TEXT_BYTES], struct failure *failure)
{
	struct message message = {
	    .type = MESSAGE_OFFER, .body = document, .body_bytes = document_bytes};
	int error;

	message.request = ++link->request;
	error = link_ask(link, &message, MESSAGE_VERDICT, LINK_VERDICT_MS, failure);
	if (error < 0)
		return error;
	*verdict = (enum verdict)link->verdict;
	memcpy(text, link->text, sizeof(link->text));
	return 0;
}

int link_status_get(struct link *link, enum status_scope scope, char **body, size_t *body_bytes,
		    struct failure *failure)
{
	struct message message = {.type = MESSAGE_STATUS_GET};
	int error;

	message.status_get.request = ++link->request;
	message.status_get.scope = (uint8_t)scope;
	error = link_ask(link, &message, MESSAGE_STATUS, LINK_ANSWER_MS, failure);
	if (error < 0)
		return error;
	*body = link->body;
	*body_bytes = link->body_bytes;
	return 0;
}

int link_pace(struct link *link, uint64_t rate_keys, uint64_t rate_bytes, uint8_t adaptive,
	      enum verdict *verdict, char text[MESSAGE_TEXT_BYTES], struct failure *failure)
{
	struct message message = {.type = MESSAGE_PACE};
	int error;

	message.pace.request = ++link->request;
	message.pace.rate_keys = rate_keys;
	message.pace.rate_bytes = rate_bytes;
	message.pace.adaptive = adaptive;
	error = link_ask(link, &message, MESSAGE_VERDICT, LINK_ANSWER_MS, failure);
	if (error < 0)
		return error;
	*verdict = (enum verdict)link->verdict;
	memcpy(text, link->text, sizeof(link->text));
	return 0;
}

int link_pause(struct link *link, uint32_t ms, struct failure *failure)
{
	if (link_run(link, ms, waits_for_time) == -EINTR)
		return interrupted_say(failure);
	return 0;
}

/* Secrets' files were the operator's to name: he knows them. */
static void options_compose(struct link *link)
{
	const struct link_peer *peer = &link->peer;
	char usual[sizeof(peer->path)];

	(void)snprintf(usual, sizeof(usual), TARGET_DIRECTORY "/%s.control", peer->cluster);
	if (peer->path[0] == '\0')
		(void)snprintf(link->options, sizeof(link->options),
			       "--cluster %s --agent %s --agent-key KEY --psk FILE", peer->cluster,
			       peer->address);
	else if (strcmp(peer->path, usual) == 0)
		(void)snprintf(link->options, sizeof(link->options), "--cluster %s", peer->cluster);
	else
		(void)snprintf(link->options, sizeof(link->options), "--agent %s", peer->path);
}

const char *link_peer_options(const struct link *link)
{
	return link->options;
}

void link_hang_up(struct link *link)
{
	session_close(link->session);
	link->session = NULL;
	link->ready = false;
}

const char *link_peer_name(const struct link *link)
{
	return link->name;
}

int link_limit(struct link *link, uint64_t ms, struct failure *failure)
{
	const struct timeval timeout = {.tv_sec = (time_t)(ms / 1000),
					.tv_usec = (suseconds_t)(ms % 1000 * 1000)};

	link->limit = evtimer_new(link->base, on_limit, link);
	if (link->limit == NULL || evtimer_add(link->limit, &timeout) < 0)
		return failure_set(failure, ENOMEM, "no timer for a connection");
	return 0;
}

int link_catch_interrupt(struct link *link, struct failure *failure)
{
	link->interrupt = evsignal_new(link->base, SIGINT, on_signal, link);
	link->terminate = evsignal_new(link->base, SIGTERM, on_signal, link);
	if (link->interrupt == NULL || link->terminate == NULL ||
	    evsignal_add(link->interrupt, NULL) < 0 || evsignal_add(link->terminate, NULL) < 0)
		return failure_set(failure, ENOMEM, "signals cannot be watched");
	return 0;
}

int link_new(struct link_peer *peer, struct link **link, struct failure *failure)
{
	struct link *made = sodium_malloc(sizeof(*made)); /* it holds secrets */

	if (made == NULL)
		return failure_set(failure, ENOMEM, "no memory for a connection");
	memset(made, 0, sizeof(*made));
	made->peer = *peer;
	(void)crypto_box_keypair(made->identity.public_key, made->identity.secret);
	memcpy(made->identity.psk, peer->psk, sizeof(peer->psk));
	sodium_memzero(peer->psk, sizeof(peer->psk));
	memcpy(made->identity.cluster, peer->cluster, sizeof(peer->cluster));
	if (peer->path[0] != '\0')
		(void)snprintf(made->name, sizeof(made->name), "agent at %s", peer->path);
	else
		(void)snprintf(made->name, sizeof(made->name), "agent %s", peer->address);
	options_compose(made);
	made->base = event_base_new();
	if (made->base != NULL)
		made->timer = evtimer_new(made->base, on_timer, made);
	if (made->timer == NULL) {
		link_free(made);
		return failure_set(failure, ENOMEM, "no event loop for a connection");
	}
	*link = made;
	return 0;
}

static void event_drop(struct event *event)
{
	if (event != NULL)
		event_free(event);
}

void link_free(struct link *link)
{
	if (link == NULL)
		return;
	session_close(link->session);
	event_drop(link->timer);
	event_drop(link->limit);
	event_drop(link->interrupt);
	event_drop(link->terminate);
	if (link->base != NULL)
		event_base_free(link->base);
	sodium_free(link);
}
