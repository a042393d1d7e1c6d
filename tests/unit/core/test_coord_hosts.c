/* test_coord_hosts.c - whose word counts when a register newer than the coordinator's is shown. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

static struct world world;
static const uint8_t stranger[LIST_HOST_KEY_BYTES] = {7, 7, 7};

static void setup(void)
{
	world_init(&world, 1);
	ck_assert(world_settle(&world, 1, 5000));
}

static void teardown(void)
{
	world_free(&world);
}

/* Shows the coordinator a register of a later term. */
static bool show(const uint8_t *key, struct grant *grant)
{
	struct renew renew = {.sequence = 1, .known = world.coord.reg};

	renew.known.term += 5;
	renew.known.phase = PHASE_SWITCH;
	return coord_renew(&world.coord, key, 1, &renew, world.now_ms, grant);
}

START_TEST(an_observer_halts_no_coordinator)
{
	struct grant grant;

	ck_assert(show(stranger, &grant));
	ck_assert_int_eq(world.coord.state, COORD_LEADING);
	ck_assert_uint_eq(grant.reg.term, world.coord.reg.term);
	ck_assert_uint_eq(grant.lease_ms, 0);
}
END_TEST

START_TEST(a_listed_agent_does)
{
	struct grant grant;

	ck_assert(!show(world.list[0]->agents[2].key, &grant));
	ck_assert_int_eq(world.coord.state, COORD_HALTED);
}
END_TEST

START_TEST(nor_does_one_move_the_register_of_a_failover)
{
	const struct reg known = world.coord.reg;
	struct grant grant;
	struct coord coord;
	struct renew renew = {.sequence = 1, .known = known};

	ck_assert_int_eq(coord_init(&coord, "a1"), 0);
	coord_failover(&coord, 9, &known, world.list[0], NULL, world.change[0], world.now_ms);
	renew.known.term = 3;
	ck_assert(!coord_renew(&coord, stranger, 1, &renew, world.now_ms, &grant));
	ck_assert_uint_eq(coord.reg.term, known.term);
	renew.known.term = 9;
	ck_assert(!coord_renew(&coord, stranger, 1, &renew, world.now_ms, &grant));
	ck_assert_int_eq(coord.state, COORD_SILENT);
	renew.known.term = 3;
	ck_assert(!coord_renew(&coord, world.list[0]->agents[2].key, 1, &renew, world.now_ms,
			       &grant));
	ck_assert_uint_eq(coord.reg.term, 3);
	coord_free(&coord);
}
END_TEST

static void hear(struct coord *coord, uint32_t agent)
{
	struct renew renew = {.sequence = 1, .known = coord->reg};
	struct grant grant;

	(void)coord_renew(coord, world.list[0]->agents[agent].key, 0, &renew, world.now_ms, &grant);
}

/* Its disk may be a backup's: who is not excused has to show that there is nothing newer. */
START_TEST(excused_agents_make_a_majority_only_with_all_others)
{
	const uint32_t agents = world.list[0]->agent_count;
	struct coord coord;

	ck_assert_uint_gt(agents, 3);
	ck_assert_int_eq(coord_init(&coord, "a1"), 0);
	coord_resume(&coord, &world.coord.reg, world.list[0], NULL, world.change[0], world.now_ms);
	for (uint32_t i = 3; i < agents; i++) {
		const int number =
		    change_agent_find(world.change[0], world.list[0]->agents[i].name);

		ck_assert_int_ge(number, 0);
		register_set_add(coord.reg.excused, (uint32_t)number);
	}
	hear(&coord, 0);
	if ((agents - 3 + 2) * 2 > agents)
		hear(&coord, 1);
	ck_assert_int_eq(coord.state, COORD_HEARING);
	hear(&coord, 2);
	ck_assert_int_eq(coord.state, COORD_LEADING);
	coord_free(&coord);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coord_hosts");
	TCase *tests = tcase_create("coord_hosts");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, an_observer_halts_no_coordinator);
	tcase_add_test(tests, a_listed_agent_does);
	tcase_add_test(tests, nor_does_one_move_the_register_of_a_failover);
	tcase_add_test(tests, excused_agents_make_a_majority_only_with_all_others);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
