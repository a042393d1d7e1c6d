/* test_list_follow.c - which list may come after which. */
#include <errno.h>

#include "sample.h"

static struct sample active, next;
static struct failure failure;

static void setup(void)
{
	memset(&failure, 0, sizeof(failure));
	sample_make(&active, 3);
	memset(active.list.hash, 0xa5, sizeof(active.list.hash));
	sample_make(&next, 4);
	next.list.epoch = 43;
	memcpy(next.list.parent, active.list.hash, sizeof(next.list.parent));
}

static void refuses(const struct list *before, uint64_t highest, int error, const char *reason)
{
	ck_assert_int_eq(list_may_follow(&next.list, before, highest, &failure), -error);
	ck_assert_msg(strstr(failure.text, reason) != NULL, "`%s` does not say `%s`", failure.text,
		      reason);
}

START_TEST(child_of_the_active_list_follows_it)
{
	ck_assert_int_eq(list_may_follow(&next.list, &active.list, 42, &failure), 0);
	next.list.epoch = 99; /* epochs may be left out */
	ck_assert_int_eq(list_may_follow(&next.list, &active.list, 98, &failure), 0);
	ck_assert_str_eq(failure.text, "");
}
END_TEST

START_TEST(first_list_has_no_parent)
{
	refuses(NULL, 0, ESTALE, "the first list says `parent none`");
	next.list.has_parent = false;
	ck_assert_int_eq(list_may_follow(&next.list, NULL, 0, &failure), 0);
	refuses(NULL, 43, ESTALE, "epoch 43 is not greater than 43");
	refuses(&active.list, 42, ESTALE, "says `parent none`, but epoch 42 is active");
}
END_TEST

START_TEST(old_epoch_is_refused)
{
	refuses(&active.list, 43, ESTALE, "epoch 43 is not greater than 43");
	refuses(&active.list, 50, ESTALE, "epoch 43 is not greater than 50");
	next.list.epoch = 42;
	refuses(&active.list, 0, ESTALE, "epoch 42 is not greater than 42");
	refuses(&active.list, 42, ESTALE, "epoch 42 is not greater than 42");
}
END_TEST

START_TEST(wrong_parent_is_refused_in_every_byte)
{
	for (size_t i = 0; i < sizeof(next.list.parent); i++) {
		next.list.parent[i] ^= 0x10;
		refuses(&active.list, 42, ESTALE, "plan again from the active list");
		next.list.parent[i] ^= 0x10;
	}
	next.list.parent[0] = 0xb5;
	refuses(&active.list, 42, ESTALE, "parent b5a5a5");
	refuses(&active.list, 42, ESTALE, "is a5a5a5");
}
END_TEST

START_TEST(server_may_move_to_another_address_and_others_come_and_go)
{
	strcpy(next.servers[1].address, "10.0.9.9:11211");
	strcpy(next.servers[2].name, "fresh");
	strcpy(next.servers[2].address, "10.0.9.8:11211");
	ck_assert_int_eq(list_may_follow(&next.list, &active.list, 42, &failure), 0);
}
END_TEST

START_TEST(server_renamed_at_one_address_is_refused)
{
	strcpy(next.servers[1].name, "renamed");
	refuses(&active.list, 42, EINVAL,
		"server `renamed` at 10.0.1.2:11211 is `cache01` in the active list");
}
END_TEST

START_TEST(servers_that_swap_their_addresses_are_refused)
{
	strcpy(next.servers[0].name, "cache01");
	strcpy(next.servers[1].name, "cache00");
	refuses(&active.list, 42, EINVAL, "cannot be renamed");
}
END_TEST

START_TEST(only_a_server_of_the_list_before_can_be_given_up)
{
	struct list_identity gone[2] = {{"cache01", "10.0.1.2:11211"},
					{"cache02", "10.0.1.3:11211"}};

	next.list.giveups = gone;
	next.list.giveup_count = 2;
	ck_assert_int_eq(list_may_follow(&next.list, &active.list, 42, &failure), 0);
	strcpy(gone[1].address, "10.0.1.4:11211");
	refuses(&active.list, 42, EINVAL,
		"giveup `cache02` at 10.0.1.4:11211: the list before has no such server");
	strcpy(gone[1].address, "10.0.1.2:11211");
	refuses(&active.list, 42, EINVAL, "giveup `cache02` at 10.0.1.2:11211");
	strcpy(gone[1].name, "cache03"); /* new in this list, not in the one before */
	strcpy(gone[1].address, "10.0.1.4:11211");
	refuses(&active.list, 42, EINVAL, "giveup `cache03`");
	next.list.has_parent = false;
	next.list.giveup_count = 1;
	refuses(NULL, 0, EINVAL, "giveup `cache01`");
}
END_TEST

START_TEST(cluster_and_prefix_stay)
{
	strcpy(next.list.prefix, "shop");
	refuses(&active.list, 42, EINVAL, "prefix `shop` differs from the active list's `shop:`");
	strcpy(next.list.prefix, "");
	refuses(&active.list, 42, EINVAL, "prefix ``");
	strcpy(next.list.prefix, "shop:");
	strcpy(next.list.cluster, "db");
	refuses(&active.list, 42, EINVAL, "cluster `db`");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("list_follow");
	TCase *tcase = tcase_create("list_follow");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, child_of_the_active_list_follows_it);
	tcase_add_test(tcase, first_list_has_no_parent);
	tcase_add_test(tcase, old_epoch_is_refused);
	tcase_add_test(tcase, wrong_parent_is_refused_in_every_byte);
	tcase_add_test(tcase, server_may_move_to_another_address_and_others_come_and_go);
	tcase_add_test(tcase, server_renamed_at_one_address_is_refused);
	tcase_add_test(tcase, servers_that_swap_their_addresses_are_refused);
	tcase_add_test(tcase, only_a_server_of_the_list_before_can_be_given_up);
	tcase_add_test(tcase, cluster_and_prefix_stay);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
