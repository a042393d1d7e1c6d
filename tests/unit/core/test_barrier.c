/* test_barrier.c - host.c and coord.c together: phases pass in order, whatever crashes in between.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

static struct world world;

static void offer(void)
{
	struct failure failure;

	ck_assert_msg(coord_may_offer(&world.coord, world.list[1], world.now_ms, &failure) == 0,
		      "%s", failure.text);
	coord_offer(&world.coord, world.list[1], world.now_ms);
}

static void check_no_violation(uint64_t seed)
{
	ck_assert_msg(world.violations == 0, "seed %llu: %u violations, the first %s",
		      (unsigned long long)seed, world.violations, world.violation);
}

START_TEST(first_list_settles_at_once_on_every_host)
{
	world_init(&world, 1);
	ck_assert(world_settle(&world, 1, 5000));
	ck_assert_uint_eq(world.coord.reg.serial, 1);
	check_no_violation(1);
	world_free(&world);
}
END_TEST

START_TEST(a_change_passes_every_phase_once)
{
	world_init(&world, 2);
	ck_assert(world_settle(&world, 1, 5000));
	offer();
	ck_assert(world_settle(&world, 2, 20000));
	/* PREPARE COPY SWITCH SETTLE DRAIN AFTER PURGE STEADY: eight steps after the first. */
	ck_assert_uint_eq(world.coord.reg.serial, 9);
	ck_assert_uint_eq(world.coord.reg.highest_epoch, 2);
	for (uint32_t i = 0; i < 3; i++)
		ck_assert_uint_eq(world.host[i].works[PHASE_COPY], 1);
	ck_assert_uint_eq(world.host[3].works[PHASE_COPY], 0);
	ck_assert_uint_eq(world.host[3].works[PHASE_PREPARE], 1);
	check_no_violation(2);
	world_free(&world);
}
END_TEST

/* Where a write takes its time, the step that ends a change is staged and may stand already. */
START_TEST(no_list_is_taken_while_the_step_before_is_being_written)
{
	struct coord_action action;
	struct failure failure;

	world_init(&world, 12);
	ck_assert(world_settle(&world, 1, 5000));
	offer();
	ck_assert(coord_next(&world.coord, world.now_ms, &action));
	ck_assert_int_eq(action.type, COORD_STORE);
	world.coord.staged.phase = PHASE_STEADY;
	world.coord.staged.next_epoch = 0;
	ck_assert_int_eq(coord_may_offer(&world.coord, world.list[1], world.now_ms, &failure),
			 -EAGAIN);
	ck_assert_str_eq(failure.text, "the register is taking a step just now");
	world_free(&world);
}
END_TEST

/* Whoever asked is told, and asks again; what the coordinator itself decided it tries again. */
START_TEST(a_list_that_cannot_be_stored_is_dropped_and_a_phase_is_not)
{
	struct coord_action action;
	uint64_t serial;

	world_init(&world, 13);
	ck_assert(world_settle(&world, 1, 5000));
	offer();
	serial = world.coord.staged.serial;
	ck_assert_int_eq(coord_step(&world.coord, 1, serial), COORD_STEP_STAGED);
	ck_assert(coord_next(&world.coord, world.now_ms, &action));
	coord_stored(&world.coord, false, world.now_ms);
	ck_assert_int_eq(coord_step(&world.coord, 1, serial), COORD_STEP_LOST);
	ck_assert_uint_eq(world.coord.staged.term, 0);
	offer();
	for (int i = 0; i < 10000 && world.coord.staged.phase != PHASE_COPY; i++)
		world_step(&world);
	ck_assert_int_eq(coord_step(&world.coord, 1, serial), COORD_STEP_STANDS);
	world.coord.storing = true;
	coord_stored(&world.coord, false, world.now_ms);
	ck_assert_uint_eq(world.coord.staged.phase, PHASE_COPY);
	ck_assert(world_settle(&world, 2, 20000));
	world_free(&world);
}
END_TEST

START_TEST(a_list_ends_with_the_leadership_that_was_to_store_it)
{
	uint64_t serial;

	world_init(&world, 14);
	ck_assert(world_settle(&world, 1, 5000));
	offer();
	serial = world.coord.staged.serial;
	coord_stop(&world.coord);
	ck_assert_int_eq(coord_step(&world.coord, 1, serial), COORD_STEP_LOST);
	world_free(&world);
}
END_TEST

/* It is started when the others have reached it already, which is all that held the change up. */
START_TEST(who_coordinates_next_hears_the_register_though_it_is_excused)
{
	const uint32_t next = 3;
	char text[256];

	world_init(&world, 15);
	world_crash(&world, next, 100000);
	world.list[1]->coordinator = next;
	world.list[1]->servers[next].agent = 0; /* no work of its own is waited for */
	change_free(world.change[1]);
	ck_assert_int_eq(change_new(world.list[0], world.list[1], &world.change[1], NULL), 0);
	for (int i = 0; i < 3000; i++)
		world_step(&world);
	offer();
	register_set_add(world.coord.staged.excused,
			 (uint32_t)change_agent_find(world.change[1], "a3"));
	for (uint32_t i = 0; i < next; i++)
		host_successor(&world.host[i].host, true, false);
	for (int i = 0; i < 5000; i++)
		world_step(&world);
	ck_assert_int_eq(world.coord.reg.phase, PHASE_PREPARE);
	coord_waits_for(&world.coord, world.now_ms, text, sizeof(text));
	ck_assert_str_eq(text, "agent a3, which coordinates next, to hear the register");
	world_crash(&world, next, 0);
	for (int i = 0; i < 50; i++)
		world_step(&world);
	host_successor(&world.host[next].host, true, false);
	ck_assert(world_settle(&world, 2, 20000));
	check_no_violation(15);
	world_free(&world);
}
END_TEST

static bool all_switched(void)
{
	for (uint32_t i = 0; i < WORLD_HOSTS; i++)
		if (world.host[i].segment.phase != PHASE_SWITCH)
			return false;
	return true;
}

/* The coordinator is started anew in the midst of it in every other run. */
START_TEST(switch_is_held_until_clients_that_know_nothing_of_phases_have_polled)
{
	const uint64_t poll_ms = 700;
	uint64_t last = 0;
	char text[256];
	bool said = false, crashed = _i % 2 == 0;

	world_init(&world, 40 + (uint64_t)_i);
	world.change[1]->unaware_poll_ms = (uint32_t)poll_ms;
	ck_assert(world_settle(&world, 1, 5000));
	offer();
	for (int i = 0; i < 30000 && world.coord.reg.phase <= PHASE_SWITCH; i++) {
		if (last == 0 && all_switched())
			last = world.now_ms;
		if (!crashed && last != 0 && world.now_ms >= last + poll_ms / 2) {
			world_crash_coord(&world, 50);
			crashed = true;
			last = world.now_ms;
		}
		coord_waits_for(&world.coord, world.now_ms, text, sizeof(text));
		said |= strstr(text, "clients that know nothing of phases to poll") != NULL;
		world_step(&world);
	}
	ck_assert_int_eq(world.coord.reg.phase, PHASE_SETTLE);
	ck_assert_uint_ne(last, 0);
	ck_assert(said);
	/* What such a client had begun by the old list has ended, too. */
	ck_assert_uint_ge(world.now_ms, last + poll_ms + world.change[1]->op_timeout_ms);
	ck_assert(world_settle(&world, 2, 20000));
	ck_assert_uint_eq(world.host[3].works[PHASE_SWITCH], 1); /* marked */
	ck_assert_uint_eq(world.host[3].works[PHASE_SETTLE], 1); /* compared */
	check_no_violation(40);
	world_free(&world);
}
END_TEST

START_TEST(a_change_that_moves_no_key_is_not_held)
{
	uint64_t moved;

	world_init(&world, 44);
	world.change[1]->unaware_poll_ms = 3600000;
	moved = world.change[1]->moved;
	world.change[1]->moved = 0;
	ck_assert_uint_gt(moved, 0);
	ck_assert(world_settle(&world, 1, 5000));
	offer();
	ck_assert(world_settle(&world, 2, 20000));
	world_free(&world);
}
END_TEST

START_TEST(copy_waits_for_reservations_that_nobody_resolves)
{
	uint64_t given_up;
	char text[256];
	bool said = false;

	world_init(&world, 45);
	ck_assert(world_settle(&world, 1, 5000));
	offer();
	for (int i = 0; i < 10000 && world.coord.reg.phase != PHASE_COPY; i++)
		world_step(&world);
	world.coord.quiet_starts = true; /* as after an order to give a server up */
	given_up = world.now_ms;
	for (int i = 0; i < 60000 && world.coord.reg.phase == PHASE_COPY; i++) {
		world_step(&world);
		coord_waits_for(&world.coord, world.now_ms, text, sizeof(text));
		said |= strstr(text, "reservations of servers given up to expire, ") == text;
	}
	ck_assert_int_eq(world.coord.reg.phase, PHASE_SWITCH);
	ck_assert(said);
	ck_assert_uint_ge(world.now_ms, given_up + COORD_STUBS_GONE_MS);
	coord_waits_for(&world.coord, world.now_ms, text, sizeof(text));
	ck_assert_ptr_null(strstr(text, "reservations"));
	check_no_violation(45);
	world_free(&world);
}
END_TEST

START_TEST(a_refused_prepare_is_unwound_to_the_list_before)
{
	world_init(&world, 3);
	ck_assert(world_settle(&world, 1, 5000));
	world.refuse_host = 3;
	offer();
	for (int i = 0; i < 10000 && world.coord.reg.reason[0] == '\0'; i++)
		world_step(&world);
	ck_assert_str_eq(world.coord.reg.reason, "refused for the test");
	ck_assert(world_settle(&world, 1, 10000));
	ck_assert_uint_eq(world.coord.reg.highest_epoch, 2);
	ck_assert_uint_eq(world.host[0].works[PHASE_COPY], 0);
	check_no_violation(3);
	world_free(&world);
}
END_TEST

START_TEST(prepare_waits_for_a_listed_agent_that_is_away)
{
	world_init(&world, 4);
	ck_assert(world_settle(&world, 1, 5000));
	world_crash(&world, 1, 1000000);
	offer();
	for (int i = 0; i < 60000; i++)
		world_step(&world);
	ck_assert_int_eq(world.coord.reg.phase, PHASE_PREPARE);
	world_free(&world);
}
END_TEST

START_TEST(later_phases_wait_a_lease_for_a_host_without_work)
{
	world_init(&world, 5);
	ck_assert(world_settle(&world, 1, 5000));
	offer();
	for (int i = 0; i < 10000 && world.coord.reg.phase != PHASE_SWITCH; i++)
		world_step(&world);
	world_crash(&world, 3, 1000000);
	for (int i = 0; i < 10000 && world.coord.reg.phase != PHASE_STEADY; i++)
		world_step(&world);
	ck_assert_uint_eq(world.coord.reg.epoch, 2);
	check_no_violation(5);
	world_free(&world);
}
END_TEST

START_TEST(copy_waits_for_the_host_whose_work_it_is)
{
	world_init(&world, 6);
	ck_assert(world_settle(&world, 1, 5000));
	offer();
	for (int i = 0; i < 10000 && world.coord.reg.phase != PHASE_COPY; i++)
		world_step(&world);
	world_crash(&world, 1, 30000);
	for (int i = 0; i < 20000; i++)
		world_step(&world);
	ck_assert_int_eq(world.coord.reg.phase, PHASE_COPY);
	ck_assert(world_settle(&world, 2, 30000));
	check_no_violation(6);
	world_free(&world);
}
END_TEST

START_TEST(done_work_is_not_started_again_after_a_restart)
{
	world_init(&world, 7);
	ck_assert(world_settle(&world, 1, 5000));
	offer();
	world_crash(&world, 3, 0); /* so that COPY has to wait a little for adoption */
	for (int i = 0; i < 20000; i++) {
		if ((world.host[0].disk.done & (1u << PHASE_COPY)) != 0 &&
		    world.coord.reg.phase == PHASE_COPY)
			break;
		world_step(&world);
	}
	ck_assert_int_eq(world.coord.reg.phase, PHASE_COPY);
	world_crash(&world, 0, 10);
	ck_assert(world_settle(&world, 2, 30000));
	ck_assert_uint_eq(world.host[0].works[PHASE_COPY], 1);
	check_no_violation(7);
	world_free(&world);
}
END_TEST

START_TEST(a_restarted_coordinator_waits_out_the_leases_granted_before)
{
	world_init(&world, 8);
	ck_assert(world_settle(&world, 1, 5000));
	offer();
	for (int i = 0; i < 10000 && world.coord.reg.phase != PHASE_SETTLE; i++)
		world_step(&world);
	world_crash_coord(&world, 0);
	world_step(&world);
	const uint64_t began_ms = world.now_ms;

	for (int i = 0; i < 10000 && world.coord.reg.phase == PHASE_SETTLE; i++)
		world_step(&world);
	ck_assert_uint_ge(world.now_ms - began_ms, 1100);
	ck_assert_uint_eq(world.coord.reg.term, 2);
	ck_assert(world_settle(&world, 2, 30000));
	check_no_violation(8);
	world_free(&world);
}
END_TEST

START_TEST(an_old_copy_of_the_register_coordinates_no_more)
{
	struct reg old;

	world_init(&world, 9);
	ck_assert(world_settle(&world, 1, 5000));
	old = world.coord_disk;
	offer();
	for (int i = 0; i < 10000 && world.coord.reg.phase != PHASE_SWITCH; i++)
		world_step(&world);
	world_crash_coord(&world, 0);
	world.coord_disk = old;
	for (int i = 0; i < 5000; i++)
		world_step(&world);
	ck_assert_int_eq(world.coord.state, COORD_HALTED);
	ck_assert_uint_eq(world.coord_disk.term, old.term);
	world_free(&world);
}
END_TEST

START_TEST(a_second_change_is_refused_while_one_runs)
{
	struct failure failure;

	world_init(&world, 10);
	ck_assert(world_settle(&world, 1, 5000));
	offer();
	for (int i = 0; i < 10; i++)
		world_step(&world);
	world.list[1]->hash[0] ^= 1;
	world.list[1]->epoch = 3;
	ck_assert_int_eq(coord_may_offer(&world.coord, world.list[1], world.now_ms, &failure), -16);
	ck_assert_ptr_nonnull(strstr(failure.text, "epoch 2 is in PREPARE"));
	world_free(&world);
}
END_TEST

START_TEST(crashes_loss_and_delay_never_break_the_promise)
{
	const char *from = getenv("BARRIER_SEED");
	const uint64_t first = from != NULL ? strtoull(from, NULL, 10) : 1000;
	uint32_t crashes = 0;

	for (uint64_t seed = first; seed < first + (from != NULL ? 1 : 60); seed++) {
		world_init(&world, seed);
		world.loss_percent = (uint32_t)(world_random(&world) % 20);
		world.delay_ms = 1 + (uint32_t)(world_random(&world) % 60);
		ck_assert_msg(world_settle(&world, 1, 20000), "seed %llu: the first list",
			      (unsigned long long)seed);
		offer();
		world.crashes = true;
		for (int i = 0; i < 15000 && world.violations == 0; i++)
			world_step(&world);
		world.crashes = false;
		world.loss_percent = 0;
		ck_assert_msg(world_settle(&world, 2, 60000) || world.violations != 0,
			      "seed %llu: not settled, in %s", (unsigned long long)seed,
			      phase_name((enum phase)world.coord.reg.phase));
		check_no_violation(seed);
		crashes += world.crash_count;
		world_free(&world);
	}
	ck_assert(from != NULL || crashes > 100);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("barrier");
	TCase *tests = tcase_create("barrier");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, first_list_settles_at_once_on_every_host);
	tcase_add_test(tests, a_change_passes_every_phase_once);
	tcase_add_test(tests, no_list_is_taken_while_the_step_before_is_being_written);
	tcase_add_test(tests, a_list_that_cannot_be_stored_is_dropped_and_a_phase_is_not);
	tcase_add_test(tests, a_list_ends_with_the_leadership_that_was_to_store_it);
	tcase_add_test(tests, who_coordinates_next_hears_the_register_though_it_is_excused);
	tcase_add_loop_test(
	    tests, switch_is_held_until_clients_that_know_nothing_of_phases_have_polled, 0, 4);
	tcase_add_test(tests, a_change_that_moves_no_key_is_not_held);
	tcase_add_test(tests, a_refused_prepare_is_unwound_to_the_list_before);
	tcase_add_test(tests, copy_waits_for_reservations_that_nobody_resolves);
	tcase_add_test(tests, prepare_waits_for_a_listed_agent_that_is_away);
	tcase_add_test(tests, later_phases_wait_a_lease_for_a_host_without_work);
	tcase_add_test(tests, copy_waits_for_the_host_whose_work_it_is);
	tcase_add_test(tests, done_work_is_not_started_again_after_a_restart);
	tcase_add_test(tests, a_restarted_coordinator_waits_out_the_leases_granted_before);
	tcase_add_test(tests, an_old_copy_of_the_register_coordinates_no_more);
	tcase_add_test(tests, a_second_change_is_refused_while_one_runs);
	tcase_add_test(tests, crashes_loss_and_delay_never_break_the_promise);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
