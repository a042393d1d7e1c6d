/* test_keyring.c - keys documents and lists as the agent keeps them: proven, on disk, found again.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../list/sample_keys.h"
#include "daemon/keyring.h"
#include "daemon/lists.h"

static struct sample_signer signers[8];
static struct trust trust;
static char directory[64];
static struct state *state;
static struct keyring *ring;
static struct failure failure;

static void open_all(void)
{
	ck_assert_msg(state_open(directory, &state, &failure) == 0, "%s", failure.text);
	ck_assert_int_eq(keyring_open(state, &trust, "web", &ring, &failure), 0);
}

static void close_all(void)
{
	keyring_close(ring);
	state_close(state);
}

static void setup(void)
{
	ck_assert_int_ge(sodium_init(), 0);
	for (unsigned i = 0; i < 8; i++)
		signer_make(&signers[i], (uint8_t)(i + 1));
	memset(&trust, 0, sizeof(trust));
	trust.count = trust.threshold = 1;
	memcpy(trust.keys[0], signers[0].key, DOCUMENT_KEY_BYTES);
	(void)snprintf(directory, sizeof(directory), "/tmp/mcroster-keyring.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	open_all();
}

static void teardown(void)
{
	char command[128];

	close_all();
	(void)snprintf(command, sizeof(command), "rm -rf %s", directory);
	ck_assert_int_eq(system(command), 0);
}

/* Version `version` has the key of signer `version`, signed by it and by the one before. */
static char *version_make(uint64_t version, const struct keys *previous)
{
	struct keys keys;

	keys_make(&keys, previous, &signers[version], 1, 1);
	return keys_signed(&keys, signers, (uint32_t)version - 1, 2);
}

/* The first three versions, each made after the one before. */
static void chain_make(char *document[4], struct keys *keys[4])
{
	for (uint64_t i = 1; i < 4; i++) {
		document[i] = version_make(i, i == 1 ? NULL : keys[i - 1]);
		ck_assert_int_eq(keys_parse(document[i], strlen(document[i]), &keys[i], &failure),
				 0);
	}
}

static void chain_free(char *document[4], struct keys *keys[4])
{
	for (unsigned i = 1; i < 4; i++) {
		free(document[i]);
		keys_free(keys[i]);
	}
}

START_TEST(a_rotation_hands_over_and_survives_a_restart)
{
	const struct keys *held;
	struct keys *keys[4];
	char *document[4];
	struct trust now;

	chain_make(document, keys);
	for (unsigned i = 1; i < 4; i++)
		ck_assert_int_eq(
		    keyring_add(ring, document[i], strlen(document[i]), &held, &failure), 0);
	ck_assert_int_eq(keyring_add(ring, document[2], strlen(document[2]), &held, &failure),
			 -EALREADY);
	close_all();
	open_all();
	ck_assert_uint_eq(keyring_version(ring), 3);
	now = keyring_trust(ring, 3);
	ck_assert_mem_eq(now.keys[0], signers[3].key, DOCUMENT_KEY_BYTES);
	now = keyring_trust(ring, 0);
	ck_assert_mem_eq(now.keys[0], signers[0].key, DOCUMENT_KEY_BYTES);
	ck_assert_ptr_nonnull(keyring_find(ring, keys[2]->hash));
	chain_free(document, keys);
}
END_TEST

START_TEST(a_version_out_of_turn_is_refused)
{
	const struct keys *held;
	struct keys *keys[4];
	char *document[4];

	chain_make(document, keys);
	ck_assert_int_ne(keyring_add(ring, document[2], strlen(document[2]), &held, &failure), 0);
	ck_assert_uint_eq(keyring_version(ring), 0);
	chain_free(document, keys);
}
END_TEST

START_TEST(who_slept_through_three_rotations_catches_up_by_the_chain)
{
	uint8_t want[LIST_HASH_BYTES];
	struct keys *keys[4];
	char *document[4];

	chain_make(document, keys);
	ck_assert_int_eq(keyring_catch_up(ring, document[3], strlen(document[3]), want, &failure),
			 -EAGAIN);
	ck_assert_mem_eq(want, keys[2]->hash, LIST_HASH_BYTES);
	ck_assert_int_eq(keyring_catch_up(ring, document[2], strlen(document[2]), want, &failure),
			 -EAGAIN);
	ck_assert_mem_eq(want, keys[1]->hash, LIST_HASH_BYTES);
	ck_assert_int_eq(keyring_catch_up(ring, document[1], strlen(document[1]), want, &failure),
			 0);
	ck_assert_uint_eq(keyring_version(ring), 3);
	chain_free(document, keys);
}
END_TEST

START_TEST(a_chain_that_does_not_join_on_is_dropped_whole)
{
	uint8_t want[LIST_HASH_BYTES];
	struct keys *keys[4], other;
	char *document[4], *rival;

	chain_make(document, keys);
	keys_make(&other, NULL, &signers[5], 1, 1);
	rival = keys_signed(&other, signers, 5, 1); /* not by those in agent.conf */
	ck_assert_int_eq(keyring_catch_up(ring, document[3], strlen(document[3]), want, &failure),
			 -EAGAIN);
	ck_assert_int_eq(keyring_catch_up(ring, rival, strlen(rival), want, &failure),
			 -EKEYREJECTED);
	ck_assert_uint_eq(keyring_version(ring), 0);
	free(rival);
	chain_free(document, keys);
}
END_TEST

static char *list_signed_by(unsigned signer)
{
	static struct sample sample;
	char *body, *document;

	sample_make(&sample, 3);
	body = sample_body(&sample);
	document = text_sign(body, &signers[signer]);
	free(body);
	return document;
}

START_TEST(an_accepted_list_outlives_the_keys_that_signed_it)
{
	const struct keys *held;
	const struct list *list;
	struct lists *lists;
	struct keys *keys[4];
	char *document[4], *text = list_signed_by(0);
	uint8_t hash[LIST_HASH_BYTES];

	ck_assert_int_eq(lists_open(state, ring, &lists, &failure), 0);
	ck_assert_int_eq(lists_add(lists, text, strlen(text), &list, &failure), 0);
	memcpy(hash, list->hash, sizeof(hash));
	lists_close(lists);
	chain_make(document, keys);
	ck_assert_int_eq(keyring_add(ring, document[1], strlen(document[1]), &held, &failure), 0);
	close_all();
	open_all();
	ck_assert_int_eq(lists_open(state, ring, &lists, &failure), 0);
	ck_assert_ptr_nonnull(lists_find(lists, hash));
	ck_assert_ptr_eq(lists_newest(lists), lists_find(lists, hash));
	free(text);
	text = list_signed_by(7);
	ck_assert_int_eq(lists_add(lists, text, strlen(text), &list, &failure), -EKEYREJECTED);
	lists_close(lists);
	free(text);
	chain_free(document, keys);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("keyring");
	TCase *tests = tcase_create("keyring");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_rotation_hands_over_and_survives_a_restart);
	tcase_add_test(tests, a_version_out_of_turn_is_refused);
	tcase_add_test(tests, who_slept_through_three_rotations_catches_up_by_the_chain);
	tcase_add_test(tests, a_chain_that_does_not_join_on_is_dropped_whole);
	tcase_add_test(tests, an_accepted_list_outlives_the_keys_that_signed_it);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
