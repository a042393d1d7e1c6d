/* mc_queue.h - the commands under way on a connection, in the order of their answers.
 *
 * A ring of pairs.  Quiet commands are answered only when they fail; what names them then is the
 * number that each entry has, in the order of its coming, modulo 2^32.
 */
#ifndef MCROSTER_MC_QUEUE_H
#define MCROSTER_MC_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mc_queued {
	MC_QUEUED_ONE,	 /* one reply */
	MC_QUEUED_LINES, /* many lines, then one reply */
	MC_QUEUED_QUIET, /* a reply only if it failed */
	MC_QUEUED_FENCE, /* mn, of the connection's own: the quiet ones before it are through */
};

struct mc_outstanding {
	void *command;
	enum mc_queued kind;
};

struct mc_queue {
	struct mc_outstanding *entries; /* capacity is a power of two */
	size_t capacity, head, count;
	size_t answers; /* of them those that are answered whatever happens: not the quiet ones */
	uint32_t first; /* number of the entry at the head */
};

bool mc_queue_put(struct mc_queue *queue, void *command, enum mc_queued kind); /* no memory */
struct mc_outstanding mc_queue_take(struct mc_queue *queue);		       /* it is not empty */
void mc_queue_free(struct mc_queue *queue);

/* The one that is `behind` entries after the head; behind < count. */
static inline const struct mc_outstanding *mc_queue_at(const struct mc_queue *queue, size_t behind)
{
	return queue->entries + ((queue->head + behind) & (queue->capacity - 1));
}

/* The number of the next to come. */
static inline uint32_t mc_queue_next(const struct mc_queue *queue)
{
	return queue->first + (uint32_t)queue->count;
}

#endif
