/* What a slot may say: every field that leads anywhere is spoilt in turn. */
#include "toy_segment.h"

static struct toy toy;
static struct mcr *mcr;

static void setup(void)
{
	toy_make(&toy, NULL);
	ck_assert_int_eq(mcr_attach_fd(toy.fd, 0, &mcr), MCR_OK);
	toy_publish(&toy, 1, MCR_COPY);
}

static void teardown(void)
{
	mcr_close(mcr);
	toy_free(&toy);
}

START_TEST(a_good_slot_is_copied)
{
	struct view view;

	ck_assert_int_eq(mcr_view_load(mcr, 1, &view), MCR_OK);
	ck_assert_uint_eq(view.generation, 1);
	ck_assert_uint_eq(view.phase, MCR_COPY);
	ck_assert(view.slots_alone);
	ck_assert_uint_eq(view.old_table.count, TOY_SLOTS);
	ck_assert_uint_eq(view.server_count, TOY_SERVERS);
	ck_assert_uint_eq(view.epoch, 41);
	ck_assert_uint_eq(view.next_epoch, 42);
	ck_assert_uint_eq(view.op_timeout_ms, TOY_TIMEOUT_MS);
}
END_TEST

#define SPOILT(field, value, error)                                                                \
	do {                                                                                       \
		struct mcr_segment_slot *slot = toy_slot(&toy, 1);                                 \
		const struct mcr_segment_slot saved = *slot;                                       \
		struct view view;                                                                  \
		int got;                                                                           \
                                                                                                   \
		slot->field = (value);                                                             \
		got = mcr_view_load(mcr, 1, &view);                                                \
		ck_assert_msg(got == (error), #field " = " #value ": %d", got);                    \
		*slot = saved;                                                                     \
	} while (0)

START_TEST(every_bound_is_checked)
{
	SPOILT(generation, 0, MCR_CORRUPT);
	SPOILT(generation, 5, MCR_CORRUPT);
	SPOILT(phase, MCR_PHASE_COUNT, MCR_CORRUPT);
	SPOILT(phase, MCR_PHASE_COUNT - 1, MCR_OK);
	SPOILT(op_timeout_ms, 0, MCR_CORRUPT);
	SPOILT(op_timeout_ms, MCR_SEGMENT_TIMEOUT_MAX_MS + 1, MCR_CORRUPT);
	SPOILT(server_count, 0, MCR_CORRUPT);
	SPOILT(server_count, 5, MCR_CORRUPT);
	SPOILT(server_count, MCR_SEGMENT_SERVERS_MAX + 1, MCR_CORRUPT);
	SPOILT(server_count, UINT32_MAX, MCR_CORRUPT);
	SPOILT(server_stride, 184, MCR_CORRUPT);
	SPOILT(server_stride, 196, MCR_CORRUPT);
	SPOILT(server_stride, UINT32_MAX - 7, MCR_CORRUPT);
	SPOILT(servers_at, 0, MCR_CORRUPT);
	SPOILT(servers_at, 260, MCR_CORRUPT);
	SPOILT(servers_at, TOY_SLOT_BYTES, MCR_CORRUPT);
	SPOILT(servers_at, UINT32_MAX - 7, MCR_CORRUPT);
	SPOILT(prefix_bytes, 63, MCR_OK);
	SPOILT(prefix_bytes, 64, MCR_CORRUPT);
	SPOILT(prefix_bytes, UINT32_MAX, MCR_CORRUPT);
}
END_TEST

#define LAST_AT (TOY_SLOT_BYTES - 2 * TOY_SLOTS)

START_TEST(every_bound_of_a_table_is_checked)
{
	SPOILT(old_table.kind, 0, MCR_BAD_LAYOUT);
	SPOILT(old_table.kind, MCR_TABLE_JUMP + 1, MCR_BAD_LAYOUT);
	SPOILT(new_table.kind, MCR_TABLE_JUMP + 1, MCR_BAD_LAYOUT);
	SPOILT(old_table.hash, 0, MCR_BAD_LAYOUT);
	SPOILT(new_table.hash, MCR_HASH_LAST + 1, MCR_BAD_LAYOUT);
	SPOILT(old_table.hash, MCR_HASH_MD5, MCR_CORRUPT);
	SPOILT(old_table.bits, 0, MCR_CORRUPT);
	SPOILT(old_table.bits, 17, MCR_CORRUPT);
	SPOILT(old_table.bits, 64, MCR_CORRUPT);
	SPOILT(old_table.bits, TOY_BITS - 1, MCR_CORRUPT);
	SPOILT(old_table.count, 0, MCR_CORRUPT);
	SPOILT(old_table.count, TOY_SLOTS + 1, MCR_CORRUPT);
	SPOILT(old_table.at, 254, MCR_CORRUPT);
	SPOILT(old_table.at, 257, MCR_CORRUPT);
	SPOILT(old_table.at, LAST_AT, MCR_OK);
	SPOILT(old_table.at, LAST_AT + 2, MCR_CORRUPT);
	SPOILT(old_table.at, UINT32_MAX - 1, MCR_CORRUPT);
	SPOILT(new_table.at, 0, MCR_CORRUPT);
	SPOILT(new_table.at, LAST_AT, MCR_OK);
	SPOILT(new_table.at, LAST_AT + 2, MCR_CORRUPT);
}
END_TEST

/* Each field of another kind of table, one at a time, by a table that is good. */
#define SPOILT_TABLE(good, field, value, error)                                                    \
	do {                                                                                       \
		struct mcr_segment_table table = (good);                                           \
                                                                                                   \
		table.field = (value);                                                             \
		SPOILT(new_table, table, error);                                                   \
	} while (0)

START_TEST(every_bound_of_a_ring_is_checked)
{
	/* 7 points and the one behind them, and an index of 9 entries. */
	const struct mcr_segment_table ring = {
	    .kind = MCR_TABLE_RING,
	    .hash = MCR_HASH_MD5,
	    .count = 7,
	    .bits = 3,
	    .at = TOY_SLOT_BYTES - 64 - 40,
	    .index_at = TOY_SLOT_BYTES - 36,
	};

	SPOILT_TABLE(ring, hash, MCR_HASH_XXH3, MCR_OK);
	SPOILT_TABLE(ring, count, 0, MCR_CORRUPT);
	SPOILT_TABLE(ring, count, 12, MCR_OK);
	SPOILT_TABLE(ring, count, 13, MCR_CORRUPT);
	SPOILT_TABLE(ring, count, MCR_SEGMENT_POINTS_MAX + 1, MCR_CORRUPT);
	SPOILT_TABLE(ring, count, UINT32_MAX, MCR_CORRUPT);
	SPOILT_TABLE(ring, bits, 0, MCR_CORRUPT);
	SPOILT_TABLE(ring, bits, 4, MCR_CORRUPT);
	SPOILT_TABLE(ring, bits, MCR_SEGMENT_INDEX_BITS_MAX + 1, MCR_CORRUPT);
	SPOILT_TABLE(ring, bits, 64, MCR_CORRUPT);
	SPOILT_TABLE(ring, at, 0, MCR_CORRUPT);
	SPOILT_TABLE(ring, at, ring.at + 4, MCR_CORRUPT);
	SPOILT_TABLE(ring, at, TOY_SLOT_BYTES - 64, MCR_OK);
	SPOILT_TABLE(ring, at, TOY_SLOT_BYTES - 56, MCR_CORRUPT);
	SPOILT_TABLE(ring, index_at, ring.index_at + 2, MCR_CORRUPT);
	SPOILT_TABLE(ring, index_at, ring.index_at + 4, MCR_CORRUPT);
	SPOILT_TABLE(ring, index_at, UINT32_MAX - 3, MCR_CORRUPT);
}
END_TEST

START_TEST(every_bound_of_owners_is_checked)
{
	const struct mcr_segment_table modulo = {
	    .kind = MCR_TABLE_MODULO,
	    .hash = MCR_HASH_ONE_AT_A_TIME,
	    .count = 3,
	    .at = TOY_SLOT_BYTES - 6,
	};
	struct mcr_segment_table jump = modulo;

	jump.kind = MCR_TABLE_JUMP;
	jump.hash = MCR_HASH_XXH3;
	SPOILT_TABLE(modulo, hash, MCR_HASH_XXH3, MCR_OK);
	SPOILT_TABLE(modulo, count, 0, MCR_CORRUPT);
	SPOILT_TABLE(modulo, count, 4, MCR_CORRUPT);
	SPOILT_TABLE(modulo, count, MCR_SEGMENT_LIST_MAX + 1, MCR_CORRUPT);
	SPOILT_TABLE(modulo, at, modulo.at + 1, MCR_CORRUPT);
	SPOILT_TABLE(modulo, at, modulo.at + 2, MCR_CORRUPT);
	SPOILT_TABLE(jump, count, 2, MCR_OK);
	SPOILT_TABLE(jump, count, 4, MCR_CORRUPT);
	SPOILT_TABLE(jump, hash, MCR_HASH_MD5, MCR_CORRUPT);
}
END_TEST

START_TEST(generations_leave_the_ring_after_two_more)
{
	struct view view;

	for (uint32_t generation = 2; generation <= 9; generation++) {
		toy_publish(&toy, generation, MCR_COPY);
		for (uint32_t asked = 1; asked <= 9; asked++) {
			const bool live = asked <= generation && generation - asked < 3;

			ck_assert_int_eq(mcr_view_load(mcr, asked, &view),
					 live ? MCR_OK : MCR_STALE);
		}
	}
}
END_TEST

START_TEST(the_newest_is_found)
{
	struct view view;

	toy_publish(&toy, 2, MCR_SWITCH);
	ck_assert_int_eq(mcr_view_newest(mcr, &view), MCR_OK);
	ck_assert_uint_eq(view.phase, MCR_SWITCH);
	toy_release(&toy, 0, 0);
	ck_assert_int_eq(mcr_view_newest(mcr, &view), MCR_NOT_READY);
	toy.header->moved = 1;
	ck_assert_int_eq(mcr_view_newest(mcr, &view), MCR_MOVED);
}
END_TEST

START_TEST(the_last_number_of_all_has_no_successor_to_fear)
{
	struct view view;

	toy_publish(&toy, UINT32_MAX, MCR_COPY);
	ck_assert_int_eq(mcr_view_newest(mcr, &view), MCR_OK);
	ck_assert_uint_eq(view.generation, UINT32_MAX);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shmlib/view");
	TCase *tests = tcase_create("view");

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_good_slot_is_copied);
	tcase_add_test(tests, every_bound_is_checked);
	tcase_add_test(tests, every_bound_of_a_table_is_checked);
	tcase_add_test(tests, every_bound_of_a_ring_is_checked);
	tcase_add_test(tests, every_bound_of_owners_is_checked);
	tcase_add_test(tests, generations_leave_the_ring_after_two_more);
	tcase_add_test(tests, the_newest_is_found);
	tcase_add_test(tests, the_last_number_of_all_has_no_successor_to_fear);
	return toy_run(suite);
}
