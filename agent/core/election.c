/* election.c - see election.h: what is asked of the store, and what is said of it, and when. */
#include "core/election_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void election_init(struct election *e, const struct election_options *options, uint64_t now_ms)
{
	memset(e, 0, sizeof(*e));
	(void)snprintf(e->cluster, sizeof(e->cluster), "%s", options->cluster);
	(void)snprintf(e->name, sizeof(e->name), "%s", options->name);
	e->ttl_ms = options->ttl_s * 1000;
	e->take_moved = options->take_moved;
	e->seen_term = options->known_term;
	e->seen_serial = options->known_serial;
	e->main.after_ms = now_ms;
}

bool election_leads(const struct election *e, uint64_t now_ms)
{
	return e->state == ELECTION_LEADING && now_ms < e->until_ms;
}

/* ---- what is said ---- */

void election_trouble(struct election *e, const char *why)
{
	if (strcmp(e->trouble, why) == 0)
		return;
	(void)snprintf(e->trouble, sizeof(e->trouble), "%s", why);
	e->say_trouble = true;
}

void election_leader_is(struct election *e, const char *name)
{
	if (strcmp(e->leader, name) == 0)
		return;
	(void)snprintf(e->leader, sizeof(e->leader), "%s", name);
	e->say_leader = true;
}

void election_stop(struct election *e, const char *why, uint64_t now_ms)
{
	/* Nobody was told yet that it leads: then there is nothing to take back. */
	if (e->state == ELECTION_LEADING && !e->say_elected) {
		(void)snprintf(e->lost_why, sizeof(e->lost_why), "%s", why);
		e->say_lost = true;
	}
	if (e->state == ELECTION_LEADING || e->state == ELECTION_LISTING)
		election_leader_is(e, "");
	e->say_elected = e->say_leads = false;
	e->write = ELECTION_WRITE_NONE;
	e->write_keys = 0;
	e->main.stale = e->main.busy;
	e->keep.stale = e->keep.busy;
	e->main.after_ms = now_ms;
	e->state = ELECTION_RELEASING;
}

static void election_expire(struct election *e, uint64_t now_ms)
{
	if (e->lease == 0 || e->state == ELECTION_RELEASING || now_ms < e->until_ms)
		return;
	election_stop(e, "the lease was not renewed in time", now_ms);
}

void election_resign(struct election *e, uint64_t now_ms)
{
	if (e->resigned)
		return;
	e->resigned = e->say_resigned = true;
	election_stop(e, "resigned", now_ms);
	e->say_lost = false; /* it is said when the key is given back */
}

void election_stand(struct election *e, enum election_stand stand, uint64_t now_ms)
{
	if (e->stand == stand)
		return;
	e->stand = stand;
	if (stand == ELECTION_STAND_NOT && e->state != ELECTION_LOOKING &&
	    e->state != ELECTION_RELEASING)
		election_stop(e, "the list does not name this agent as a candidate", now_ms);
	else if (e->state == ELECTION_LOOKING)
		e->main.after_ms = now_ms;
}

bool election_may_lead(const struct election *e)
{
	return e->stand == ELECTION_STAND_BEGIN ||
	       (e->stand == ELECTION_STAND_FOUND && (e->held || election_fails_over(e, 0)));
}

bool election_fails_over(const struct election *e, uint64_t term)
{
	return e->failover_ours && e->failover_term > e->seen_term && e->failover_term > term;
}

bool election_barred(const struct election *e)
{
	return !e->failover_ours && e->failover_term > e->seen_term;
}

void election_failover(struct election *e, uint64_t term, bool ours, uint64_t now_ms)
{
	e->failover_term = term;
	e->failover_ours = ours;
	if (e->state == ELECTION_LOOKING)
		e->main.after_ms = now_ms;
	else if (e->state != ELECTION_RELEASING && election_barred(e))
		election_stop(e, "a signed failover names another candidate", now_ms);
}

void election_known(struct election *e, uint64_t term, uint64_t serial, uint64_t now_ms)
{
	if (term < e->seen_term || (term == e->seen_term && serial <= e->seen_serial))
		return;
	e->seen_term = term;
	e->seen_serial = serial;
	if (e->state == ELECTION_LEADING || e->state == ELECTION_LISTING)
		election_stop(e, "others know a newer register than the one that stands", now_ms);
}

int election_write_keys(struct election *e, const uint8_t (*keys)[LIST_HASH_BYTES], uint32_t count)
{
	if (e->write != ELECTION_WRITE_NONE)
		return -EBUSY;
	if (count > KEYS_VERSIONS_MAX)
		return -EINVAL;
	e->write_keys = count;
	for (uint32_t i = 0; i < count; i++)
		memcpy(e->write_keys_hash[i], keys[i], LIST_HASH_BYTES);
	return 0;
}

int election_write(struct election *e, const struct reg *reg, bool moved,
		   const uint8_t (*lists)[LIST_HASH_BYTES], uint32_t list_count, uint64_t now_ms)
{
	election_expire(e, now_ms);
	if (!election_leads(e, now_ms) || e->say_elected)
		return -EAGAIN;
	if (e->write != ELECTION_WRITE_NONE || e->say_stored)
		return -EBUSY;
	if (list_count > ELECTION_LISTS)
		return -EINVAL;
	if (e->held && register_compare(reg, &e->reg) < (moved != e->moved ? 0 : 1))
		return -ESTALE;
	e->staged = *reg;
	e->write_moved = moved;
	e->write_unknown = false;
	e->write_lists = list_count;
	e->list_at = e->keys_at = 0;
	for (uint32_t i = 0; i < list_count; i++)
		memcpy(e->write_hash[i], lists[i], LIST_HASH_BYTES);
	(void)register_value_write(reg, e->cluster, moved, e->value);
	e->write = list_count > 0 ? ELECTION_WRITE_LIST : ELECTION_WRITE_REGISTER;
	if (e->write_keys > 0)
		e->write = ELECTION_WRITE_KEYS;
	e->main.after_ms = now_ms;
	return 0;
}

/* ---- what is asked ---- */

/* What the main lane is to ask next.  False: nothing. */
static bool election_wanted(const struct election *e, enum election_request *request)
{
	switch (e->state) {
	case ELECTION_LOOKING:
		*request = ELECTION_READ;
		return true;
	case ELECTION_GRANTING:
		*request = ELECTION_GRANT;
		return true;
	case ELECTION_CAMPAIGNING:
		*request = ELECTION_CAMPAIGN;
		return true;
	case ELECTION_LISTING:
		*request = e->keys_wanted ? ELECTION_KEYS_GET : ELECTION_LIST_GET;
		return true;
	case ELECTION_RELEASING:
		*request = ELECTION_REVOKE;
		return true;
	case ELECTION_LEADING:
		*request = e->write == ELECTION_WRITE_KEYS	 ? ELECTION_KEYS_PUT
			   : e->write == ELECTION_WRITE_LIST	 ? ELECTION_LIST_PUT
			   : e->write == ELECTION_WRITE_REGISTER ? ELECTION_STORE
								 : ELECTION_READ;
		return true;
	}
	return false;
}

static bool election_keeps(const struct election *e)
{
	return e->lease != 0 && e->state != ELECTION_RELEASING;
}

/* The lists that the present register names and the next one does not. */
static void election_drops(const struct election *e, struct election_action *action)
{
	static const uint8_t none[LIST_HASH_BYTES];
	const uint8_t *const old[] = {e->reg.active, e->reg.pending};

	if (!e->held || e->write_moved)
		return;
	for (unsigned i = 0; i < ELECTION_LISTS; i++)
		if (memcmp(old[i], none, LIST_HASH_BYTES) != 0 &&
		    memcmp(old[i], e->staged.active, LIST_HASH_BYTES) != 0 &&
		    memcmp(old[i], e->staged.pending, LIST_HASH_BYTES) != 0)
			action->drop[action->drop_count++] = old[i];
}

static void election_ask(struct election *e, struct election_lane *lane,
			 enum election_request request, uint64_t now_ms,
			 struct election_action *action)
{
	const bool large = request == ELECTION_LIST_GET || request == ELECTION_LIST_PUT;

	lane->busy = true;
	lane->stale = false;
	lane->sent_ms = now_ms;
	lane->request = request;
	action->type = ELECTION_ACT_REQUEST;
	action->request = request;
	/* A keep-alive that is not answered leaves time for two more before the leadership ends. */
	action->timeout_ms = large			     ? e->ttl_ms
			     : request == ELECTION_KEEPALIVE ? e->ttl_ms / 6
							     : e->ttl_ms / 3;
	action->ttl_s = e->ttl_ms / 1000;
	action->lease = e->lease;
	action->leader_revision = e->leader_revision;
	action->register_revision = e->register_revision;
	if (request == ELECTION_LIST_GET)
		action->hash = e->list_at == 0 ? e->reg.active : e->reg.pending;
	if (request == ELECTION_LIST_PUT)
		action->hash = e->write_hash[e->list_at];
	if (request == ELECTION_KEYS_GET)
		action->hash = e->keys_want;
	if (request == ELECTION_KEYS_PUT)
		action->hash = e->write_keys_hash[e->keys_at];
	if (request == ELECTION_STORE) {
		action->value = e->value;
		election_drops(e, action);
	}
}

/* Whoever stopped without a lease has nothing to give back. */
static void election_release_skip(struct election *e, uint64_t now_ms)
{
	if (e->state == ELECTION_RELEASING && !e->main.busy && e->lease == 0)
		election_released(e, now_ms);
}

static bool election_say(struct election *e, struct election_action *action)
{
	if (e->say_stored) {
		e->say_stored = false;
		action->type = ELECTION_ACT_STORED;
		action->ok = e->stored_ok;
		action->value = e->stored_why;
	} else if (e->say_lost) {
		e->say_lost = false;
		action->type = ELECTION_ACT_LOST;
		action->value = e->lost_why;
	} else if (e->say_leader) {
		e->say_leader = false;
		action->type = ELECTION_ACT_LEADER;
		action->value = e->leader;
	} else if (e->say_elected) {
		e->say_elected = false;
		action->type = ELECTION_ACT_ELECTED;
		action->reg = e->held ? &e->reg : NULL;
		action->until_ms = e->until_ms;
	} else if (e->say_leads) {
		e->say_leads = false;
		action->type = ELECTION_ACT_LEADS;
		action->until_ms = e->until_ms;
	} else if (e->say_trouble) {
		e->say_trouble = false;
		action->type = ELECTION_ACT_TROUBLE;
		action->value = e->trouble;
	} else {
		return false;
	}
	return true;
}

bool election_next(struct election *e, uint64_t now_ms, struct election_action *action)
{
	enum election_request request;

	memset(action, 0, sizeof(*action));
	election_expire(e, now_ms);
	election_release_skip(e, now_ms);
	if (election_say(e, action))
		return true;
	if (election_keeps(e) && !e->keep.busy && now_ms >= e->keep.after_ms) {
		election_ask(e, &e->keep, ELECTION_KEEPALIVE, now_ms, action);
		return true;
	}
	if (!e->main.busy && now_ms >= e->main.after_ms && election_wanted(e, &request)) {
		election_ask(e, &e->main, request, now_ms, action);
		return true;
	}
	return false;
}

uint64_t election_wake_ms(const struct election *e)
{
	uint64_t wake_ms = UINT64_MAX;

	if (!e->main.busy)
		wake_ms = e->main.after_ms;
	if (election_keeps(e)) {
		if (!e->keep.busy && e->keep.after_ms < wake_ms)
			wake_ms = e->keep.after_ms;
		if (e->until_ms < wake_ms)
			wake_ms = e->until_ms;
	}
	return wake_ms;
}
