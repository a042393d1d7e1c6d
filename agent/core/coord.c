/* coord.c - see coord.h.  Pure but for the one allocation in coord_init. */
#include "core/coord.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/host.h"

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

/* A timer that is to outlast a host's runs a tenth longer. */
static uint64_t coord_longer(uint64_t lease_ms)
{
	return lease_ms + lease_ms / 10;
}

static bool coord_reg_settled(const struct reg *reg)
{
	return reg->phase == PHASE_STEADY;
}

static uint32_t coord_lease(const struct coord *coord)
{
	return coord_reg_settled(&coord->reg) ? coord->change->steady_lease_ms
					      : coord->change->lease_ms;
}

/* ---- the hosts on record ---- */

static const struct list_agent *coord_listed(const struct list *list, const uint8_t *key)
{
	if (list == NULL)
		return NULL;
	for (uint32_t i = 0; i < list->agent_count; i++)
		if (memcmp(list->agents[i].key, key, LIST_HOST_KEY_BYTES) == 0)
			return &list->agents[i];
	return NULL;
}

static void coord_host_name(const struct coord *coord, struct coord_host *host)
{
	const struct list_agent *agent = coord_listed(coord->pending, host->key);

	if (agent == NULL)
		agent = coord_listed(coord->active, host->key);
	host->listed = agent != NULL;
	(void)snprintf(host->name, sizeof(host->name), "%s", agent != NULL ? agent->name : "");
}

static struct coord_host *coord_host_find(struct coord *coord, const uint8_t *key)
{
	for (uint32_t i = 0; i < coord->host_count; i++)
		if (memcmp(coord->host[i].key, key, LIST_HOST_KEY_BYTES) == 0)
			return &coord->host[i];
	return NULL;
}

static bool coord_host_holds(const struct coord_host *host, uint64_t now_ms)
{
	return host->lease_ms > now_ms;
}

/* A free record: a new one, or that of an observer whose lease has run out. */
static struct coord_host *coord_host_new(struct coord *coord, const uint8_t *key, uint64_t now_ms)
{
	struct coord_host *host = NULL;
	uint32_t observers = 0;

	for (uint32_t i = 0; i < coord->host_count; i++) {
		if (coord->host[i].listed)
			continue;
		observers++;
		if (host == NULL && !coord_host_holds(&coord->host[i], now_ms))
			host = &coord->host[i];
	}
	if (host == NULL) {
		bool listed = coord_listed(coord->active, key) || coord_listed(coord->pending, key);

		if (coord->host_count == COORD_HOSTS_MAX ||
		    (!listed && observers >= COORD_OBSERVERS_MAX))
			return NULL;
		host = &coord->host[coord->host_count++];
	}
	memset(host, 0, sizeof(*host));
	memcpy(host->key, key, LIST_HOST_KEY_BYTES);
	coord_host_name(coord, host);
	return host;
}

static const struct coord_host *coord_host_named(const struct coord *coord, const char *name)
{
	for (uint32_t i = 0; i < coord->host_count; i++)
		if (coord->host[i].listed && strcmp(coord->host[i].name, name) == 0)
			return &coord->host[i];
	return NULL;
}

static bool coord_adopted(const struct coord *coord, const struct coord_host *host)
{
	return host->term == coord->reg.term && host->serial >= coord->reg.serial;
}

/* ---- beginning ---- */

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
	coord->began_ms = now_ms;
	coord->step_ms = now_ms;
	coord->blind_ms = now_ms + coord_longer(longest_ms);
	coord->long_ms = saved->long_leases ? coord->blind_ms : 0;
	coord->change_began_ms = now_ms;
	coord_lists(coord, active, pending, change);
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
	(void)snprintf(reg->coordinator, sizeof(reg->coordinator), "%s",
		       first->agents[first->coordinator].name);
	coord->state = COORD_LEADING;
	coord->began_ms = now_ms;
	coord_lists(coord, first, NULL, change);
}

/* ---- renewals ---- */

static void coord_halt(struct coord *coord, const struct coord_host *host,
		       const struct renew *renew)
{
	coord->state = COORD_HALTED;
	coord->staged.term = 0;
	(void)snprintf(coord->halted, sizeof(coord->halted),
		       "agent %s holds register %" PRIu64 ".%" PRIu64 ", newer than ours %" PRIu64
		       ".%" PRIu64 ": this register is an old copy; it coordinates no more",
		       host->listed ? host->name : "(observer)", renew->known_term,
		       renew->known_serial, coord->reg.term, coord->reg.serial);
}

static bool coord_majority_heard(const struct coord *coord)
{
	uint32_t heard = 0;

	for (uint32_t i = 0; i < coord->host_count; i++)
		if (coord->host[i].heard && coord_listed(coord->active, coord->host[i].key))
			heard++;
	return heard * 2 > coord->active->agent_count;
}

static void coord_stage(struct coord *coord, const struct reg *next)
{
	coord->staged = *next;
	coord->store_after_ms = 0;
}

static void coord_note(struct coord_host *host, const struct renew *renew, uint64_t now_ms)
{
	const struct work *work = &renew->work;

	host->heard = true;
	host->heard_ms = now_ms;
	host->term = renew->term;
	host->serial = renew->serial;
	host->work = *work;
	if (work->phase == PHASE_COPY || work->phase == PHASE_DRAIN)
		host->moved = *work;
}

bool coord_renew(struct coord *coord, const uint8_t key[LIST_HOST_KEY_BYTES],
		 const struct renew *renew, uint64_t now_ms, struct grant *grant)
{
	struct coord_host *host;
	bool adopted, late;

	if (coord->state != COORD_LEADING && coord->state != COORD_HEARING)
		return false;
	host = coord_host_find(coord, key);
	if (host == NULL)
		host = coord_host_new(coord, key, now_ms);
	if (host == NULL)
		return false;
	if (renew->known_term > coord->reg.term ||
	    (renew->known_term == coord->reg.term && renew->known_serial > coord->reg.serial)) {
		if (coord->reg.term == 0)
			return false;
		coord_halt(coord, host, renew);
		return false;
	}
	coord_note(host, renew, now_ms);
	if (coord->state == COORD_HEARING && coord_majority_heard(coord)) {
		struct reg next = coord->reg;

		next.term++;
		(void)snprintf(next.coordinator, sizeof(next.coordinator), "%s", coord->name);
		next.long_leases = coord_reg_settled(&next) || next.long_leases;
		coord_stage(coord, &next);
		coord->state = COORD_LEADING;
		coord->answered_term = next.term;
	}
	if (coord->state == COORD_HEARING || coord->reg.term < coord->answered_term ||
	    coord->reg.term == 0)
		return false; /* the new term is not on disk yet */

	memset(grant, 0, sizeof(*grant));
	grant->sequence = renew->sequence;
	grant->reg = coord->reg;
	adopted = coord_adopted(coord, host);
	late = !adopted && now_ms > coord->step_ms + COORD_ADOPT_LIMIT_MS;
	if ((coord_host_holds(host, now_ms) && !late) || adopted) {
		const uint64_t end_ms = now_ms + coord_lease(coord);

		grant->lease_ms = coord_lease(coord);
		if (host->lease_ms < end_ms)
			host->lease_ms = end_ms;
		if (coord_reg_settled(&coord->reg) && coord->long_ms < end_ms)
			coord->long_ms = end_ms;
	}
	return true;
}

/* ---- a change ---- */

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
				   "agents' registers: try again in a moment",
				   coord->name);
	if (memcmp(next->hash, reg->active, LIST_HASH_BYTES) == 0 ||
	    (reg->next_epoch != 0 && memcmp(next->hash, reg->pending, LIST_HASH_BYTES) == 0))
		return failure_set(failure, EALREADY, "epoch %" PRIu64 " is %s already",
				   next->epoch, next->epoch == reg->epoch ? "active" : "under way");
	if (next->epoch == reg->epoch || (reg->next_epoch != 0 && next->epoch == reg->next_epoch))
		return failure_set(failure, ESTALE,
				   "equivocation: another list of epoch %" PRIu64
				   " is known already: sign the next one",
				   next->epoch);
	if (reg->next_epoch != 0) {
		struct work sum;
		uint64_t all;

		coord_moved(coord, &sum);
		all = sum.moved + sum.present + sum.gone + sum.failed + sum.left;
		return failure_set(failure, EBUSY,
				   "busy: epoch %" PRIu64 " is in %s, %" PRIu64
				   "%% of its keys are dealt with: one change at a time",
				   reg->next_epoch, phase_name((enum phase)reg->phase),
				   all == 0 ? 0 : (all - sum.left) * 100 / all);
	}
	if (now_ms < coord->blind_ms)
		return failure_set(failure, EAGAIN,
				   "coordinator %s has just started and waits %" PRIu64
				   " ms more for earlier leases to run out: try again then",
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

/* ---- the barrier ---- */

static bool coord_work_of(const struct coord *coord, const struct coord_host *host,
			  enum work_state state)
{
	return host != NULL && host->work.phase == coord->reg.phase &&
	       host->work.state == (uint8_t)state &&
	       memcmp(host->work.pending, coord->reg.pending, LIST_HASH_BYTES) == 0;
}

/* A server whose agent's work is expected in this phase and not done; or -1. */
static int coord_work_missing(const struct coord *coord)
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
static const char *coord_agent_missing(const struct coord *coord)
{
	const char *name;

	if (coord->reg.phase != PHASE_PREPARE)
		return NULL;
	name = coord_list_missing(coord, coord->active);
	return name != NULL ? name : coord_list_missing(coord, coord->pending);
}

static const struct coord_host *coord_lease_missing(const struct coord *coord, uint64_t now_ms)
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

void coord_stored(struct coord *coord, bool ok, uint64_t now_ms)
{
	coord->storing = false;
	if (!ok) {
		coord->store_after_ms = now_ms + COORD_STORE_RETRY_MS;
		return;
	}
	if (coord->reg.next_epoch != 0 && coord->staged.next_epoch == 0)
		coord->change_ended_ms = now_ms;
	coord->reg = coord->staged;
	coord->staged.term = 0;
	coord->step_ms = now_ms;
	coord->tell = true;
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

/* ---- what is shown ---- */

void coord_moved(const struct coord *coord, struct work *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (uint32_t i = 0; i < coord->host_count; i++) {
		const struct work *moved = &coord->host[i].moved;

		sum->found += moved->found;
		sum->moved += moved->moved;
		sum->present += moved->present;
		sum->gone += moved->gone;
		sum->failed += moved->failed;
		if (coord->reg.next_epoch != 0 && moved->phase == coord->reg.phase) {
			sum->left += moved->left;
			sum->rate += moved->rate;
		}
	}
}

void coord_waits_for(const struct coord *coord, uint64_t now_ms, char *text, size_t bytes)
{
	const struct coord_host *host;
	const char *name;
	int server;

	text[0] = '\0';
	if (coord->state == COORD_HALTED)
		(void)snprintf(text, bytes, "%s", coord->halted);
	else if (coord->state == COORD_HEARING)
		(void)snprintf(text, bytes, "a majority of the listed agents to show its register");
	if (coord->state != COORD_LEADING || coord_reg_settled(&coord->reg))
		return;
	if (now_ms < coord->blind_ms)
		(void)snprintf(text, bytes,
			       "leases granted before the coordinator's start, %" PRIu64 " ms more",
			       coord->blind_ms - now_ms);
	else if ((name = coord_agent_missing(coord)) != NULL)
		(void)snprintf(text, bytes, "agent %s to adopt %s", name,
			       phase_name((enum phase)coord->reg.phase));
	else if ((host = coord_lease_missing(coord, now_ms)) != NULL)
		(void)snprintf(text, bytes, "%s to adopt %s, or its lease to end in %" PRIu64 " ms",
			       host->listed ? host->name : "an observer",
			       phase_name((enum phase)coord->reg.phase), host->lease_ms - now_ms);
	else if ((server = coord_work_missing(coord)) >= 0) {
		host =
		    coord_host_named(coord, change_server_agent(coord->change, (uint32_t)server));
		(void)snprintf(text, bytes, "%s, server %s%s%.200s",
			       change_server_agent(coord->change, (uint32_t)server),
			       coord->change->servers[server].name,
			       host != NULL && host->work.reason[0] != '\0' ? ": " : "",
			       host != NULL ? host->work.reason : "");
	}
}
