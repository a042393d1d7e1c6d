/* coord_change.c - whether a list may become the next one, and how its change begins. */
#include "core/coord_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int coord_may_offer(const struct coord *coord, const struct list *next, uint64_t now_ms,
		    struct failure *failure)
{
	const struct reg *reg = coord->staged.term != 0 ? &coord->staged : &coord->reg;
	const struct list_agent *ours, *theirs;
	int error;

	if (coord->state == COORD_HALTED)
		return failure_set(failure, EAGAIN, "%s", coord->halted);
	if (coord->state != COORD_LEADING || coord->reg.term < coord->answered_term)
		return failure_set(failure, EAGAIN,
				   "coordinator %s has just started and is hearing the other "
				   "agents' registers",
				   coord->name);
	if (memcmp(next->hash, reg->active, LIST_HASH_BYTES) == 0 ||
	    (reg->next_epoch != 0 && memcmp(next->hash, reg->pending, LIST_HASH_BYTES) == 0))
		return failure_set(failure, EALREADY, "epoch %" PRIu64 " is %s already",
				   next->epoch, next->epoch == reg->epoch ? "active" : "under way");
	if (reg->next_epoch != 0) {
		struct work sum;
		uint64_t all;

		coord_moved(coord, &sum);
		all = sum.moved + sum.present + sum.gone + sum.failed + sum.left;
		return failure_set(failure, EBUSY,
				   "epoch %" PRIu64 " is in %s, %" PRIu64
				   "%% of its keys are dealt with: one change at a time%s",
				   reg->next_epoch, phase_name((enum phase)reg->phase),
				   all == 0 ? 0 : (all - sum.left) * 100 / all,
				   next->epoch == reg->next_epoch
				       ? " (and this is another list of the same epoch)"
				       : "");
	}
	if (next->epoch == reg->epoch)
		return failure_set(failure, ESTALE,
				   "equivocation: another list of epoch %" PRIu64
				   " is active already: sign the next one",
				   next->epoch);
	if (now_ms < coord->blind_ms)
		return failure_set(failure, EAGAIN,
				   "coordinator %s has just started and waits %" PRIu64
				   " ms more for earlier leases to run out",
				   coord->name, coord->blind_ms - now_ms);
	error = list_may_follow(next, coord->active, reg->highest_epoch, failure);
	if (error != 0)
		return error;
	ours = &coord->active->agents[coord->active->coordinator];
	theirs = &next->agents[next->coordinator];
	if (strcmp(ours->name, theirs->name) != 0 || strcmp(ours->address, theirs->address) != 0 ||
	    memcmp(ours->key, theirs->key, LIST_HOST_KEY_BYTES) != 0)
		return failure_set(failure, EINVAL,
				   "coordinator %s %s may not change (to %s %s): this version does "
				   "not hand the register over",
				   ours->name, ours->address, theirs->name, theirs->address);
	return 0;
}

void coord_offer(struct coord *coord, const struct list *next, uint64_t now_ms)
{
	struct reg reg = coord->reg;

	reg.serial++;
	reg.phase = PHASE_PREPARE;
	reg.next_epoch = next->epoch;
	reg.highest_epoch = next->epoch;
	reg.copied = false;
	reg.reason[0] = '\0';
	memcpy(reg.pending, next->hash, LIST_HASH_BYTES);
	coord->change_began_ms = now_ms;
	coord->change_ended_ms = 0;
	for (uint32_t i = 0; i < coord->host_count; i++)
		memset(&coord->host[i].moved, 0, sizeof(coord->host[i].moved));
	coord_stage(coord, &reg);
}
