/* test_slots.c - balanced, fewest moves, the same on every host. */
#include <errno.h>

#include "sample.h"

#define SLOTS 16384u

static struct failure failure;
static uint16_t table[LIST_SLOTS_MAX], before[LIST_SLOTS_MAX];
static uint32_t weight[LIST_SERVERS_MAX];

static void weights_equal(uint32_t servers)
{
	for (uint32_t i = 0; i < servers; i++)
		weight[i] = 100;
}

static void plan(uint32_t slots, uint32_t servers)
{
	memcpy(before, table, sizeof(before));
	ck_assert_msg(slots_plan(table, slots, weight, servers, &failure) == 0, "%s", failure.text);
}

static void plan_new(uint32_t slots, uint32_t servers)
{
	memset(table, 0xff, sizeof(table));
	plan(slots, servers);
}

static uint32_t owned(const uint16_t *owners, uint32_t slots, uint32_t server)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < slots; i++)
		count += owners[i] == server;
	return count;
}

/* Slots whose owner differs; those that had none are counted apart, they move in any case. */
static uint32_t moves(const uint16_t *from, const uint16_t *to, uint32_t slots)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < slots; i++)
		count += from[i] != SLOTS_NONE && from[i] != to[i];
	return count;
}

/* Is every server within one slot of its exact share?  Said without the planner's arithmetic. */
static bool balanced(const uint32_t *count, uint32_t slots, uint32_t servers)
{
	double total = 0;

	for (uint32_t i = 0; i < servers; i++)
		total += weight[i];
	for (uint32_t i = 0; i < servers; i++) {
		const double share = slots * (double)weight[i] / total;

		if (count[i] < share - 1 + 1e-9 || count[i] > share + 1 - 1e-9)
			return false;
	}
	return true;
}

static bool table_balanced(const uint16_t *owners, uint32_t slots, uint32_t servers)
{
	uint32_t count[LIST_SERVERS_MAX] = {0};

	for (uint32_t i = 0; i < slots; i++) {
		if (owners[i] >= servers)
			return false;
		count[owners[i]]++;
	}
	return balanced(count, slots, servers);
}

START_TEST(three_servers_share_a_new_table)
{
	weights_equal(3);
	plan_new(SLOTS, 3);
	ck_assert_uint_eq(owned(table, SLOTS, 0), 5462);
	ck_assert_uint_eq(owned(table, SLOTS, 1), 5461);
	ck_assert_uint_eq(owned(table, SLOTS, 2), 5461);
}
END_TEST

START_TEST(fourth_equal_server_takes_exactly_a_quarter)
{
	weights_equal(4);
	plan_new(SLOTS, 3);
	plan(SLOTS, 4);
	ck_assert_uint_eq(moves(before, table, SLOTS), 4096);
	for (uint32_t i = 0; i < 4; i++)
		ck_assert_uint_eq(owned(table, SLOTS, i), 4096);
	for (uint32_t i = 0; i < SLOTS; i++)
		ck_assert(table[i] == before[i] || table[i] == 3);
}
END_TEST

START_TEST(removed_fourth_server_moves_exactly_what_it_held)
{
	weights_equal(4);
	plan_new(SLOTS, 4);
	for (uint32_t leaver = 0; leaver < 4; leaver++) {
		plan_new(SLOTS, 4);
		for (uint32_t i = 0; i < SLOTS; i++)
			table[i] = table[i] == leaver  ? SLOTS_NONE
				   : table[i] > leaver ? (uint16_t)(table[i] - 1)
						       : table[i];
		ck_assert_uint_eq(owned(table, SLOTS, SLOTS_NONE), 4096);
		plan(SLOTS, 3);
		ck_assert_uint_eq(moves(before, table, SLOTS), 0);
		ck_assert(table_balanced(table, SLOTS, 3));
	}
}
END_TEST

START_TEST(larger_share_stays_with_who_holds_more)
{
	/* 5461, 5462, 5461: as good as the planner's own choice, so nothing may move. */
	weights_equal(3);
	plan_new(SLOTS, 3);
	for (uint32_t i = 0; i < SLOTS; i++)
		table[i] = (uint16_t)(table[i] == 0 ? 1 : table[i] == 1 ? 0 : 2);
	plan(SLOTS, 3);
	ck_assert_uint_eq(moves(before, table, SLOTS), 0);
	ck_assert_uint_eq(owned(table, SLOTS, 1), 5462);
}
END_TEST

START_TEST(planning_again_moves_nothing)
{
	uint64_t random = (uint64_t)_i;
	const uint32_t servers = 1 + random_below(&random, 40);

	for (uint32_t i = 0; i < servers; i++)
		weight[i] = 1 + random_below(&random, 1000);
	plan_new(SLOTS, servers);
	plan(SLOTS, servers);
	ck_assert_msg(moves(before, table, SLOTS) == 0, "seed %d", _i);
}
END_TEST

START_TEST(doubling_moves_nothing)
{
	static uint16_t wide[LIST_SLOTS_MAX];

	weights_equal(3);
	plan_new(SLOTS, 3);
	for (uint32_t to = SLOTS; to <= LIST_SLOTS_MAX; to *= 2) {
		slots_widen(table, SLOTS, wide, to);
		/* Any hash finds the same owner: the slot is its highest bits in both. */
		for (uint32_t i = 0; i < LIST_SLOTS_MAX; i++)
			ck_assert_uint_eq(wide[i / (LIST_SLOTS_MAX / to)],
					  table[i / (LIST_SLOTS_MAX / SLOTS)]);
	}
}
END_TEST

START_TEST(weights_decide_the_shares)
{
	weight[0] = 100;
	weight[1] = 200;
	weight[2] = 100;
	plan_new(SLOTS, 3);
	ck_assert_uint_eq(owned(table, SLOTS, 0), 4096);
	ck_assert_uint_eq(owned(table, SLOTS, 1), 8192);
	ck_assert_uint_eq(owned(table, SLOTS, 2), 4096);
	weight[0] = 200;
	weight[1] = 100; /* 0 gains what 1 loses */
	plan(SLOTS, 3);
	ck_assert_uint_eq(moves(before, table, SLOTS), 4096);
	for (uint32_t i = 0; i < SLOTS; i++)
		ck_assert(table[i] == before[i] || (before[i] == 1 && table[i] == 0));
}
END_TEST

START_TEST(largest_remainders_are_rounded_up)
{
	static const uint32_t weights[] = {5, 3, 2};
	uint32_t quota[3];

	/* Of 11: 5.5, 3.3, 2.2. */
	ck_assert_int_eq(slots_quota(11, weights, NULL, 3, quota, &failure), 0);
	ck_assert_uint_eq(quota[0], 6);
	ck_assert_uint_eq(quota[1], 3);
	ck_assert_uint_eq(quota[2], 2);
	/* The third holds three: one fewer moves when it is the one that keeps them. */
	ck_assert_int_eq(slots_quota(11, weights, (const uint32_t[]){5, 3, 3}, 3, quota, &failure),
			 0);
	ck_assert_uint_eq(quota[0], 5);
	ck_assert_uint_eq(quota[1], 3);
	ck_assert_uint_eq(quota[2], 3);
}
END_TEST

START_TEST(whole_shares_are_never_rounded)
{
	static const uint32_t weights[] = {2, 1, 1};
	uint32_t quota[3];

	/* Of 6: 3, 1.5, 1.5; the first holds all and still gets no more than three. */
	ck_assert_int_eq(slots_quota(6, weights, (const uint32_t[]){6, 0, 0}, 3, quota, &failure),
			 0);
	ck_assert_uint_eq(quota[0], 3);
	ck_assert_uint_eq(quota[1], 2);
	ck_assert_uint_eq(quota[2], 1);
}
END_TEST

/* Tries every table there is. */
static uint32_t moves_fewest(const uint16_t *from, uint32_t slots, uint32_t servers)
{
	uint32_t fewest = UINT32_MAX, tables = 1;
	uint16_t to[8];

	for (uint32_t i = 0; i < slots; i++)
		tables *= servers;
	for (uint32_t number = 0; number < tables; number++) {
		uint32_t rest = number, count;

		for (uint32_t i = 0; i < slots; i++, rest /= servers)
			to[i] = (uint16_t)(rest % servers);
		if (!table_balanced(to, slots, servers))
			continue;
		count = moves(from, to, slots);
		if (count < fewest)
			fewest = count;
	}
	return fewest;
}

START_TEST(no_balanced_table_moves_fewer)
{
	uint64_t random = (uint64_t)_i;
	const uint32_t servers = 1 + random_below(&random, 4);
	const uint32_t slots = 1 + random_below(&random, servers == 4 ? 6 : 7);

	for (uint32_t i = 0; i < servers; i++)
		weight[i] = 1 + random_below(&random, random_below(&random, 2) == 0 ? 3 : 50);
	for (uint32_t i = 0; i < slots; i++)
		table[i] = random_below(&random, 5) == 0 ? SLOTS_NONE
							 : (uint16_t)random_below(&random, servers);
	plan(slots, servers);
	ck_assert_msg(table_balanced(table, slots, servers), "seed %d", _i);
	ck_assert_msg(moves(before, table, slots) == moves_fewest(before, slots, servers),
		      "seed %d: %u moves, %u would do", _i, moves(before, table, slots),
		      moves_fewest(before, slots, servers));
}
END_TEST

START_TEST(chain_of_random_changes_stays_balanced)
{
	uint64_t random = (uint64_t)_i;
	uint32_t servers = 1 + random_below(&random, 20);

	for (uint32_t i = 0; i < servers; i++)
		weight[i] = 1 + random_below(&random, 500);
	plan_new(SLOTS, servers);
	for (unsigned step = 0; step < 10; step++) {
		const uint32_t what = random_below(&random, 3);
		uint32_t have[LIST_SERVERS_MAX], quota[LIST_SERVERS_MAX], least = 0;

		if (what == 0 && servers > 1) {
			const uint32_t leaver = random_below(&random, servers);

			for (uint32_t i = 0; i < SLOTS; i++)
				table[i] = table[i] == leaver  ? SLOTS_NONE
					   : table[i] > leaver ? (uint16_t)(table[i] - 1)
							       : table[i];
			memmove(&weight[leaver], &weight[leaver + 1],
				(servers - leaver - 1) * sizeof(weight[0]));
			servers--;
		} else if (what == 1) {
			weight[servers++] = 1 + random_below(&random, 500);
		} else {
			weight[random_below(&random, servers)] = 1 + random_below(&random, 500);
		}
		for (uint32_t i = 0; i < servers; i++)
			have[i] = owned(table, SLOTS, i);
		plan(SLOTS, servers);
		ck_assert_msg(table_balanced(table, SLOTS, servers), "seed %d, step %u", _i, step);
		/* Nobody both gives and takes, and nobody gives more than he had to. */
		ck_assert_int_eq(slots_quota(SLOTS, weight, have, servers, quota, &failure), 0);
		for (uint32_t i = 0; i < servers; i++)
			least += have[i] > quota[i] ? have[i] - quota[i] : 0;
		ck_assert_msg(moves(before, table, SLOTS) == least, "seed %d, step %u", _i, step);
	}
}
END_TEST

START_TEST(same_input_gives_the_same_table)
{
	static uint16_t first[LIST_SLOTS_MAX];

	weights_equal(7);
	plan_new(SLOTS, 5);
	memcpy(first, table, sizeof(first));
	plan(SLOTS, 7);
	memcpy(before, table, sizeof(before));
	memcpy(table, first, sizeof(table));
	memcpy(first, before, sizeof(first));
	plan(SLOTS, 7);
	ck_assert_mem_eq(table, first, sizeof(table));
}
END_TEST

START_TEST(largest_table_is_planned)
{
	uint64_t random = 1;

	for (uint32_t i = 0; i < LIST_SERVERS_MAX; i++)
		weight[i] = 1 + random_below(&random, LIST_WEIGHT_MAX);
	plan_new(LIST_SLOTS_MAX, LIST_SERVERS_MAX);
	ck_assert(table_balanced(table, LIST_SLOTS_MAX, LIST_SERVERS_MAX));
	for (uint32_t i = 0; i < LIST_SERVERS_MAX; i++)
		weight[i] = 1 + random_below(&random, LIST_WEIGHT_MAX);
	plan(LIST_SLOTS_MAX, LIST_SERVERS_MAX);
	ck_assert(table_balanced(table, LIST_SLOTS_MAX, LIST_SERVERS_MAX));
}
END_TEST

START_TEST(heaviest_weights_do_not_overflow)
{
	for (uint32_t i = 0; i < LIST_SERVERS_MAX; i++)
		weight[i] = LIST_WEIGHT_MAX;
	plan_new(LIST_SLOTS_MAX, LIST_SERVERS_MAX);
	for (uint32_t i = 0; i < LIST_SERVERS_MAX; i++)
		ck_assert_uint_eq(owned(table, LIST_SLOTS_MAX, i), 64);
}
END_TEST

START_TEST(bad_input_is_refused_and_the_table_stays)
{
	static const struct {
		uint32_t slots, servers;
		uint32_t weight;
		const char *reason;
	} cases[] = {
	    {SLOTS, 0, 1, "0 servers"},
	    {SLOTS, LIST_SERVERS_MAX + 1, 1, "1025 servers"},
	    {0, 3, 1, "0 slots"},
	    {LIST_SLOTS_MAX + 1, 3, 1, "65537 slots"},
	    {SLOTS, 3, 0, "no server has any weight"},
	    {SLOTS, 3, LIST_WEIGHT_MAX + 1, "weight 1000001"},
	    {SLOTS, 2, 1, "slot 10923 belongs to server number 2 of 2"},
	};

	weights_equal(3);
	plan_new(SLOTS, 3);
	memcpy(before, table, sizeof(before));
	for (uint32_t i = 0; i < 3; i++)
		weight[i] = cases[_i].weight;
	ck_assert_int_eq(slots_plan(table, cases[_i].slots, weight, cases[_i].servers, &failure),
			 -EINVAL);
	ck_assert_msg(strstr(failure.text, cases[_i].reason) != NULL, "%s", failure.text);
	ck_assert_mem_eq(table, before, sizeof(table));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("slots");
	TCase *tcase = tcase_create("slots");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, three_servers_share_a_new_table);
	tcase_add_test(tcase, fourth_equal_server_takes_exactly_a_quarter);
	tcase_add_test(tcase, removed_fourth_server_moves_exactly_what_it_held);
	tcase_add_test(tcase, larger_share_stays_with_who_holds_more);
	tcase_add_loop_test(tcase, planning_again_moves_nothing, 0, 20);
	tcase_add_test(tcase, doubling_moves_nothing);
	tcase_add_test(tcase, weights_decide_the_shares);
	tcase_add_test(tcase, largest_remainders_are_rounded_up);
	tcase_add_test(tcase, whole_shares_are_never_rounded);
	tcase_add_loop_test(tcase, no_balanced_table_moves_fewer, 0, 300);
	tcase_add_loop_test(tcase, chain_of_random_changes_stays_balanced, 0, 20);
	tcase_add_test(tcase, same_input_gives_the_same_table);
	tcase_add_test(tcase, largest_table_is_planned);
	tcase_add_test(tcase, heaviest_weights_do_not_overflow);
	tcase_add_loop_test(tcase, bad_input_is_refused_and_the_table_stays, 0, 7);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
