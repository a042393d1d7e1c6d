/* test_keys.c - which keys document follows which, under whose signatures. */
#include <errno.h>

#include "sample_keys.h"

#define VERSIONS 4u

/* Version n has the signers n to n + 2 and threshold 2, so each shares two keys with the next one;
 * the configuration trusts 0 to 2.  Each document is signed by three: n and n + 1, which the
 * version before has (with one more), and n + 2. */
static struct sample_signer signers[8];
static struct trust trust;
static struct failure failure;
static char *documents[VERSIONS + 1]; /* by version; [0] is not used */
static struct keys bodies[VERSIONS + 1];

/* What a document will be once parsed: its hash is needed for the next one. */
static void keys_hash(struct keys *keys)
{
	char *body = keys_body(keys);

	document_hash(body, strlen(body), keys->hash);
	free(body);
}

static void setup(void)
{
	memset(&failure, 0, sizeof(failure));
	for (uint8_t i = 0; i < 8; i++)
		signer_make(&signers[i], (uint8_t)(i + 1));
	trust_make(&trust, signers, 3, 2);
	for (uint32_t version = 1; version <= VERSIONS; version++) {
		keys_make(&bodies[version], version == 1 ? NULL : &bodies[version - 1],
			  &signers[version], 3, 2);
		keys_hash(&bodies[version]);
		documents[version] = keys_signed(&bodies[version], signers, version, 2);
	}
}

static void teardown(void)
{
	for (uint32_t version = 1; version <= VERSIONS; version++)
		free(documents[version]);
}

static struct keys *open_first(const char *document)
{
	struct keys *keys = NULL;

	ck_assert_msg(keys_open_first(document, strlen(document), &trust, "web", &keys, &failure) ==
			  0,
		      "%s", failure.text);
	return keys;
}

static struct keys *open_next(const char *document, const struct keys *previous)
{
	struct keys *keys = NULL;

	ck_assert_msg(keys_open_next(document, strlen(document), previous, &keys, &failure) == 0,
		      "%s", failure.text);
	return keys;
}

static void says(int got, int error, const char *reason)
{
	ck_assert_msg(got == -error, "%d instead of `%s` (%s)", got, reason, failure.text);
	ck_assert_msg(strstr(failure.text, reason) != NULL, "`%s` does not say `%s`", failure.text,
		      reason);
}

static void first_refuses(const char *document, const char *cluster, int error, const char *reason)
{
	struct keys *keys = NULL;

	says(keys_open_first(document, strlen(document), &trust, cluster, &keys, &failure), error,
	     reason);
	ck_assert_ptr_null(keys);
}

static void next_refuses(const char *document, const struct keys *previous, int error,
			 const char *reason)
{
	struct keys *keys = NULL;

	says(keys_open_next(document, strlen(document), previous, &keys, &failure), error, reason);
	ck_assert_ptr_null(keys);
}

static struct keys_document piece(const char *document)
{
	return (struct keys_document){document, strlen(document)};
}

static void chain_refuses(const struct keys_document *chain, uint32_t count,
			  const struct keys *from, int error, const char *reason)
{
	struct keys *newest = NULL;

	says(keys_chain_verify(chain, count, from, &trust, "web", &newest, &failure), error,
	     reason);
	ck_assert_ptr_null(newest);
}

START_TEST(first_version_is_signed_by_the_configured_keys_and_its_own)
{
	struct keys *keys = open_first(documents[1]);
	char *document;

	ck_assert_uint_eq(keys->version, 1);
	ck_assert_mem_eq(keys->hash, bodies[1].hash, sizeof(keys->hash));
	keys_free(keys);

	document = keys_signed(&bodies[1], signers, 0, 2); /* two configured, one own */
	first_refuses(document, "web", EKEYREJECTED,
		      "judged by its own keys: signed by 1 trusted key, 2 must have signed");
	free(document);
	document = keys_signed(&bodies[1], signers, 2, 2); /* one configured, two own */
	first_refuses(document, "web", EKEYREJECTED,
		      "judged by the configured keys: signed by 1 trusted key, 2 must have");
	free(document);
	document = keys_body(&bodies[1]);
	first_refuses(document, "web", EKEYREJECTED, "not signed");
	free(document);
}
END_TEST

START_TEST(first_version_is_version_one_of_this_cluster)
{
	char *document = keys_signed(&bodies[2], signers, 1, 4);

	first_refuses(documents[1], "shop", EINVAL,
		      "the keys document is for cluster `web`, this is cluster `shop`");
	first_refuses(document, "web", ESTALE, "keys version 2: the first one must be version 1");
	free(document);
}
END_TEST

START_TEST(next_version_is_signed_by_the_keys_before_and_its_own)
{
	struct keys *first = open_first(documents[1]);
	struct keys *second = open_next(documents[2], first);
	char *document;

	ck_assert_uint_eq(second->version, 2);
	ck_assert_mem_eq(second->parent, first->hash, sizeof(first->hash));
	keys_free(second);

	document = keys_signed(&bodies[2], signers, 1, 2); /* 1 and 2 are the old ones, 2 is new */
	next_refuses(document, first, EKEYREJECTED,
		     "judged by its own keys: signed by 1 trusted key, 2 must have signed");
	free(document);
	document = keys_signed(&bodies[2], signers, 3, 2); /* 3 is old, 3 and 4 are new */
	next_refuses(document, first, EKEYREJECTED,
		     "judged by the keys of version 1: signed by 1 trusted key, 2 must have");
	free(document);
	document = keys_signed(&bodies[2], signers, 4, 2); /* nobody of the old ones */
	next_refuses(document, first, EKEYREJECTED, "judged by the keys of version 1");
	free(document);
	keys_free(first);
}
END_TEST

START_TEST(key_that_signs_twice_counts_for_nothing)
{
	struct keys *first = open_first(documents[1]);
	char *once = keys_signed(&bodies[2], signers, 2, 1), *body = keys_body(&bodies[2]);
	char *twice = NULL;

	ck_assert_int_gt(asprintf(&twice, "%s%s", once, once + strlen(body)), 0);
	next_refuses(twice, first, EBADMSG, "signs twice");
	next_refuses(once, first, EKEYREJECTED, "2 must have signed");
	free(twice);
	free(body);
	free(once);
	keys_free(first);
}
END_TEST

START_TEST(one_byte_changed_anywhere_is_refused)
{
	struct keys *first = open_first(documents[1]), *keys = NULL;

	for (uint32_t version = 1; version <= 2; version++) {
		char *document = documents[version];
		const size_t length = strlen(document);

		for (size_t i = 0; i < length; i++) {
			const char kept = document[i];

			for (unsigned bit = 0; bit < 8; bit++) {
				int error;

				document[i] = (char)(kept ^ (1 << bit));
				error = version == 1 ? keys_open_first(document, length, &trust,
								       "web", &keys, &failure)
						     : keys_open_next(document, length, first,
								      &keys, &failure);
				ck_assert_msg(error < 0, "version %u, byte %zu, bit %u", version, i,
					      bit);
			}
			document[i] = kept;
		}
	}
	ck_assert_ptr_null(keys);
	keys_free(first);
}
END_TEST

START_TEST(nothing_is_parsed_before_the_keys_before_have_signed)
{
	struct keys *first = open_first(documents[1]);
	char *nonsense = text_sign("nonsense\n", &signers[1]);
	char *more = text_sign(nonsense, &signers[2]);

	next_refuses(nonsense, first, EKEYREJECTED, "judged by the keys of version 1");
	next_refuses(more, first, EBADMSG, "line 1: found `nonsense`");
	free(more);
	free(nonsense);
	keys_free(first);
}
END_TEST

START_TEST(next_version_of_another_cluster_is_refused)
{
	struct keys *first = open_first(documents[1]);
	char *document;

	strcpy(bodies[2].cluster, "shop");
	document = keys_signed(&bodies[2], signers, 1, 4);
	next_refuses(document, first, EINVAL, "is for cluster `shop`, this is cluster `web`");
	free(document);
	keys_free(first);
}
END_TEST

START_TEST(next_version_is_one_more)
{
	struct keys *first = open_first(documents[1]);
	struct keys *second = open_next(documents[2], first);
	char *document;

	document = keys_signed(&bodies[3], signers, 1, 5); /* enough for every version */
	next_refuses(document, first, ESTALE, "keys version 3 cannot follow version 1");
	free(document);
	document = keys_signed(&bodies[1], signers, 1, 5);
	next_refuses(document, second, ESTALE, "keys version 1 cannot follow version 2");
	free(document);
	next_refuses(documents[2], second, ESTALE, "keys version 2 is here already");
	ck_assert_ptr_null(strstr(failure.text, "another content"));
	bodies[2].version = LIST_EPOCH_MAX;
	document = keys_signed(&bodies[2], signers, 1, 4);
	next_refuses(document, first, ESTALE, "cannot follow version 1");
	free(document);
	keys_free(second);
	keys_free(first);
}
END_TEST

START_TEST(wrong_parent_is_refused_in_every_byte)
{
	struct keys *first = open_first(documents[1]);

	for (size_t i = 0; i < LIST_HASH_BYTES; i++) {
		char *document;

		bodies[2].parent[i] ^= 0x10;
		document = keys_signed(&bodies[2], signers, 1, 4);
		next_refuses(document, first, ESTALE, "it belongs to another chain");
		bodies[2].parent[i] ^= 0x10;
		free(document);
	}
	keys_free(first);
}
END_TEST

START_TEST(two_documents_for_one_version_are_known_by_their_hash)
{
	struct keys *first = open_first(documents[1]);
	struct keys *second = open_next(documents[2], first), *resigned, *fork;
	char *document = keys_signed(&bodies[2], signers, 1, 4);

	resigned = open_next(document, first); /* other signatures are no other document */
	ck_assert(!keys_equivocate(second, resigned));
	free(document);
	bodies[2].threshold = 3;
	document = keys_signed(&bodies[2], signers, 1, 4);
	fork = open_next(document, first);
	ck_assert(keys_equivocate(second, fork));
	ck_assert(keys_equivocate(fork, second));
	ck_assert(!keys_equivocate(first, second));
	strcpy(fork->cluster, "shop");
	ck_assert(!keys_equivocate(second, fork));
	next_refuses(document, second, ESTALE, "version 2 is here already, with another content");
	free(document);
	keys_free(fork);
	keys_free(resigned);
	keys_free(second);
	keys_free(first);
}
END_TEST

START_TEST(trust_is_what_the_document_says)
{
	struct keys *first = open_first(documents[1]);
	struct trust now;

	memset(&now, 0xff, sizeof(now));
	keys_trust(first, &now);
	ck_assert_uint_eq(now.count, 3);
	ck_assert_uint_eq(now.threshold, 2);
	ck_assert_mem_eq(now.keys, first->keys, 3 * sizeof(now.keys[0]));
	keys_free(first);
}
END_TEST

/* After three rotations only the last version's keys sign lists. */
START_TEST(three_rotations_chain)
{
	struct keys_document chain[VERSIONS];
	struct keys *newest = NULL;
	struct trust now;
	char *old, *new;
	size_t body_bytes = 0;

	for (uint32_t i = 0; i < VERSIONS; i++)
		chain[i] = piece(documents[i + 1]);
	ck_assert_msg(keys_chain_verify(chain, VERSIONS, NULL, &trust, "web", &newest, &failure) ==
			  0,
		      "%s", failure.text);
	ck_assert_uint_eq(newest->version, 4);
	ck_assert_mem_eq(newest->hash, bodies[4].hash, sizeof(newest->hash));
	keys_trust(newest, &now);
	old = keys_signed(&bodies[1], signers, 1, 2);
	new = keys_signed(&bodies[1], signers, 5, 2);
	ck_assert_int_eq(document_verify(old, strlen(old), &now, &body_bytes, &failure),
			 -EKEYREJECTED);
	ck_assert_int_eq(document_verify(new, strlen(new), &now, &body_bytes, &failure), 0);
	free(new);
	free(old);
	keys_free(newest);
}
END_TEST

START_TEST(host_that_slept_catches_up_from_where_it_was)
{
	struct keys *first = open_first(documents[1]), *newest = NULL;
	const struct keys_document chain[] = {piece(documents[2]), piece(documents[3]),
					      piece(documents[4])};

	ck_assert_int_eq(keys_chain_verify(chain, 3, first, NULL, NULL, &newest, &failure), 0);
	ck_assert_uint_eq(newest->version, 4);
	keys_free(newest);
	newest = NULL;
	ck_assert_int_eq(keys_chain_verify(chain, 1, first, NULL, NULL, &newest, &failure), 0);
	ck_assert_uint_eq(newest->version, 2);
	keys_free(newest);
	keys_free(first);
}
END_TEST

/* Signed by enough for every version, so that it is not the signatures that fail. */
START_TEST(chain_with_a_gap_is_refused)
{
	char *all[VERSIONS + 1] = {NULL};

	for (uint32_t version = 1; version <= VERSIONS; version++)
		all[version] = keys_signed(&bodies[version], signers, 0, 7);
	const struct keys_document no_first[] = {piece(all[2]), piece(all[3])};
	const struct keys_document no_third[] = {piece(all[1]), piece(all[2]), piece(all[4])};
	const struct keys_document turned[] = {piece(all[1]), piece(all[3]), piece(all[2])};
	const struct keys_document twice[] = {piece(all[1]), piece(all[1])};

	chain_refuses(no_first, 2, NULL, ESTALE, "document 1 of 2: keys version 2: the first one");
	chain_refuses(no_third, 3, NULL, ESTALE,
		      "document 3 of 3: keys version 4 cannot follow version 2");
	chain_refuses(turned, 3, NULL, ESTALE,
		      "document 2 of 3: keys version 3 cannot follow version 1");
	chain_refuses(twice, 2, NULL, ESTALE, "document 2 of 2: keys version 1 is here already");
	chain_refuses(twice, 0, NULL, EINVAL, "empty chain");
	for (uint32_t version = 1; version <= VERSIONS; version++)
		free(all[version]);
}
END_TEST

/* Version 2 exists twice; what follows one of them does not follow the other. */
START_TEST(chain_that_forked_is_refused)
{
	struct keys_document chain[3] = {piece(documents[1])};
	struct keys *newest = NULL;
	struct keys fork = bodies[2];
	char *document;

	strcpy(fork.created, "2026-11-22T10:00:01Z");
	document = keys_signed(&fork, signers, 2, 3);
	chain[1] = piece(document);
	ck_assert_int_eq(keys_chain_verify(chain, 2, NULL, &trust, "web", &newest, &failure), 0);
	keys_free(newest);
	chain[2] = piece(documents[3]);
	chain_refuses(chain, 3, NULL, ESTALE, "document 3 of 3: keys version 3 names parent");
	free(document);
}
END_TEST

START_TEST(chain_breaks_where_a_signature_is_missing)
{
	struct keys_document chain[] = {piece(documents[1]), piece(documents[2]),
					piece(documents[3])};
	char *document = keys_signed(&bodies[2], signers, 3, 2);

	chain[1] = piece(document);
	chain_refuses(chain, 3, NULL, EKEYREJECTED,
		      "document 2 of 3: keys document, judged by the keys of version 1");
	free(document);
	trust_make(&trust, &signers[4], 3, 2);
	chain[1] = piece(documents[2]);
	chain_refuses(chain, 3, NULL, EKEYREJECTED,
		      "document 1 of 3: keys document, judged by the configured keys");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("keys");
	TCase *tcase = tcase_create("keys");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, first_version_is_signed_by_the_configured_keys_and_its_own);
	tcase_add_test(tcase, first_version_is_version_one_of_this_cluster);
	tcase_add_test(tcase, next_version_is_signed_by_the_keys_before_and_its_own);
	tcase_add_test(tcase, key_that_signs_twice_counts_for_nothing);
	tcase_add_test(tcase, one_byte_changed_anywhere_is_refused);
	tcase_add_test(tcase, nothing_is_parsed_before_the_keys_before_have_signed);
	tcase_add_test(tcase, next_version_of_another_cluster_is_refused);
	tcase_add_test(tcase, next_version_is_one_more);
	tcase_add_test(tcase, wrong_parent_is_refused_in_every_byte);
	tcase_add_test(tcase, two_documents_for_one_version_are_known_by_their_hash);
	tcase_add_test(tcase, trust_is_what_the_document_says);
	tcase_add_test(tcase, three_rotations_chain);
	tcase_add_test(tcase, host_that_slept_catches_up_from_where_it_was);
	tcase_add_test(tcase, chain_with_a_gap_is_refused);
	tcase_add_test(tcase, chain_that_forked_is_refused);
	tcase_add_test(tcase, chain_breaks_where_a_signature_is_missing);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
