/* test_next_list.c - from cluster.conf to the next list: fewest moves, and nothing but what is
 * asked. */
#include "admin/next_list.h"

#include <errno.h>

#include "admin/balance_report.h"
#include "admin/change_report.h"
#include "list/change.h"
#include "scratch.h"

static struct cluster_conf conf;
static struct list_agent agents[8];
static struct list_server servers[8];

/* Servers s<first> to s<first + count - 1>, all worked for by a1. */
static void conf_make(uint32_t first, uint32_t count)
{
	struct list *wanted = &conf.wanted;

	memset(&conf, 0, sizeof(conf));
	memset(agents, 0, sizeof(agents));
	memset(servers, 0, sizeof(servers));
	strcpy(wanted->cluster, "web");
	wanted->slot_count = 16384;
	wanted->lease_ms = 5000;
	wanted->steady_lease_ms = 60000;
	wanted->op_timeout_ms = 1000;
	wanted->registration_required = true;
	wanted->agents = agents;
	wanted->agent_count = 1;
	wanted->servers = servers;
	wanted->server_count = count;
	strcpy(agents[0].name, "a1");
	strcpy(agents[0].address, "10.0.0.1:11280");
	agents[0].key[0] = 1;
	for (uint32_t i = 0; i < count; i++) {
		(void)snprintf(servers[i].name, sizeof(servers[i].name), "s%u", first + i);
		(void)snprintf(servers[i].address, sizeof(servers[i].address), "10.0.0.%u:11211",
			       first + i);
		servers[i].weight = 100;
	}
}

static struct list *make(const struct list *parent)
{
	struct list *next;
	int error = next_list_make(&conf, parent, 0, &next, &failure);

	ck_assert_msg(error == 0, "%s", failure.text);
	return next;
}

static uint64_t moved(const struct list *from, const struct list *to)
{
	struct change *change;
	uint64_t slots;

	ck_assert_int_eq(change_new(from, to, &change, &failure), 0);
	slots = change->moved;
	change_free(change);
	return slots;
}

START_TEST(first_list_has_epoch_one_and_no_parent)
{
	struct list *first;

	conf_make(1, 3);
	first = make(NULL);
	ck_assert_uint_eq(first->epoch, 1);
	ck_assert(!first->has_parent);
	ck_assert_uint_eq(first->slot_count, 16384);
	ck_assert(balance_slots_off(first) < 1.0);
	list_free(first);
}
END_TEST

START_TEST(fourth_equal_server_takes_exactly_a_quarter_and_gives_it_back)
{
	struct list *three, *four, *again;

	conf_make(1, 3);
	three = make(NULL);
	conf_make(1, 4);
	four = make(three);
	ck_assert_uint_eq(four->epoch, 2);
	ck_assert_mem_eq(four->parent, three->hash, sizeof(three->hash));
	ck_assert_uint_eq(moved(three, four), 4096);
	ck_assert(balance_slots_off(four) == 0.0);
	conf_make(1, 3);
	again = make(four);
	ck_assert_uint_eq(again->epoch, 3);
	ck_assert_uint_eq(moved(four, again), 4096);
	list_free(again);
	list_free(four);
	list_free(three);
}
END_TEST

START_TEST(server_that_leaves_from_the_middle_gives_only_its_own)
{
	struct list *four, *three;

	conf_make(1, 4);
	four = make(NULL);
	servers[1] = servers[3];
	conf.wanted.server_count = 3;
	three = make(four);
	ck_assert_uint_eq(moved(four, three), 4096);
	ck_assert_int_lt(list_server_find(three, "s2"), 0);
	list_free(three);
	list_free(four);
}
END_TEST

START_TEST(order_of_the_file_is_no_change)
{
	struct list *first, *next;
	struct list_server swapped;
	bool same = false;

	conf_make(1, 3);
	first = make(NULL);
	swapped = servers[0];
	servers[0] = servers[2];
	servers[2] = swapped;
	next = make(first);
	ck_assert_int_eq(next_list_same(first, next, &same, &failure), 0);
	ck_assert(same);
	ck_assert_uint_eq(moved(first, next), 0);
	list_free(next);
	list_free(first);
}
END_TEST

/* Each changes one thing. */
static void bend(int which)
{
	switch (which) {
	case 0:
		conf.wanted.lease_ms++;
		return;
	case 1:
		conf.wanted.isolation = LIST_ISOLATION_BYPASS;
		return;
	case 2:
		servers[0].has_wipe = true;
		return;
	case 3:
		servers[0].weight = 101;
		return;
	case 4:
		strcpy(agents[0].address, "10.0.0.9:11280");
		return;
	case 5:
		agents[0].key[31] = 1;
		return;
	case 6:
		conf.wanted.slot_count = 32768;
		return;
	case 7:
		conf.wanted.client_quorum = 1;
		return;
	case 8:
		conf.wanted.unaware_poll_ms = 1000;
		return;
	default:
		conf.wanted.registration_required = false;
		return;
	}
}

START_TEST(whatever_is_asked_for_is_a_change)
{
	struct list *first, *next;
	bool same = true;

	conf_make(1, 3);
	first = make(NULL);
	bend(_i);
	next = make(first);
	ck_assert_int_eq(next_list_same(first, next, &same, &failure), 0);
	ck_assert(!same);
	list_free(next);
	list_free(first);
}
END_TEST

START_TEST(more_slots_move_nothing_and_fewer_are_refused)
{
	struct list *first, *next, *none = NULL;

	conf_make(1, 4);
	first = make(NULL);
	conf.wanted.slot_count = 65536;
	next = make(first);
	ck_assert_uint_eq(moved(first, next), 0);
	conf.wanted.slot_count = 32768;
	ck_assert_int_eq(next_list_make(&conf, next, 0, &none, &failure), -EINVAL);
	ck_assert_ptr_null(none);
	ck_assert_says(failure.text, "can only grow");
	list_free(next);
	list_free(first);
}
END_TEST

START_TEST(doubling_an_uneven_split_moves_nothing)
{
	struct list *first, *next;

	conf_make(1, 3);
	first = make(NULL);
	conf.wanted.slot_count = 32768;
	next = make(first);
	ck_assert_uint_eq(moved(first, next), 0);
	list_free(next);
	list_free(first);
}
END_TEST

START_TEST(new_address_moves_the_servers_keys_and_no_others)
{
	struct list *first, *next;

	conf_make(1, 4);
	first = make(NULL);
	strcpy(servers[2].address, "10.0.0.77:11211");
	next = make(first);
	ck_assert_uint_eq(moved(first, next), 4096);
	list_free(next);
	list_free(first);
}
END_TEST

START_TEST(other_name_at_one_address_is_refused)
{
	struct list *first, *next = NULL;

	conf_make(1, 3);
	first = make(NULL);
	strcpy(servers[0].name, "other");
	ck_assert_int_eq(next_list_make(&conf, first, 0, &next, &failure), -EINVAL);
	ck_assert_ptr_null(next);
	ck_assert_says(failure.text, "renamed");
	list_free(first);
}
END_TEST

START_TEST(other_cluster_or_prefix_is_refused)
{
	struct list *first, *next = NULL;

	conf_make(1, 3);
	first = make(NULL);
	strcpy(conf.wanted.cluster, "other");
	ck_assert_int_eq(next_list_make(&conf, first, 0, &next, &failure), -EINVAL);
	strcpy(conf.wanted.cluster, "web");
	strcpy(conf.wanted.prefix, "app:");
	ck_assert_int_eq(next_list_make(&conf, first, 0, &next, &failure), -EINVAL);
	ck_assert_says(failure.text, "prefix");
	list_free(first);
}
END_TEST

START_TEST(epoch_that_is_spent_is_refused)
{
	struct list *first, *next = NULL;

	conf_make(1, 3);
	first = make(NULL);
	conf_make(1, 4);
	ck_assert_int_eq(next_list_make(&conf, first, 1, &next, &failure), -ESTALE);
	ck_assert_int_eq(next_list_make(&conf, first, 7, &next, &failure), 0);
	ck_assert_uint_eq(next->epoch, 7);
	list_free(next);
	list_free(first);
}
END_TEST

START_TEST(plan_says_who_gives_and_who_takes)
{
	struct list *three, *four;
	struct change *change;
	char *text;
	size_t text_bytes;
	FILE *out;

	conf_make(1, 3);
	three = make(NULL);
	conf_make(1, 4);
	servers[3].weight = 300;
	four = make(three);
	ck_assert_int_eq(change_new(three, four, &change, &failure), 0);
	out = open_memstream(&text, &text_bytes);
	ck_assert_int_eq(change_report_moves(change, out), 0);
	change_report_policy(three, four, out);
	(void)fclose(out);
	ck_assert_str_eq(text, "  server  address         weight  before  after   share\n"
			       "  s1      10.0.0.1:11211     100    5462   2731  16.7 %\n"
			       "  s2      10.0.0.2:11211     100    5461   2731  16.7 %\n"
			       "  s3      10.0.0.3:11211     100    5461   2730  16.7 %\n"
			       "  s4      10.0.0.4:11211     300       0   8192  50.0 %  new\n"
			       "\n"
			       "  from  to  slots  of all\n"
			       "  s1    s4   2731  16.7 %\n"
			       "  s2    s4   2730  16.7 %\n"
			       "  s3    s4   2731  16.7 %\n");
	free(text);
	change_free(change);
	list_free(four);
	list_free(three);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("next_list");
	TCase *tcase = tcase_create("next_list");

	tcase_add_test(tcase, first_list_has_epoch_one_and_no_parent);
	tcase_add_test(tcase, fourth_equal_server_takes_exactly_a_quarter_and_gives_it_back);
	tcase_add_test(tcase, server_that_leaves_from_the_middle_gives_only_its_own);
	tcase_add_test(tcase, order_of_the_file_is_no_change);
	tcase_add_loop_test(tcase, whatever_is_asked_for_is_a_change, 0, 10);
	tcase_add_test(tcase, more_slots_move_nothing_and_fewer_are_refused);
	tcase_add_test(tcase, doubling_an_uneven_split_moves_nothing);
	tcase_add_test(tcase, new_address_moves_the_servers_keys_and_no_others);
	tcase_add_test(tcase, other_name_at_one_address_is_refused);
	tcase_add_test(tcase, other_cluster_or_prefix_is_refused);
	tcase_add_test(tcase, epoch_that_is_spent_is_refused);
	tcase_add_test(tcase, plan_says_who_gives_and_who_takes);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
