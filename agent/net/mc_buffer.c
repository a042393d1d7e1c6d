/* mc_buffer.c - see mc_buffer.h. */
#include "net/mc_buffer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_MIN  (64u << 10)
#define BUFFER_KEPT (4u << 20)

char *mc_buffer_room(struct mc_buffer *buffer, size_t room)
{
	size_t length = mc_buffer_length(buffer), capacity = buffer->capacity;
	char *bytes;

	if (buffer->capacity - buffer->tail >= room)
		return buffer->bytes + buffer->tail;
	/* Moving down is worth it when the head has passed half; else the same bytes would be
	 * moved again and again. */
	if (length <= buffer->head && buffer->capacity - length >= room) {
		memcpy(buffer->bytes, buffer->bytes + buffer->head, length);
		buffer->head = 0;
		buffer->tail = length;
		return buffer->bytes + length;
	}
	if (capacity < BUFFER_MIN)
		capacity = BUFFER_MIN;
	while (capacity - length < room) {
		if (capacity > SIZE_MAX / 2)
			return NULL;
		capacity *= 2;
	}
	bytes = malloc(capacity);
	if (bytes == NULL)
		return NULL;
	if (length > 0)
		memcpy(bytes, buffer->bytes + buffer->head, length);
	free(buffer->bytes);
	*buffer = (struct mc_buffer){.bytes = bytes, .tail = length, .capacity = capacity};
	return bytes + length;
}

void mc_buffer_consume(struct mc_buffer *buffer, size_t count)
{
	buffer->head += count;
	if (buffer->head < buffer->tail)
		return;
	buffer->head = buffer->tail = 0;
	if (buffer->capacity > BUFFER_KEPT)
		mc_buffer_free(buffer);
}

void mc_buffer_free(struct mc_buffer *buffer)
{
	free(buffer->bytes);
	*buffer = (struct mc_buffer){0};
}
