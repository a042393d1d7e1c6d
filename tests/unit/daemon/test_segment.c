/* What the agent publishes, byte for byte and as libmcroster reads it. */
#include <errno.h>

#include "segment_rig.h"

/* docs/segment.md in numbers.  Nothing here comes from the headers: whoever moves a field has to
 * change this test and the layout version. */
START_TEST(the_layout_is_the_published_one)
{
	const size_t slot_1 = 4096 + 659456;
	uint8_t *bytes, expected[192] = {0};

	open_segment();
	memcpy(change.prefix, "app:", 5);
	segment_lease(segment, 77);
	segment_clients(segment, "/run/mcroster/web.clients");
	segment_heartbeat(segment);
	segment_heartbeat(segment);
	publish(MCR_DRAIN);
	bytes = bytes_map();
	ck_assert_mem_eq(bytes, "mcroster", 8);
	ck_assert_uint_eq(u32_at(bytes, 8), 2);
	ck_assert_uint_eq(u32_at(bytes, 12), 4096);
	ck_assert_uint_eq(u32_at(bytes, 16), 659456);
	ck_assert_uint_eq(u32_at(bytes, 20), 4);
	ck_assert_uint_eq(u64_at(bytes, 24), 2641920);
	ck_assert_str_eq((const char *)bytes + 32, "web");
	ck_assert_uint_ne(u64_at(bytes, 96), 0);
	ck_assert_uint_eq(u64_at(bytes, 128), 2);
	ck_assert_uint_eq(u64_at(bytes, 136), 77);
	ck_assert_uint_eq(u32_at(bytes, 144), 0);
	ck_assert_uint_ne(u64_at(bytes, 160), 0);
	ck_assert_uint_ge(u64_at(bytes, 152), u64_at(bytes, 160));
	ck_assert_uint_eq(u64_at(bytes, 192 + 16), NOW_NS);
	ck_assert_uint_eq(u64_at(bytes, 192 + 24), NOW_NS + 1000 * MS_NS);
	ck_assert_uint_eq(u32_at(bytes, 256), 1);
	ck_assert_str_eq((const char *)bytes + 320, "/run/mcroster/web.clients");

	ck_assert_uint_eq(u32_at(bytes, slot_1 + 0), 1);
	ck_assert_uint_eq(u32_at(bytes, slot_1 + 4), 5); /* DRAIN */
	ck_assert_uint_eq(u32_at(bytes, slot_1 + 8), 0);
	ck_assert_uint_eq(u32_at(bytes, slot_1 + 12), 1000);
	ck_assert_uint_eq(u32_at(bytes, slot_1 + 16), 5);
	ck_assert_uint_eq(u32_at(bytes, slot_1 + 20), 192);
	ck_assert_uint_eq(u32_at(bytes, slot_1 + 24), 256);
	ck_assert_uint_eq(u32_at(bytes, slot_1 + 28), 4);
	ck_assert_uint_eq(u32_at(bytes, slot_1 + 32), 256 + 5 * 192 + 4096);
	ck_assert_uint_eq(u64_at(bytes, slot_1 + 48), 41);
	ck_assert_uint_eq(u64_at(bytes, slot_1 + 56), 42);
	ck_assert_mem_eq(bytes + slot_1 + 64, change.old_hash, 32);
	ck_assert_mem_eq(bytes + slot_1 + 96, change.new_hash, 32);
	memcpy(expected, "app:", 4);
	ck_assert_mem_eq(bytes + slot_1 + 128, expected, 64);
	for (size_t i = 0; i < 2; i++) {
		const size_t at = slot_1 + 192 + i * 32;

		ck_assert_uint_eq(u32_at(bytes, at), 1);
		ck_assert_uint_eq(u32_at(bytes, at + 4), 1);
		ck_assert_uint_eq(u32_at(bytes, at + 8), 1024);
		ck_assert_uint_eq(u32_at(bytes, at + 12), 10);
		ck_assert_uint_eq(u32_at(bytes, at + 16), 256 + 5 * 192 + i * 2048);
		ck_assert_uint_eq(u32_at(bytes, at + 20), 0);
	}

	for (uint32_t i = 0; i < SERVERS; i++) {
		const size_t at = slot_1 + 256 + i * 192;

		memset(expected, 0, sizeof(expected));
		(void)snprintf((char *)expected, 64, "cache%02u", i);
		(void)snprintf((char *)expected + 64, 112, "10.0.0.%u:11211", i + 1);
		ck_assert_mem_eq(bytes + at, expected, 176);
		ck_assert_uint_eq(u32_at(bytes, at + 184), 100 + i);
		ck_assert_uint_eq(u32_at(bytes, at + 188), (i < 4 ? 1u : 0u) | (i > 0 ? 2u : 0u));
	}
	/* xxh3_64 of "cache00\0" "10.0.0.1:11211" */
	ck_assert_uint_eq(u64_at(bytes, slot_1 + 256 + 176), UINT64_C(0xed0b293941fb0f16));
	ck_assert_mem_eq(bytes + slot_1 + 256 + 5 * 192, old_owner, sizeof(old_owner));
	ck_assert_mem_eq(bytes + slot_1 + 256 + 5 * 192 + 2048, new_owner, sizeof(new_owner));
	bytes_unmap(bytes);
}
END_TEST

START_TEST(each_phase_routes_as_the_change_says)
{
	struct client client;

	open_segment();
	client = client_open();
	for (enum mcr_phase phase = MCR_STEADY; phase < MCR_PHASE_COUNT; phase++) {
		struct mcr_info info;

		ck_assert_uint_eq(publish(phase), phase + 1);
		ck_assert_int_eq(mcr_info(client.mcr, &info), MCR_OK);
		ck_assert_uint_eq(info.phase, phase);
		ck_assert_uint_eq(info.epoch, 41);
		ck_assert_uint_eq(info.next_epoch, phase == MCR_STEADY ? 0 : 42);
		ck_assert_uint_eq(info.slot_count, SLOTS);
		ck_assert_uint_eq(info.server_count, SERVERS);
		ck_assert_uint_eq(info.published_ns, NOW_NS);
		ck_assert_mem_eq(info.list_hash, change.old_hash, 32);
		for (unsigned i = 0; i < 200; i++) {
			uint32_t before, after;
			char key[16];
			const size_t bytes = (size_t)snprintf(key, sizeof(key), "key:%u", i);

			ck_assert_int_eq(mcr_owner(client.reader, key, bytes, &before, &after),
					 MCR_OK);
			ck_assert_uint_lt(before, 4);
			if (phase == MCR_STEADY)
				ck_assert_uint_eq(after, before);
			else
				ck_assert_uint_eq(after, before == 0 ? 4 : before);
		}
	}
	client_close(&client);
}
END_TEST

START_TEST(the_new_list_alone_is_steady)
{
	struct segment_view view = {.change = &change, .phase = MCR_STEADY, .new_only = true};
	struct client client;
	struct mcr_info info;
	uint32_t generation;

	open_segment();
	client = client_open();
	ck_assert_int_eq(segment_publish(segment, &view, NOW_NS, &generation, &failure), 0);
	ck_assert_int_eq(mcr_info(client.mcr, &info), MCR_OK);
	ck_assert_uint_eq(info.epoch, 42);
	ck_assert_uint_eq(info.next_epoch, 0);
	ck_assert_mem_eq(info.list_hash, change.new_hash, 32);
	for (unsigned i = 0; i < 200; i++) {
		uint32_t before, after;
		char key[16];
		const size_t bytes = (size_t)snprintf(key, sizeof(key), "key:%u", i);

		ck_assert_int_eq(mcr_owner(client.reader, key, bytes, &before, &after), MCR_OK);
		ck_assert_uint_ne(before, 0);
		ck_assert_uint_eq(after, before);
	}
	client_close(&client);
}
END_TEST

START_TEST(one_list_alone_lists_all_servers_as_both)
{
	struct mcr_server listed[SERVERS];
	struct client client;

	change.new_epoch = 0;
	change.new_table = change.old_table;
	open_segment();
	publish(MCR_STEADY);
	client = client_open();
	ck_assert_int_eq(mcr_servers(client.reader, NULL, listed, SERVERS), SERVERS);
	for (unsigned i = 0; i < SERVERS; i++) {
		ck_assert_uint_eq(listed[i].in_old, 1);
		ck_assert_uint_eq(listed[i].in_new, 1);
	}
	client_close(&client);
}
END_TEST

START_TEST(what_is_said_already_is_not_published_again)
{
	struct segment_view view = {.change = &change, .phase = MCR_COPY};
	uint64_t published_ns;
	uint32_t generation;

	open_segment();
	ck_assert_uint_eq(publish(MCR_COPY), 1);
	ck_assert_int_eq(segment_publish(segment, &view, NOW_NS + 1, &generation, &failure), 0);
	ck_assert_uint_eq(generation, 1);
	(void)segment_generation(segment, &published_ns);
	ck_assert_uint_eq(published_ns, NOW_NS);
	/* One thing another each time. */
	view.bypass = true;
	ck_assert_int_eq(segment_publish(segment, &view, NOW_NS, &generation, &failure), 0);
	ck_assert_uint_eq(generation, 2);
	view.registration_required = true;
	ck_assert_int_eq(segment_publish(segment, &view, NOW_NS, &generation, &failure), 0);
	ck_assert_uint_eq(generation, 3);
	new_owner[SLOTS - 1] = 4;
	ck_assert_int_eq(segment_publish(segment, &view, NOW_NS, &generation, &failure), 0);
	ck_assert_uint_eq(generation, 4);
	servers[0].weight++;
	ck_assert_int_eq(segment_publish(segment, &view, NOW_NS, &generation, &failure), 0);
	ck_assert_uint_eq(generation, 5);
	ck_assert_int_eq(segment_publish(segment, &view, NOW_NS, &generation, &failure), 0);
	ck_assert_uint_eq(generation, 5);
}
END_TEST

START_TEST(what_is_to_be_confirmed_is_never_new)
{
	struct segment_view view = {.change = &change, .phase = MCR_COPY, .confirm = true};
	uint32_t generation = 0;

	open_segment();
	publish(MCR_SWITCH);
	ck_assert_int_eq(segment_publish(segment, &view, NOW_NS, &generation, &failure), -ESTALE);
	ck_assert_ptr_nonnull(strstr(failure.text, "generation 1 says something else"));
	ck_assert_uint_eq(segment_generation(segment, NULL), 1);
	view.phase = MCR_SWITCH;
	ck_assert_int_eq(segment_publish(segment, &view, NOW_NS, &generation, &failure), 0);
	ck_assert_uint_eq(generation, 1);
}
END_TEST

START_TEST(older_plans_retire_by_the_shorter_of_two_timeouts)
{
	uint8_t *bytes;

	open_segment();
	bytes = bytes_map();
	publish(MCR_STEADY);
	change.op_timeout_ms = 300;
	publish(MCR_PREPARE);
	ck_assert_uint_eq(u64_at(bytes, 192 + 2 * 16 + 8), NOW_NS + 300 * MS_NS);
	change.op_timeout_ms = 900;
	publish(MCR_COPY);
	ck_assert_uint_eq(u64_at(bytes, 192 + 3 * 16 + 8), NOW_NS + 300 * MS_NS);
	publish(MCR_SWITCH);
	ck_assert_uint_eq(u64_at(bytes, 192 + 0 * 16 + 8), NOW_NS + 900 * MS_NS);
	bytes_unmap(bytes);
}
END_TEST

START_TEST(isolation_and_lease_reach_the_client)
{
	const struct segment_view view = {.change = &change, .bypass = true};
	struct client client;
	struct mcr_plan plan;
	struct mcr_info info;
	uint32_t generation;

	open_segment();
	client = client_open();
	ck_assert_int_eq(segment_publish(segment, &view, NOW_NS, &generation, &failure), 0);
	ck_assert_int_eq(mcr_begin(client.reader, MCR_OP_GET, "k", 1, &plan), MCR_ISOLATED);
	segment_lease(segment, UINT64_MAX);
	ck_assert_int_eq(mcr_begin(client.reader, MCR_OP_GET, "k", 1, &plan), MCR_OK);
	ck_assert_uint_ne(plan.deadline_ns, 0);
	segment_lease(segment, 0);
	ck_assert_int_eq(mcr_begin(client.reader, MCR_OP_GET, "k", 1, &plan), MCR_ISOLATED);
	ck_assert_int_eq(mcr_info(client.mcr, &info), MCR_OK);
	ck_assert_uint_eq(info.bypass, 1);
	ck_assert_uint_eq(info.heartbeat, 0);
	segment_heartbeat(segment);
	ck_assert_int_eq(mcr_info(client.mcr, &info), MCR_OK);
	ck_assert_uint_eq(info.heartbeat, 1);
	client_close(&client);
}
END_TEST

static void expect_unpublishable(const struct segment_view *view, int error)
{
	const uint32_t before = segment_generation(segment, NULL);
	uint32_t generation = 99;

	failure.text[0] = '\0';
	ck_assert_int_eq(segment_publish(segment, view, NOW_NS, &generation, &failure), error);
	ck_assert_str_ne(failure.text, "");
	ck_assert_uint_eq(generation, 99);
	ck_assert_uint_eq(segment_generation(segment, NULL), before);
}

START_TEST(what_does_not_fit_or_makes_no_sense_is_refused)
{
	struct segment_view view = {.change = &change};

	open_segment();
	publish(MCR_STEADY);
	view.phase = MCR_PHASE_COUNT;
	expect_unpublishable(&view, -EINVAL);
	view.phase = MCR_COPY;
	view.new_only = true;
	expect_unpublishable(&view, -EINVAL);
	view.new_only = false;
	change.new_epoch = 0;
	expect_unpublishable(&view, -EINVAL);
	change_make();
	change.server_count = MCR_SEGMENT_SERVERS_MAX + 1;
	expect_unpublishable(&view, -E2BIG);
	change_make();
	change.old_table.count = 2 * LIST_SLOTS_MAX;
	expect_unpublishable(&view, -E2BIG);
	change_make();
	change.old_table.count = SLOTS - 1;
	expect_unpublishable(&view, -EINVAL);
	change_make();
	change.server_count = 0;
	expect_unpublishable(&view, -EINVAL);
	change_make();
	change.op_timeout_ms = 0;
	expect_unpublishable(&view, -EINVAL);
	change_make();
	old_owner[3] = SERVERS;
	expect_unpublishable(&view, -EINVAL);
	change_make();
	new_owner[SLOTS - 1] = UINT16_MAX;
	expect_unpublishable(&view, -EINVAL);
}
END_TEST

START_TEST(the_last_generation_there_can_be_is_not_passed)
{
	const struct segment_view view = {.change = &change, .phase = MCR_COPY};
	const uint32_t last = UINT32_MAX;
	uint8_t *bytes = leave_one();

	memcpy(bytes + 256, &last, sizeof(last));
	bytes_unmap(bytes);
	open_segment();
	expect_unpublishable(&view, -EOVERFLOW);
}
END_TEST

START_TEST(the_largest_lists_fit)
{
	struct change_server *many = calloc(MCR_SEGMENT_SERVERS_MAX, sizeof(*many));
	uint16_t *table = calloc(LIST_SLOTS_MAX, sizeof(*table));
	struct mcr_server *listed = calloc(MCR_SEGMENT_SERVERS_MAX, sizeof(*listed));
	struct client client;

	ck_assert(many != NULL && table != NULL && listed != NULL);
	for (uint32_t i = 0; i < MCR_SEGMENT_SERVERS_MAX; i++) {
		memset(many[i].name, 'n', LIST_NAME_MAX);
		memset(many[i].address, 'a', LIST_ADDRESS_MAX);
		many[i].weight = i;
	}
	for (uint32_t i = 0; i < LIST_SLOTS_MAX; i++)
		table[i] = (uint16_t)(i % MCR_SEGMENT_SERVERS_MAX);
	change.servers = many;
	change.server_count = MCR_SEGMENT_SERVERS_MAX;
	change.old_table = change.new_table = table_of_slots(table, LIST_SLOTS_MAX);
	memset(change.prefix, 'p', LIST_PREFIX_MAX);
	open_segment();
	publish(MCR_DRAIN);
	client = client_open();
	ck_assert_int_eq(mcr_servers(client.reader, NULL, listed, MCR_SEGMENT_SERVERS_MAX),
			 MCR_SEGMENT_SERVERS_MAX);
	ck_assert_uint_eq(listed[MCR_SEGMENT_SERVERS_MAX - 1].weight, MCR_SEGMENT_SERVERS_MAX - 1);
	ck_assert_uint_eq(strlen(listed[0].name), LIST_NAME_MAX);
	ck_assert_uint_eq(strlen(listed[0].address), LIST_ADDRESS_MAX);
	client_close(&client);
	free(many);
	free(table);
	free(listed);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("daemon/segment");
	TCase *tests = tcase_create("publish");

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, the_layout_is_the_published_one);
	tcase_add_test(tests, each_phase_routes_as_the_change_says);
	tcase_add_test(tests, the_new_list_alone_is_steady);
	tcase_add_test(tests, one_list_alone_lists_all_servers_as_both);
	tcase_add_test(tests, what_is_said_already_is_not_published_again);
	tcase_add_test(tests, what_is_to_be_confirmed_is_never_new);
	tcase_add_test(tests, older_plans_retire_by_the_shorter_of_two_timeouts);
	tcase_add_test(tests, isolation_and_lease_reach_the_client);
	tcase_add_test(tests, what_does_not_fit_or_makes_no_sense_is_refused);
	tcase_add_test(tests, the_last_generation_there_can_be_is_not_passed);
	tcase_add_test(tests, the_largest_lists_fit);
	return suite_run(suite);
}
