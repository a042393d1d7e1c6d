/* test_handover.c - the word that another agent coordinates, when it is said to nobody, or not to
 * the one that it is for. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/register.h"
#include "daemon/store_internal.h"
#include "fleet_rig.h"

static struct fleet fleet;
static struct fleet_document first, second;

static void setup(void)
{
	fleet_new(&fleet, 3);
	first = fleet_begin(&fleet);
	second = fleet_list(&fleet, 2, &first, 1);
}

static void teardown(void)
{
	fleet_free(&fleet);
	free(first.bytes);
	free(second.bytes);
}

/* The state file `name` of a host that is down is written anew. */
static void state_write(uint32_t number, const char *name, const void *bytes, size_t length)
{
	struct failure failure;
	struct state *state;

	ck_assert_msg(state_open(fleet.at[number].config.state_directory, &state, &failure) == 0,
		      "%s", failure.text);
	ck_assert_int_eq(state_store(state, name, bytes, length, &failure), 0);
	state_close(state);
}

/* a0 is to hand over to a1, which is away: epoch 2 has settled, the word is not given.  What a0's
 * register would be with the word goes to *word.  a1 is down, and has adopted what a2 has. */
static void settle_without_the_word(struct reg *word)
{
	uint8_t bytes[HOST_STATE_BYTES];

	fleet_take(&fleet, 0, &second);
	FLEET_UNTIL(&fleet, fleet.at[0].agent->coord.reg.phase == PHASE_AFTER);
	fleet_down(&fleet, 1);
	FLEET_UNTIL(&fleet, fleet_leads(&fleet, 0, 2) && fleet_leased(&fleet, 2, 2));
	*word = fleet.at[0].agent->coord.reg;
	ck_assert(!word->handed_over);
	word->serial++;
	word->handed_over = true;
	(void)snprintf(word->coordinator, sizeof(word->coordinator), "a1");
	host_state_encode(&fleet.at[2].agent->host.state, bytes);
	state_write(1, "host", bytes, sizeof(bytes));
}

START_TEST(a_change_that_names_another_coordinator_hands_over)
{
	fleet_take(&fleet, 0, &second);
	FLEET_UNTIL(&fleet, fleet_leads(&fleet, 1, 2));
	ck_assert_uint_eq(fleet.at[1].agent->coord.reg.term, 2);
	FLEET_UNTIL(&fleet, fleet_leased(&fleet, 0, 2) && fleet_leased(&fleet, 2, 2));
	ck_assert_int_eq(fleet.at[0].agent->coord.state, COORD_IDLE);
}
END_TEST

/* It died between writing the word and saying it: nobody else can know. */
START_TEST(a_word_that_was_written_and_not_said_is_said_after_the_restart)
{
	uint8_t bytes[REGISTER_BYTES];
	struct reg word;

	settle_without_the_word(&word);
	fleet_down(&fleet, 0);
	register_encode(&word, bytes);
	state_write(0, STORE_REGISTER_FILE, bytes, sizeof(bytes));
	fleet_up(&fleet, 1);
	/* The two look for a coordinator, and find what the list says. */
	fleet_run(&fleet, 4000);
	fleet_up(&fleet, 0);
	FLEET_UNTIL(&fleet, fleet_leads(&fleet, 1, 2));
	ck_assert_uint_eq(fleet.at[1].agent->coord.reg.term, 2);
	FLEET_UNTIL(&fleet, fleet_leased(&fleet, 0, 2) && fleet_leased(&fleet, 2, 2));
}
END_TEST

/* The successor slept through it, and who said it is gone: any host that heard it brings it. */
START_TEST(a_word_that_one_host_heard_reaches_the_successor)
{
	uint8_t bytes[HOST_STATE_BYTES];
	struct host_state heard;
	struct reg word;

	settle_without_the_word(&word);
	fleet_down(&fleet, 0);
	heard = fleet.at[2].agent->host.state;
	heard.reg = word;
	fleet_down(&fleet, 2);
	host_state_encode(&heard, bytes);
	state_write(2, "host", bytes, sizeof(bytes));
	fleet_up(&fleet, 1);
	fleet_up(&fleet, 2);
	FLEET_UNTIL(&fleet, fleet_leads(&fleet, 1, 2));
	FLEET_UNTIL(&fleet, fleet_leased(&fleet, 2, 2));
}
END_TEST

/* Everybody has gone looking for the coordinator that the list names, which must not begin; the one
 * that has not handed over comes back. */
START_TEST(a_word_that_was_not_written_is_given_after_the_restart)
{
	struct reg word;

	settle_without_the_word(&word);
	fleet_down(&fleet, 0);
	fleet_up(&fleet, 1);
	fleet_run(&fleet, 6000);
	ck_assert_int_eq(fleet.at[1].agent->coord.state, COORD_IDLE);
	fleet_up(&fleet, 0);
	FLEET_UNTIL(&fleet, fleet_leads(&fleet, 1, 2));
	ck_assert_uint_eq(fleet.at[1].agent->coord.reg.term, 3);
	FLEET_UNTIL(&fleet, fleet_leased(&fleet, 0, 2) && fleet_leased(&fleet, 2, 2));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("handover");
	TCase *tests = tcase_create("handover");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, a_change_that_names_another_coordinator_hands_over);
	tcase_add_test(tests, a_word_that_was_written_and_not_said_is_said_after_the_restart);
	tcase_add_test(tests, a_word_that_one_host_heard_reaches_the_successor);
	tcase_add_test(tests, a_word_that_was_not_written_is_given_after_the_restart);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
