/* Route, plan and the plan's bounds in time.  No test waits: times are put before or after now. */
#include "toy_segment.h"

static struct toy toy;
static struct mcr *mcr;
static struct mcr_reader *reader;
static char moving[32], staying[32];
static size_t moving_bytes, staying_bytes;

static void open_with(unsigned flags)
{
	toy_make(&toy, NULL);
	ck_assert_int_eq(mcr_attach_fd(toy.fd, flags, &mcr), MCR_OK);
	ck_assert_int_eq(mcr_reader_new(mcr, &reader), MCR_OK);
	moving_bytes = toy_key(moving, true);
	staying_bytes = toy_key(staying, false);
}

static void open_plain(void)
{
	open_with(0);
}

static void open_strict(void)
{
	open_with(MCR_STRICT);
}

static void close_all(void)
{
	mcr_reader_free(reader);
	mcr_close(mcr);
	toy_free(&toy);
}

static int begin(enum mcr_op op, struct mcr_plan *plan)
{
	return mcr_begin(reader, op, moving, moving_bytes, plan);
}

START_TEST(before_the_first_publication_nothing_is_ready)
{
	struct mcr_plan plan;

	memset(&plan, 0xee, sizeof(plan));
	ck_assert_int_eq(begin(MCR_OP_GET, &plan), MCR_NOT_READY);
	ck_assert_uint_eq(plan.generation, 0xeeeeeeee);
	toy_publish(&toy, 1, MCR_STEADY);
	ck_assert_int_eq(begin(MCR_OP_GET, &plan), MCR_OK);
	ck_assert_uint_eq(plan.generation, 1);
}
END_TEST

START_TEST(hash_is_xxh3_with_seed_0)
{
	/* From xxHash's own test vectors. */
	ck_assert_uint_eq(mcr_hash("", 0), 0x2d06800538d394c2u);
	ck_assert_uint_eq(mcr_hash_slot(0xf123456789abcdefu, 4), 0xf);
	ck_assert_uint_eq(mcr_hash_slot(0xf123456789abcdefu, 16), 0xf123);
}
END_TEST

START_TEST(keys_go_by_the_tables)
{
	toy_publish(&toy, 1, MCR_SWITCH);
	for (unsigned i = 0; i < 500; i++) {
		uint32_t before, after, slot;
		struct mcr_plan plan;
		char key[32];
		const size_t bytes = (size_t)snprintf(key, sizeof(key), "k%u", i);

		slot = (uint32_t)(mcr_hash(key, bytes) >> (64 - TOY_BITS));
		toy_table(&toy, 1, TOY_OLD_AT)[slot] = (uint16_t)(i % 4);
		toy_table(&toy, 1, TOY_NEW_AT)[slot] = (uint16_t)((i + 1) % 4);
		ck_assert_int_eq(mcr_owner(reader, key, bytes, &before, &after), MCR_OK);
		ck_assert_uint_eq(before, i % 4);
		ck_assert_uint_eq(after, (i + 1) % 4);
		ck_assert_int_eq(mcr_begin(reader, MCR_OP_SET, key, bytes, &plan), MCR_OK);
		ck_assert_uint_eq(plan.phase, MCR_SWITCH);
		ck_assert_uint_eq(plan.step_count, 2);
		ck_assert_uint_eq(plan.step[0].server, after);
		ck_assert_uint_eq(plan.step[0].send, MCR_SEND_WRITE);
		ck_assert_uint_eq(plan.step[1].server, before);
		ck_assert_uint_eq(plan.step[1].send, MCR_SEND_DELETE);
		ck_assert_uint_eq(plan.deadline_ns, 0);
	}
}
END_TEST

START_TEST(a_key_that_stays_has_one_step_in_every_phase)
{
	for (uint32_t phase = 0; phase < MCR_PHASE_COUNT; phase++) {
		struct mcr_plan plan;

		toy_publish(&toy, phase + 1, phase);
		ck_assert_int_eq(mcr_begin(reader, MCR_OP_SET, staying, staying_bytes, &plan),
				 MCR_OK);
		ck_assert_uint_eq(plan.step_count, 1);
		ck_assert_uint_eq(plan.phase, phase);
		ck_assert_int_eq(begin(MCR_OP_SET, &plan), MCR_OK);
		ck_assert_uint_eq(plan.step_count, phase == MCR_STEADY ? 1 : 2);
	}
}
END_TEST

START_TEST(steady_does_not_look_at_the_new_table)
{
	struct mcr_plan plan;

	toy_fill(&toy, 1, MCR_STEADY, 0);
	for (uint32_t i = 0; i < TOY_SLOTS; i++)
		toy_table(&toy, 1, TOY_NEW_AT)[i] = 3;
	toy_release(&toy, 1, 0);
	ck_assert_int_eq(begin(MCR_OP_SET, &plan), MCR_OK);
	ck_assert_uint_eq(plan.step[0].server, 0);
}
END_TEST

START_TEST(keys_and_arguments_out_of_bounds_are_refused)
{
	struct mcr_plan plan;
	uint32_t before, after;
	char key[MCR_KEY_MAX + 1];

	memset(key, 'k', sizeof(key));
	toy_publish(&toy, 1, MCR_STEADY);
	ck_assert_int_eq(mcr_begin(reader, MCR_OP_GET, key, 0, &plan), MCR_BAD_KEY);
	ck_assert_int_eq(mcr_begin(reader, MCR_OP_GET, key, MCR_KEY_MAX + 1, &plan), MCR_BAD_KEY);
	ck_assert_int_eq(mcr_begin(reader, MCR_OP_GET, key, SIZE_MAX, &plan), MCR_BAD_KEY);
	ck_assert_int_eq(mcr_begin(reader, MCR_OP_GET, key, MCR_KEY_MAX, &plan), MCR_OK);
	ck_assert_int_eq(mcr_begin(reader, MCR_OP_GET, key, 1, &plan), MCR_OK);
	ck_assert_int_eq(mcr_begin(reader, MCR_OP_COUNT, key, 1, &plan), MCR_BAD_ARGUMENT);
	ck_assert_int_eq(mcr_begin(reader, (enum mcr_op) - 1, key, 1, &plan), MCR_BAD_ARGUMENT);
	ck_assert_int_eq(mcr_begin(NULL, MCR_OP_GET, key, 1, &plan), MCR_BAD_ARGUMENT);
	ck_assert_int_eq(mcr_begin(reader, MCR_OP_GET, NULL, 1, &plan), MCR_BAD_ARGUMENT);
	ck_assert_int_eq(mcr_begin(reader, MCR_OP_GET, key, 1, NULL), MCR_BAD_ARGUMENT);
	ck_assert_int_eq(mcr_owner(reader, key, 1, NULL, &after), MCR_BAD_ARGUMENT);
	ck_assert_int_eq(mcr_owner(reader, key, 1, &before, NULL), MCR_BAD_ARGUMENT);
	ck_assert_int_eq(mcr_check(NULL, &plan), MCR_BAD_ARGUMENT);
	ck_assert_int_eq(mcr_check(reader, NULL), MCR_BAD_ARGUMENT);
	ck_assert_int_eq(mcr_end(NULL, &plan), MCR_BAD_ARGUMENT);
	ck_assert_int_eq(mcr_end(reader, NULL), MCR_BAD_ARGUMENT);
}
END_TEST

START_TEST(a_list_with_a_prefix_covers_no_other_key)
{
	struct mcr_plan plan;

	toy_fill(&toy, 1, MCR_STEADY, 0);
	memcpy(toy_slot(&toy, 1)->prefix, "app:", 4);
	toy_slot(&toy, 1)->prefix_bytes = 4;
	toy_release(&toy, 1, 0);
	ck_assert_int_eq(mcr_begin(reader, MCR_OP_GET, "app:1", 5, &plan), MCR_OK);
	ck_assert_int_eq(mcr_begin(reader, MCR_OP_GET, "app:", 4, &plan), MCR_OK);
	ck_assert_int_eq(mcr_begin(reader, MCR_OP_GET, "app", 3, &plan), MCR_NOT_COVERED);
	ck_assert_int_eq(mcr_begin(reader, MCR_OP_GET, "apx:1", 5, &plan), MCR_NOT_COVERED);
}
END_TEST

START_TEST(a_new_generation_is_taken_up_by_the_next_plan)
{
	struct mcr_plan plan;

	toy_publish(&toy, 1, MCR_STEADY);
	ck_assert_int_eq(begin(MCR_OP_GET, &plan), MCR_OK);
	ck_assert_uint_eq(plan.step_count, 1);
	for (uint32_t generation = 2; generation < 12; generation++) {
		toy_publish(&toy, generation, generation % 2 == 0 ? MCR_COPY : MCR_SWITCH);
		ck_assert_int_eq(begin(MCR_OP_GET, &plan), MCR_OK);
		ck_assert_uint_eq(plan.generation, generation);
		ck_assert_uint_eq(plan.step_count, generation % 2 == 0 ? 2 : 3);
	}
}
END_TEST

START_TEST(a_plan_is_bounded_by_the_next_publication_alone)
{
	struct mcr_plan plan;

	toy_publish(&toy, 1, MCR_STEADY);
	ck_assert_int_eq(begin(MCR_OP_SET, &plan), MCR_OK);
	ck_assert_int_eq(mcr_check(reader, &plan), MCR_OK);
	ck_assert_int_eq(mcr_end(reader, &plan), MCR_OK);
	/* The next one is out, the time after it not over: go on, but do look again. */
	toy_fill(&toy, 2, MCR_PREPARE, 0);
	toy_release(&toy, 2, toy_hours_ahead_ns(1));
	ck_assert_int_eq(mcr_check(reader, &plan), MCR_OK);
	ck_assert_int_eq(mcr_end(reader, &plan), MCR_NEWER);
	/* The time is over. */
	toy.header->turn[2].retire_ns = mcr_clock_boot_ns();
	ck_assert_int_eq(mcr_check(reader, &plan), MCR_LATE);
	ck_assert_int_eq(mcr_end(reader, &plan), MCR_REPEAT);
}
END_TEST

START_TEST(a_plan_whose_successor_left_the_ring_is_late)
{
	struct mcr_plan plan;

	toy_publish(&toy, 1, MCR_STEADY);
	ck_assert_int_eq(begin(MCR_OP_SET, &plan), MCR_OK);
	for (uint32_t generation = 2; generation <= 4; generation++) {
		toy_publish(&toy, generation, MCR_PREPARE);
		ck_assert_int_eq(mcr_check(reader, &plan), MCR_OK);
		ck_assert_int_eq(mcr_end(reader, &plan), MCR_NEWER);
	}
	/* 2's place in the ring may be being rewritten from now on, whatever stands there. */
	toy_publish(&toy, 5, MCR_PREPARE);
	ck_assert_int_eq(mcr_check(reader, &plan), MCR_LATE);
	ck_assert_int_eq(mcr_end(reader, &plan), MCR_REPEAT);
}
END_TEST

START_TEST(an_older_plan_keeps_its_bound_beside_a_newer_one)
{
	struct mcr_plan older, newer;

	toy_publish(&toy, 1, MCR_STEADY);
	ck_assert_int_eq(begin(MCR_OP_SET, &older), MCR_OK);
	toy_fill(&toy, 2, MCR_PREPARE, 0);
	toy_release(&toy, 2, 1);
	ck_assert_int_eq(begin(MCR_OP_SET, &newer), MCR_OK);
	ck_assert_int_eq(mcr_end(reader, &newer), MCR_OK);
	ck_assert_int_eq(mcr_check(reader, &older), MCR_LATE);
	ck_assert_int_eq(mcr_end(reader, &older), MCR_REPEAT);
}
END_TEST

START_TEST(serving_needs_no_lease)
{
	struct mcr_plan plan;

	toy_publish(&toy, 1, MCR_STEADY);
	toy.header->lease_deadline_ns = 1;
	ck_assert_int_eq(begin(MCR_OP_SET, &plan), MCR_OK);
	ck_assert_uint_eq(plan.deadline_ns, 0);
}
END_TEST

/* Both ways to ask for a lease: MCR_STRICT, and isolation bypass. */
static void lease_is_needed(uint32_t flags)
{
	const uint64_t before_ns = mcr_clock_boot_ns();
	uint32_t old_owner, new_owner;
	struct mcr_plan plan;

	toy_fill(&toy, 1, MCR_STEADY, flags);
	toy_release(&toy, 1, 0);
	ck_assert_int_eq(begin(MCR_OP_SET, &plan), MCR_ISOLATED); /* none */
	toy.header->lease_deadline_ns = before_ns;
	ck_assert_int_eq(begin(MCR_OP_SET, &plan), MCR_ISOLATED); /* run out */
	ck_assert_int_eq(mcr_owner(reader, moving, moving_bytes, &old_owner, &new_owner), MCR_OK);
	toy.header->lease_deadline_ns = toy_hours_ahead_ns(1);
	ck_assert_int_eq(begin(MCR_OP_SET, &plan), MCR_OK);
	ck_assert_uint_ge(plan.deadline_ns, before_ns + TOY_TIMEOUT_MS * UINT64_C(1000000));
	ck_assert_uint_le(plan.deadline_ns,
			  mcr_clock_boot_ns() + TOY_TIMEOUT_MS * UINT64_C(1000000));
	/* Make it a plan that ends in an hour: whether this thread sleeps is not the question. */
	plan.deadline_ns = toy_hours_ahead_ns(1);
	ck_assert_int_eq(mcr_check(reader, &plan), MCR_OK);
	ck_assert_int_eq(mcr_end(reader, &plan), MCR_OK);
	plan.deadline_ns = mcr_clock_boot_ns();
	ck_assert_int_eq(mcr_check(reader, &plan), MCR_LATE);
	ck_assert_int_eq(mcr_end(reader, &plan), MCR_REPEAT);
	plan.deadline_ns = toy_hours_ahead_ns(1);
	toy_fill(&toy, 2, MCR_PREPARE, flags);
	toy_release(&toy, 2, toy_hours_ahead_ns(2));
	ck_assert_int_eq(mcr_end(reader, &plan), MCR_NEWER);
	toy.header->turn[2].retire_ns = 1;
	ck_assert_int_eq(mcr_check(reader, &plan), MCR_LATE);
	ck_assert_int_eq(mcr_end(reader, &plan), MCR_REPEAT);
}

START_TEST(bypass_plans_only_within_the_lease)
{
	lease_is_needed(MCR_SLOT_BYPASS);
}
END_TEST

START_TEST(strict_plans_only_within_the_lease)
{
	lease_is_needed(0);
}
END_TEST

START_TEST(an_owner_out_of_bounds_is_corrupt)
{
	struct mcr_plan plan;
	uint32_t before, after;

	toy_publish(&toy, 1, MCR_COPY);
	for (uint32_t i = 0; i < TOY_SLOTS; i++)
		toy_table(&toy, 1, TOY_NEW_AT)[i] = TOY_SERVERS;
	ck_assert_int_eq(begin(MCR_OP_GET, &plan), MCR_CORRUPT);
	ck_assert_int_eq(mcr_owner(reader, moving, moving_bytes, &before, &after), MCR_CORRUPT);
	toy_publish(&toy, 2, MCR_STEADY);
	for (uint32_t i = 0; i < TOY_SLOTS; i++)
		toy_table(&toy, 2, TOY_OLD_AT)[i] = UINT16_MAX;
	ck_assert_int_eq(begin(MCR_OP_GET, &plan), MCR_CORRUPT);
	toy_publish(&toy, 3, MCR_STEADY);
	ck_assert_int_eq(begin(MCR_OP_GET, &plan), MCR_OK);
}
END_TEST

START_TEST(a_damaged_generation_stops_plans_until_the_next)
{
	struct mcr_plan plan;

	toy_publish(&toy, 1, MCR_STEADY);
	ck_assert_int_eq(begin(MCR_OP_GET, &plan), MCR_OK);
	toy_fill(&toy, 2, MCR_STEADY, 0);
	toy_slot(&toy, 2)->phase = MCR_PHASE_COUNT;
	toy_release(&toy, 2, UINT64_MAX);
	ck_assert_int_eq(begin(MCR_OP_GET, &plan), MCR_CORRUPT);
	ck_assert_int_eq(begin(MCR_OP_GET, &plan), MCR_CORRUPT);
	toy_publish(&toy, 3, MCR_STEADY);
	ck_assert_int_eq(begin(MCR_OP_GET, &plan), MCR_OK);
}
END_TEST

START_TEST(a_replaced_segment_makes_no_more_plans)
{
	struct mcr_plan plan;

	toy_publish(&toy, 1, MCR_STEADY);
	ck_assert_int_eq(begin(MCR_OP_GET, &plan), MCR_OK);
	toy.header->moved = 1;
	toy_release(&toy, 2, UINT64_MAX);
	ck_assert_int_eq(begin(MCR_OP_GET, &plan), MCR_MOVED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shmlib/reader");
	TCase *plain = tcase_create("plain"), *strict = tcase_create("strict");

	suite_add_tcase(suite, plain);
	tcase_add_checked_fixture(plain, open_plain, close_all);
	tcase_add_test(plain, before_the_first_publication_nothing_is_ready);
	tcase_add_test(plain, hash_is_xxh3_with_seed_0);
	tcase_add_test(plain, keys_go_by_the_tables);
	tcase_add_test(plain, a_key_that_stays_has_one_step_in_every_phase);
	tcase_add_test(plain, steady_does_not_look_at_the_new_table);
	tcase_add_test(plain, keys_and_arguments_out_of_bounds_are_refused);
	tcase_add_test(plain, a_list_with_a_prefix_covers_no_other_key);
	tcase_add_test(plain, a_new_generation_is_taken_up_by_the_next_plan);
	tcase_add_test(plain, a_plan_is_bounded_by_the_next_publication_alone);
	tcase_add_test(plain, a_plan_whose_successor_left_the_ring_is_late);
	tcase_add_test(plain, an_older_plan_keeps_its_bound_beside_a_newer_one);
	tcase_add_test(plain, serving_needs_no_lease);
	tcase_add_test(plain, bypass_plans_only_within_the_lease);
	tcase_add_test(plain, an_owner_out_of_bounds_is_corrupt);
	tcase_add_test(plain, a_damaged_generation_stops_plans_until_the_next);
	tcase_add_test(plain, a_replaced_segment_makes_no_more_plans);
	suite_add_tcase(suite, strict);
	tcase_add_checked_fixture(strict, open_strict, close_all);
	tcase_add_test(strict, strict_plans_only_within_the_lease);
	return toy_run(suite);
}
