/* test_mover_unaware.c - movers where clients know nothing of phases: no reservation is seen once a
 * key's new owner is asked, and nothing older than the old owner's last value stays there.
 *
 * Real memcached processes.  An unaware client writes to and deletes at one owner alone.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mover_world.h"

#define KEYS 3000u

static void unaware(void)
{
	change.unaware_poll_ms = 1000;
}

/* The n-th of the keys that go to cache03, and who has it before. */
static size_t leaving(unsigned n, char key[32], uint32_t *owner)
{
	for (unsigned i = 0;; i++) {
		size_t length = (size_t)snprintf(key, 32, "key:%u", i);

		*owner = owner_of(key, length, false);
		if (owner_of(key, length, true) == 2 && *owner != 2 && n-- == 0)
			return length;
	}
}

static void removed(uint32_t server, const char *key, size_t length)
{
	memcached_delete(&processes[server], key, length);
}

static struct memcached_item at_new(unsigned n)
{
	char key[32];
	uint32_t owner;
	size_t length = leaving(n, key, &owner);

	return memcached_get(&processes[2], key, length);
}

static void holds(unsigned n, const char *value)
{
	struct memcached_item item = at_new(n);

	ck_assert_msg(item.hit && item.length == strlen(value) &&
			  memcmp(item.value, value, item.length) == 0,
		      "the key number %u is not `%s` at its new owner", n, value);
}

/* Until SWITCH; each source's mark is kept in `runs`. */
static void copied(struct run runs[SERVERS])
{
	unaware();
	fill(KEYS, "v");
	phase_all(PHASE_PREPARE, runs);
	phase_all(PHASE_COPY, runs);
}

/* cache03 has a mark of its own as a new owner, the others theirs as sources. */
static void settled(struct run runs[SERVERS])
{
	phase_all(PHASE_SETTLE, runs);
	phase_all(PHASE_DRAIN, runs);
	phase_all(PHASE_PURGE, runs);
}

START_TEST(what_was_not_written_late_arrives)
{
	struct run runs[SERVERS] = {0};

	copied(runs);
	phase_all(PHASE_SWITCH, runs);
	settled(runs);
	all_hold(KEYS, true, "v");
	ck_assert_uint_eq(runs[2].work.moved + runs[2].work.failed, 0);
	ck_assert_uint_eq(memcached_items(&processes[0]) + memcached_items(&processes[1]) +
			      memcached_items(&processes[2]),
			  KEYS);
}
END_TEST

START_TEST(what_was_written_late_at_the_old_owner_is_dropped_and_the_copy_with_it)
{
	struct run runs[SERVERS] = {0};
	char key[32];
	uint32_t owner;
	size_t length;

	copied(runs);
	phase_all(PHASE_SWITCH, runs);
	length = leaving(0, key, &owner); /* changed, */
	memcached_set(&processes[owner], key, length, "late", 4, 0, 0);
	length = leaving(1, key, &owner); /* deleted, */
	removed(owner, key, length);
	length = leaving(2, key, &owner); /* and written, for a moment, with other flags */
	memcached_set(&processes[owner], key, length, "v", 1, 9, 0);
	phase_all(PHASE_SETTLE, runs);
	for (unsigned n = 0; n < 3; n++)
		ck_assert_msg(!at_new(n).hit, "the copy number %u is still there after SETTLE", n);
	phase_all(PHASE_DRAIN, runs);
	for (unsigned n = 0; n < 3; n++) {
		length = leaving(n, key, &owner);
		ck_assert(!at_new(n).hit);
		ck_assert(!memcached_get(&processes[owner], key, length).hit);
	}
	ck_assert(at_new(3).hit);
}
END_TEST

START_TEST(what_clients_stored_at_the_new_owner_stays_and_what_they_deleted_there_stays_away)
{
	struct run runs[SERVERS] = {0};
	char key[32];
	uint32_t owner;
	size_t length;

	copied(runs);
	phase_all(PHASE_SWITCH, runs);
	/* By who has polled: at the new owner alone, while the old one still has its value. */
	length = leaving(0, key, &owner);
	memcached_set(&processes[2], key, length, "new", 3, 0, 0);
	length = leaving(1, key, &owner);
	removed(2, key, length);
	/* By who is aware: the old one's is gone. */
	length = leaving(2, key, &owner);
	memcached_set(&processes[2], key, length, "aware", 5, 0, 0);
	removed(owner, key, length);
	settled(runs);
	holds(0, "new");
	ck_assert(!at_new(1).hit); /* DRAIN has not brought it back */
	holds(2, "aware");
}
END_TEST

/* Neither is known to be the later one. */
START_TEST(a_key_written_on_both_sides_is_kept_on_none)
{
	struct run runs[SERVERS] = {0};
	char key[32];
	uint32_t owner;
	size_t length;

	copied(runs);
	phase_all(PHASE_SWITCH, runs);
	length = leaving(0, key, &owner);
	memcached_set(&processes[2], key, length, "new", 3, 0, 0);
	memcached_set(&processes[owner], key, length, "late", 4, 0, 0);
	settled(runs);
	ck_assert(!at_new(0).hit);
	ck_assert(!memcached_get(&processes[owner], key, length).hit);
}
END_TEST

/* A reservation is an item with an empty value to who is unaware: in DRAIN nothing is set. */
START_TEST(drain_stores_nothing_at_the_new_owner)
{
	struct run runs[SERVERS] = {0};
	char key[32];
	uint64_t touched;
	uint32_t owner;

	copied(runs);
	phase_all(PHASE_SWITCH, runs);
	for (unsigned n = 0; n < 500; n++) {
		size_t length = leaving(n, key, &owner);

		memcached_set(&processes[owner], key, length, "late", 4, 0, 0);
	}
	phase_all(PHASE_SETTLE, runs);
	touched = memcached_stat(&processes[2], "total_items");
	phase_all(PHASE_DRAIN, runs);
	ck_assert_uint_eq(memcached_stat(&processes[2], "total_items"), touched);
}
END_TEST

START_TEST(a_new_owner_started_anew_keeps_what_clients_stored_since)
{
	struct run runs[SERVERS] = {0};
	char key[32];
	uint32_t owner;
	size_t length;

	copied(runs);
	phase_all(PHASE_SWITCH, runs);
	restart(2);
	length = leaving(0, key, &owner);
	memcached_set(&processes[2], key, length, "new", 3, 0, 0);
	removed(owner, key, length);
	settled(runs);
	holds(0, "new");
	ck_assert_uint_eq(memcached_items(&processes[2]), 1);
}
END_TEST

/* An agent that lost its state in between does not know any more what the copies are. */
START_TEST(without_the_mark_whatever_differs_goes)
{
	struct run runs[SERVERS] = {0};
	char key[32];
	uint32_t owner;
	size_t length;

	copied(runs);
	length = leaving(0, key, &owner);
	memcached_set(&processes[2], key, length, "new", 3, 0, 0);
	length = leaving(1, key, &owner);
	removed(owner, key, length);
	settled(runs);
	ck_assert(!at_new(0).hit);
	ck_assert(!at_new(1).hit);
	ck_assert(at_new(2).hit);
}
END_TEST

START_TEST(copies_of_a_source_that_lost_its_memory_go)
{
	struct run runs[SERVERS] = {0};

	copied(runs);
	phase_all(PHASE_SWITCH, runs);
	restart(0);
	restart(1);
	settled(runs);
	ck_assert_uint_eq(memcached_items(&processes[2]), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mover_unaware");
	TCase *all = tcase_create("mover_unaware");

	tcase_add_checked_fixture(all, set_up, tear_down);
	tcase_set_timeout(all, 120);
	tcase_add_test(all, what_was_not_written_late_arrives);
	tcase_add_test(all, what_was_written_late_at_the_old_owner_is_dropped_and_the_copy_with_it);
	tcase_add_test(
	    all, what_clients_stored_at_the_new_owner_stays_and_what_they_deleted_there_stays_away);
	tcase_add_test(all, a_key_written_on_both_sides_is_kept_on_none);
	tcase_add_test(all, drain_stores_nothing_at_the_new_owner);
	tcase_add_test(all, a_new_owner_started_anew_keeps_what_clients_stored_since);
	tcase_add_test(all, without_the_mark_whatever_differs_goes);
	tcase_add_test(all, copies_of_a_source_that_lost_its_memory_go);
	suite_add_tcase(suite, all);
	return suite_run(suite);
}
