/* test_mover_rooms.c - a new owner too small for what is to come gets the hottest keys, and evicts
 * none of them for a colder one. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mover_world.h"

#define KEYS	    60000u
#define VALUE_BYTES 1000u
#define HOT_EACH    4u /* one key in so many is read before the move */

static char word[VALUE_BYTES + 1];

static bool is_hot(unsigned i)
{
	return i * 2654435761u >> 16 & 1 ? i % HOT_EACH == 0 : i % HOT_EACH == 1;
}

static void small_new_owner(void)
{
	static const char *const arguments[] = {"-m", "16", NULL};

	memcached_kill(&processes[2]);
	memcached_start(&processes[2], arguments);
}

static struct memcached_item look(unsigned i, bool new)
{
	char key[32];
	size_t length = (size_t)snprintf(key, sizeof(key), "key:%u", i);

	return memcached_get(&processes[owner_of(key, length, new)], key, length);
}

static bool moves(unsigned i)
{
	char key[32];
	size_t length = (size_t)snprintf(key, sizeof(key), "key:%u", i);

	return owner_of(key, length, true) != owner_of(key, length, false);
}

/* A good sixth of what the new owner is to get is hot, and there is room for about a half. */
static void fill_and_read(void)
{
	memset(word, 'w', VALUE_BYTES);
	fill(KEYS, word);
	for (unsigned i = 0; i < KEYS; i++)
		if (is_hot(i))
			ck_assert(look(i, false).hit);
}

static void hot_ones_are_there(void)
{
	unsigned missing = 0;

	for (unsigned i = 0; i < KEYS; i++)
		if (is_hot(i) && moves(i))
			missing += !look(i, true).hit;
	ck_assert_uint_eq(missing, 0);
	ck_assert_uint_eq(memcached_stat(&processes[2], "evictions"), 0);
}

START_TEST(the_hottest_go_to_an_owner_that_is_too_small)
{
	struct run runs[SERVERS] = {0};
	uint64_t cold = 0, settled = 0;

	small_new_owner();
	fill_and_read();
	phase_all(PHASE_PREPARE, runs);
	phase_all(PHASE_COPY, runs);
	hot_ones_are_there();
	ck_assert_uint_gt(runs[0].work.cold + runs[1].work.cold, 1000);
	ck_assert_ptr_nonnull(strstr(runs[1].work.reason, "cold keys left to DRAIN"));
	phase_all(PHASE_DRAIN, runs);
	hot_ones_are_there();
	for (unsigned i = 0; i < 2; i++) {
		cold += runs[i].work.cold;
		settled += runs[i].work.moved + runs[i].work.present;
		ck_assert_uint_eq(runs[i].work.gone + runs[i].work.failed, 0);
	}
	ck_assert_ptr_nonnull(strstr(runs[0].work.reason, "cold keys left as misses"));
	/* Nothing stays at its old owner, and what is counted as there is there. */
	ck_assert_uint_eq(memcached_items(&processes[2]), settled);
	ck_assert_uint_eq(settled + cold, moving(KEYS, 0) + moving(KEYS, 1));
	ck_assert_uint_eq(
	    memcached_items(&processes[0]) + memcached_items(&processes[1]) + settled + cold, KEYS);
}
END_TEST

START_TEST(an_owner_with_room_for_all_gets_all)
{
	struct run runs[SERVERS] = {0};

	fill_and_read();
	whole_change(runs);
	for (unsigned i = 0; i < KEYS; i++)
		ck_assert(look(i, true).hit);
}
END_TEST

/* Restarted, and nothing known of what is there: what is left out is deleted there first. */
START_TEST(what_may_be_older_does_not_stay_at_an_owner_without_room)
{
	struct run runs[SERVERS] = {0};
	unsigned stale = 0;

	small_new_owner();
	fill_and_read();
	phase_all(PHASE_PREPARE, runs);
	run_start(&runs[0], 0, PHASE_COPY, false);
	turn_until_counted(&runs[0], 3000);
	run_abandon(&runs[0]);
	word[0] = 'n';
	fill(KEYS, word); /* as writers do whose second step, the delete there, is still to come */
	memset(&runs[0].saved, 0, sizeof(runs[0].saved));
	run_start(&runs[0], 0, PHASE_COPY, true);
	turn_until(&runs[0].finished, &runs[0]);
	mover_free(runs[0].mover);
	for (unsigned i = 0; i < KEYS; i++) {
		struct memcached_item item = {0};

		if (moves(i))
			item = look(i, true);
		stale += item.hit && item.length > 0 && item.value[0] != 'n';
	}
	ck_assert_uint_eq(stale, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mover_rooms");
	TCase *all = tcase_create("mover_rooms");

	tcase_add_checked_fixture(all, set_up, tear_down);
	tcase_set_timeout(all, 120);
	tcase_add_test(all, the_hottest_go_to_an_owner_that_is_too_small);
	tcase_add_test(all, an_owner_with_room_for_all_gets_all);
	tcase_add_test(all, what_may_be_older_does_not_stay_at_an_owner_without_room);
	suite_add_tcase(suite, all);
	return suite_run(suite);
}
