/* mover_queue.c - see mover_queue.h. */
#include "daemon/mover_queue.h"

int mover_queue_init(struct mover_queue *queue, const char *directory, uint64_t bytes_max,
		     struct failure *failure)
{
	int error = spool_new(directory, bytes_max, &queue->now, failure);

	if (error < 0)
		return error;
	/* Every key of `now` may come back, so `later` must hold as many. */
	error = spool_new(directory, bytes_max, &queue->later, failure);
	if (error < 0) {
		spool_free(queue->now);
		queue->now = NULL;
	}
	queue->later_live = 0;
	queue->directory = directory;
	queue->bytes_max = bytes_max;
	return error;
}

static void heats_free(struct mover_queue *queue)
{
	for (unsigned i = 0; i < ROOM_HEATS; i++) {
		spool_free(queue->heat[i]);
		queue->heat[i] = NULL;
	}
}

void mover_queue_free(struct mover_queue *queue)
{
	spool_free(queue->now);
	spool_free(queue->later);
	heats_free(queue);
	*queue = (struct mover_queue){0};
}

void mover_queue_reset(struct mover_queue *queue)
{
	spool_reset(queue->now);
	spool_reset(queue->later);
	heats_free(queue);
	queue->later_live = 0;
}

int mover_queue_put_later(struct mover_queue *queue, const struct spool_record *record, bool live)
{
	int error = spool_append(queue->later, record);

	if (error == 0 && live)
		queue->later_live++;
	return error;
}

int mover_queue_put_by_heat(struct mover_queue *queue, const struct spool_record *record)
{
	struct spool **heat = &queue->heat[room_heat(record->idle_s)];
	struct failure failure;

	if (*heat == NULL) {
		int error = spool_new(queue->directory, queue->bytes_max, heat, &failure);

		if (error < 0)
			return error;
	}
	return spool_append(*heat, record);
}

void mover_queue_hottest(struct mover_queue *queue)
{
	for (unsigned i = 0; i < ROOM_HEATS && spool_count(queue->now) == 0; i++) {
		if (queue->heat[i] == NULL)
			continue;
		spool_free(queue->now);
		queue->now = queue->heat[i];
		queue->heat[i] = NULL;
	}
}

void mover_queue_turn(struct mover_queue *queue)
{
	struct spool *emptied = queue->now;

	queue->now = queue->later;
	queue->later = emptied;
	spool_reset(emptied);
	queue->later_live = 0;
}
