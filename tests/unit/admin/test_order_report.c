/* test_order_report.c - what an operator reads before he signs: what is lost, in figures. */
#include "admin/order_report.h"

#include "admin/order_plan.h"
#include "sample_scene.h"

static struct order_scene scene;
static struct order *order;
static char *text;

static void setup(void)
{
	scratch_setup();
	order = NULL;
	text = NULL;
}

static void teardown(void)
{
	free(text);
	order_free(order);
	order_scene_clear(&scene);
	scratch_teardown();
}

/* Every line fits a terminal. */
static void assert_narrow(const char *lines)
{
	for (const char *line = lines; *line != '\0'; line += strcspn(line, "\n") + 1)
		ck_assert_msg(strcspn(line, "\n") <= 80, "over 80 columns: %.*s",
			      (int)strcspn(line, "\n"), line);
}

static void report_term(enum order_kind kind, const char *name, uint64_t term)
{
	char *names[1] = {(char *)(uintptr_t)name};
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	ck_assert_ptr_nonnull(out);
	ck_assert_msg(
	    order_plan(&scene, kind, names, name == NULL ? 0 : 1, term, &order, &failure) == 0,
	    "%s", failure.text);
	order_report(&scene, order, out);
	ck_assert_int_eq(fclose(out), 0);
	assert_narrow(text);
}

static void report(enum order_kind kind, const char *name)
{
	report_term(kind, name, 0);
}

START_TEST(abort_loses_nothing_and_spends_the_epoch)
{
	sample_scene(3, 4, "COPY", "waits-for a2, server s2\n", &scene);
	report(ORDER_ABORT, NULL);
	ck_assert_says(text, "web, epoch 41 -> 42, COPY\n");
	ck_assert_says(text, "term 3, serial 17, as the coordinator a1 says it\n");
	ck_assert_says(text, "waits for     a2, server s2\n");
	ck_assert_says(text, "Nothing is lost");
	ck_assert_says(text, "What was copied so far (1234 keys) is dropped");
	ck_assert_says(text, "Epoch 42 is spent");
	ck_assert_says(text, "for term 3, serial 17 alone");
}
END_TEST

START_TEST(abort_before_copy_has_nothing_to_drop)
{
	sample_scene(3, 4, "PREPARE", "", &scene);
	report(ORDER_ABORT, NULL);
	ck_assert_silent(text, "copied so far");
}
END_TEST

static const struct {
	uint32_t before, after;
	const char *phase, *name, *says;
} losses[] = {
    {3, 4, "PREPARE", "s1",
     "loses   86 slots (8.4 % of all):\n          none of their keys is copied yet, all"},
    {3, 4, "COPY", "s2",
     "loses   85 slots (8.3 % of all):\n          those of their keys that are not copied"},
    {3, 4, "DRAIN", "s1", "those of their keys that COPY did not bring to"},
    {3, 4, "COPY", "s1",
     "keeps   256 slots (25.0 % of all):\n          their keys go on being asked of it"},
    {3, 4, "COPY", "s4",
     "gains   256 slots (25.0 % of all):\n          their keys have no other place"},
    {3, 2, "COPY", "s3", "loses   341 slots (33.3 % of all)"},
    {3, 4, "PURGE", "s1", "No key is lost by it: in PURGE only the removal"},
    {3, 4, "CLEAN", "s4", "No key is lost by it: in CLEAN only the removal"},
};

START_TEST(giveup_says_what_becomes_a_miss)
{
	sample_scene(losses[_i].before, losses[_i].after, losses[_i].phase, "", &scene);
	report(ORDER_GIVEUP, losses[_i].name);
	ck_assert_says(text, losses[_i].says);
	ck_assert_says(text, "cannot be\ntaken back within this change");
}
END_TEST

START_TEST(giveup_shows_what_the_agent_has_counted)
{
	sample_scene(3, 2, "COPY", "host a3 phase=COPY found=61234 left=12345\n", &scene);
	report(ORDER_GIVEUP, "s3");
	ck_assert_says(text, "its agent a3 has found 61234 in COPY, 12345 are left to deal with\n");
	ck_assert_silent(text, "keeps");
}
END_TEST

START_TEST(giveup_without_a_count_says_so)
{
	sample_scene(3, 2, "COPY", "", &scene);
	report(ORDER_GIVEUP, "s3");
	ck_assert_says(text, "its agent a3 has reported no number\n");
}
END_TEST

START_TEST(excuse_names_the_work_that_is_still_waited_for)
{
	sample_scene(3, 4, "PREPARE", "", &scene);
	report(ORDER_EXCUSE, "a2");
	ck_assert_says(text, "STILL WAITED FOR: its work for server s2");
	ck_assert_silent(text, "server s1");
	ck_assert_says(text, "may read stale values");
}
END_TEST

START_TEST(excuse_is_silent_about_servers_that_are_given_up)
{
	sample_scene(3, 4, "PREPARE", "given-up s2\n", &scene);
	report(ORDER_EXCUSE, "a2");
	ck_assert_silent(text, "STILL WAITED FOR");
}
END_TEST

START_TEST(failover_says_who_must_be_off_and_what_is_not_known_any_more)
{
	sample_scene(3, 0, "STEADY", "view local\n", &scene);
	report(ORDER_FAILOVER, "a2");
	ck_assert_says(text, "failover to agent a2 at 10.0.0.2:11280, from term 4 on\n");
	ck_assert_says(text, "a1 MUST BE OFF");
	ck_assert_says(text, "With the file `register` of the state directory of a1, put into that");
	ck_assert_says(text, "grants nothing for 1 min 6 s");
	ck_assert_says(text, "What a1 had decided and told no agent is not known any more");
	ck_assert_says(text, "as agent a1 says it");
	ck_assert_silent(text, "serial 17 alone");
	ck_assert_silent(text, "So MUST");
}
END_TEST

START_TEST(failover_after_an_order_that_came_to_nothing_says_who_else_must_be_off)
{
	sample_scene(3, 0, "STEADY", "view local\nfailover 4 a3\n", &scene);
	report_term(ORDER_FAILOVER, "a2", 5);
	ck_assert_says(text, "So MUST a3 BE, which an order before makes coordinator from term 4");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("order_report");
	TCase *tcase = tcase_create("order_report");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, abort_loses_nothing_and_spends_the_epoch);
	tcase_add_test(tcase, abort_before_copy_has_nothing_to_drop);
	tcase_add_loop_test(tcase, giveup_says_what_becomes_a_miss, 0,
			    sizeof(losses) / sizeof(losses[0]));
	tcase_add_test(tcase, giveup_shows_what_the_agent_has_counted);
	tcase_add_test(tcase, giveup_without_a_count_says_so);
	tcase_add_test(tcase, excuse_names_the_work_that_is_still_waited_for);
	tcase_add_test(tcase, excuse_is_silent_about_servers_that_are_given_up);
	tcase_add_test(tcase, failover_says_who_must_be_off_and_what_is_not_known_any_more);
	tcase_add_test(tcase,
		       failover_after_an_order_that_came_to_nothing_says_who_else_must_be_off);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
