/* test_evidence.c - contradicting documents are kept once, found by hash, and bounded. */
#include "daemon/evidence.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

static char directory[64];
static struct state *state;
static struct evidence kept[EVIDENCE_MAX];

static void setup(void)
{
	struct failure failure;

	ck_assert_int_ge(sodium_init(), 0);
	(void)snprintf(directory, sizeof(directory), "/tmp/mcroster-evidence.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_msg(state_open(directory, &state, &failure) == 0, "%s", failure.text);
}

static void teardown(void)
{
	char command[128];

	state_close(state);
	(void)snprintf(command, sizeof(command), "rm -rf %s", directory);
	ck_assert_int_eq(system(command), 0);
}

static struct evidence keep(enum evidence_kind kind, uint64_t number, uint8_t first)
{
	struct evidence evidence = {.kind = kind, .number = number, .hash = {first}};

	evidence_keep(state, &evidence, &first, 1);
	return evidence;
}

START_TEST(what_is_kept_is_shown_and_found_by_its_hash)
{
	const struct evidence keys = keep(EVIDENCE_KEYS, 18446744073709551615u, 2);
	const struct evidence list = keep(EVIDENCE_LIST, 7, 1);
	uint8_t other[LIST_HASH_BYTES] = {9};
	size_t bytes = 0;
	uint8_t *document;

	(void)keep(EVIDENCE_LIST, 7, 1); /* the same once more */
	ck_assert_uint_eq(evidence_read(state, kept), 2);
	ck_assert_int_eq(kept[0].kind, EVIDENCE_LIST);
	ck_assert_uint_eq(kept[0].number, 7);
	ck_assert_mem_eq(kept[0].hash, list.hash, LIST_HASH_BYTES);
	ck_assert_int_eq(kept[1].kind, EVIDENCE_KEYS);
	ck_assert_uint_eq(kept[1].number, keys.number);
	document = evidence_load(state, keys.hash, &bytes);
	ck_assert_ptr_nonnull(document);
	ck_assert_uint_eq(bytes, 1);
	ck_assert_uint_eq(document[0], 2);
	free(document);
	ck_assert_ptr_null(evidence_load(state, other, &bytes));
	ck_assert_str_eq(evidence_kind_name(EVIDENCE_LIST), "list");
	ck_assert_str_eq(evidence_kind_name(EVIDENCE_KEYS), "keys");
}
END_TEST

START_TEST(a_stream_of_contradictions_does_not_fill_the_disk)
{
	for (uint8_t i = 1; i < 3 * EVIDENCE_MAX; i++)
		(void)keep(EVIDENCE_LIST, i, i);
	ck_assert_uint_eq(evidence_read(state, kept), EVIDENCE_MAX);
	ck_assert_uint_eq(kept[EVIDENCE_MAX - 1].number, EVIDENCE_MAX);
}
END_TEST

START_TEST(files_of_others_are_no_evidence_and_a_removed_one_is_forgotten)
{
	static const char *const names[] = {
	    "evidence.",	 "evidence.list.",	 "evidence.list.3",
	    "evidence.list.3.",	 "evidence.list.3.abcd", "evidence.keys.+3.ab",
	    "evidence.word.3.ab"};
	struct failure failure;
	char name[160], hex[2 * LIST_HASH_BYTES + 1];
	const struct evidence list = keep(EVIDENCE_LIST, 3, 1);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_int_eq(state_store(state, names[i], "x", 1, &failure), 0);
	(void)sodium_bin2hex(hex, sizeof(hex), list.hash, LIST_HASH_BYTES);
	(void)snprintf(name, sizeof(name), "evidence.list.03.%s", hex);
	ck_assert_int_eq(state_store(state, name, "x", 1, &failure), 0);
	ck_assert_uint_eq(evidence_read(state, kept), 1);
	(void)snprintf(name, sizeof(name), "evidence.list.3.%s", hex);
	ck_assert_int_eq(state_remove(state, name, &failure), 0);
	ck_assert_uint_eq(evidence_read(state, kept), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("evidence");
	TCase *tests = tcase_create("evidence");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, what_is_kept_is_shown_and_found_by_its_hash);
	tcase_add_test(tests, a_stream_of_contradictions_does_not_fill_the_disk);
	tcase_add_test(tests, files_of_others_are_no_evidence_and_a_removed_one_is_forgotten);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
