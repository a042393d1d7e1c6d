/* wire.h - the peer protocol without sockets: bytes in, events and bytes out.
 *
 * docs/protocol.md is the specification.  A wire is one end of one connection.  It checks mac1,
 * runs the handshake, opens and seals frames, exchanges HELLO and puts chunked bodies together;
 * what it wants to send goes to `output`.  No clock, no socket, no callback into the owner from
 * wire_receive other than `output`, so the owner may stop, send or free between any two events.
 */
#ifndef MCROSTER_WIRE_H
#define MCROSTER_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/identity.h"
#include "net/message.h"
#include "net/noise.h"

#define WIRE_FRAME_MAX	  65535u
#define WIRE_CHUNK_BYTES  32768u /* of a body in one frame, as we send it */
#define WIRE_MAC_BYTES	  16u
#define WIRE_FIRST_BYTES  (NOISE_FIRST_BYTES + WIRE_MAC_BYTES) /* the initiator's message */
#define WIRE_REASON_BYTES 256u

struct wire;

struct wire_setup {
	bool initiator;
	bool plain;				 /* no Noise: a local socket */
	const struct session_identity *identity; /* borrowed for the wire's life */
	const uint8_t *peer_key;		 /* Noise initiator: the responder's static key */
	bool use_previous_psk;			 /* Noise initiator: with identity->previous_psk */
	uint16_t version_min, version_max;	 /* of HELLO */
	/* Takes bytes for the peer; 0, or a negative errno that ends the wire. */
	int (*output)(void *context, const uint8_t *bytes, size_t length);
	void *context;
};

enum wire_event {
	WIRE_MORE,    /* everything given is used up; nothing happened */
	WIRE_READY,   /* HELLO came and a version is agreed on: once */
	WIRE_MESSAGE, /* *message is whole; borrowed until the next call */
	WIRE_BROKEN   /* the connection is of no more use; wire_reason says why */
};

/* What broke it. */
enum wire_fault {
	WIRE_FAULT_NONE = 0,
	WIRE_FAULT_MAC, /* the first message's mac1: another key or PSK, or noise from outside */
	WIRE_FAULT_HANDSHAKE, /* later in the handshake, HELLO included */
	WIRE_FAULT_PROTOCOL,  /* after it */
	WIRE_FAULT_LOCAL      /* memory, output */
};

/* -EINVAL for an initiator without a key, -ENOMEM. */
int wire_new(const struct wire_setup *setup, struct wire **wire);
void wire_free(struct wire *wire); /* wipes; NULL is fine */

/* An initiator speaks first.  0, or a negative errno: the wire is broken. */
int wire_start(struct wire *wire);

/* Gives it bytes from the peer; *used says how many it took before it came to an event.  Call again
 * with the rest until WIRE_MORE or WIRE_BROKEN. */
enum wire_event wire_receive(struct wire *wire, const uint8_t *bytes, size_t length, size_t *used,
			     struct message *message);

/* -EPIPE before WIRE_READY or when broken, -EMSGSIZE for a body over MESSAGE_BODY_MAX; what
 * `output` said, and the wire is broken then. */
int wire_send(struct wire *wire, const struct message *message);

/* How many bytes wire_send puts out for a message. */
size_t wire_size(const struct wire *wire, const struct message *message);

bool wire_is_ready(const struct wire *wire);
/* A Noise initiator that has not had the responder's answer yet. */
bool wire_awaits_response(const struct wire *wire);
enum wire_fault wire_fault(const struct wire *wire);
const char *wire_reason(const struct wire *wire);      /* "" while it is not broken */
const uint8_t *wire_peer_key(const struct wire *wire); /* all zero when plain or not known yet */
const char *wire_peer_name(const struct wire *wire);   /* what its HELLO claims; "" before */
uint16_t wire_version(const struct wire *wire);	       /* agreed on; 0 before */

#endif
