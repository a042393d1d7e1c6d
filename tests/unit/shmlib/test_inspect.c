/* What is copied out for tools and for connecting. */
#include "toy_segment.h"

static struct toy toy;
static struct mcr *mcr;
static struct mcr_reader *reader;

static void setup(void)
{
	toy_make(&toy, NULL);
	ck_assert_int_eq(mcr_attach_fd(toy.fd, 0, &mcr), MCR_OK);
	ck_assert_int_eq(mcr_reader_new(mcr, &reader), MCR_OK);
}

static void teardown(void)
{
	mcr_reader_free(reader);
	mcr_close(mcr);
	toy_free(&toy);
}

START_TEST(info_is_a_snapshot)
{
	struct mcr_info info;
	uint8_t hash[32];

	ck_assert_int_eq(mcr_info(mcr, &info), MCR_NOT_READY);
	toy_fill(&toy, 7, MCR_DRAIN, MCR_SLOT_BYPASS);
	toy_release(&toy, 7, 1);
	toy.header->heartbeat = 99;
	toy.header->lease_deadline_ns = 123456;
	ck_assert_int_eq(mcr_info(mcr, &info), MCR_OK);
	ck_assert_uint_eq(info.generation, 7);
	ck_assert_uint_eq(info.phase, MCR_DRAIN);
	ck_assert_uint_eq(info.epoch, 41);
	ck_assert_uint_eq(info.next_epoch, 42);
	ck_assert_uint_eq(info.server_count, TOY_SERVERS);
	ck_assert_uint_eq(info.slot_count, TOY_SLOTS);
	ck_assert_uint_eq(info.op_timeout_ms, TOY_TIMEOUT_MS);
	ck_assert_uint_eq(info.heartbeat, 99);
	ck_assert_uint_eq(info.published_ns, 7000);
	ck_assert_uint_eq(info.lease_deadline_ns, 123456);
	ck_assert_uint_eq(info.bypass, 1);
	memset(hash, 0xaa, 32);
	ck_assert_mem_eq(info.list_hash, hash, 32);
	memset(hash, 0xbb, 32);
	ck_assert_mem_eq(info.next_hash, hash, 32);
	ck_assert_int_eq(mcr_info(NULL, &info), MCR_BAD_ARGUMENT);
	ck_assert_int_eq(mcr_info(mcr, NULL), MCR_BAD_ARGUMENT);
}
END_TEST

START_TEST(servers_are_copied_out)
{
	struct mcr_server servers[TOY_SERVERS + 1];
	struct mcr_info info;

	toy_publish(&toy, 1, MCR_COPY);
	memset(servers, 0xee, sizeof(servers));
	ck_assert_int_eq(mcr_servers(reader, &info, servers, TOY_SERVERS + 1), TOY_SERVERS);
	ck_assert_uint_eq(info.generation, 1);
	for (unsigned i = 0; i < TOY_SERVERS; i++) {
		char want[32];

		(void)snprintf(want, sizeof(want), "cache%02u", i);
		ck_assert_str_eq(servers[i].name, want);
		(void)snprintf(want, sizeof(want), "10.0.0.%u:11211", i + 1);
		ck_assert_str_eq(servers[i].address, want);
		ck_assert_uint_eq(servers[i].id, 1000 + i);
		ck_assert_uint_eq(servers[i].weight, 100 + i);
		ck_assert_uint_eq(servers[i].in_old, i != 1);
		ck_assert_uint_eq(servers[i].in_new, 1);
	}
	ck_assert_uint_eq(servers[TOY_SERVERS].in_new, 0xee);
}
END_TEST

START_TEST(too_little_room_is_filled_and_the_count_told)
{
	struct mcr_server servers[2];

	toy_publish(&toy, 1, MCR_COPY);
	memset(servers, 0xee, sizeof(servers));
	ck_assert_int_eq(mcr_servers(reader, NULL, servers, 1), TOY_SERVERS);
	ck_assert_str_eq(servers[0].name, "cache00");
	ck_assert_uint_eq(servers[1].in_old, 0xee);
	ck_assert_int_eq(mcr_servers(reader, NULL, NULL, 0), TOY_SERVERS);
	ck_assert_int_eq(mcr_servers(reader, NULL, NULL, 1), MCR_BAD_ARGUMENT);
	ck_assert_int_eq(mcr_servers(NULL, NULL, servers, 1), MCR_BAD_ARGUMENT);
}
END_TEST

START_TEST(names_without_an_end_get_one)
{
	struct mcr_segment_server *records;
	struct mcr_server server;

	toy_publish(&toy, 1, MCR_COPY);
	records = (void *)((uint8_t *)toy_slot(&toy, 1) + TOY_SERVERS_AT);
	memset(records[0].name, 'n', sizeof(records[0].name));
	memset(records[0].address, 'a', sizeof(records[0].address));
	ck_assert_int_eq(mcr_servers(reader, NULL, &server, 1), TOY_SERVERS);
	ck_assert_uint_eq(strlen(server.name), MCR_NAME_MAX);
	ck_assert_uint_eq(strlen(server.address), MCR_ADDRESS_MAX);
}
END_TEST

START_TEST(a_plans_servers_stay_its_own_while_it_is_in_the_ring)
{
	struct mcr_plan plan, newer;
	struct mcr_server server;

	toy_publish(&toy, 1, MCR_COPY);
	ck_assert_int_eq(mcr_begin(reader, MCR_OP_GET, "k", 1, &plan), MCR_OK);
	for (uint32_t generation = 2; generation <= 3; generation++) {
		struct mcr_segment_server *records;

		toy_fill(&toy, generation, MCR_COPY, 0);
		records = (void *)((uint8_t *)toy_slot(&toy, generation) + TOY_SERVERS_AT);
		memcpy(records[0].name, "another", 8);
		toy_release(&toy, generation, UINT64_MAX);
		ck_assert_int_eq(mcr_begin(reader, MCR_OP_GET, "k", 1, &newer), MCR_OK);
		ck_assert_int_eq(mcr_server(reader, &plan, 0, &server), MCR_OK);
		ck_assert_str_eq(server.name, "cache00");
		ck_assert_int_eq(mcr_server(reader, &newer, 0, &server), MCR_OK);
		ck_assert_str_eq(server.name, "another");
	}
	toy_publish(&toy, 4, MCR_COPY);
	ck_assert_int_eq(mcr_server(reader, &plan, 0, &server), MCR_STALE);
	ck_assert_int_eq(mcr_server(reader, &newer, 0, &server), MCR_OK);
}
END_TEST

START_TEST(a_reader_that_slept_through_the_ring_is_told)
{
	struct mcr_plan plan;
	struct mcr_server server;

	toy_publish(&toy, 1, MCR_COPY);
	ck_assert_int_eq(mcr_begin(reader, MCR_OP_GET, "k", 1, &plan), MCR_OK);
	/* The reader's private copy is still of generation 1. */
	toy_publish(&toy, 4, MCR_COPY);
	ck_assert_int_eq(mcr_server(reader, &plan, 0, &server), MCR_STALE);
}
END_TEST

START_TEST(owners_numbers_belong_to_the_readers_generation)
{
	struct mcr_server server;
	uint32_t before, after;

	toy_publish(&toy, 1, MCR_COPY);
	ck_assert_int_eq(mcr_server(reader, NULL, 0, &server), MCR_NOT_READY);
	ck_assert_int_eq(mcr_owner(reader, "k", 1, &before, &after), MCR_OK);
	ck_assert_int_eq(mcr_server(reader, NULL, after, &server), MCR_OK);
	ck_assert_uint_eq(server.id, 1000 + after);
}
END_TEST

START_TEST(a_server_number_out_of_bounds_is_refused)
{
	struct mcr_plan plan;
	struct mcr_server server;

	toy_publish(&toy, 1, MCR_COPY);
	ck_assert_int_eq(mcr_begin(reader, MCR_OP_GET, "k", 1, &plan), MCR_OK);
	ck_assert_int_eq(mcr_server(reader, &plan, TOY_SERVERS, &server), MCR_BAD_ARGUMENT);
	ck_assert_int_eq(mcr_server(reader, &plan, UINT32_MAX, &server), MCR_BAD_ARGUMENT);
	ck_assert_int_eq(mcr_server(reader, &plan, 0, NULL), MCR_BAD_ARGUMENT);
	ck_assert_int_eq(mcr_server(NULL, &plan, 0, &server), MCR_BAD_ARGUMENT);
}
END_TEST

START_TEST(everything_has_a_word)
{
	for (int error = MCR_NOT_STORED; error <= MCR_REPEAT; error++)
		ck_assert_str_ne(mcr_strerror(error), "unknown error");
	ck_assert_str_eq(mcr_strerror(MCR_NOT_STORED - 1), "unknown error");
	ck_assert_str_eq(mcr_strerror(MCR_REPEAT + 1), "unknown error");
	for (int phase = 0; phase < MCR_PHASE_COUNT; phase++)
		ck_assert_str_ne(mcr_phase_name((enum mcr_phase)phase), "unknown");
	ck_assert_str_eq(mcr_phase_name(MCR_PHASE_COUNT), "unknown");
	ck_assert_str_eq(mcr_phase_name(MCR_UNWIND), "UNWIND");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shmlib/inspect");
	TCase *tests = tcase_create("inspect");

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, info_is_a_snapshot);
	tcase_add_test(tests, servers_are_copied_out);
	tcase_add_test(tests, too_little_room_is_filled_and_the_count_told);
	tcase_add_test(tests, names_without_an_end_get_one);
	tcase_add_test(tests, a_plans_servers_stay_its_own_while_it_is_in_the_ring);
	tcase_add_test(tests, a_reader_that_slept_through_the_ring_is_told);
	tcase_add_test(tests, owners_numbers_belong_to_the_readers_generation);
	tcase_add_test(tests, a_server_number_out_of_bounds_is_refused);
	tcase_add_test(tests, everything_has_a_word);
	return toy_run(suite);
}
