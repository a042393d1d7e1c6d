/* test_mover.c - what movers move, refuse and leave alone, with real memcached processes. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mover_world.h"

/* ---- what moves ---- */

START_TEST(every_key_arrives_and_nothing_stays_behind)
{
	struct run runs[SERVERS] = {0};

	fill(5000, "v");
	whole_change(runs);
	all_hold(5000, true, "v");
	ck_assert_uint_eq(memcached_items(&processes[0]) + memcached_items(&processes[1]) +
			      memcached_items(&processes[2]),
			  5000);
	ck_assert_uint_eq(runs[0].work.failed + runs[1].work.failed, 0);
}
END_TEST

START_TEST(what_is_copied_does_not_count_as_used)
{
	struct run runs[SERVERS] = {0};

	fill(2000, "v");
	phase_all(PHASE_PREPARE, runs);
	phase_all(PHASE_COPY, runs);
	/* Else all that was copied would be the hottest in DRAIN. */
	for (unsigned i = 0; i < 2000; i++) {
		char key[32], line[64];
		int length = snprintf(key, sizeof(key), "key:%u", i);

		(void)snprintf(line, sizeof(line), "mg %s u h", key);
		ck_assert_str_eq(
		    memcached_say(&processes[owner_of(key, (size_t)length, false)], line), "HD h0");
	}
}
END_TEST

START_TEST(values_of_every_size_move)
{
	static const size_t sizes[] = {0, 1, 2, 511, 4096, 70000, 600000, 1048000};
	struct run runs[SERVERS] = {0};
	char *text = text_make(1 << 20);
	char key[32];

	for (unsigned i = 0; i < 100; i++) {
		int length = snprintf(key, sizeof(key), "size:%u", i);

		put(key, (size_t)length, text, sizes[i % 8], 4294967295u - i, 0);
	}
	whole_change(runs);
	for (unsigned i = 0; i < 100; i++) {
		int length = snprintf(key, sizeof(key), "size:%u", i);
		uint32_t at = owner_of(key, (size_t)length, true);
		struct memcached_item item = memcached_get(&processes[at], key, (size_t)length);

		ck_assert_msg(item.hit && !item.stub, "%s of %zu bytes", key, sizes[i % 8]);
		ck_assert_uint_eq(item.length, sizes[i % 8]);
		ck_assert_mem_eq(item.value, text, item.length);
		ck_assert_uint_eq(item.flags, 4294967295u - i);
	}
	free(text);
}
END_TEST

START_TEST(times_to_live_are_kept)
{
	static const long ttls[] = {0, 1000, 2592000, 2592000 * 3};
	struct run runs[SERVERS] = {0};
	char key[32];

	for (unsigned i = 0; i < 200; i++) {
		int length = snprintf(key, sizeof(key), "ttl:%u", i);
		long ttl = ttls[i % 4] > 2592000 ? ttls[i % 4] + (long)time(NULL) : ttls[i % 4];

		put(key, (size_t)length, "x", 1, 0, ttl);
	}
	whole_change(runs);
	for (unsigned i = 0; i < 200; i++) {
		int length = snprintf(key, sizeof(key), "ttl:%u", i);
		uint32_t at = owner_of(key, (size_t)length, true);
		struct memcached_item item = memcached_get(&processes[at], key, (size_t)length);
		long want = ttls[i % 4] == 0 ? -1 : ttls[i % 4];

		ck_assert_msg(item.hit, "%s", key);
		/* Within what the test itself may take. */
		if (want < 0)
			ck_assert_int_eq(item.ttl, -1);
		else
			ck_assert(item.ttl <= want + 1 && item.ttl > want - PATIENCE_S - 2);
	}
}
END_TEST

START_TEST(what_expires_during_the_move_is_gone_and_holds_nothing_up)
{
	struct run runs[SERVERS] = {0};
	char key[32];

	for (unsigned i = 0; i < 2000; i++) {
		int length = snprintf(key, sizeof(key), "brief:%u", i);

		put(key, (size_t)length, "x", 1, 0, 1 + (long)(i % 2));
	}
	phase_all(PHASE_PREPARE, runs);
	phase_all(PHASE_COPY, runs); /* nothing of it is worth a copy, and it is counted as that */
	for (unsigned i = 0; i < 2; i++)
		ck_assert_uint_eq(runs[i].work.expired, runs[i].work.found);
	phase_all(PHASE_DRAIN, runs);
	phase_all(PHASE_PURGE, runs);
	for (unsigned i = 0; i < 2000; i++) { /* T0 would mean: never */
		int length = snprintf(key, sizeof(key), "brief:%u", i);
		uint32_t at = owner_of(key, (size_t)length, true);

		ck_assert_int_ne(memcached_get(&processes[at], key, (size_t)length).ttl, -1);
	}
}
END_TEST

START_TEST(odd_keys_move)
{
	static const char *const shapes[] = {
	    "%25:",	      "a:b/c?d=e&f#", "\xc3\xa9\xe2\x82\xac", "with space ",
	    "\x01\x02\t\x7f", "\xff\xfe\x80", "line\r\nend",	      "100%"};
	uint8_t keys[160][250];
	size_t lengths[160];
	struct run runs[SERVERS] = {0};

	for (unsigned i = 0; i < 160; i++) {
		const char *shape = shapes[i % 8];
		int length = snprintf((char *)keys[i], 250, "%s%u", shape, i);

		lengths[i] = (size_t)length;
		if (i % 8 == 5) /* a NUL */
			keys[i][1] = 0;
		if (i % 3 == 0) { /* as long as it may be; base64 makes four of three */
			size_t most = i % 8 >= 3 && i % 8 <= 6 ? 186 : 250;

			memset(keys[i] + lengths[i], 'k', most - lengths[i]);
			lengths[i] = most;
		}
		put(keys[i], lengths[i], keys[i], lengths[i], i, 0);
	}
	whole_change(runs);
	for (unsigned i = 0; i < 160; i++) {
		uint32_t at = owner_of(keys[i], lengths[i], true);
		struct memcached_item item = memcached_get(&processes[at], keys[i], lengths[i]);

		ck_assert_msg(item.hit, "key %u of shape %s", i, shapes[i % 8]);
		ck_assert_uint_eq(item.length, lengths[i]);
		ck_assert_mem_eq(item.value, keys[i], lengths[i]);
	}
	ck_assert_uint_eq(memcached_items(&processes[0]) + memcached_items(&processes[1]) +
			      memcached_items(&processes[2]),
			  160);
}
END_TEST

START_TEST(only_keys_of_the_prefix_are_touched)
{
	struct run runs[SERVERS] = {0};
	uint64_t sets;

	(void)snprintf(change.prefix, sizeof(change.prefix), "web:");
	memcached_fill(&processes[0], "other:", 0, 500, "v");
	memcached_fill(&processes[1], "other:", 0, 500, "v");
	memcached_fill(&processes[2], "other:", 0, 500,
		       "v"); /* new, but not empty: of another list */
	sets = memcached_stat(&processes[2], "cmd_set");
	whole_change(runs);
	for (uint32_t i = 0; i < SERVERS; i++)
		ck_assert_uint_eq(memcached_items(&processes[i]), 500);
	/* the two probes of cache01's and cache02's proof, and cache03's own two */
	ck_assert_uint_le(memcached_stat(&processes[2], "cmd_set") - sets, 4);
	ck_assert_uint_eq(runs[0].work.found + runs[1].work.found + runs[2].work.found, 0);
}
END_TEST

START_TEST(what_somebody_is_recomputing_is_not_copied)
{
	struct run runs[SERVERS] = {0};
	uint32_t from;
	char line[64];

	/* Marked stale, and an application's own reservation: keys that move. */
	for (unsigned i = 0;; i++) {
		int length = snprintf(line, sizeof(line), "stale:%u", i);

		from = owner_of(line, (size_t)length, false);
		if (owner_of(line, (size_t)length, true) == 2) {
			put(line, (size_t)length, "old", 3, 0, 0);
			(void)snprintf(line, sizeof(line), "md stale:%u I T100", i);
			ck_assert_str_eq(memcached_say(&processes[from], line), "HD");
			break;
		}
	}
	phase_all(PHASE_COPY, runs);
	ck_assert_uint_eq(memcached_items(&processes[2]), 0);
	ck_assert_uint_eq(memcached_items(&processes[from]),
			  0); /* a miss: his turn was taken away */
	ck_assert_uint_eq(runs[from].work.gone, 1);
}
END_TEST

/* ---- PREPARE ---- */

static void refused(uint32_t server, const char *const *arguments, const char *says)
{
	struct run run = {0};

	if (arguments != NULL) {
		memcached_kill(&processes[server]);
		memcached_start(&processes[server], arguments);
	}
	run_whole(&run, server, PHASE_PREPARE);
	ck_assert_int_eq(run.work.state, WORK_REFUSED);
	ck_assert_msg(strstr(run.work.reason, says) != NULL, "%s", run.work.reason);
	ck_assert_ptr_nonnull(strstr(run.work.reason, servers[server].name));
}

START_TEST(servers_that_cannot_be_moved_are_refused)
{
	static const char *const no_cas[] = {"-C", NULL}, *const no_dump[] = {"-X", NULL},
				 *const no_crawler[] = {"-o", "no_lru_crawler", NULL};

	refused(0, no_cas, "runs without CAS (memcached -C)");
	refused(0, no_dump, "does not allow its keys to be dumped (memcached -X)");
	refused(2, no_cas, "runs without CAS (memcached -C)");
	refused(2, no_crawler, "-o no_lru_crawler");
}
END_TEST

START_TEST(one_memcached_under_two_addresses_is_refused)
{
	/* cache03 is cache01 by another name: the same port on another loopback address. */
	const char *const everywhere[] = {"-l", "127.0.0.2", NULL};

	memcached_kill(&processes[0]);
	memcached_start(&processes[0], everywhere);
	(void)snprintf(servers[2].address, sizeof(servers[2].address), "127.0.0.2:%u",
		       processes[0].port);
	refused(0, NULL, "are one memcached process");
	refused(2, NULL, "are one memcached process");
	ck_assert_uint_eq(memcached_items(&processes[0]), 0); /* the probe item is gone */
}
END_TEST

START_TEST(foreign_items_are_counted_before_any_is_dropped)
{
	struct run run = {0};

	memcached_fill(&processes[2], "foreign:", 0, 1500, "v");
	refused(2, NULL, "holds 1500 items: empty it, or allow them to be dropped with wipe=1500");
	ck_assert_uint_eq(memcached_items(&processes[2]), 1500);
	servers[2].has_wipe = true;
	servers[2].wipe = 1499;
	refused(2, NULL,
		"holds 1500 items that are not its own, more than the wipe=1499 of its line");
	ck_assert_uint_eq(memcached_items(&processes[2]), 1500);
	servers[2].wipe = 1500;
	run_whole(&run, 2, PHASE_PREPARE);
	ck_assert_int_eq(run.work.state, WORK_DONE);
	ck_assert_uint_eq(run.work.moved, 1500);
	ck_assert_uint_eq(memcached_items(&processes[2]), 0);
}
END_TEST

START_TEST(a_hundredth_of_foreign_items_is_dropped_without_a_word)
{
	struct run run = {0};
	char key[32];
	unsigned foreign = 0;

	servers[0].gained = 1; /* some slot or other */
	fill(4000, "v");
	for (unsigned i = 0; foreign < 10; i++) {
		int length = snprintf(key, sizeof(key), "foreign:%u", i);

		if (owner_of(key, (size_t)length, false) == 1) {
			memcached_set(&processes[0], key, (size_t)length, "x", 1, 0, 0);
			foreign++;
		}
	}
	run_whole(&run, 0, PHASE_PREPARE);
	ck_assert_msg(run.work.state == WORK_DONE, "%s", run.work.reason);
	ck_assert_uint_eq(run.work.moved, 10);
	all_hold(4000, false, "v");
}
END_TEST

/* ---- pace, stop, restart ---- */

START_TEST(movers_together_keep_to_the_rate)
{
	struct run runs[2] = {0};
	struct work work[2];
	struct timespec began, now;
	uint64_t passed_ms;

	fill(4000, "v");
	pace.rate_keys = 1000;
	(void)clock_gettime(CLOCK_BOOTTIME, &began);
	run_start(&runs[0], 0, PHASE_COPY, false);
	run_start(&runs[1], 1, PHASE_COPY, false);
	turn_until_counted(&runs[0], 300);
	turn_until_counted(&runs[1], 300);
	mover_progress(runs[0].mover, &work[0]);
	mover_progress(runs[1].mover, &work[1]);
	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	passed_ms = (uint64_t)((now.tv_sec - began.tv_sec) * 1000 +
			       (now.tv_nsec - began.tv_nsec) / 1000000);
	/* As many as the time that really passed has earned, and what a bucket may hold. */
	ck_assert_uint_le(work[0].moved + work[1].moved, passed_ms + 1 + 100);
	pace.rate_keys = 0;
	turn_until(&runs[0].finished, &runs[0]);
	turn_until(&runs[1].finished, &runs[1]);
	run_abandon(&runs[0]);
	run_abandon(&runs[1]);
	ck_assert_uint_eq(memcached_items(&processes[2]), moving(4000, 0) + moving(4000, 1));
}
END_TEST

static void read_one(evutil_socket_t fd, short what, void *key)
{
	(void)fd;
	(void)what;
	for (int i = 0; i < 5; i++)
		ck_assert(memcached_get(&processes[0], key, strlen(key)).hit);
}

START_TEST(a_mover_that_gives_way_to_readers_moves_all_the_same)
{
	struct timeval often = {.tv_usec = 1000};
	struct run run = {0};
	struct event *reader;
	char key[32];
	unsigned i = 0;

	do /* one that stays */
		(void)snprintf(key, sizeof(key), "key:%u", i++);
	while (owner_of(key, strlen(key), false) != 0 || owner_of(key, strlen(key), true) != 0);
	fill(20000, "v");
	reader = event_new(base, -1, EV_PERSIST, read_one, key);
	ck_assert_ptr_nonnull(reader);
	event_add(reader, &often);
	pace.adaptive = true;
	run_whole(&run, 0, PHASE_COPY);
	event_free(reader);
	ck_assert_int_eq(run.work.state, WORK_DONE);
	ck_assert_uint_eq(run.work.failed, 0);
	ck_assert_uint_eq(memcached_items(&processes[2]), moving(20000, 0));
	/* in small batches, between which it asked anew */
	ck_assert_uint_gt(run.asked, 2 * moving(20000, 0) / 1024 + 20);
}
END_TEST

START_TEST(without_a_lease_nothing_is_begun)
{
	struct run run = {.allowed = 1};
	struct work work;

	fill(20000, "v");
	run_start(&run, 0, PHASE_COPY, false);
	while (run.asked < 20) /* asked again and again, and told no */
		turn_once(&run);
	mover_progress(run.mover, &work);
	ck_assert_uint_le(work.moved, 1024);
	ck_assert_uint_gt(work.moved, 0);
	ck_assert_str_eq(work.reason, "waits for the host's lease");
	ck_assert_uint_eq(memcached_items(&processes[2]), work.moved);
	run_abandon(&run);
}
END_TEST

START_TEST(stop_leaves_nothing_in_flight)
{
	struct run run = {0};
	uint64_t arrived, commands;

	fill(20000, "v");
	pace.rate_keys = 2000;
	run_start(&run, 0, PHASE_COPY, false);
	turn_until_counted(&run, 1);
	mover_stop(run.mover);
	turn_until(&run.stopped, &run);
	ck_assert(!run.finished);
	mover_free(run.mover);
	arrived = memcached_items(&processes[2]);
	ck_assert_uint_gt(arrived, 0);
	ck_assert_uint_lt(arrived, moving(20000, 0));
	/* no reservation stands there: each item that arrived was filled */
	ck_assert_uint_eq(memcached_stat(&processes[2], "total_items"), 2 * arrived);
	commands = memcached_stat(&processes[2], "cmd_set");
	for (int i = 0; i < 5; i++)
		event_base_loop(base, EVLOOP_ONCE);
	ck_assert_uint_eq(memcached_stat(&processes[2], "cmd_set"), commands);
}
END_TEST

START_TEST(clean_drops_the_copies_again)
{
	struct run runs[SERVERS] = {0};

	fill(3000, "v");
	phase_all(PHASE_COPY, runs);
	ck_assert_uint_gt(memcached_items(&processes[2]), 0);
	phase_all(PHASE_CLEAN, runs);
	ck_assert_uint_eq(memcached_items(&processes[2]), 0);
	all_hold(3000, false, "v");
}
END_TEST

START_TEST(purge_drops_everything_at_a_server_that_leaves)
{
	struct run runs[SERVERS] = {0};

	for (uint32_t i = 0; i < SLOTS; i++)
		new_owner[i] = new_owner[i] == 1 ? 0 : new_owner[i];
	slots_count();
	servers[1].in_new = false;
	fill(3000, "v");
	whole_change(runs);
	all_hold(3000, true, "v");
	memcached_fill(&processes[1], "late:", 0, 100, "v");
	phase_all(PHASE_PURGE, runs);
	ck_assert_uint_eq(memcached_items(&processes[1]), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mover");
	TCase *all = tcase_create("mover");

	tcase_add_checked_fixture(all, set_up, tear_down);
	tcase_set_timeout(all, 120);
	tcase_add_test(all, every_key_arrives_and_nothing_stays_behind);
	tcase_add_test(all, what_is_copied_does_not_count_as_used);
	tcase_add_test(all, values_of_every_size_move);
	tcase_add_test(all, times_to_live_are_kept);
	tcase_add_test(all, what_expires_during_the_move_is_gone_and_holds_nothing_up);
	tcase_add_test(all, odd_keys_move);
	tcase_add_test(all, only_keys_of_the_prefix_are_touched);
	tcase_add_test(all, what_somebody_is_recomputing_is_not_copied);
	tcase_add_test(all, servers_that_cannot_be_moved_are_refused);
	tcase_add_test(all, one_memcached_under_two_addresses_is_refused);
	tcase_add_test(all, foreign_items_are_counted_before_any_is_dropped);
	tcase_add_test(all, a_hundredth_of_foreign_items_is_dropped_without_a_word);
	tcase_add_test(all, movers_together_keep_to_the_rate);
	tcase_add_test(all, a_mover_that_gives_way_to_readers_moves_all_the_same);
	tcase_add_test(all, without_a_lease_nothing_is_begun);
	tcase_add_test(all, stop_leaves_nothing_in_flight);
	tcase_add_test(all, clean_drops_the_copies_again);
	tcase_add_test(all, purge_drops_everything_at_a_server_that_leaves);
	suite_add_tcase(suite, all);
	return suite_run(suite);
}
