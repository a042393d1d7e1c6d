/* test_owed_run.c - owed deletes against real memcached processes. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/owed_run.h"
#include "memcached_process.h"

#define SLOTS	      1024u
#define SERVERS	      3u
#define OP_TIMEOUT_MS 200u
#define PATIENCE_S    20
#define LONG_MS	      (UINT64_MAX / 4)

/* Two servers own the even and the odd slots; the third is new and gets every third slot. */
static struct memcached_process processes[SERVERS];
static struct change_server servers[SERVERS];
static uint16_t old_owner[SLOTS], new_owner[SLOTS];
static struct change change;
static struct event_base *base;
static struct owed_run *run;
static char directory[64];

static const struct owed_limits limits = {10000, 10000};

/* Somebody who owes a key, and what they saw at the moment they were told. */
struct client {
	struct owed_wait *wait;
	char key[32];
	uint32_t owner[2];
	unsigned accepted, refused, complete;
	bool gone; /* from both owners, when `complete` was said */
};

static bool holds(uint32_t server, const char *key)
{
	return memcached_get(&processes[server], key, strlen(key)).hit;
}

static void told(void *context, enum owed_news news)
{
	struct client *client = context;

	client->accepted += news == OWED_IS_ACCEPTED;
	client->refused += news == OWED_IS_REFUSED;
	if (news != OWED_IS_COMPLETE)
		return;
	client->complete++;
	client->gone =
	    !holds(client->owner[0], client->key) && !holds(client->owner[1], client->key);
}

static struct client client_make(const char *prefix, bool moves)
{
	struct client client = {.wait = NULL};

	for (unsigned i = 0;; i++) {
		(void)snprintf(client.key, sizeof(client.key), "%s%u", prefix, i);
		change_key_owners(&change, client.key, strlen(client.key), &client.owner[0],
				  &client.owner[1]);
		if ((client.owner[0] != client.owner[1]) == moves)
			return client;
	}
}

static void store_at(uint32_t server, const char *key)
{
	memcached_set(&processes[server], key, strlen(key), "stale", 5, 0, -1);
}

static void owe(struct client *client)
{
	struct failure failure;
	int error = owed_run_add(run, client->key, strlen(client->key), 1, told, client,
				 &client->wait, &failure);

	ck_assert_msg(error == 0, "%s", error == 0 ? "" : failure.text);
	ck_assert_uint_eq(client->accepted, 0); /* not from within the call */
}

static void nothing(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	(void)argument;
}

/* Turns the loop until `done` says so. */
static void until(bool (*done)(const struct client *client), const struct client *client)
{
	struct event *often = event_new(base, -1, EV_PERSIST, nothing, NULL);
	const struct timeval ten_ms = {.tv_usec = 10000};
	const time_t deadline = time(NULL) + PATIENCE_S;

	(void)event_add(often, &ten_ms);
	while (!done(client)) {
		ck_assert_msg(time(NULL) < deadline, "waited %d s in vain", PATIENCE_S);
		(void)event_base_loop(base, EVLOOP_ONCE);
	}
	event_free(often);
}

static bool is_accepted(const struct client *client)
{
	return client->accepted > 0;
}

static bool is_refused(const struct client *client)
{
	return client->refused > 0;
}

static bool is_complete(const struct client *client)
{
	return client->complete > 0;
}

static struct owed_status status(void)
{
	struct owed_status now;
	const char *trouble;

	owed_run_status(run, &now, &trouble);
	return now;
}

static bool has_failed(const struct client *client)
{
	(void)client;
	return status().counts.failed > 0;
}

static bool has_failed_often(const struct client *client)
{
	(void)client;
	return status().counts.failed > 3;
}

static bool is_running(const struct client *client)
{
	(void)client;
	return owed_run_in_flight(run, 2);
}

static bool is_not_running(const struct client *client)
{
	(void)client;
	return !owed_run_in_flight(run, 2);
}

static bool nothing_owed(const struct client *client)
{
	(void)client;
	return status().keys == 0;
}

static void phase(enum phase now, uint32_t generation, uint64_t lease_ms)
{
	ck_assert_int_eq(owed_run_phase(run, &change, now, generation, lease_ms), 0);
}

static void run_start(void)
{
	struct failure failure;
	int error = owed_run_new(base, directory, &limits, NULL, &run, &failure);

	ck_assert_msg(error == 0, "%s", error == 0 ? "" : failure.text);
}

static void set_up(void)
{
	memset(processes, 0, sizeof(processes));
	for (uint32_t i = 0; i < SERVERS; i++)
		memcached_start(&processes[i], NULL);
	memset(servers, 0, sizeof(servers));
	for (uint32_t i = 0; i < SLOTS; i++) {
		old_owner[i] = (uint16_t)(i % 2);
		new_owner[i] = i % 3 == 0 ? 2 : old_owner[i];
	}
	for (uint32_t i = 0; i < SERVERS; i++)
		(void)snprintf(servers[i].address, sizeof(servers[i].address), "%s",
			       processes[i].address);
	change = (struct change){.old_epoch = 1,
				 .new_epoch = 2,
				 .parts = SLOTS,
				 .in_slots = true,
				 .server_count = SERVERS,
				 .servers = servers,
				 .old_table = table_of_slots(old_owner, SLOTS),
				 .new_table = table_of_slots(new_owner, SLOTS),
				 .op_timeout_ms = OP_TIMEOUT_MS};
	strcpy(directory, "/tmp/mcroster-owed-run.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	base = event_base_new();
	ck_assert_ptr_nonnull(base);
	run_start();
}

static void tear_down(void)
{
	char command[96];

	owed_run_free(run);
	event_base_free(base);
	for (uint32_t i = 0; i < SERVERS; i++)
		memcached_kill(&processes[i]);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	ck_assert_int_eq(system(command), 0);
}

/* ---- */

START_TEST(a_key_is_deleted_where_it_lives)
{
	struct client client = client_make("key", false);

	store_at(client.owner[0], client.key);
	phase(PHASE_STEADY, 1, LONG_MS);
	owe(&client);
	until(is_complete, &client);
	ck_assert(client.gone);
	ck_assert_uint_eq(client.accepted, 1);
	ck_assert_uint_eq(client.complete, 1);
	ck_assert_uint_eq(status().keys, 0);
}
END_TEST

START_TEST(a_server_that_comes_back_with_a_stale_value_loses_it_before_complete_is_said)
{
	struct client client = client_make("key", false);
	struct memcached_process *server = &processes[client.owner[0]];
	struct owed_to to[SERVERS];

	memcached_kill(server);
	phase(PHASE_STEADY, 1, LONG_MS);
	owe(&client);
	until(is_accepted, &client);
	until(has_failed_often, &client);
	ck_assert_uint_eq(client.complete, 0);
	owed_run_status_servers(run, to, SERVERS);
	ck_assert_uint_eq(to[client.owner[0]].keys, 1);
	/* Without a lease it is not even tried, so the stale value can be put there first. */
	phase(PHASE_STEADY, 1, 0);
	until(is_not_running, &client);
	memcached_start(server, NULL);
	store_at(client.owner[0], client.key);
	ck_assert(holds(client.owner[0], client.key));
	ck_assert_uint_eq(client.complete, 0);
	phase(PHASE_STEADY, 1, LONG_MS);
	until(is_complete, &client);
	ck_assert(client.gone);
}
END_TEST

START_TEST(a_server_that_does_not_answer_is_hung_up_on_within_op_timeout)
{
	struct client client = client_make("key", false);
	struct memcached_process *server = &processes[client.owner[0]];

	store_at(client.owner[0], client.key);
	memcached_stop(server);
	phase(PHASE_STEADY, 1, LONG_MS);
	owe(&client);
	until(is_running, &client);
	until(has_failed, &client);
	ck_assert_uint_eq(client.complete, 0);
	/* A new generation is held up by what still runs, and not for long. */
	until(is_running, &client);
	phase(PHASE_STEADY, 2, LONG_MS);
	ck_assert(owed_run_in_flight(run, 2));
	until(is_not_running, &client);
	memcached_continue(server);
	until(is_complete, &client);
	ck_assert(client.gone);
}
END_TEST

START_TEST(a_moving_key_is_complete_when_both_owners_have_lost_it)
{
	struct client client = client_make("key", true);
	struct memcached_process *new_owner_process = &processes[client.owner[1]];

	store_at(client.owner[0], client.key);
	store_at(client.owner[1], client.key);
	memcached_stop(new_owner_process);
	phase(PHASE_COPY, 1, LONG_MS);
	owe(&client);
	until(has_failed, &client);
	ck_assert(!holds(client.owner[0], client.key));
	ck_assert_uint_eq(client.complete, 0);
	/* What was done under COPY does not count under SWITCH: it is all done again. */
	store_at(client.owner[0], client.key);
	phase(PHASE_SWITCH, 2, LONG_MS);
	memcached_continue(new_owner_process);
	until(is_complete, &client);
	ck_assert(client.gone);
}
END_TEST

START_TEST(what_is_owed_outlives_the_agent)
{
	struct client client = client_make("key", true);

	store_at(client.owner[0], client.key);
	store_at(client.owner[1], client.key);
	phase(PHASE_COPY, 1, 0);
	owe(&client);
	until(is_accepted, &client);
	owed_run_free(run);
	run_start();
	ck_assert_uint_eq(status().keys, 1);
	ck_assert_uint_gt(status().oldest_since_s, 1700000000u);
	phase(PHASE_DRAIN, 7, LONG_MS);
	until(nothing_owed, NULL);
	ck_assert(!holds(client.owner[0], client.key) && !holds(client.owner[1], client.key));
	ck_assert_uint_eq(client.complete, 0); /* whoever waited did not outlive it */
	owed_run_free(run);
	run_start();
	ck_assert_uint_eq(status().keys, 0);
}
END_TEST

START_TEST(many_keys_of_a_server_out_of_reach_hold_nobody_up)
{
	static struct client clients[3000];
	unsigned there = 0;

	phase(PHASE_STEADY, 1, LONG_MS);
	memcached_stop(&processes[0]);
	for (unsigned i = 0; i < 3000; i++) {
		char prefix[16];

		(void)snprintf(prefix, sizeof(prefix), "k%u-", i);
		clients[i] = client_make(prefix, false);
		owe(&clients[i]);
		there += clients[i].owner[0] == 0;
	}
	for (unsigned i = 0; i < 3000; i++)
		if (clients[i].owner[0] != 0)
			until(is_complete, &clients[i]);
	ck_assert_uint_gt(there, 500);
	ck_assert_uint_eq(status().keys, there);
	memcached_continue(&processes[0]);
	until(nothing_owed, NULL);
	for (unsigned i = 0; i < 3000; i++)
		ck_assert(clients[i].complete == 1 && clients[i].gone);
}
END_TEST

START_TEST(a_key_that_its_server_refuses_stays_owed)
{
	struct client client = client_make("key", false);
	struct memcached_process *server = &processes[client.owner[0]];
	char users[96];
	const char *arguments[] = {"-Y", users, NULL};
	FILE *file;

	(void)snprintf(users, sizeof(users), "%s/users", directory);
	file = fopen(users, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_gt(fprintf(file, "somebody:secret\n"), 0);
	ck_assert_int_eq(fclose(file), 0);
	memcached_kill(server);
	ck_assert_int_eq(chmod(directory, 0755), 0); /* it may run as another user */
	memcached_start(server, arguments);
	phase(PHASE_STEADY, 1, LONG_MS);
	owe(&client);
	until(has_failed_often, &client);
	ck_assert_uint_eq(client.complete, 0);
	ck_assert_uint_eq(status().keys, 1);
}
END_TEST

START_TEST(what_cannot_be_stored_is_refused)
{
	struct client client = client_make("key", false);
	struct owed_status now;
	const char *trouble;

	ck_assert_int_eq(rmdir(directory), 0);
	phase(PHASE_STEADY, 1, LONG_MS);
	owe(&client);
	until(is_refused, &client);
	ck_assert_uint_eq(client.accepted, 0);
	owed_run_status(run, &now, &trouble);
	ck_assert_msg(strstr(trouble, directory) != NULL, "%s", trouble);
	ck_assert(now.store_fails);
	ck_assert_uint_eq(now.keys, 0);
}
END_TEST

START_TEST(whoever_has_forgotten_is_not_told)
{
	struct client one = client_make("key", false), other = one;

	phase(PHASE_STEADY, 1, LONG_MS);
	owe(&one);
	owe(&other);
	owed_run_forget(run, one.wait);
	until(is_complete, &other);
	ck_assert_uint_eq(one.accepted + one.complete, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("owed_run");
	TCase *tcase = tcase_create("memcached");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, a_key_is_deleted_where_it_lives);
	tcase_add_test(
	    tcase, a_server_that_comes_back_with_a_stale_value_loses_it_before_complete_is_said);
	tcase_add_test(tcase, a_server_that_does_not_answer_is_hung_up_on_within_op_timeout);
	tcase_add_test(tcase, a_moving_key_is_complete_when_both_owners_have_lost_it);
	tcase_add_test(tcase, what_is_owed_outlives_the_agent);
	tcase_add_test(tcase, many_keys_of_a_server_out_of_reach_hold_nobody_up);
	tcase_add_test(tcase, a_key_that_its_server_refuses_stays_owed);
	tcase_add_test(tcase, what_cannot_be_stored_is_refused);
	tcase_add_test(tcase, whoever_has_forgotten_is_not_told);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
