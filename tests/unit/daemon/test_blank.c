/* test_blank.c - an agent that is to coordinate, and has no register: is the cluster new, or its
 * disk? */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fleet_rig.h"

static struct fleet fleet;

static void setup(void)
{
	fleet_new(&fleet, 3);
}

static void teardown(void)
{
	fleet_free(&fleet);
}

static const char *trouble(uint32_t number)
{
	return fleet.at[number].agent->register_trouble;
}

static bool halted(uint32_t number)
{
	return fleet.at[number].agent->coord.state == COORD_HALTED &&
	       strstr(trouble(number), "order a failover") != NULL;
}

static void waits_for(uint32_t number, char text[256])
{
	coord_waits_for(&fleet.at[number].agent->coord, clock_now_ms(), text, 256);
}

START_TEST(a_first_list_begins_when_a_majority_is_there_and_says_so_until_then)
{
	struct fleet_document first = fleet_list(&fleet, 1, NULL, 0);
	char text[512];

	fleet_up(&fleet, 0);
	FLEET_UNTIL(&fleet, fleet_offer(&fleet, 0, &first, text) == VERDICT_ACCEPTED);
	ck_assert_ptr_nonnull(strstr(text, "a majority of its 3 agents"));
	FLEET_UNTIL(&fleet, fleet.at[0].agent->coord.host_count == 1);
	fleet_run(&fleet, 500);
	ck_assert_uint_eq(fleet.at[0].agent->coord.reg.term, 0);
	waits_for(0, text);
	ck_assert_msg(strstr(text, "majority of the 3 listed agents") != NULL, "%s", text);
	ck_assert_msg(strstr(text, "1 answered") != NULL, "%s", text);
	ck_assert_int_eq(fleet_offer(&fleet, 0, &first, text), VERDICT_ACCEPTED);
	fleet_down(&fleet, 0); /* the list is on its disk: it goes on waiting */
	fleet_up(&fleet, 0);
	fleet_run(&fleet, 300);
	ck_assert(!fleet_leads(&fleet, 0, 1));
	fleet_up(&fleet, 1);
	FLEET_UNTIL(&fleet, fleet_leased(&fleet, 0, 1) && fleet_leased(&fleet, 1, 1));
	ck_assert_uint_eq(fleet.at[0].agent->coord.reg.serial, 1);
	fleet_up(&fleet, 2);
	FLEET_UNTIL(&fleet, fleet_leased(&fleet, 2, 1));
	free(first.bytes);
}
END_TEST

START_TEST(a_first_list_pushed_to_any_agent_begins_the_cluster)
{
	struct fleet_document first = fleet_list(&fleet, 1, NULL, 0);
	char text[512];

	for (uint32_t i = 0; i < 3; i++)
		fleet_up(&fleet, i);
	ck_assert_int_eq(fleet_offer(&fleet, 2, &first, text), VERDICT_LATER);
	FLEET_UNTIL(&fleet, fleet_offer(&fleet, 0, &first, text) == VERDICT_ACCEPTED);
	FLEET_UNTIL(&fleet, fleet_leased(&fleet, 0, 1) && fleet_leased(&fleet, 1, 1) &&
				fleet_leased(&fleet, 2, 1));
	free(first.bytes);
}
END_TEST

START_TEST(a_single_agent_begins_at_once)
{
	struct fleet_document first;

	fleet_free(&fleet);
	fleet_new(&fleet, 1);
	first = fleet_list(&fleet, 1, NULL, 0);
	fleet_up(&fleet, 0);
	fleet_take(&fleet, 0, &first);
	FLEET_UNTIL(&fleet, fleet_leased(&fleet, 0, 1));
	free(first.bytes);
}
END_TEST

/* Epoch 2, coordinated by a0 still, whose disk is new then. */
static void begin_and_lose(struct fleet_document *first, struct fleet_document *second,
			   uint32_t next)
{
	*first = fleet_begin(&fleet);
	*second = fleet_list(&fleet, 2, first, next);
	fleet_take(&fleet, 0, second);
	FLEET_UNTIL(&fleet, fleet_leads(&fleet, next, 2) && fleet_leased(&fleet, 0, 2) &&
				fleet_leased(&fleet, 1, 2) && fleet_leased(&fleet, 2, 2));
	fleet_down(&fleet, 0);
	fleet_forget(&fleet, 0);
	fleet_up(&fleet, 0);
}

START_TEST(a_coordinator_with_a_new_disk_begins_no_old_cluster_again)
{
	struct fleet_document first, second, order;
	char text[512];

	begin_and_lose(&first, &second, 0);
	FLEET_UNTIL(&fleet, strstr(trouble(0), "asks this agent to coordinate") != NULL);
	ck_assert_ptr_nonnull(strstr(trouble(0), "order a failover"));
	ck_assert_int_eq(fleet_offer(&fleet, 0, &first, text), VERDICT_ACCEPTED);
	FLEET_UNTIL(&fleet, halted(0));
	waits_for(0, text);
	ck_assert_ptr_nonnull(strstr(text, "is lost here"));
	ck_assert_int_eq(fleet_offer(&fleet, 0, &first, text), VERDICT_LATER);
	ck_assert_ptr_nonnull(strstr(text, "order a failover"));
	fleet_run(&fleet, 500);
	ck_assert_uint_eq(fleet.at[0].agent->coord.reg.term, 0);
	for (uint32_t i = 0; i < 3; i++)
		ck_assert_uint_ne(fleet.at[i].agent->host.published.epoch, 1);
	order = fleet_failover(&fleet, &second, fleet.at[1].agent->host.known.term + 1, 1);
	for (uint32_t i = 0; i < 3; i++)
		fleet_take(&fleet, i, &order);
	FLEET_UNTIL(&fleet, fleet_leads(&fleet, 1, 2));
	FLEET_UNTIL(&fleet, fleet_leased(&fleet, 0, 2) && fleet_leased(&fleet, 2, 2));
	free(first.bytes);
	free(second.bytes);
	free(order.bytes);
}
END_TEST

START_TEST(who_coordinated_once_and_lost_its_disk_is_a_host_of_its_successor)
{
	struct fleet_document first, second;
	char text[512];

	begin_and_lose(&first, &second, 1);
	(void)fleet_offer(&fleet, 0, &first, text);
	FLEET_UNTIL(&fleet, fleet_leased(&fleet, 0, 2));
	ck_assert_int_eq(fleet.at[0].agent->coord.state, COORD_IDLE);
	ck_assert(fleet_leads(&fleet, 1, 2));
	free(first.bytes);
	free(second.bytes);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("blank");
	TCase *tests = tcase_create("blank");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, a_first_list_begins_when_a_majority_is_there_and_says_so_until_then);
	tcase_add_test(tests, a_first_list_pushed_to_any_agent_begins_the_cluster);
	tcase_add_test(tests, a_single_agent_begins_at_once);
	tcase_add_test(tests, a_coordinator_with_a_new_disk_begins_no_old_cluster_again);
	tcase_add_test(tests, who_coordinated_once_and_lost_its_disk_is_a_host_of_its_successor);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
