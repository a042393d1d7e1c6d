/* test_change.c - two lists laid over each other. */
#include <errno.h>

#include "sample.h"

#include "hash.h"
#include "list/change.h"

static struct sample active, next;
static struct failure failure;
static struct change *change;

/* active: cache00 to cache02; next: cache03 comes. */
static void setup(void)
{
	memset(&failure, 0, sizeof(failure));
	change = NULL;
	sample_make(&active, 3);
	memset(active.list.hash, 0xa5, sizeof(active.list.hash));
	sample_make(&next, 4);
	next.list.epoch = 43;
	memset(next.list.hash, 0x5a, sizeof(next.list.hash));
	memcpy(next.slots, active.slots, sizeof(next.slots));
	sample_plan(&next);
}

static void teardown(void)
{
	change_free(change);
}

static void make(const struct list *to)
{
	ck_assert_msg(change_new(&active.list, to, &change, &failure) == 0, "%s", failure.text);
}

START_TEST(settled_list_is_a_change_to_itself)
{
	make(NULL);
	ck_assert_uint_eq(change->old_epoch, 42);
	ck_assert_uint_eq(change->new_epoch, 0);
	ck_assert_mem_eq(change->old_hash, active.list.hash, LIST_HASH_BYTES);
	ck_assert(sodium_is_zero(change->new_hash, LIST_HASH_BYTES));
	ck_assert_uint_eq(change->moved, 0);
	ck_assert_uint_eq(change->server_count, 3);
	ck_assert_ptr_eq(change->old_table.owner, change->new_table.owner);
	ck_assert_mem_eq(change->old_table.owner, active.slots, 1024 * sizeof(uint16_t));
	ck_assert_str_eq(change->prefix, "shop:");
	for (uint32_t i = 0; i < 3; i++) {
		const struct change_server *server = &change->servers[i];

		ck_assert_str_eq(server->name, active.servers[i].name);
		ck_assert(server->in_old && server->in_new);
		ck_assert_uint_eq(server->old_parts, server->new_parts);
		ck_assert_uint_eq(server->gained, 0);
		ck_assert_uint_eq(server->lost, 0);
		ck_assert_str_eq(change_server_agent(change, i), i % 2 == 0 ? "web00" : "web01");
	}
}
END_TEST

START_TEST(server_that_comes_gains_what_the_others_lose)
{
	make(&next.list);
	ck_assert_uint_eq(change->old_epoch, 42);
	ck_assert_uint_eq(change->new_epoch, 43);
	ck_assert_mem_eq(change->new_hash, next.list.hash, LIST_HASH_BYTES);
	ck_assert_uint_eq(change->server_count, 4);
	ck_assert_uint_eq(change->parts, 1024);
	ck_assert_uint_eq(change->moved, 256);
	for (uint32_t i = 0; i < 3; i++) {
		ck_assert(change->servers[i].in_old && change->servers[i].in_new);
		ck_assert_uint_eq(change->servers[i].new_parts, 256);
		ck_assert_uint_eq(change->servers[i].gained, 0);
		ck_assert_uint_eq(change->servers[i].lost, change->servers[i].old_parts - 256);
	}
	ck_assert(!change->servers[3].in_old && change->servers[3].in_new);
	ck_assert_uint_eq(change->servers[3].old_parts, 0);
	ck_assert_uint_eq(change->servers[3].gained, 256);
	ck_assert_uint_eq(change->servers[3].lost, 0);
	ck_assert(change->servers[3].has_wipe);
	ck_assert_uint_eq(change->servers[3].wipe, 7);
	ck_assert(!change->servers[2].has_wipe); /* the old list's wipe is over */
	ck_assert_str_eq(change->servers[3].old_agent, "");
	ck_assert_str_eq(change_server_agent(change, 3), "web01");
}
END_TEST

START_TEST(server_that_leaves_keeps_its_number_and_its_old_agent)
{
	/* next: cache01 leaves, so cache02 is number 1 there and number 2 in the union. */
	sample_make(&next, 3);
	next.list.server_count = 2;
	next.servers[1] = next.servers[2];
	next.servers[1].agent = 1;
	next.servers[1].weight = 300;
	for (uint32_t i = 0; i < 1024; i++)
		next.slots[i] = active.slots[i] == 0 ? 0 : 1;
	make(&next.list);
	ck_assert_uint_eq(change->server_count, 3);
	ck_assert_str_eq(change->servers[1].name, "cache01");
	ck_assert(change->servers[1].in_old && !change->servers[1].in_new);
	ck_assert_uint_eq(change->servers[1].new_parts, 0);
	ck_assert_uint_eq(change->servers[1].lost, change->servers[1].old_parts);
	ck_assert_uint_eq(change->moved, change->servers[1].old_parts);
	ck_assert_str_eq(change->servers[1].new_agent, "");
	ck_assert_str_eq(change_server_agent(change, 1), "web01");
	ck_assert_uint_eq(change->servers[2].gained, change->servers[1].lost);
	ck_assert_uint_eq(change->servers[2].weight, 300);
	ck_assert_str_eq(change->servers[2].old_agent, "web00");
	ck_assert_str_eq(change->servers[2].new_agent, "web01");
	ck_assert_str_eq(change_server_agent(change, 2), "web01");
	for (uint32_t i = 0; i < 1024; i++)
		ck_assert_uint_eq(change->new_table.owner[i], active.slots[i] == 0 ? 0 : 2);
}
END_TEST

START_TEST(server_with_a_new_address_is_another_server)
{
	sample_make(&next, 3);
	memcpy(next.slots, active.slots, sizeof(next.slots));
	strcpy(next.servers[1].address, "10.0.9.9:11211");
	make(&next.list);
	ck_assert_uint_eq(change->server_count, 4);
	ck_assert_str_eq(change->servers[1].address, "10.0.1.2:11211");
	ck_assert_str_eq(change->servers[3].name, "cache01");
	ck_assert_str_eq(change->servers[3].address, "10.0.9.9:11211");
	ck_assert_uint_eq(change->moved, change->servers[1].old_parts);
	ck_assert_uint_eq(change->servers[3].gained, change->servers[1].lost);
}
END_TEST

START_TEST(order_of_the_servers_does_not_matter)
{
	const struct list_server first = next.servers[0];

	sample_make(&next, 3);
	next.servers[0] = next.servers[2];
	next.servers[2] = first;
	for (uint32_t i = 0; i < 1024; i++)
		next.slots[i] = (uint16_t)(2 - active.slots[i]);
	make(&next.list);
	ck_assert_uint_eq(change->server_count, 3);
	ck_assert_uint_eq(change->moved, 0);
}
END_TEST

START_TEST(tables_meet_at_the_larger_number_of_slots)
{
	/* Doubled by the list itself; the old one is widened to meet it. */
	sample_make(&next, 3);
	next.list.slot_count = 4096;
	slots_widen(active.slots, 1024, next.slots, 4096);
	make(&next.list);
	ck_assert_uint_eq(change->parts, 4096);
	ck_assert_uint_eq(change->moved, 0);
	ck_assert_uint_eq(change->servers[0].old_parts, 4 * 342);
	ck_assert_uint_eq(change->servers[0].new_parts, 4 * 342);
	change_free(change);

	/* And the other way round. */
	ck_assert_int_eq(change_new(&next.list, &active.list, &change, &failure), 0);
	ck_assert_uint_eq(change->parts, 4096);
	ck_assert_uint_eq(change->moved, 0);
	change_free(change);

	next.slots[4095] = 0; /* one slot of 4096 moves */
	make(&next.list);
	ck_assert_uint_eq(change->moved, 1);
	ck_assert_uint_eq(change->servers[0].gained, 1);
	ck_assert_uint_eq(change->servers[2].lost, 1);
}
END_TEST

START_TEST(larger_times_hold_during_a_change)
{
	next.list.lease_ms = 6000;
	next.list.steady_lease_ms = 50000;
	next.list.op_timeout_ms = 900;
	make(&next.list);
	ck_assert_uint_eq(change->lease_ms, 6000);
	ck_assert_uint_eq(change->steady_lease_ms, 60000);
	ck_assert_uint_eq(change->op_timeout_ms, 1000);
}
END_TEST

/* By the list alone. */
static const char *owner_name(const struct list *list, const char *key, size_t bytes)
{
	const unsigned bits = (unsigned)__builtin_ctz(list->slot_count);

	return list->servers[list->slots[mcr_hash(key, bytes) >> (64 - bits)]].name;
}

START_TEST(keys_have_the_owners_that_each_list_says)
{
	next.list.slot_count = 2048;
	slots_widen(active.slots, 1024, next.slots, 2048);
	sample_plan(&next);
	make(&next.list);
	for (unsigned i = 0; i < 10000; i++) {
		char key[32];
		const size_t bytes = (size_t)snprintf(key, sizeof(key), "shop:%u", i);
		uint32_t from = UINT32_MAX, to = UINT32_MAX;

		change_key_owners(change, key, bytes, &from, &to);
		ck_assert_str_eq(change->servers[from].name, owner_name(&active.list, key, bytes));
		ck_assert_str_eq(change->servers[to].name, owner_name(&next.list, key, bytes));
	}
}
END_TEST

START_TEST(prefix_limits_the_keys)
{
	make(NULL);
	ck_assert(change_key_covered(change, "shop:1", 6));
	ck_assert(!change_key_covered(change, "shop", 4));
	ck_assert(!change_key_covered(change, "other:1", 7));
}
END_TEST

START_TEST(lists_that_do_not_belong_together_are_refused)
{
	strcpy(next.list.prefix, "");
	ck_assert_int_eq(change_new(&active.list, &next.list, &change, &failure), -EINVAL);
	ck_assert_ptr_nonnull(strstr(failure.text, "prefix ``"));
	strcpy(next.list.prefix, "shop:");
	strcpy(next.list.cluster, "db");
	ck_assert_int_eq(change_new(&active.list, &next.list, &change, &failure), -EINVAL);
	ck_assert_ptr_nonnull(strstr(failure.text, "cluster `db`"));
	strcpy(next.list.cluster, "web");
	strcpy(next.servers[3].address, "10.0.1.1:11211");
	ck_assert_int_eq(change_new(&active.list, &next.list, &change, &failure), -EINVAL);
	ck_assert_ptr_nonnull(strstr(failure.text, "cannot be renamed"));
	ck_assert_ptr_null(change);
}
END_TEST

START_TEST(bypass_of_either_list_holds_during_a_change)
{
	static const struct {
		enum list_isolation active, next;
		bool bypass;
	} cases[] = {{LIST_ISOLATION_SERVE, LIST_ISOLATION_SERVE, false},
		     {LIST_ISOLATION_BYPASS, LIST_ISOLATION_SERVE, true},
		     {LIST_ISOLATION_SERVE, LIST_ISOLATION_BYPASS, true}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		active.list.isolation = cases[i].active;
		next.list.isolation = cases[i].next;
		make(&next.list);
		ck_assert(change->bypass == cases[i].bypass);
		change_free(change);
		change = NULL;
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("change");
	TCase *tcase = tcase_create("change");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, settled_list_is_a_change_to_itself);
	tcase_add_test(tcase, server_that_comes_gains_what_the_others_lose);
	tcase_add_test(tcase, server_that_leaves_keeps_its_number_and_its_old_agent);
	tcase_add_test(tcase, server_with_a_new_address_is_another_server);
	tcase_add_test(tcase, order_of_the_servers_does_not_matter);
	tcase_add_test(tcase, tables_meet_at_the_larger_number_of_slots);
	tcase_add_test(tcase, larger_times_hold_during_a_change);
	tcase_add_test(tcase, bypass_of_either_list_holds_during_a_change);
	tcase_add_test(tcase, keys_have_the_owners_that_each_list_says);
	tcase_add_test(tcase, prefix_limits_the_keys);
	tcase_add_test(tcase, lists_that_do_not_belong_together_are_refused);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
