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
	ck_assert_uint_eq(view.slot_bits, TOY_BITS);
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
	SPOILT(distribution, 0, MCR_BAD_LAYOUT);
	SPOILT(distribution, 2, MCR_BAD_LAYOUT);
	SPOILT(slot_bits, 0, MCR_CORRUPT);
	SPOILT(slot_bits, TOY_BITS + 3, MCR_CORRUPT); /* the tables would leave the slot */
	SPOILT(slot_bits, 17, MCR_CORRUPT);
	SPOILT(slot_bits, 64, MCR_CORRUPT);
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
	SPOILT(old_at, 254, MCR_CORRUPT);
	SPOILT(old_at, 257, MCR_CORRUPT);
	SPOILT(old_at, TOY_SLOT_BYTES - 2 * TOY_SLOTS, MCR_OK);
	SPOILT(old_at, TOY_SLOT_BYTES - 2 * TOY_SLOTS + 2, MCR_CORRUPT);
	SPOILT(old_at, UINT32_MAX - 1, MCR_CORRUPT);
	SPOILT(new_at, 0, MCR_CORRUPT);
	SPOILT(new_at, TOY_SLOT_BYTES - 2 * TOY_SLOTS, MCR_OK);
	SPOILT(new_at, TOY_SLOT_BYTES - 2 * TOY_SLOTS + 2, MCR_CORRUPT);
	SPOILT(prefix_bytes, 63, MCR_OK);
	SPOILT(prefix_bytes, 64, MCR_CORRUPT);
	SPOILT(prefix_bytes, UINT32_MAX, MCR_CORRUPT);
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
	tcase_add_test(tests, generations_leave_the_ring_after_two_more);
	tcase_add_test(tests, the_newest_is_found);
	tcase_add_test(tests, the_last_number_of_all_has_no_successor_to_fear);
	return toy_run(suite);
}
