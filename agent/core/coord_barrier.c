/* coord_barrier.c - when a phase is complete, and which one comes next.
 *
 * The order of phases and what each waits for are the model's (tests/model/move.pml, lease.pml).
 */
#include "core/coord_internal.h"

#include <stdio.h>
#include <string.h>

static bool coord_work_of(const struct coord *coord, const struct coord_host *host,
			  enum work_state state)
{
	return host != NULL && host->work.phase == coord->reg.phase &&
	       host->work.state == (uint8_t)state &&
	       memcmp(host->work.pending, coord->reg.pending, LIST_HASH_BYTES) == 0;
}

/* A server whose agent's work is expected in this phase and not done; or -1. */
int coord_work_missing(const struct coord *coord)
{
	const enum phase phase = (enum phase)coord->reg.phase;
	const struct change *change = coord->change;

	for (uint32_t i = 0; i < change->server_count; i++) {
		const struct change_server *server = &change->servers[i];

		if (!(server->gained > 0 && phase_works_gaining(phase)) &&
		    !(server->lost > 0 && phase_works_losing(phase)))
			continue;
		if (!coord_work_of(coord, coord_host_named(coord, change_server_agent(change, i)),
				   WORK_DONE))
			return (int)i;
	}
	return -1;
}

static const char *coord_list_missing(const struct coord *coord, const struct list *list)
{
	for (uint32_t i = 0; list != NULL && i < list->agent_count; i++) {
		const struct coord_host *host = coord_host_named(coord, list->agents[i].name);

		if (host == NULL || !coord_adopted(coord, host))
			return list->agents[i].name;
	}
	return NULL;
}

/* PREPARE needs every listed agent; what comes later waits a lease for anybody. */
const char *coord_agent_missing(const struct coord *coord)
{
	const char *name;

	if (coord->reg.phase != PHASE_PREPARE)
		return NULL;
	name = coord_list_missing(coord, coord->active);
	return name != NULL ? name : coord_list_missing(coord, coord->pending);
}

const struct coord_host *coord_lease_missing(const struct coord *coord, uint64_t now_ms)
{
	for (uint32_t i = 0; i < coord->host_count; i++)
		if (coord_host_holds(&coord->host[i], now_ms) &&
		    !coord_adopted(coord, &coord->host[i]))
			return &coord->host[i];
	return NULL;
}

static const struct coord_host *coord_refusal(const struct coord *coord)
{
	if (coord->reg.phase != PHASE_PREPARE)
		return NULL;
	for (uint32_t i = 0; i < coord->host_count; i++)
		if (coord->host[i].listed && coord_work_of(coord, &coord->host[i], WORK_REFUSED))
			return &coord->host[i];
	return NULL;
}

static bool coord_barrier(const struct coord *coord, uint64_t now_ms)
{
	return now_ms >= coord->blind_ms && coord_agent_missing(coord) == NULL &&
	       coord_lease_missing(coord, now_ms) == NULL;
}

static void coord_settle(struct reg *reg, bool forward)
{
	if (forward) {
		reg->epoch = reg->next_epoch;
		memcpy(reg->active, reg->pending, LIST_HASH_BYTES);
	}
	reg->next_epoch = 0;
	memset(reg->pending, 0, LIST_HASH_BYTES);
	reg->phase = PHASE_STEADY;
	reg->copied = false;
	reg->long_leases = true;
}

void coord_tick(struct coord *coord, uint64_t now_ms)
{
	struct reg next = coord->reg;
	const struct coord_host *refusal;

	if (coord->state != COORD_LEADING || coord->staged.term != 0 ||
	    coord_reg_settled(&coord->reg) || coord->reg.term == 0)
		return;
	next.serial++;
	next.long_leases = coord->long_ms > now_ms;
	refusal = coord_refusal(coord);
	if (refusal != NULL && now_ms >= coord->blind_ms &&
	    coord_lease_missing(coord, now_ms) == NULL) {
		next.phase = PHASE_UNWIND;
		(void)snprintf(next.reason, sizeof(next.reason), "%.*s",
			       (int)sizeof(next.reason) - 1, refusal->work.reason);
		coord_stage(coord, &next);
		return;
	}
	if (!coord_barrier(coord, now_ms) || coord_work_missing(coord) >= 0)
		return;
	switch ((enum phase)coord->reg.phase) {
	case PHASE_PREPARE:
		next.phase = PHASE_COPY;
		next.copied = true;
		break;
	case PHASE_COPY:
		next.phase = PHASE_SWITCH;
		break;
	case PHASE_SWITCH:
		next.phase = PHASE_SETTLE;
		break;
	case PHASE_SETTLE:
		next.phase = PHASE_DRAIN;
		break;
	case PHASE_DRAIN:
	case PHASE_GIVEUP:
		next.phase = PHASE_AFTER;
		break;
	case PHASE_AFTER:
		next.phase = PHASE_PURGE;
		break;
	case PHASE_PURGE:
		coord_settle(&next, true);
		break;
	case PHASE_UNWIND:
		next.phase = PHASE_BACK;
		break;
	case PHASE_BACK:
		if (next.copied)
			next.phase = PHASE_CLEAN;
		else
			coord_settle(&next, false);
		break;
	case PHASE_CLEAN:
		coord_settle(&next, false);
		break;
	case PHASE_STEADY:
	case PHASE_COUNT:
		return;
	}
	coord_stage(coord, &next);
}
