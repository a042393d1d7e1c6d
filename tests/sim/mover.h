/* mover.h - what the mover's files share. */
#ifndef MCROSTER_SIM_MOVER_H
#define MCROSTER_SIM_MOVER_H

#include "sim.h"

#define PAUSE_SHORT_US (20u * MS)
#define PAUSE_LONG_US  (250u * MS)
#define NO_SLOT	       0xffffu /* of a command: it is no key's */

enum busy { BUSY_PROBED, BUSY_MARK_LATE, BUSY_SAVED, BUSY_DUMP_HALF, BUSY_DUMP_WHOLE };

/* ---- mover_connection.c ---- */
uint32_t mover_number(const struct world *world, const struct mover *mover);
uint64_t mover_ns(const struct world *world, const struct mover *mover);
void mover_wake(struct world *world, struct mover *mover, uint64_t after_us);
bool mover_reaches(const struct world *world, const struct mover *mover, uint32_t server);
void mover_dial(struct world *world, struct mover *mover, uint32_t server, uint64_t after_us);
/* Hangs up: whatever was asked is lost. */
void mover_hang_up(struct world *world, struct mover *mover, uint32_t server);

/* ---- mover_dump.c ---- */
void mover_busy_until(struct world *world, struct mover *mover, uint64_t after_us, uint32_t what);
void mover_step_probe(struct world *world, struct mover *mover);
void mover_step_mark(struct world *world, struct mover *mover);
void mover_mark_saved(struct world *world, struct mover *mover);
void mover_dump_begin(struct world *world, struct mover *mover);
void mover_dump_part(struct world *world, struct mover *mover, bool last);

/* ---- mover_keys.c ---- */
void mover_step_keys(struct world *world, struct mover *mover);
void mover_key_lost(struct world *world, struct mover *mover, struct mover_key *slot);

#endif
