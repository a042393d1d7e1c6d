/* test_next_keys.c - the keys document that follows, and how many have to sign it. */
#include "admin/next_keys.h"

#include <errno.h>

#include "scratch.h"

/* Keys first.. first + count - 1 of a row that never changes. */
static void trust_make(struct trust *trust, uint8_t first, uint32_t count, uint32_t threshold)
{
	memset(trust, 0, sizeof(*trust));
	trust->count = count;
	trust->threshold = threshold;
	for (uint32_t i = 0; i < count; i++) {
		uint8_t seed[crypto_sign_SEEDBYTES], secret[DOCUMENT_SECRET_BYTES];

		memset(seed, (int)(first + i), sizeof(seed));
		ck_assert_int_eq(crypto_sign_seed_keypair(trust->keys[i], secret, seed), 0);
	}
}

static struct keys *make(const struct keys *previous, uint8_t first, uint32_t count,
			 uint32_t threshold)
{
	struct trust trust;
	struct keys *next = NULL;

	trust_make(&trust, first, count, threshold);
	ck_assert_msg(next_keys_make("web", previous, &trust, &next, &failure) == 0, "%s",
		      failure.text);
	return next;
}

START_TEST(first_version_has_no_parent)
{
	struct keys *first = make(NULL, 1, 3, 2);

	ck_assert_uint_eq(first->version, 1);
	ck_assert(!first->has_parent);
	ck_assert_str_eq(first->cluster, "web");
	ck_assert_uint_eq(first->threshold, 2);
	ck_assert_uint_eq(first->key_count, 3);
	ck_assert_uint_eq(next_keys_signers(NULL, first), 2);
	keys_free(first);
}
END_TEST

START_TEST(next_version_names_the_one_before)
{
	struct keys *first = make(NULL, 1, 3, 2), *second = make(first, 2, 3, 2);

	ck_assert_uint_eq(second->version, 2);
	ck_assert(second->has_parent);
	ck_assert_mem_eq(second->parent, first->hash, LIST_HASH_BYTES);
	keys_free(second);
	keys_free(first);
}
END_TEST

static const struct {
	uint8_t first;
	uint32_t count, threshold, signers; /* after keys 1, 2, 3 with threshold 2 */
} counts[] = {
    {1, 3, 3, 3}, /* the same three, all of them */
    {2, 3, 2, 2}, /* two are in both: they sign once */
    {3, 3, 2, 3}, /* one is in both */
    {4, 3, 2, 4}, /* none is */
    {1, 4, 1, 2}, /* the old threshold is the greater one */
};

START_TEST(operators_in_both_versions_sign_once)
{
	struct keys *first = make(NULL, 1, 3, 2);
	struct keys *second = make(first, counts[_i].first, counts[_i].count, counts[_i].threshold);

	ck_assert_uint_eq(next_keys_signers(first, second), counts[_i].signers);
	keys_free(second);
	keys_free(first);
}
END_TEST

static void assert_refused(const struct keys *previous, uint8_t first, uint32_t count,
			   uint32_t threshold, int error, const char *says)
{
	struct trust trust;
	struct keys *next = NULL;

	trust_make(&trust, first, count, threshold);
	ck_assert_int_eq(next_keys_make("web", previous, &trust, &next, &failure), error);
	ck_assert_ptr_null(next);
	ck_assert_says(failure.text, says);
}

START_TEST(version_that_changes_nothing_is_not_made)
{
	struct keys *first = make(NULL, 1, 3, 2);

	assert_refused(first, 1, 3, 2, -EEXIST, "nothing changes: version 1 has these keys");
	keys_free(first);
}
END_TEST

START_TEST(more_signatures_than_fit_are_refused)
{
	struct keys *first = make(NULL, 1, 20, 20);

	assert_refused(first, 40, 20, 20, -EINVAL, "need 40 signatures, a document has at most 32");
	keys_free(first);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("next_keys");
	TCase *tcase = tcase_create("next_keys");

	tcase_add_checked_fixture(tcase, scratch_setup, scratch_teardown);
	tcase_add_test(tcase, first_version_has_no_parent);
	tcase_add_test(tcase, next_version_names_the_one_before);
	tcase_add_loop_test(tcase, operators_in_both_versions_sign_once, 0,
			    sizeof(counts) / sizeof(counts[0]));
	tcase_add_test(tcase, version_that_changes_nothing_is_not_made);
	tcase_add_test(tcase, more_signatures_than_fit_are_refused);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
