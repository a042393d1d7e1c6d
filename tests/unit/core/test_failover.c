/* test_failover.c - who begins by an order has the votes for it. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

static struct world world;
static struct coord coord;
static struct reg known;

/* a1 is ordered to coordinate from term 2 on; the leases granted before have run out. */
static void setup(void)
{
	world_init(&world, 1);
	ck_assert(world_settle(&world, 1, 5000));
	known = world.coord.reg;
	ck_assert_int_eq(coord_init(&coord, "a1"), 0);
	coord_failover(&coord, 2, &known, world.list[0], NULL, world.change[0], world.now_ms);
	world.now_ms += 2 * world.list[0]->steady_lease_ms;
	coord_tick(&coord, world.now_ms);
	ck_assert_int_eq(coord.state, COORD_HEARING);
}

static void teardown(void)
{
	coord_free(&coord);
	world_free(&world);
}

static void hear(uint32_t host, uint64_t vote)
{
	struct renew renew = {.sequence = 1, .known = known, .vote = vote};
	struct grant grant;

	ck_assert(
	    !coord_renew(&coord, world.list[0]->agents[host].key, 0, &renew, world.now_ms, &grant));
}

START_TEST(a_majority_that_keeps_the_order_begins_its_term)
{
	hear(1, 2);
	hear(2, 2);
	ck_assert_int_eq(coord.state, COORD_HEARING);
	hear(2, 2);
	ck_assert_int_eq(coord.state, COORD_HEARING);
	hear(3, 2);
	ck_assert_int_eq(coord.state, COORD_LEADING);
	ck_assert_uint_eq(coord.staged.term, 2);
	ck_assert_uint_gt(coord.staged.serial, known.serial + 1);
}
END_TEST

START_TEST(who_keeps_no_order_or_another_one_has_no_vote)
{
	char waits[REGISTER_REASON_BYTES];

	hear(1, 2);
	hear(0, 0);
	hear(2, 3);
	hear(3, 1);
	ck_assert_int_eq(coord.state, COORD_HEARING);
	coord_waits_for(&coord, world.now_ms, waits, sizeof(waits));
	ck_assert_ptr_nonnull(strstr(waits, "keep the failover order of term 2 to a1"));
}
END_TEST

START_TEST(an_excuse_is_no_vote)
{
	memset(coord.reg.excused, 0xff, sizeof(coord.reg.excused));
	hear(1, 2);
	hear(2, 2);
	ck_assert_int_eq(coord.state, COORD_HEARING);
}
END_TEST

START_TEST(with_the_register_file_it_needs_the_votes_too)
{
	coord_resume(&coord, &known, world.list[0], NULL, world.change[0], world.now_ms);
	coord_ordered(&coord, 2);
	hear(1, 2);
	hear(2, 0);
	hear(3, 0);
	ck_assert_int_eq(coord.state, COORD_HEARING);
	hear(2, 2);
	hear(3, 2);
	ck_assert_int_eq(coord.state, COORD_LEADING);
}
END_TEST

START_TEST(the_other_order_has_begun_and_this_one_is_void)
{
	known.term = 2;
	hear(3, 0);
	ck_assert_int_eq(coord.state, COORD_HALTED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("failover");
	TCase *tests = tcase_create("failover");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_majority_that_keeps_the_order_begins_its_term);
	tcase_add_test(tests, who_keeps_no_order_or_another_one_has_no_vote);
	tcase_add_test(tests, an_excuse_is_no_vote);
	tcase_add_test(tests, with_the_register_file_it_needs_the_votes_too);
	tcase_add_test(tests, the_other_order_has_begun_and_this_one_is_void);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
