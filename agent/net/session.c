/* session.c - see session.h.  A wire (wire.h) on a bufferevent, with its time-outs and its end.
 *
 * Life: made -> connected -> ready -> ended -> freed.  Whatever ends a session is decided in one
 * place, session_end; the memory goes when the last call from the loop into the session has
 * returned, so every callback may close it.  Bufferevent callbacks are deferred: none of them runs
 * inside a call of the owner's.
 */
#include "net/session_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sodium.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/address.h"

#define DEAD_PEER_MS 15000u /* unacknowledged output, or silence of the peer's kernel */

static int session_open(struct session *session, int fd);

static void session_destroy(struct session *session)
{
	if (session->timer != NULL)
		event_free(session->timer);
	if (session->stream != NULL)
		bufferevent_free(session->stream);
	wire_free(session->wire);
	sodium_memzero(session, sizeof(*session));
	free(session);
}

static void session_enter(struct session *session)
{
	session->depth++;
}

static void session_leave(struct session *session)
{
	if (--session->depth == 0 && session->ended)
		session_destroy(session);
}

/* Says what is still to be said to the peer, as far as its socket takes it at once: a HELLO that
 * shows the version range, before the connection goes. */
static void session_last_words(struct session *session)
{
	struct evbuffer *output = bufferevent_get_output(session->stream);
	int fd = bufferevent_getfd(session->stream);

	if (fd < 0 || evbuffer_get_length(output) == 0)
		return;
	(void)evbuffer_unfreeze(output, 1);
	(void)evbuffer_write(output, fd);
}

/* Ends it.  The owner is told, unless it never heard of the session. */
static void session_end(struct session *session, const char *why, bool timed_out)
{
	bool known = session->dialled || session->ready;

	if (session->ended)
		return;
	session_enter(session);
	session->ended = true;
	if (session->listener != NULL)
		session_listener_lost(session, wire_fault(session->wire), timed_out, why);
	if (known && session->events->closed != NULL)
		session->events->closed(session, why, session->context);
	session_leave(session);
}

/* The same from within a call of the owner's: the loop does it next. */
void session_end_soon(struct session *session, const char *why)
{
	static const struct timeval now = {0};

	if (session->ended || session->doom[0] != '\0')
		return;
	(void)snprintf(session->doom, sizeof(session->doom), "%s", why);
	(void)evtimer_add(session->timer, &now);
}

static void session_end_broken(struct session *session)
{
	char why[SESSION_PEER_BYTES + WIRE_REASON_BYTES + 2];

	(void)snprintf(why, sizeof(why), "%s: %s", session->peer, wire_reason(session->wire));
	session_last_words(session);
	session_end(session, why, false);
}

static void session_timer_set(struct session *session, long seconds)
{
	struct timeval after = {.tv_sec = seconds};

	(void)evtimer_add(session->timer, &after);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct session *session = context;
	char why[SESSION_PEER_BYTES + WIRE_REASON_BYTES + 2];

	(void)fd;
	(void)what;
	if (session->doom[0] != '\0') {
		(void)snprintf(why, sizeof(why), "%s: %s", session->peer, session->doom);
		session_end(session, why, false);
		return;
	}
	if (session->ready)
		(void)snprintf(why, sizeof(why), "%s: the session is an hour old and is renewed",
			       session->peer);
	else if (!session->connected)
		(void)snprintf(why, sizeof(why), "%s: no connection within %d s", session->peer,
			       SESSION_HANDSHAKE_SECONDS);
	else
		(void)snprintf(why, sizeof(why), "%s: no handshake within %d s", session->peer,
			       SESSION_HANDSHAKE_SECONDS);
	session_end(session, why, !session->ready);
}

static int on_output(void *context, const uint8_t *bytes, size_t length)
{
	struct session *session = context;

	return bufferevent_write(session->stream, bytes, length) == 0 ? 0 : -ENOMEM;
}

static void session_now_ready(struct session *session)
{
	session->ready = true;
	/* The side that dials again lets go first.  A plain session has no keys to renew. */
	if (session->local)
		(void)evtimer_del(session->timer);
	else
		session_timer_set(session, SESSION_AGE_SECONDS + (session->dialled ? 0 : 60));
	if (session->listener != NULL)
		session_listener_completed(session);
	if (session->events->ready != NULL)
		session->events->ready(session, session->context);
}

static void on_read(struct bufferevent *stream, void *context)
{
	struct session *session = context;
	struct evbuffer *input = bufferevent_get_input(stream);
	struct message message;
	enum wire_event event;
	size_t length, used;

	session_enter(session);
	while (!session->ended && session->doom[0] == '\0' &&
	       (length = evbuffer_get_contiguous_space(input)) > 0) {
		const uint8_t *bytes = evbuffer_pullup(input, (ssize_t)length);

		event = wire_receive(session->wire, bytes, length, &used, &message);
		(void)evbuffer_drain(input, used);
		if (event == WIRE_READY)
			session_now_ready(session);
		else if (event == WIRE_MESSAGE && session->events->message != NULL)
			session->events->message(session, &message, session->context);
		else if (event == WIRE_BROKEN)
			session_end_broken(session);
	}
	session_leave(session);
}

/* A responder that does not know our PSK answers nothing at all.  While the key is being rotated
 * that may mean that it still has the one before: tried once. */
static bool session_try_previous(struct session *session)
{
	struct bufferevent *stream = session->stream;
	struct wire *wire = session->wire;

	if (!session->dialled || session->local || session->use_previous_psk ||
	    !session->connected || !session->identity->has_previous_psk ||
	    !wire_awaits_response(wire))
		return false;
	session->use_previous_psk = true;
	session->connected = false;
	session->stream = NULL;
	session->wire = NULL;
	bufferevent_free(stream);
	wire_free(wire);
	if (session_open(session, -1) != 0)
		session_end_soon(session,
				 "no memory to dial again with the previous pre-shared key");
	return true;
}

static void on_lost(struct session *session, short what, int error)
{
	const char *reason = "closed by the peer";
	char why[SESSION_PEER_BYTES + 192];

	if (session_try_previous(session))
		return;
	if ((what & BEV_EVENT_ERROR) != 0 && error != 0)
		reason = evutil_socket_error_to_string(error);
	if (session->ready || !session->connected || session->local)
		(void)snprintf(why, sizeof(why), "%s: %s", session->peer, reason);
	else
		(void)snprintf(why, sizeof(why),
			       "%s: %s during the handshake: it may have another pre-shared key, "
			       "host key or cluster name, or be busy",
			       session->peer, reason);
	session_end(session, why, false);
}

static void tcp_options(int fd)
{
	int on = 1, idle = 5, interval = 5, count = 2;
	unsigned dead = DEAD_PEER_MS;

	/* None of them is worth a failure: the protocol is right without. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead, sizeof(dead));
}

static void session_connected(struct session *session)
{
	session->connected = true;
	if (!session->local)
		tcp_options(bufferevent_getfd(session->stream));
	session_timer_set(session, SESSION_HANDSHAKE_SECONDS);
	if (wire_start(session->wire) != 0)
		session_end_broken(session);
}

static void on_event(struct bufferevent *stream, short what, void *context)
{
	struct session *session = context;
	int error = EVUTIL_SOCKET_ERROR();

	(void)stream;
	if (session->ended)
		return;
	session_enter(session);
	if ((what & BEV_EVENT_CONNECTED) != 0)
		session_connected(session);
	else if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
		on_lost(session, what, error);
	session_leave(session);
}

/* Gives a session its stream and wire; fd -1: they are to be connected to its address. */
static int session_open(struct session *session, int fd)
{
	struct wire_setup setup = {.initiator = session->dialled,
				   .plain = session->local,
				   .identity = session->identity,
				   .peer_key = session->peer_key,
				   .use_previous_psk = session->use_previous_psk,
				   .version_min = PROTOCOL_VERSION_MIN,
				   .version_max = PROTOCOL_VERSION,
				   .output = on_output,
				   .context = session};

	session->stream = bufferevent_socket_new(session->base, fd,
						 BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	if (session->stream == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return -ENOMEM;
	}
	if (wire_new(&setup, &session->wire) != 0)
		return -ENOMEM;
	if (session->timer == NULL)
		session->timer = evtimer_new(session->base, on_timer, session);
	if (session->timer == NULL)
		return -ENOMEM;
	bufferevent_setcb(session->stream, on_read, NULL, on_event, session);
	bufferevent_setwatermark(session->stream, EV_READ, 0, SESSION_INPUT_MAX);
	if (bufferevent_enable(session->stream, EV_READ | EV_WRITE) != 0)
		return -ENOMEM;
	session_timer_set(session, SESSION_HANDSHAKE_SECONDS);
	/* What fails at once is not reported as an event. */
	if (fd < 0 &&
	    bufferevent_socket_connect(session->stream, (struct sockaddr *)&session->address,
				       (int)session->address_bytes) != 0)
		session_end_soon(session, strerror(errno));
	return 0;
}

static struct session *session_make(struct event_base *base, const char *peer,
				    const struct session_identity *identity,
				    const struct session_events *events, void *context)
{
	struct session *session = calloc(1, sizeof(*session));

	if (session == NULL)
		return NULL;
	session->base = base;
	session->identity = identity;
	session->events = events;
	session->context = context;
	(void)snprintf(session->peer, sizeof(session->peer), "%s", peer);
	return session;
}

static int session_dial_address(struct session *session, struct session **out,
				struct failure *failure)
{
	int error;

	session->dialled = true;
	error = session_open(session, -1);
	if (error != 0) {
		(void)failure_set(failure, -error, "%s: cannot dial: %s", session->peer,
				  strerror(-error));
		session_destroy(session);
		return error;
	}
	*out = session;
	return 0;
}

int session_dial(struct event_base *base, const char *address,
		 const uint8_t peer_key[SESSION_KEY_BYTES], const struct session_identity *identity,
		 const struct session_events *events, void *context, struct session **out,
		 struct failure *failure)
{
	struct sockaddr_storage socket_address;
	struct session *session;
	socklen_t length;

	if (address_parse(address, &socket_address, &length) != 0)
		return failure_set(failure, EINVAL,
				   "\"%s\": not a numeric address and port, such as 10.0.0.1:11280",
				   address);
	session = session_make(base, address, identity, events, context);
	if (session == NULL)
		return failure_set(failure, ENOMEM, "%s: no memory for a session", address);
	session->address = socket_address;
	session->address_bytes = length;
	memcpy(session->peer_key, peer_key, sizeof(session->peer_key));
	return session_dial_address(session, out, failure);
}

int session_dial_local(struct event_base *base, const char *path,
		       const struct session_identity *identity, const struct session_events *events,
		       void *context, struct session **out, struct failure *failure)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct session *session;

	if (strlen(path) >= sizeof(address.sun_path))
		return failure_set(failure, ENAMETOOLONG,
				   "%s: a socket's path has at most %zu characters", path,
				   sizeof(address.sun_path) - 1);
	session = session_make(base, path, identity, events, context);
	if (session == NULL)
		return failure_set(failure, ENOMEM, "%s: no memory for a session", path);
	memcpy(address.sun_path, path, strlen(path));
	memcpy(&session->address, &address, sizeof(address));
	session->address_bytes = sizeof(address);
	session->local = true;
	return session_dial_address(session, out, failure);
}

int session_accept(struct session_listener *listener, struct event_base *base, int fd, bool local,
		   const char *peer, const struct session_identity *identity,
		   const struct session_events *events, void *context)
{
	struct session *session = session_make(base, peer, identity, events, context);

	if (session == NULL) {
		(void)close(fd);
		return -ENOMEM;
	}
	session->local = local;
	session->connected = true;
	if (!local)
		tcp_options(fd);
	if (session_open(session, fd) != 0) {
		session_destroy(session);
		return -ENOMEM;
	}
	session_listener_add(listener, session);
	return 0;
}

void session_close(struct session *session)
{
	if (session == NULL)
		return;
	session_enter(session);
	if (!session->ended && session->listener != NULL)
		session_listener_lost(session, WIRE_FAULT_NONE, false, "closed here");
	session->ended = true;
	session_leave(session);
}

int session_send(struct session *session, const struct message *message)
{
	size_t queued;
	int error;

	if (session->ended || !session->ready || session->doom[0] != '\0')
		return -EPIPE;
	if (message_has_body(message->type) && message->body_bytes > MESSAGE_BODY_MAX)
		return -EMSGSIZE;
	queued = evbuffer_get_length(bufferevent_get_output(session->stream));
	if (queued + wire_size(session->wire, message) > SESSION_QUEUE_MAX) {
		session_end_soon(session, "does not read what it is sent; 4 MiB are queued for it");
		return -ENOBUFS;
	}
	error = wire_send(session->wire, message);
	if (error != 0 && wire_fault(session->wire) != WIRE_FAULT_NONE)
		session_end_soon(session, wire_reason(session->wire));
	return error;
}

const uint8_t *session_peer_key(const struct session *session)
{
	static const uint8_t none[SESSION_KEY_BYTES];

	return session->wire != NULL ? wire_peer_key(session->wire) : none;
}

const char *session_peer_name(const struct session *session)
{
	return session->wire != NULL ? wire_peer_name(session->wire) : "";
}

const char *session_peer_address(const struct session *session)
{
	return session->peer;
}

bool session_is_local(const struct session *session)
{
	return session->local;
}

void session_set_context(struct session *session, void *context)
{
	session->context = context;
}

void *session_context(const struct session *session)
{
	return session->context;
}
