/* wire.c - see wire.h.  One thread at a time.
 *
 * The states and what may come in each; anything else breaks the wire:
 *     FIRST     (responder)  the initiator's handshake message: mac1, then Noise
 *     RESPONSE  (initiator)  the responder's handshake message
 *     HELLO                  the peer's HELLO, the first transport record
 *     READY                  messages
 * A plain wire starts in HELLO.  Keys made for one session live in the wire's own memory and are
 * wiped as soon as they have served; the identity's are only borrowed.
 */
#include "net/wire.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define LENGTH_BYTES	   2u
#define CHUNK_HEADER_BYTES 8u /* total, offset */
#define RECORD_SENT_MAX	   (MESSAGE_BYTES_MAX + CHUNK_HEADER_BYTES + WIRE_CHUNK_BYTES)
#define MAC_LABEL	   "mcroster mac1"
#define PROLOGUE_LABEL	   "mcroster peer 1"

_Static_assert(RECORD_SENT_MAX + NOISE_TAG_BYTES <= WIRE_FRAME_MAX, "a chunk fits a frame");

enum wire_state { STATE_FIRST, STATE_RESPONSE, STATE_HELLO, STATE_READY, STATE_BROKEN };

struct wire {
	struct wire_setup setup;
	enum wire_state state;
	enum wire_fault fault;
	char reason[WIRE_REASON_BYTES];
	uint8_t remote_key[SESSION_KEY_BYTES]; /* the responder's, for the initiator */
	uint8_t peer_key[SESSION_KEY_BYTES];
	char peer_name[LIST_NAME_MAX + 1];
	uint16_t version;
	struct noise_handshake handshake;
	struct noise_cipher send, receive;
	/* The frame coming in. */
	uint8_t head[LENGTH_BYTES];
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

static enum wire_event break_wire(struct wire *wire, enum wire_fault fault, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum wire_event break_wire(struct wire *wire, enum wire_fault fault, const char *format, ...)
{
	va_list arguments;

	if (wire->state == STATE_BROKEN)
		return WIRE_BROKEN;
	va_start(arguments, format);
	(void)vsnprintf(wire->reason, sizeof(wire->reason), format, arguments);
	va_end(arguments);
	wire->state = STATE_BROKEN;
	wire->fault = fault;
	noise_forget(&wire->handshake);
	noise_cipher_forget(&wire->send);
	noise_cipher_forget(&wire->receive);
	return WIRE_BROKEN;
}

static enum wire_fault stage_fault(const struct wire *wire)
{
	return wire->state == STATE_READY ? WIRE_FAULT_PROTOCOL : WIRE_FAULT_HANDSHAKE;
}

/* The way out. */

static int put_out(struct wire *wire, const uint8_t *bytes, size_t length)
{
	int error = wire->setup.output(wire->setup.context, bytes, length);

	if (error != 0)
		(void)break_wire(wire, WIRE_FAULT_LOCAL, "cannot queue output: %s",
				 strerror(-error));
	return error;
}

/* Sends one frame; `frame` has the content after the length, and room for a tag. */
static int send_frame(struct wire *wire, uint8_t *frame, size_t length, bool sealed)
{
	if (sealed) {
		uint8_t *record = frame + LENGTH_BYTES;
		int error = noise_cipher_seal(&wire->send, NULL, 0, record, length, record);

		if (error != 0) {
			(void)break_wire(wire, WIRE_FAULT_LOCAL, "the session's keys are used up");
			return error;
		}
		length += NOISE_TAG_BYTES;
	}
	frame[0] = (uint8_t)length;
	frame[1] = (uint8_t)(length >> 8);
	return put_out(wire, frame, LENGTH_BYTES + length);
}

static void put_u32(uint8_t *at, size_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

static size_t get_u32(const uint8_t *at)
{
	return (size_t)at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16 | (size_t)at[3] << 24;
}

/* Sends a message, a body in chunks.  An empty body is one empty chunk. */
static int send_message(struct wire *wire, const struct message *message)
{
	uint8_t frame[LENGTH_BYTES + RECORD_SENT_MAX + NOISE_TAG_BYTES];
	uint8_t *chunk;
	size_t offset = 0, fields, part;
	int error;

	fields = message_encode(message, frame + LENGTH_BYTES);
	if (!message_has_body(message->type))
		return send_frame(wire, frame, fields, !wire->setup.plain);
	do {
		fields = message_encode(message, frame + LENGTH_BYTES);
		chunk = frame + LENGTH_BYTES + fields;
		part = message->body_bytes - offset;
		if (part > WIRE_CHUNK_BYTES)
			part = WIRE_CHUNK_BYTES;
		put_u32(chunk, message->body_bytes);
		put_u32(chunk + 4, offset);
		if (part > 0)
			memcpy(chunk + CHUNK_HEADER_BYTES, message->body + offset, part);
		error =
		    send_frame(wire, frame, fields + CHUNK_HEADER_BYTES + part, !wire->setup.plain);
		offset += part;
	} while (error == 0 && offset < message->body_bytes);
	return error;
}

size_t wire_size(const struct wire *wire, const struct message *message)
{
	uint8_t bytes[MESSAGE_BYTES_MAX];
	size_t each = LENGTH_BYTES + message_encode(message, bytes) +
		      (wire->setup.plain ? 0 : NOISE_TAG_BYTES);
	size_t chunks;

	if (!message_has_body(message->type))
		return each;
	chunks = message->body_bytes / WIRE_CHUNK_BYTES + 1;
	return message->body_bytes + chunks * (each + CHUNK_HEADER_BYTES);
}

int wire_send(struct wire *wire, const struct message *message)
{
	assert(message->type != MESSAGE_HELLO);
	if (wire->state != STATE_READY)
		return -EPIPE;
	if (message_has_body(message->type) && message->body_bytes > MESSAGE_BODY_MAX)
		return -EMSGSIZE;
	return send_message(wire, message);
}

static int send_hello(struct wire *wire)
{
	struct message hello = {.type = MESSAGE_HELLO};

	hello.hello.version_min = wire->setup.version_min;
	hello.hello.version_max = wire->setup.version_max;
	memcpy(hello.hello.name, wire->setup.identity->name, sizeof(hello.hello.name));
	return send_message(wire, &hello);
}

/* The handshake. */

static const uint8_t *own_psk(const struct wire *wire, bool previous)
{
	return previous ? wire->setup.identity->previous_psk : wire->setup.identity->psk;
}

/* A MAC that only someone who knows the responder's key and the PSK can make, over the handshake
 * message: a stranger costs the responder two hashes and no curve operation. */
static void mac1(const uint8_t *psk, const uint8_t *responder_key, const uint8_t *message,
		 size_t length, uint8_t mac[WIRE_MAC_BYTES])
{
	crypto_generichash_blake2b_state state;
	uint8_t key[32];

	(void)crypto_generichash_blake2b_init(&state, psk, SESSION_KEY_BYTES, sizeof(key));
	(void)crypto_generichash_blake2b_update(&state, (const uint8_t *)MAC_LABEL,
						sizeof(MAC_LABEL) - 1);
	(void)crypto_generichash_blake2b_update(&state, responder_key, SESSION_KEY_BYTES);
	(void)crypto_generichash_blake2b_final(&state, key, sizeof(key));
	(void)crypto_generichash_blake2b(mac, WIRE_MAC_BYTES, message, length, key, sizeof(key));
	sodium_memzero(&state, sizeof(state));
	sodium_memzero(key, sizeof(key));
}

static void begin_noise(struct wire *wire, const uint8_t *psk)
{
	const struct session_identity *identity = wire->setup.identity;
	char prologue[sizeof(PROLOGUE_LABEL) + LIST_NAME_MAX];
	struct noise_setup setup = {.initiator = wire->setup.initiator,
				    .prologue = prologue,
				    .secret = identity->secret,
				    .public_key = identity->public_key,
				    .remote_static =
					wire->setup.initiator ? wire->remote_key : NULL,
				    .psk = psk};
	size_t cluster = strnlen(identity->cluster, LIST_NAME_MAX);

	/* The label's own NUL stands between it and the cluster's name. */
	memcpy(prologue, PROLOGUE_LABEL, sizeof(PROLOGUE_LABEL));
	memcpy(prologue + sizeof(PROLOGUE_LABEL), identity->cluster, cluster);
	setup.prologue_bytes = sizeof(PROLOGUE_LABEL) + cluster;
	noise_begin(&wire->handshake, &setup);
}

static int send_first(struct wire *wire)
{
	uint8_t frame[LENGTH_BYTES + WIRE_FIRST_BYTES];
	uint8_t *message = frame + LENGTH_BYTES;
	const uint8_t *psk = own_psk(wire, wire->setup.use_previous_psk);
	size_t length;
	int error;

	begin_noise(wire, psk);
	error = noise_write(&wire->handshake, NULL, 0, message, NOISE_FIRST_BYTES, &length);
	if (error != 0) {
		(void)break_wire(wire, WIRE_FAULT_HANDSHAKE,
				 "the peer's key in the list is no usable X25519 key");
		return error;
	}
	mac1(psk, wire->remote_key, message, length, message + length);
	return send_frame(wire, frame, WIRE_FIRST_BYTES, false);
}

/* The Noise messages carry no payload; anything but their exact size is refused unread. */
static enum wire_event end_noise(struct wire *wire)
{
	if (noise_split(&wire->handshake, &wire->send, &wire->receive) != 0)
		return break_wire(wire, WIRE_FAULT_HANDSHAKE, "handshake out of order");
	memcpy(wire->peer_key, wire->handshake.remote_static, sizeof(wire->peer_key));
	noise_forget(&wire->handshake);
	wire->state = STATE_HELLO;
	return WIRE_MORE;
}

static enum wire_event take_first(struct wire *wire)
{
	const struct session_identity *identity = wire->setup.identity;
	const uint8_t *psk = NULL;
	uint8_t expected[WIRE_MAC_BYTES], payload[1];
	uint8_t answer[LENGTH_BYTES + NOISE_SECOND_BYTES];
	size_t length;

	for (int previous = 0; previous <= (identity->has_previous_psk ? 1 : 0) && psk == NULL;
	     previous++) {
		const uint8_t *candidate = own_psk(wire, previous == 1);

		mac1(candidate, identity->public_key, wire->frame, NOISE_FIRST_BYTES, expected);
		if (sodium_memcmp(expected, wire->frame + NOISE_FIRST_BYTES, sizeof(expected)) == 0)
			psk = candidate;
	}
	if (psk == NULL)
		return break_wire(wire, WIRE_FAULT_MAC,
				  "mac1 does not fit: made with another pre-shared key, or for "
				  "another host's key");
	begin_noise(wire, psk);
	if (noise_read(&wire->handshake, wire->frame, NOISE_FIRST_BYTES, payload, 0, &length) != 0)
		return break_wire(wire, WIRE_FAULT_HANDSHAKE,
				  "the handshake does not authenticate: another cluster than %s, "
				  "or changed on the way",
				  identity->cluster);
	if (noise_write(&wire->handshake, NULL, 0, answer + LENGTH_BYTES, NOISE_SECOND_BYTES,
			&length) != 0)
		return break_wire(wire, WIRE_FAULT_HANDSHAKE, "the peer's key is not usable");
	if (send_frame(wire, answer, NOISE_SECOND_BYTES, false) != 0)
		return WIRE_BROKEN;
	return end_noise(wire);
}

static enum wire_event take_response(struct wire *wire)
{
	uint8_t payload[1];
	size_t length;

	if (noise_read(&wire->handshake, wire->frame, wire->frame_want, payload, 0, &length) != 0)
		return break_wire(wire, WIRE_FAULT_HANDSHAKE,
				  "the peer's handshake does not authenticate");
	if (end_noise(wire) == WIRE_BROKEN || send_hello(wire) != 0)
		return WIRE_BROKEN;
	return WIRE_MORE;
}

/* A later version's HELLO may be longer; its first fields are ours. */
static enum wire_event take_hello(struct wire *wire, const uint8_t *record, size_t length)
{
	struct message hello;
	uint16_t low, high;

	if (length > MESSAGE_HELLO_BYTES)
		length = MESSAGE_HELLO_BYTES;
	if (message_decode(record, length, &hello) != 0 || hello.type != MESSAGE_HELLO)
		return break_wire(wire, WIRE_FAULT_HANDSHAKE, "the peer does not begin with HELLO");
	memcpy(wire->peer_name, hello.hello.name, sizeof(wire->peer_name));
	/* Answered before it is judged, so that both sides can name both ranges. */
	if (!wire->setup.initiator && send_hello(wire) != 0)
		return WIRE_BROKEN;
	low = hello.hello.version_min > wire->setup.version_min ? hello.hello.version_min
								: wire->setup.version_min;
	high = hello.hello.version_max < wire->setup.version_max ? hello.hello.version_max
								 : wire->setup.version_max;
	if (low > high)
		return break_wire(wire, WIRE_FAULT_HANDSHAKE,
				  "no common protocol version: %s speaks %u to %u, we speak %u to "
				  "%u; upgrade the older one",
				  hello.hello.name[0] != '\0' ? hello.hello.name : "the peer",
				  hello.hello.version_min, hello.hello.version_max,
				  wire->setup.version_min, wire->setup.version_max);
	wire->version = high;
	wire->state = STATE_READY;
	return WIRE_READY;
}

/* Messages. */

static void drop_body(struct wire *wire)
{
	free(wire->body);
	wire->body = NULL;
	wire->body_delivered = false;
}

static enum wire_event take_chunk(struct wire *wire, const uint8_t *record, size_t length,
				  struct message *message)
{
	const size_t fields = 9; /* type, request */
	const uint8_t *chunk;
	size_t total, offset, part;

	if (length < fields + CHUNK_HEADER_BYTES || message_decode(record, fields, message) != 0)
		return break_wire(wire, WIRE_FAULT_PROTOCOL, "%s: too short for a chunk",
				  message_name(record[0]));
	chunk = record + fields + CHUNK_HEADER_BYTES;
	part = length - fields - CHUNK_HEADER_BYTES;
	total = get_u32(record + fields);
	offset = get_u32(record + fields + 4);
	if (total > MESSAGE_BODY_MAX)
		return break_wire(wire, WIRE_FAULT_PROTOCOL, "%s: a body of %zu bytes, at most %u",
				  message_name(message->type), total, MESSAGE_BODY_MAX);
	if (wire->body == NULL) {
		wire->body = malloc(total > 0 ? total : 1);
		if (wire->body == NULL)
			return break_wire(wire, WIRE_FAULT_LOCAL,
					  "no memory for a body of %zu "
					  "bytes",
					  total);
		wire->body_type = message->type;
		wire->body_request = message->request;
		wire->body_total = total;
		wire->body_bytes = 0;
	}
	/* An empty chunk makes progress only where there is nothing to carry. */
	if (wire->body_type != message->type || wire->body_request != message->request ||
	    wire->body_total != total || wire->body_bytes != offset || part > total - offset ||
	    (part == 0 && total > 0))
		return break_wire(
		    wire, WIRE_FAULT_PROTOCOL, "%s: chunk at %zu of %zu does not follow %zu of %zu",
		    message_name(message->type), offset, total, wire->body_bytes, wire->body_total);
	if (part > 0)
		memcpy(wire->body + offset, chunk, part);
	wire->body_bytes += part;
	if (wire->body_bytes < total)
		return WIRE_MORE;
	message->body = wire->body;
	message->body_bytes = total;
	wire->body_delivered = true;
	return WIRE_MESSAGE;
}

static enum wire_event take_message(struct wire *wire, const uint8_t *record, size_t length,
				    struct message *message)
{
	if (length == 0)
		return break_wire(wire, WIRE_FAULT_PROTOCOL, "an empty record");
	if (message_has_body(record[0]))
		return take_chunk(wire, record, length, message);
	if (wire->body != NULL)
		return break_wire(wire, WIRE_FAULT_PROTOCOL, "%s inside the body of %s",
				  message_name(record[0]), message_name(wire->body_type));
	if (message_decode(record, length, message) != 0)
		return break_wire(wire, WIRE_FAULT_PROTOCOL,
				  "message %s (type %u, %zu bytes): a field is out of bounds",
				  message_name(record[0]), record[0], length);
	if (message->type == MESSAGE_HELLO)
		return break_wire(wire, WIRE_FAULT_PROTOCOL, "a second HELLO");
	return WIRE_MESSAGE;
}

static enum wire_event take_record(struct wire *wire, struct message *message)
{
	size_t length = wire->frame_want;

	if (!wire->setup.plain) {
		if (noise_cipher_open(&wire->receive, NULL, 0, wire->frame, length, wire->frame) !=
		    0)
			return break_wire(wire, stage_fault(wire),
					  "a frame of %zu bytes does not authenticate", length);
		length -= NOISE_TAG_BYTES;
	}
	if (wire->state == STATE_HELLO)
		return take_hello(wire, wire->frame, length);
	return take_message(wire, wire->frame, length, message);
}

/* The way in. */

static bool length_allowed(const struct wire *wire, size_t length)
{
	switch (wire->state) {
	case STATE_FIRST:
		return length == WIRE_FIRST_BYTES;
	case STATE_RESPONSE:
		return length == NOISE_SECOND_BYTES;
	case STATE_HELLO:
	case STATE_READY:
		return length > (wire->setup.plain ? 0 : NOISE_TAG_BYTES);
	case STATE_BROKEN:
		break;
	}
	return false;
}

static enum wire_event frame_begin(struct wire *wire)
{
	size_t length = (size_t)wire->head[0] | (size_t)wire->head[1] << 8;

	if (!length_allowed(wire, length))
		return break_wire(wire, stage_fault(wire),
				  "a frame of %zu bytes is not what comes here", length);
	if (length > wire->frame_capacity) {
		uint8_t *larger = realloc(wire->frame, length);

		if (larger == NULL)
			return break_wire(wire, WIRE_FAULT_LOCAL, "no memory for a frame");
		wire->frame = larger;
		wire->frame_capacity = length;
	}
	wire->frame_want = length;
	wire->frame_bytes = 0;
	return WIRE_MORE;
}

static enum wire_event frame_end(struct wire *wire, struct message *message)
{
	wire->head_bytes = 0;
	switch (wire->state) {
	case STATE_FIRST:
		return take_first(wire);
	case STATE_RESPONSE:
		return take_response(wire);
	case STATE_HELLO:
	case STATE_READY:
		return take_record(wire, message);
	case STATE_BROKEN:
		break;
	}
	return WIRE_BROKEN;
}

enum wire_event wire_receive(struct wire *wire, const uint8_t *bytes, size_t length, size_t *used,
			     struct message *message)
{
	enum wire_event event = WIRE_MORE;
	size_t part;

	*used = 0;
	if (wire->body_delivered)
		drop_body(wire);
	if (wire->state == STATE_BROKEN)
		return WIRE_BROKEN;
	while (event == WIRE_MORE && *used < length) {
		if (wire->head_bytes < LENGTH_BYTES) {
			wire->head[wire->head_bytes++] = bytes[(*used)++];
			if (wire->head_bytes == LENGTH_BYTES)
				event = frame_begin(wire);
			continue;
		}
		part = wire->frame_want - wire->frame_bytes;
		if (part > length - *used)
			part = length - *used;
		memcpy(wire->frame + wire->frame_bytes, bytes + *used, part);
		wire->frame_bytes += part;
		*used += part;
		if (wire->frame_bytes == wire->frame_want)
			event = frame_end(wire, message);
	}
	return event;
}

int wire_new(const struct wire_setup *setup, struct wire **wire)
{
	struct wire *made;

	if (setup->initiator && !setup->plain && setup->peer_key == NULL)
		return -EINVAL;
	made = calloc(1, sizeof(*made));
	if (made == NULL)
		return -ENOMEM;
	made->setup = *setup;
	if (setup->peer_key != NULL)
		memcpy(made->remote_key, setup->peer_key, sizeof(made->remote_key));
	made->setup.peer_key = NULL; /* the caller's memory: not ours to keep */
	if (setup->plain)
		made->state = STATE_HELLO;
	else
		made->state = setup->initiator ? STATE_RESPONSE : STATE_FIRST;
	*wire = made;
	return 0;
}

int wire_start(struct wire *wire)
{
	if (!wire->setup.initiator)
		return 0;
	return wire->setup.plain ? send_hello(wire) : send_first(wire);
}

void wire_free(struct wire *wire)
{
	if (wire == NULL)
		return;
	free(wire->body);
	free(wire->frame);
	sodium_memzero(wire, sizeof(*wire));
	free(wire);
}

bool wire_is_ready(const struct wire *wire)
{
	return wire->state == STATE_READY;
}

bool wire_awaits_response(const struct wire *wire)
{
	return wire->state == STATE_RESPONSE;
}

enum wire_fault wire_fault(const struct wire *wire)
{
	return wire->fault;
}

const char *wire_reason(const struct wire *wire)
{
	return wire->reason;
}

const uint8_t *wire_peer_key(const struct wire *wire)
{
	return wire->peer_key;
}

const char *wire_peer_name(const struct wire *wire)
{
	return wire->peer_name;
}

uint16_t wire_version(const struct wire *wire)
{
	return wire->version;
}
