/* test_list.c - opening a signed list, and what is asked of it. */
#include <errno.h>

#include "sample.h"

static struct sample sample;
static struct sample_signer signers[3];
static struct trust trust;
static struct failure failure;
static char *document; /* signed by the first two */

static char *sign_twice(const char *text)
{
	char *once = text_sign(text, &signers[0]);
	char *twice = text_sign(once, &signers[1]);

	free(once);
	return twice;
}

static void setup(void)
{
	char *body;

	memset(&failure, 0, sizeof(failure));
	for (uint8_t i = 0; i < 3; i++)
		signer_make(&signers[i], (uint8_t)(i + 1));
	trust_make(&trust, signers, 3, 2);
	sample_make(&sample, 3);
	body = sample_body(&sample);
	document = sign_twice(body);
	free(body);
}

static void teardown(void)
{
	free(document);
}

static void refuses(const char *text, size_t bytes, const char *cluster, int error,
		    const char *reason)
{
	struct list *list = NULL;
	int got = list_open(text, bytes, &trust, cluster, &list, &failure);

	ck_assert_msg(got == -error, "%d instead of `%s`", got, reason);
	ck_assert_ptr_null(list);
	ck_assert_msg(strstr(failure.text, reason) != NULL, "`%s` does not say `%s`", failure.text,
		      reason);
}

START_TEST(signed_list_of_this_cluster_opens)
{
	struct list *list = NULL;

	ck_assert_msg(list_open(document, strlen(document), &trust, "web", &list, &failure) == 0,
		      "%s", failure.text);
	ck_assert_str_eq(list->cluster, "web");
	ck_assert_uint_eq(list->document_bytes, strlen(document));
	list_free(list);
	list_free(NULL);
}
END_TEST

START_TEST(one_byte_changed_anywhere_is_refused)
{
	const size_t length = strlen(document);
	struct list *list = NULL;

	for (size_t i = 0; i < length; i++) {
		const char kept = document[i];

		document[i] = (char)(kept ^ 1);
		ck_assert_msg(list_open(document, length, &trust, "web", &list, &failure) < 0,
			      "byte %zu", i);
		document[i] = (char)(kept ^ 0x80);
		ck_assert_msg(list_open(document, length, &trust, "web", &list, &failure) < 0,
			      "byte %zu", i);
		document[i] = kept;
		ck_assert_ptr_null(list);
	}
	ck_assert_int_eq(list_open(document, length, &trust, "web", &list, &failure), 0);
	list_free(list);
}
END_TEST

START_TEST(list_of_another_cluster_is_refused)
{
	refuses(document, strlen(document), "shop", EINVAL,
		"the list is for cluster `web`, this is cluster `shop`");
	refuses(document, strlen(document), "webs", EINVAL, "this is cluster `webs`");
	refuses(document, strlen(document), "we", EINVAL, "this is cluster `we`");
}
END_TEST

START_TEST(unsigned_and_undersigned_lists_are_refused)
{
	char *body = sample_body(&sample);
	char *once = text_sign(body, &signers[2]);
	char *twice = NULL;

	refuses(body, strlen(body), "web", EKEYREJECTED, "not signed");
	refuses(once, strlen(once), "web", EKEYREJECTED, "2 must have signed");
	ck_assert_int_gt(asprintf(&twice, "%s%s", once, once + strlen(body)), 0);
	refuses(twice, strlen(twice), "web", EBADMSG, "signs twice");
	free(twice);
	free(once);
	free(body);
}
END_TEST

/* Bytes that nobody trusted has signed are not even parsed. */
START_TEST(signatures_are_checked_before_anything_is_parsed)
{
	char *nonsense = sign_twice("nonsense\n");
	char *bent = text_replace(nonsense, "nonsense", "nonsensf");

	refuses(nonsense, strlen(nonsense), "web", EBADMSG, "line 1: found `nonsense`");
	refuses(bent, strlen(bent), "web", EKEYREJECTED, "is wrong");
	trust.count = 1;
	trust.threshold = 1;
	memcpy(trust.keys[0], signers[2].key, DOCUMENT_KEY_BYTES);
	refuses(nonsense, strlen(nonsense), "web", EKEYREJECTED, "not trusted");
	free(bent);
	free(nonsense);
}
END_TEST

START_TEST(signed_list_that_breaks_a_rule_is_refused_all_the_same)
{
	char *body = sample_body(&sample);
	char *bent = text_replace(body, "server cache01", "server cache00");
	char *bent_signed = sign_twice(bent);

	refuses(bent_signed, strlen(bent_signed), "web", EBADMSG, "line 18: server `cache00`");
	free(bent_signed);
	free(bent);
	free(body);
}
END_TEST

START_TEST(oversize_list_is_refused)
{
	refuses(document, (size_t)DOCUMENT_BYTES_MAX + 1, "web", EMSGSIZE, "at most 1048576");
}
END_TEST

START_TEST(names_are_found)
{
	ck_assert_int_eq(list_agent_find(&sample.list, "web00"), 0);
	ck_assert_int_eq(list_agent_find(&sample.list, "web01"), 1);
	ck_assert_int_eq(list_agent_find(&sample.list, "web02"), -1);
	ck_assert_int_eq(list_agent_find(&sample.list, "cache00"), -1);
	ck_assert_int_eq(list_server_find(&sample.list, "cache02"), 2);
	ck_assert_int_eq(list_server_find(&sample.list, "cache0"), -1);
	ck_assert_int_eq(list_server_find(&sample.list, ""), -1);
}
END_TEST

START_TEST(servers_given_up_and_candidates_are_found)
{
	struct list_identity gone = {"cache01", "10.0.1.9:11211"};

	sample.list.giveups = &gone;
	sample.list.giveup_count = 1;
	sample.list.coordinator_count = 1;
	sample.list.coordinators[0] = 1;
	ck_assert(list_gives_up(&sample.list, "cache01", "10.0.1.9:11211"));
	ck_assert(!list_gives_up(&sample.list, "cache01", "10.0.1.2:11211"));
	ck_assert(!list_gives_up(&sample.list, "cache02", "10.0.1.9:11211"));
	ck_assert(list_may_coordinate(&sample.list, 1));
	ck_assert(!list_may_coordinate(&sample.list, 0));
}
END_TEST

START_TEST(prefix_limits_the_keys)
{
	ck_assert(list_key_covered(&sample.list, "shop:", 5));
	ck_assert(list_key_covered(&sample.list, "shop:1", 6));
	ck_assert(!list_key_covered(&sample.list, "shop:1", 4));
	ck_assert(!list_key_covered(&sample.list, "shot:1", 6));
	ck_assert(!list_key_covered(&sample.list, "xshop:1", 7));
	sample.list.prefix[0] = '\0';
	ck_assert(list_key_covered(&sample.list, "x", 1));
	ck_assert(list_key_covered(&sample.list, "\0", 1));
}
END_TEST

/* Published values of XXH3_64bits, seed 0; the slot is their highest bits. */
int main(void)
{
	Suite *suite = suite_create("list");
	TCase *tcase = tcase_create("list");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, signed_list_of_this_cluster_opens);
	tcase_add_test(tcase, one_byte_changed_anywhere_is_refused);
	tcase_add_test(tcase, list_of_another_cluster_is_refused);
	tcase_add_test(tcase, unsigned_and_undersigned_lists_are_refused);
	tcase_add_test(tcase, signatures_are_checked_before_anything_is_parsed);
	tcase_add_test(tcase, signed_list_that_breaks_a_rule_is_refused_all_the_same);
	tcase_add_test(tcase, oversize_list_is_refused);
	tcase_add_test(tcase, names_are_found);
	tcase_add_test(tcase, servers_given_up_and_candidates_are_found);
	tcase_add_test(tcase, prefix_limits_the_keys);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
