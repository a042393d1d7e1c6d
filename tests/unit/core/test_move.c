/* test_move.c - one key's move: every sequence of replies, and every interleaving with a client. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/move.h"

/* ---- every sequence of replies ---- */

enum { DEPTH_MAX = 12, SOURCE_CAS = 100, STUB_CAS = 7, NEW_CAS = 8, READ_CAS = 101 };

struct step {
	enum move_action action;
	uint64_t cas;
	struct move_reply reply;
};

static struct step path[DEPTH_MAX];
static unsigned depth, ends[MOVE_AGAIN + 1];

static bool at_old(enum move_action action)
{
	return action == MOVE_OLD_READ_CAS || action == MOVE_OLD_READ ||
	       action == MOVE_OLD_DELETE_CAS || action == MOVE_OLD_DELETE;
}

static bool gone_by(const struct move_reply *reply)
{
	return reply->answer == MOVE_OK || reply->answer == MOVE_ABSENT;
}

static bool reserved(const struct step *step)
{
	return step->action == MOVE_NEW_RESERVE && step->reply.answer == MOVE_OK &&
	       step->reply.won && !step->reply.stale && step->reply.size == 0 &&
	       step->reply.has_cas;
}

/* What holds of the command about to be sent, whatever came before. */
static void command_is_allowed(enum move_kind kind, enum move_action action, uint64_t cas)
{
	const struct step *last = depth > 0 ? &path[depth - 1] : NULL;
	uint64_t old_cas = SOURCE_CAS, new_cas = 0;
	bool is_reserved = false, still_old = false, saw_stub = false, asked_old = false;

	/* Where clients are unaware of phases an empty value would be what they read. */
	if (kind >= MOVE_DRAIN_LATE)
		ck_assert(action != MOVE_NEW_RESERVE && action != MOVE_NEW_FILL);
	for (unsigned i = 0; i < depth; i++) {
		const struct step *step = &path[i];

		if (at_old(step->action) && step->reply.answer == MOVE_OK && step->reply.has_cas)
			old_cas = step->reply.cas;
		if (!at_old(step->action) && step->reply.answer == MOVE_OK && step->reply.has_cas)
			new_cas = step->reply.cas;
		is_reserved |= reserved(step);
		saw_stub |=
		    step->action == MOVE_NEW_READ_CAS && step->reply.sent && step->reply.size == 0;
		asked_old |= step->action == MOVE_OLD_READ_CAS;
		still_old |= step->action == MOVE_OLD_READ_CAS && step->reply.answer == MOVE_OK;
	}
	switch (action) {
	case MOVE_NEW_FILL:
		ck_assert(is_reserved && last->action == MOVE_OLD_READ);
		ck_assert(last->reply.answer == MOVE_OK && last->reply.has_value &&
			  last->reply.has_cas);
		ck_assert(!last->reply.stale && !last->reply.won && last->reply.ttl != 0);
		ck_assert(!(last->reply.sent && last->reply.size == 0));
		ck_assert_uint_eq(cas, STUB_CAS);
		break;
	case MOVE_NEW_DELETE:
		ck_assert(kind == MOVE_RECOPY || kind == MOVE_COPY_ABANDON ||
			  kind == MOVE_COPY_COLD);
		ck_assert_uint_eq(depth, 0);
		break;
	case MOVE_NEW_DELETE_CAS:
		ck_assert_uint_eq(cas, new_cas);
		if (kind == MOVE_DRAIN_LATE) /* read there first: what is stored later stays */
			ck_assert(asked_old);
		else if (kind == MOVE_COMPARE) /* its win may have been taken by our read */
			ck_assert(last->reply.stale || last->reply.won ||
				  (last->reply.sent && last->reply.size == 0));
		else
			ck_assert(is_reserved || still_old || saw_stub);
		break;
	case MOVE_OLD_DELETE_CAS:
		ck_assert_uint_eq(cas, old_cas);
		if (kind < MOVE_DRAIN) { /* a copy removes only what somebody recomputes */
			ck_assert(last->action == MOVE_OLD_READ && last->reply.answer == MOVE_OK);
			ck_assert(last->reply.stale || last->reply.won ||
				  (last->reply.sent && last->reply.size == 0));
		}
		break;
	case MOVE_OLD_DELETE:
		ck_assert_int_eq(kind, MOVE_DROP);
		break;
	default:
		break;
	}
}

/* What holds at the end. */
static void end_is_allowed(enum move_kind kind, const struct move *move)
{
	bool filled = false, stub_stands = false, dropped = false, removed = false;
	const struct step *last = &path[depth - 1];

	ends[move->result]++;
	for (unsigned i = 0; i < depth; i++) {
		const struct step *step = &path[i];
		bool differs = step->reply.answer == MOVE_DIFFERS;

		if (reserved(step))
			stub_stands = true;
		if (step->action == MOVE_NEW_FILL && step->reply.answer == MOVE_OK)
			filled = true;
		if ((step->action == MOVE_NEW_FILL || step->action == MOVE_NEW_DELETE_CAS) &&
		    (gone_by(&step->reply) || differs))
			stub_stands = false;
		removed |= step->action == MOVE_OLD_DELETE_CAS && gone_by(&step->reply);
		dropped |= step->action == MOVE_OLD_DELETE && step->reply.answer == MOVE_OK;
	}
	if (move->result == MOVE_MOVED)
		ck_assert(filled || dropped || (kind == MOVE_COMPARE && removed));
	if (kind >= MOVE_DRAIN_LATE && move->result == MOVE_AGAIN)
		ck_assert_int_eq(move->kind, kind);
	if (move->result != MOVE_AGAIN) {
		ck_assert(!stub_stands);
		ck_assert_int_ne(last->reply.answer, MOVE_LOST);
	} else {
		/* What may have been left at N is dealt with first by the next attempt. */
		if (stub_stands)
			ck_assert(move->kind == MOVE_RECOPY || move->kind == MOVE_DRAIN_NEWER);
		ck_assert_int_eq(move->kind >= MOVE_DRAIN, kind >= MOVE_DRAIN);
		/* O's copy is another by now: what N holds is older. */
		if (last->action == MOVE_OLD_DELETE_CAS && last->reply.answer == MOVE_DIFFERS &&
		    kind >= MOVE_DRAIN)
			ck_assert_int_ne(move->kind, MOVE_DRAIN);
	}
	if (kind >= MOVE_DRAIN && kind != MOVE_DROP &&
	    !(kind == MOVE_COMPARE && move->result == MOVE_PRESENT) &&
	    (move->result == MOVE_MOVED || move->result == MOVE_PRESENT ||
	     move->result == MOVE_FAILED || move->result == MOVE_COLD)) {
		ck_assert(removed);
	}
}

/* The shapes of reply that the next command may get, hostile ones among them. */
static unsigned replies(enum move_kind kind, enum move_action action, struct move_reply *out)
{
	static const struct move_reply hits[] = {
	    {.has_cas = true, .has_value = true, .ttl = -1, .size = 5},
	    {.has_cas = true, .has_value = true, .ttl = -1, .size = 5, .value_hash = 1},
	    {.has_cas = true, .has_value = true, .ttl = -1, .size = 0},
	    {.has_cas = true, .has_value = true, .ttl = 0, .size = 5},
	    {.has_cas = true, .has_value = true, .ttl = -1, .size = 5, .stale = true, .won = true},
	    {.has_cas = true, .has_value = true, .ttl = -1, .size = 5, .stale = true, .sent = true},
	    {.has_cas = true, .has_value = true, .ttl = -1, .size = 5, .sent = true},
	    {.has_cas = true, .has_value = true, .ttl = 9, .size = 0, .sent = true},
	    {.has_cas = true, .has_value = true, .ttl = 9, .size = 0, .won = true},
	    {.has_cas = false, .has_value = false, .ttl = -1, .size = 0, .won = true},
	    {.has_cas = true, .has_value = false, .ttl = -1, .size = 0},
	};
	unsigned n = 0;

	for (int answer = MOVE_OK; answer < MOVE_ANSWERS; answer++) {
		bool reads = action == MOVE_NEW_RESERVE || action == MOVE_NEW_READ_CAS ||
			     action == MOVE_NEW_READ || action == MOVE_OLD_READ ||
			     action == MOVE_OLD_READ_CAS;

		if (answer != MOVE_OK || !reads) {
			out[n++] = (struct move_reply){.answer = (enum move_answer)answer};
			continue;
		}
		for (size_t i = 0; i < sizeof(hits) / sizeof(hits[0]); i++) {
			out[n] = hits[i];
			out[n].answer = MOVE_OK;
			if (out[n].has_cas)
				out[n].cas = action == MOVE_NEW_RESERVE	   ? STUB_CAS
					     : action == MOVE_NEW_READ_CAS ? NEW_CAS
					     : action == MOVE_NEW_READ	   ? NEW_CAS
					     : kind == MOVE_COMPARE	   ? SOURCE_CAS
									   : READ_CAS;
			n++;
		}
	}
	return n;
}

static void walk(enum move_kind kind, const struct move *move, enum move_action action)
{
	struct move_reply all[32];
	unsigned count = replies(kind, action, all);

	ck_assert_uint_lt(depth, DEPTH_MAX);
	command_is_allowed(kind, action, move->cas);
	for (unsigned i = 0; i < count; i++) {
		struct move next = *move;
		enum move_action then;

		path[depth++] = (struct step){.action = action, .cas = move->cas, .reply = all[i]};
		then = move_advance(&next, &all[i]);
		if (then == MOVE_END)
			end_is_allowed(kind, &next);
		else
			walk(kind, &next, then);
		depth--;
	}
}

START_TEST(every_sequence_of_replies_ends_by_the_rules)
{
	struct move move;
	enum move_action first = move_begin(&move, (enum move_kind)_i, SOURCE_CAS);

	depth = 0;
	memset(ends, 0, sizeof(ends));
	walk((enum move_kind)_i, &move, first);
	ck_assert_uint_gt(ends[MOVE_AGAIN], 0);
	if (_i == MOVE_COPY_COLD || _i == MOVE_DRAIN_COLD) {
		ck_assert_uint_gt(ends[MOVE_COLD], 0);
		ck_assert_uint_eq(ends[MOVE_MOVED], 0);
		return;
	}
	ck_assert_uint_eq(ends[MOVE_COLD], 0);
	ck_assert_uint_gt(ends[MOVE_GONE] + ends[MOVE_FAILED], 0);
	if (_i != MOVE_COPY_ABANDON && _i != MOVE_DRAIN_ABANDON && _i != MOVE_DRAIN_LATE &&
	    _i != MOVE_DRAIN_LEAVE && _i != MOVE_DRAIN_LOSE)
		ck_assert_uint_gt(ends[MOVE_MOVED], 0);
}
END_TEST

/* ---- single rules, by name ---- */

START_TEST(a_key_of_an_owner_that_is_given_up_goes_at_the_old_one_alone)
{
	static const struct {
		enum move_answer answer;
		enum move_result result;
	} want[] = {{MOVE_OK, MOVE_FAILED},
		    {MOVE_ABSENT, MOVE_GONE},
		    {MOVE_DIFFERS, MOVE_GONE},
		    {MOVE_LOST, MOVE_AGAIN}};
	struct move move;
	struct move_reply reply = {.answer = want[_i].answer};

	ck_assert_int_eq(move_begin(&move, MOVE_DRAIN_LOSE, SOURCE_CAS), MOVE_OLD_DELETE_CAS);
	ck_assert_uint_eq(move.cas, SOURCE_CAS);
	ck_assert_int_eq(move_advance(&move, &reply), MOVE_END);
	ck_assert_int_eq(move.result, want[_i].result);
	if (want[_i].result == MOVE_AGAIN)
		ck_assert_int_eq(move.kind, MOVE_DRAIN_LOSE);
}
END_TEST

static struct move_reply hit(uint64_t cas, uint64_t size)
{
	return (struct move_reply){.answer = MOVE_OK,
				   .has_cas = true,
				   .has_value = true,
				   .cas = cas,
				   .size = size,
				   .ttl = -1};
}

static struct move_reply won(void)
{
	struct move_reply reply = hit(STUB_CAS, 0);

	reply.won = true;
	return reply;
}

START_TEST(a_copy_stays_only_while_it_equals_its_original)
{
	struct move_reply copy = hit(SOURCE_CAS, 5), newer = hit(READ_CAS, 5),
			  same = hit(NEW_CAS, 5);
	struct move_reply other = same, missing = {.answer = MOVE_MISS}, ok = {.answer = MOVE_OK};
	const struct move_reply *const originals[] = {&same, &other, &missing};
	struct move move;

	other.value_hash = 1;
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_int_eq(move_begin(&move, MOVE_COMPARE, SOURCE_CAS), MOVE_OLD_READ);
		ck_assert_int_eq(move_advance(&move, &copy), MOVE_NEW_READ);
		if (i == 0) {
			ck_assert_int_eq(move_advance(&move, originals[i]), MOVE_END);
			ck_assert_int_eq(move.result, MOVE_PRESENT);
			continue;
		}
		ck_assert_int_eq(move_advance(&move, originals[i]), MOVE_OLD_DELETE_CAS);
		ck_assert_uint_eq(move.cas, SOURCE_CAS);
		ck_assert_int_eq(move_advance(&move, &ok), MOVE_END);
		ck_assert_int_eq(move.result, MOVE_MOVED);
	}
	/* Stored since the dump: a client did that, and it is not asked about. */
	ck_assert_int_eq(move_begin(&move, MOVE_COMPARE, SOURCE_CAS), MOVE_OLD_READ);
	ck_assert_int_eq(move_advance(&move, &newer), MOVE_END);
	ck_assert_int_eq(move.result, MOVE_PRESENT);
}
END_TEST

START_TEST(a_late_write_goes_at_the_new_owner_first_whatever_has_become_of_it)
{
	struct move_reply there = hit(NEW_CAS, 5), still = hit(READ_CAS, 5);
	struct move_reply missing = {.answer = MOVE_MISS}, ok = {.answer = MOVE_OK};
	struct move move;

	for (unsigned gone = 0; gone < 2; gone++) {
		ck_assert_int_eq(move_begin(&move, MOVE_DRAIN_LATE, SOURCE_CAS), MOVE_NEW_READ_CAS);
		ck_assert_int_eq(move_advance(&move, &there), MOVE_OLD_READ_CAS);
		ck_assert_int_eq(move_advance(&move, gone ? &missing : &still),
				 MOVE_NEW_DELETE_CAS);
		ck_assert_uint_eq(move.cas, NEW_CAS);
		ck_assert_int_eq(move_advance(&move, &ok), MOVE_OLD_DELETE_CAS);
		ck_assert_uint_eq(move.cas, gone ? SOURCE_CAS : READ_CAS);
		ck_assert_int_eq(move_advance(&move, &ok), MOVE_END);
		ck_assert_int_eq(move.result, MOVE_FAILED);
	}
	/* Nothing is put at N in its place. */
	ck_assert_int_eq(move_begin(&move, MOVE_DRAIN_LATE, SOURCE_CAS), MOVE_NEW_READ_CAS);
	ck_assert_int_eq(move_advance(&move, &missing), MOVE_OLD_DELETE_CAS);
}
END_TEST

START_TEST(an_empty_value_moves_and_is_no_stub)
{
	struct move_reply reply = won(), empty = hit(READ_CAS, 0);
	struct move move;

	ck_assert_int_eq(move_begin(&move, MOVE_COPY, 1), MOVE_NEW_RESERVE);
	ck_assert_int_eq(move_advance(&move, &reply), MOVE_OLD_READ);
	ck_assert_int_eq(move_advance(&move, &empty), MOVE_NEW_FILL);
	/* at N an empty value without Z is present */
	ck_assert_int_eq(move_begin(&move, MOVE_COPY, 1), MOVE_NEW_RESERVE);
	ck_assert_int_eq(move_advance(&move, &empty), MOVE_END);
	ck_assert_int_eq(move.result, MOVE_PRESENT);
}
END_TEST

START_TEST(another_movers_stub_is_come_back_to)
{
	struct move_reply stub = hit(NEW_CAS, 0);
	struct move move;

	stub.sent = true;
	for (int kind = MOVE_COPY; kind <= MOVE_DRAIN; kind += MOVE_DRAIN - MOVE_COPY) {
		ck_assert_int_eq(move_begin(&move, (enum move_kind)kind, 1), MOVE_NEW_RESERVE);
		ck_assert_int_eq(move_advance(&move, &stub), MOVE_END);
		ck_assert_int_eq(move.result, MOVE_AGAIN);
		ck_assert_int_eq(move.kind, kind);
	}
}
END_TEST

START_TEST(a_ttl_above_thirty_days_is_a_point_in_time)
{
	ck_assert_int_eq(move_ttl_written(-1, 1800000000), 0);
	ck_assert_int_eq(move_ttl_written(1, 1800000000), 1);
	ck_assert_int_eq(move_ttl_written(2592000, 1800000000), 2592000);
	ck_assert_int_eq(move_ttl_written(2592001, 1800000000), 1802592001);
	ck_assert_int_eq(move_ttl_written(2000000000, 1800000000), INT32_MAX);
	ck_assert_int_eq(move_ttl_written(INT64_MAX, 1800000000), INT32_MAX);
}
END_TEST

/* ---- every interleaving with a client, a lost connection and an eviction ---- */

/* Both servers hold one key.  Values are versions; the greater is the newer. */
enum { NONE = 0, STUB = 200 };

struct item {
	uint8_t value;
	uint64_t cas;
};

struct world {
	struct item old, new;
	uint64_t old_counter, new_counter, mark;
	struct move move;
	enum move_action action; /* the mover's next; MOVE_END: it is through */
	uint8_t read_value;	 /* what step 2 read */
	uint8_t attempts, losses, evictions;
	bool draining;
	uint8_t client; /* steps done: 0, 1, 2 */
	bool client_sets, client_dies, client_may_not;
	uint8_t oldest_allowed; /* the last write completed */
	bool stored;		/* nothing was lost or deleted: a read must hit */
};

static uint64_t worlds;

static struct move_reply item_reply(const struct item *item)
{
	if (item->value == NONE)
		return (struct move_reply){.answer = MOVE_MISS};
	return (struct move_reply){.answer = MOVE_OK,
				   .has_cas = true,
				   .has_value = true,
				   .cas = item->cas,
				   .size = item->value == STUB ? 0 : 1,
				   .sent = item->value == STUB,
				   .ttl = -1};
}

static struct move_reply item_delete(struct item *item, bool by_cas, uint64_t cas)
{
	if (item->value == NONE)
		return (struct move_reply){.answer = MOVE_ABSENT};
	if (by_cas && item->cas != cas)
		return (struct move_reply){.answer = MOVE_DIFFERS};
	*item = (struct item){0};
	return (struct move_reply){.answer = MOVE_OK};
}

/* Carries out the mover's command on its server. */
static struct move_reply execute(struct world *world)
{
	struct move_reply reply;

	switch (world->action) {
	case MOVE_NEW_DELETE:
		return item_delete(&world->new, false, 0);
	case MOVE_NEW_DELETE_CAS:
		return item_delete(&world->new, true, world->move.cas);
	case MOVE_OLD_DELETE_CAS:
		return item_delete(&world->old, true, world->move.cas);
	case MOVE_NEW_READ_CAS:
		return item_reply(&world->new);
	case MOVE_OLD_READ_CAS:
		return item_reply(&world->old);
	case MOVE_OLD_READ:
		world->read_value = world->old.value;
		return item_reply(&world->old);
	case MOVE_NEW_RESERVE:
		if (world->new.value != NONE)
			return item_reply(&world->new);
		world->new = (struct item){STUB, ++world->new_counter};
		reply = item_reply(&world->new);
		reply.won = true;
		reply.sent = false;
		return reply;
	default: /* MOVE_NEW_FILL */
		if (world->new.value == NONE)
			return (struct move_reply){.answer = MOVE_ABSENT};
		if (world->new.cas != world->move.cas)
			return (struct move_reply){.answer = MOVE_DIFFERS};
		world->new = (struct item){world->read_value, ++world->new_counter};
		return (struct move_reply){.answer = MOVE_OK};
	}
}

static void mover_told(struct world *world, const struct move_reply *reply)
{
	world->action = move_advance(&world->move, reply);
	if (world->action != MOVE_END || world->move.result != MOVE_AGAIN)
		return;
	if (++world->attempts > 3) {
		world->action = MOVE_END;
		return;
	}
	world->action =
	    move_begin(&world->move, (enum move_kind)world->move.kind, world->move.source_cas);
}

/* A client's command, by the rows of COPY and of DRAIN: version 9, or a delete. */
static void client_step(struct world *world)
{
	bool last = world->client == 1;

	if (world->draining ? !last : last) { /* the delete at O (DRAIN) or at N (COPY) */
		(void)item_delete(world->draining ? &world->old : &world->new, false, 0);
	} else if (world->draining) {
		if (world->client_sets)
			world->new = (struct item){9, ++world->new_counter};
		else
			world->new = (struct item){0};
	} else {
		if (world->client_sets)
			world->old = (struct item){9, ++world->old_counter};
		else
			world->old = (struct item){0};
	}
	world->client++;
	world->stored = false;
	if (world->client == 2) {
		world->oldest_allowed = 9;
		world->stored = world->client_sets && world->evictions == 0;
	}
}

static uint8_t seen(const struct item *item)
{
	return item->value == STUB ? NONE : item->value;
}

/* A read by the rule of the phase, with nothing going on meanwhile. */
static void read_is_right(const struct world *world)
{
	const struct item *first = world->draining ? &world->new : &world->old;
	const struct item *second = world->draining ? &world->old : &world->new;
	uint8_t value = seen(first) != NONE ? seen(first) : seen(second);

	ck_assert_msg(value == NONE || value >= world->oldest_allowed,
		      "stale: %u at O, %u at N, oldest allowed %u, kind %u", world->old.value,
		      world->new.value, world->oldest_allowed, world->move.kind);
	if (world->stored)
		ck_assert_msg(value != NONE, "missed: %u at O, %u at N, kind %u", world->old.value,
			      world->new.value, world->move.kind);
}

static void through_is_right(const struct world *world)
{
	if (world->move.result == MOVE_AGAIN)
		return;
	ck_assert_uint_ne(world->new.value, STUB);
	if (world->client == 0 && world->evictions == 0 && world->stored)
		ck_assert_uint_eq(world->new.value, 2);
	/* What N holds is not older than O's value, unless O's was written since the mark. */
	if (world->new.value != NONE && world->old.value != NONE &&
	    world->new.value < world->old.value)
		ck_assert_uint_gt(world->old.cas, world->mark);
}

static void explore(const struct world *world);

static void explore_mover(const struct world *world)
{
	struct world next = *world;
	struct move_reply reply = execute(&next), lost = {.answer = MOVE_LOST};

	mover_told(&next, &reply);
	explore(&next);
	if (world->losses > 0)
		return;
	next = *world; /* lost after it was carried out */
	(void)execute(&next);
	next.losses++;
	mover_told(&next, &lost);
	explore(&next);
	next = *world; /* and before */
	next.losses++;
	mover_told(&next, &lost);
	explore(&next);
}

static void explore(const struct world *world)
{
	worlds++;
	if (world->client != 1 || world->client_dies)
		read_is_right(world);
	if (world->action != MOVE_END)
		explore_mover(world);
	else
		through_is_right(world);
	if (!world->client_may_not &&
	    (world->client == 0 || (world->client == 1 && !world->client_dies))) {
		struct world next = *world;

		client_step(&next);
		explore(&next);
	}
	if (world->evictions == 0 && world->action != MOVE_END && world->new.value != NONE) {
		struct world next = *world;

		next.evictions++;
		next.stored &= world->new.value == STUB; /* O has it still */
		next.new = (struct item){0};
		explore(&next);
	}
}

static void explore_from(enum move_kind kind, uint8_t old, uint8_t new)
{
	for (unsigned client = 0; client < 5; client++) {
		struct world world = {
		    .old = {old, 50},
		    .new = {new, new != NONE ? 20 : 0},
		    .old_counter = 60,
		    .new_counter = 30,
		    .mark = 55,
		    .draining = kind >= MOVE_DRAIN,
		    .client_may_not = client == 0,
		    /* O older than N: an eviction at N would bring O's back, mover or not. */
		    .evictions = new != STUB &&new > old,
		    .client_sets = client == 1 || client == 2,
		    .client_dies = client == 2 || client == 4,
		    /* Only a write that was never completed leaves an older value at N. */
		    .oldest_allowed = new != NONE &&new != STUB ? new : old,
		    /* With the mark unknown what stands on both sides is given up. */
		    .stored = kind != MOVE_DRAIN_UNSURE || seen(&(struct item){new, 0}) == NONE,
		};

		world.action = move_begin(&world.move, kind, world.old.cas);
		explore(&world);
	}
}

START_TEST(no_interleaving_with_a_client_shows_a_stale_value_or_loses_one)
{
	worlds = 0;
	explore_from(MOVE_COPY, 2, NONE);
	explore_from(MOVE_COPY, 2, 2);
	explore_from(MOVE_RECOPY, 2, 1);
	explore_from(MOVE_RECOPY, 2, STUB);
	explore_from(MOVE_DRAIN, 2, NONE);
	explore_from(MOVE_DRAIN, 2, 2);
	explore_from(MOVE_DRAIN, 2, STUB);
	explore_from(MOVE_DRAIN_NEWER, 2, NONE);
	explore_from(MOVE_DRAIN_NEWER, 2, 1);
	explore_from(MOVE_DRAIN_NEWER, 2, STUB);
	explore_from(MOVE_DRAIN_UNSURE, 2, NONE);
	explore_from(MOVE_DRAIN_UNSURE, 2, 2);
	explore_from(MOVE_DRAIN_UNSURE, 2, 3);
	explore_from(MOVE_DRAIN_UNSURE, 2, STUB);
	ck_assert_uint_gt(worlds, 10000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("move");
	TCase *rules = tcase_create("rules");
	SRunner *runner;
	int failed;

	tcase_add_test(rules, a_copy_stays_only_while_it_equals_its_original);
	tcase_add_test(rules, a_late_write_goes_at_the_new_owner_first_whatever_has_become_of_it);
	tcase_add_loop_test(rules, every_sequence_of_replies_ends_by_the_rules, 0, MOVE_KINDS);
	tcase_add_loop_test(rules, a_key_of_an_owner_that_is_given_up_goes_at_the_old_one_alone, 0,
			    4);
	tcase_add_test(rules, an_empty_value_moves_and_is_no_stub);
	tcase_add_test(rules, another_movers_stub_is_come_back_to);
	tcase_add_test(rules, a_ttl_above_thirty_days_is_a_point_in_time);
	tcase_add_test(rules, no_interleaving_with_a_client_shows_a_stale_value_or_loses_one);
	suite_add_tcase(suite, rules);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
