/* mover_rooms.h - the memory of the servers that a mover's keys go to, and what follows from it.
 *
 * Each of them is asked before a dump and, while keys go there, again after every small part of its
 * memory; core/room.h judges.  Only COPY and DRAIN have rooms.
 */
#ifndef MCROSTER_MOVER_ROOMS_H
#define MCROSTER_MOVER_ROOMS_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/spool.h"
#include "list/change.h"

struct mover;
struct mover_rooms;

/* NULL: no memory. */
struct mover_rooms *mover_rooms_new(struct mover *mover);
void mover_rooms_free(struct mover_rooms *rooms); /* NULL is fine; nothing asked is answered then */

/* Asks whoever is there and has not said it since the last walk; true when all have. */
bool mover_rooms_ready(struct mover_rooms *rooms);
/* A dump begins: who may not hold what is to come? */
void mover_rooms_walk(struct mover_rooms *rooms);
void mover_rooms_refresh(struct mover_rooms *rooms);

/* A key of the dump: must it wait for hotter ones? */
bool mover_rooms_by_heat(struct mover_rooms *rooms, const struct spool_record *record);
/* Is it left out, as a key that would push out hotter ones? */
bool mover_rooms_leaves_out(const struct mover_rooms *rooms, const struct spool_record *record);
/* It is begun; it has ended, moved there or not. */
void mover_rooms_took(struct mover_rooms *rooms, const struct spool_record *record);
void mover_rooms_ended(struct mover_rooms *rooms, const struct spool_record *record, bool moved);
/* The first server that has no room left; -1: none. */
int mover_rooms_full(const struct mover_rooms *rooms);

#endif
