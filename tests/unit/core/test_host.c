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

/* Everything that host_next wants succeeds at once; the clients settle at once. */
static void runs(uint64_t now_ms)
{
	struct host_action action;

	while (host_next(&host, now_ms, &action)) {
		if (action.type == HOST_STORE)
			host_stored(&host, true, now_ms);
		if (action.type == HOST_PUBLISH) {
			host_published(&host, true, true, now_ms);
			host_clients(&host, true, false);
		}
	}
}

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
		runs(now_ms);
	}
	/* It is stopped; the next register is what it finds first. */
	saved.reg.serial++;
	host_register(&host, &saved.reg, gap_ms);
	runs(gap_ms);
	ck_assert_uint_eq(host.published.serial, saved.reg.serial);
	ck_assert_uint_ne(host.adopted.serial, saved.reg.serial);
	for (now_ms = gap_ms; now_ms < over_ms; now_ms += op_timeout_ms / 2) {
		host_tick(&host, now_ms);
		runs(now_ms);
		ck_assert_uint_ne(host.adopted.serial, saved.reg.serial);
	}
	host_tick(&host, now_ms);
	runs(now_ms);
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
	tcase_add_test(tests,
		       after_a_gap_nothing_is_adopted_though_a_message_comes_before_the_tick);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
