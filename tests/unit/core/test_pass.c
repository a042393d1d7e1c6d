/* test_pass.c - the order of a phase's work, its marks, its counts, and when it is done. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/pass.h"

#define SECOND 1000000000ull

enum { SLOTS = 1024, A = 0, B = 1, C = 2 };

/* a owns everything; b, in the old list too, gets a part of it, c, new, another. */
static struct change_server servers[3];
static uint16_t old_owner[SLOTS], new_owner[SLOTS];
static struct change change;
static struct pass pass;

static const struct pass_server good = {.identity = {.known = true, .pid = 7, .start_time = 1000},
					.cas_enabled = true,
					.dump_enabled = true,
					.crawler_enabled = true,
					.meta_protocol = true};

static void set_up(void)
{
	memset(&change, 0, sizeof(change));
	memset(servers, 0, sizeof(servers));
	memset(old_owner, 0, sizeof(old_owner));
	for (int i = 0; i < SLOTS; i++)
		new_owner[i] = (uint16_t)(i % 4 == 1 ? B : i % 4 == 2 ? C : A);
	for (int i = 0; i < 3; i++) {
		(void)snprintf(servers[i].name, sizeof(servers[i].name), "cache0%d", i + 1);
		(void)snprintf(servers[i].address, sizeof(servers[i].address), "10.0.0.%d:11211",
			       i + 1);
		servers[i].in_old = i != C;
		servers[i].in_new = true;
	}
	servers[A].lost = SLOTS / 2;
	servers[B].gained = servers[C].gained = SLOTS / 4;
	change.parts = SLOTS;
	change.in_slots = true;
	change.server_count = 3;
	change.servers = servers;
	change.old_table = table_of_slots(old_owner, SLOTS);
	change.new_table = table_of_slots(new_owner, SLOTS);
	change.op_timeout_ms = 1000;
}

static void tear_down(void)
{
	pass_free(&pass);
}

static void begin(uint32_t server, enum phase phase, bool restarted, struct pass_mark mark)
{
	struct pass_setup setup = {.change = &change,
				   .server = server,
				   .phase = phase,
				   .restarted = restarted,
				   .mark = mark,
				   .now_ns = 100 * SECOND,
				   .op_timeout_ms = 1000};

	ck_assert_int_eq(pass_init(&pass, &setup), 0);
	ck_assert_int_eq(pass_order(&pass, setup.now_ns), PASS_IDENTIFY);
	(void)pass_identified(&pass, &good);
}

static struct pass_mark mark_of(uint64_t cas)
{
	return (struct pass_mark){
	    .of = good.identity, .known = true, .full_pass_done = true, .cas = cas};
}

static enum pass_order order(void)
{
	return pass_order(&pass, 100 * SECOND);
}

/* The i-th key that goes from one owner to another. */
static size_t key_to(uint32_t to, unsigned i, char key[32])
{
	for (unsigned n = 0;; n++) {
		size_t length = (size_t)snprintf(key, 32, "key:%u", n);
		uint32_t was, is;

		change_key_owners(&change, key, length, &was, &is);
		if (is == to && i-- == 0)
			return length;
	}
}

static struct pass_verdict line(const void *key, size_t length, uint64_t cas)
{
	struct pass_verdict verdict;

	pass_line(&pass, key, length, cas, &verdict);
	return verdict;
}

static struct pass_verdict line_to(uint32_t to, unsigned i, uint64_t cas)
{
	char key[32];
	size_t length = key_to(to, i, key);

	return line(key, length, cas);
}

/* A dump with `keys` keys that go to b, all of the same CAS. */
static void dump(unsigned keys, uint64_t cas)
{
	char key[32];
	size_t length = key_to(B, 0, key);

	ck_assert_int_eq(order(), PASS_DUMP);
	pass_dump_begin(&pass);
	for (unsigned i = 0; i < keys; i++)
		(void)line(key, length, cas);
	pass_dumped(&pass, keys, 0);
}

static void keys(unsigned count, enum move_result result)
{
	ck_assert_int_eq(order(), PASS_KEYS);
	for (unsigned i = 0; i < count; i++)
		pass_count(&pass, result);
	pass_keys_done(&pass);
}

static void mark(uint64_t cas)
{
	ck_assert_int_eq(order(), PASS_MARK);
	pass_marked(&pass, cas);
}

static void saved(uint64_t cas, bool full_pass_done)
{
	ck_assert_int_eq(order(), PASS_SAVE);
	ck_assert(pass.save.known);
	ck_assert_uint_eq(pass.save.cas, cas);
	ck_assert_int_eq(pass.save.full_pass_done, full_pass_done);
	ck_assert_uint_eq(pass.save.of.pid, pass.self.identity.pid);
	pass_saved(&pass);
}

START_TEST(copy_marks_before_it_moves_and_ends_with_a_small_delta)
{
	begin(A, PHASE_COPY, false, (struct pass_mark){0});
	mark(500);
	saved(500, false); /* on disk before the first key moves */
	dump(5000, 400);
	keys(5000, MOVE_MOVED);
	saved(500, true);
	mark(9000);
	dump(2500, 600); /* too many changed: one more pass */
	keys(2500, MOVE_MOVED);
	saved(9000, true); /* a pass's own mark counts only when it is through */
	mark(12000);
	dump(10, 9500);
	keys(10, MOVE_MOVED);
	saved(12000, true);
	ck_assert_int_eq(order(), PASS_DONE);
	ck_assert_int_eq(pass.work.state, WORK_DONE);
	ck_assert_uint_eq(pass.work.moved, 7510);
	ck_assert_uint_eq(pass.work.found, 7510);
	ck_assert_uint_eq(pass.work.left, 0);
}
END_TEST

START_TEST(no_dump_looks_for_what_no_store_can_have_changed)
{
	begin(A, PHASE_COPY, false, (struct pass_mark){0});
	mark(500);
	saved(500, false);
	dump(5000, 400);
	keys(5000, MOVE_MOVED);
	saved(500, true);
	mark(501); /* the probe item's own */
	ck_assert_int_eq(order(), PASS_DONE);
	ck_assert_uint_eq(pass.base.cas, 500); /* DRAIN goes by the pass that was made */
}
END_TEST

START_TEST(a_single_store_since_the_mark_is_looked_for)
{
	begin(A, PHASE_COPY, false, (struct pass_mark){0});
	mark(500);
	saved(500, false);
	dump(5000, 400);
	keys(5000, MOVE_MOVED);
	saved(500, true);
	mark(502);
	ck_assert_int_eq(order(), PASS_DUMP);
}
END_TEST

START_TEST(a_new_owner_that_lost_its_memory_gets_a_dump_though_nothing_was_stored)
{
	begin(A, PHASE_COPY, false, (struct pass_mark){0});
	mark(500);
	saved(500, false);
	dump(10, 400);
	pass_destination_restarted(&pass, C);
	keys(10, MOVE_MOVED);
	saved(500, true);
	mark(501);
	ck_assert_int_eq(order(), PASS_DUMP);
	pass_dump_begin(&pass);
	ck_assert(line_to(C, 0, 400).concerned);
}
END_TEST

START_TEST(a_round_of_all_keys_is_walked_though_nothing_was_stored)
{
	begin(A, PHASE_COPY, false, (struct pass_mark){0});
	mark(500);
	saved(500, false);
	dump(10, 400);
	pass_incomplete(&pass);
	keys(9, MOVE_MOVED);
	mark(501);
	ck_assert_int_eq(order(), PASS_DUMP);
	pass_free(&pass);
	begin(A, PHASE_COPY, true, mark_of(500)); /* whatever the mover before this one did */
	mark(501);
	ck_assert_int_eq(order(), PASS_DUMP);
}
END_TEST

/* A pass of COPY that finds so many changed keys. */
static void delta(unsigned changed, uint64_t cas)
{
	mark(cas);
	dump(changed, cas - 1);
	keys(changed, MOVE_MOVED);
	saved(cas, true);
}

static void full_pass(unsigned found)
{
	begin(A, PHASE_COPY, false, (struct pass_mark){0});
	mark(500);
	saved(500, false);
	dump(found, 400);
	keys(found, MOVE_MOVED);
	saved(500, true);
}

START_TEST(passes_go_on_while_the_next_would_find_many_and_fewer)
{
	full_pass(20000);
	delta(10000, 20000); /* 5000 more are left, if it goes on like this */
	ck_assert_int_ne(order(), PASS_DONE);
	delta(5000, 40000); /* 2500: a dump costs more than they do */
	ck_assert_int_eq(order(), PASS_DONE);
}
END_TEST

START_TEST(no_pass_is_made_for_few_keys)
{
	full_pass(20000);
	delta(7000, 20000);
	ck_assert_int_eq(order(), PASS_DONE);
	pass_free(&pass);
	full_pass(2000);
	delta(1000, 20000); /* a quarter, but only 500 */
	ck_assert_int_eq(order(), PASS_DONE);
}
END_TEST

START_TEST(keys_that_change_as_fast_as_they_move_do_not_hold_copy_up)
{
	full_pass(20000);
	delta(10001, 20000);
	ck_assert_int_eq(order(), PASS_DONE);
}
END_TEST

START_TEST(what_a_new_owner_lost_says_nothing_of_how_fast_keys_change)
{
	static const unsigned again[] = {7000, 15000};

	for (size_t i = 0; i < 2; i++) {
		begin(A, PHASE_COPY, false, (struct pass_mark){0});
		mark(500);
		saved(500, false);
		dump(20000, 400);
		pass_destination_restarted(&pass, B);
		keys(20000, MOVE_MOVED);
		saved(500, true);
		delta(again[i], 20000); /* what changed, and all that B had */
		ck_assert_int_ne(order(), PASS_DONE);
		delta(100, 40000);
		ck_assert_int_eq(order(), PASS_DONE);
		pass_free(&pass);
	}
}
END_TEST

START_TEST(what_was_written_since_the_mark_is_deleted_at_the_new_owner_first)
{
	begin(A, PHASE_COPY, false, (struct pass_mark){0});
	mark(500);
	saved(500, false);
	pass_dump_begin(&pass);
	ck_assert_int_eq(line_to(B, 0, 500).kind, MOVE_COPY);
	ck_assert_int_eq(line_to(B, 1, 501).kind, MOVE_RECOPY);
	ck_assert_uint_eq(line_to(C, 0, 1).destination, C);
	ck_assert(!line_to(A, 0, 501).concerned);
	pass_dumped(&pass, 4, 0);
	keys(3, MOVE_MOVED);
	saved(500, true);
	mark(900);
	pass_dump_begin(&pass); /* a delta pass: only what changed */
	ck_assert(!line_to(B, 0, 500).concerned);
	ck_assert_int_eq(line_to(B, 1, 501).kind, MOVE_RECOPY);
}
END_TEST

START_TEST(what_is_about_to_expire_is_left_to_drain_unless_it_changed)
{
	struct pass_verdict copy = {.kind = MOVE_COPY}, recopy = {.kind = MOVE_RECOPY},
			    drain = {.kind = MOVE_DRAIN};

	ck_assert(!pass_worth(&copy, 0));
	ck_assert(!pass_worth(&copy, PASS_DYING_S));
	ck_assert(pass_worth(&copy, PASS_DYING_S + 1));
	ck_assert(pass_worth(&copy, -1));
	ck_assert(pass_worth(&recopy, 1)); /* its new owner may hold something older */
	ck_assert(pass_worth(&drain, 1));
	begin(A, PHASE_COPY, false, (struct pass_mark){0});
	mark(500);
	saved(500, false);
	pass_dump_begin(&pass);
	(void)line_to(B, 0, 500);
	(void)line_to(B, 1, 499);
	pass_expired(&pass, true);
	ck_assert_uint_eq(pass.work.found, 2);
	ck_assert_uint_eq(pass.work.expired, 1);
	ck_assert_uint_eq(pass.work.left, 1);
	pass_dump_begin(&pass); /* it did not come to its end: all is found again */
	ck_assert_uint_eq(pass.work.found, 0);
	ck_assert_uint_eq(pass.work.expired, 0);
	(void)line_to(B, 1, 499);
	pass_expired(&pass, true);
	pass_dumped(&pass, 1, 0);
	pass_keys_done(&pass);
	ck_assert_uint_eq(pass.work.found, 1);
	ck_assert_uint_eq(pass.work.expired, 1); /* the next pass may not find it */
}
END_TEST

START_TEST(a_restarted_mover_starts_over_from_the_saved_mark_and_waits_for_stubs)
{
	begin(A, PHASE_COPY, true, mark_of(500));
	mark(900);
	ck_assert_int_eq(order(), PASS_DUMP); /* 500 stays on disk: this pass may be lost as well */
	pass_dump_begin(&pass);
	ck_assert_int_eq(line_to(B, 0, 500).kind, MOVE_COPY);
	ck_assert_int_eq(line_to(B, 1, 501).kind, MOVE_RECOPY);
	pass_dumped(&pass, 2, 0);
	keys(2, MOVE_PRESENT);
	saved(900, true);
	mark(902);
	dump(0, 0);
	keys(0, MOVE_MOVED);
	saved(902, true);
	ck_assert_int_eq(order(), PASS_WAIT);
	ck_assert_int_eq(pass_order(&pass, 113 * SECOND - 1), PASS_WAIT);
	ck_assert_int_eq(pass_order(&pass, 113 * SECOND), PASS_DONE); /* 10 s + 2 s + op_timeout */
}
END_TEST

START_TEST(a_restarted_drain_looks_when_what_was_sent_before_it_is_carried_out)
{
	begin(A, PHASE_DRAIN, true, mark_of(500));
	ck_assert_int_eq(pass_order(&pass, 101 * SECOND - 1), PASS_WAIT);
	ck_assert_int_eq(pass_order(&pass, 101 * SECOND), PASS_DUMP);
	pass_free(&pass);
	begin(A, PHASE_DRAIN, false, mark_of(500));
	ck_assert_int_eq(order(), PASS_DUMP);
	pass_free(&pass);
	begin(A, PHASE_COPY, true, mark_of(500)); /* nothing is removed at O there */
	mark(900);
	ck_assert_int_eq(order(), PASS_DUMP);
}
END_TEST

START_TEST(a_lost_mark_makes_copy_delete_every_key_first)
{
	struct pass_mark other = mark_of(500);

	if (_i == 0) { /* it was lost */
		begin(A, PHASE_COPY, true, (struct pass_mark){0});
	} else { /* it is another process's */
		other.of.start_time++;
		begin(A, PHASE_COPY, true, other);
	}
	mark(900);
	ck_assert_int_eq(order(), PASS_DUMP);
	pass_dump_begin(&pass);
	ck_assert_int_eq(line_to(B, 0, 1).kind, MOVE_RECOPY);
}
END_TEST

START_TEST(a_source_that_was_started_anew_is_copied_anew)
{
	struct pass_server reborn = good;

	begin(A, PHASE_COPY, false, (struct pass_mark){0});
	mark(500);
	saved(500, false);
	dump(10, 400);
	ck_assert(pass_identified(&pass, &good)); /* merely a new connection */
	ck_assert_int_eq(order(), PASS_KEYS);
	reborn.identity.pid++;
	ck_assert(pass_identified(&pass, &reborn));
	mark(3);
	ck_assert_int_eq(order(), PASS_DUMP);
	pass_dump_begin(&pass);
	ck_assert_int_eq(line_to(B, 0, 1).kind, MOVE_RECOPY);
	pass_dumped(&pass, 1, 0);
	keys(1, MOVE_MOVED);
	saved(3, true);
}
END_TEST

START_TEST(a_source_that_was_started_anew_leaves_reservations_behind)
{
	struct pass_server other = good;

	begin(A, PHASE_DRAIN, false, mark_of(50));
	dump(2, 40);
	ck_assert_int_eq(order(), PASS_KEYS);
	/* Its keys are under way when it comes back empty: what they had reserved stays until it
	 * expires, for no dump names them again. */
	other.identity.pid++;
	ck_assert(pass_identified(&pass, &other));
	dump(0, 0);
	pass_keys_done(&pass);
	dump(0, 0);
	pass_keys_done(&pass);
	ck_assert_int_eq(order(), PASS_WAIT);
	ck_assert_int_eq(pass_order(&pass, 113 * SECOND - 1), PASS_WAIT);
	ck_assert_int_eq(pass_order(&pass, 113 * SECOND), PASS_DONE);
}
END_TEST

START_TEST(a_new_owner_that_was_started_anew_gets_its_keys_again)
{
	begin(A, PHASE_COPY, false, (struct pass_mark){0});
	mark(500);
	saved(500, false);
	dump(10, 400);
	pass_destination_restarted(&pass, C);
	keys(10, MOVE_MOVED);
	saved(500, true);
	mark(600);
	pass_dump_begin(&pass);
	ck_assert(!line_to(B, 0, 400).concerned);
	ck_assert(line_to(C, 0, 400).concerned);
	ck_assert_int_eq(line_to(C, 0, 400).kind, MOVE_COPY);
	ck_assert_int_eq(line_to(C, 1, 501).kind, MOVE_RECOPY);
	pass_dumped(&pass, 4, 0);
	pass_destination_restarted(&pass, C); /* and once more: this pass is not enough either */
	keys(3, MOVE_MOVED);
	saved(600, true);
	mark(700);
	pass_dump_begin(&pass);
	ck_assert(line_to(C, 0, 400).concerned);
	pass_dumped(&pass, 1, 0);
	keys(1, MOVE_MOVED);
	saved(700, true);
	ck_assert_int_eq(order(), PASS_DONE);
}
END_TEST

START_TEST(a_key_that_was_not_kept_makes_the_round_be_walked_again)
{
	begin(A, PHASE_COPY, false, mark_of(500));
	mark(600);
	dump(10, 550);
	pass_incomplete(&pass);
	keys(9, MOVE_MOVED);
	mark(700); /* 600 was not saved */
	pass_dump_begin(&pass);
	ck_assert_int_eq(line_to(B, 0, 550).kind, MOVE_RECOPY);
}
END_TEST

START_TEST(drain_goes_by_the_mark_and_ends_with_a_dump_that_finds_nothing)
{
	begin(A, PHASE_DRAIN, false, mark_of(500));
	ck_assert_int_eq(order(), PASS_DUMP);
	pass_dump_begin(&pass);
	ck_assert_int_eq(line_to(B, 0, 500).kind, MOVE_DRAIN);
	ck_assert_int_eq(line_to(B, 1, 501).kind, MOVE_DRAIN_NEWER);
	ck_assert(!line_to(A, 0, 501).concerned);
	pass_dumped(&pass, 3, 0);
	keys(2, MOVE_MOVED);
	dump(1, 1);
	keys(1, MOVE_PRESENT);
	dump(0, 0);
	keys(0, MOVE_MOVED);
	ck_assert_int_eq(order(), PASS_DONE);
}
END_TEST

START_TEST(one_empty_dump_alone_is_not_believed)
{
	begin(A, PHASE_DRAIN, false, mark_of(500));
	dump(0, 0);
	keys(0, MOVE_MOVED);
	ck_assert_int_eq(order(), PASS_DUMP);
	dump(0, 0);
	keys(0, MOVE_MOVED);
	ck_assert_int_eq(order(), PASS_DONE);
}
END_TEST

START_TEST(drain_without_a_mark_trusts_neither_side)
{
	struct pass_mark other = mark_of(500);

	other.of.pid++;
	begin(A, PHASE_DRAIN, false, _i == 0 ? (struct pass_mark){0} : other);
	pass_dump_begin(&pass);
	ck_assert_int_eq(line_to(B, 0, 1).kind, MOVE_DRAIN_UNSURE);
}
END_TEST

START_TEST(nothing_goes_to_an_owner_that_is_given_up)
{
	static uint8_t given_up[REGISTER_SET_BYTES];

	memset(given_up, 0, sizeof(given_up));
	register_set_add(given_up, B);
	begin(A, PHASE_COPY, false, (struct pass_mark){0});
	pass.given_up = given_up;
	pass_dump_begin(&pass);
	ck_assert(!line_to(B, 0, 1).concerned);
	ck_assert(!pass_probe_wanted(&pass, B));
	pass_free(&pass);
	begin(A, PHASE_DRAIN, false, mark_of(500));
	pass.given_up = given_up;
	pass_dump_begin(&pass);
	ck_assert(line_to(B, 0, 1).concerned);
	ck_assert_int_eq(line_to(B, 1, 1).kind, MOVE_DRAIN_LOSE);
	ck_assert_uint_eq(line_to(B, 2, 1).destination, A);
}
END_TEST

START_TEST(purge_and_clean_drop_what_is_owned_by_others)
{
	begin(A, PHASE_PURGE, false, (struct pass_mark){0});
	pass_dump_begin(&pass);
	ck_assert(!line_to(A, 0, 1).concerned);
	ck_assert_int_eq(line_to(B, 0, 1).kind, MOVE_DROP);
	ck_assert_uint_eq(line_to(B, 0, 1).destination, A);
	pass_free(&pass);
	begin(B, PHASE_CLEAN, false, (struct pass_mark){0});
	pass_dump_begin(&pass);
	ck_assert(line_to(B, 0, 1).concerned); /* it is a's again */
}
END_TEST

START_TEST(probe_items_and_other_prefixes_are_never_counted)
{
	uint8_t random[PASS_PROBE_RANDOM_BYTES] = {0xab, 0xcd}, key[250];
	size_t length;

	(void)snprintf(change.prefix, sizeof(change.prefix), "web:");
	begin(C, PHASE_CLEAN, false, (struct pass_mark){0});
	pass_dump_begin(&pass);
	length = pass_probe_key(&pass, random, key);
	ck_assert_mem_eq(key, "web:mcroster:probe:abcd", 23);
	ck_assert(change_key_covered(&change, key, length));
	ck_assert(!line(key, length, 1).concerned);
	ck_assert(
	    line(key, length - 1, 1).concerned); /* an application's own, though it looks odd */
	ck_assert(!line("key:1", 5, 1).concerned);
	ck_assert(line("web:1", 5, 1).concerned);
	ck_assert_uint_eq(pass.covered, 2);
}
END_TEST

static void sanitise(uint32_t server, unsigned foreign, unsigned own)
{
	uint16_t *owner = old_owner;

	begin(server, PHASE_PREPARE, false, (struct pass_mark){0});
	ck_assert_int_eq(order(), PASS_PROBE);
	pass_probed(&pass, server);
	ck_assert_int_eq(order(), PASS_DUMP);
	pass_dump_begin(&pass);
	for (unsigned i = 0; i < foreign; i++)
		(void)line("key", 3, 1);
	for (int i = 0; i < SLOTS; i++)
		owner[i] = (uint16_t)server;
	for (unsigned i = 0; i < own; i++)
		(void)line("key", 3, 1);
	memset(owner, 0, sizeof(old_owner));
	pass_dumped(&pass, foreign + own, 0);
}

START_TEST(a_new_server_that_is_not_empty_is_refused_with_the_count)
{
	sanitise(C, 12, 0);
	ck_assert_int_eq(order(), PASS_REFUSED);
	ck_assert_int_eq(pass.work.state, WORK_REFUSED);
	ck_assert_str_eq(
	    pass.work.reason,
	    "server cache03 10.0.0.3:11211 is new in the list but holds 12 items: empty "
	    "it, or allow them to be dropped with wipe=12 on its line");
}
END_TEST

START_TEST(a_server_with_more_than_a_hundredth_foreign_is_refused_with_the_count)
{
	sanitise(B, 11, 999);
	ck_assert_int_eq(order(), PASS_REFUSED);
	ck_assert_str_eq(
	    pass.work.reason,
	    "server cache02 10.0.0.2:11211: 11 of 1010 items belong to other servers, more "
	    "than 1 %: the data does not follow this list; wipe=11 on its line allows them "
	    "to be dropped");
	pass_free(&pass);
	sanitise(B, 10, 990);
	ck_assert_int_eq(order(), PASS_KEYS);
}
END_TEST

START_TEST(wipe_allows_so_many_and_no_more)
{
	servers[C].has_wipe = true;
	servers[C].wipe = 12;
	sanitise(C, 12, 0);
	keys(12, MOVE_MOVED);
	dump(1, 1); /* one more than was allowed in all */
	ck_assert_int_eq(order(), PASS_REFUSED);
	ck_assert_str_eq(pass.work.reason,
			 "server cache03 10.0.0.3:11211 holds 13 items that are not its "
			 "own, more than the wipe=12 of its line");
	pass_free(&pass);
	sanitise(C, 12, 0);
	keys(12, MOVE_MOVED);
	dump(0, 0);
	keys(0, MOVE_MOVED);
	ck_assert_int_eq(order(), PASS_DONE);
	ck_assert_uint_eq(pass.work.moved, 12);
}
END_TEST

START_TEST(keys_that_cannot_be_named_keep_a_server_from_gaining)
{
	struct pass_verdict verdict;

	servers[C].has_wipe = true;
	servers[C].wipe = 12;
	begin(C, PHASE_PREPARE, false, (struct pass_mark){0});
	pass_probed(&pass, C);
	pass_dump_begin(&pass);
	verdict = line("key", 3, 1);
	pass_unnameable(&pass, verdict.spool);
	pass_dumped(&pass, 1, 0);
	ck_assert_int_eq(order(), PASS_REFUSED);
	ck_assert_ptr_nonnull(
	    strstr(pass.work.reason, "1 items that are not its own and that the meta"));
}
END_TEST

START_TEST(one_process_under_two_addresses_is_refused)
{
	begin(A, PHASE_PREPARE, false, (struct pass_mark){0});
	ck_assert(pass_probe_wanted(&pass, B));
	ck_assert(pass_probe_wanted(&pass, C));
	ck_assert(!pass_probe_wanted(&pass, A));
	pass_probed(&pass, C);
	ck_assert_int_eq(order(), PASS_REFUSED);
	ck_assert_str_eq(pass.work.reason,
			 "servers cache01 10.0.0.1:11211 and cache03 10.0.0.3:11211 are one "
			 "memcached process: a server must stand in the list once");
	pass_free(&pass);
	begin(B, PHASE_PREPARE, false, (struct pass_mark){0});
	ck_assert(!pass_probe_wanted(&pass, C)); /* both gain: nothing goes from one to the other */
}
END_TEST

START_TEST(a_losing_server_only_probes)
{
	begin(A, PHASE_PREPARE, false, (struct pass_mark){0});
	pass_probed(&pass, A);
	ck_assert_int_eq(order(), PASS_DONE);
}
END_TEST

START_TEST(a_server_that_cannot_be_moved_is_refused_with_the_remedy)
{
	static const struct {
		size_t offset;
		const char *says;
	} lacks[] = {
	    {offsetof(struct pass_server, cas_enabled), "(memcached -C)"},
	    {offsetof(struct pass_server, dump_enabled), "(memcached -X)"},
	    {offsetof(struct pass_server, crawler_enabled), "-o no_lru_crawler"},
	    {offsetof(struct pass_server, meta_protocol), "does not speak the meta protocol"},
	};
	struct pass_setup setup = {
	    .change = &change, .server = A, .phase = PHASE_PREPARE, .op_timeout_ms = 1000};
	struct pass_server server = good;

	memset((char *)&server + lacks[_i].offset, 0, sizeof(bool));
	ck_assert_int_eq(pass_init(&pass, &setup), 0);
	ck_assert(!pass_identified(&pass, &server));
	ck_assert_int_eq(order(), PASS_REFUSED);
	ck_assert_ptr_nonnull(strstr(pass.work.reason, lacks[_i].says));
	ck_assert_ptr_nonnull(strstr(pass.work.reason, "server cache01 10.0.0.1:11211 "));
	pass_free(&pass);
	setup.phase = PHASE_COPY; /* later it is only waited for */
	ck_assert_int_eq(pass_init(&pass, &setup), 0);
	ck_assert(!pass_identified(&pass, &server));
	ck_assert_int_eq(order(), PASS_IDENTIFY);
	ck_assert(pass_identified(&pass, &good));
	ck_assert_int_eq(order(), PASS_MARK);
}
END_TEST

static void short_dump(uint64_t items)
{
	ck_assert_int_eq(order(), PASS_DUMP);
	pass_dump_begin(&pass);
	(void)line_to(B, 0, 1);
	pass_dumped(&pass, items, 0);
}

START_TEST(a_dump_that_falls_short_is_repeated_until_expiry_explains_it)
{
	begin(A, PHASE_DRAIN, false, mark_of(500));
	short_dump(10000);
	short_dump(5000);
	ck_assert_int_eq(order(), PASS_DUMP);
	short_dump(5010); /* as many as before: they have expired and were not cleared away yet */
	ck_assert_int_eq(order(), PASS_KEYS);
	keys(1, MOVE_MOVED);
	short_dump(60); /* items come and go */
	ck_assert_int_eq(order(), PASS_KEYS);
}
END_TEST

START_TEST(a_large_key_space_is_walked_in_ranges)
{
	unsigned taken[4] = {0}, part = 0;

	begin(A, PHASE_DRAIN, false, mark_of(500));
	pass_dump_begin(&pass);
	for (unsigned i = 0; i < 40; i++)
		(void)line_to(B, i, 1);
	pass_dumped(&pass, 40, 4);
	for (; part < 4; part++) {
		ck_assert_int_eq(order(), PASS_DUMP);
		pass_dump_begin(&pass);
		for (unsigned i = 0; i < 40; i++)
			taken[part] += line_to(B, i, 1).spool;
		pass_dumped(&pass, 40, 1);
		keys(taken[part], MOVE_MOVED);
		ck_assert_uint_lt(taken[part], 40);
	}
	ck_assert_uint_eq(taken[0] + taken[1] + taken[2] + taken[3], 40);
	ck_assert_uint_eq(pass.work.moved, 40);
	dump(0, 0);
	keys(0, MOVE_MOVED);
	ck_assert_int_eq(order(), PASS_DONE);
}
END_TEST

START_TEST(lost_reservations_are_waited_for)
{
	begin(A, PHASE_DRAIN, false, mark_of(500));
	dump(0, 0);
	keys(0, MOVE_MOVED);
	dump(0, 0);
	pass_reservations_unknown(&pass, 150 * SECOND);
	keys(0, MOVE_MOVED);
	ck_assert_int_eq(pass_order(&pass, 163 * SECOND - 1), PASS_WAIT);
	ck_assert_int_eq(pass_order(&pass, 163 * SECOND), PASS_DONE);
}
END_TEST

/* ---- clients that know nothing of phases ---- */

START_TEST(drain_moves_nothing_where_clients_are_unaware)
{
	change.unaware_poll_ms = 1000;
	begin(A, PHASE_DRAIN, true, mark_of(500));
	pass_dump_begin(&pass);
	ck_assert_int_eq(line_to(B, 0, 500).kind, MOVE_DRAIN_LEAVE);
	ck_assert_int_eq(line_to(B, 1, 501).kind, MOVE_DRAIN_LATE);
	pass_dumped(&pass, 2, 0);
	keys(2, MOVE_PRESENT);
	dump(0, 0);
	keys(0, MOVE_MOVED);
	ck_assert_int_eq(order(), PASS_DONE); /* there are no reservations to wait for */
}
END_TEST

START_TEST(drain_without_a_mark_keeps_neither_side_where_clients_are_unaware)
{
	change.unaware_poll_ms = 1000;
	begin(A, PHASE_DRAIN, false, (struct pass_mark){0});
	pass_dump_begin(&pass);
	ck_assert_int_eq(line_to(B, 0, 1).kind, MOVE_DRAIN_LATE);
}
END_TEST

START_TEST(switch_marks_where_copies_end_once_and_does_nothing_else)
{
	change.unaware_poll_ms = 1000;
	begin(B, PHASE_SWITCH, false, (struct pass_mark){0});
	mark(700);
	saved(700, true);
	ck_assert_int_eq(order(), PASS_DONE);
	pass_free(&pass);
	begin(B, PHASE_SWITCH, true, mark_of(700)); /* the agent was restarted: not taken later */
	ck_assert_int_eq(order(), PASS_DONE);
	ck_assert_int_eq(pass.work.state, WORK_DONE);
}
END_TEST

START_TEST(a_new_owner_that_was_started_anew_in_switch_holds_no_copies)
{
	struct pass_mark other = mark_of(700);

	change.unaware_poll_ms = 1000;
	other.of.pid++;
	begin(B, PHASE_SWITCH, true, other);
	saved(0, true);
	ck_assert_int_eq(order(), PASS_DONE);
}
END_TEST

START_TEST(settle_compares_the_copies_and_nothing_that_clients_stored)
{
	struct pass_verdict verdict;

	change.unaware_poll_ms = 1000;
	begin(B, PHASE_SETTLE, false, mark_of(700));
	ck_assert_int_eq(order(), PASS_DUMP);
	pass_dump_begin(&pass);
	verdict = line_to(B, 0, 700);
	ck_assert(verdict.concerned && verdict.spool);
	ck_assert_int_eq(verdict.kind, MOVE_COMPARE);
	ck_assert_uint_eq(verdict.destination, A);
	ck_assert(!line_to(B, 1, 701).concerned);
	ck_assert(!line_to(A, 0, 1).concerned);
	pass_dumped(&pass, 3, 0);
	keys(1, MOVE_MOVED); /* it was dropped: another walk finds what is left */
	dump(1, 600);
	keys(1, MOVE_PRESENT);
	ck_assert_int_eq(order(), PASS_DONE);
}
END_TEST

START_TEST(settle_without_a_mark_takes_one_and_of_another_process_compares_nothing)
{
	struct pass_mark other = mark_of(700);

	change.unaware_poll_ms = 1000;
	begin(B, PHASE_SETTLE, false, (struct pass_mark){0});
	mark(900);
	ck_assert_int_eq(order(), PASS_DUMP);
	pass_dump_begin(&pass);
	ck_assert_int_eq(line_to(B, 0, 900).kind, MOVE_COMPARE);
	ck_assert(!line_to(B, 1, 901).concerned); /* or it would never end under writes */
	pass_free(&pass);
	other.of.start_time++;
	begin(B, PHASE_SETTLE, false, other);
	pass_dump_begin(&pass);
	ck_assert(!line_to(B, 0, 1).concerned);
}
END_TEST

START_TEST(settle_keeps_no_copy_of_an_owner_that_is_given_up)
{
	static uint8_t given_up[REGISTER_SET_BYTES];

	change.unaware_poll_ms = 1000;
	register_set_add(given_up, A);
	begin(B, PHASE_SETTLE, false, mark_of(700));
	pass.given_up = given_up;
	pass_dump_begin(&pass);
	ck_assert_int_eq(line_to(B, 0, 700).kind, MOVE_DRAIN_LOSE);
	ck_assert(!line_to(B, 1, 701).concerned);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pass");
	TCase *rules = tcase_create("rules");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(rules, set_up, tear_down);
	tcase_add_test(rules, copy_marks_before_it_moves_and_ends_with_a_small_delta);
	tcase_add_test(rules, no_dump_looks_for_what_no_store_can_have_changed);
	tcase_add_test(rules, a_single_store_since_the_mark_is_looked_for);
	tcase_add_test(rules,
		       a_new_owner_that_lost_its_memory_gets_a_dump_though_nothing_was_stored);
	tcase_add_test(rules, a_round_of_all_keys_is_walked_though_nothing_was_stored);
	tcase_add_test(rules, passes_go_on_while_the_next_would_find_many_and_fewer);
	tcase_add_test(rules, no_pass_is_made_for_few_keys);
	tcase_add_test(rules, what_a_new_owner_lost_says_nothing_of_how_fast_keys_change);
	tcase_add_test(rules, keys_that_change_as_fast_as_they_move_do_not_hold_copy_up);
	tcase_add_test(rules, what_was_written_since_the_mark_is_deleted_at_the_new_owner_first);
	tcase_add_test(rules, what_is_about_to_expire_is_left_to_drain_unless_it_changed);
	tcase_add_test(rules,
		       a_restarted_mover_starts_over_from_the_saved_mark_and_waits_for_stubs);
	tcase_add_test(rules, a_restarted_drain_looks_when_what_was_sent_before_it_is_carried_out);
	tcase_add_loop_test(rules, a_lost_mark_makes_copy_delete_every_key_first, 0, 2);
	tcase_add_test(rules, a_source_that_was_started_anew_is_copied_anew);
	tcase_add_test(rules, a_source_that_was_started_anew_leaves_reservations_behind);
	tcase_add_test(rules, a_new_owner_that_was_started_anew_gets_its_keys_again);
	tcase_add_test(rules, a_key_that_was_not_kept_makes_the_round_be_walked_again);
	tcase_add_test(rules, drain_goes_by_the_mark_and_ends_with_a_dump_that_finds_nothing);
	tcase_add_test(rules, one_empty_dump_alone_is_not_believed);
	tcase_add_loop_test(rules, drain_without_a_mark_trusts_neither_side, 0, 2);
	tcase_add_test(rules, purge_and_clean_drop_what_is_owned_by_others);
	tcase_add_test(rules, nothing_goes_to_an_owner_that_is_given_up);
	tcase_add_test(rules, probe_items_and_other_prefixes_are_never_counted);
	tcase_add_test(rules, a_new_server_that_is_not_empty_is_refused_with_the_count);
	tcase_add_test(rules,
		       a_server_with_more_than_a_hundredth_foreign_is_refused_with_the_count);
	tcase_add_test(rules, wipe_allows_so_many_and_no_more);
	tcase_add_test(rules, keys_that_cannot_be_named_keep_a_server_from_gaining);
	tcase_add_test(rules, one_process_under_two_addresses_is_refused);
	tcase_add_test(rules, a_losing_server_only_probes);
	tcase_add_loop_test(rules, a_server_that_cannot_be_moved_is_refused_with_the_remedy, 0, 4);
	tcase_add_test(rules, a_dump_that_falls_short_is_repeated_until_expiry_explains_it);
	tcase_add_test(rules, a_large_key_space_is_walked_in_ranges);
	tcase_add_test(rules, lost_reservations_are_waited_for);
	tcase_add_test(rules, drain_moves_nothing_where_clients_are_unaware);
	tcase_add_test(rules, drain_without_a_mark_keeps_neither_side_where_clients_are_unaware);
	tcase_add_test(rules, switch_marks_where_copies_end_once_and_does_nothing_else);
	tcase_add_test(rules, a_new_owner_that_was_started_anew_in_switch_holds_no_copies);
	tcase_add_test(rules, settle_compares_the_copies_and_nothing_that_clients_stored);
	tcase_add_test(rules,
		       settle_without_a_mark_takes_one_and_of_another_process_compares_nothing);
	tcase_add_test(rules, settle_keeps_no_copy_of_an_owner_that_is_given_up);
	suite_add_tcase(suite, rules);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
