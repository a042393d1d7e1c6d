/* test_command_order.c - the commands whole: what is asked, said, signed and offered. */
#include <sys/stat.h>

#include "admin/admin.h"
#include "admin/keyfile.h"
#include "command_run.h"
#include "list/order.h"
#include "peer.h"
#include "sample_scene.h"

static struct list *active, *pending;
static uint8_t public_keys[2][DOCUMENT_KEY_BYTES];
static char *status_now;
static struct peer_script script;

static void key_make(const char *name, unsigned number)
{
	uint8_t secret[DOCUMENT_SECRET_BYTES];

	(void)crypto_sign_keypair(public_keys[number], secret);
	ck_assert_int_eq(keyfile_operator_store(scratch_path(name), false, NULL, secret, &failure), 0);
}

static void setup(void)
{
	scratch_setup();
	ck_assert_int_eq(chdir(scratch_directory), 0);
	key_make("k0", 0);
	key_make("k1", 1);
	sample_lists(3, 4, &active, &pending);
	memset(&script, 0, sizeof(script));
	script.documents[0] = (const char *)active->document;
	script.documents[1] = (const char *)pending->document;
	script.offered = "offered";
	script.count = "count";
	script.verdicts[0].code = VERDICT_ACCEPTED;
	script.verdicts[0].text = "term 3, serial 18";
}

static void teardown(void)
{
	peer_stop();
	free(status_now);
	list_free(active);
	list_free(pending);
	scratch_teardown();
}

/* The documents are not NUL-terminated. */
static char *document_text(const struct list *list)
{
	return strndup((const char *)list->document, list->document_bytes);
}

static void peer_begin(const char *phase, const char *more)
{
	char *one = document_text(active), *two = document_text(pending);

	status_now = sample_status(active, pending, phase, more);
	script.status[0] = status_now;
	if (script.documents[0] != NULL)
		script.documents[0] = one;
	if (script.documents[1] != NULL)
		script.documents[1] = two;
	peer_start("control", &script);
	free(one);
	free(two);
	memset(script.documents, 0, sizeof(script.documents));
}

/* The document in the file, signed by `signers` of the two keys. */
static struct order *assert_order(const char *path, uint32_t signers)
{
	struct trust trust = {.count = 2, .threshold = signers};
	struct order *order = NULL;
	char text[4096];

	memcpy(trust.keys, public_keys, sizeof(public_keys));
	text_read(path, text, sizeof(text));
	ck_assert_msg(order_open(text, strlen(text), &trust, "web", &order, &failure) == 0, "%s",
		      failure.text);
	return order;
}

static long file_bytes(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 ? (long)status.st_size : -1;
}

START_TEST(giveup_is_explained_signed_by_all_and_offered)
{
	struct order *order;

	peer_begin("COPY", "");
	assert_code(run(&command_giveup, "mcadmin-giveup s1 s2 -k k0 -k k1 --agent ./control --yes"),
		    ADMIN_DONE);
	ck_assert_says(out, "giveup of server s2 at 10.0.0.2:11211\n");
	ck_assert_says(out, ": term 3, serial 18\n");
	ck_assert_str_eq(err, "");
	order = assert_order("offered", 2);
	ck_assert_int_eq(order->kind, ORDER_GIVEUP);
	ck_assert_uint_eq(order->target_count, 2);
	ck_assert_uint_eq(order->binding.serial, 17);
	order_free(order);
}
END_TEST

START_TEST(order_is_written_for_others_to_sign_and_not_offered)
{
	peer_begin("PREPARE", "");
	assert_code(run(&command_excuse, "mcadmin-excuse a2 -k k0 --agent ./control --yes -o order"),
		    ADMIN_DONE);
	order_free(assert_order("order", 1));
	ck_assert_int_eq(file_bytes("offered"), -1);
	ck_assert_says(out, "mcadmin push order\n");
}
END_TEST

START_TEST(nothing_is_signed_unless_somebody_says_yes)
{
	peer_begin("COPY", "");
	assert_code(run(&command_abort, "mcadmin-abort -k k0 --agent ./control -o order"),
		    ADMIN_USAGE);
	ck_assert_says(err, "nobody can be asked: with --yes nothing is asked");
	ck_assert_int_eq(file_bytes("order"), -1);
	ck_assert_int_eq(file_bytes("offered"), -1);
}
END_TEST

START_TEST(yes_at_a_terminal_is_enough)
{
	struct order *order;

	peer_begin("COPY", "");
	assert_code(run_typed(&command_giveup, "mcadmin-giveup s1 -k k0 --agent ./control", "yes\n"),
		    ADMIN_DONE);
	ck_assert_says(err, "Sign and offer this order? Type yes: ");
	order = assert_order("offered", 1);
	ck_assert_int_eq(order->kind, ORDER_GIVEUP);
	order_free(order);
}
END_TEST

START_TEST(no_at_a_terminal_signs_nothing)
{
	peer_begin("COPY", "");
	assert_code(run_typed(&command_giveup, "mcadmin-giveup s1 -k k0 --agent ./control", "no\n"),
		    ADMIN_FAILED);
	ck_assert_says(err, "not confirmed: nothing was signed\n");
	ck_assert_int_eq(file_bytes("offered"), -1);
}
END_TEST

START_TEST(what_makes_no_sense_is_refused_before_anything_is_signed)
{
	peer_begin("SWITCH", "");
	assert_code(run(&command_abort, "mcadmin-abort -k k0 --agent ./control --yes -o order"),
		    ADMIN_REFUSED);
	ck_assert_says(err, "only PREPARE and COPY can be undone");
	ck_assert_int_eq(file_bytes("order"), -1);
	ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(agent_that_is_not_ready_is_asked_again)
{
	script.verdicts[0].code = VERDICT_LATER;
	script.verdicts[0].text = "it has just started";
	script.verdicts[1].code = VERDICT_LATER;
	script.verdicts[1].text = "it has just started";
	script.verdicts[2].code = VERDICT_ACCEPTED;
	script.verdicts[2].text = "";
	peer_begin("COPY", "view local\n");
	assert_code(
	    run(&command_failover, "mcadmin-failover a2 --term asked -k k0 --agent ./control --yes"),
	    ADMIN_DONE);
	ck_assert_int_eq(file_bytes("count"), 3);
	ck_assert_str_eq(err, "waiting: it has just started\n");
	ck_assert_says(out, "\nagent at ./control: accepted\n");
}
END_TEST

START_TEST(asking_again_ends_with_the_time_given)
{
	script.verdicts[0].code = VERDICT_LATER;
	script.verdicts[0].text = "it has just started";
	peer_begin("COPY", "");
	assert_code(
	    run(&command_giveup, "mcadmin-giveup s1 -k k0 --agent ./control --yes --timeout 1"),
	    ADMIN_TIMED_OUT);
	ck_assert_says(err, "could not take it in time: it has just started\n");
}
END_TEST

START_TEST(refusal_of_the_cluster_is_told)
{
	script.verdicts[0].code = VERDICT_REFUSED;
	script.verdicts[0].text = "signed by 1 trusted key, 2 must have signed";
	peer_begin("COPY", "");
	assert_code(run(&command_abort, "mcadmin-abort -k k0 --agent ./control --yes"),
		    ADMIN_REFUSED);
	ck_assert_says(err, "refuses: signed by 1 trusted key, 2 must have signed\n");
}
END_TEST

START_TEST(abort_is_followed_until_the_change_is_undone)
{
	char *unwind = sample_status(active, pending, "UNWIND", "serial 19\naborting yes\n");
	char *settled = sample_status(active, NULL, "STEADY", "serial 22\n");

	script.status[1] = unwind;
	script.status[2] = settled;
	peer_begin("COPY", "");
	assert_code(run(&command_abort, "mcadmin-abort -k k0 --agent ./control --yes"), ADMIN_DONE);
	ck_assert_says(out, "UNWIND");
	ck_assert_says(out, ": settled on epoch 41 again.\n");
	free(unwind);
	free(settled);
}
END_TEST

START_TEST(abort_is_not_followed_when_that_is_not_wanted)
{
	peer_begin("COPY", "");
	assert_code(run(&command_abort, "mcadmin-abort -k k0 --agent ./control --yes --no-wait"),
		    ADMIN_DONE);
	ck_assert_silent(out, "settled on");
	ck_assert_says(out, "control: term 3, serial 18\n");
}
END_TEST

START_TEST(waiting_for_an_abort_ends_with_the_time_given)
{
	peer_begin("COPY", "");
	assert_code(run(&command_abort, "mcadmin-abort -k k0 --agent ./control --yes --timeout 1"),
		    ADMIN_TIMED_OUT);
	ck_assert_says(err, "the undoing goes on by itself");
}
END_TEST

START_TEST(pushed_abort_is_followed_too)
{
	struct order *order;
	char *settled = sample_status(active, NULL, "STEADY", "serial 22\n");

	peer_begin("COPY", "");
	assert_code(run(&command_abort, "mcadmin-abort -k k0 --agent ./control --yes -o order"),
		    ADMIN_DONE);
	peer_stop();
	(void)unlink("control");
	script.status[0] = settled;
	peer_start("control", &script);
	optind = 0;
	assert_code(run(&command_push, "mcadmin-push order --agent ./control --json"), ADMIN_DONE);
	ck_assert_says(out, "{\"result\":\"undone\",\"document\":\"order\",\"order\":\"abort\",");
	order = assert_order("offered", 1);
	ck_assert_int_eq(order->kind, ORDER_ABORT);
	order_free(order);
	free(settled);
}
END_TEST

START_TEST(agent_that_gives_another_list_is_not_believed)
{
	script.liar = true;
	peer_begin("COPY", "");
	assert_code(run(&command_abort, "mcadmin-abort -k k0 --agent ./control --yes"),
		    ADMIN_REFUSED);
	ck_assert_says(err, "gave another list than was asked for");
}
END_TEST

START_TEST(agent_without_the_pending_list_is_named)
{
	script.documents[1] = NULL;
	peer_begin("COPY", "");
	assert_code(run(&command_abort, "mcadmin-abort -k k0 --agent ./control --yes"),
		    ADMIN_FAILED);
	ck_assert_says(err, "has no document ");
}
END_TEST

START_TEST(order_for_another_cluster_is_not_made)
{
	peer_begin("COPY", "");
	assert_code(
	    run(&command_abort, "mcadmin-abort -k k0 --agent ./control --cluster other --yes"),
	    ADMIN_REFUSED);
	ck_assert_says(err, "is of the cluster web, want other");
}
END_TEST

START_TEST(one_key_cannot_stand_for_two)
{
	peer_begin("COPY", "");
	assert_code(run(&command_abort, "mcadmin-abort -k k0 -k k0 --agent ./control --yes"),
		    ADMIN_REFUSED);
	ck_assert_says(err, "-k k0: the same key as -k k0");
	ck_assert_int_eq(file_bytes("offered"), -1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("command_order");
	TCase *tcase = tcase_create("command_order");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, giveup_is_explained_signed_by_all_and_offered);
	tcase_add_test(tcase, order_is_written_for_others_to_sign_and_not_offered);
	tcase_add_test(tcase, nothing_is_signed_unless_somebody_says_yes);
	tcase_add_test(tcase, yes_at_a_terminal_is_enough);
	tcase_add_test(tcase, no_at_a_terminal_signs_nothing);
	tcase_add_test(tcase, what_makes_no_sense_is_refused_before_anything_is_signed);
	tcase_add_test(tcase, agent_that_is_not_ready_is_asked_again);
	tcase_add_test(tcase, asking_again_ends_with_the_time_given);
	tcase_add_test(tcase, refusal_of_the_cluster_is_told);
	tcase_add_test(tcase, abort_is_followed_until_the_change_is_undone);
	tcase_add_test(tcase, abort_is_not_followed_when_that_is_not_wanted);
	tcase_add_test(tcase, waiting_for_an_abort_ends_with_the_time_given);
	tcase_add_test(tcase, pushed_abort_is_followed_too);
	tcase_add_test(tcase, agent_that_gives_another_list_is_not_believed);
	tcase_add_test(tcase, agent_without_the_pending_list_is_named);
	tcase_add_test(tcase, order_for_another_cluster_is_not_made);
	tcase_add_test(tcase, one_key_cannot_stand_for_two);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
