/* test_healing.c - a host that slept while the world went on finds it again. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/keyring.h"
#include "fleet_rig.h"

static struct fleet fleet;
static struct fleet_document first;

static void setup(void)
{
	fleet_new(&fleet, 4);
	first = fleet_begin(&fleet);
}

static void teardown(void)
{
	fleet_free(&fleet);
	free(first.bytes);
}

/* a3 knows only a0 as coordinator, and keys that sign nothing any more. */
START_TEST(who_slept_through_three_rotations_and_two_coordinators_catches_up)
{
	uint8_t hash[LIST_HASH_BYTES] = {0};
	struct fleet_document second, third, keys;

	second = fleet_list(&fleet, 2, &first, 1);
	fleet_take(&fleet, 0, &second); /* all four are there for its PREPARE */
	FLEET_UNTIL(&fleet, fleet.at[0].agent->coord.reg.phase == PHASE_COPY);
	fleet_down(&fleet, 3);
	FLEET_UNTIL(&fleet, fleet_leads(&fleet, 1, 2));
	for (uint64_t version = 1; version <= 3; version++) {
		keys = fleet_rotate(&fleet, version, hash);
		fleet_take(&fleet, 1, &keys);
		free(keys.bytes);
		FLEET_UNTIL(&fleet, fleet.at[1].agent->coord.reg.keys_version == version &&
					keyring_version(fleet.at[2].agent->ring) == version);
	}
	third = fleet_list(&fleet, 3, &second, 2);
	fleet_take(&fleet, 1, &third);
	FLEET_UNTIL(&fleet, fleet.at[1].agent->coord.reg.phase == PHASE_PREPARE);
	memset(fleet.at[1].agent->coord.reg.excused, 0xff, 1); /* as by an order: a3 sleeps on */
	FLEET_UNTIL(&fleet, fleet_leads(&fleet, 2, 3));
	fleet_down(&fleet, 0);
	fleet_down(&fleet, 1);
	fleet_up(&fleet, 3);
	FLEET_UNTIL(&fleet, fleet_leased(&fleet, 3, 3));
	ck_assert_uint_eq(keyring_version(fleet.at[3].agent->ring), 3);
	free(second.bytes);
	free(third.bytes);
}
END_TEST

/* The backup is of the same epoch: only the phase tells, and nobody is there who could. */
START_TEST(a_disk_of_an_earlier_phase_leads_no_client_back)
{
	struct fleet_document second = fleet_list(&fleet, 2, &first, 0);
	char host[256];
	uint32_t generation;

	fleet_path(&fleet, 2, "host", host);
	fleet_down(&fleet, 3); /* PREPARE waits for it */
	fleet_take(&fleet, 0, &second);
	FLEET_UNTIL(&fleet, fleet.at[2].agent->host.adopted.phase == PHASE_PREPARE);
	fleet_shell("cp %s %s/backup", host, fleet.directory);
	fleet_up(&fleet, 3);
	FLEET_UNTIL(&fleet, fleet_leads(&fleet, 0, 2) && fleet_leased(&fleet, 2, 2));
	generation = segment_generation(fleet.at[2].agent->segment, NULL);
	for (uint32_t i = 0; i < 4; i++)
		fleet_down(&fleet, i);
	fleet_shell("cp %s/backup %s", fleet.directory, host);
	fleet_up(&fleet, 2);
	ck_assert(fleet.at[2].agent->unconfirmed);
	ck_assert(fleet.at[2].agent->ready);
	fleet_run(&fleet, 1500);
	ck_assert_uint_eq(segment_generation(fleet.at[2].agent->segment, NULL), generation);
	fleet_up(&fleet, 1);
	fleet_up(&fleet, 0);
	FLEET_UNTIL(&fleet, fleet_leased(&fleet, 2, 2));
	/* It says again what was said, for its clients look for a new agent then. */
	ck_assert_uint_eq(segment_generation(fleet.at[2].agent->segment, NULL), generation + 1);
	ck_assert(!fleet.at[2].agent->unconfirmed);
	free(second.bytes);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("healing");
	TCase *tests = tcase_create("healing");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, who_slept_through_three_rotations_and_two_coordinators_catches_up);
	tcase_add_test(tests, a_disk_of_an_earlier_phase_leads_no_client_back);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
