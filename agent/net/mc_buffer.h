/* mc_buffer.h - a growing byte queue: bytes go in at the tail and are taken from the head.
 *
 * What is in it always lies in one piece, so replies are parsed and values borrowed in place.
 */
#ifndef MCROSTER_MC_BUFFER_H
#define MCROSTER_MC_BUFFER_H

#include <stddef.h>

struct mc_buffer {
	char *bytes;
	size_t head, tail, capacity;
};

/* Makes room for `room` bytes after the tail and returns it; NULL without memory. */
char *mc_buffer_room(struct mc_buffer *buffer, size_t room);
/* Drops `count` bytes from the head; an empty buffer that once held something huge gives it back.
 */
void mc_buffer_consume(struct mc_buffer *buffer, size_t count);
void mc_buffer_free(struct mc_buffer *buffer);

static inline size_t mc_buffer_length(const struct mc_buffer *buffer)
{
	return buffer->tail - buffer->head;
}

#endif
