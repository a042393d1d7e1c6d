/* test_failover.c - failover orders at real agents: two for one term, and with what register. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet_rig.h"

static struct fleet fleet;
static struct fleet_document first;
static char text[512];

static void setup(void)
{
	fleet_new(&fleet, 3);
	first = fleet_begin(&fleet);
}

static void teardown(void)
{
	fleet_free(&fleet);
	free(first.bytes);
}

static void refused(uint32_t number, const struct fleet_document *document, const char *says)
{
	ck_assert_int_eq(fleet_offer(&fleet, number, document, text), VERDICT_REFUSED);
	ck_assert_msg(strstr(text, says) != NULL, "\"%s\" without \"%s\"", text, says);
}

START_TEST(two_orders_for_one_term_make_no_two_coordinators)
{
	struct fleet_document one = fleet_failover(&fleet, &first, 2, 1);
	struct fleet_document other = fleet_failover(&fleet, &first, 2, 2);
	struct fleet_document after = fleet_failover(&fleet, &first, 3, 1);

	fleet_down(&fleet, 0);
	ck_assert_int_eq(fleet_offer(&fleet, 1, &one, text), VERDICT_ACCEPTED);
	ck_assert_int_eq(fleet_offer(&fleet, 2, &other, text), VERDICT_ACCEPTED);
	refused(2, &one,
		"keeps one to a2 for term 2: if that agent is gone too, sign one for term 3");
	fleet_run(&fleet, 4000); /* every earlier lease has run out, a majority may be heard */
	ck_assert_int_ne(fleet.at[1].agent->coord.state, COORD_LEADING);
	ck_assert_int_ne(fleet.at[2].agent->coord.state, COORD_LEADING);
	/* The way on is the term after; the first operator signs it. */
	ck_assert_int_eq(fleet_offer(&fleet, 1, &after, text), VERDICT_ACCEPTED);
	FLEET_UNTIL(&fleet, fleet_leads(&fleet, 1, 1) && fleet_leased(&fleet, 2, 1));
	ck_assert_uint_eq(fleet.at[1].agent->coord.reg.term, 3);
	ck_assert_int_eq(fleet.at[2].agent->coord.state, COORD_IDLE);
	free(one.bytes);
	free(other.bytes);
	free(after.bytes);
}
END_TEST

/* Of two orders the one that the third agent heard of first is carried out; the other's agent
 * follows. */
START_TEST(the_order_that_has_a_majority_is_carried_out)
{
	struct fleet_document one = fleet_failover(&fleet, &first, 2, 1);
	struct fleet_document other = fleet_failover(&fleet, &first, 2, 2);

	fleet_take(&fleet, 0, &one); /* it lives, and goes by the order */
	ck_assert_int_eq(fleet_offer(&fleet, 2, &other, text), VERDICT_ACCEPTED);
	fleet_take(&fleet, 1, &one);
	FLEET_UNTIL(&fleet, fleet_leads(&fleet, 1, 1) && fleet_leased(&fleet, 0, 1) &&
				fleet_leased(&fleet, 2, 1));
	ck_assert_uint_eq(fleet.at[1].agent->coord.reg.term, 2);
	ck_assert_int_eq(fleet.at[2].agent->coord.state, COORD_IDLE);
	free(one.bytes);
	free(other.bytes);
}
END_TEST

/* Put there while the agent runs, just before the order. */
START_TEST(with_the_register_file_it_goes_on_exactly_there)
{
	struct fleet_document one = fleet_failover(&fleet, &first, 2, 1);
	char from[256], to[256];
	struct reg last;

	last = fleet.at[0].agent->coord.reg;
	fleet_down(&fleet, 0);
	fleet_path(&fleet, 0, "register", from);
	fleet_path(&fleet, 1, "register", to);
	fleet_shell("cp %s %s", from, to);
	ck_assert_int_eq(fleet_offer(&fleet, 1, &one, text), VERDICT_ACCEPTED);
	ck_assert_int_eq(fleet.at[1].agent->coord.state, COORD_HEARING); /* and not SILENT */
	ck_assert_uint_eq(fleet.at[1].agent->coord.reg.serial, last.serial);
	FLEET_UNTIL(&fleet, fleet_leads(&fleet, 1, 1) && fleet_leased(&fleet, 2, 1));
	ck_assert_uint_eq(fleet.at[1].agent->coord.reg.term, 2);
	free(one.bytes);
}
END_TEST

START_TEST(a_register_file_that_cannot_be_read_is_named_and_nothing_begins)
{
	struct fleet_document one = fleet_failover(&fleet, &first, 2, 1);
	char to[256];

	fleet_down(&fleet, 0);
	fleet_path(&fleet, 1, "register", to);
	fleet_shell("echo nonsense >%s && chmod 600 %s", to, to);
	refused(1, &one, "register");
	ck_assert_int_eq(fleet.at[1].agent->coord.state, COORD_IDLE);
	fleet_shell("rm %s", to);
	ck_assert_int_eq(fleet_offer(&fleet, 1, &one, text), VERDICT_ACCEPTED);
	ck_assert_int_eq(fleet.at[1].agent->coord.state, COORD_SILENT);
	free(one.bytes);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("failover");
	TCase *tests = tcase_create("failover");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, two_orders_for_one_term_make_no_two_coordinators);
	tcase_add_test(tests, the_order_that_has_a_majority_is_carried_out);
	tcase_add_test(tests, with_the_register_file_it_goes_on_exactly_there);
	tcase_add_test(tests, a_register_file_that_cannot_be_read_is_named_and_nothing_begins);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
