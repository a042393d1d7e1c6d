/* mc_queue.c - see mc_queue.h. */
#include "net/mc_queue.h"

#include <stdlib.h>

#include "net/soon.h"

#define CAPACITY_MIN 1024u
/* Of a command its owner reads about so much when it is answered. */
#define COMMAND_BYTES 192u

static bool grow(struct mc_queue *queue)
{
	size_t capacity = queue->capacity > 0 ? queue->capacity * 2 : CAPACITY_MIN;
	struct mc_outstanding *entries = calloc(capacity, sizeof(*entries));

	if (entries == NULL)
		return false;
	for (size_t i = 0; i < queue->count; i++)
		entries[i] = *mc_queue_at(queue, i);
	free(queue->entries);
	queue->entries = entries;
	queue->capacity = capacity;
	queue->head = 0;
	return true;
}

bool mc_queue_put(struct mc_queue *queue, void *command, enum mc_queued kind)
{
	if (queue->count == queue->capacity && !grow(queue))
		return false;
	queue->entries[(queue->head + queue->count++) & (queue->capacity - 1)] =
	    (struct mc_outstanding){.command = command, .kind = kind};
	queue->answers += kind != MC_QUEUED_QUIET;
	return true;
}

struct mc_outstanding mc_queue_take(struct mc_queue *queue)
{
	struct mc_outstanding taken = *mc_queue_at(queue, 0);

	/* Past the last entry this is an old one, or NULL: nothing is read from there. */
	soon(mc_queue_at(queue, SOON_AHEAD)->command, COMMAND_BYTES);
	queue->head = (queue->head + 1) & (queue->capacity - 1);
	queue->count--;
	queue->first++;
	queue->answers -= taken.kind != MC_QUEUED_QUIET;
	return taken;
}

void mc_queue_free(struct mc_queue *queue)
{
	free(queue->entries);
	*queue = (struct mc_queue){0};
}
