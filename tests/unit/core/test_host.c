/* test_host.c - what a host publishes after a boot, its segment gone, with nobody to grant. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define BOOT_WAIT_MS 5000u

static struct world world;
static struct host host;
static struct host_state saved;

static void setup(void)
{
	world_init(&world, 1);
	ck_assert(world_settle(&world, 1, 5000));
	memset(&saved, 0, sizeof(saved));
	saved.reg = world.coord.reg;
}

static void teardown(void)
{
	world_free(&world);
}

static bool publishes(uint64_t now_ms)
{
	struct host_action action;
	bool found = false;

	while (host_next(&host, now_ms, &action))
		found = found || action.type == HOST_PUBLISH;
	return found;
}

static void boot(bool segment_there)
{
	host_start(&host, "a1", 1, BOOT_WAIT_MS, &saved, segment_there, 1000);
	host_lists(&host, world.change[0], 1000);
}

START_TEST(under_serve_it_publishes_when_boot_wait_is_over)
{
	boot(false);
	ck_assert(!publishes(1000 + BOOT_WAIT_MS - 1));
	ck_assert(publishes(1000 + BOOT_WAIT_MS));
}
END_TEST

START_TEST(under_bypass_never_before_the_coordinators_word)
{
	world.change[0]->bypass = true;
	boot(false);
	ck_assert(!publishes(1000 + BOOT_WAIT_MS));
	ck_assert(!publishes(1000 + 100 * BOOT_WAIT_MS));
	host_register(&host, &saved.reg, 1000 + 100 * BOOT_WAIT_MS);
	ck_assert(publishes(1000 + 100 * BOOT_WAIT_MS));
}
END_TEST

START_TEST(a_segment_that_is_still_there_is_gone_on_with)
{
	world.change[0]->bypass = true;
	boot(true);
	ck_assert(publishes(1000));
}
END_TEST

/* Carries out what the host asks for, its clients settle at once; true: movers were to be started. */
static bool carry_out(uint64_t now_ms)
{
	struct host_action action;
	bool works = false;

	while (host_next(&host, now_ms, &action)) {
		if (action.type == HOST_STORE)
			host_stored(&host, true, now_ms);
		if (action.type == HOST_PUBLISH) {
			host_published(&host, true, true, now_ms);
			host_clients(&host, true, false);
		}
		if (action.type == HOST_STOP)
			host_stopped(&host, now_ms);
		works = works || action.type == HOST_WORK;
	}
	return works;
}

START_TEST(work_that_an_abort_cuts_short_has_moved_what_it_has)
{
	struct work work = {.phase = PHASE_COPY,
			    .state = WORK_RUNNING,
			    .found = 100,
			    .moved = 40,
			    .present = 20,
			    .expired = 4,
			    .gone = 3,
			    .failed = 2,
			    .cold = 1,
			    .left = 30};

	saved.reg.phase = PHASE_COPY;
	saved.reg.next_epoch = world.change[1]->new_epoch;
	memcpy(saved.reg.pending, world.change[1]->new_hash, LIST_HASH_BYTES);
	memcpy(saved.work_pending, saved.reg.pending, LIST_HASH_BYTES);
	memcpy(work.pending, saved.reg.pending, LIST_HASH_BYTES);
	host_start(&host, "a1", 1, BOOT_WAIT_MS, &saved, true, 1000);
	host_lists(&host, world.change[1], 1000);
	ck_assert(carry_out(1000));
	host_worked(&host, &work, 1001);
	saved.reg.phase = PHASE_UNWIND;
	saved.reg.serial++;
	host_register(&host, &saved.reg, 1002);
	(void)carry_out(1002);
	ck_assert_uint_eq(host.moved.moved, 40);
	/* What was left, and what was left to DRAIN, is not found any more. */
	ck_assert_uint_eq(host.moved.found, 40 + 20 + 4 + 3 + 2);
	ck_assert_uint_eq(host.moved.present, 20);
	ck_assert_uint_eq(host.moved.expired, 4);
	ck_assert_uint_eq(host.moved.gone, 3);
	ck_assert_uint_eq(host.moved.failed, 2);
	ck_assert_uint_eq(host.moved.cold, 0);
}
END_TEST

START_TEST(after_a_gap_nothing_is_adopted_though_a_message_comes_before_the_tick)
{
	const uint32_t op_timeout_ms = world.change[0]->op_timeout_ms;
	const uint64_t gap_ms = 20000, over_ms = gap_ms + op_timeout_ms + HOST_RESTART_EXTRA_MS;
	uint64_t now_ms = 1000;

	boot(true);
	host_connected(&host, true, now_ms);
	for (; host.adopted.serial != saved.reg.serial; now_ms += op_timeout_ms / 2) {
		ck_assert_uint_lt(now_ms, 10000);
		host_tick(&host, now_ms);
		(void)carry_out(now_ms);
	}
	/* It is stopped; the next register is what it finds first. */
	saved.reg.serial++;
	host_register(&host, &saved.reg, gap_ms);
	(void)carry_out(gap_ms);
	ck_assert_uint_eq(host.published.serial, saved.reg.serial);
	ck_assert_uint_ne(host.adopted.serial, saved.reg.serial);
	for (now_ms = gap_ms; now_ms < over_ms; now_ms += op_timeout_ms / 2) {
		host_tick(&host, now_ms);
		(void)carry_out(now_ms);
		ck_assert_uint_ne(host.adopted.serial, saved.reg.serial);
	}
	host_tick(&host, now_ms);
	(void)carry_out(now_ms);
	ck_assert_uint_eq(host.adopted.serial, saved.reg.serial);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("host");
	TCase *tests = tcase_create("host");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, under_serve_it_publishes_when_boot_wait_is_over);
	tcase_add_test(tests, under_bypass_never_before_the_coordinators_word);
	tcase_add_test(tests, a_segment_that_is_still_there_is_gone_on_with);
	tcase_add_test(tests, work_that_an_abort_cuts_short_has_moved_what_it_has);
	tcase_add_test(tests,
		       after_a_gap_nothing_is_adopted_though_a_message_comes_before_the_tick);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
