/* test_list_text.c - one spelling for each value. */
#include "sample.h"

#include "list/list_text.h"

static struct word word_of(const char *text)
{
	return (struct word){text, strlen(text)};
}

START_TEST(numbers_are_canonical_decimal_in_range)
{
	static const struct {
		const char *text;
		uint64_t min, max;
		bool valid;
		uint64_t number;
	} cases[] = {
	    {"0", 0, 9, true, 0},
	    {"7", 0, 9, true, 7},
	    {"9", 0, 9, true, 9},
	    {"10", 0, 9, false, 0},
	    {"4", 5, 9, false, 0},
	    {"5", 5, 9, true, 5},
	    {"18446744073709551615", 0, UINT64_MAX, true, UINT64_MAX},
	    {"18446744073709551616", 0, UINT64_MAX, false, 0},
	    {"184467440737095516150", 0, UINT64_MAX, false, 0},
	    {"99999999999999999999999999", 0, UINT64_MAX, false, 0},
	    {"", 0, 9, false, 0},
	    {"00", 0, 9, false, 0},
	    {"07", 0, 9, false, 0},
	    {"+7", 0, 9, false, 0},
	    {"-7", 0, 9, false, 0},
	    {"7 ", 0, 9, false, 0},
	    {"0x7", 0, 9, false, 0},
	    {"7.0", 0, 9, false, 0},
	    {"1e1", 0, 99, false, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t number = 4711;

		ck_assert_msg(text_number(word_of(cases[i].text), cases[i].min, cases[i].max,
					  &number) == cases[i].valid,
			      "`%s`", cases[i].text);
		ck_assert_uint_eq(number, cases[i].valid ? cases[i].number : 4711);
	}
	ck_assert(!text_number((struct word){"7\0008", 3}, 0, 999, &(uint64_t){0}));
}
END_TEST

START_TEST(names_are_plain_and_short)
{
	static const char longest[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.";
	static const char *const good[] = {"a", "Z9", "0", "web.01_a-b", longest};
	static const char *const bad[] = {"",	      ".",   "..",  ".a",    "-a",
					  "_a",	      "a b", "a/b", "a\n",   "a\t",
					  "\xc3\xa4", "a:b", "a=b", "a\x7f", "a*"};
	char name[LIST_NAME_MAX + 1], too_long[LIST_NAME_MAX + 2];

	ck_assert_uint_eq(strlen(longest), LIST_NAME_MAX);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_msg(text_name(word_of(good[i]), name), "`%s`", good[i]);
		ck_assert_str_eq(name, good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!text_name(word_of(bad[i]), name), "`%s`", bad[i]);
	(void)snprintf(too_long, sizeof(too_long), "%sx", longest);
	ck_assert(!text_name(word_of(too_long), name));
	ck_assert(!text_name((struct word){"a\0b", 3}, name));
}
END_TEST

START_TEST(addresses_are_numeric_and_have_one_spelling)
{
	static const char *const good[] = {
	    "10.0.0.1:11211",	  "0.0.0.0:1",	     "255.255.255.255:65535",	 "[::1]:11211",
	    "[fd00::1:0:0:1]:80", "[2001:db8::1]:1", "[2001:db8:1:2:3:4:5:6]:1",
	};
	static const char *const bad[] = {
	    "",
	    ":",
	    "10.0.0.1",
	    "10.0.0.1:",
	    "10.0.0.1:0",
	    "10.0.0.1:65536",
	    "10.0.0.1:011211",
	    "10.0.0.1:+1",
	    "10.0.0.01:1",
	    "10.0.0:1",
	    "10.1:1",
	    "010.0.0.1:1",
	    "256.0.0.1:1",
	    "localhost:11211",
	    "cache01:11211",
	    "::1:11211",
	    "[10.0.0.1]:1",
	    "[::1]",
	    "[::1]:",
	    "[::1:1",
	    "::1]:1",
	    "[]:1",
	    "[0:0:0:0:0:0:0:1]:1",
	    "[::0001]:1",
	    "[2001:DB8::1]:1",
	    "[2001:db8:0:0:1:0:0:1]:1",
	    "[2001:db8::1:0:0]:1x",
	    "[::ffff:10.0.0.1]:1",
	    "[::ffff:a00:1]:1",
	    "[fe80::1%lo]:1",
	    "[[::1]]:1",
	    " 10.0.0.1:1",
	    "10.0.0.1 :1",
	    "10.0.0.1:1 ",
	    "/run/memcached.sock",
	};
	char address[LIST_ADDRESS_MAX + 1], too_long[4 * LIST_ADDRESS_MAX];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_msg(list_address_valid(good[i]), "`%s`", good[i]);
		ck_assert(text_address(word_of(good[i]), address));
		ck_assert_str_eq(address, good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!list_address_valid(bad[i]), "`%s`", bad[i]);
	ck_assert(!text_address((struct word){"10.0.0.1\0:1", 11}, address));
	memset(too_long, '1', sizeof(too_long));
	memcpy(too_long + sizeof(too_long) - 3, ":1", 3);
	ck_assert(!list_address_valid(too_long));
}
END_TEST

START_TEST(times_are_real_seconds_of_utc)
{
	static const char *const good[] = {"2026-11-22T10:00:00Z", "1970-01-01T00:00:00Z",
					   "2024-02-29T23:59:59Z", "2000-02-29T00:00:00Z",
					   "9999-12-31T23:59:59Z"};
	static const char *const bad[] = {"",
					  "2026-11-22T10:00:00",
					  "2026-11-22 10:00:00Z",
					  "2026-11-22t10:00:00Z",
					  "2026-11-22T10:00:00z",
					  "2026-11-22T10:00:00+",
					  "2026-13-01T00:00:00Z",
					  "2026-00-01T00:00:00Z",
					  "2026-01-00T00:00:00Z",
					  "2026-01-32T00:00:00Z",
					  "2026-04-31T00:00:00Z",
					  "2026-02-29T00:00:00Z",
					  "2100-02-29T00:00:00Z",
					  "2026-01-01T24:00:00Z",
					  "2026-01-01T00:60:00Z",
					  "2016-12-31T23:59:60Z",
					  "1969-12-31T23:59:59Z",
					  "2026-1-001T00:00:00Z",
					  "2026-11-22T10:00:00Z0"};
	char created[LIST_CREATED_CHARS + 1];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_msg(text_time(word_of(good[i]), created), "`%s`", good[i]);
		ck_assert_str_eq(created, good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!text_time(word_of(bad[i]), created), "`%s`", bad[i]);
}
END_TEST

START_TEST(hashes_are_lower_case_hex)
{
	static const char good[] =
	    "00ff0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab";
	char bent[sizeof(good) + 1];
	uint8_t hash[LIST_HASH_BYTES];

	ck_assert(text_hash(word_of(good), hash));
	ck_assert_uint_eq(hash[0], 0x00);
	ck_assert_uint_eq(hash[1], 0xff);
	ck_assert_uint_eq(hash[31], 0xab);
	for (size_t i = 0; i < sizeof(good) - 1; i++) {
		for (const char *c = "AgG/:`@ \n"; *c != '\0'; c++) {
			strcpy(bent, good);
			bent[i] = *c;
			ck_assert_msg(!text_hash(word_of(bent), hash), "`%s`", bent);
		}
	}
	ck_assert(!text_hash((struct word){good, sizeof(good) - 2}, hash));
	(void)snprintf(bent, sizeof(bent), "%s0", good);
	ck_assert(!text_hash(word_of(bent), hash));
	ck_assert(!text_hash(word_of(""), hash));
}
END_TEST

START_TEST(options_are_taken_off_the_front)
{
	struct word word = word_of("weight=5");

	ck_assert(!text_option(&word, "wipe="));
	ck_assert(!text_option(&word, "weight=55"));
	ck_assert(text_is(word, "weight=5"));
	ck_assert(text_option(&word, "weight="));
	ck_assert(text_is(word, "5"));
	ck_assert(!text_is(word, "55"));
	ck_assert(!text_is(word, ""));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("list_text");
	TCase *tcase = tcase_create("list_text");

	tcase_add_test(tcase, numbers_are_canonical_decimal_in_range);
	tcase_add_test(tcase, names_are_plain_and_short);
	tcase_add_test(tcase, addresses_are_numeric_and_have_one_spelling);
	tcase_add_test(tcase, times_are_real_seconds_of_utc);
	tcase_add_test(tcase, hashes_are_lower_case_hex);
	tcase_add_test(tcase, options_are_taken_off_the_front);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
