/* test_forecast.c - what will move, from what servers hold: shares, rates, and whose memory would
 * not do. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "admin/forecast.h"

#define SLOTS 1200u

static uint16_t old_owner[SLOTS], new_owner[SLOTS];
static struct change_server servers[3];
static struct change change;
static struct forecast *forecast;

/* Two servers with half the slots each; the third gets a third of the first's and a sixth of the
 * second's. */
static void set_up(void)
{
	memset(&change, 0, sizeof(change));
	memset(servers, 0, sizeof(servers));
	for (uint32_t i = 0; i < SLOTS; i++) {
		old_owner[i] = i < SLOTS / 2 ? 0 : 1;
		new_owner[i] = i % (old_owner[i] == 0 ? 3 : 6) == 0 ? 2 : old_owner[i];
		if (new_owner[i] == 2) {
			servers[old_owner[i]].lost++;
			servers[2].gained++;
		}
	}
	strcpy(servers[0].new_agent, "a1");
	strcpy(servers[1].new_agent, "a2");
	strcpy(servers[2].new_agent, "a3");
	for (uint32_t i = 0; i < 3; i++)
		servers[i].in_new = true;
	change.servers = servers;
	change.server_count = 3;
	change.old_table = table_of_slots(old_owner, SLOTS);
	change.new_table = table_of_slots(new_owner, SLOTS);
	forecast = forecast_new(&change);
	ck_assert_ptr_nonnull(forecast);
	forecast->servers[0] = (struct forecast_server){.concerned = true,
							.asked = true,
							.items = 3000000,
							.bytes = 600000000,
							.limit = 1u << 30};
	forecast->servers[1] = forecast->servers[0];
	forecast->servers[2] =
	    (struct forecast_server){.concerned = true, .asked = true, .limit = 1u << 30};
}

static void tear_down(void)
{
	forecast_free(forecast);
}

static void make(void)
{
	struct failure failure;

	ck_assert_int_eq(forecast_make(forecast, &change, &failure), 0);
}

START_TEST(each_server_moves_the_share_of_its_parts)
{
	make();
	ck_assert_uint_eq(forecast->servers[0].keys_out, 1000000);
	ck_assert_uint_eq(forecast->servers[1].keys_out, 500000);
	ck_assert_uint_eq(forecast->servers[2].keys_out, 0);
	ck_assert_uint_eq(forecast->servers[2].keys_in, 1500000);
	ck_assert_uint_eq(forecast->servers[2].bytes_in, 300000000);
	ck_assert_uint_eq(forecast->servers[0].keys_in, 0);
	ck_assert_uint_eq(forecast->keys, 1500000);
	ck_assert_uint_eq(forecast->bytes, 300000000);
	ck_assert(!forecast->servers[2].too_small);
	ck_assert_uint_eq(forecast->not_asked, 0);
}
END_TEST

START_TEST(the_slowest_source_says_how_long_and_hosts_share_their_limits)
{
	make(); /* unpaced: a million keys, twice */
	ck_assert_uint_eq(forecast->ms, 2 * 1000000000ull / FORECAST_KEYS_A_SECOND);
	forecast->rate_keys = 10000;
	make();
	ck_assert_uint_eq(forecast->ms, 2 * 100000);
	forecast->rate_bytes = 500000; /* 200 MB at 0.5 MB/s */
	make();
	ck_assert_uint_eq(forecast->ms, 2 * 400000);
	forecast->rate_bytes = 0;
	strcpy(servers[1].new_agent, "a1");
	make();
	ck_assert_uint_eq(forecast->ms, 2 * 150000);
}
END_TEST

START_TEST(a_memory_that_would_not_do_is_named)
{
	forecast->servers[2].limit = 256u << 20; /* 216 MiB of it, and 286 are to come */
	make();
	ck_assert(forecast->servers[2].too_small);
	ck_assert(!forecast->servers[0].too_small);
}
END_TEST

START_TEST(who_was_not_asked_counts_for_nothing_and_is_counted)
{
	forecast->servers[0] = (struct forecast_server){.concerned = true};
	make();
	ck_assert_uint_eq(forecast->not_asked, 1);
	ck_assert_uint_eq(forecast->keys, 500000);
}
END_TEST

START_TEST(numbers_without_sense_do_no_harm)
{
	forecast->servers[0].items = forecast->servers[0].bytes = UINT64_MAX;
	forecast->servers[2].limit = UINT64_MAX;
	make();
	ck_assert_uint_gt(forecast->servers[0].keys_out, UINT64_MAX / 4);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("forecast");
	TCase *tests = tcase_create("forecast");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, each_server_moves_the_share_of_its_parts);
	tcase_add_test(tests, the_slowest_source_says_how_long_and_hosts_share_their_limits);
	tcase_add_test(tests, a_memory_that_would_not_do_is_named);
	tcase_add_test(tests, who_was_not_asked_counts_for_nothing_and_is_counted);
	tcase_add_test(tests, numbers_without_sense_do_no_harm);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
