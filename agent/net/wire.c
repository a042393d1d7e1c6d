/* wire.c - see wire.h.  One thread at a time.
 *
 * The states and what may come in each; anything else breaks the wire:
 *     FIRST     (responder)  the initiator's handshake message: mac1, then Noise
 *     RESPONSE  (initiator)  the responder's handshake message
 *     HELLO                  the peer's HELLO, the first transport record
 *     READY                  messages
 * A plain wire starts in HELLO.  Keys made for one session live in the wire's own memory and are
 * wiped as soon as they have served; the identity's are borrowed, and a handshake's copies of them
 * are in memory of sodium_malloc: a peer that does not answer must not keep them where a core dump
 * has them.
 */
#include "net/wire_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

void wire_handshake_end(struct wire *wire)
{
	sodium_free(wire->handshake); /* wipes; NULL is fine */
	wire->handshake = NULL;
}

enum wire_event wire_break(struct wire *wire, enum wire_fault fault, const char *format, ...)
{
	va_list arguments;

	if (wire->state == WIRE_STATE_BROKEN)
		return WIRE_BROKEN;
	va_start(arguments, format);
	(void)vsnprintf(wire->reason, sizeof(wire->reason), format, arguments);
	va_end(arguments);
	wire->state = WIRE_STATE_BROKEN;
	wire->fault = fault;
	wire_handshake_end(wire);
	noise_cipher_forget(&wire->send);
	noise_cipher_forget(&wire->receive);
	return WIRE_BROKEN;
}

static enum wire_fault stage_fault(const struct wire *wire)
{
	return wire->state == WIRE_STATE_READY ? WIRE_FAULT_PROTOCOL : WIRE_FAULT_HANDSHAKE;
}

/* The way out. */

static int put_out(struct wire *wire, const uint8_t *bytes, size_t length)
{
	int error = wire->setup.output(wire->setup.context, bytes, length);

	if (error != 0)
		(void)wire_break(wire, WIRE_FAULT_LOCAL, "cannot queue output: %s",
				 strerror(-error));
	return error;
}

/* Sends one frame; `frame` has the content after the length, and room for a tag. */
int wire_frame_send(struct wire *wire, uint8_t *frame, size_t length, bool sealed)
{
	if (sealed) {
		uint8_t *record = frame + WIRE_LENGTH_BYTES;
		int error = noise_cipher_seal(&wire->send, NULL, 0, record, length, record);

		if (error != 0) {
			(void)wire_break(wire, WIRE_FAULT_LOCAL, "the session's keys are used up");
			return error;
		}
		length += NOISE_TAG_BYTES;
	}
	frame[0] = (uint8_t)length;
	frame[1] = (uint8_t)(length >> 8);
	return put_out(wire, frame, WIRE_LENGTH_BYTES + length);
}

static enum wire_event take_record(struct wire *wire, struct message *message)
{
	size_t length = wire->frame_want;

	if (!wire->setup.plain) {
		if (noise_cipher_open(&wire->receive, NULL, 0, wire->frame, length, wire->frame) !=
		    0)
			return wire_break(wire, stage_fault(wire),
					  "a frame of %zu bytes does not authenticate", length);
		length -= NOISE_TAG_BYTES;
	}
	if (wire->state == WIRE_STATE_HELLO)
		return wire_hello_take(wire, wire->frame, length);
	return wire_message_take(wire, wire->frame, length, message);
}

/* The way in. */

static bool length_allowed(const struct wire *wire, size_t length)
{
	switch (wire->state) {
	case WIRE_STATE_FIRST:
		return length == WIRE_FIRST_BYTES;
	case WIRE_STATE_RESPONSE:
		return length == NOISE_SECOND_BYTES;
	case WIRE_STATE_HELLO:
	case WIRE_STATE_READY:
		return length > (wire->setup.plain ? 0 : NOISE_TAG_BYTES);
	case WIRE_STATE_BROKEN:
		break;
	}
	return false;
}

static enum wire_event frame_begin(struct wire *wire)
{
	size_t length = (size_t)wire->head[0] | (size_t)wire->head[1] << 8;

	if (!length_allowed(wire, length))
		return wire_break(wire, stage_fault(wire),
				  "a frame of %zu bytes is not what comes here", length);
	if (length > wire->frame_capacity) {
		uint8_t *larger = realloc(wire->frame, length);

		if (larger == NULL)
			return wire_break(wire, WIRE_FAULT_LOCAL, "no memory for a frame");
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
	case WIRE_STATE_FIRST:
		return wire_first_take(wire);
	case WIRE_STATE_RESPONSE:
		return wire_response_take(wire);
	case WIRE_STATE_HELLO:
	case WIRE_STATE_READY:
		return take_record(wire, message);
	case WIRE_STATE_BROKEN:
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
		wire_body_drop(wire);
	if (wire->state == WIRE_STATE_BROKEN)
		return WIRE_BROKEN;
	while (event == WIRE_MORE && *used < length) {
		if (wire->head_bytes < WIRE_LENGTH_BYTES) {
			wire->head[wire->head_bytes++] = bytes[(*used)++];
			if (wire->head_bytes == WIRE_LENGTH_BYTES)
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
		made->state = WIRE_STATE_HELLO;
	else
		made->state = setup->initiator ? WIRE_STATE_RESPONSE : WIRE_STATE_FIRST;
	*wire = made;
	return 0;
}

int wire_start(struct wire *wire)
{
	if (!wire->setup.initiator)
		return 0;
	return wire->setup.plain ? wire_hello_send(wire) : wire_first_send(wire);
}

void wire_free(struct wire *wire)
{
	if (wire == NULL)
		return;
	wire_handshake_end(wire);
	free(wire->body);
	free(wire->frame);
	sodium_memzero(wire, sizeof(*wire));
	free(wire);
}

bool wire_is_ready(const struct wire *wire)
{
	return wire->state == WIRE_STATE_READY;
}

bool wire_awaits_response(const struct wire *wire)
{
	return wire->state == WIRE_STATE_RESPONSE;
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
