/* wire_internal.h - what the files of the wire share: wire.c (frames), wire_handshake.c (until
 * HELLO), wire_message.c (after it). */
#ifndef MCROSTER_WIRE_INTERNAL_H
#define MCROSTER_WIRE_INTERNAL_H

#include "net/wire.h"

#define WIRE_LENGTH_BYTES    2u
#define WIRE_CHUNK_HEADER    8u /* total, offset */
#define WIRE_RECORD_SENT_MAX (MESSAGE_BYTES_MAX + WIRE_CHUNK_HEADER + WIRE_CHUNK_BYTES)

_Static_assert(WIRE_RECORD_SENT_MAX + NOISE_TAG_BYTES <= WIRE_FRAME_MAX, "a chunk fits a frame");

enum wire_state {
	WIRE_STATE_FIRST,
	WIRE_STATE_RESPONSE,
	WIRE_STATE_HELLO,
	WIRE_STATE_READY,
	WIRE_STATE_BROKEN
};

struct wire {
	struct wire_setup setup;
	enum wire_state state;
	enum wire_fault fault;
	char reason[WIRE_REASON_BYTES];
	uint8_t remote_key[SESSION_KEY_BYTES]; /* the responder's, for the initiator */
	uint8_t peer_key[SESSION_KEY_BYTES];
	char peer_name[LIST_NAME_MAX + 1];
	uint16_t version;
	struct noise_handshake *handshake; /* NULL: none is under way */
	struct noise_cipher send, receive;
	/* The frame coming in. */
	uint8_t head[WIRE_LENGTH_BYTES];
	size_t head_bytes;
	uint8_t *frame;
	size_t frame_bytes, frame_want, frame_capacity;
	/* The body coming in; NULL: none has begun. */
	uint8_t *body;
	uint8_t body_type;
	uint64_t body_request;
	size_t body_bytes, body_total;
	bool body_delivered; /* to be freed on the next call */
};

/* Breaks it for good, unless it is broken already; wipes its keys.  Returns WIRE_BROKEN. */
enum wire_event wire_break(struct wire *wire, enum wire_fault fault, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Sends one frame: `frame` has `length` bytes of content after WIRE_LENGTH_BYTES, and, when it is
 * to be sealed, room for a tag behind them. */
int wire_frame_send(struct wire *wire, uint8_t *frame, size_t length, bool sealed);

/* wire_message.c: sends a message, a body in chunks; takes a record that came. */
int wire_message_send(struct wire *wire, const struct message *message);
enum wire_event wire_message_take(struct wire *wire, const uint8_t *record, size_t length,
				  struct message *message);
void wire_body_drop(struct wire *wire);

/* Wipes what the handshake knew: the identity's secrets, among others. */
void wire_handshake_end(struct wire *wire);

/* wire_handshake.c: each sends or takes one step; the takers move the state on. */
int wire_first_send(struct wire *wire);
int wire_hello_send(struct wire *wire);
enum wire_event wire_first_take(struct wire *wire);
enum wire_event wire_response_take(struct wire *wire);
enum wire_event wire_hello_take(struct wire *wire, const uint8_t *record, size_t length);

#endif
