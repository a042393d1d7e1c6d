/* mc_chunks.c - see mc_chunks.h. */
#include "net/mc_chunks.h"

#include <stdbool.h>
#include <string.h>

/* Below memcached's 16 KiB. */
#define CHUNK_BYTES (14u << 10)

static size_t get(const char *at)
{
	size_t length;

	memcpy(&length, at, sizeof(length));
	return length;
}

static void put(char *at, size_t length)
{
	memcpy(at, &length, sizeof(length));
}

void mc_chunks_add(struct mc_chunks *chunks, size_t bytes)
{
	struct mc_buffer *lengths = &chunks->lengths;
	const bool any = mc_buffer_length(lengths) > 0;
	char *last = any ? lengths->bytes + lengths->tail - sizeof(size_t) : NULL;
	char *room;

	if (any && get(last) + bytes <= CHUNK_BYTES) {
		put(last, get(last) + bytes);
		return;
	}
	room = mc_buffer_room(lengths, sizeof(size_t));
	if (room != NULL) {
		put(room, bytes);
		lengths->tail += sizeof(size_t);
	} else if (any) {
		put(last,
		    get(last) + bytes); /* at worst it waits in vain, and the time-out ends it */
	}
}

size_t mc_chunks_first(const struct mc_chunks *chunks)
{
	const struct mc_buffer *lengths = &chunks->lengths;

	return mc_buffer_length(lengths) > 0 ? get(lengths->bytes + lengths->head) : 0;
}

void mc_chunks_sent(struct mc_chunks *chunks, size_t bytes)
{
	struct mc_buffer *lengths = &chunks->lengths;
	const size_t first = mc_chunks_first(chunks);

	if (first > bytes)
		put(lengths->bytes + lengths->head, first - bytes);
	else if (first > 0)
		mc_buffer_consume(lengths, sizeof(size_t));
}

void mc_chunks_free(struct mc_chunks *chunks)
{
	mc_buffer_free(&chunks->lengths);
}
