/* session_listener.c - accepts peers: sockets, limits before the handshake, counters.
 *
 * Half-open sessions are in the listener's list and nobody else knows of them; they go with it.
 * A session that has become ready leaves the list and no longer depends on the listener.
 */
#include "net/session_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/listener.h>
#include <fcntl.h>
#include <unistd.h>

#include "net/address.h"
#include "net/local_socket.h"
#include "net/session_rate.h"

#define BACKLOG		   512
#define PAUSE_MICROSECONDS 100000 /* after a failed accept: out of descriptors, most likely */

struct session_listener {
	struct event_base *base;
	const struct session_identity *identity;
	const struct session_events *events;
	void *context;
	struct evconnlistener *accepting;
	struct event *resume;
	struct session *half_open;
	unsigned half_open_count;
	struct session_counts counts;
	struct session_rate rate;
	char last_refusal[FAILURE_BYTES];
	struct local_socket local; /* the control socket; "" as its path for TCP */
};

void session_listener_add(struct session_listener *listener, struct session *session)
{
	session->listener = listener;
	session->previous = NULL;
	session->next = listener->half_open;
	if (session->next != NULL)
		session->next->previous = session;
	listener->half_open = session;
	listener->half_open_count++;
}

static void half_open_remove(struct session *session)
{
	struct session_listener *listener = session->listener;

	if (session->previous != NULL)
		session->previous->next = session->next;
	else
		listener->half_open = session->next;
	if (session->next != NULL)
		session->next->previous = session->previous;
	session->previous = session->next = NULL;
	session->listener = NULL;
	listener->half_open_count--;
}

void session_listener_completed(struct session *session)
{
	session->listener->counts.completed++;
	half_open_remove(session);
}

void session_listener_lost(struct session *session, enum wire_fault fault, bool timed_out,
			   const char *why)
{
	struct session_listener *listener = session->listener;

	if (timed_out)
		listener->counts.timed_out++;
	else if (fault == WIRE_FAULT_MAC)
		listener->counts.refused_mac++;
	else if (fault != WIRE_FAULT_NONE)
		listener->counts.refused_handshake++;
	if (timed_out || fault != WIRE_FAULT_NONE)
		(void)snprintf(listener->last_refusal, sizeof(listener->last_refusal), "%s", why);
	half_open_remove(session);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void peer_text(const struct session_listener *listener, int fd,
		      const struct sockaddr *address, char text[SESSION_PEER_BYTES])
{
	struct ucred peer;
	socklen_t length = sizeof(peer);
	char name[ADDRESS_TEXT_BYTES];

	if (listener->local.path[0] == '\0') {
		address_format(address, name);
		(void)snprintf(text, SESSION_PEER_BYTES, "%s", name);
	} else if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0) {
		(void)snprintf(text, SESSION_PEER_BYTES, "local process %ld of user %lu",
			       (long)peer.pid, (unsigned long)peer.uid);
	} else {
		(void)snprintf(text, SESSION_PEER_BYTES, "local process");
	}
}

static void on_accept(struct evconnlistener *accepting, evutil_socket_t fd,
		      struct sockaddr *address, int length, void *context)
{
	struct session_listener *listener = context;
	char peer[SESSION_PEER_BYTES];

	(void)accepting;
	(void)length;
	listener->counts.accepted++;
	peer_text(listener, fd, address, peer);
	if (listener->half_open_count >= SESSION_HALF_OPEN_MAX) {
		listener->counts.refused_half_open++;
		(void)snprintf(listener->last_refusal, sizeof(listener->last_refusal),
			       "%s: %u handshakes are under way already", peer,
			       SESSION_HALF_OPEN_MAX);
		(void)close(fd);
		return;
	}
	if (!session_rate_allow(&listener->rate, address, now_ms())) {
		listener->counts.refused_rate++;
		(void)snprintf(listener->last_refusal, sizeof(listener->last_refusal),
			       "%s: more than %u handshakes a second from there", peer,
			       RATE_PER_SECOND);
		(void)close(fd);
		return;
	}
	if (session_accept(listener, listener->base, fd, listener->local.path[0] != '\0', peer,
			   listener->identity, listener->events, listener->context) != 0)
		(void)snprintf(listener->last_refusal, sizeof(listener->last_refusal),
			       "%s: no memory for a session", peer);
}

/* Out of descriptors, the socket stays readable: accepting again at once would only spin. */
static void on_accept_error(struct evconnlistener *accepting, void *context)
{
	static const struct timeval pause = {.tv_usec = PAUSE_MICROSECONDS};
	struct session_listener *listener = context;

	(void)snprintf(listener->last_refusal, sizeof(listener->last_refusal), "accept: %s",
		       evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
	(void)evconnlistener_disable(accepting);
	(void)evtimer_add(listener->resume, &pause);
}

static void on_resume(evutil_socket_t fd, short what, void *context)
{
	struct session_listener *listener = context;

	(void)fd;
	(void)what;
	(void)evconnlistener_enable(listener->accepting);
}

/* Makes the listener around a listening socket, which it owns from then on (on failure too). */
static int listener_make(struct event_base *base, int fd, const struct session_identity *identity,
			 const struct session_events *events, void *context,
			 struct session_listener **out)
{
	struct session_listener *listener = calloc(1, sizeof(*listener));

	if (listener == NULL) {
		(void)close(fd);
		return -ENOMEM;
	}
	listener->base = base;
	listener->identity = identity;
	listener->events = events;
	listener->context = context;
	session_rate_init(&listener->rate);
	listener->resume = evtimer_new(base, on_resume, listener);
	if (listener->resume == NULL) {
		(void)close(fd);
		free(listener);
		return -ENOMEM;
	}
	listener->accepting = evconnlistener_new(
	    base, on_accept, listener, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (listener->accepting == NULL) {
		(void)close(fd);
		event_free(listener->resume);
		free(listener);
		return -ENOMEM;
	}
	evconnlistener_set_error_cb(listener->accepting, on_accept_error);
	*out = listener;
	return 0;
}

static int socket_open(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    (family == AF_INET6 &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0)) {
		int error = errno;

		(void)close(fd);
		return -error;
	}
	return fd;
}

static const char *listen_advice(int error)
{
	switch (error) {
	case EADDRINUSE:
		return "; another agent or program has that port: stop it, or choose another "
		       "`listen` address";
	case EADDRNOTAVAIL:
		return "; no interface of this host has that address: correct `listen`";
	case EACCES:
		return "; a port below 1024 needs privileges: choose another `listen` address";
	default:
		return "";
	}
}

int session_listen(struct event_base *base, const char *address,
		   const struct session_identity *identity, const struct session_events *events,
		   void *context, struct session_listener **listener, struct failure *failure)
{
	struct sockaddr_storage socket_address;
	socklen_t length;
	int fd, error;

	if (address_parse(address, &socket_address, &length) != 0)
		return failure_set(failure, EINVAL,
				   "listen address \"%s\": not a numeric address and port, such as "
				   "10.0.0.1:11280",
				   address);
	fd = socket_open(socket_address.ss_family);
	if (fd < 0)
		return failure_set(failure, -fd, "cannot listen on %s: %s", address, strerror(-fd));
	if (bind(fd, (const struct sockaddr *)&socket_address, length) != 0 ||
	    listen(fd, BACKLOG) != 0) {
		error = errno;
		(void)close(fd);
		return failure_set(failure, error, "cannot listen on %s: %s%s", address,
				   strerror(error), listen_advice(error));
	}
	error = listener_make(base, fd, identity, events, context, listener);
	if (error != 0)
		return failure_set(failure, -error, "cannot listen on %s: %s", address,
				   strerror(-error));
	return 0;
}

int session_listen_local(struct event_base *base, const char *path, unsigned mode,
			 const struct session_identity *identity,
			 const struct session_events *events, void *context,
			 struct session_listener **listener, struct failure *failure)
{
	struct local_socket local;
	int error;

	error = local_socket_listen("control socket", path, SOCK_STREAM, mode, &local, failure);
	if (error != 0)
		return error;
	error = listener_make(base, local.fd, identity, events, context, listener);
	if (error != 0) {
		local_socket_remove(&local);
		return failure_set(failure, -error, "control socket %s: %s", path,
				   strerror(-error));
	}
	(*listener)->local = local;
	return 0;
}

void session_listener_free(struct session_listener *listener)
{
	if (listener == NULL)
		return;
	while (listener->half_open != NULL)
		session_close(listener->half_open);
	evconnlistener_free(listener->accepting);
	event_free(listener->resume);
	local_socket_remove(&listener->local);
	free(listener);
}

const struct session_counts *session_listener_counts(const struct session_listener *listener)
{
	return &listener->counts;
}

const char *session_listener_last_refusal(const struct session_listener *listener)
{
	return listener->last_refusal;
}
