/* test_document.c - the envelope: shape, signatures, thresholds. */
#include <errno.h>

#include "sample.h"

#define BODY "mcroster-sample 1\nvalue 7\n"

static struct sample_signer signers[3];
static struct trust trust;
static struct failure failure;

static void setup(void)
{
	for (uint8_t i = 0; i < 3; i++)
		signer_make(&signers[i], (uint8_t)(i + 1));
	trust_make(&trust, signers, 3, 2);
	memset(&failure, 0, sizeof(failure));
}

static char *signed_by(unsigned first, unsigned count)
{
	char *document = strdup(BODY);

	for (unsigned i = first; i < first + count; i++) {
		char *more = text_sign(document, &signers[i]);

		free(document);
		document = more;
	}
	return document;
}

static void split_refuses(const char *document, size_t bytes, int error, const char *reason)
{
	size_t body = 12345;
	uint32_t count = 12345;

	ck_assert_int_eq(document_split(document, bytes, &body, &count, &failure), -error);
	ck_assert_msg(strstr(failure.text, reason) != NULL, "`%s` does not say `%s`", failure.text,
		      reason);
	ck_assert_uint_eq(body, 12345);
	ck_assert_uint_eq(count, 12345);
}

static void verify_refuses(const char *document, int error, const char *reason)
{
	size_t body = 12345;

	ck_assert_int_eq(document_verify(document, strlen(document), &trust, &body, &failure),
			 -error);
	ck_assert_msg(strstr(failure.text, reason) != NULL, "`%s` does not say `%s`", failure.text,
		      reason);
	ck_assert_uint_eq(body, 12345);
}

START_TEST(hash_and_key_id_are_blake2b_256)
{
	static const char want[] =
	    "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319";
	uint8_t hash[DOCUMENT_HASH_BYTES], key[DOCUMENT_KEY_BYTES];
	char hex[2 * DOCUMENT_HASH_BYTES + 1], id[DOCUMENT_KEY_ID_CHARS + 1];

	document_hash("abc", 3, hash);
	ck_assert_str_eq(sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash)), want);
	for (uint8_t i = 0; i < sizeof(key); i++)
		key[i] = i;
	document_key_id(key, id);
	ck_assert_str_eq(id, "cb2f5160fc1f7e05");
}
END_TEST

START_TEST(key_prints_and_parses_to_the_same)
{
	static const char want[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
	uint8_t key[DOCUMENT_KEY_BYTES] = {0};
	char text[DOCUMENT_KEY_CHARS + 1];

	ck_assert_int_eq(document_key_parse(want, key), 0);
	for (uint8_t i = 0; i < sizeof(key); i++)
		ck_assert_uint_eq(key[i], i);
	document_key_print(key, text);
	ck_assert_str_eq(text, want);
}
END_TEST

START_TEST(key_in_another_spelling_is_refused)
{
	static const char *const bad[] = {
	    "",
	    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",   /* no padding */
	    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=",  /* a bit too many */
	    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8==", /* padding too long */
	    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
	    " AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
	    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==", /* 31 bytes */
	    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g", /* 33 bytes */
	    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd-_8=", /* the URL alphabet */
	    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh!=",
	};
	uint8_t key[DOCUMENT_KEY_BYTES], before[DOCUMENT_KEY_BYTES];

	memset(key, 0x77, sizeof(key));
	memcpy(before, key, sizeof(key));
	ck_assert_int_eq(document_key_parse(bad[_i], key), -EINVAL);
	ck_assert_mem_eq(key, before, sizeof(key));
}
END_TEST

START_TEST(long_base64_is_compared_to_its_last_character)
{
	uint8_t bytes[1000], again[1000];
	char text[sodium_base64_ENCODED_LEN(sizeof(bytes), sodium_base64_VARIANT_ORIGINAL)];
	const size_t chars = sizeof(text) - 1;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7);
	sodium_bin2base64(text, sizeof(text), bytes, sizeof(bytes), sodium_base64_VARIANT_ORIGINAL);
	ck_assert_int_eq(document_base64_decode(text, chars, again, sizeof(again)), 0);
	ck_assert_mem_eq(again, bytes, sizeof(bytes));
	ck_assert_int_eq(document_base64_decode(text, chars, again, sizeof(again) - 1), -EBADMSG);
	for (size_t i = 0; i < chars; i++) {
		const char kept = text[i];

		text[i] = '=';
		if (kept != '=')
			ck_assert_int_eq(document_base64_decode(text, chars, again, sizeof(again)),
					 -EBADMSG);
		text[i] = kept;
	}
}
END_TEST

START_TEST(unsigned_document_is_all_body)
{
	size_t body = 0;
	uint32_t count = 7;

	ck_assert_int_eq(document_split(BODY, strlen(BODY), &body, &count, &failure), 0);
	ck_assert_uint_eq(body, strlen(BODY));
	ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(signatures_are_not_part_of_the_body)
{
	char *document = signed_by(0, 3);
	size_t body = 0;
	uint32_t count = 0;

	ck_assert_int_eq(document_split(document, strlen(document), &body, &count, &failure), 0);
	ck_assert_uint_eq(body, strlen(BODY));
	ck_assert_uint_eq(count, 3);
	free(document);
}
END_TEST

START_TEST(document_over_its_size_is_refused_before_it_is_read)
{
	char *document = malloc(DOCUMENT_BYTES_MAX + 1);
	size_t body = 0;
	uint32_t count = 0;

	memset(document, 'x', DOCUMENT_BYTES_MAX);
	document[DOCUMENT_BYTES_MAX - 1] = '\n';
	document[DOCUMENT_BYTES_MAX] = '\n';
	ck_assert_int_eq(document_split(document, DOCUMENT_BYTES_MAX, &body, &count, &failure), 0);
	ck_assert_uint_eq(body, DOCUMENT_BYTES_MAX);
	split_refuses(document, DOCUMENT_BYTES_MAX + 1, EMSGSIZE, "1048577 bytes");
	/* The bytes are not touched: this size is not there to be read. */
	split_refuses(document, (size_t)1 << 60, EMSGSIZE, "at most 1048576");
	free(document);
}
END_TEST

START_TEST(bent_shapes_are_refused)
{
	char *document = signed_by(0, 2);
	char *second = strrchr(document, ' ') - DOCUMENT_KEY_ID_CHARS - strlen("signature ");
	const size_t length = strlen(document);
	const struct {
		const char *from, *to, *reason;
	} edits[] = {
	    {"signature ", "signature  ", "signature line 1"},
	    {"==\n", "==\r\n", "signature line 1"},
	    {"==\n", "== \n", "signature line 1"},
	    {"==\n", "==\n\n", "signature line 2"},
	    {"==\n", "==\nvalue 8\n", "signature line 2"},
	    {"==\n", "\n", "signature line 1"},
	    {"==\nsignature", "==\nsignaturf", "signature line 2"},
	    {"==\nsignature ", "==\nsignature\t", "signature line 2"},
	    {"==\n", "=A\n", "not canonical base64"},
	};

	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		char *bent = text_replace(document, edits[i].from, edits[i].to);

		split_refuses(bent, strlen(bent), EBADMSG, edits[i].reason);
		free(bent);
	}
	split_refuses(document, 0, EBADMSG, "empty");
	split_refuses(document, length - 1, EBADMSG, "does not end with a newline");
	split_refuses(second, strlen(second), EBADMSG, "no body");
	second[10] = 'G'; /* an id that is not hex */
	split_refuses(document, length, EBADMSG, "signature line 2");
	second[10] = '\0';
	split_refuses(document, length, EBADMSG, "signature line 2");
	free(document);
}
END_TEST

START_TEST(base64_with_stray_bits_is_refused)
{
	char *document = signed_by(0, 1);
	char *last = strstr(document, "==\n") - 1;

	/* 64 bytes leave four bits of the last character unused; only zero is canonical. */
	ck_assert_ptr_nonnull(strchr("AQgw", *last));
	*last = (char)(*last + 1);
	split_refuses(document, strlen(document), EBADMSG, "not canonical base64");
	free(document);
}
END_TEST

START_TEST(key_that_signs_twice_is_refused)
{
	char *document = signed_by(0, 1), *twice = NULL;

	ck_assert_int_gt(asprintf(&twice, "%s%s", document, document + strlen(BODY)), 0);
	split_refuses(twice, strlen(twice), EBADMSG, "signs twice");
	verify_refuses(twice, EBADMSG, "signs twice");
	free(twice);
	free(document);
}
END_TEST

START_TEST(thirty_two_signatures_are_the_most)
{
	char *document = strdup(BODY);
	void *out = NULL;
	size_t bytes = 0;
	struct sample_signer signer;
	char *more;

	for (unsigned i = 0; i < DOCUMENT_SIGNATURES_MAX; i++) {
		signer_make(&signer, (uint8_t)(i + 1));
		more = text_sign(document, &signer);
		free(document);
		document = more;
	}
	signer_make(&signer, 99);
	ck_assert_int_eq(
	    document_sign(document, strlen(document), signer.secret, &out, &bytes, &failure),
	    -EMSGSIZE);
	ck_assert_ptr_null(out);
	more = text_sign(BODY, &signer);
	document = realloc(document, strlen(document) + strlen(more) + 1);
	strcat(document, more + strlen(BODY));
	split_refuses(document, strlen(document), EBADMSG, "more than 32");
	free(more);
	free(document);
}
END_TEST

START_TEST(enough_distinct_trusted_keys_verify)
{
	for (unsigned first = 0; first < 2; first++) {
		char *document = signed_by(first, 2);
		size_t body = 0;

		ck_assert_msg(
		    document_verify(document, strlen(document), &trust, &body, &failure) == 0, "%s",
		    failure.text);
		ck_assert_uint_eq(body, strlen(BODY));
		free(document);
	}
}
END_TEST

START_TEST(too_few_signatures_are_refused)
{
	char *document = signed_by(1, 1);

	verify_refuses(document, EKEYREJECTED, "signed by 1 trusted key, 2 must have signed");
	verify_refuses(BODY, EKEYREJECTED, "not signed");
	free(document);
}
END_TEST

START_TEST(unknown_keys_are_not_counted_and_do_no_harm)
{
	char *document = signed_by(0, 3);
	size_t body = 0;

	trust_make(&trust, signers, 1, 1);
	ck_assert_int_eq(document_verify(document, strlen(document), &trust, &body, &failure), 0);
	free(document);
	document = signed_by(1, 2);
	verify_refuses(document, EKEYREJECTED, "2 signatures by keys that are not trusted");
	free(document);
}
END_TEST

START_TEST(key_that_is_trusted_twice_counts_once)
{
	char *document = signed_by(0, 1);

	trust.count = 2;
	memcpy(trust.keys[1], trust.keys[0], DOCUMENT_KEY_BYTES);
	verify_refuses(document, EKEYREJECTED, "signed by 1 trusted key, 2 must have signed");
	free(document);
}
END_TEST

START_TEST(wrong_signature_of_a_trusted_key_is_refused_though_enough_others_are_right)
{
	char *document = signed_by(0, 3);
	char *last = strrchr(document, ' ') + 20;
	char id[DOCUMENT_KEY_ID_CHARS + 1];

	*last = *last == 'A' ? 'B' : 'A';
	document_key_id(signers[2].key, id);
	verify_refuses(document, EKEYREJECTED, id);
	verify_refuses(document, EKEYREJECTED, "is wrong");
	free(document);
}
END_TEST

START_TEST(signature_of_another_body_is_refused)
{
	char *document = signed_by(0, 2);
	char *bent = text_replace(document, "value 7", "value 8");

	verify_refuses(bent, EKEYREJECTED, "is wrong");
	free(bent);
	free(document);
}
END_TEST

START_TEST(any_bit_changed_anywhere_is_refused)
{
	char *document = signed_by(0, 2);
	const size_t length = strlen(document);
	size_t body = 0;

	for (size_t i = 0; i < length; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			document[i] = (char)(document[i] ^ (1 << bit));
			ck_assert_msg(document_verify(document, length, &trust, &body, &failure) !=
					  0,
				      "byte %zu, bit %u", i, bit);
			document[i] = (char)(document[i] ^ (1 << bit));
		}
		ck_assert_msg(document_verify(document, i, &trust, &body, &failure) != 0,
			      "cut at byte %zu", i);
	}
	ck_assert_int_eq(document_verify(document, length, &trust, &body, &failure), 0);
	free(document);
}
END_TEST

START_TEST(trust_out_of_bounds_trusts_nobody)
{
	static const struct {
		uint32_t count, threshold;
	} bad[] = {{0, 0}, {3, 0}, {3, 4}, {TRUST_KEYS_MAX + 1, 1}, {0, 1}};
	char *document = signed_by(0, 3);

	trust.count = bad[_i].count;
	trust.threshold = bad[_i].threshold;
	verify_refuses(document, EINVAL, "threshold");
	free(document);
}
END_TEST

START_TEST(signing_leaves_what_was_there_as_it_is)
{
	char *once = signed_by(0, 1), *twice = signed_by(0, 2);

	ck_assert_int_eq(strncmp(once, BODY, strlen(BODY)), 0);
	ck_assert_int_eq(strncmp(twice, once, strlen(once)), 0);
	free(twice);
	free(once);
}
END_TEST

START_TEST(signing_refuses_what_nobody_would_accept)
{
	char *once = signed_by(0, 1);
	char *full = malloc(DOCUMENT_BYTES_MAX);
	void *out = NULL;
	size_t bytes = 0;

	ck_assert_int_eq(
	    document_sign(once, strlen(once), signers[0].secret, &out, &bytes, &failure), -EEXIST);
	ck_assert_int_eq(document_sign("no newline", 10, signers[0].secret, &out, &bytes, &failure),
			 -EBADMSG);
	memset(full, 'x', DOCUMENT_BYTES_MAX);
	full[DOCUMENT_BYTES_MAX - 100] = '\n';
	ck_assert_int_eq(
	    document_sign(full, DOCUMENT_BYTES_MAX - 99, signers[0].secret, &out, &bytes, &failure),
	    -EMSGSIZE);
	signers[1].secret[3] ^= 1;
	ck_assert_int_eq(
	    document_sign(once, strlen(once), signers[1].secret, &out, &bytes, &failure), -EINVAL);
	ck_assert_ptr_null(out);
	free(full);
	free(once);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("document");
	TCase *tcase = tcase_create("document");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, hash_and_key_id_are_blake2b_256);
	tcase_add_test(tcase, key_prints_and_parses_to_the_same);
	tcase_add_loop_test(tcase, key_in_another_spelling_is_refused, 0, 10);
	tcase_add_test(tcase, long_base64_is_compared_to_its_last_character);
	tcase_add_test(tcase, unsigned_document_is_all_body);
	tcase_add_test(tcase, signatures_are_not_part_of_the_body);
	tcase_add_test(tcase, document_over_its_size_is_refused_before_it_is_read);
	tcase_add_test(tcase, bent_shapes_are_refused);
	tcase_add_test(tcase, base64_with_stray_bits_is_refused);
	tcase_add_test(tcase, key_that_signs_twice_is_refused);
	tcase_add_test(tcase, thirty_two_signatures_are_the_most);
	tcase_add_test(tcase, enough_distinct_trusted_keys_verify);
	tcase_add_test(tcase, too_few_signatures_are_refused);
	tcase_add_test(tcase, unknown_keys_are_not_counted_and_do_no_harm);
	tcase_add_test(tcase, key_that_is_trusted_twice_counts_once);
	tcase_add_test(tcase,
		       wrong_signature_of_a_trusted_key_is_refused_though_enough_others_are_right);
	tcase_add_test(tcase, signature_of_another_body_is_refused);
	tcase_add_test(tcase, any_bit_changed_anywhere_is_refused);
	tcase_add_loop_test(tcase, trust_out_of_bounds_trusts_nobody, 0, 5);
	tcase_add_test(tcase, signing_leaves_what_was_there_as_it_is);
	tcase_add_test(tcase, signing_refuses_what_nobody_would_accept);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
