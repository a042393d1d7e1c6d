/* coord_barrier.c - when a phase is complete, and which one comes next.
 *
 * The order of phases and what each waits for are the model's (tests/model/move.pml, lease.pml).
 */
#include "core/coord_internal.h"

#include <stdio.h>
#include <string.h>

#include "core/host.h"

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

		if (register_set_has(coord->reg.given_up, i))
			continue;
		if (!(server->gained > 0 &&
		      phase_works_gaining(phase, change->unaware_poll_ms > 0)) &&
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

		if ((host == NULL || !coord_adopted(coord, host)) &&
		    !coord_agent_excused(coord, list->agents[i].name))
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

const struct list_agent *coord_successor(const struct coord *coord)
{
	const struct list *list = coord->pending != NULL ? coord->pending : coord->active;
	const struct list_agent *next = &list->agents[list->coordinator];

	return coord->shared || strcmp(next->name, coord->name) == 0 ||
		       strcmp(next->name, coord->replaced) == 0
		   ? NULL
		   : next;
}

const struct coord_host *coord_successor_missing(const struct coord *coord, uint64_t now_ms)
{
	if (coord->reg.phase != PHASE_PREPARE || coord_successor(coord) == NULL)
		return NULL;
	for (uint32_t i = 0; i < coord->host_count; i++)
		if (coord_host_holds(&coord->host[i], now_ms) && !coord->host[i].successor)
			return &coord->host[i];
	return NULL;
}

const struct list_agent *coord_successor_away(const struct coord *coord)
{
	const struct list_agent *next = coord_successor(coord);
	const struct coord_host *host;

	if (coord->reg.phase != PHASE_PREPARE || next == NULL)
		return NULL;
	host = coord_host_named(coord, next->name);
	return host != NULL && host->term == coord->reg.term ? NULL : next;
}

/* Every lease on record belongs to a host that has adopted, and no other can be running. */
static bool coord_leases_adopted(const struct coord *coord, uint64_t now_ms)
{
	return now_ms >= coord->blind_ms && coord_lease_missing(coord, now_ms) == NULL;
}

/* Reservations of a server that was given up must have expired before its phase ends: nobody is
 * left to resolve them. */
static bool coord_quiet(struct coord *coord, uint64_t now_ms)
{
	const bool movers = coord->reg.phase == PHASE_COPY || coord->reg.phase == PHASE_DRAIN;

	if (coord->quiet_starts) {
		coord->quiet_starts = false;
		coord->quiet_ms = now_ms + COORD_STUBS_GONE_MS + coord->change->op_timeout_ms;
	}
	return !movers || now_ms >= coord->quiet_ms;
}

/* Clients that know nothing of phases use the list that they took last.  Until each of them has
 * looked again, and what it had under way has ended, they write to the old owner: SWITCH is held
 * that long from when the last host has adopted it, for that may be the one they ask. */
static bool coord_polled(struct coord *coord, uint64_t now_ms)
{
	const struct change *change = coord->change;

	if (coord->reg.phase != PHASE_SWITCH || change->unaware_poll_ms == 0 ||
	    change->moved == 0) {
		coord->polled_ms = 0;
		return true;
	}
	if (coord->polled_ms == 0 || coord->polled_term != coord->reg.term) {
		coord->polled_term = coord->reg.term;
		coord->polled_ms = now_ms + change->unaware_poll_ms + change->op_timeout_ms;
	}
	return now_ms >= coord->polled_ms;
}

static bool coord_source_given_up(const struct coord *coord)
{
	for (uint32_t i = 0; i < coord->change->server_count; i++)
		if (coord->change->servers[i].lost > 0 && register_set_has(coord->reg.given_up, i))
			return true;
	return false;
}

/* Settled under a list that names another coordinator: once that one says it is ready, nothing is
 * granted here any more, and the word is written. */
static void coord_hand_over(struct coord *coord, uint64_t now_ms)
{
	const struct list_agent *successor = coord_successor(coord);
	const struct coord_host *host =
	    successor != NULL ? coord_host_named(coord, successor->name) : NULL;
	struct reg next = coord->reg;

	if (host == NULL || !host->ready || !coord_adopted(coord, host) ||
	    !coord_leases_adopted(coord, now_ms) ||
	    now_ms > host->heard_ms + coord->change->lease_ms)
		return;
	coord->yielding = true;
	next.serial++;
	next.handed_over = true;
	(void)snprintf(next.coordinator, sizeof(next.coordinator), "%s", successor->name);
	coord_stage(coord, &next);
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
	reg->aborting = false;
	memset(reg->given_up, 0, sizeof(reg->given_up));
	memset(reg->excused, 0, sizeof(reg->excused));
	reg->long_leases = true;
}

/* A change that is refused by a host, or aborted by an order, is undone. */
static bool coord_undo(struct coord *coord, struct reg *next, uint64_t now_ms)
{
	const struct coord_host *refusal = coord_refusal(coord);
	const bool abort = coord->reg.aborting &&
			   (coord->reg.phase == PHASE_PREPARE || coord->reg.phase == PHASE_COPY);

	if ((refusal == NULL && !abort) || !coord_leases_adopted(coord, now_ms))
		return false;
	next->phase = PHASE_UNWIND;
	(void)snprintf(next->reason, sizeof(next->reason), "%.*s", (int)sizeof(next->reason) - 1,
		       abort ? "aborted by a signed order" : refusal->work.reason);
	coord_stage(coord, next);
	return true;
}

void coord_tick(struct coord *coord, uint64_t now_ms)
{
	struct reg next = coord->reg;

	if (coord->state == COORD_SILENT && now_ms >= coord->blind_ms &&
	    host_lists_match(&coord->reg, coord->change))
		coord->state = COORD_HEARING;
	/* A shared register is exact, but after a failover: then a majority's are heard first. */
	if (coord->state == COORD_HEARING && coord->shared && coord->failover_term == 0 &&
	    now_ms < coord->leads_ms)
		coord_next_term(coord);
	if (coord->state != COORD_LEADING || coord->staged.term != 0 || coord->reg.term == 0 ||
	    now_ms >= coord->leads_ms)
		return;
	if (coord_reg_settled(&coord->reg)) {
		coord_hand_over(coord, now_ms);
		return;
	}
	next.serial++;
	next.long_leases = coord->long_ms > now_ms;
	if (coord_undo(coord, &next, now_ms))
		return;
	if (!coord_leases_adopted(coord, now_ms) || coord_agent_missing(coord) != NULL ||
	    coord_successor_missing(coord, now_ms) != NULL || coord_successor_away(coord) != NULL ||
	    !coord_quiet(coord, now_ms) || !coord_polled(coord, now_ms) ||
	    coord_work_missing(coord) >= 0)
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
		next.phase = coord_source_given_up(coord) ? PHASE_GIVEUP : PHASE_AFTER;
		break;
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
