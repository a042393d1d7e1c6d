/* host.c - see host.h.  Pure: no I/O, no clock, no allocation. */
#include "core/host.h"

#include <errno.h>
#include <string.h>

#include "core/fields.h"

static bool reg_same(const struct reg *a, const struct reg *b)
{
	return register_compare(a, b) == 0;
}

/* The same work: the same phase of the same change with the same servers given up, perhaps under
 * another coordinator. */
static bool reg_same_step(const struct reg *a, const struct reg *b)
{
	return a->phase == b->phase && memcmp(a->pending, b->pending, LIST_HASH_BYTES) == 0 &&
	       memcmp(a->given_up, b->given_up, sizeof(a->given_up)) == 0;
}

static bool reg_present(const struct reg *reg)
{
	return reg->term != 0;
}

bool host_lists_match(const struct reg *reg, const struct change *change)
{
	if (change == NULL || memcmp(reg->active, change->old_hash, LIST_HASH_BYTES) != 0)
		return false;
	if (reg->next_epoch == 0)
		return change->new_epoch == 0;
	return change->new_epoch != 0 &&
	       memcmp(reg->pending, change->new_hash, LIST_HASH_BYTES) == 0;
}

bool host_server_works(const struct change *change, uint32_t index, const char *agent,
		       const struct reg *reg)
{
	const struct change_server *server = &change->servers[index];
	const enum phase phase = (enum phase)reg->phase;

	return !register_set_has(reg->given_up, index) &&
	       ((server->gained > 0 && phase_works_gaining(phase, change->unaware_poll_ms > 0)) ||
		(server->lost > 0 && phase_works_losing(phase))) &&
	       strcmp(change_server_agent(change, index), agent) == 0;
}

static bool host_agent_works(const struct change *change, const char *agent, const struct reg *reg)
{
	for (uint32_t i = 0; i < change->server_count; i++)
		if (host_server_works(change, i, agent, reg))
			return true;
	return false;
}

static uint32_t host_op_timeout(const struct host *host)
{
	return host->change != NULL ? host->change->op_timeout_ms : 0;
}

/* How often to renew: a sixth of the lease that the phase calls for. */
static uint64_t host_interval(const struct host *host)
{
	uint32_t lease_ms = 1000;

	if (host->change != NULL) {
		bool settled = reg_present(&host->adopted) &&
			       reg_same(&host->adopted, &host->known) &&
			       host->known.phase == PHASE_STEADY && host->usable_ms != 0;
		lease_ms = settled ? host->change->steady_lease_ms : host->change->lease_ms;
	}
	return lease_ms / 6 > 0 ? lease_ms / 6 : 1;
}

void host_start(struct host *host, const char *name, uint64_t incarnation, uint32_t boot_wait_ms,
		const struct host_state *saved, bool segment_published, uint64_t now_ms)
{
	memset(host, 0, sizeof(*host));
	(void)strncpy(host->name, name, LIST_NAME_MAX);
	host->incarnation = incarnation;
	/* A grant for the agent that was here before must not match a request of this one. */
	host->sequence = incarnation;
	host->boot_wait_ms = boot_wait_ms;
	host->segment_fresh = !segment_published;
	host->inherited = segment_published;
	host->started_ms = now_ms;
	host->last_tick_ms = now_ms;
	host->renew_now = true;
	if (saved != NULL) {
		host->state = *saved;
		host->known = saved->reg;
		host->stored = saved->reg;
		host->moved = saved->moved;
		host->lost = saved->started & (uint16_t)~saved->done;
	}
}

void host_lists(struct host *host, const struct change *change, uint64_t now_ms)
{
	(void)now_ms;
	if (host->change == NULL && change != NULL)
		host->adopt_after_ms =
		    host->started_ms + change->op_timeout_ms + HOST_RESTART_EXTRA_MS;
	host->change = change;
}

void host_register(struct host *host, const struct reg *reg, uint64_t now_ms)
{
	host->heard = true;
	if (register_compare(reg, &host->known) <= 0)
		return;
	host->known = *reg;
	host->fetch_after_ms = now_ms;
	host->publish_after_ms = now_ms;
}

/* A grant counts once its register is published, and only in the term that the host is in. */
static void host_grant_settle(struct host *host)
{
	if (!host->grant.waiting || !reg_present(&host->published))
		return;
	if (host->grant.term != host->published.term) {
		if (host->grant.term < host->published.term)
			host->grant.waiting = false;
		return;
	}
	if (host->grant.serial > host->published.serial)
		return;
	if (host->grant.sent_ms > host->granted_ms)
		host->granted_ms = host->grant.sent_ms;
	if (host->grant.deadline_ms > host->lease_ms)
		host->lease_ms = host->grant.deadline_ms;
	if (host->grant.usable_ms > host->usable_ms)
		host->usable_ms = host->grant.usable_ms;
	host->grant.waiting = false;
}

void host_grant(struct host *host, const struct grant *grant, uint64_t now_ms)
{
	uint64_t sent_ms, early_ms;
	const uint64_t slot = grant->sequence % HOST_REQUESTS;

	host_register(host, &grant->reg, now_ms);
	if (grant->sequence == 0 || host->request[slot].sequence != grant->sequence)
		return;
	if (!host->answered)
		host->publish_after_ms = now_ms;
	host->answered = true;
	if (grant->lease_ms == 0)
		return;
	sent_ms = host->request[slot].sent_ms;
	host->request[slot].sequence = 0;
	if (sent_ms + grant->lease_ms <= now_ms)
		return;
	early_ms = (uint64_t)grant->lease_ms / 10 + host_op_timeout(host);
	host->grant.waiting = true;
	host->grant.term = grant->reg.term;
	host->grant.serial = grant->reg.serial;
	host->grant.sent_ms = sent_ms;
	host->grant.deadline_ms = sent_ms + grant->lease_ms;
	host->grant.usable_ms =
	    grant->lease_ms > early_ms ? host->grant.deadline_ms - early_ms : sent_ms;
	host_grant_settle(host);
}

void host_connected(struct host *host, bool connected, uint64_t now_ms)
{
	host->connected = connected;
	if (connected)
		host->renew_now = true;
	host->fetch_after_ms = now_ms;
}

void host_successor(struct host *host, bool connected, bool ready)
{
	if (host->successor != connected || host->ready != ready)
		host->renew_now = true;
	host->successor = connected;
	host->ready = ready;
}

void host_hold(struct host *host, bool held)
{
	host->held = held;
}

void host_clients(struct host *host, bool settled, bool quorum_missing)
{
	host->settled = settled;
	host->quorum_missing = quorum_missing;
}

void host_stored(struct host *host, bool ok, uint64_t now_ms)
{
	host->storing = false;
	if (!ok) {
		host->dirty = true;
		host->store_after_ms = now_ms + HOST_STORE_RETRY_MS;
		return;
	}
	host->stored = host->state.reg;
	host->moved = host->state.moved;
	if (host->work.state == WORK_DONE || host->work.state == WORK_REFUSED)
		host->renew_now = true;
}

static void host_work_begin(struct host *host)
{
	const enum phase phase = (enum phase)host->published.phase;

	memset(&host->work, 0, sizeof(host->work));
	memcpy(host->work.pending, host->published.pending, LIST_HASH_BYTES);
	host->work.phase = (uint8_t)phase;
	host->has_work = host->published.next_epoch != 0 &&
			 host_agent_works(host->change, host->name, &host->published);
	if (!host->has_work)
		return;
	host->work.state = WORK_RUNNING;
	if ((host->state.done & (1u << phase)) != 0)
		host->work.state = WORK_DONE;
}

/* Work that ends before it is done (an abort, a giveup) has moved what it has. */
static void host_work_left(struct host *host)
{
	if (host->work.state != WORK_RUNNING ||
	    (host->work.phase != PHASE_COPY && host->work.phase != PHASE_DRAIN) ||
	    memcmp(host->work.pending, host->state.work_pending, LIST_HASH_BYTES) != 0)
		return;
	moved_add(&host->state.moved, &host->work);
	host->work.state = WORK_NONE;
	host->dirty = true;
}

void host_published(struct host *host, bool ok, bool changed, uint64_t now_ms)
{
	bool same_phase;

	host->publishing = false;
	if (!ok) {
		host->publish_after_ms = now_ms + HOST_STORE_RETRY_MS;
		return;
	}
	same_phase =
	    reg_present(&host->published) && reg_same_step(&host->published, &host->going_out);
	if (!same_phase)
		host_work_left(host);
	host->published = host->going_out;
	if (changed) {
		/* The clock's fraction of a millisecond counts for the clients. */
		host->timeout_after_ms = now_ms + host_op_timeout(host) + 1;
		host->limit_after_ms = now_ms + HOST_ADOPT_LIMIT_MS;
		host->settled = false;
		host->quorum_missing = false;
	}
	host->segment_fresh = false;
	if (!same_phase)
		host_work_begin(host);
	host_grant_settle(host);
}

void host_stopped(struct host *host, uint64_t now_ms)
{
	(void)now_ms;
	/* What was cut short may have left reservations: work of this phase that begins again has
	 * to know it. */
	if ((host->state.done & (1u << host->worked_for.phase)) == 0)
		host->lost |= (uint16_t)(1u << host->worked_for.phase);
	host->working = false;
	host->stopping = false;
}

void host_worked(struct host *host, const struct work *work, uint64_t now_ms)
{
	(void)now_ms;
	if (!host->has_work || work->phase != host->work.phase || host->work.state == WORK_DONE ||
	    memcmp(work->pending, host->work.pending, LIST_HASH_BYTES) != 0)
		return;
	if (work->state == WORK_REFUSED && host->work.state != WORK_REFUSED)
		host->renew_now = true;
	host->work = *work;
	if (work->state != WORK_DONE)
		return;
	host->working = false;
	host->lost &= (uint16_t) ~(1u << work->phase);
	host->state.done |= (uint16_t)(1u << work->phase);
	if (work->phase == PHASE_COPY || work->phase == PHASE_DRAIN)
		moved_add(&host->state.moved, work);
	host->dirty = true; /* "done" is on disk before it is reported */
}

/* Stopped or starved: clients of this host were too, perhaps between a check and a send; and
 * whoever is not registered was served meanwhile. */
static bool host_gap(const struct host *host, uint64_t now_ms)
{
	const uint32_t op_timeout_ms = host_op_timeout(host);

	return op_timeout_ms > 0 && now_ms > host->last_tick_ms + op_timeout_ms;
}

void host_tick(struct host *host, uint64_t now_ms)
{
	if (host_gap(host, now_ms)) {
		uint64_t after_ms = now_ms + host_op_timeout(host) + HOST_RESTART_EXTRA_MS;

		if (host->adopt_after_ms < after_ms)
			host->adopt_after_ms = after_ms;
	}
	host->last_tick_ms = now_ms;
}

/* Work runs whose phase has ended for the cluster. */
static bool host_work_cut(const struct host *host)
{
	return host->working && !reg_same_step(&host->known, &host->worked_for);
}

static bool host_fetch_next(struct host *host, uint64_t now_ms, struct host_action *action)
{
	if (!reg_present(&host->known) || host_lists_match(&host->known, host->change) ||
	    !host->connected || now_ms < host->fetch_after_ms)
		return false;
	host->fetch_after_ms = now_ms + HOST_FETCH_RETRY_MS;
	action->type = HOST_FETCH;
	action->reg = &host->known;
	return true;
}

static bool host_stop_next(struct host *host, struct host_action *action)
{
	if (!host_work_cut(host) || host->stopping)
		return false;
	host->stopping = true;
	action->type = HOST_STOP;
	return true;
}

/* The newest register goes to disk once its lists are in hand. */
static void host_take(struct host *host)
{
	if (host->storing || !reg_present(&host->known) ||
	    register_compare(&host->known, &host->state.reg) <= 0 ||
	    !host_lists_match(&host->known, host->change))
		return;
	host->state.reg = host->known;
	if (host->known.next_epoch != 0 &&
	    memcmp(host->state.work_pending, host->known.pending, LIST_HASH_BYTES) != 0) {
		memcpy(host->state.work_pending, host->known.pending, LIST_HASH_BYTES);
		host->state.started = 0;
		host->state.done = 0;
		/* Who comes in the middle may have been there, and lost its state: what a mover of
		 * its left behind is not known. */
		host->lost =
		    (uint16_t)(host->known.phase == PHASE_PREPARE ? 0u : 1u << host->known.phase);
		memset(&host->state.moved, 0, sizeof(host->state.moved));
	}
	host->dirty = true;
}

static bool host_store_next(struct host *host, uint64_t now_ms, struct host_action *action)
{
	if (!host->dirty || host->storing || now_ms < host->store_after_ms)
		return false;
	host->dirty = false;
	host->storing = true;
	action->type = HOST_STORE;
	action->state = &host->state;
	return true;
}

static bool host_publish_next(struct host *host, uint64_t now_ms, struct host_action *action)
{
	if (!reg_present(&host->stored) || host->publishing || now_ms < host->publish_after_ms ||
	    reg_same(&host->stored, &host->published) ||
	    !host_lists_match(&host->stored, host->change))
		return false;
	/* After a boot the coordinator's word comes first; where routing by an old list is worse
	 * than none, there is no end to the wait. */
	if (host->segment_fresh && !host->heard &&
	    (host->change->bypass || now_ms < host->started_ms + host->boot_wait_ms))
		return false;
	if (host->answered && reg_same(&host->stored, &host->known))
		host->inherited = false;
	host->publishing = true;
	host->going_out = host->stored;
	action->type = HOST_PUBLISH;
	action->confirm = host->inherited;
	action->reg = &host->going_out;
	return true;
}

static bool host_work_next(struct host *host, struct host_action *action)
{
	const uint16_t bit = (uint16_t)(1u << host->published.phase);

	if (!host->has_work || host->working || host->stopping || host->dirty || host->storing ||
	    host->work.state != WORK_RUNNING || !reg_same_step(&host->published, &host->known) ||
	    !host_lists_match(&host->published, host->change))
		return false;
	if ((host->state.started & bit) == 0) {
		host->state.started |= bit; /* on disk first: a mover that dies must be known */
		host->dirty = true;
		return false;
	}
	host->working = true;
	host->worked_for = host->published;
	action->type = HOST_WORK;
	action->reg = &host->worked_for;
	action->restarted = (host->lost & bit) != 0;
	return true;
}

static void host_adopt(struct host *host, uint64_t now_ms)
{
	if (!reg_present(&host->published) || reg_same(&host->adopted, &host->published) ||
	    now_ms < host->adopt_after_ms || (!host->settled && now_ms < host->timeout_after_ms) ||
	    (host->quorum_missing && now_ms < host->limit_after_ms) || host->held ||
	    host->stopping || host_work_cut(host))
		return;
	/* A message may be dealt with before the first tick after the gap. */
	if (host_gap(host, now_ms))
		return;
	host->adopted = host->published;
	host->renew_now = true;
}

static bool host_lease_next(struct host *host, struct host_action *action)
{
	if (host->usable_ms == host->told_ms)
		return false;
	host->told_ms = host->usable_ms;
	action->type = HOST_LEASE;
	action->deadline_ms = host->usable_ms;
	return true;
}

static bool host_renew_next(struct host *host, uint64_t now_ms, struct host_action *action)
{
	struct renew *renew = &action->renew;
	const bool unsaid = host->dirty || host->storing;

	if (!host->connected || (!host->renew_now && now_ms < host->renew_after_ms))
		return false;
	host->renew_now = false;
	host->renew_after_ms = now_ms + host_interval(host);
	host->sequence++;
	host->request[host->sequence % HOST_REQUESTS].sequence = host->sequence;
	host->request[host->sequence % HOST_REQUESTS].sent_ms = now_ms;
	action->type = HOST_RENEW;
	memset(renew, 0, sizeof(*renew));
	renew->sequence = host->sequence;
	renew->incarnation = host->incarnation;
	renew->term = host->adopted.term;
	renew->serial = host->adopted.serial;
	renew->known = host->known;
	renew->successor = host->successor;
	renew->ready = host->ready;
	renew->work = host->work;
	renew->moved = host->moved;
	if (unsaid && host->work.state == WORK_DONE)
		renew->work.state = WORK_RUNNING;
	return true;
}

bool host_next(struct host *host, uint64_t now_ms, struct host_action *action)
{
	memset(action, 0, sizeof(*action));
	host_adopt(host, now_ms);
	host_take(host);
	return host_stop_next(host, action) || host_work_next(host, action) ||
	       host_store_next(host, now_ms, action) || host_publish_next(host, now_ms, action) ||
	       host_lease_next(host, action) || host_fetch_next(host, now_ms, action) ||
	       host_renew_next(host, now_ms, action);
}

bool host_may_work(const struct host *host, uint64_t now_ms, uint64_t *until_ms)
{
	*until_ms = host->usable_ms;
	return now_ms < host->usable_ms && !host->stopping;
}

bool host_isolated(const struct host *host, uint64_t now_ms)
{
	return now_ms >= host->lease_ms;
}

/* ---- what is on disk ---- */

void host_state_encode(const struct host_state *state, uint8_t bytes[HOST_STATE_BYTES])
{
	const struct moved *moved = &state->moved;
	uint8_t *at = bytes;

	register_encode(&state->reg, at);
	at += REGISTER_BYTES;
	field_put_bytes(&at, state->work_pending, LIST_HASH_BYTES);
	field_put_u16(&at, state->started);
	field_put_u16(&at, state->done);
	field_put_u64(&at, moved->found);
	field_put_u64(&at, moved->moved);
	field_put_u64(&at, moved->present);
	field_put_u64(&at, moved->expired);
	field_put_u64(&at, moved->gone);
	field_put_u64(&at, moved->failed);
	field_put_u64(&at, moved->cold);
}

int host_state_decode(const uint8_t bytes[HOST_STATE_BYTES], struct host_state *state)
{
	struct field_reader reader = {bytes + REGISTER_BYTES, bytes + HOST_STATE_BYTES, false};
	struct host_state out;

	memset(&out, 0, sizeof(out));
	if (register_decode(bytes, &out.reg) != 0)
		return -EBADMSG;
	field_get_bytes(&reader, out.work_pending, LIST_HASH_BYTES);
	out.started = field_get_u16(&reader);
	out.done = field_get_u16(&reader);
	out.moved.found = field_get_u64(&reader);
	out.moved.moved = field_get_u64(&reader);
	out.moved.present = field_get_u64(&reader);
	out.moved.expired = field_get_u64(&reader);
	out.moved.gone = field_get_u64(&reader);
	out.moved.failed = field_get_u64(&reader);
	out.moved.cold = field_get_u64(&reader);
	if (reader.bad || (out.started | out.done) >> PHASE_COUNT != 0)
		return -EBADMSG;
	*state = out;
	return 0;
}
