/* test_order_plan.c - what may be ordered when, and that what may not is refused with the reason.
 */
#include "admin/order_plan.h"

#include <errno.h>

#include "sample_scene.h"

static struct order_scene scene;
static struct order *order;

static void setup(void)
{
	scratch_setup();
	order = NULL;
}

static void teardown(void)
{
	order_free(order);
	order_scene_clear(&scene);
	scratch_teardown();
}

static int plan(enum order_kind kind, const char *name, const char *second, uint64_t term)
{
	char *names[2] = {(char *)(uintptr_t)name, (char *)(uintptr_t)second};
	const uint32_t count = name == NULL ? 0 : second == NULL ? 1 : 2;

	return order_plan(&scene, kind, names, count, term, &order, &failure);
}

static void assert_made(int error)
{
	ck_assert_msg(error == 0, "%s", failure.text);
}

START_TEST(abort_is_bound_to_the_register_as_it_is)
{
	sample_scene(3, 4, "COPY", "", &scene);
	assert_made(plan(ORDER_ABORT, NULL, NULL, 0));
	ck_assert_int_eq(order->kind, ORDER_ABORT);
	ck_assert_str_eq(order->cluster, "web");
	ck_assert_uint_eq(order->binding.term, 3);
	ck_assert_uint_eq(order->binding.serial, 17);
	ck_assert_int_eq(order->binding.phase, PHASE_COPY);
	ck_assert_mem_eq(order->binding.active, scene.active->hash, LIST_HASH_BYTES);
	ck_assert(order->binding.has_pending);
	ck_assert_mem_eq(order->binding.pending, scene.pending->hash, LIST_HASH_BYTES);
	ck_assert_uint_eq(order->target_count, 0);
}
END_TEST

START_TEST(servers_are_named_with_their_address)
{
	sample_scene(3, 4, "DRAIN", "", &scene);
	assert_made(plan(ORDER_GIVEUP, "s3", "s1@10.0.0.1:11211", 0));
	ck_assert_uint_eq(order->target_count, 2);
	ck_assert_str_eq(order->targets[0].name, "s1");
	ck_assert_str_eq(order->targets[0].address, "10.0.0.1:11211");
	ck_assert_str_eq(order->targets[1].name, "s3");
}
END_TEST

START_TEST(agents_are_named_with_their_address)
{
	sample_scene(3, 4, "PREPARE", "", &scene);
	assert_made(plan(ORDER_EXCUSE, "a4", "a2", 0));
	ck_assert_uint_eq(order->target_count, 2);
	ck_assert_str_eq(order->targets[1].name, "a4");
	ck_assert_str_eq(order->targets[1].address, "10.0.0.4:11280");
}
END_TEST

START_TEST(failover_begins_the_next_term)
{
	sample_scene(3, 4, "COPY", "view local\n", &scene);
	assert_made(plan(ORDER_FAILOVER, "a2", NULL, 0));
	ck_assert_uint_eq(order->binding.term, 4);
	ck_assert_uint_eq(order->binding.serial, 0);
	ck_assert(!order->binding.has_phase);
	ck_assert_mem_eq(order->binding.pending, scene.pending->hash, LIST_HASH_BYTES);
	ck_assert_str_eq(order->targets[0].name, "a2");
}
END_TEST

START_TEST(failover_is_possible_while_settled_and_to_the_same_agent)
{
	sample_scene(3, 0, "STEADY", "view local\nfailover 3 a1\n", &scene);
	assert_made(plan(ORDER_FAILOVER, "a1", NULL, 4));
	ck_assert(!order->binding.has_pending);
}
END_TEST

START_TEST(a_term_that_an_order_has_named_is_used_up)
{
	sample_scene(3, 4, "COPY", "view local\nfailover 4 a3\n", &scene);
	assert_made(plan(ORDER_FAILOVER, "a2", NULL, 5));
	ck_assert_uint_eq(order->binding.term, 5);
}
END_TEST

START_TEST(failover_from_a_coordinator_that_has_stopped_itself)
{
	sample_scene(3, 0, "STEADY", "lease-ms-left -1\n", &scene);
	assert_made(plan(ORDER_FAILOVER, "a2", NULL, 4));
}
END_TEST

START_TEST(agent_whose_lease_is_over_is_excused_though_it_had_adopted)
{
	sample_scene(3, 4, "PREPARE", "host a2 lease-ms-left=-1 adopted=3.17\n", &scene);
	assert_made(plan(ORDER_EXCUSE, "a2", NULL, 0));
}
END_TEST

START_TEST(agent_that_is_a_step_behind_is_excused)
{
	sample_scene(3, 4, "PREPARE", "host a2 lease-ms-left=9 adopted=3.16\n", &scene);
	assert_made(plan(ORDER_EXCUSE, "a2", NULL, 0));
	order_free(order);
	order_scene_clear(&scene);
	sample_scene(3, 4, "PREPARE", "host a2 lease-ms-left=9 adopted=2.17\n", &scene);
	assert_made(plan(ORDER_EXCUSE, "a2", NULL, 0));
}
END_TEST

START_TEST(server_that_gains_is_given_up_once_it_was_sanitised)
{
	sample_scene(3, 4, "COPY", "", &scene);
	assert_made(plan(ORDER_GIVEUP, "s4", NULL, 0));
}
END_TEST

START_TEST(server_is_given_up_in_an_aborted_change_too)
{
	sample_scene(3, 4, "CLEAN", "aborting yes\n", &scene);
	assert_made(plan(ORDER_GIVEUP, "s4", NULL, 0));
}
END_TEST

static const struct refusal {
	uint32_t before, after;
	const char *phase, *more;
	enum order_kind kind;
	const char *name, *second;
	uint64_t term;
	int error;
	const char *says;
} refusals[] = {
    {3, 0, "STEADY", "", ORDER_ABORT, NULL, NULL, 0, EINVAL,
     "no change is under way: epoch 41 is settled"},
    {3, 0, "STEADY", "", ORDER_GIVEUP, "s1", NULL, 0, EINVAL,
     "'mcadmin plan --giveup' makes the list without it"},
    {3, 0, "STEADY", "", ORDER_EXCUSE, "a1", NULL, 0, EINVAL, "no change is under way"},
    {3, 4, "SWITCH", "", ORDER_ABORT, NULL, NULL, 0, EINVAL, "is in SWITCH: only PREPARE and COPY"},
    {3, 4, "PURGE", "", ORDER_ABORT, NULL, NULL, 0, EINVAL, "is in PURGE"},
    {3, 4, "UNWIND", "", ORDER_ABORT, NULL, NULL, 0, EEXIST, "being undone already"},
    {3, 4, "COPY", "aborting yes\n", ORDER_ABORT, NULL, NULL, 0, EEXIST, "being undone already"},
    {3, 4, "PREPARE", "aborting yes\n", ORDER_EXCUSE, "a2", NULL, 0, EEXIST, "undone already"},
    {3, 4, "COPY", "view local\n", ORDER_ABORT, NULL, NULL, 0, EAGAIN,
     "does not reach the coordinator a1"},
    {3, 4, "COPY", "view local\ncoordinator \n", ORDER_GIVEUP, "s1", NULL, 0, EAGAIN,
     "(not known)"},
    {3, 4, "COPY", "", ORDER_GIVEUP, "s9", NULL, 0, EINVAL, "no server 's9'"},
    {3, 4, "COPY", "", ORDER_GIVEUP, "s", NULL, 0, EINVAL, "no server 's'"},
    {3, 4, "COPY", "", ORDER_GIVEUP, "s1@10.0.0.2:11211", NULL, 0, EINVAL, "no server 's1@"},
    {3, 4, "COPY", "", ORDER_GIVEUP, "s1", "s1", 0, EINVAL, "'s1' is named twice"},
    {3, 4, "COPY", "given-up s2 s1\n", ORDER_GIVEUP, "s1", NULL, 0, EEXIST, "given up already"},
    {3, 4, "PREPARE", "", ORDER_GIVEUP, "s4", NULL, 0, EINVAL, "has not been sanitised: abort"},
    {3, 4, "COPY", "", ORDER_GIVEUP, "s2", "s9", 0, EINVAL, "no server 's9'"},
    {3, 3, "COPY", "", ORDER_GIVEUP, "s1", NULL, 0, EINVAL, "neither gains nor loses"},
    {3, 4, "PREPARE", "", ORDER_EXCUSE, "a9", NULL, 0, EINVAL, "no agent 'a9'"},
    {3, 4, "PREPARE", "", ORDER_EXCUSE, "s1", NULL, 0, EINVAL, "no agent 's1'"},
    {3, 4, "COPY", "", ORDER_EXCUSE, "a2", NULL, 0, EINVAL, "is in COPY, which waits for no agent"},
    {3, 4, "PREPARE", "excused a2\n", ORDER_EXCUSE, "a2", NULL, 0, EEXIST, "excused already"},
    {3, 4, "PREPARE", "host a2 lease-ms-left=9 adopted=3.17\n", ORDER_EXCUSE, "a2", NULL, 0, EINVAL,
     "has adopted PREPARE"},
    {3, 4, "COPY", "", ORDER_FAILOVER, "a2", NULL, 0, EINVAL,
     "the coordinator a1 is there and grants leases"},
    {3, 4, "COPY", "view local\n", ORDER_FAILOVER, "a9", NULL, 0, EINVAL,
     "no agent 'a9'"},
    {3, 4, "COPY", "view local\n", ORDER_FAILOVER, "a2", NULL, 3, ESTALE,
     "term 3 is not after term 3"},
    {3, 4, "COPY", "view local\n", ORDER_FAILOVER, "a2", NULL, 5, ESTALE,
     "term 5 does not follow term 3"},
    {3, 4, "COPY", "view local\nfailover 4 a3\n", ORDER_FAILOVER, "a2", NULL, 4, EEXIST,
     "agent a3 is to coordinate from term 4"},
    {3, 4, "COPY", "view local\nfailover 4 a3\n", ORDER_FAILOVER, "a2", NULL, 0, EEXIST,
     "if it is gone too, --term 5"},
    {3, 4, "COPY", "view local\nfailover 4 a3\n", ORDER_FAILOVER, "a2", NULL, 6, ESTALE,
     "term 6 does not follow term 4"},
};

START_TEST(what_makes_no_sense_is_refused_with_the_reason)
{
	const struct refusal *refusal = &refusals[_i];

	sample_scene(refusal->before, refusal->after, refusal->phase, refusal->more, &scene);
	if (refusal->after == 3) {
		/* Nothing moves between lists of the same servers. */
		ck_assert_uint_eq(scene.change->moved, 0);
	}
	ck_assert_int_eq(plan(refusal->kind, refusal->name, refusal->second, refusal->term),
			 -refusal->error);
	ck_assert_ptr_null(order);
	ck_assert_says(failure.text, refusal->says);
}
END_TEST

/* From s3 at one address to s3 at another: two servers of one name. */
static void relocate(void)
{
	struct sample_conf sample;
	struct list *active, *pending;

	sample_conf_make(&sample, 3);
	active = sample_list(&sample, NULL);
	strcpy(sample.servers[2].address, "10.0.0.9:11211");
	pending = sample_list(&sample, active);
	ck_assert_int_eq(sample_scene_make(active, pending, "COPY", "", &scene), 0);
}

START_TEST(name_of_two_servers_needs_the_address)
{
	relocate();
	ck_assert_int_eq(plan(ORDER_GIVEUP, "s3", NULL, 0), -EINVAL);
	ck_assert_says(failure.text, "say s3@10.0.0.3:11211 or s3@10.0.0.9:11211");
	assert_made(plan(ORDER_GIVEUP, "s3@10.0.0.9:11211", NULL, 0));
	ck_assert_str_eq(order->targets[0].address, "10.0.0.9:11211");
}
END_TEST

START_TEST(agent_with_nothing_decided_has_nothing_to_order)
{
	struct list *active, *pending;

	sample_lists(3, 0, &active, &pending);
	ck_assert_int_eq(sample_scene_make(active, NULL, "NONE", "term 0\nserial 0\n", &scene),
			 -ENOENT);
	ck_assert_says(failure.text, "agent a1 has no register yet");
}
END_TEST

START_TEST(agent_of_an_earlier_version_knows_no_orders)
{
	struct list *active, *pending;

	sample_lists(3, 0, &active, &pending);
	ck_assert_int_eq(sample_scene_make(active, NULL, "STEADY", "active none\n", &scene),
			 -ENOENT);
	ck_assert_says(failure.text, "version 0.1.0, does not say which list is active");
}
END_TEST

static const char *const nonsense[] = {"STEADY", "RUNNING", ""};

START_TEST(register_that_cannot_be_is_refused)
{
	struct list *active, *pending;

	sample_lists(3, 4, &active, &pending);
	ck_assert_int_eq(sample_scene_make(active, pending, nonsense[_i], "", &scene), -EBADMSG);
	ck_assert_says(failure.text, "that cannot be");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("order_plan");
	TCase *tcase = tcase_create("order_plan");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, abort_is_bound_to_the_register_as_it_is);
	tcase_add_test(tcase, servers_are_named_with_their_address);
	tcase_add_test(tcase, agents_are_named_with_their_address);
	tcase_add_test(tcase, failover_begins_the_next_term);
	tcase_add_test(tcase, failover_is_possible_while_settled_and_to_the_same_agent);
	tcase_add_test(tcase, a_term_that_an_order_has_named_is_used_up);
	tcase_add_test(tcase, failover_from_a_coordinator_that_has_stopped_itself);
	tcase_add_test(tcase, agent_whose_lease_is_over_is_excused_though_it_had_adopted);
	tcase_add_test(tcase, agent_that_is_a_step_behind_is_excused);
	tcase_add_test(tcase, server_that_gains_is_given_up_once_it_was_sanitised);
	tcase_add_test(tcase, server_is_given_up_in_an_aborted_change_too);
	tcase_add_loop_test(tcase, what_makes_no_sense_is_refused_with_the_reason, 0,
			    sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_test(tcase, name_of_two_servers_needs_the_address);
	tcase_add_test(tcase, agent_with_nothing_decided_has_nothing_to_order);
	tcase_add_test(tcase, agent_of_an_earlier_version_knows_no_orders);
	tcase_add_loop_test(tcase, register_that_cannot_be_is_refused, 0,
			    sizeof(nonsense) / sizeof(nonsense[0]));
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
