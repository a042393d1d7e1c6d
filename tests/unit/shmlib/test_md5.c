/* Suite of shmlib/md5.c: the digests of RFC 1321, and every length across two blocks. */
#include "md5.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void hex_print(const uint32_t digest[4], char hex[33])
{
	for (int i = 0; i < 16; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", digest[i / 4] >> (8 * (i % 4)) & 0xff);
}

static const struct {
	const char *text, *hex;
} known[] = {
    {"", "d41d8cd98f00b204e9800998ecf8427e"},
    {"a", "0cc175b9c0f1b6a831c399e269772661"},
    {"abc", "900150983cd24fb0d6963f7d28e17f72"},
    {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
    {"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
    {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
     "d174ab98d277d9f5a5611c2c9f419d9f"},
    {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
     "57edf4a22be3c955ac49da2e2107b67a"},
};

START_TEST(digests_are_those_of_the_standard)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		uint32_t digest[4];
		char hex[33];

		mcr_md5(known[i].text, strlen(known[i].text), digest);
		hex_print(digest, hex);
		ck_assert_str_eq(hex, known[i].hex);
	}
}
END_TEST

/* The digest of the digests of 0 to 250 bytes; so each padding there is has been made. */
START_TEST(every_length_of_a_key_is_right)
{
	uint32_t digests[251][4], all[4];
	char text[250], hex[33];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 7 + 1);
	for (size_t i = 0; i <= sizeof(text); i++) {
		mcr_md5(text, i, digests[i]);
		ck_assert_uint_eq(mcr_md5_first(text, i), digests[i][0]);
	}
	mcr_md5(digests, sizeof(digests), all);
	hex_print(all, hex);
	ck_assert_str_eq(hex, "4933852703cff974e3567ce45c176ddb");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shmlib/md5");
	TCase *tests = tcase_create("md5");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, digests_are_those_of_the_standard);
	tcase_add_test(tests, every_length_of_a_key_is_right);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
