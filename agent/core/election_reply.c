/* election_reply.c - see election.h: what came back from the store, judged.
 *
 * Values that come from the store were written by others: nothing of them is believed before it is
 * checked here or in register_value.c.
 */
#include "core/election_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/fields.h"

/* At once after a time-out, and not too soon after what failed quickly. */
static uint64_t election_retry_at(const struct election *e, const struct election_lane *lane,
				  uint64_t now_ms)
{
	const uint64_t at_ms = lane->sent_ms + e->ttl_ms / 10;

	return at_ms > now_ms ? at_ms : now_ms;
}

static uint64_t election_poll_ms(const struct election *e)
{
	return e->ttl_ms / 6;
}

static uint64_t election_keep_ms(const struct election *e)
{
	return e->ttl_ms / 3;
}

void election_released(struct election *e, uint64_t now_ms)
{
	e->lease = 0;
	e->leader_revision = 0;
	e->until_ms = 0;
	e->state = ELECTION_LOOKING;
	e->main.after_ms = now_ms + (e->refused ? ELECTION_REFUSED_MS : election_poll_ms(e));
	e->refused = false;
	if (e->say_resigned) {
		e->say_resigned = false;
		(void)snprintf(e->lost_why, sizeof(e->lost_why), "resigned");
		e->say_lost = true;
	}
}

/* ---- the keys ---- */

static void election_leader_read(struct election *e, const struct election_key *leader)
{
	char name[LIST_NAME_MAX + 1] = "";
	bool good = leader->held && leader->bytes > 0 && leader->bytes <= LIST_NAME_MAX;

	for (size_t i = 0; good && i < leader->bytes; i++)
		good = field_name_char((uint8_t)leader->value[i]);
	if (good)
		memcpy(name, leader->value, leader->bytes);
	election_leader_is(e, name);
}

static bool election_key_ours(const struct election *e, const struct election_key *leader)
{
	return leader->held && leader->create_revision == e->leader_revision &&
	       leader->lease == e->lease;
}

static int election_absent(const struct election *e, struct failure *failure)
{
	if (e->seen_term == 0 || election_fails_over(e, 0))
		return 0;
	return failure_set(failure, ENOENT,
			   "the register is gone where there was one (%" PRIu64 ".%" PRIu64
			   "): bring it back, or let a signed failover begin a new one",
			   e->seen_term, e->seen_serial);
}

/* One of a later term than any that was seen may have begun in a store that was set up anew, whose
 * revisions count from the beginning. */
static int election_older(const struct election *e, const struct reg *reg, uint64_t revision,
			  struct failure *failure)
{
	const bool older = reg->term < e->seen_term ||
			   (reg->term == e->seen_term &&
			    (reg->serial < e->seen_serial || revision < e->seen_revision));

	if (!older || election_fails_over(e, reg->term))
		return 0;
	return failure_set(failure, ESTALE,
			   "the register is older than one that was seen here (found %" PRIu64
			   ".%" PRIu64 ", expected at least %" PRIu64 ".%" PRIu64
			   "): its store was set back, restore the newer one, or let a signed "
			   "failover go on without it",
			   reg->term, reg->serial, e->seen_term, e->seen_serial);
}

/* Is what stands fit to lead from?  Takes it over when it is. */
static int election_register_take(struct election *e, const struct election_key *key,
				  struct failure *failure)
{
	struct reg reg;
	bool moved;
	int error;

	if (!key->held) {
		error = election_absent(e, failure);
		if (error == 0) {
			e->held = e->moved = false;
			e->register_revision = 0;
		}
		return error;
	}
	error = register_value_read(key->value, key->bytes, e->cluster, &reg, &moved, failure);
	if (error != 0)
		return error;
	if (moved && !e->take_moved)
		return failure_set(failure, EXDEV,
				   "the register was moved away (at %" PRIu64 ".%" PRIu64
				   "): configure the agents for the place that holds it now",
				   reg.term, reg.serial);
	error = election_older(e, &reg, key->mod_revision, failure);
	if (error != 0)
		return error;
	e->held = true;
	e->moved = moved;
	e->reg = reg;
	e->register_revision = e->seen_revision = key->mod_revision;
	if (reg.term > e->seen_term || (reg.term == e->seen_term && reg.serial > e->seen_serial)) {
		e->seen_term = reg.term;
		e->seen_serial = reg.serial;
	}
	return 0;
}

/* ---- before it leads ---- */

/* Gives the attempt up for a while, in which others may try theirs. */
static void election_refused(struct election *e, const char *why, uint64_t now_ms)
{
	election_trouble(e, why);
	e->refused = true;
	election_stop(e, why, now_ms);
}

static void election_looked(struct election *e, const struct election_reply *reply, uint64_t now_ms)
{
	struct failure failure;

	e->main.after_ms = now_ms + election_poll_ms(e);
	if (reply->outcome != ELECTION_DONE) {
		election_leader_is(e, "");
		election_trouble(e, reply->why);
		return;
	}
	election_leader_read(e, &reply->leader);
	if (election_register_take(e, &reply->reg, &failure) != 0) {
		election_trouble(e, failure.text);
		e->main.after_ms = now_ms + ELECTION_REFUSED_MS;
		return;
	}
	if (reply->leader.held || e->resigned || !election_may_lead(e) || election_barred(e)) {
		election_trouble(e, "");
		return;
	}
	e->state = ELECTION_GRANTING; /* what is in its way is over when it has led to something */
	e->main.after_ms = now_ms;
}

static void election_granted(struct election *e, const struct election_reply *reply,
			     uint64_t now_ms)
{
	uint64_t ttl_ms = (uint64_t)reply->ttl_s * 1000;

	if (reply->outcome != ELECTION_DONE || reply->lease == 0 || ttl_ms <= ELECTION_MARGIN_MS) {
		election_trouble(e, reply->outcome != ELECTION_DONE ? reply->why
								    : "the lease granted is none");
		e->state = ELECTION_LOOKING;
		e->main.after_ms = now_ms + ELECTION_REFUSED_MS;
		return;
	}
	/* The store may grant more than was asked for; what was asked for is enough. */
	if (ttl_ms > e->ttl_ms)
		ttl_ms = e->ttl_ms;
	e->lease = reply->lease;
	e->until_ms = e->main.sent_ms + ttl_ms - ELECTION_MARGIN_MS;
	e->keep.after_ms = e->main.sent_ms + election_keep_ms(e);
	e->state = ELECTION_CAMPAIGNING;
	e->main.after_ms = now_ms;
}

/* The next list to fetch before it is said that we lead; none left: it is said. */
static void election_list_next(struct election *e, uint64_t now_ms)
{
	static const uint8_t none[LIST_HASH_BYTES];

	while (e->held && e->list_at < ELECTION_LISTS &&
	       memcmp(e->list_at == 0 ? e->reg.active : e->reg.pending, none, sizeof(none)) == 0)
		e->list_at++;
	e->state = ELECTION_LISTING;
	e->main.after_ms = now_ms;
	if (e->held && e->list_at < ELECTION_LISTS)
		return;
	e->state = ELECTION_LEADING;
	e->say_elected = true;
	e->main.after_ms = now_ms + election_keep_ms(e);
}

/* Keys first: the lists may be signed under them. */
static void election_list_begin(struct election *e, uint64_t now_ms)
{
	e->list_at = e->keys_at = 0;
	e->keys_wanted = e->held && e->reg.keys_version != 0;
	if (!e->keys_wanted) {
		election_list_next(e, now_ms);
		return;
	}
	memcpy(e->keys_want, e->reg.keys, LIST_HASH_BYTES);
	e->state = ELECTION_LISTING;
	e->main.after_ms = now_ms;
}

static void election_campaigned(struct election *e, const struct election_reply *reply,
				uint64_t now_ms)
{
	struct failure failure;

	if (reply->outcome == ELECTION_UNKNOWN) {
		/* It may have been won: the same once more either wins or shows our own key. */
		election_trouble(e, reply->why);
		e->main.after_ms = election_retry_at(e, &e->main, now_ms);
		return;
	}
	if (reply->outcome == ELECTION_REFUSED) {
		election_refused(e, reply->why, now_ms);
		return;
	}
	if (!reply->succeeded && (!reply->leader.held || reply->leader.lease != e->lease)) {
		election_leader_read(e, &reply->leader);
		election_stop(e, "another candidate was faster", now_ms);
		return;
	}
	e->leader_revision = reply->succeeded ? reply->revision : reply->leader.create_revision;
	if (election_register_take(e, &reply->reg, &failure) != 0) {
		election_refused(e, failure.text, now_ms);
		return;
	}
	if (!election_may_lead(e)) {
		election_stop(e, "there is no register to lead from", now_ms);
		return;
	}
	election_trouble(e, "");
	election_leader_is(e, e->name);
	election_list_begin(e, now_ms);
}

static void election_listed(struct election *e, const struct election_reply *reply, uint64_t now_ms)
{
	if (reply->outcome == ELECTION_REFUSED) {
		election_refused(e, reply->why, now_ms);
		return;
	}
	if (reply->outcome == ELECTION_UNKNOWN) {
		election_trouble(e, reply->why);
		e->main.after_ms = election_retry_at(e, &e->main, now_ms);
		return;
	}
	if (!e->keys_wanted) {
		e->list_at++;
		election_list_next(e, now_ms);
		return;
	}
	e->keys_wanted = reply->before != NULL && ++e->keys_at < KEYS_VERSIONS_MAX;
	if (e->keys_wanted) {
		memcpy(e->keys_want, reply->before, LIST_HASH_BYTES);
		e->main.after_ms = now_ms;
	} else {
		election_list_next(e, now_ms);
	}
}

/* ---- while it leads ---- */

static void election_write_end(struct election *e, bool ok, const char *why, uint64_t now_ms)
{
	e->write = ELECTION_WRITE_NONE;
	e->write_keys = 0;
	e->say_stored = true;
	e->stored_ok = ok;
	(void)snprintf(e->stored_why, sizeof(e->stored_why), "%s", why);
	e->main.after_ms = now_ms + election_keep_ms(e);
}

static void election_write_stands(struct election *e, uint64_t revision, uint64_t now_ms)
{
	e->held = true;
	e->moved = e->write_moved;
	e->reg = e->staged;
	e->register_revision = e->seen_revision = revision;
	e->seen_term = e->reg.term;
	e->seen_serial = e->reg.serial;
	election_trouble(e, "");
	election_write_end(e, true, "", now_ms);
}

static void election_taken_away(struct election *e, const struct election_key *leader,
				uint64_t now_ms)
{
	election_stop(e, "the leader key is no longer ours", now_ms);
	election_leader_read(e, leader);
}

/* Somebody wrote the register though he does not lead: not one of us. */
static void election_disturbed(struct election *e, uint64_t now_ms)
{
	static const char why[] = "the register was changed by somebody who does not lead";

	election_trouble(e, why);
	election_stop(e, why, now_ms);
}

static bool election_staged_stands(const struct election *e, const struct election_key *key)
{
	return key->held && key->mod_revision > e->register_revision &&
	       key->bytes == strlen(e->value) && memcmp(key->value, e->value, key->bytes) == 0;
}

static bool election_unchanged(const struct election *e, const struct election_key *key)
{
	return key->held ? key->mod_revision == e->register_revision : e->register_revision == 0;
}

/* What is put next, when one list or keys document is there. */
static void election_put_next(struct election *e)
{
	if (e->write == ELECTION_WRITE_KEYS && ++e->keys_at == e->write_keys)
		e->write = e->write_lists > 0 ? ELECTION_WRITE_LIST : ELECTION_WRITE_REGISTER;
	else if (e->write == ELECTION_WRITE_LIST && ++e->list_at == e->write_lists)
		e->write = ELECTION_WRITE_REGISTER;
}

static void election_put(struct election *e, const struct election_reply *reply, uint64_t now_ms)
{
	e->main.after_ms = now_ms;
	if (reply->outcome == ELECTION_UNKNOWN) {
		election_trouble(e, reply->why);
		e->main.after_ms = election_retry_at(e, &e->main, now_ms);
	} else if (reply->outcome == ELECTION_REFUSED) {
		election_write_end(e, false, reply->why, now_ms);
	} else if (!reply->succeeded) {
		election_taken_away(e, &reply->leader, now_ms);
	} else {
		election_put_next(e);
	}
}

static void election_stored(struct election *e, const struct election_reply *reply, uint64_t now_ms)
{
	if (reply->outcome == ELECTION_UNKNOWN) {
		election_trouble(e, reply->why);
		e->write_unknown = true;
		e->main.after_ms = election_retry_at(e, &e->main, now_ms);
	} else if (reply->outcome == ELECTION_REFUSED) {
		/* etcd may say "no space" of what it has carried out: look before it is believed.
		 */
		(void)snprintf(e->stored_why, sizeof(e->stored_why), "%s", reply->why);
		e->write = ELECTION_WRITE_CHECK;
		e->main.after_ms = now_ms;
	} else if (reply->succeeded) {
		election_write_stands(e, reply->revision, now_ms);
	} else if (!election_key_ours(e, &reply->leader)) {
		election_taken_away(e, &reply->leader, now_ms);
	} else if (election_staged_stands(e, &reply->reg)) {
		election_write_stands(e, reply->reg.mod_revision, now_ms);
	} else {
		election_disturbed(e, now_ms);
	}
}

/* The leader looks at its keys too: after a refused write, and now and then for disturbers. */
static void election_checked(struct election *e, const struct election_reply *reply,
			     uint64_t now_ms)
{
	const bool check = e->write == ELECTION_WRITE_CHECK;
	char why[FAILURE_BYTES];

	if (reply->outcome != ELECTION_DONE) {
		election_trouble(e, reply->why);
		e->main.after_ms = election_retry_at(e, &e->main, now_ms);
	} else if (!election_key_ours(e, &reply->leader)) {
		election_taken_away(e, &reply->leader, now_ms);
	} else if (check && election_staged_stands(e, &reply->reg)) {
		election_write_stands(e, reply->reg.mod_revision, now_ms);
	} else if (!election_unchanged(e, &reply->reg)) {
		election_disturbed(e, now_ms);
	} else if (!check) {
		election_trouble(e, "");
		/* A write may have been asked for while this look was under way. */
		e->main.after_ms =
		    now_ms + (e->write == ELECTION_WRITE_NONE ? election_keep_ms(e) : 0);
	} else if (e->write_unknown) {
		/* An earlier one may still be on its way: only a write that succeeds shuts it out.
		 */
		election_trouble(e, e->stored_why);
		e->write = ELECTION_WRITE_REGISTER;
		e->main.after_ms = now_ms + ELECTION_REFUSED_MS;
	} else {
		memcpy(why, e->stored_why, sizeof(why));
		election_write_end(e, false, why, now_ms);
	}
}

static void election_kept(struct election *e, const struct election_reply *reply, uint64_t now_ms)
{
	uint64_t ttl_ms = (uint64_t)reply->ttl_s * 1000, until_ms;

	if (reply->outcome != ELECTION_DONE) {
		election_trouble(e, reply->why);
		e->keep.after_ms = election_retry_at(e, &e->keep, now_ms);
		return;
	}
	if (ttl_ms <= ELECTION_MARGIN_MS) {
		e->lease = 0;
		election_stop(e, "the lease has run out", now_ms);
		return;
	}
	if (ttl_ms > e->ttl_ms)
		ttl_ms = e->ttl_ms;
	until_ms = e->keep.sent_ms + ttl_ms - ELECTION_MARGIN_MS;
	e->keep.after_ms = e->keep.sent_ms + election_keep_ms(e);
	if (until_ms <= e->until_ms)
		return;
	e->until_ms = until_ms;
	e->say_leads = e->state == ELECTION_LEADING && !e->say_elected;
}

static void election_main_reply(struct election *e, const struct election_reply *reply,
				uint64_t now_ms)
{
	switch (e->state) {
	case ELECTION_LOOKING:
		election_looked(e, reply, now_ms);
		break;
	case ELECTION_GRANTING:
		election_granted(e, reply, now_ms);
		break;
	case ELECTION_CAMPAIGNING:
		election_campaigned(e, reply, now_ms);
		break;
	case ELECTION_LISTING:
		election_listed(e, reply, now_ms);
		break;
	case ELECTION_RELEASING:
		election_released(e, now_ms);
		break;
	case ELECTION_LEADING:
		if (reply->request == ELECTION_LIST_PUT || reply->request == ELECTION_KEYS_PUT)
			election_put(e, reply, now_ms);
		else if (reply->request == ELECTION_STORE)
			election_stored(e, reply, now_ms);
		else
			election_checked(e, reply, now_ms);
		break;
	}
}

void election_reply(struct election *e, const struct election_reply *reply, uint64_t now_ms)
{
	struct election_lane *lane = reply->request == ELECTION_KEEPALIVE ? &e->keep : &e->main;
	const bool stale = lane->stale;

	lane->busy = lane->stale = false;
	if (stale)
		return;
	if (reply->request == ELECTION_KEEPALIVE)
		election_kept(e, reply, now_ms);
	else
		election_main_reply(e, reply, now_ms);
}
