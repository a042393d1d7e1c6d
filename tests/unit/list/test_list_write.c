/* test_list_write.c - what is written is what is parsed, to the byte. */
#include <errno.h>

#include "sample.h"

static struct sample sample;
static struct failure failure;

static void setup(void)
{
	memset(&failure, 0, sizeof(failure));
	sample_make(&sample, 3);
}

static void refuses(const char *reason)
{
	void *body = NULL;
	size_t bytes = 0;

	ck_assert_int_eq(list_write(&sample.list, &body, &bytes, &failure), -EINVAL);
	ck_assert_msg(strstr(failure.text, reason) != NULL, "`%s` does not say `%s`", failure.text,
		      reason);
	ck_assert_ptr_null(body);
	ck_assert_uint_eq(bytes, 0);
}

static void sample_shuffle(uint64_t seed)
{
	struct list *list = &sample.list;
	uint64_t random = seed;

	sample_make(&sample, 1 + random_below(&random, SAMPLE_SERVERS_MAX));
	list->epoch = 1 + random_below(&random, UINT32_MAX) * (uint64_t)UINT32_MAX / 4;
	list->has_parent = random_below(&random, 2) == 0;
	for (size_t i = 0; i < sizeof(list->parent); i++)
		list->parent[i] = (uint8_t)random_below(&random, 256);
	list->slot_count = LIST_SLOTS_MIN << random_below(&random, 7);
	list->op_timeout_ms = LIST_OP_TIMEOUT_MS_MIN + random_below(&random, 2000);
	list->lease_ms = LIST_LEASE_MS_MIN + 3 * list->op_timeout_ms + random_below(&random, 5000);
	list->steady_lease_ms = list->lease_ms + random_below(&random, 100000);
	list->client_quorum = random_below(&random, 101);
	list->registration_required = random_below(&random, 2) == 0;
	list->isolation =
	    random_below(&random, 2) == 0 ? LIST_ISOLATION_SERVE : LIST_ISOLATION_BYPASS;
	if (random_below(&random, 2) == 0)
		list->unaware_poll_ms = LIST_UNAWARE_POLL_MS_MIN + random_below(&random, 60000);
	if (random_below(&random, 2) == 0)
		list->prefix[0] = '\0';
	list->coordinator = random_below(&random, 2);
	for (uint32_t i = 0; i < 2; i++)
		for (size_t j = 0; j < LIST_HOST_KEY_BYTES; j++)
			sample.agents[i].key[j] = (uint8_t)random_below(&random, 256);
	for (uint32_t i = 0; i < list->server_count; i++) {
		sample.servers[i].weight = 1 + random_below(&random, LIST_WEIGHT_MAX);
		sample.servers[i].agent = random_below(&random, 2);
		sample.servers[i].has_wipe = random_below(&random, 2) == 0;
		sample.servers[i].wipe = random_below(&random, UINT32_MAX);
	}
	for (uint32_t i = 0; i < list->slot_count; i++)
		sample.slots[i] = (uint16_t)random_below(&random, list->server_count);
}

START_TEST(written_parsed_and_written_again_is_byte_identical)
{
	const uint64_t seed = (uint64_t)_i;
	const struct list *want = &sample.list;
	struct list *list = NULL;
	void *again = NULL;
	size_t bytes = 0;
	char *body;

	sample_shuffle(seed);
	body = sample_body(&sample);
	ck_assert_int_eq(list_parse(body, strlen(body), &list, &failure), 0);
	ck_assert_int_eq(list_write(list, &again, &bytes, &failure), 0);
	ck_assert_msg(bytes == strlen(body) && memcmp(again, body, bytes) == 0, "seed %d", _i);

	ck_assert_msg(
	    list->epoch == want->epoch && list->has_parent == want->has_parent &&
		list->slot_count == want->slot_count && list->lease_ms == want->lease_ms &&
		list->steady_lease_ms == want->steady_lease_ms &&
		list->op_timeout_ms == want->op_timeout_ms &&
		list->client_quorum == want->client_quorum &&
		list->registration_required == want->registration_required &&
		list->isolation == want->isolation &&
		list->unaware_poll_ms == want->unaware_poll_ms &&
		list->coordinator == want->coordinator && strcmp(list->prefix, want->prefix) == 0,
	    "seed %d", _i);
	if (want->has_parent)
		ck_assert_mem_eq(list->parent, want->parent, LIST_HASH_BYTES);
	ck_assert_mem_eq(list->agents, want->agents, 2 * sizeof(*list->agents));
	for (uint32_t i = 0; i < want->server_count; i++) {
		ck_assert_str_eq(list->servers[i].name, want->servers[i].name);
		ck_assert_str_eq(list->servers[i].address, want->servers[i].address);
		ck_assert_uint_eq(list->servers[i].weight, want->servers[i].weight);
		ck_assert_uint_eq(list->servers[i].agent, want->servers[i].agent);
		ck_assert(list->servers[i].has_wipe == want->servers[i].has_wipe);
		if (want->servers[i].has_wipe)
			ck_assert_uint_eq(list->servers[i].wipe, want->servers[i].wipe);
	}
	ck_assert_mem_eq(list->slots, want->slots, want->slot_count * sizeof(uint16_t));
	free(again);
	list_free(list);
	free(body);
}
END_TEST

START_TEST(text_is_the_documented_one)
{
	static const char want[] =
	    "mcroster-list 1\n"
	    "cluster web\n"
	    "epoch 42\n"
	    "parent 5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c\n"
	    "created 2026-11-22T10:00:00Z\n"
	    "distribution slots 1024\n"
	    "lease 5000\n"
	    "steady-lease 60000\n"
	    "op-timeout 1000\n"
	    "client-quorum 10\n"
	    "registration required\n"
	    "isolation serve\n"
	    "prefix shop:\n"
	    "agent web00 10.0.0.1:11280 key=EBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBA=\n"
	    "agent web01 [fd00::2]:11280 key=ERERERERERERERERERERERERERERERERERERERERERE=\n"
	    "coordinator web00\n"
	    "server cache00 10.0.1.1:11211 weight=100 agent=web00\n"
	    "server cache01 10.0.1.2:11211 weight=100 agent=web01\n"
	    "server cache02 10.0.1.3:11211 weight=100 agent=web00 wipe=7\n"
	    "slots AAAAAAAA";
	char *body = sample_body(&sample);

	ck_assert_int_eq(strncmp(body, want, strlen(want)), 0);
	ck_assert_ptr_nonnull(strstr(body, "AAAAAQABAAEA")); /* 0, 0, 1, 1, 1: little-endian */
	ck_assert_str_eq(body + strlen(body) - 5, "AgA=\n");
	free(body);
}
END_TEST

static void sample_widen(struct list_identity giveups[2])
{
	struct list *list = &sample.list;

	list->coordinator = 1;
	list->coordinator_count = 2;
	list->coordinators[0] = 1;
	list->coordinators[1] = 0;
	list->giveup_count = 2;
	list->giveups = giveups;
	giveups[0] = (struct list_identity){"cache09", "10.0.1.9:11211"};
	giveups[1] = (struct list_identity){"cache01", "[fd00::9]:11211"};
}

START_TEST(candidates_keep_their_order_and_giveups_get_theirs)
{
	struct list_identity giveups[2];
	struct list *list = NULL;
	void *again = NULL;
	size_t bytes = 0;
	char *body;

	sample_widen(giveups);
	body = sample_body(&sample);
	ck_assert_ptr_nonnull(strstr(body, "\ncoordinator web01\ncoordinator web00\nserver "));
	ck_assert_ptr_nonnull(strstr(body, " wipe=7\ngiveup cache01 [fd00::9]:11211\n"
					   "giveup cache09 10.0.1.9:11211\nslots "));
	ck_assert_str_eq(giveups[0].name, "cache09"); /* the caller's stay as they are */
	ck_assert_int_eq(list_parse(body, strlen(body), &list, &failure), 0);
	ck_assert_uint_eq(list->coordinator, 1);
	ck_assert_uint_eq(list->coordinator_count, 2);
	ck_assert_uint_eq(list->coordinators[0], 1);
	ck_assert_uint_eq(list->coordinators[1], 0);
	ck_assert_uint_eq(list->giveup_count, 2);
	ck_assert_mem_eq(&list->giveups[0], &giveups[1], sizeof(giveups[0]));
	ck_assert_mem_eq(&list->giveups[1], &giveups[0], sizeof(giveups[0]));
	ck_assert_int_eq(list_write(list, &again, &bytes, &failure), 0);
	ck_assert_msg(bytes == strlen(body) && memcmp(again, body, bytes) == 0, "written again");
	free(again);
	list_free(list);
	free(body);
}
END_TEST

START_TEST(candidates_that_contradict_themselves_are_refused)
{
	struct list_identity giveups[2];

	sample_widen(giveups);
	sample.list.coordinators[1] = 2;
	refuses("coordinator is agent number 2 of 2");
	sample.list.coordinators[1] = 1;
	refuses("line 17: coordinator `web01` stands twice");
	sample.list.coordinators[1] = 0;
	sample.list.coordinator = 0;
	refuses("coordinator is agent number 0, but the first of the coordinators is number 1");
	sample.list.coordinator = 1;
	sample.list.coordinator_count = LIST_COORDINATORS_MAX + 1;
	refuses("33 coordinators: at most 32");
}
END_TEST

START_TEST(giveup_that_contains_lines_is_refused)
{
	struct list_identity giveups[2];

	sample_widen(giveups);
	sample.list.giveup_count = 1;
	strcpy(giveups[0].address, "10.0.1.9:1\ngiveup d 10.0.1.8:1");
	refuses("contains lines");
}
END_TEST

START_TEST(numbers_that_point_nowhere_are_refused)
{
	sample.list.coordinator = 2;
	refuses("coordinator is agent number 2 of 2");
	sample.list.coordinator = 0;
	sample.servers[1].agent = 2;
	refuses("server `cache01` names agent number 2 of 2");
	sample.servers[1].agent = 0;
	sample.slots[1023] = 3;
	refuses("slot 1023 names server number 3");
	sample.slots[1023] = 2;
	sample.list.slot_count = 512;
	refuses("512 slots");
	sample.list.slot_count = LIST_SLOTS_MAX * 2;
	refuses("131072 slots");
	sample.list.slot_count = 1024;
	sample.list.slots = NULL;
	refuses("slots");
}
END_TEST

START_TEST(rules_of_the_text_hold_for_the_fields)
{
	sample.list.epoch = 0;
	refuses("line 3: epoch `0`");
	sample.list.epoch = 1;
	sample.list.op_timeout_ms = 2000;
	refuses("three times it must be less");
	sample.list.op_timeout_ms = 1000;
	strcpy(sample.servers[0].name, "a b");
	refuses("line 17: ");
	strcpy(sample.servers[0].name, "");
	refuses("line 17: ");
	sample.list.server_count = 0;
	refuses("want `coordinator NAME` or `server");
}
END_TEST

/* Without the check this would be a good list of three servers, of which the caller knows two. */
START_TEST(value_that_contains_lines_is_refused)
{
	sample.list.server_count = 2;
	memset(sample.slots, 0, sizeof(sample.slots));
	strcpy(sample.servers[0].address, "10.0.1.1:1 weight=1 agent=web00\nserver x 10.0.1.9:1");
	refuses("contains lines");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("list_write");
	TCase *tcase = tcase_create("list_write");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_loop_test(tcase, written_parsed_and_written_again_is_byte_identical, 0, 40);
	tcase_add_test(tcase, text_is_the_documented_one);
	tcase_add_test(tcase, candidates_keep_their_order_and_giveups_get_theirs);
	tcase_add_test(tcase, candidates_that_contradict_themselves_are_refused);
	tcase_add_test(tcase, giveup_that_contains_lines_is_refused);
	tcase_add_test(tcase, numbers_that_point_nowhere_are_refused);
	tcase_add_test(tcase, rules_of_the_text_hold_for_the_fields);
	tcase_add_test(tcase, value_that_contains_lines_is_refused);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
