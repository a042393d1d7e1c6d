/* The geometry that is believed, and an object that was replaced under its name. */
#include "toy_segment.h"

static struct toy toy;

static void setup(void)
{
	toy_make(&toy, "attach.toy");
}

static void teardown(void)
{
	toy_free(&toy);
}

static int try_attach(void)
{
	struct mcr *mcr = NULL;
	const int error = mcr_attach_fd(toy.fd, 0, &mcr);

	ck_assert_int_eq(mcr != NULL, error == MCR_OK);
	mcr_close(mcr);
	return error;
}

START_TEST(a_good_segment_is_attached)
{
	ck_assert_int_eq(try_attach(), MCR_OK);
}
END_TEST

#define REFUSES(field, value)                                                                      \
	do {                                                                                       \
		const struct mcr_segment_header saved = *toy.header;                               \
		toy.header->field = (value);                                                       \
		ck_assert_msg(try_attach() == MCR_BAD_LAYOUT, #field " = " #value);                \
		*toy.header = saved;                                                               \
	} while (0)

START_TEST(another_magic_version_or_geometry_is_refused)
{
	REFUSES(magic[0], 'M');
	REFUSES(magic[7], 0);
	REFUSES(layout, 0);
	REFUSES(layout, 1);
	REFUSES(layout, 3);
	REFUSES(ring, 3);
	REFUSES(ring, 5);
	REFUSES(header_bytes, 256);
	REFUSES(header_bytes, TOY_HEADER_BYTES + 1);
	REFUSES(header_bytes, UINT32_MAX);
	REFUSES(slot_bytes, 0);
	REFUSES(slot_bytes, TOY_SLOT_BYTES + 1);
	REFUSES(slot_bytes, TOY_SLOT_BYTES + 64);
	REFUSES(slot_bytes, UINT32_MAX - 63);
	REFUSES(total_bytes, 0);
	REFUSES(total_bytes, TOY_TOTAL_BYTES + 1);
	REFUSES(total_bytes, UINT64_MAX);
	ck_assert_int_eq(try_attach(), MCR_OK);
}
END_TEST

START_TEST(sums_that_wrap_are_refused)
{
	/* 4 * 2^30 is 0 in 32 bits. */
	toy.header->slot_bytes = 1u << 30;
	toy.header->total_bytes = TOY_HEADER_BYTES;
	ck_assert_int_eq(ftruncate(toy.fd, TOY_HEADER_BYTES), 0);
	ck_assert_int_eq(try_attach(), MCR_BAD_LAYOUT);
}
END_TEST

START_TEST(a_size_other_than_the_headers_is_refused_before_it_is_mapped)
{
	ck_assert_int_eq(ftruncate(toy.fd, TOY_TOTAL_BYTES - 1), 0);
	ck_assert_int_eq(try_attach(), MCR_BAD_LAYOUT);
	ck_assert_int_eq(ftruncate(toy.fd, TOY_TOTAL_BYTES + 1), 0);
	ck_assert_int_eq(try_attach(), MCR_BAD_LAYOUT);
	ck_assert_int_eq(ftruncate(toy.fd, 8), 0);
	ck_assert_int_eq(try_attach(), MCR_BAD_LAYOUT);
	ck_assert_int_eq(ftruncate(toy.fd, 0), 0);
	ck_assert_int_eq(try_attach(), MCR_BAD_LAYOUT);
}
END_TEST

START_TEST(geometry_that_changes_later_moves_no_bound)
{
	struct mcr *mcr;
	struct mcr_reader *reader;
	struct mcr_plan plan;

	toy_publish(&toy, 1, MCR_STEADY);
	ck_assert_int_eq(mcr_attach_fd(toy.fd, 0, &mcr), MCR_OK);
	ck_assert_int_eq(mcr_reader_new(mcr, &reader), MCR_OK);
	toy.header->header_bytes = UINT32_MAX;
	toy.header->slot_bytes = UINT32_MAX;
	toy.header->total_bytes = UINT64_MAX;
	toy.header->ring = UINT32_MAX;
	ck_assert_int_eq(mcr_begin(reader, MCR_OP_GET, "k", 1, &plan), MCR_OK);
	mcr_reader_free(reader);
	mcr_close(mcr);
}
END_TEST

START_TEST(pipes_and_closed_descriptors_are_refused)
{
	struct mcr *mcr;
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(mcr_attach_fd(ends[0], 0, &mcr), MCR_BAD_MODE);
	(void)close(ends[0]);
	(void)close(ends[1]);
	ck_assert_int_eq(mcr_attach_fd(-1, 0, &mcr), MCR_SYSTEM);
}
END_TEST

START_TEST(nothing_is_freed_twice_or_needs_to_be_there)
{
	struct mcr_reader *reader;

	mcr_close(NULL);
	mcr_reader_free(NULL);
	ck_assert_int_eq(mcr_reader_new(NULL, &reader), MCR_BAD_ARGUMENT);
}
END_TEST

START_TEST(another_object_under_the_name_is_noticed_when_the_heart_stands_still)
{
	struct toy other;
	struct mcr *mcr;
	struct mcr_info info;

	toy_publish(&toy, 1, MCR_STEADY);
	ck_assert_int_eq(mcr_open(toy.path + strlen("/dev/shm"), 0, &mcr), MCR_OK);
	toy.header->heartbeat = 5;
	ck_assert_int_eq(mcr_info(mcr, &info), MCR_OK);
	ck_assert_int_eq(mcr_info(mcr, &info), MCR_OK); /* stands still, same object */
	ck_assert_int_eq(unlink(toy.path), 0);
	ck_assert_int_eq(mcr_info(mcr, &info), MCR_OK); /* no object: the last list is served */
	toy_make(&other, "attach.toy");
	toy.header->heartbeat = 6;
	ck_assert_int_eq(mcr_info(mcr, &info), MCR_OK); /* the old one lives */
	ck_assert_int_eq(mcr_info(mcr, &info), MCR_MOVED);
	ck_assert_int_eq(mcr_wait(mcr, 1, 0), MCR_MOVED);
	mcr_close(mcr);
	toy_free(&other);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shmlib/attach");
	TCase *tests = tcase_create("attach");

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_good_segment_is_attached);
	tcase_add_test(tests, another_magic_version_or_geometry_is_refused);
	tcase_add_test(tests, sums_that_wrap_are_refused);
	tcase_add_test(tests, a_size_other_than_the_headers_is_refused_before_it_is_mapped);
	tcase_add_test(tests, geometry_that_changes_later_moves_no_bound);
	tcase_add_test(tests, pipes_and_closed_descriptors_are_refused);
	tcase_add_test(tests, nothing_is_freed_twice_or_needs_to_be_there);
	tcase_add_test(tests, another_object_under_the_name_is_noticed_when_the_heart_stands_still);
	return toy_run(suite);
}
