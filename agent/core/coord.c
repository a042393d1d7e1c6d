/* coord.c - see coord.h: the coordinator begins, stores a step, and tells it.
 *
 * Pure but for the one allocation in coord_init.
 */
#include "core/coord_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/host.h"

static bool coord_any_given_up(const struct reg *reg)
{
	for (size_t i = 0; i < sizeof(reg->given_up); i++)
		if (reg->given_up[i] != 0)
			return true;
	return false;
}

int coord_init(struct coord *coord, const char *name)
{
	memset(coord, 0, sizeof(*coord));
	(void)snprintf(coord->name, sizeof(coord->name), "%s", name);
	coord->host = calloc(COORD_HOSTS_MAX, sizeof(*coord->host));
	return coord->host != NULL ? 0 : -ENOMEM;
}

void coord_free(struct coord *coord)
{
	free(coord->host);
	memset(coord, 0, sizeof(*coord));
}

void coord_lists(struct coord *coord, const struct list *active, const struct list *pending,
		 const struct change *change)
{
	coord->active = active;
	coord->pending = pending;
	coord->change = change;
	for (uint32_t i = 0; i < coord->host_count; i++)
		coord_host_name(coord, &coord->host[i]);
}

void coord_resume(struct coord *coord, const struct reg *saved, const struct list *active,
		  const struct list *pending, const struct change *change, uint64_t now_ms)
{
	const uint32_t longest_ms = coord_reg_settled(saved) || saved->long_leases
					? change->steady_lease_ms
					: change->lease_ms;

	coord->reg = *saved;
	coord->state = COORD_HEARING;
	coord->host_count = 0; /* what was heard in an earlier term says nothing now */
	coord->leads_ms = coord->shared ? 0 : UINT64_MAX;
	coord->yielding = false;
	coord->failover_term = 0;
	coord->quiet_starts = coord_any_given_up(saved);
	coord->began_ms = now_ms;
	coord->step_ms = now_ms;
	coord->blind_ms = now_ms + coord_longer(longest_ms);
	coord->long_ms = saved->long_leases ? coord->blind_ms : 0;
	coord->change_began_ms = now_ms;
	coord_lists(coord, active, pending, change);
}

void coord_ordered(struct coord *coord, uint64_t term)
{
	coord->failover_term = term;
}

void coord_failover(struct coord *coord, uint64_t term, const struct reg *known,
		    const struct list *active, const struct list *pending,
		    const struct change *change, uint64_t now_ms)
{
	coord_resume(coord, known, active, pending, change, now_ms);
	coord_ordered(coord, term);
	coord->state = COORD_SILENT;
	coord->blind_ms = now_ms + coord_longer(change->steady_lease_ms);
	coord->long_ms = 0;
}

bool coord_wants_lists(const struct coord *coord, const struct reg **reg)
{
	*reg = &coord->reg;
	return coord->state == COORD_SILENT && !host_lists_match(&coord->reg, coord->change);
}

void coord_lead(struct coord *coord, uint64_t until_ms)
{
	coord->leads_ms = until_ms;
}

void coord_stop(struct coord *coord)
{
	coord->state = COORD_IDLE;
	coord->staged.term = 0;
	coord->storing = false;
	coord->tell = false;
	coord->leads_ms = 0;
	coord->failover_term = 0; /* whoever is elected again begins by the order again */
}

void coord_begin(struct coord *coord, const struct list *first, const struct change *change,
		 uint64_t now_ms)
{
	struct reg *reg = &coord->staged;

	memset(reg, 0, sizeof(*reg));
	reg->term = 1;
	reg->serial = 1;
	reg->epoch = first->epoch;
	reg->highest_epoch = first->epoch;
	reg->phase = PHASE_STEADY;
	reg->long_leases = true;
	memcpy(reg->active, first->hash, LIST_HASH_BYTES);
	(void)snprintf(reg->coordinator, sizeof(reg->coordinator), "%s", coord->name);
	/* A shared register that is not there says that the cluster is new; a file that is not
	 * there may have been lost. */
	memset(&coord->reg, 0, sizeof(coord->reg));
	coord->state = coord->shared ? COORD_LEADING : COORD_HEARING;
	coord->host_count = 0;
	coord->leads_ms = coord->shared ? 0 : UINT64_MAX;
	coord->failover_term = 0;
	coord->answered_term = reg->term;
	coord->began_ms = now_ms;
	coord_lists(coord, first, NULL, change);
}

bool coord_beginning(const struct coord *coord)
{
	return coord->state == COORD_HEARING && coord->reg.term == 0;
}

void coord_stage(struct coord *coord, const struct reg *next)
{
	coord->staged = *next;
	coord->store_after_ms = 0;
	coord->asked = false;
}

enum coord_step coord_step(const struct coord *coord, uint64_t term, uint64_t serial)
{
	if (coord->state == COORD_LEADING && coord->staged.term == term &&
	    coord->staged.serial == serial)
		return COORD_STEP_STAGED;
	return coord->reg.term == term && coord->reg.serial >= serial ? COORD_STEP_STANDS
								       : COORD_STEP_LOST;
}

/* What begins and ends with the step that is stored now. */
static void coord_step_taken(struct coord *coord, uint64_t now_ms)
{
	const struct reg *before = &coord->reg, *next = &coord->staged;

	if (before->next_epoch == 0 && next->next_epoch != 0) {
		coord->change_began_ms = now_ms;
		coord->change_ended_ms = 0;
		for (uint32_t i = 0; i < coord->host_count; i++)
			memset(&coord->host[i].moved, 0, sizeof(coord->host[i].moved));
	}
	if (before->next_epoch != 0 && next->next_epoch == 0)
		coord->change_ended_ms = now_ms;
	/* Whom the list itself gives up has no movers to wait for. */
	if (before->next_epoch != 0 && next->next_epoch != 0 &&
	    memcmp(before->given_up, next->given_up, sizeof(next->given_up)) != 0)
		coord->quiet_starts = true;
}

void coord_stored(struct coord *coord, bool ok, uint64_t now_ms)
{
	coord->storing = false;
	if (!ok) {
		coord->store_after_ms = now_ms + COORD_STORE_RETRY_MS;
		if (coord->asked)
			coord->staged.term = 0;
		return;
	}
	coord_step_taken(coord, now_ms);
	coord->reg = coord->staged;
	coord->staged.term = 0;
	coord->step_ms = now_ms;
	coord->tell = true;
	if (coord->reg.handed_over)
		coord->state = COORD_IDLE; /* it is told this last step, and nothing more */
}

bool coord_next(struct coord *coord, uint64_t now_ms, struct coord_action *action)
{
	memset(action, 0, sizeof(*action));
	if (coord->tell) {
		coord->tell = false;
		action->type = COORD_TELL;
		action->reg = &coord->reg;
		return true;
	}
	if (coord->state == COORD_LEADING && coord->staged.term != 0 && !coord->storing &&
	    now_ms >= coord->store_after_ms) {
		coord->storing = true;
		action->type = COORD_STORE;
		action->reg = &coord->staged;
		return true;
	}
	return false;
}
