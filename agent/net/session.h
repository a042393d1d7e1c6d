/* session.h - one authenticated connection to a peer, on a libevent loop.
 *
 * Over TCP it is Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b (noise.h); over the local control socket it
 * is plain, for there the socket's mode decides who may speak.  Above it both are the same: HELLO
 * has been exchanged and a version agreed on before `ready` is called, and every message is whole.
 * Nothing is delivered before the handshake is done.  All calls from the loop's thread; no event is
 * called from within one of them.  The process ignores SIGPIPE.
 *
 * Limits: connecting and the handshake have 3 s each; 256 half-open connections and 20 handshakes a
 * second per address at a listener; frames of 65535 bytes; 4 MiB of output queued for a peer that
 * does not read (then closed); a Noise session is renewed (closed, to be dialled again) after one
 * hour.
 */
#ifndef MCROSTER_SESSION_H
#define MCROSTER_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

#include "list/failure.h"
#include "net/identity.h"
#include "net/message.h"

struct session;
struct session_listener;

struct session_events {
	/* The session can be used. */
	void (*ready)(struct session *session, void *context);
	/* A whole message; borrowed for the call. */
	void (*message)(struct session *session, const struct message *message, void *context);
	/* It ended: by the peer, by a failure, or (dialled) because it never came up; `why` says
	 * it, the peer's address first.  The session is freed after this returns.  Not called after
	 * session_close, nor for an accepted session that was never ready: the listener counts it.
	 */
	void (*closed)(struct session *session, const char *why, void *context);
};

/* Dials a peer whose static key is known.  Returns at once; `ready` or `closed` follows.
 * *session is owned by the caller until `closed` was called or session_close. -EINVAL, -ENOMEM, or
 * the socket's error. */
int session_dial(struct event_base *base, const char *address,
		 const uint8_t peer_key[SESSION_KEY_BYTES], const struct session_identity *identity,
		 const struct session_events *events, void *context, struct session **session,
		 struct failure *failure);

/* Connects to an agent's control socket (plain). */
int session_dial_local(struct event_base *base, const char *path,
		       const struct session_identity *identity, const struct session_events *events,
		       void *context, struct session **session, struct failure *failure);

/* Closes and frees.  No event follows.  NULL is fine.  May be called from within an event. */
void session_close(struct session *session);

/* Ends it as a failure would: `closed` follows from the loop, with this reason. */
void session_end_soon(struct session *session, const char *why);

/* Queues a message.  -EPIPE when the session is not ready any more, -EMSGSIZE for a body over
 * MESSAGE_BODY_MAX, -ENOBUFS when the peer does not read (the session then ends by `closed`). */
int session_send(struct session *session, const struct message *message);

/* The peer's static key (all zero on a control socket), the name its HELLO gave, its address. */
const uint8_t *session_peer_key(const struct session *session);
const char *session_peer_name(const struct session *session);
const char *session_peer_address(const struct session *session);
bool session_is_local(const struct session *session);

/* For the owner's own bookkeeping. */
void session_set_context(struct session *session, void *context);
void *session_context(const struct session *session);

/* Counters a listener keeps, for status and metrics. */
struct session_counts {
	uint64_t accepted, completed, refused_mac, refused_handshake, refused_rate,
	    refused_half_open, timed_out;
};

/* Listens.  `accepted` sessions call `events` with `context` until session_set_context. */
int session_listen(struct event_base *base, const char *address,
		   const struct session_identity *identity, const struct session_events *events,
		   void *context, struct session_listener **listener, struct failure *failure);
/* The control socket: created with `mode` whatever the umask; a stale one of ours is replaced, one
 * that somebody answers on is -EADDRINUSE. */
int session_listen_local(struct event_base *base, const char *path, unsigned mode,
			 const struct session_identity *identity,
			 const struct session_events *events, void *context,
			 struct session_listener **listener, struct failure *failure);
/* Ready sessions stay.  NULL is fine. */
void session_listener_free(struct session_listener *listener);
const struct session_counts *session_listener_counts(const struct session_listener *listener);
/* Why the last one was turned away, its address first: for the log when a count has grown. */
const char *session_listener_last_refusal(const struct session_listener *listener);

#endif
