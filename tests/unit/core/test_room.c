/* test_room.c - what a memory still takes, and which keys are left out where it takes no more. */
#include <check.h>
#include <stdlib.h>

#include "core/room.h"

#define MIB (1ull << 20)
#define DAY 86400u

static const struct room_share whole = {1, 1, false, 1};

static struct room told(uint64_t limit, uint64_t held, uint64_t oldest_s)
{
	struct room_said said = {.limit = limit, .held = held, .oldest_s = oldest_s};
	struct room room = {0};

	room_told(&room, &said);
	room_walk(&room, &whole);
	return room;
}

START_TEST(an_eighth_and_some_pages_are_kept_free)
{
	struct room room = told(64 * MIB, 0, 0);

	ck_assert_uint_eq(room_free(&room), 48 * MIB);
	room = told(64 * MIB, 42 * MIB, 0);
	ck_assert_uint_eq(room_free(&room), 6 * MIB);
	room = told(1024 * MIB, 0, 0);
	ck_assert_uint_eq(room_free(&room), (1024 - 128 - 8) * MIB);
	room = told(64 * MIB, 49 * MIB, 0);
	ck_assert_uint_eq(room_free(&room), 0);
}
END_TEST

START_TEST(who_says_nothing_takes_anything)
{
	struct room room = told(0, 0, 0);

	ck_assert(!room_is_tight(&room, UINT64_MAX));
	room_took(&room, UINT64_MAX / 2);
	room_took(&room, UINT64_MAX / 2);
	ck_assert(!room_leaves_out(&room, UINT32_MAX, 1));
}
END_TEST

START_TEST(a_guess_within_a_tenth_of_the_room_is_tight)
{
	struct room room = told(64 * MIB, 0, 0);

	ck_assert(!room_is_tight(&room, 43 * MIB));
	ck_assert(room_is_tight(&room, 44 * MIB));
}
END_TEST

START_TEST(each_of_several_walks_has_its_share)
{
	const struct room_share share = {1, 1, false, 4};
	struct room room = told(64 * MIB, 0, 0);

	room_walk(&room, &share);
	ck_assert_uint_eq(room.allowed, 12 * MIB);
	room_took(&room, 11 * MIB);
	ck_assert(!room_leaves_out(&room, DAY, 1));
	room_took(&room, 2 * MIB);
	ck_assert(room_leaves_out(&room, DAY, 1));
	room_gave_back(&room, MIB);
	ck_assert(!room_leaves_out(&room, DAY, 1));
}
END_TEST

START_TEST(who_comes_late_finds_his_share)
{
	const struct room_share third = {1, 3, true, 1}, of_a_used_one = {1, 3, false, 1};
	struct room room = told(64 * MIB, 32 * MIB, 0); /* the two others were here */

	room_walk(&room, &third);
	ck_assert_uint_eq(room.allowed, 16 * MIB);
	room = told(64 * MIB, 36 * MIB, 0); /* and took more */
	room_walk(&room, &third);
	ck_assert_uint_eq(room.allowed, 12 * MIB);
	room_walk(&room, &of_a_used_one);
	ck_assert_uint_eq(room.allowed, 4 * MIB);
	ck_assert_uint_eq(room_share(UINT64_MAX, 1, 0), 0);
	ck_assert_uint_eq(room_share(UINT64_MAX, 2, 2), UINT64_MAX);
}
END_TEST

START_TEST(what_others_bring_is_seen)
{
	struct room_said said = {.limit = 64 * MIB, .held = 47 * MIB};
	struct room room = told(64 * MIB, 0, 0);

	room_told(&room, &said);
	ck_assert_uint_eq(room.allowed, MIB);
}
END_TEST

START_TEST(evictions_during_the_walk_mean_that_it_is_full)
{
	struct room_said said = {.limit = 64 * MIB, .held = 10 * MIB, .evictions = 5};
	struct room room = {0};

	room_told(&room, &said); /* those before are not of this move */
	room_walk(&room, &whole);
	ck_assert(!room_leaves_out(&room, DAY, 1));
	said.evictions = 6;
	room_told(&room, &said);
	ck_assert(room_leaves_out(&room, DAY, 1));
	room_walk(&room, &whole);
	ck_assert(!room_leaves_out(&room, DAY, 1));
}
END_TEST

START_TEST(a_key_that_would_push_out_a_colder_one_is_not_left_out)
{
	struct room room = told(64 * MIB, 64 * MIB, 7200);

	ck_assert(!room_leaves_out(&room, 7199, 10));
	ck_assert(room_leaves_out(&room, 7200, 10));
	/* What it would push out came with this move, before it: it is hotter, whatever its age. */
	ck_assert(room_leaves_out(&room, 60, 7200));
}
END_TEST

START_TEST(heat_goes_by_last_use_and_by_whether_it_was_ever_read)
{
	ck_assert_uint_eq(room_idle(1000, 1000, true), 1);
	ck_assert_uint_eq(room_idle(1000, 1001, true), 1); /* its clock is ahead by a second */
	ck_assert_uint_eq(room_idle(1000, 900, true), 101);
	ck_assert_uint_eq(room_idle(1000, 1000, false), 8);
	ck_assert_uint_eq(room_idle(INT64_MAX, 0, false), UINT32_MAX);
	ck_assert_uint_eq(room_idle(-1, 5, true), 1);
	ck_assert_uint_lt(room_heat(room_idle(1000, 1000, true)),
			  room_heat(room_idle(1000, 1000, false)));
}
END_TEST

START_TEST(heats_are_ordered_and_in_range)
{
	unsigned before = room_heat(0);

	for (uint32_t idle = 1; idle < 1u << 26; idle += 1 + idle / 7) {
		unsigned heat = room_heat(idle);

		ck_assert_uint_ge(heat, before);
		ck_assert_uint_lt(heat, ROOM_HEATS);
		before = heat;
	}
	ck_assert_uint_eq(room_heat(UINT32_MAX), ROOM_HEATS - 1);
	ck_assert_uint_lt(room_heat(60), room_heat(100));
	ck_assert_uint_lt(room_heat(DAY), room_heat(2 * DAY));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("room");
	TCase *tests = tcase_create("room");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, an_eighth_and_some_pages_are_kept_free);
	tcase_add_test(tests, who_says_nothing_takes_anything);
	tcase_add_test(tests, a_guess_within_a_tenth_of_the_room_is_tight);
	tcase_add_test(tests, each_of_several_walks_has_its_share);
	tcase_add_test(tests, who_comes_late_finds_his_share);
	tcase_add_test(tests, what_others_bring_is_seen);
	tcase_add_test(tests, evictions_during_the_walk_mean_that_it_is_full);
	tcase_add_test(tests, a_key_that_would_push_out_a_colder_one_is_not_left_out);
	tcase_add_test(tests, heat_goes_by_last_use_and_by_whether_it_was_ever_read);
	tcase_add_test(tests, heats_are_ordered_and_in_range);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
