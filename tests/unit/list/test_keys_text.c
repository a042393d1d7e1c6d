/* test_keys_text.c - a keys document's one text: each line, each rule, and back. */
#include <errno.h>

#include "mangle.h"
#include "sample_keys.h"

static struct sample_signer signers[TRUST_KEYS_MAX];
static struct failure failure;
static struct keys sample; /* version 2, 2 of 3 */
static char *body;

static void setup(void)
{
	struct keys first = {.version = 1};

	memset(&failure, 0, sizeof(failure));
	for (uint32_t i = 0; i < TRUST_KEYS_MAX; i++)
		signer_make(&signers[i], (uint8_t)(i + 1));
	memset(first.hash, 0x5c, sizeof(first.hash));
	keys_make(&sample, &first, signers, 3, 2);
	body = keys_body(&sample);
}

static void teardown(void)
{
	free(body);
}

static int parse(const char *text, struct failure *why)
{
	struct keys *keys = NULL;
	const int error = keys_parse(text, strlen(text), &keys, why);

	ck_assert((keys != NULL) == (error == 0));
	keys_free(keys);
	return error;
}

static bool has_key(const struct keys *keys, const uint8_t key[DOCUMENT_KEY_BYTES])
{
	for (uint32_t i = 0; i < keys->key_count; i++)
		if (memcmp(keys->keys[i], key, DOCUMENT_KEY_BYTES) == 0)
			return true;
	return false;
}

START_TEST(every_field_arrives)
{
	struct keys *keys = NULL;
	uint8_t hash[LIST_HASH_BYTES];

	ck_assert_int_eq(keys_parse(body, strlen(body), &keys, &failure), 0);
	ck_assert_str_eq(keys->cluster, "web");
	ck_assert_uint_eq(keys->version, 2);
	ck_assert(keys->has_parent);
	ck_assert_mem_eq(keys->parent, sample.parent, sizeof(keys->parent));
	ck_assert_str_eq(keys->created, "2026-11-22T10:00:00Z");
	ck_assert_uint_eq(keys->threshold, 2);
	ck_assert_uint_eq(keys->key_count, 3);
	for (uint32_t i = 0; i < 3; i++)
		ck_assert(has_key(keys, signers[i].key));
	for (uint32_t i = 1; i < 3; i++)
		ck_assert_int_lt(memcmp(keys->keys[i - 1], keys->keys[i], DOCUMENT_KEY_BYTES), 0);
	document_hash(body, strlen(body), hash);
	ck_assert_mem_eq(keys->hash, hash, sizeof(hash));
	ck_assert_uint_eq(keys->document_bytes, strlen(body));
	ck_assert_mem_eq(keys->document, body, strlen(body));
	keys_free(keys);
	keys_free(NULL);
}
END_TEST

START_TEST(text_is_the_documented_one)
{
	static const char want[] =
	    "mcroster-keys 1\n"
	    "cluster web\n"
	    "version 2\n"
	    "parent 5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c\n"
	    "created 2026-11-22T10:00:00Z\n"
	    "threshold 2\n"
	    "key ";

	ck_assert_int_eq(strncmp(body, want, strlen(want)), 0);
	ck_assert_uint_eq(strlen(body), strlen(want) + 44 + 1 + 2 * (4 + 44 + 1));
}
END_TEST

/* Whichever order the keys came in, there is one text. */
START_TEST(keys_are_written_in_ascending_order)
{
	static const uint8_t orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
					    {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	char *again;

	for (uint32_t i = 0; i < 3; i++)
		memcpy(sample.keys[i], signers[orders[_i][i]].key, DOCUMENT_KEY_BYTES);
	again = keys_body(&sample);
	ck_assert_str_eq(again, body);
	free(again);
}
END_TEST

START_TEST(written_parsed_and_written_again_is_byte_identical)
{
	for (uint32_t count = 1; count <= TRUST_KEYS_MAX; count++) {
		struct keys *keys = NULL;
		char *once, *twice;

		keys_make(&sample, NULL, signers, count, 1 + count / 2);
		sample.threshold = count == 1 ? 1 : sample.threshold;
		once = keys_body(&sample);
		ck_assert_int_eq(keys_parse(once, strlen(once), &keys, &failure), 0);
		ck_assert_uint_eq(keys->key_count, count);
		twice = keys_body(keys);
		ck_assert_str_eq(once, twice);
		keys_free(keys);
		free(twice);
		free(once);
	}
}
END_TEST

START_TEST(lines_missing_repeated_or_exchanged_are_refused)
{
	char *strict;

	sample.threshold = 3; /* so that no key can be spared */
	strict = keys_body(&sample);
	mangle_body(strict, parse);
	free(strict);
}
END_TEST

static const struct {
	const char *from, *to, *line, *reason;
} edits[] = {
    {"mcroster-keys 1", "mcroster-keys 2", "line 1: ", "keys document format `2`: only format 1"},
    {"mcroster-keys 1", "mcroster-list 1", "line 1: ", "want `mcroster-keys 1`"},
    {"cluster web", "cluster we/b", "line 2: ", "cluster `we/b`"},
    {"version 2", "version 0", "line 3: ", "version `0`: want a decimal number from 1"},
    {"version 2", "version 02", "line 3: ", "without leading zeros"},
    {"version 2", "version 9223372036854775808", "line 3: ", "version `922"},
    {"version 2", "version 1", "line 4: ", "version 1 with parent 5c5c"},
    {"parent 5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c", "parent none",
     "line 4: ", "version 2 with parent none: version 1 has none, every other one has one"},
    {"parent 5c", "parent 5C", "line 4: ", "64 lower-case hex digits, or none"},
    {"created 2026", "created 1969", "line 5: ", "a real UTC time"},
    {"threshold 2", "threshold 0", "line 6: ", "threshold `0`: want a decimal number from 1 to 32"},
    {"threshold 2", "threshold 33", "line 6: ", "threshold `33`"},
    {"threshold 2", "threshold 4", "line 10: ", "threshold 4 of 3 keys"},
    {"threshold 2\nkey ", "threshold 2\nkey x", "line 7: ", "44 characters of canonical base64"},
    {"threshold 2\nkey ", "threshold 2\nkey x ", "line 7: ", "3 words: want `key BASE64`"},
    /* Points of no use: the neutral element, and one of small order. */
    {"threshold 2\n", "threshold 2\nkey AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
     "line 7: ", "an Ed25519 public key"},
    {"threshold 2\n", "threshold 2\nkey AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
     "line 7: ", "an Ed25519 public key"},
    {"threshold 2\n", "threshold 2\nkey AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
     "line 7: ", "an Ed25519 public key"},
};

START_TEST(one_wrong_value_is_refused_with_its_line_and_its_rule)
{
	char *bad = text_replace(body, edits[_i].from, edits[_i].to);

	ck_assert_msg(parse(bad, &failure) == -EBADMSG, "%s", bad);
	ck_assert_msg(strncmp(failure.text, edits[_i].line, strlen(edits[_i].line)) == 0 &&
			  strstr(failure.text, edits[_i].reason) != NULL,
		      "`%s` does not say `%s … %s`", failure.text, edits[_i].line,
		      edits[_i].reason);
	free(bad);
}
END_TEST

START_TEST(keys_in_disorder_or_twice_are_refused)
{
	char *first = strstr(body, "key "), *second = first + 49;
	char kept[49];

	memcpy(kept, first, sizeof(kept));
	memcpy(first, second, sizeof(kept));
	ck_assert_int_eq(parse(body, &failure), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(failure.text, "line 8: key `"));
	ck_assert_ptr_nonnull(strstr(failure.text, "` stands twice"));
	memcpy(second, kept, sizeof(kept));
	ck_assert_int_eq(parse(body, &failure), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(failure.text, "` after a greater one"));
}
END_TEST

static void write_refuses(const char *reason)
{
	void *text = NULL;
	size_t bytes = 0;

	ck_assert_int_eq(keys_write(&sample, &text, &bytes, &failure), -EINVAL);
	ck_assert_msg(strstr(failure.text, reason) != NULL, "`%s` does not say `%s`", failure.text,
		      reason);
	ck_assert_ptr_null(text);
}

START_TEST(rules_of_the_text_hold_for_the_fields)
{
	sample.threshold = 4;
	write_refuses("line 10: threshold 4 of 3 keys");
	sample.threshold = 2;
	memcpy(sample.keys[1], sample.keys[0], DOCUMENT_KEY_BYTES);
	write_refuses("stands twice");
	sample.key_count = 0;
	write_refuses("want `key BASE64`");
	sample.key_count = TRUST_KEYS_MAX + 1;
	write_refuses("33 keys: at most 32");
	sample.key_count = 1;
	sample.threshold = 1;
	sample.has_parent = false;
	write_refuses("line 4: version 2 with parent none");
	sample.has_parent = true;
	strcpy(sample.cluster, "web\nversion 3");
	write_refuses("line 4: found `version`");
}
END_TEST

START_TEST(thirty_three_keys_are_one_too_many)
{
	struct sample_signer one_more;
	char line[64], id[DOCUMENT_KEY_CHARS + 1];
	char *text, *more = NULL;

	keys_make(&sample, NULL, signers, TRUST_KEYS_MAX, 1);
	text = keys_body(&sample);
	ck_assert_int_eq(parse(text, &failure), 0);
	signer_make(&one_more, 99);
	document_key_print(one_more.key, id);
	(void)snprintf(line, sizeof(line), "key %s\n", id);
	ck_assert_int_gt(asprintf(&more, "%s%s", text, line), 0);
	ck_assert_int_eq(parse(more, &failure), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(failure.text, "line 39: more than 32 keys"));
	free(more);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("keys_text");
	TCase *tcase = tcase_create("keys_text");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, every_field_arrives);
	tcase_add_test(tcase, text_is_the_documented_one);
	tcase_add_loop_test(tcase, keys_are_written_in_ascending_order, 0, 6);
	tcase_add_test(tcase, written_parsed_and_written_again_is_byte_identical);
	tcase_add_test(tcase, lines_missing_repeated_or_exchanged_are_refused);
	tcase_add_loop_test(tcase, one_wrong_value_is_refused_with_its_line_and_its_rule, 0,
			    (int)(sizeof(edits) / sizeof(edits[0])));
	tcase_add_test(tcase, keys_in_disorder_or_twice_are_refused);
	tcase_add_test(tcase, rules_of_the_text_hold_for_the_fields);
	tcase_add_test(tcase, thirty_three_keys_are_one_too_many);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
