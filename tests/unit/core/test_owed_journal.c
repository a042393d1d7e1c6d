/* test_owed_journal.c - the journal of owed keys: one encoding, and damage at every byte. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/owed_journal.h"

#define RECORDS 5u

static uint8_t journal[4096];
static size_t journal_bytes, begins[RECORDS + 1];
static char keys[RECORDS][OWED_KEY_MAX];
static struct owed_record records[RECORDS];

static void set_up(void)
{
	static const uint8_t lengths[RECORDS] = {1, 20, OWED_KEY_MAX, 20, 3};

	owed_journal_header(journal);
	journal_bytes = OWED_JOURNAL_HEADER_BYTES;
	for (unsigned i = 0; i < RECORDS; i++) {
		const bool paid = i == 3;

		memset(keys[i], i == 3 ? 'a' + 1 : 'a' + (int)i, sizeof(keys[i]));
		records[i] =
		    (struct owed_record){.kind = paid ? OWED_RECORD_PAID : OWED_RECORD_OWED,
					 .key_bytes = lengths[i],
					 .uid = paid ? 0 : 0xfffffff0u + i,
					 .since_s = paid ? 0 : 1795000000u + i,
					 .key = (const uint8_t *)keys[i]};
		begins[i] = journal_bytes;
		journal_bytes +=
		    owed_record_encode(&records[i], journal_bytes, journal + journal_bytes);
	}
	begins[RECORDS] = journal_bytes;
}

static void same(const struct owed_record *got, const struct owed_record *want)
{
	ck_assert_int_eq(got->kind, want->kind);
	ck_assert_uint_eq(got->key_bytes, want->key_bytes);
	ck_assert_uint_eq(got->uid, want->uid);
	ck_assert_uint_eq(got->since_s, want->since_s);
	ck_assert_mem_eq(got->key, want->key, want->key_bytes);
}

/* Exactly the records but `lost` (RECORDS: none), of the first `count`. */
static void reads(const uint8_t *bytes, size_t length, unsigned count, unsigned lost)
{
	struct owed_journal_reader reader;
	struct owed_record record;

	ck_assert_int_eq(owed_journal_open(&reader, bytes, length), 0);
	for (unsigned i = 0; i < count; i++) {
		if (i == lost)
			continue;
		ck_assert_msg(owed_journal_next(&reader, &record), "record %u not read", i);
		same(&record, &records[i]);
	}
	ck_assert(!owed_journal_next(&reader, &record));
	ck_assert_uint_eq(reader.whole, lost + 1 == count ? begins[lost] : begins[count]);
	ck_assert_uint_eq(reader.passed_over,
			  lost + 1 < count ? begins[lost + 1] - begins[lost] : 0);
}

START_TEST(what_is_written_is_read)
{
	reads(journal, journal_bytes, RECORDS, RECORDS);
}
END_TEST

START_TEST(a_journal_cut_anywhere_ends_with_its_last_whole_record)
{
	struct owed_journal_reader reader;

	for (size_t length = 0; length < journal_bytes; length++) {
		/* A copy of its own size: reading over its end is an error the sanitizer sees. */
		uint8_t *cut = malloc(length > 0 ? length : 1);
		unsigned whole = 0;

		memcpy(cut, journal, length);
		while (whole < RECORDS && begins[whole + 1] <= length)
			whole++;
		if (length < OWED_JOURNAL_HEADER_BYTES)
			ck_assert_int_eq(owed_journal_open(&reader, cut, length), -EBADMSG);
		else
			reads(cut, length, whole, whole);
		free(cut);
	}
}
END_TEST

START_TEST(a_byte_damaged_anywhere_costs_its_record_and_no_other)
{
	struct owed_journal_reader reader;

	for (size_t at = 0; at < journal_bytes; at++) {
		for (unsigned flip = 1; flip < 256; flip *= 2) {
			unsigned hit = 0;

			journal[at] ^= (uint8_t)flip;
			while (hit < RECORDS && begins[hit + 1] <= at)
				hit++;
			if (at < OWED_JOURNAL_HEADER_BYTES)
				ck_assert_int_eq(owed_journal_open(&reader, journal, journal_bytes),
						 -EBADMSG);
			else
				reads(journal, journal_bytes, RECORDS, hit);
			journal[at] ^= (uint8_t)flip;
		}
	}
}
END_TEST

START_TEST(a_record_elsewhere_than_it_was_written_is_none)
{
	struct owed_journal_reader reader;
	struct owed_record record;

	/* The second record's bytes in the first one's place. */
	memmove(journal + begins[0], journal + begins[1], begins[2] - begins[1]);
	ck_assert_int_eq(owed_journal_open(&reader, journal, begins[0] + begins[2] - begins[1]), 0);
	ck_assert(!owed_journal_next(&reader, &record));
}
END_TEST

START_TEST(keys_are_what_memcached_can_be_told)
{
	char key[OWED_KEY_MAX + 1];

	memset(key, 'k', sizeof(key));
	ck_assert(!owed_key_valid(key, 0));
	ck_assert(owed_key_valid(key, 1));
	ck_assert(owed_key_valid(key, OWED_KEY_MAX));
	ck_assert(!owed_key_valid(key, OWED_KEY_MAX + 1));
	for (unsigned c = 0; c < 256; c++) {
		key[5] = (char)c;
		ck_assert(owed_key_valid(key, 186));
		ck_assert_int_eq(owed_key_valid(key, 187),
				 c != ' ' && c != 0 && c != '\r' && c != '\n');
	}
}
END_TEST

START_TEST(a_whole_record_with_a_forbidden_key_is_none)
{
	struct owed_journal_reader reader;
	uint8_t key[OWED_KEY_MAX] = {0};
	struct owed_record record = {
	    .kind = OWED_RECORD_OWED, .key_bytes = sizeof(key), .key = key};
	size_t bytes = OWED_JOURNAL_HEADER_BYTES;

	bytes += owed_record_encode(&record, bytes, journal + bytes);
	ck_assert_int_eq(owed_journal_open(&reader, journal, bytes), 0);
	ck_assert(!owed_journal_next(&reader, &record));
	ck_assert_uint_eq(reader.whole, OWED_JOURNAL_HEADER_BYTES);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("owed_journal");
	TCase *tcase = tcase_create("journal");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, set_up, NULL);
	tcase_add_test(tcase, what_is_written_is_read);
	tcase_add_test(tcase, a_journal_cut_anywhere_ends_with_its_last_whole_record);
	tcase_add_test(tcase, a_byte_damaged_anywhere_costs_its_record_and_no_other);
	tcase_add_test(tcase, a_record_elsewhere_than_it_was_written_is_none);
	tcase_add_test(tcase, keys_are_what_memcached_can_be_told);
	tcase_add_test(tcase, a_whole_record_with_a_forbidden_key_is_none);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
