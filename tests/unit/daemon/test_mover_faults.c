/* test_mover_faults.c - movers among writes, restarts, silence and refusals. */
#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/mover_inside.h"
#include "mover_world.h"

/* ---- writes while keys move ---- */

START_TEST(a_delta_pass_brings_what_was_written_during_copy)
{
	struct run run = {.allowed = 1};

	fill(20000, "old");
	run_start(&run, 0, PHASE_COPY, false);
	turn_until_counted(&run, 1);
	/* A client that dies between its two commands: it has written at O, and N holds the old. */
	fill(20000, "new");
	run.allowed = 0;
	turn_until(&run.finished, &run);
	ck_assert_uint_gt(run.work.moved, moving(20000, 0));
	run_abandon(&run);
	ck_assert(run.saved.known && run.saved.full_pass_done);
	/* What the mover of b has not copied yet is not there. */
	run.saved = (struct mover_mark){0};
	run_whole(&run, 1, PHASE_COPY);
	all_hold(20000, true, "new");
	all_hold(20000, false, "new"); /* and O has everything still */
}
END_TEST

START_TEST(drain_brings_what_was_written_after_the_last_mark)
{
	struct run runs[SERVERS] = {0};

	fill(3000, "old");
	phase_all(PHASE_PREPARE, runs);
	phase_all(PHASE_COPY, runs);
	fill(3000, "new"); /* N holds the old ones */
	phase_all(PHASE_DRAIN, runs);
	all_hold(3000, true, "new");
	ck_assert_uint_eq(runs[0].work.moved, moving(3000, 0));
	ck_assert_uint_eq(runs[0].work.present, 0);
}
END_TEST

START_TEST(drain_leaves_what_clients_wrote_at_the_new_owner)
{
	struct run runs[SERVERS] = {0};
	char key[32];

	fill(3000, "old");
	phase_all(PHASE_COPY, runs);
	for (unsigned i = 0; i < 3000; i++) { /* SWITCH: N first, and O's copy not yet deleted */
		int length = snprintf(key, sizeof(key), "key:%u", i);
		char value[32];
		int bytes = snprintf(value, sizeof(value), "new%u", i);

		memcached_set(&processes[owner_of(key, (size_t)length, true)], key, (size_t)length,
			      value, (size_t)bytes, i, 0);
	}
	phase_all(PHASE_DRAIN, runs);
	all_hold(3000, true, "new");
	ck_assert_uint_eq(runs[0].work.present, moving(3000, 0));
}
END_TEST

/* A key of "key:0" and so on that leaves cache01 for cache03. */
static size_t key_moving(char key[32])
{
	size_t length = 0;

	for (unsigned i = 0; length == 0; i++) {
		length = (size_t)snprintf(key, 32, "key:%u", i);
		if (owner_of(key, length, false) != 0 || owner_of(key, length, true) != 2)
			length = 0;
	}
	return length;
}

/* A client of SWITCH's rule that has written at N, and has not deleted at O yet. */
static void client_writes_new(const char *key, size_t length)
{
	memcached_stop(&processes[0]); /* the mover comes no further meanwhile */
	memcached_set(&processes[2], key, length, "newest", 6, 0, 0);
	memcached_continue(&processes[0]);
}

static void drain_ends_with(struct run *run, const char *key, size_t length, const char *value)
{
	struct memcached_item item;

	turn_until(&run->finished, run);
	run_abandon(run);
	item = memcached_get(&processes[2], key, length);
	ck_assert(item.hit && !item.stub && item.length == strlen(value));
	ck_assert_mem_eq(item.value, value, item.length);
	ck_assert(!memcached_get(&processes[0], key, length).hit);
}

START_TEST(what_a_client_writes_at_a_reservation_is_not_overwritten)
{
	struct run runs[SERVERS] = {0};
	char key[32];
	size_t length = key_moving(key);

	put(key, length, "old", 3, 0, 0);
	phase_all(PHASE_COPY, runs);
	restart(2); /* the copy is lost: DRAIN fills it again */
	run_start(&runs[0], 0, PHASE_DRAIN, false);
	while (!memcached_get(&processes[2], key, length).stub) {
		ck_assert(!runs[0].finished);
		turn_once(&runs[0]);
	}
	client_writes_new(key, length);
	drain_ends_with(&runs[0], key, length, "newest");
}
END_TEST

START_TEST(what_a_client_writes_over_an_older_copy_is_not_deleted)
{
	struct run runs[SERVERS] = {0};
	char key[32];
	size_t length = key_moving(key);
	uint64_t reads;

	put(key, length, "oldest", 6, 0, 0);
	phase_all(PHASE_PREPARE, runs);
	phase_all(PHASE_COPY, runs);
	put(key, length, "old", 3, 0, 0); /* after the mark */
	reads = memcached_stat(&processes[2], "get_hits");
	run_start(&runs[0], 0, PHASE_DRAIN, false);
	while (memcached_stat(&processes[2], "get_hits") == reads) {
		ck_assert(!runs[0].finished);
		turn_once(&runs[0]);
	}
	client_writes_new(key, length);
	drain_ends_with(&runs[0], key, length, "newest");
}
END_TEST

/* ---- servers that are started anew ---- */

START_TEST(a_new_owner_restarted_during_copy_gets_everything_again)
{
	struct run run = {.allowed = 1};

	fill(20000, "v");
	run_start(&run, 0, PHASE_COPY, false);
	turn_until_counted(&run, 1);
	restart(2);
	run.allowed = 0;
	turn_until(&run.finished, &run);
	run_abandon(&run);
	ck_assert_uint_eq(memcached_items(&processes[2]), moving(20000, 0));
}
END_TEST

START_TEST(a_source_restarted_during_copy_is_copied_anew)
{
	struct run run = {.allowed = 1};
	uint64_t old_cas;

	fill(20000, "old");
	run_start(&run, 0, PHASE_COPY, false);
	turn_until_counted(&run, 1);
	old_cas = run.saved.cas;
	ck_assert_uint_gt(old_cas, 100);
	restart(0);
	fill(600, "new"); /* their CAS is far below the old mark */
	run.allowed = 0;
	turn_until(&run.finished, &run);
	run_abandon(&run);
	ck_assert_uint_ne(run.saved.pid, 0);
	ck_assert_uint_lt(run.saved.cas, old_cas);
	run.saved = (struct mover_mark){0};
	run_whole(&run, 1, PHASE_COPY);
	all_hold(600, true, "new");
}
END_TEST

START_TEST(a_source_restarted_before_drain_trusts_neither_side)
{
	struct run runs[SERVERS] = {0};
	char key[32];

	fill(1000, "old");
	phase_all(PHASE_COPY, runs);
	restart(0);
	restart(1);
	fill(300, "new");
	phase_all(PHASE_DRAIN, runs);
	ck_assert_uint_eq(runs[0].work.failed, moving(300, 0));
	for (unsigned i = 0; i < 1000; i++) {
		size_t length = (size_t)snprintf(key, sizeof(key), "key:%u", i);
		bool moves = owner_of(key, length, false) != owner_of(key, length, true);

		if (!moves)
			continue;
		/* On both sides: on none now.  Only at N: it stays. */
		ck_assert(
		    !memcached_get(&processes[owner_of(key, length, false)], key, length).hit);
		ck_assert_int_eq(memcached_get(&processes[2], key, length).hit, i >= 300);
	}
}
END_TEST

START_TEST(a_probe_that_was_cut_short_leaves_no_item_behind)
{
	struct run run = {0};

	run_start(&run, 0, PHASE_PREPARE, false);
	while (memcached_items(&processes[0]) == 0) {
		ck_assert(!run.finished);
		turn_once(&run);
	}
	restart(2); /* where the item is about to be looked for */
	turn_until(&run.finished, &run);
	run_abandon(&run);
	ck_assert_uint_eq(memcached_items(&processes[0]), 0);
}
END_TEST

START_TEST(a_new_owner_that_stops_answering_is_waited_for)
{
	struct run run = {.allowed = 1};
	bool waits = false;

	change.op_timeout_ms = 300;
	fill(20000, "v");
	run_start(&run, 0, PHASE_COPY, false);
	turn_until_counted(&run, 1);
	memcached_stop(&processes[2]);
	run.allowed = 0;
	while (!waits) {
		struct work work;

		turn_once(&run);
		mover_progress(run.mover, &work);
		waits = strstr(work.reason, "waits for server cache03 127.0.0.1:") != NULL;
		ck_assert(!run.finished);
	}
	memcached_continue(&processes[2]);
	turn_until(&run.finished, &run);
	run_abandon(&run);
	ck_assert_uint_eq(memcached_items(&processes[2]), moving(20000, 0));
}
END_TEST

START_TEST(a_source_that_is_away_is_waited_for)
{
	struct run runs[SERVERS] = {0};
	bool waits = false;

	memcached_kill(&processes[0]);
	run_start(&runs[0], 0, PHASE_DRAIN, false);
	while (!waits) {
		struct work work;

		turn_once(&runs[0]);
		mover_progress(runs[0].mover, &work);
		waits = strstr(work.reason, "waits for server cache01 127.0.0.1:") != NULL;
	}
	memcached_start(&processes[0], NULL);
	fill(200, "v");
	turn_until(&runs[0].finished, &runs[0]);
	run_abandon(&runs[0]);
	ck_assert_uint_eq(memcached_items(&processes[2]), moving(200, 0));
}
END_TEST

START_TEST(a_source_whose_connection_was_reset_is_gone_on_with)
{
	struct run run = {0};

	fill(6000, "v");
	pace.rate_keys = 1000; /* its dump is over long before its keys are */
	run_start(&run, 0, PHASE_COPY, false);
	turn_until_counted(&run, 100);
	/* In the middle of keys, of which none can be tried again before it is back; and long after
	 * the new owner came. */
	while (run.mover->peer_came || spool_count(run.mover->queue.later) == 0 ||
	       run.mover->queue.later_live > 0 || mover_in_flight(run.mover)) {
		turn_once(&run);
		if (run.mover->pass.order == PASS_KEYS && mover_in_flight(run.mover) &&
		    mover_peer_is_up(run.mover->source))
			mover_peer_fail(run.mover->source, "it was reset");
	}
	/* No new owner was away: they are tried again all the same. */
	pace.rate_keys = 0;
	turn_until(&run.finished, &run);
	run_abandon(&run);
	ck_assert_uint_eq(memcached_items(&processes[2]), moving(6000, 0));
}
END_TEST

/* ---- what a new owner refuses ---- */

START_TEST(what_is_too_large_for_the_new_owner_is_counted_and_lost_as_a_miss)
{
	static const char *const large[] = {"-I", "4m", "-m", "256", NULL};
	struct run runs[SERVERS] = {0};
	char *text = text_make(3 << 20);
	char key[32];
	unsigned lost = 0;

	for (uint32_t i = 0; i < 2; i++) {
		memcached_kill(&processes[i]);
		memcached_start(&processes[i], large);
	}
	for (unsigned i = 0; i < 30; i++) {
		int length = snprintf(key, sizeof(key), "size:%u", i);

		put(key, (size_t)length, text, i % 2 ? 3 << 20 : 1000, 0, 0);
		lost += i % 2 && owner_of(key, (size_t)length, true) == 2;
	}
	phase_all(PHASE_COPY, runs);
	ck_assert_uint_ge(runs[0].work.failed + runs[1].work.failed, lost);
	phase_all(PHASE_DRAIN, runs);
	ck_assert_uint_eq(runs[0].work.failed + runs[1].work.failed, lost);
	for (unsigned i = 0; i < 30; i++) {
		int length = snprintf(key, sizeof(key), "size:%u", i);
		uint32_t was = owner_of(key, (size_t)length, false),
			 is = owner_of(key, (size_t)length, true);

		ck_assert_int_eq(memcached_get(&processes[is], key, (size_t)length).hit,
				 is != 2 || !(i % 2));
		if (was != is)
			ck_assert(!memcached_get(&processes[was], key, (size_t)length).hit);
	}
	free(text);
}
END_TEST

START_TEST(a_new_owner_without_memory_does_not_block_the_change)
{
	static const char *const full[] = {"-M", "-m", "2", NULL};
	struct run runs[SERVERS] = {0};
	char *text = text_make(2000);
	char key[32];
	uint64_t arrived;

	memcached_kill(&processes[2]);
	memcached_start(&processes[2], full);
	for (unsigned i = 0; i < 9000; i++) {
		int length = snprintf(key, sizeof(key), "key:%u", i);

		put(key, (size_t)length, text, 2000, 0, 0);
	}
	phase_all(PHASE_COPY, runs);
	phase_all(PHASE_DRAIN, runs);
	arrived = memcached_items(&processes[2]);
	ck_assert_uint_gt(runs[0].work.failed, 0);
	ck_assert_uint_gt(arrived, 0);
	ck_assert_uint_lt(arrived, moving(9000, 0) + moving(9000, 1));
	free(text);
}
END_TEST

/* ---- a mover that is killed ---- */

START_TEST(a_mover_that_was_killed_in_the_middle_starts_over)
{
	struct run run = {0};

	fill(20000, "old");
	pace.rate_keys = 2000;
	run_start(&run, 0, PHASE_COPY, false);
	turn_until_counted(&run, 1);
	run_abandon(&run); /* as if killed: what is under way may be carried out or not */
	ck_assert(run.saved.known && !run.saved.full_pass_done);
	pace.rate_keys = 0;
	fill(20000, "new");
	run_start(&run, 0, PHASE_COPY, true);
	turn_until(&run.finished, &run);
	run_abandon(&run);
	run.saved = (struct mover_mark){0};
	run_whole(&run, 1, PHASE_COPY);
	all_hold(20000, true, "new");
	ck_assert_uint_eq(memcached_items(&processes[2]), moving(20000, 0) + moving(20000, 1));
}
END_TEST

START_TEST(after_a_stop_of_its_own_process_a_batch_is_not_carried_on)
{
	struct run run = {.allowed = 1};
	struct work work;
	uint64_t sets, reads;

	change.op_timeout_ms = 200;
	fill(2000, "v");
	run_start(&run, 0, PHASE_COPY, false);
	while (run.asked == 0)
		turn_once(&run);
	(void)poll(NULL, 0, 400); /* as after SIGSTOP: the batch's time has run out meanwhile */
	sets = memcached_stat(&processes[2], "cmd_set");
	reads = memcached_stat(&processes[0], "cmd_get");
	for (int i = 0; i < 20; i++)
		turn_once(&run);
	mover_progress(run.mover, &work);
	ck_assert_uint_eq(memcached_stat(&processes[2], "cmd_set"), sets);
	ck_assert_uint_eq(memcached_stat(&processes[0], "cmd_get"), reads);
	ck_assert_uint_eq(work.moved, 0);
	ck_assert_uint_gt(work.left, 0);
	run_abandon(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mover_faults");
	TCase *all = tcase_create("mover_faults");

	tcase_add_checked_fixture(all, set_up, tear_down);
	tcase_set_timeout(all, 120);
	tcase_add_test(all, a_delta_pass_brings_what_was_written_during_copy);
	tcase_add_test(all, drain_brings_what_was_written_after_the_last_mark);
	tcase_add_test(all, drain_leaves_what_clients_wrote_at_the_new_owner);
	tcase_add_test(all, what_a_client_writes_at_a_reservation_is_not_overwritten);
	tcase_add_test(all, what_a_client_writes_over_an_older_copy_is_not_deleted);
	tcase_add_test(all, a_new_owner_restarted_during_copy_gets_everything_again);
	tcase_add_test(all, a_source_restarted_during_copy_is_copied_anew);
	tcase_add_test(all, a_source_restarted_before_drain_trusts_neither_side);
	tcase_add_test(all, a_probe_that_was_cut_short_leaves_no_item_behind);
	tcase_add_test(all, a_new_owner_that_stops_answering_is_waited_for);
	tcase_add_test(all, a_source_that_is_away_is_waited_for);
	tcase_add_test(all, a_source_whose_connection_was_reset_is_gone_on_with);
	tcase_add_test(all, what_is_too_large_for_the_new_owner_is_counted_and_lost_as_a_miss);
	tcase_add_test(all, a_new_owner_without_memory_does_not_block_the_change);
	tcase_add_test(all, a_mover_that_was_killed_in_the_middle_starts_over);
	tcase_add_test(all, after_a_stop_of_its_own_process_a_batch_is_not_carried_on);
	suite_add_tcase(suite, all);
	return suite_run(suite);
}
