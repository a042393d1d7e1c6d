/* test_agent.c - one agent in this process, spoken to over its control socket. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "agent_rig.h"
#include "daemon/lists.h"
#include "daemon/status.h"

#define DEADLINE_MS 10000u

/* ---- asking ---- */

struct question {
	struct session *session;
	bool ready, answered;
	uint8_t type, verdict;
	char *text;
};

static void asked_ready(struct session *session, void *context)
{
	(void)session;
	((struct question *)context)->ready = true;
}

static void asked_message(struct session *session, const struct message *message, void *context)
{
	struct question *question = context;

	(void)session;
	question->answered = true;
	question->type = message->type;
	if (message->type == MESSAGE_VERDICT) {
		question->verdict = message->verdict.code;
		question->text = strdup(message->verdict.text);
	} else {
		question->text = strndup((const char *)message->body, message->body_bytes);
	}
}

static void asked_closed(struct session *session, const char *why, void *context)
{
	(void)session;
	(void)context;
	ck_abort_msg("the agent closed the session: %s", why);
}

static void loop_until(const bool *condition)
{
	const uint64_t end_ms = clock_now_ms() + DEADLINE_MS;

	while (!*condition && clock_now_ms() < end_ms)
		(void)event_base_loop(base, EVLOOP_ONCE);
	ck_assert_msg(*condition, "nothing came within %u ms", DEADLINE_MS);
}

static const struct session_events events = {asked_ready, asked_message, asked_closed};

static struct question ask(const struct message *message)
{
	static struct session_identity identity;
	struct question question = {0};
	struct failure failure;

	(void)snprintf(identity.cluster, sizeof(identity.cluster), "unit");
	ck_assert_msg(session_dial_local(base, config.control_socket, &identity, &events, &question,
					 &question.session, &failure) == 0,
		      "%s", failure.text);
	loop_until(&question.ready);
	ck_assert_int_eq(session_send(question.session, message), 0);
	loop_until(&question.answered);
	session_close(question.session);
	return question;
}

static void offer(const void *bytes, size_t length, uint8_t want, const char *words)
{
	struct message message = {
	    .type = MESSAGE_OFFER, .request = 7, .body = bytes, .body_bytes = length};
	struct question question = ask(&message);

	ck_assert_int_eq(question.type, MESSAGE_VERDICT);
	ck_assert_msg(question.verdict == want && strstr(question.text, words) != NULL,
		      "verdict %u, \"%s\", wanted %u with \"%s\"", question.verdict, question.text,
		      want, words);
	free(question.text);
}

static bool status_says(const char *line)
{
	struct message message = {.type = MESSAGE_STATUS_GET};
	struct question question;
	bool says;

	message.status_get.scope = STATUS_CLUSTER;
	question = ask(&message);
	says = strstr(question.text, line) != NULL;
	free(question.text);
	return says;
}

static void wait_for_status(const char *line)
{
	const uint64_t end_ms = clock_now_ms() + DEADLINE_MS;

	while (!status_says(line))
		ck_assert_msg(clock_now_ms() < end_ms, "status never said \"%s\"", line);
}

static void first_list(struct document *first)
{
	*first = document_make(1, NULL, "unit");
	offer(first->bytes, first->length, VERDICT_ACCEPTED, "first list");
	wait_for_status("\nphase STEADY\n");
}

/* ---- tests ---- */

START_TEST(an_agent_without_a_list_is_ready_and_says_so)
{
	ck_assert(told_ready);
	ck_assert(status_says("phase NONE\n"));
	ck_assert_uint_eq(segment_generation(agent->segment, NULL), 0);
}
END_TEST

/* The register's file cannot be replaced by one while a directory is in its place. */
START_TEST(a_list_is_accepted_when_it_is_stored_and_not_before)
{
	struct document first, second;
	char path[sizeof(config.state_directory) + 16];

	first_list(&first);
	wait_for_status("isolated no\n");
	(void)snprintf(path, sizeof(path), "%s/register", config.state_directory);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	second = document_make(2, first.hash, "unit");
	offer(second.bytes, second.length, VERDICT_LATER, "could not store it");
	ck_assert(status_says("\nnext-epoch 0\n"));
	ck_assert_int_eq(rmdir(path), 0);
	offer(second.bytes, second.length, VERDICT_ACCEPTED, "the change begins");
	wait_for_status("\nepoch 2\n");
	free(first.bytes);
	free(second.bytes);
}
END_TEST

/* An observer brings a signed list, which nobody has asked it for. */
START_TEST(a_document_that_was_not_asked_for_is_not_taken)
{
	struct document first, second;
	struct message message = {.type = MESSAGE_LIST, .request = 1};
	struct session_identity identity = agent->identity;
	struct question question = {0};
	struct failure failure;

	first_list(&first);
	second = document_make(2, first.hash, "unit");
	randombytes_buf(identity.secret, sizeof(identity.secret));
	crypto_scalarmult_curve25519_base(identity.public_key, identity.secret);
	ck_assert_msg(session_dial(base, config.listen, config.host_public, &identity, &events,
				   &question, &question.session, &failure) == 0,
		      "%s", failure.text);
	loop_until(&question.ready);
	message.body = second.bytes;
	message.body_bytes = second.length;
	ck_assert_int_eq(session_send(question.session, &message), 0);
	message.type = MESSAGE_STATUS_GET;
	message.status_get.scope = STATUS_CLUSTER;
	ck_assert_int_eq(session_send(question.session, &message), 0);
	loop_until(&question.answered);
	session_close(question.session);
	ck_assert_ptr_null(lists_find(agent->lists, second.hash));
	free(question.text);
	free(first.bytes);
	free(second.bytes);
}
END_TEST

START_TEST(who_is_asked_adds_its_own_trouble_to_what_the_coordinator_says)
{
	static const char said[] = "agent a9\nview cluster\nwaits-for \n";
	static const char local[] = "agent a9\nview local\n";
	char *text;
	size_t bytes;

	(void)snprintf(agent->store_trouble, sizeof(agent->store_trouble), "the disk is full");
	(void)snprintf(agent->register_trouble, sizeof(agent->register_trouble), "no etcd");
	ck_assert_int_eq(status_asked(agent, said, strlen(said), &text, &bytes), 0);
	ck_assert_mem_eq(text, said, strlen(said));
	ck_assert_ptr_nonnull(strstr(text, "\nasked a1\nasked-isolated yes\n"
					   "asked-trouble the disk is full; no etcd\n"));
	free(text);
	ck_assert_int_lt(status_asked(agent, local, strlen(local), &text, &bytes), 0);
}
END_TEST

START_TEST(the_first_list_is_published_and_leased)
{
	struct document first;
	uint64_t now_ms;

	first_list(&first);
	ck_assert_uint_eq(segment_generation(agent->segment, NULL), 1);
	wait_for_status("isolated no\n");
	now_ms = clock_now_ms();
	ck_assert_uint_gt(segment_lease_read(agent->segment), now_ms * 1000000u);
	offer(first.bytes, first.length, VERDICT_ACCEPTED, "active already");
	free(first.bytes);
}
END_TEST

START_TEST(lists_that_break_a_rule_are_refused_and_nothing_changes)
{
	struct document first, other;
	uint8_t wrong[LIST_HASH_BYTES] = {1};

	other = document_make(1, NULL, "other");
	offer(other.bytes, other.length, VERDICT_REFUSED, "other");
	free(other.bytes);
	first_list(&first);
	((char *)first.bytes)[20] ^= 1;
	offer(first.bytes, first.length, VERDICT_REFUSED, "sign");
	((char *)first.bytes)[20] ^= 1;
	offer("nonsense\n", 9, VERDICT_REFUSED, "sign");
	other = document_make(2, wrong, "unit");
	offer(other.bytes, other.length, VERDICT_REFUSED, "parent");
	free(other.bytes);
	other = document_make(1, wrong, "unit");
	offer(other.bytes, other.length, VERDICT_REFUSED, "equivocation");
	free(other.bytes);
	ck_assert(status_says("epoch 1\n"));
	ck_assert(status_says("phase STEADY\n"));
	ck_assert_uint_eq(segment_generation(agent->segment, NULL), 1);
	free(first.bytes);
}
END_TEST

START_TEST(a_change_that_moves_nothing_goes_through_all_phases)
{
	struct document first, second;

	first_list(&first);
	second = document_make(2, first.hash, "unit");
	offer(second.bytes, second.length, VERDICT_ACCEPTED, "the change begins");
	wait_for_status("epoch 2\n");
	wait_for_status("settled yes\n");
	/* PREPARE COPY SWITCH SETTLE DRAIN and STEADY, one generation each. */
	ck_assert_uint_eq(segment_generation(agent->segment, NULL), 7);
	free(first.bytes);
	free(second.bytes);
}
END_TEST

START_TEST(a_restarted_agent_takes_up_its_segment_and_its_register)
{
	struct document first;

	first_list(&first);
	wait_for_status("isolated no\n");
	agent_down();
	agent_up();
	ck_assert(told_ready);
	ck_assert_uint_ge(segment_generation(agent->segment, NULL), 1);
	wait_for_status("term 2\n");
	wait_for_status("isolated no\n");
	free(first.bytes);
}
END_TEST

static void damage(const char *name)
{
	char path[sizeof(config.state_directory) + 16];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", config.state_directory, name);
	file = fopen(path, "r+");
	ck_assert_ptr_nonnull(file);
	(void)fseek(file, -1, SEEK_END);
	(void)fputc('x', file);
	(void)fclose(file);
}

static void refuses_to_start(const char *words)
{
	struct failure failure;
	struct agent *other;

	base = event_base_new();
	ck_assert_int_ne(agent_open(&config, base, on_ready, &other, &failure), 0);
	ck_assert_msg(strstr(failure.text, words) != NULL, "\"%s\" without \"%s\"", failure.text,
		      words);
	event_base_free(base);
}

START_TEST(a_damaged_state_is_refused_by_name)
{
	struct document first;

	first_list(&first);
	agent_down();
	damage("host");
	refuses_to_start("host");
	free(first.bytes);
}
END_TEST

START_TEST(a_damaged_register_is_named_and_routing_goes_on)
{
	struct document first, second;

	first_list(&first);
	agent_down();
	damage("register");
	agent_up();
	wait_for_status("register: ");
	ck_assert(status_says("phase STEADY\n"));
	ck_assert_uint_ge(segment_generation(agent->segment, NULL), 1);
	second = document_make(2, first.hash, "unit");
	offer(second.bytes, second.length, VERDICT_REFUSED, "register");
	free(first.bytes);
	free(second.bytes);
}
END_TEST

START_TEST(a_second_agent_on_the_same_state_is_refused)
{
	struct event_base *first_base = base;

	refuses_to_start("state");
	base = first_base;
}
END_TEST

START_TEST(a_register_that_is_gone_is_not_made_up)
{
	struct document first, second;
	char path[sizeof(config.state_directory) + 16];

	first_list(&first);
	agent_down();
	(void)snprintf(path, sizeof(path), "%s/register", config.state_directory);
	ck_assert_int_eq(unlink(path), 0);
	agent_up();
	ck_assert(status_says("phase STEADY\n"));
	second = document_make(2, first.hash, "unit");
	offer(second.bytes, second.length, VERDICT_REFUSED, "register is missing");
	free(first.bytes);
	free(second.bytes);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("agent");
	TCase *tests = tcase_create("agent");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, an_agent_without_a_list_is_ready_and_says_so);
	tcase_add_test(tests, a_list_is_accepted_when_it_is_stored_and_not_before);
	tcase_add_test(tests, a_document_that_was_not_asked_for_is_not_taken);
	tcase_add_test(tests, who_is_asked_adds_its_own_trouble_to_what_the_coordinator_says);
	tcase_add_test(tests, the_first_list_is_published_and_leased);
	tcase_add_test(tests, lists_that_break_a_rule_are_refused_and_nothing_changes);
	tcase_add_test(tests, a_change_that_moves_nothing_goes_through_all_phases);
	tcase_add_test(tests, a_restarted_agent_takes_up_its_segment_and_its_register);
	tcase_add_test(tests, a_damaged_state_is_refused_by_name);
	tcase_add_test(tests, a_damaged_register_is_named_and_routing_goes_on);
	tcase_add_test(tests, a_second_agent_on_the_same_state_is_refused);
	tcase_add_test(tests, a_register_that_is_gone_is_not_made_up);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
