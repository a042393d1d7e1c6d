/* client_choose.c - what a client does next, and with which key: most often where it hurts. */
#include "sim.h"

static bool key_is_moving(const struct world *world, uint32_t key)
{
	for (uint32_t i = 0; i < MOVERS; i++)
		for (uint32_t k = 0; world->mover[i].used && world->mover[i].open > 0 && k < BATCH;
		     k++)
			if (world->mover[i].slot[k].used && world->mover[i].slot[k].key == key)
				return true;
	return false;
}

enum mcr_op choose_op(struct world *world, uint32_t key)
{
	/* What is left at an owner that was given up shows when it is deleted elsewhere. */
	const uint32_t deletes = world->truth.phase == PHASE_BACK   ? 40
				 : !world->given_up		    ? 0
				 : world->truth.phase > PHASE_DRAIN ? 40
								    : 20;
	static const uint8_t ops[20] = {MCR_OP_GET,    MCR_OP_GET,    MCR_OP_GET,    MCR_OP_GET,
					MCR_OP_GET,    MCR_OP_GET,    MCR_OP_GET,    MCR_OP_GET,
					MCR_OP_DELETE, MCR_OP_SET,    MCR_OP_SET,    MCR_OP_SET,
					MCR_OP_SET,    MCR_OP_UPDATE, MCR_OP_UPDATE, MCR_OP_DELETE,
					MCR_OP_DELETE, MCR_OP_APPEND, MCR_OP_ADD,    MCR_OP_TOUCH};

	/* A write deletes at one of the two owners: what is to be drained is left alone before. */
	if (world->habit != HABIT_MIXED && chance(world, 70))
		return world->truth.phase <= PHASE_COPY && chance(world, 50) ? MCR_OP_SET
		       : world->habit == HABIT_DELETES && world->truth.phase >= PHASE_DRAIN
			   ? MCR_OP_DELETE
			   : MCR_OP_GET;
	/* Who reads while it moves must find it. */
	if (world->truth.phase == PHASE_DRAIN && key_is_moving(world, key) && chance(world, 50))
		return MCR_OP_GET;
	/* And what is left at the old owner of a key that did not get across. */
	if ((world->truth.phase == PHASE_SETTLE || world->truth.phase == PHASE_DRAIN) &&
	    chance(world, 60))
		return chance(world, 60)   ? MCR_OP_UPDATE
		       : chance(world, 75) ? MCR_OP_DELETE
					   : MCR_OP_APPEND;
	if (world->truth.phase == PHASE_AFTER && chance(world, 15))
		return MCR_OP_APPEND;
	return chance(world, deletes) ? MCR_OP_DELETE : (enum mcr_op)ops[pick(world, 20)];
}

/* A key that a mover has in hand just now, or takes next; KEYS: there is none. */
static uint32_t key_under_way(struct world *world)
{
	const uint32_t first = pick(world, MOVERS);

	for (uint32_t i = 0; i < MOVERS; i++) {
		const struct mover *mover = &world->mover[(first + i) % MOVERS];
		const uint32_t from = pick(world, BATCH);

		if (mover->used && from < mover->queued && chance(world, 30))
			return mover->queue[mover->queued - 1 - from].key;
		for (uint32_t k = 0; mover->used && mover->open > 0 && k < BATCH; k++)
			if (mover->slot[(from + k) % BATCH].used)
				return mover->slot[(from + k) % BATCH].key;
	}
	return KEYS;
}

/* A key whose reservation a mover left behind; KEYS: there is none. */
static uint32_t key_left_reserved(const struct world *world)
{
	for (uint32_t k = 0; k < KEYS; k++)
		for (uint32_t s = 0; s < SERVERS; s++)
			if (world->cache[s].item[k].present && world->cache[s].item[k].empty)
				return k;
	return KEYS;
}

/* Often a key that is being moved just now, or one that everybody wants. */
static uint8_t key_any(struct world *world)
{
	const bool over = world->truth.phase == PHASE_AFTER || world->truth.phase == PHASE_PURGE;
	const uint32_t how = pick(world, 100), reserved = over ? key_left_reserved(world) : KEYS;

	if (how < 50 && reserved < KEYS)
		return (uint8_t)reserved;
	if (how < (world->truth.phase == PHASE_DRAIN ? 60 : 35)) {
		const uint32_t key = key_under_way(world);

		if (key < KEYS)
			return (uint8_t)key;
	}
	if (how < 60) /* the latest most often */
		return world
		    ->recent[(world->recent_next - 1 - pick(world, 1 + pick(world, 16))) % 16];
	if (how < 90 && world->truth.next_epoch != 0) {
		const struct layout *layout = lists_of(world, &world->truth);

		for (uint32_t tries = 0; tries < 8; tries++) {
			const uint32_t key = pick(world, KEYS);

			if (layout->old_owner[key] != layout->new_owner[key] &&
			    (!world->given_up ||
			     world->cache[layout->old_owner[key]].item[key].present))
				return (uint8_t)key;
		}
	}
	return (uint8_t)pick(world, KEYS);
}

/* What an owner that was given up still holds is left alone until nobody is to ask there. */
uint8_t choose_key(struct world *world)
{
	const struct layout *layout;

	if (world->truth.term == 0)
		return (uint8_t)pick(world, KEYS);
	layout = lists_of(world, &world->truth);
	for (uint32_t tries = 0; tries < 6; tries++) {
		const uint8_t key = key_any(world);

		if (!world->given_up || world->truth.phase > PHASE_DRAIN ||
		    layout->old_owner[key] == layout->new_owner[key] ||
		    !world->cache[layout->old_owner[key]].tainted)
			return key;
	}
	return (uint8_t)pick(world, KEYS);
}
