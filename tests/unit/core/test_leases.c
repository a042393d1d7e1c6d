/* test_leases.c - who is granted a lease, for how long, and who is not any more. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

static struct world world;

static void setup(void)
{
	world_init(&world, 1);
	ck_assert(world_settle(&world, 1, 5000));
}

static void teardown(void)
{
	world_free(&world);
}

/* The lease that a host gets now; `adopted` or not.  -1: no answer. */
static int64_t asks(const uint8_t *key, uint64_t origin, bool adopted)
{
	struct renew renew = {.sequence = 1};
	struct grant grant;

	if (adopted) {
		renew.term = world.coord.reg.term;
		renew.serial = world.coord.reg.serial;
		renew.known = world.coord.reg;
	}
	if (!coord_renew(&world.coord, key, origin, &renew, world.now_ms, &grant))
		return -1;
	return grant.lease_ms;
}

static const uint8_t *observer(uint32_t number)
{
	static uint8_t key[LIST_HOST_KEY_BYTES];

	memset(key, 0xee, sizeof(key));
	memcpy(key, &number, sizeof(number));
	return key;
}

static void begin_change(void)
{
	struct coord_action action;
	struct failure failure;

	ck_assert_msg(coord_may_offer(&world.coord, world.list[1], world.now_ms, &failure) == 0,
		      "%s", failure.text);
	coord_offer(&world.coord, world.list[1], world.now_ms);
	ck_assert(coord_next(&world.coord, world.now_ms, &action));
	ck_assert_int_eq(action.type, COORD_STORE);
	coord_lists(&world.coord, world.list[0], world.list[1], world.change[1]);
	coord_stored(&world.coord, true, world.now_ms);
}

START_TEST(a_newcomer_is_told_the_register_and_leased_once_it_has_adopted_it)
{
	ck_assert_int_eq(asks(observer(1), 1, false), 0);
	ck_assert_int_eq(asks(observer(1), 1, true), 2000);
	begin_change();
	ck_assert_int_eq(asks(observer(2), 1, false), 0);
	ck_assert_int_eq(asks(observer(1), 1, false), 1000); /* it holds one: it is waited for */
}
END_TEST

START_TEST(leases_are_long_while_settled_and_short_in_a_change)
{
	const uint8_t *key = world.list[0]->agents[1].key;

	ck_assert_int_eq(asks(key, 0, true), 2000);
	ck_assert(world.coord.reg.long_leases);
	begin_change();
	ck_assert_int_eq(asks(key, 0, true), 1000);
	ck_assert_uint_ge(world.coord.host[1].lease_ms, world.now_ms + 1000);
	/* The long one that it held is not shortened by that. */
	ck_assert_uint_ge(world.coord.long_ms, world.now_ms + 1900);
}
END_TEST

START_TEST(a_new_coordinator_waits_for_long_leases_that_may_run)
{
	struct reg saved = world.coord.reg;
	struct coord coord;

	ck_assert_int_eq(coord_init(&coord, "a0"), 0);
	coord_resume(&coord, &saved, world.list[0], NULL, world.change[0], world.now_ms);
	ck_assert_uint_eq(coord.blind_ms, world.now_ms + 2200);
	saved.phase = PHASE_COPY;
	saved.long_leases = true;
	coord_resume(&coord, &saved, world.list[0], NULL, world.change[0], world.now_ms);
	ck_assert_uint_eq(coord.blind_ms, world.now_ms + 2200);
	saved.long_leases = false;
	coord_resume(&coord, &saved, world.list[0], NULL, world.change[0], world.now_ms);
	ck_assert_uint_eq(coord.blind_ms, world.now_ms + 1100);
	coord_free(&coord);
}
END_TEST

START_TEST(who_renews_without_adopting_is_granted_nothing_after_the_limit)
{
	const uint8_t *key = world.list[0]->agents[2].key;
	uint64_t limit_ms;

	begin_change();
	limit_ms = world.now_ms + COORD_ADOPT_LIMIT_MS;
	for (; world.now_ms <= limit_ms; world.now_ms += 500)
		ck_assert_int_eq(asks(key, 0, false), 1000);
	world.now_ms = limit_ms + 1;
	ck_assert_int_eq(asks(key, 0, false), 0); /* it holds one still, and gets no other */
	ck_assert_int_eq(asks(key, 0, true), 1000);
}
END_TEST

START_TEST(observers_of_one_address_are_capped)
{
	for (uint32_t i = 0; i < COORD_OBSERVERS_PER_ORIGIN; i++)
		ck_assert_int_eq(asks(observer(i), 7, true), 2000);
	ck_assert_int_eq(asks(observer(1000), 7, true), -1);
	ck_assert_int_eq(asks(observer(1000), 8, true), 2000);
	ck_assert_int_eq(asks(observer(3), 7, true), 2000);
	ck_assert_int_eq(asks(world.list[0]->agents[3].key, 7, true), 2000);
}
END_TEST

/* Records of others that have run out are no way round it. */
START_TEST(nor_do_they_grow_over_the_records_of_other_addresses)
{
	uint32_t held = 0;

	for (uint32_t i = 0; i < 10; i++)
		ck_assert_int_eq(asks(observer(2000 + i), 8, true), 2000);
	world.now_ms += 1500;
	for (uint32_t i = 0; i + 1 < COORD_OBSERVERS_PER_ORIGIN; i++)
		ck_assert_int_eq(asks(observer(i), 7, true), 2000);
	ck_assert_int_eq(asks(observer(900), 7, false), 0); /* a record, and no lease */
	world.now_ms += 1000;				    /* those of 8 have run out */
	for (uint32_t i = 1000; i < 1010; i++)
		(void)asks(observer(i), 7, true);
	(void)asks(observer(900), 7, true);
	for (uint32_t i = 0; i < world.coord.host_count; i++)
		held += !world.coord.host[i].listed && world.coord.host[i].origin == 7 &&
			world.coord.host[i].lease_ms > world.now_ms;
	ck_assert_uint_eq(held, COORD_OBSERVERS_PER_ORIGIN);
}
END_TEST

START_TEST(observers_are_capped_in_total)
{
	for (uint32_t i = 0; i < COORD_OBSERVERS_MAX; i++)
		ck_assert_int_eq(asks(observer(i), 1 + i / 10, true), 2000);
	ck_assert_int_eq(asks(observer(5000), 9999, true), -1);
	ck_assert_int_eq(asks(world.list[0]->agents[3].key, 0, true), 2000);
	world.now_ms += 2001; /* theirs have run out */
	ck_assert_int_eq(asks(observer(5000), 9999, true), 2000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("leases");
	TCase *tests = tcase_create("leases");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_newcomer_is_told_the_register_and_leased_once_it_has_adopted_it);
	tcase_add_test(tests, leases_are_long_while_settled_and_short_in_a_change);
	tcase_add_test(tests, a_new_coordinator_waits_for_long_leases_that_may_run);
	tcase_add_test(tests, who_renews_without_adopting_is_granted_nothing_after_the_limit);
	tcase_add_test(tests, observers_of_one_address_are_capped);
	tcase_add_test(tests, nor_do_they_grow_over_the_records_of_other_addresses);
	tcase_add_test(tests, observers_are_capped_in_total);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
