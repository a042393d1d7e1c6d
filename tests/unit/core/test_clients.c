/* Who is registered, what each has acknowledged, and when the host may say "adopted". */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "core/clients.h"

#define UID	   1000u
#define TIMEOUT_MS 1000u

static struct clients table;
static uint64_t now_ms;

static void set_up(void)
{
	const struct clients_limits limits = {.total = 8, .per_uid = 4};

	ck_assert_int_eq(clients_init(&table, &limits), 0);
	now_ms = 100000;
}

static void tear_down(void)
{
	clients_free(&table);
}

static uint32_t add(void)
{
	struct failure failure;
	uint32_t number;

	ck_assert_int_eq(clients_add(&table, UID, 4711, now_ms, &number, &failure), 0);
	return number;
}

static void publish(uint32_t generation)
{
	clients_published(&table, generation, true, TIMEOUT_MS, now_ms);
}

static void see(uint32_t number, bool older, uint32_t used)
{
	const struct client_marks marks = {.older = older, .used = used};

	clients_marked(&table, number, &marks);
}

/* The first generation of an agent, over; in the ones after it clients count. */
static void begin(void)
{
	publish(1);
	now_ms += TIMEOUT_MS + 1;
	ck_assert(clients_settled(&table, now_ms));
}

START_TEST(the_first_generation_waits_for_clients_that_nobody_knows)
{
	ck_assert(!clients_settled(&table, now_ms));
	publish(1);
	ck_assert(!clients_settled(&table, now_ms));
	ck_assert(!clients_settled(&table, now_ms + TIMEOUT_MS));
	ck_assert(clients_settled(&table, now_ms + TIMEOUT_MS + 1));
	now_ms += TIMEOUT_MS + 1;
	publish(2);
	ck_assert(clients_settled(&table, now_ms));
}
END_TEST

START_TEST(a_generation_after_one_that_is_still_waited_for_waits_as_well)
{
	publish(1);
	now_ms += TIMEOUT_MS / 2;
	publish(2);
	ck_assert(!clients_settled(&table, now_ms + TIMEOUT_MS));
	ck_assert(clients_settled(&table, now_ms + TIMEOUT_MS + 1));
}
END_TEST

START_TEST(optional_registration_always_waits_and_so_does_the_first_required_one)
{
	begin();
	clients_published(&table, 2, false, TIMEOUT_MS, now_ms);
	ck_assert(!clients_settled(&table, now_ms + TIMEOUT_MS));
	now_ms += TIMEOUT_MS + 1;
	ck_assert(clients_settled(&table, now_ms));
	publish(3);
	ck_assert(!clients_settled(&table, now_ms + TIMEOUT_MS));
	/* What is not known may still run what generation 2 planned. */
	now_ms += TIMEOUT_MS / 2;
	publish(4);
	ck_assert(!clients_settled(&table, now_ms));
	now_ms += TIMEOUT_MS + 1;
	ck_assert(clients_settled(&table, now_ms));
	publish(5);
	ck_assert(clients_settled(&table, now_ms));
}
END_TEST

START_TEST(an_idle_client_holds_nothing_up)
{
	uint32_t idle;

	begin();
	idle = add();
	publish(2);
	ck_assert(!clients_settled(&table, now_ms)); /* it was not looked at yet */
	see(idle, false, 0);
	ck_assert(clients_settled(&table, now_ms));
	ck_assert_int_eq(client_standing(&table, idle, now_ms), CLIENT_IDLE);
}
END_TEST

START_TEST(a_client_in_an_older_operation_holds_up_for_op_timeout_and_no_longer)
{
	uint32_t stopped, busy;

	begin();
	stopped = add();
	busy = add();
	publish(2);
	see(stopped, true, 1);
	see(busy, false, 2);
	ck_assert(!clients_settled(&table, now_ms + TIMEOUT_MS));
	ck_assert_int_eq(client_standing(&table, stopped, now_ms), CLIENT_SILENT);
	ck_assert_int_eq(client_standing(&table, busy, now_ms), CLIENT_ADOPTED);
	ck_assert(clients_settled(&table, now_ms + TIMEOUT_MS + 1));
}
END_TEST

START_TEST(its_end_is_noticed)
{
	uint32_t client;

	begin();
	client = add();
	publish(2);
	see(client, true, 1);
	ck_assert(!clients_settled(&table, now_ms));
	see(client, false, 2);
	ck_assert(clients_settled(&table, now_ms));
}
END_TEST

START_TEST(an_acknowledgement_is_of_its_generation)
{
	uint32_t client;

	begin();
	client = add();
	publish(2);
	ck_assert_int_eq(clients_acknowledge(&table, client, 1), 0);
	ck_assert(!clients_settled(&table, now_ms));
	ck_assert_int_eq(clients_acknowledge(&table, client, 0), -EPROTO);
	ck_assert_int_eq(clients_acknowledge(&table, client, 3), -EPROTO);
	ck_assert_int_eq(clients_acknowledge(&table, client, UINT32_MAX), -EPROTO);
	ck_assert(!clients_settled(&table, now_ms));
	ck_assert_int_eq(clients_acknowledge(&table, client, 2), 0);
	ck_assert(clients_settled(&table, now_ms));
	publish(3);
	ck_assert(!clients_settled(&table, now_ms));
	/* An older one does not take the newer one back. */
	ck_assert_int_eq(clients_acknowledge(&table, client, 3), 0);
	ck_assert_int_eq(clients_acknowledge(&table, client, 2), 0);
	ck_assert(clients_settled(&table, now_ms));
}
END_TEST

START_TEST(a_look_from_before_the_publication_says_nothing)
{
	uint32_t client;

	begin();
	client = add();
	see(client, false, 1);
	publish(2);
	ck_assert(!clients_settled(&table, now_ms));
}
END_TEST

START_TEST(counts_that_came_round_the_ring_say_nothing)
{
	uint32_t client;

	begin();
	client = add();
	for (uint32_t generation = 2; generation <= 5; generation++) {
		publish(generation);
		see(client, generation < 5, 1);
		ck_assert(!clients_settled(&table, now_ms));
	}
	ck_assert(clients_settled(&table, now_ms + TIMEOUT_MS + 1));
}
END_TEST

START_TEST(a_client_that_is_gone_counts_after_op_timeout)
{
	uint32_t client, number = 0;

	begin();
	client = add();
	clients_gone(&table, client, now_ms);
	now_ms += TIMEOUT_MS / 2;
	publish(2);
	ck_assert(!clients_settled(&table, now_ms));
	ck_assert_int_eq(client_standing(&table, client, now_ms), CLIENT_GONE);
	ck_assert(!clients_forgettable(&table, &number, now_ms));
	now_ms += TIMEOUT_MS / 2 + 1;
	number = 0;
	ck_assert(clients_forgettable(&table, &number, now_ms));
	ck_assert_uint_eq(number, client);
	clients_forget(&table, number, false, now_ms);
	ck_assert(clients_settled(&table, now_ms));
	ck_assert_uint_eq(table.used, 0);
}
END_TEST

START_TEST(one_that_lives_on_unregistered_holds_the_next_generation_up)
{
	uint32_t client;

	begin();
	client = add();
	clients_gone(&table, client, now_ms);
	now_ms += 10 * TIMEOUT_MS;
	clients_forget(&table, client, true, now_ms);
	ck_assert_int_eq(client_standing(&table, client, now_ms), CLIENT_GONE);
	publish(2);
	ck_assert(!clients_settled(&table, now_ms + TIMEOUT_MS));
	now_ms += TIMEOUT_MS + 1;
	ck_assert(clients_settled(&table, now_ms));
	clients_forget(&table, client, true, now_ms);
	ck_assert_uint_eq(table.used, 0);
}
END_TEST

START_TEST(a_refusal_is_counted_with_its_reason_and_waits)
{
	struct client_marks marks = {.older = true, .refused = 2, .reason = 14};
	uint32_t told, seen, count[CLIENT_STANDINGS];

	begin();
	told = add();
	seen = add();
	publish(2);
	ck_assert_int_eq(clients_refuse(&table, told, 3, 8), -EPROTO);
	ck_assert_int_eq(clients_refuse(&table, told, 2, 8), 0);
	clients_marked(&table, seen, &marks);
	clients_count(&table, now_ms, count);
	ck_assert_uint_eq(count[CLIENT_REFUSED], 2);
	ck_assert_uint_eq(table.client[told].reason, 8);
	ck_assert_uint_eq(table.client[seen].reason, 14);
	ck_assert(!clients_settled(&table, now_ms));
	ck_assert(clients_settled(&table, now_ms + TIMEOUT_MS + 1));
	/* A generation that never was is nobody's. */
	marks.refused = UINT32_MAX;
	clients_marked(&table, seen, &marks);
	ck_assert_uint_eq(table.client[seen].refused, 2);
}
END_TEST

START_TEST(a_quorum_counts_who_uses_the_generation)
{
	uint32_t client[4];

	begin();
	ck_assert(!clients_quorum_missing(&table, 100, now_ms)); /* of nobody */
	for (unsigned i = 0; i < 4; i++)
		client[i] = add();
	publish(2);
	for (unsigned i = 0; i < 4; i++)
		see(client[i], false, 1);
	ck_assert(clients_settled(&table, now_ms));
	ck_assert(!clients_quorum_missing(&table, 0, now_ms));
	ck_assert(clients_quorum_missing(&table, 1, now_ms));
	see(client[0], false, 2);
	ck_assert(!clients_quorum_missing(&table, 25, now_ms));
	ck_assert(clients_quorum_missing(&table, 26, now_ms));
	ck_assert_int_eq(clients_acknowledge(&table, client[1], 2), 0);
	ck_assert(!clients_quorum_missing(&table, 50, now_ms));
	clients_gone(&table, client[2], now_ms);
	clients_gone(&table, client[3], now_ms);
	ck_assert(!clients_quorum_missing(&table, 100, now_ms));
}
END_TEST

START_TEST(users_and_all_of_them_have_caps)
{
	struct failure failure;
	uint32_t number;

	for (unsigned i = 0; i < 4; i++)
		number = add();
	ck_assert_int_eq(clients_add(&table, UID, 1, now_ms, &number, &failure), -EDQUOT);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_int_eq(clients_add(&table, UID + 1, 1, now_ms, &number, &failure), 0);
	ck_assert_int_eq(clients_add(&table, UID + 2, 1, now_ms, &number, &failure), -EUSERS);
	ck_assert_uint_eq(table.totals.registered, 8);
	ck_assert_uint_eq(table.totals.refused_uid, 1);
	ck_assert_uint_eq(table.totals.refused_total, 1);
	/* Who is gone keeps its place until it is forgotten: nobody gains by coming and going. */
	clients_gone(&table, 0, now_ms);
	ck_assert_int_eq(clients_room(&table, UID, &failure), -EDQUOT);
	now_ms += TIMEOUT_MS + 1;
	clients_forget(&table, 0, false, now_ms);
	ck_assert_int_eq(clients_room(&table, UID, &failure), 0);
	ck_assert_uint_eq(add(), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("core/clients");
	TCase *tests = tcase_create("clients");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, the_first_generation_waits_for_clients_that_nobody_knows);
	tcase_add_test(tests, a_generation_after_one_that_is_still_waited_for_waits_as_well);
	tcase_add_test(tests,
		       optional_registration_always_waits_and_so_does_the_first_required_one);
	tcase_add_test(tests, an_idle_client_holds_nothing_up);
	tcase_add_test(tests, a_client_in_an_older_operation_holds_up_for_op_timeout_and_no_longer);
	tcase_add_test(tests, its_end_is_noticed);
	tcase_add_test(tests, an_acknowledgement_is_of_its_generation);
	tcase_add_test(tests, a_look_from_before_the_publication_says_nothing);
	tcase_add_test(tests, counts_that_came_round_the_ring_say_nothing);
	tcase_add_test(tests, a_client_that_is_gone_counts_after_op_timeout);
	tcase_add_test(tests, one_that_lives_on_unregistered_holds_the_next_generation_up);
	tcase_add_test(tests, a_refusal_is_counted_with_its_reason_and_waits);
	tcase_add_test(tests, a_quorum_counts_who_uses_the_generation);
	tcase_add_test(tests, users_and_all_of_them_have_caps);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
