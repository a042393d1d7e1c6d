/* test_keyring.c - keys documents and lists as the agent keeps them: proven, on disk, found again.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
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
		    keyring_add(ring, document[i], strlen(document[i]), i - 1, &held, &failure), 0);
	ck_assert_int_eq(keyring_add(ring, document[2], strlen(document[2]), 3, &held, &failure),
			 -EALREADY);
	ck_assert_ptr_eq(held, keyring_at(ring, 2));
	close_all();
	open_all();
	ck_assert_uint_eq(keyring_version(ring), 3);
	ck_assert(keyring_trust(ring, 3, keys[3]->hash, &now));
	ck_assert_mem_eq(now.keys[0], signers[3].key, DOCUMENT_KEY_BYTES);
	ck_assert(!keyring_trust(ring, 3, keys[2]->hash, &now));
	ck_assert(!keyring_trust(ring, 4, NULL, &now));
	ck_assert(keyring_trust(ring, 0, NULL, &now));
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
	ck_assert_int_eq(keyring_add(ring, document[2], strlen(document[2]), 0, &held, &failure),
			 -EKEYREJECTED);
	ck_assert_int_eq(keyring_add(ring, document[2], strlen(document[2]), 1, &held, &failure),
			 -EAGAIN);
	ck_assert_str_eq(failure.text, "keys version 1 is not here yet");
	ck_assert_uint_eq(keyring_version(ring), 0);
	ck_assert_int_eq(keyring_add(ring, document[1], strlen(document[1]), 0, &held, &failure),
			 0);
	ck_assert_int_eq(keyring_add(ring, document[3], strlen(document[3]), 1, &held, &failure),
			 -EKEYREJECTED);
	ck_assert_uint_eq(keyring_version(ring), 1);
	chain_free(document, keys);
}
END_TEST

START_TEST(who_slept_through_three_rotations_catches_up_by_the_chain)
{
	uint8_t want[LIST_HASH_BYTES];
	struct keys *keys[4];
	char *document[4];

	chain_make(document, keys);
	ck_assert_int_eq(
	    keyring_catch_up(ring, keys[3]->hash, document[3], strlen(document[3]), want, &failure),
	    -EAGAIN);
	ck_assert_mem_eq(want, keys[2]->hash, LIST_HASH_BYTES);
	ck_assert_int_eq(
	    keyring_catch_up(ring, keys[3]->hash, document[2], strlen(document[2]), want, &failure),
	    -EAGAIN);
	ck_assert_mem_eq(want, keys[1]->hash, LIST_HASH_BYTES);
	ck_assert_int_eq(
	    keyring_catch_up(ring, keys[3]->hash, document[1], strlen(document[1]), want, &failure),
	    0);
	ck_assert_uint_eq(keyring_version(ring), 3);
	chain_free(document, keys);
}
END_TEST

static int catch_up(const struct keys *in_force, const char *document, uint8_t *want)
{
	return keyring_catch_up(ring, in_force->hash, document, strlen(document), want, &failure);
}

START_TEST(what_leads_nowhere_is_not_taken)
{
	uint8_t want[LIST_HASH_BYTES];
	struct keys *keys[4], other;
	char *document[4], *rival;

	chain_make(document, keys);
	keys_make(&other, NULL, &signers[0], 1, 1);
	rival = keys_signed(&other, signers, 0, 1); /* good by itself, but nobody asked for it */
	ck_assert_int_eq(catch_up(keys[3], rival, want), -ESTALE);
	ck_assert_int_eq(catch_up(keys[3], document[3], want), -EAGAIN);
	ck_assert_int_eq(catch_up(keys[3], rival, want), -ESTALE);
	ck_assert_int_eq(catch_up(keys[3], document[1], want), -ESTALE); /* it is not its turn */
	ck_assert_uint_eq(keyring_version(ring), 0);
	ck_assert_int_eq(catch_up(keys[3], document[2], want), -EAGAIN);
	/* The answer got lost: it is asked for from the top again. */
	ck_assert_int_eq(catch_up(keys[3], document[3], want), -EAGAIN);
	ck_assert_int_eq(catch_up(keys[3], document[2], want), -EAGAIN);
	ck_assert_int_eq(catch_up(keys[3], document[1], want), 0);
	ck_assert_uint_eq(keyring_version(ring), 3);
	ck_assert_int_eq(catch_up(keys[3], document[1], want), -EALREADY);
	free(rival);
	chain_free(document, keys);
}
END_TEST

/* The document of version 1 that somebody else signed at the same time. */
static char *rival_make(struct keys **keys)
{
	struct keys rival;
	char *text;

	keys_make(&rival, NULL, &signers[5], 1, 1);
	text = keys_body(&rival);
	for (unsigned i = 0; i < 2; i++) {
		char *more = text_sign(text, &signers[i == 0 ? 0 : 5]);

		free(text);
		text = more;
	}
	ck_assert_int_eq(keys_parse(text, strlen(text), keys, &failure), 0);
	return text;
}

START_TEST(a_chain_that_was_never_signed_over_is_dropped_whole)
{
	uint8_t want[LIST_HASH_BYTES];
	struct keys *keys[4];
	char *document[4];

	chain_make(document, keys);
	trust.keys[0][0] ^= 1; /* this host trusts somebody else */
	ck_assert_int_eq(catch_up(keys[3], document[3], want), -EAGAIN);
	ck_assert_int_eq(catch_up(keys[3], document[2], want), -EAGAIN);
	ck_assert_int_eq(catch_up(keys[3], document[1], want), -EKEYREJECTED);
	ck_assert_uint_eq(keyring_version(ring), 0);
	ck_assert_int_eq(catch_up(keys[3], document[2], want), -ESTALE);
	trust.keys[0][0] ^= 1;
	chain_free(document, keys);
}
END_TEST

/* It was stored here, and the register never came to name it: another coordinator took its rival.
 */
START_TEST(a_version_that_was_never_in_force_gives_way)
{
	const struct keys *held;
	uint8_t want[LIST_HASH_BYTES];
	struct keys *keys[4], *rival;
	char *document[4], *text = rival_make(&rival);
	struct trust now;

	chain_make(document, keys);
	ck_assert_int_eq(keyring_add(ring, text, strlen(text), 0, &held, &failure), 0);
	ck_assert(!keyring_trust(ring, 1, keys[1]->hash, &now));
	ck_assert_int_eq(catch_up(keys[3], document[3], want), -EAGAIN);
	ck_assert_int_eq(catch_up(keys[3], document[2], want), -EAGAIN);
	ck_assert_mem_eq(want, keys[1]->hash, LIST_HASH_BYTES);
	ck_assert_int_eq(catch_up(keys[3], document[1], want), 0);
	ck_assert_uint_eq(keyring_version(ring), 3);
	ck_assert_ptr_null(keyring_find(ring, rival->hash));
	/* And the other way about, with two more of the old chain in the way. */
	ck_assert_int_eq(keyring_add(ring, text, strlen(text), 0, &held, &failure), 0);
	ck_assert_uint_eq(keyring_version(ring), 1);
	close_all();
	open_all();
	ck_assert_uint_eq(keyring_version(ring), 1);
	ck_assert(keyring_trust(ring, 1, rival->hash, &now));
	ck_assert_mem_eq(now.keys[0], signers[5].key, DOCUMENT_KEY_BYTES);
	free(text);
	keys_free(rival);
	chain_free(document, keys);
}
END_TEST

START_TEST(a_contradiction_counts_only_where_it_was_signed_for)
{
	const struct keys *held;
	struct keys *keys[4], *rival, stranger;
	char *document[4], *text = rival_make(&rival), *forged;

	chain_make(document, keys);
	ck_assert_int_eq(keyring_contradicts(ring, text, strlen(text), &failure), -ENOENT);
	for (unsigned i = 1; i < 3; i++)
		ck_assert_int_eq(
		    keyring_add(ring, document[i], strlen(document[i]), i - 1, &held, &failure), 0);
	ck_assert_int_eq(keyring_contradicts(ring, text, strlen(text), &failure), 0);
	for (unsigned i = 1; i < 4; i++)
		ck_assert_int_eq(
		    keyring_contradicts(ring, document[i], strlen(document[i]), &failure), -ENOENT);
	keys_make(&stranger, NULL, &signers[6], 1, 1);
	forged = keys_signed(&stranger, signers, 6, 1);
	ck_assert_int_eq(keyring_contradicts(ring, forged, strlen(forged), &failure),
			 -EKEYREJECTED);
	ck_assert_uint_eq(keyring_version(ring), 2);
	free(forged);
	free(text);
	keys_free(rival);
	chain_free(document, keys);
}
END_TEST

static void damage(const char *name)
{
	char path[128];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "r+");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fseek(file, -9, SEEK_END), 0);
	ck_assert_int_ne(fputc('!', file), EOF);
	ck_assert_int_eq(fclose(file), 0);
}

START_TEST(a_damaged_version_is_left_out_and_caught_up_with)
{
	const struct keys *held;
	uint8_t want[LIST_HASH_BYTES];
	struct keys *keys[4];
	char *document[4];

	chain_make(document, keys);
	for (unsigned i = 1; i < 4; i++)
		ck_assert_int_eq(
		    keyring_add(ring, document[i], strlen(document[i]), i - 1, &held, &failure), 0);
	close_all();
	damage("keys.2");
	open_all();
	ck_assert_uint_eq(keyring_version(ring), 1);
	ck_assert_int_eq(catch_up(keys[3], document[3], want), -EAGAIN);
	ck_assert_int_eq(catch_up(keys[3], document[2], want), 0);
	close_all();
	open_all();
	ck_assert_uint_eq(keyring_version(ring), 3);
	chain_free(document, keys);
}
END_TEST

START_TEST(a_version_that_cannot_be_stored_is_not_held)
{
	const struct keys *held = NULL;
	struct keys *keys[4];
	char *document[4], path[128];

	chain_make(document, keys);
	(void)snprintf(path, sizeof(path), "%s/keys.1", directory);
	ck_assert_int_eq(mkdir(path, 0700), 0); /* no file can take its place */
	ck_assert_int_lt(keyring_add(ring, document[1], strlen(document[1]), 0, &held, &failure),
			 0);
	ck_assert_ptr_null(held);
	ck_assert_ptr_nonnull(strstr(failure.text, "keys.1"));
	ck_assert_uint_eq(keyring_version(ring), 0);
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert_int_eq(keyring_add(ring, document[1], strlen(document[1]), 0, &held, &failure),
			 0);
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
	ck_assert_int_eq(lists_add(lists, text, strlen(text), 0, &list, &failure), 0);
	memcpy(hash, list->hash, sizeof(hash));
	lists_close(lists);
	chain_make(document, keys);
	ck_assert_int_eq(keyring_add(ring, document[1], strlen(document[1]), 0, &held, &failure),
			 0);
	close_all();
	open_all();
	ck_assert_int_eq(lists_open(state, ring, &lists, &failure), 0);
	ck_assert_ptr_nonnull(lists_find(lists, hash));
	ck_assert_ptr_eq(lists_newest(lists), lists_find(lists, hash));
	free(text);
	text = list_signed_by(7);
	ck_assert_int_eq(lists_add(lists, text, strlen(text), 0, &list, &failure), -EKEYREJECTED);
	lists_close(lists);
	free(text);
	chain_free(document, keys);
}
END_TEST

/* Keys that had been retired when a list was signed say nothing about it. */
START_TEST(a_list_is_opened_under_the_versions_that_may_have_signed_it)
{
	const struct keys *held;
	const struct list *list;
	struct lists *lists;
	struct keys *keys[4];
	char *document[4], *old = list_signed_by(1), *now = list_signed_by(2);

	chain_make(document, keys);
	for (unsigned i = 1; i < 3; i++)
		ck_assert_int_eq(
		    keyring_add(ring, document[i], strlen(document[i]), i - 1, &held, &failure), 0);
	ck_assert_int_eq(lists_open(state, ring, &lists, &failure), 0);
	ck_assert_int_eq(lists_add(lists, old, strlen(old), 2, &list, &failure), -EKEYREJECTED);
	ck_assert_int_eq(lists_add(lists, now, strlen(now), 3, &list, &failure), -EAGAIN);
	ck_assert_str_eq(failure.text, "keys version 3 is in force, and not here yet");
	ck_assert_int_eq(lists_add(lists, now, strlen(now), 2, &list, &failure), 0);
	ck_assert_ptr_null(lists_rival(lists, list->epoch, list->hash));
	ck_assert_ptr_eq(lists_rival(lists, list->epoch, keys[1]->hash), list);
	ck_assert_ptr_null(lists_rival(lists, list->epoch + 1, keys[1]->hash));
	lists_close(lists);
	free(old);
	free(now);
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
	tcase_add_test(tests, what_leads_nowhere_is_not_taken);
	tcase_add_test(tests, a_chain_that_was_never_signed_over_is_dropped_whole);
	tcase_add_test(tests, a_version_that_was_never_in_force_gives_way);
	tcase_add_test(tests, a_contradiction_counts_only_where_it_was_signed_for);
	tcase_add_test(tests, a_damaged_version_is_left_out_and_caught_up_with);
	tcase_add_test(tests, a_version_that_cannot_be_stored_is_not_held);
	tcase_add_test(tests, an_accepted_list_outlives_the_keys_that_signed_it);
	tcase_add_test(tests, a_list_is_opened_under_the_versions_that_may_have_signed_it);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
