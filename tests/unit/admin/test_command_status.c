/* test_command_status.c - what a person is shown of orders and of whom the cluster trusts. */
#include <time.h>

#include "admin/admin.h"
#include "command_run.h"
#include "peer.h"
#include "sample_scene.h"

static struct list *active, *pending;
static char *text;

static void setup(void)
{
	scratch_setup();
	ck_assert_int_eq(chdir(scratch_directory), 0);
	sample_lists(3, 4, &active, &pending);
	text = NULL;
}

static void teardown(void)
{
	peer_stop();
	free(text);
	list_free(active);
	list_free(pending);
	scratch_teardown();
}

static void show(const char *more)
{
	struct peer_script script = {0};

	text = sample_status(active, pending, "PREPARE", more);
	script.status[0] = text;
	peer_start("control", &script);
	assert_code(run(&command_status, "mcadmin-status --agent ./control"), ADMIN_DONE);
	ck_assert_str_eq(err, "");
}

START_TEST(orders_are_shown)
{
	show("aborting yes\ngiven-up s1 s2\nexcused a2\nfailover 4 a3\n");
	ck_assert_says(out, "\naborting      the change is being undone by a signed order\n");
	ck_assert_says(out, "\ngiven up      s1 s2\n");
	ck_assert_says(out, "\nexcused       a2\n");
	ck_assert_says(out, "\nfailover      to a3, ordered for term 4\n");
}
END_TEST

START_TEST(trust_and_its_breach_are_shown)
{
	show("keys-version 3\nequivocation 1\n");
	ck_assert_says(out, "\ntrust         keys document version 3\n");
	ck_assert_says(out, "\nEQUIVOCATION  1 signed document contradicting an accepted one, ");
	peer_stop();
	(void)unlink("control");
	free(text);
	optind = 0;
	show("equivocation 2\nevidence list 3 "
	     "6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a\nevidence keys 2 "
	     "6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a\n");
	ck_assert_says(out, "\nEQUIVOCATION  2 signed documents contradicting");
	ck_assert_says(out, "\n  epoch 3  6a6a6a");
	ck_assert_says(out, "\n  keys version 2  6a6a6a");
}
END_TEST

START_TEST(what_is_owed_is_shown_to_whom_and_since_when)
{
	const unsigned long long since = (unsigned long long)time(NULL) - 7260;
	char lines[512];

	(void)snprintf(lines, sizeof(lines),
		       "agent a1\nowed 1\nowed-bytes 32\nowed-max 100\nowed-refused 3\n"
		       "owed-since %llu\nowed-trouble the disk is full\n"
		       "server s1 10.0.0.1:11211 agent=a1 slots=1/1 owed=1 owed-since=%llu\n",
		       since, since);
	show(lines);
	ck_assert_says(out,
		       "\nowes          agent a1 1 invalidation of 100 at most, 32 bytes, the "
		       "oldest for 2 h 1 min\n              1 to s1, the oldest for 2 h 1 min\n");
	ck_assert_says(out,
		       "\nREFUSED       3 invalidations by agent a1: those clients' operations "
		       "failed\n");
	ck_assert_says(out, "\nTROUBLE       the disk is full\n");
}
END_TEST

START_TEST(what_the_asked_agent_owes_is_shown_beside_the_coordinators)
{
	const unsigned long long since = (unsigned long long)time(NULL) - 60;
	char lines[512];

	(void)snprintf(lines, sizeof(lines),
		       "agent a1\nview cluster\nowed 0\n"
		       "server s1 10.0.0.1:11211 agent=a1 slots=1/1\n"
		       "asked a2\nasked-owed 2\nasked-owed-bytes 64\nasked-owed-max 9\n"
		       "asked-owed-since %llu\nasked-owes s1 owed=2 owed-since=%llu\n"
		       "asked-owes unknown owed=2\n",
		       since, since);
	show(lines);
	ck_assert_says(out, "\nowes          agent a2 2 invalidations of 9 at most, 64 bytes");
	ck_assert_says(out, "\n              2 to s1, the oldest for 1 min");
	ck_assert_silent(out, "agent a1 2");
}
END_TEST

START_TEST(the_coordinators_trouble_does_not_hide_the_asked_agents)
{
	show(
	    "agent a1\nview cluster\ntrouble its disk is full\nasked a2\nasked-isolated yes\n"
	    "asked-trouble keys version 2 is not here\nasked-equivocation 1\nasked-evidence list 3 "
	    "6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a\n");
	ck_assert_says(out, "\nTROUBLE       agent a1: its disk is full\n");
	ck_assert_says(out, "\nISOLATED      agent a2 has no lease");
	ck_assert_says(out, "\nTROUBLE       agent a2: keys version 2 is not here\n");
	ck_assert_says(out, "kept by agent a2;");
	ck_assert_says(out, "\n  epoch 3  6a6a6a");
	ck_assert_silent(out, "kept by agent a1");
}
END_TEST

START_TEST(a_host_without_a_lease_is_shown_so)
{
	show("agent a1\nisolated yes\n");
	ck_assert_says(out, "\nISOLATED      agent a1 has no lease: what it serves may be old\n");
}
END_TEST

START_TEST(where_nothing_was_ordered_nothing_is_said)
{
	show("keys-version 0\nequivocation 0\n");
	ck_assert_silent(out, "aborting");
	ck_assert_silent(out, "given up");
	ck_assert_silent(out, "excused");
	ck_assert_silent(out, "failover");
	ck_assert_silent(out, "trust");
	ck_assert_silent(out, "EQUIVOCATION");
	ck_assert_silent(out, "owes");
	ck_assert_silent(out, "ISOLATED");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("command_status");
	TCase *tcase = tcase_create("command_status");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, orders_are_shown);
	tcase_add_test(tcase, trust_and_its_breach_are_shown);
	tcase_add_test(tcase, what_is_owed_is_shown_to_whom_and_since_when);
	tcase_add_test(tcase, what_the_asked_agent_owes_is_shown_beside_the_coordinators);
	tcase_add_test(tcase, the_coordinators_trouble_does_not_hide_the_asked_agents);
	tcase_add_test(tcase, a_host_without_a_lease_is_shown_so);
	tcase_add_test(tcase, where_nothing_was_ordered_nothing_is_said);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
