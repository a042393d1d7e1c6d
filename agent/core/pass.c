/* pass.c - see pass.h: the order of things, marks, and when a phase's work is done. */
#include "core/pass_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_NS 1000000000ull
/* What clients write during a pass of COPY is left to the next, and at last to DRAIN, by a slower
 * rule.  A pass burdens the server with a dump, which costs it as much as a third of all keys
 * moved: COPY ends where the next would find few keys, or a smaller share than this of all, and
 * where keys change more than half as fast as they are moved. */
#define LEFT_FEW   1000u
#define LEFT_SHARE 8u

void pass_say(struct pass *pass, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(pass->work.reason, sizeof(pass->work.reason), format, arguments);
	va_end(arguments);
}

static bool identity_same(const struct pass_identity *a, const struct pass_identity *b)
{
	return a->known && b->known && a->pid == b->pid && a->start_time == b->start_time;
}

static uint64_t stubs_expired_ns(const struct pass *pass, uint64_t now_ns)
{
	return now_ns + (MOVE_STUB_TTL + 2) * SECOND_NS + pass->op_timeout_ms * (SECOND_NS / 1000);
}

/* The mover before this one may have filled a key at N and sent its removal at O.  Who looked in
 * between would take N's for older, delete it, and find nothing at O any more. */
static uint64_t last_commands_ns(const struct pass *pass, uint64_t now_ns)
{
	return now_ns + pass->op_timeout_ms * (SECOND_NS / 1000);
}

/* Are there reservations of this work? */
static bool reserves(const struct pass *pass)
{
	return pass->phase == PHASE_COPY ||
	       (pass->phase == PHASE_DRAIN && pass->change->unaware_poll_ms == 0);
}

int pass_init(struct pass *pass, const struct pass_setup *setup)
{
	*pass = (struct pass){
	    .change = setup->change,
	    .given_up = setup->given_up,
	    .server = setup->server,
	    .phase = setup->phase,
	    .order = PASS_IDENTIFY,
	    .base = setup->mark,
	    .fresh = !setup->restarted && !setup->mark.known,
	    .full = true,
	    .copies_cas = UINT64_MAX,
	    .parts = 1,
	    .op_timeout_ms = setup->op_timeout_ms,
	};
	pass->redo = calloc(setup->change->server_count, 2);
	if (pass->redo == NULL)
		return -ENOMEM;
	pass->redoing = pass->redo + setup->change->server_count;
	memcpy(pass->work.pending, setup->change->new_hash, sizeof(pass->work.pending));
	pass->work.phase = (uint8_t)setup->phase;
	pass->work.state = WORK_RUNNING;
	if (setup->restarted)
		pass_reservations_unknown(pass, setup->now_ns);
	if (setup->restarted && setup->phase == PHASE_DRAIN && reserves(pass))
		pass->begin_ns = last_commands_ns(pass, setup->now_ns);
	return 0;
}

void pass_free(struct pass *pass)
{
	free(pass->redo);
	pass->redo = pass->redoing = NULL;
}

void pass_refuse(struct pass *pass)
{
	pass->order = PASS_REFUSED;
	pass->work.state = WORK_REFUSED;
}

void pass_forget_left(struct pass *pass)
{
	pass->work.found -= pass->work.left + pass->expired;
	pass->work.expired -= pass->expired;
	pass->work.left = pass->expired = 0;
}

static void done(struct pass *pass)
{
	pass_forget_left(pass);
	pass->order = PASS_WAIT;
}

/* A new round over the key space, with or without a mark before it. */
static void begin_round(struct pass *pass)
{
	pass->part = 0;
	pass->parts = 1;
	pass->round_found = 0;
	pass->round_moved = pass->work.moved;
	pass->shortfalls = 0;
	pass_forget_left(pass);
	/* Without the mark of SWITCH one is taken now: what clients go on to store must not be
	 * compared again and again. */
	pass->order = pass->phase == PHASE_COPY ||
			      (pass->phase == PHASE_SETTLE && pass->copies_cas == UINT64_MAX)
			  ? PASS_MARK
			  : PASS_DUMP;
}

enum pass_order pass_order(struct pass *pass, uint64_t now_ns)
{
	if (pass->unresolved)
		pass_reservations_unknown(pass, now_ns);
	pass->unresolved = false;
	if (pass->order == PASS_DUMP && now_ns < pass->begin_ns)
		return PASS_WAIT;
	if (pass->order == PASS_WAIT && now_ns >= pass->quiet_until_ns) {
		pass->order = PASS_DONE;
		pass->work.state = WORK_DONE;
	}
	return pass->order;
}

void pass_reservations_unknown(struct pass *pass, uint64_t now_ns)
{
	uint64_t until = stubs_expired_ns(pass, now_ns);

	if (reserves(pass) && until > pass->quiet_until_ns)
		pass->quiet_until_ns = until;
}

void pass_destination_restarted(struct pass *pass, uint32_t server)
{
	if (pass->phase != PHASE_COPY)
		return;
	pass->redo[server] = 1;
	pass->redo_any = true;
	/* Nothing was done wrong by ending early, but nothing is at that owner any more. */
	if (pass->order == PASS_WAIT)
		begin_round(pass);
}

/* ---- who the server is ---- */

static bool self_usable(struct pass *pass, const struct pass_server *found)
{
	const struct change_server *server = pass_self(pass);
	const char *what = NULL;

	if (!found->meta_protocol)
		what = "does not speak the meta protocol: memcached 1.6.12 or newer is needed";
	else if (!found->cas_enabled)
		what = "runs without CAS (memcached -C), so keys cannot be moved safely: start it "
		       "without -C";
	else if (!found->dump_enabled)
		what = "does not allow its keys to be dumped (memcached -X): start it without -X";
	else if (!found->crawler_enabled)
		what =
		    "runs without its LRU crawler, so its keys cannot be dumped: start it without "
		    "-o no_lru_crawler";
	if (what == NULL)
		return true;
	pass_say(pass, "server %s %s %s", server->name, server->address, what);
	return false;
}

/* SWITCH: copies end, and what clients store begins, with a mark of this server, taken once.  What
 * another process than the marked one holds was stored since, so by clients. */
static void begin_mark(struct pass *pass, bool marked, bool same)
{
	if (!marked) {
		pass->order = PASS_MARK;
		return;
	}
	if (same) {
		done(pass);
		return;
	}
	pass->save =
	    (struct pass_mark){.of = pass->self.identity, .known = true, .full_pass_done = true};
	pass->order = PASS_SAVE;
}

bool pass_identified(struct pass *pass, const struct pass_server *found)
{
	bool first = !pass->self.identity.known;
	bool same = identity_same(&pass->self.identity, &found->identity), marked;

	pass->work.reason[0] = '\0';
	if (!self_usable(pass, found)) {
		if (pass->phase == PHASE_PREPARE)
			pass_refuse(pass);
		return false;
	}
	pass->self = *found;
	if (!first && same)
		return true;
	/* What its keys had reserved is not seen to any more: no dump names them again. */
	if (pass->order == PASS_KEYS || pass->order == PASS_DUMP)
		pass->unresolved = true;
	marked = pass->base.known;
	same = identity_same(&pass->base.of, &found->identity);
	if (marked || !first)
		pass->copies_cas = marked && same ? pass->base.cas : 0;
	/* Nothing that was known of this server's CAS numbers holds for another process. */
	if (!same)
		pass->base = (struct pass_mark){.of = found->identity};
	if (!first)
		pass->fresh = false;
	pass->full = true;
	pass->rounds = 0;
	if (pass->phase == PHASE_PREPARE) /* another process: nothing is proven of it yet */
		pass->order = PASS_PROBE;
	else if (pass->phase == PHASE_SWITCH)
		begin_mark(pass, marked, same);
	else
		begin_round(pass);
	return true;
}

/* ---- the proof of two processes ---- */

bool pass_probe_wanted(const struct pass *pass, uint32_t other)
{
	const struct change_server *a = pass_self(pass), *b = pass->change->servers + other;

	return other != pass->server && !pass_gave_up(pass, other) &&
	       ((a->gained > 0 && b->lost > 0) || (a->lost > 0 && b->gained > 0));
}

void pass_probed(struct pass *pass, uint32_t same_as)
{
	if (same_as != pass->server) {
		const struct change_server *a = pass_self(pass),
					   *b = pass->change->servers + same_as;

		pass_say(pass,
			 "servers %s %s and %s %s are one memcached process: a server must stand "
			 "in the list once",
			 a->name, a->address, b->name, b->address);
		pass_refuse(pass);
	} else if (pass_self(pass)->gained > 0) {
		begin_round(pass);
	} else {
		done(pass);
	}
}

size_t pass_probe_key(const struct pass *pass, const uint8_t random[PASS_PROBE_RANDOM_BYTES],
		      uint8_t key[250])
{
	char text[250];
	int length = snprintf(text, sizeof(text), "%smcroster:probe:", pass->change->prefix);

	for (size_t i = 0; i < PASS_PROBE_RANDOM_BYTES; i++)
		length += snprintf(text + length, sizeof(text) - (size_t)length, "%02x", random[i]);
	memcpy(key, text, (size_t)length);
	return (size_t)length;
}

/* ---- marks ---- */

/* Every store there takes a number of its own, and the mark's probe item took the one after the
 * last mark: no dump would find a key that has changed. */
static bool nothing_stored(const struct pass *pass, uint64_t cas)
{
	return pass->base.known && pass->base.full_pass_done && cas == pass->base.cas + 1;
}

static bool redoes(const struct pass *pass)
{
	for (uint32_t i = 0; i < pass->change->server_count; i++)
		if (pass->redoing[i])
			return true;
	return false;
}

void pass_marked(struct pass *pass, uint64_t cas)
{
	pass->next_cas = cas;
	if (pass->phase == PHASE_SWITCH) {
		pass->save = (struct pass_mark){
		    .of = pass->self.identity, .known = true, .full_pass_done = true, .cas = cas};
		pass->order = PASS_SAVE;
		return;
	}
	if (pass->phase == PHASE_SETTLE) {
		pass->copies_cas = cas;
		pass->order = PASS_DUMP;
		return;
	}
	for (uint32_t i = 0; i < pass->change->server_count; i++) {
		pass->redoing[i] |= pass->redo[i];
		pass->redo[i] = 0;
	}
	pass->redo_any = false;
	if (!pass->full && nothing_stored(pass, cas) && !redoes(pass)) {
		done(pass);
		return;
	}
	pass->order = PASS_DUMP;
	if (pass->fresh && !pass->base.known) {
		/* N was sanitised and nobody but movers stores there: nothing at N is older than
		 * this mark.  It must be on disk before the first key moves. */
		pass->save =
		    (struct pass_mark){.of = pass->self.identity, .known = true, .cas = cas};
		pass->order = PASS_SAVE;
	}
}

/* What a further pass would find if keys change on as they did. */
static uint64_t left_over(uint64_t found, uint64_t before)
{
	return before > 0 ? (uint64_t)((double)found * (double)found / (double)before) : found;
}

static void copy_pass_ended(struct pass *pass, bool redone)
{
	uint64_t found = pass->round_found, before = redone ? 0 : pass->last_found;
	uint64_t left = left_over(found, before), few = pass->work.found / LEFT_SHARE;
	bool was_full = pass->full;

	if (few < LEFT_FEW)
		few = LEFT_FEW;
	pass->full = false;
	pass->last_found = found;
	if (!was_full && !pass->redo_any && (left <= few || (!redone && found > before / 2)))
		done(pass);
	else
		begin_round(pass);
}

void pass_saved(struct pass *pass)
{
	bool before_pass = !pass->save.full_pass_done, redone;

	pass->base = pass->save;
	if (pass->phase == PHASE_SWITCH) {
		done(pass);
		return;
	}
	if (before_pass) {
		pass->order = PASS_DUMP;
		return;
	}
	redone = redoes(pass);
	memset(pass->redoing, 0, pass->change->server_count);
	copy_pass_ended(pass, redone);
}

/* ---- rounds ---- */

/* A walk over the whole key space has ended. */
static void round_ended(struct pass *pass)
{
	bool incomplete = pass->incomplete;

	pass->incomplete = false;
	pass->rounds++;
	if (incomplete) {
		begin_round(pass);
	} else if (pass->phase == PHASE_COPY) {
		pass->save = (struct pass_mark){.of = pass->self.identity,
						.known = true,
						.full_pass_done = true,
						.cas = pass->next_cas};
		pass->order = PASS_SAVE;
	} else if (pass->phase == PHASE_SETTLE ? pass->work.moved == pass->round_moved
					       : pass->round_found == 0 && pass->rounds >= 2) {
		done(pass);
	} else {
		begin_round(pass);
	}
}

void pass_keys_done(struct pass *pass)
{
	if (++pass->part < pass->parts) {
		pass->order = PASS_DUMP;
	} else {
		round_ended(pass);
	}
}

void pass_incomplete(struct pass *pass)
{
	pass->incomplete = true;
	pass->unresolved = true;
}

void pass_count(struct pass *pass, enum move_result result)
{
	if (pass->work.left > 0)
		pass->work.left--;
	else
		pass->work.found++; /* of a dump that was given up meanwhile */
	switch (result) {
	case MOVE_MOVED:
		pass->work.moved++;
		break;
	case MOVE_PRESENT:
		pass->work.present++;
		break;
	case MOVE_COLD:
		pass->work.cold++;
		break;
	case MOVE_EXPIRED:
		pass->work.expired++;
		break;
	case MOVE_GONE:
		pass->work.gone++;
		break;
	default:
		pass->work.failed++;
		break;
	}
}
