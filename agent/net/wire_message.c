/* wire_message.c - messages as records: bodies cut into chunks and put together again.
 *
 * A body's chunks come one after the other with nothing between them, each where the one before
 * ended, so what is kept of a peer is one body of at most MESSAGE_BODY_MAX bytes.
 */
#include "net/wire_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/fields.h"

#define BODY_FIELDS_BYTES 9u /* type, request: what message_encode writes of such a message */

/* An empty body is one empty chunk. */
int wire_message_send(struct wire *wire, const struct message *message)
{
	uint8_t frame[WIRE_LENGTH_BYTES + WIRE_RECORD_SENT_MAX + NOISE_TAG_BYTES];
	size_t offset = 0, length, part;
	uint8_t *at;
	int error;

	if (!message_has_body(message->type)) {
		length = message_encode(message, wire->version, frame + WIRE_LENGTH_BYTES);
		return wire_frame_send(wire, frame, length, !wire->setup.plain);
	}
	do {
		length = message_encode(message, wire->version, frame + WIRE_LENGTH_BYTES);
		at = frame + WIRE_LENGTH_BYTES + length;
		part = message->body_bytes - offset;
		if (part > WIRE_CHUNK_BYTES)
			part = WIRE_CHUNK_BYTES;
		field_put_u32(&at, (uint32_t)message->body_bytes);
		field_put_u32(&at, (uint32_t)offset);
		if (part > 0)
			field_put_bytes(&at, message->body + offset, part);
		error = wire_frame_send(wire, frame, length + WIRE_CHUNK_HEADER + part,
					!wire->setup.plain);
		offset += part;
	} while (error == 0 && offset < message->body_bytes);
	return error;
}

size_t wire_size(const struct wire *wire, const struct message *message)
{
	uint8_t bytes[MESSAGE_BYTES_MAX];
	size_t each = WIRE_LENGTH_BYTES + message_encode(message, wire->version, bytes) +
		      (wire->setup.plain ? 0 : NOISE_TAG_BYTES);
	size_t chunks;

	if (!message_has_body(message->type))
		return each;
	chunks = message->body_bytes == 0 ? 1 : (message->body_bytes - 1) / WIRE_CHUNK_BYTES + 1;
	return message->body_bytes + chunks * (each + WIRE_CHUNK_HEADER);
}

int wire_send(struct wire *wire, const struct message *message)
{
	assert(message->type != MESSAGE_HELLO);
	if (wire->state != WIRE_STATE_READY)
		return -EPIPE;
	if (message_has_body(message->type) && message->body_bytes > MESSAGE_BODY_MAX)
		return -EMSGSIZE;
	return wire_message_send(wire, message);
}

void wire_body_drop(struct wire *wire)
{
	free(wire->body);
	wire->body = NULL;
	wire->body_delivered = false;
}

static enum wire_event body_begin(struct wire *wire, const struct message *message, size_t total)
{
	if (total > MESSAGE_BODY_MAX)
		return wire_break(wire, WIRE_FAULT_PROTOCOL,
				  "%s with a body of %zu bytes; the limit is %u",
				  message_name(message->type), total, MESSAGE_BODY_MAX);
	wire->body = malloc(total > 0 ? total : 1);
	if (wire->body == NULL)
		return wire_break(wire, WIRE_FAULT_LOCAL, "no memory for a body of %zu bytes",
				  total);
	wire->body_type = message->type;
	wire->body_request = message->request;
	wire->body_total = total;
	wire->body_bytes = 0;
	return WIRE_MORE;
}

static enum wire_event chunk_take(struct wire *wire, const uint8_t *record, size_t length,
				  struct message *message)
{
	struct field_reader reader = {.at = record + BODY_FIELDS_BYTES, .end = record + length};
	size_t total, offset, part;

	if (length < BODY_FIELDS_BYTES + WIRE_CHUNK_HEADER ||
	    message_decode(record, BODY_FIELDS_BYTES, wire->version, message) != 0)
		return wire_break(wire, WIRE_FAULT_PROTOCOL,
				  "%s of %zu bytes: too short for a chunk", message_name(record[0]),
				  length);
	total = field_get_u32(&reader);
	offset = field_get_u32(&reader);
	part = (size_t)(reader.end - reader.at);
	if (wire->body == NULL && body_begin(wire, message, total) == WIRE_BROKEN)
		return WIRE_BROKEN;
	/* An empty chunk makes progress only where there is nothing to carry. */
	if (wire->body_type != message->type || wire->body_request != message->request ||
	    wire->body_total != total || wire->body_bytes != offset || part > total - offset ||
	    (part == 0 && total > 0))
		return wire_break(wire, WIRE_FAULT_PROTOCOL,
				  "%s: a chunk of %zu bytes at %zu of %zu does not follow %zu of "
				  "%zu of %s",
				  message_name(message->type), part, offset, total,
				  wire->body_bytes, wire->body_total,
				  message_name(wire->body_type));
	if (part > 0)
		memcpy(wire->body + offset, reader.at, part);
	wire->body_bytes += part;
	if (wire->body_bytes < total)
		return WIRE_MORE;
	message->body = wire->body;
	message->body_bytes = total;
	wire->body_delivered = true;
	return WIRE_MESSAGE;
}

enum wire_event wire_message_take(struct wire *wire, const uint8_t *record, size_t length,
				  struct message *message)
{
	if (message_has_body(record[0]))
		return chunk_take(wire, record, length, message);
	if (wire->body != NULL)
		return wire_break(wire, WIRE_FAULT_PROTOCOL, "%s inside the body of %s",
				  message_name(record[0]), message_name(wire->body_type));
	if (message_decode(record, length, wire->version, message) != 0)
		return wire_break(wire, WIRE_FAULT_PROTOCOL,
				  "message %s (type %u, %zu bytes): a field is out of bounds",
				  message_name(record[0]), record[0], length);
	if (message->type == MESSAGE_HELLO)
		return wire_break(wire, WIRE_FAULT_PROTOCOL, "a second HELLO");
	return WIRE_MESSAGE;
}
