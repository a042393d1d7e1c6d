/* session_internal.h - what session.c and session_listener.c share. */
#ifndef MCROSTER_SESSION_INTERNAL_H
#define MCROSTER_SESSION_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/socket.h>

#include <event2/bufferevent.h>

#include "net/session.h"
#include "net/wire.h"

#define SESSION_HANDSHAKE_SECONDS 3
#define SESSION_AGE_SECONDS	  3600
#define SESSION_HALF_OPEN_MAX	  256u
#define SESSION_QUEUE_MAX	  (4u << 20)
#define SESSION_INPUT_MAX	  (128u << 10) /* read ahead of what the loop has dealt with */
#define SESSION_PEER_BYTES	  192u

struct session {
	struct event_base *base;
	const struct session_identity *identity;
	const struct session_events *events;
	void *context;
	struct bufferevent *stream;
	struct wire *wire;
	struct event *timer; /* handshake time-out, then age; fires at once when `doom` is set */
	char doom[WIRE_REASON_BYTES]; /* ends by `closed` from the loop with this reason */
	char peer[SESSION_PEER_BYTES];
	bool local, dialled, connected, ready;
	bool ended;	/* no event follows */
	unsigned depth; /* calls from the loop that are on the stack; freed when the last returns */
	/* Dialled over TCP. */
	struct sockaddr_storage address;
	socklen_t address_bytes;
	uint8_t peer_key[SESSION_KEY_BYTES];
	bool use_previous_psk;
	/* Accepted, and not ready yet: in the listener's list. */
	struct session_listener *listener;
	struct session *previous, *next;
};

/* Makes a session around a connected socket, which it owns from then on (on failure too). */
int session_accept(struct session_listener *listener, struct event_base *base, int fd, bool local,
		   const char *peer, const struct session_identity *identity,
		   const struct session_events *events, void *context);

/* A half-open session is in its listener's list from session_accept until one of these. */
void session_listener_add(struct session_listener *listener, struct session *session);
void session_listener_completed(struct session *session);
void session_listener_lost(struct session *session, enum wire_fault fault, bool timed_out,
			   const char *why);

#endif
