/* mover_queue.h - the keys of one dump: those whose turn it is, and those to be tried again later.
 */
#ifndef MCROSTER_MOVER_QUEUE_H
#define MCROSTER_MOVER_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/room.h"
#include "daemon/spool.h"

struct mover_queue {
	struct spool *now, *later;
	uint64_t
	    later_live; /* of those in `later`: their servers were there, a new try makes sense */
	/* Keys whose turn comes by their heat, once all of the dump are known; NULL: none. */
	struct spool *heat[ROOM_HEATS];
	const char *directory;
	uint64_t bytes_max;
};

int mover_queue_init(struct mover_queue *queue, const char *directory, uint64_t bytes_max,
		     struct failure *failure);
void mover_queue_free(struct mover_queue *queue);

void mover_queue_reset(struct mover_queue *queue);
/* `live`: the key's servers are connected, so it may be tried again soon. */
int mover_queue_put_later(struct mover_queue *queue, const struct spool_record *record, bool live);
/* To wait for its turn by heat; errors as spool_append's and spool_new's. */
int mover_queue_put_by_heat(struct mover_queue *queue, const struct spool_record *record);
/* All keys of the dump are known: where `now` is empty the hottest of those that wait have their
 * turn. */
void mover_queue_hottest(struct mover_queue *queue);
/* Those of `later` have their turn now; `now` must be empty. */
void mover_queue_turn(struct mover_queue *queue);

#endif
