/* test_mc_protocol.c - memcached's replies as they come, in pieces and hostile; keys and commands.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/mc_protocol.h"

static struct mc_reply reply;
static size_t used;

static int parse(const char *text)
{
	return mc_reply_parse(text, strlen(text), 1000, &reply, &used);
}

START_TEST(codes_are_told_apart)
{
	static const struct {
		const char *text;
		enum mc_code code;
	} lines[] = {
	    {"HD\r\n", MC_HD},
	    {"EN\r\n", MC_EN},
	    {"NS\r\n", MC_NS},
	    {"EX c0\r\n", MC_EX},
	    {"NF\r\n", MC_NF},
	    {"MN\r\n", MC_MN},
	    {"END\r\n", MC_END},
	    {"ERROR\r\n", MC_ERROR},
	    {"ERROR metadump not allowed\r\n", MC_ERROR},
	    {"CLIENT_ERROR bad data chunk\r\n", MC_CLIENT_ERROR},
	    {"SERVER_ERROR out of memory\r\n", MC_SERVER_ERROR},
	    {"BUSY currently processing crawler request\r\n", MC_BUSY},
	    {"STAT pid 1\r\n", MC_LINE},
	    {"key=a exp=-1\n", MC_LINE},
	    {"HDx\r\n", MC_LINE},
	    {"ENDS\r\n", MC_LINE},
	    {"\r\n", MC_LINE},
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		ck_assert_int_eq(parse(lines[i].text), 1);
		ck_assert_msg(reply.code == lines[i].code, "%s", lines[i].text);
		ck_assert_uint_eq(used, strlen(lines[i].text));
	}
}
END_TEST

START_TEST(flags_of_a_reply_are_read)
{
	ck_assert_int_eq(parse("HD c18446744073709551615 s7 t-1 f4294967295 W X Z Oopaque b\r\n"),
			 1);
	ck_assert(reply.has_cas && reply.has_size && reply.has_ttl && reply.has_flags);
	ck_assert_uint_eq(reply.cas, UINT64_MAX);
	ck_assert_uint_eq(reply.size, 7);
	ck_assert_int_eq(reply.ttl, -1);
	ck_assert_uint_eq(reply.client_flags, UINT32_MAX);
	ck_assert(reply.won && reply.stale && reply.sent);
	ck_assert_int_eq(parse("HD\r\n"), 1);
	ck_assert(!reply.has_cas && !reply.won && !reply.stale && !reply.sent);
}
END_TEST

START_TEST(a_value_is_borrowed_whole)
{
	ck_assert_int_eq(parse("VA 7 c5 t30\r\nab\r\ncd\n\r\nHD\r\n"), 1);
	ck_assert_int_eq(reply.code, MC_VA);
	ck_assert_uint_eq(reply.value_bytes, 7);
	ck_assert_mem_eq(reply.value, "ab\r\ncd\n", 7);
	ck_assert_uint_eq(reply.cas, 5);
	ck_assert_uint_eq(used, 22);
	ck_assert_int_eq(parse("VA 0 Z\r\n\r\n"), 1);
	ck_assert_uint_eq(reply.value_bytes, 0);
	ck_assert(reply.sent);
}
END_TEST

START_TEST(a_reply_in_pieces_says_what_is_missing)
{
	const char *text = "VA 5 c1\r\nhello\r\n";

	for (size_t i = 1; i < strlen(text); i++) {
		ck_assert_int_eq(mc_reply_parse(text, i, 1000, &reply, &used), 0);
		ck_assert_uint_gt(used, i);
		ck_assert_uint_eq(used, i < 9 ? i + 1 : strlen(text));
	}
	ck_assert_int_eq(parse(text), 1);
}
END_TEST

START_TEST(hostile_replies_are_refused)
{
	static const char *const lines[] = {
	    "VA\r\n\r\n",
	    "VA x\r\n\r\n",
	    "VA -1\r\n\r\n",
	    "VA 1001 c1\r\n",
	    "VA 18446744073709551615\r\n",
	    "VA 18446744073709551616\r\n",
	    "VA 3\r\nabcdef\r\n",
	    "VA 3\r\nabc\n\n",
	    "HD c\r\n",
	    "HD c1x\r\n",
	    "HD c-1\r\n",
	    "HD c18446744073709551616\r\n",
	    "HD f4294967296\r\n",
	    "HD t\r\n",
	    "HD t--1\r\n",
	    "HD s1.5\r\n",
	};
	char *endless = malloc(MC_LINE_MAX + 1);

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		ck_assert_msg(parse(lines[i]) == -EBADMSG, "%s", lines[i]);
	memset(endless, 'x', MC_LINE_MAX + 1);
	ck_assert_int_eq(mc_reply_parse(endless, MC_LINE_MAX - 1, 1000, &reply, &used), 0);
	ck_assert_int_eq(mc_reply_parse(endless, MC_LINE_MAX + 1, 1000, &reply, &used), -EBADMSG);
	free(endless);
}
END_TEST

/* ---- keys and commands ---- */

static struct mc_key key(const char *bytes, size_t length)
{
	struct mc_key out;

	ck_assert_int_eq(mc_key_write(bytes, length, &out), 0);
	return out;
}

START_TEST(keys_go_as_they_are_or_in_base64)
{
	static const struct {
		const char *bytes;
		size_t length;
		const char *text;
		bool base64;
	} keys[] = {
	    {"a%:\xc3\xa9", 5, "a%:\xc3\xa9", false},
	    {"a b\x01\xff", 5, "YSBiAf8=", true},
	    {"\0\n\r ", 4, "AAoNIA==", true},
	    {"a\x7f_", 3, "YX9f", true},
	    {" ", 1, "IA==", true},
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct mc_key out = key(keys[i].bytes, keys[i].length);

		ck_assert_int_eq(out.base64, keys[i].base64);
		ck_assert_uint_eq(out.length, strlen(keys[i].text));
		ck_assert_mem_eq(out.text, keys[i].text, out.length);
	}
}
END_TEST

START_TEST(keys_that_cannot_be_named_are_told)
{
	char bytes[251];
	struct mc_key out;

	memset(bytes, ' ', sizeof(bytes));
	ck_assert_int_eq(mc_key_write(bytes, 186, &out), 0);
	ck_assert_uint_eq(out.length, 248);
	ck_assert_int_eq(mc_key_write(bytes, 187, &out), -ENAMETOOLONG);
	memset(bytes, '\t', sizeof(bytes)); /* a text line can carry it, if need be */
	ck_assert_int_eq(mc_key_write(bytes, 250, &out), 0);
	ck_assert(!out.base64);
	ck_assert_int_eq(mc_key_write(bytes, 251, &out), -EINVAL);
	ck_assert_int_eq(mc_key_write(bytes, 0, &out), -EINVAL);
}
END_TEST

START_TEST(commands_are_as_the_protocol_says)
{
	struct mc_key plain = key("foo", 3), binary = key("a b", 3);
	char out[MC_COMMAND_MAX];

#define WRITES(expression, text)                                                                   \
	do {                                                                                       \
		size_t length = expression;                                                        \
		ck_assert_uint_eq(length, sizeof(text) - 1);                                       \
		ck_assert_mem_eq(out, text, length);                                               \
	} while (0)
	WRITES(mc_write_get_cas(out, &plain), "mg foo u c s\r\n");
	WRITES(mc_write_get_cas(out, &binary), "mg YSBi b u c s\r\n");
	WRITES(mc_write_get_value(out, &plain), "mg foo u v f t c\r\n");
	WRITES(mc_write_reserve(out, &plain, 10), "mg foo N10 u c s\r\n");
	WRITES(mc_write_delete(out, &binary), "md YSBi b\r\n");
	WRITES(mc_write_delete_cas(out, &plain, UINT64_MAX), "md foo C18446744073709551615\r\n");
	WRITES(mc_write_set(out, &plain, 5, 7, 9, 30), "ms foo 5 C7 F9 T30 c\r\n");
	WRITES(mc_write_set(out, &binary, 0, 0, 0, 0), "ms YSBi 0 b c\r\n");
	WRITES(mc_write_set_quiet(out, &plain, 5, 7, 0, 0, UINT32_MAX),
	       "ms foo 5 C7 q O4294967295\r\n");
	WRITES(mc_write_delete_cas_quiet(out, &binary, 7, 8), "md YSBi b C7 q O8\r\n");
}
END_TEST

START_TEST(the_longest_command_fits)
{
	char bytes[250], out[MC_COMMAND_MAX];
	struct mc_key longest;

	memset(bytes, 'k', sizeof(bytes));
	longest = key(bytes, sizeof(bytes));
	ck_assert_uint_le(mc_write_set_quiet(out, &longest, UINT64_MAX, UINT64_MAX, UINT32_MAX,
					     INT64_MAX, UINT32_MAX),
			  sizeof(out));
	memset(bytes, ' ', sizeof(bytes));
	longest = key(bytes, 186);
	ck_assert_uint_le(mc_write_set_quiet(out, &longest, UINT64_MAX, UINT64_MAX, UINT32_MAX,
					     INT64_MAX, UINT32_MAX),
			  sizeof(out));
}
END_TEST

/* ---- metadump, stats ---- */

static struct mc_dump_line line;

static int dump_line(const char *text)
{
	return mc_dump_line_parse(text, strlen(text), &line);
}

START_TEST(dumped_keys_are_decoded)
{
	ck_assert_int_eq(dump_line("key=a%25%3Ab%C3%a9 exp=-1 la=1 cas=4 fetch=no cls=7 size=312"),
			 0);
	ck_assert_uint_eq(line.key_bytes, 6);
	ck_assert_uint_eq(line.accessed, 1);
	ck_assert(!line.fetched);
	ck_assert_int_eq(dump_line("key=a exp=-1 la=77 cas=4 fetch=yes cls=7 size=3"), 0);
	ck_assert_uint_eq(line.accessed, 77);
	ck_assert(line.fetched);
	ck_assert_int_eq(dump_line("key=a exp=-1 la=x cas=4 fetch=yes cls=7 size=3"), -EBADMSG);
	ck_assert_int_eq(dump_line("key=a%25%3Ab%C3%a9 exp=-1 la=1 cas=4 fetch=no cls=7 size=312"),
			 0);
	ck_assert_uint_eq(line.key_bytes, 6);
	ck_assert_mem_eq(line.key, "a%:b\xc3\xa9", 6);
	ck_assert_int_eq(line.expires, -1);
	ck_assert_uint_eq(line.cas, 4);
	ck_assert_uint_eq(line.size, 312);
	ck_assert_int_eq(
	    dump_line("key=%00%20 exp=1795369712 la=0 cas=18446744073709551615 fetch=yes "
		      "cls=1 size=70 ext_page=3"),
	    0);
	ck_assert_uint_eq(line.key_bytes, 2);
	ck_assert_mem_eq(line.key, "\0 ", 2);
	ck_assert_int_eq(line.expires, 1795369712);
}
END_TEST

START_TEST(lines_that_are_no_keys_are_refused)
{
	static const char *const lines[] = {
	    "",
	    "END",
	    "key=a exp=-1 la=1 fetch=no cls=7 size=312",	 /* no cas */
	    "exp=-1 la=1 cas=4 fetch=no cls=7 size=312",	 /* no key */
	    "key=a exp=-1 la=1 cas=4 fetch=no cls=7",		 /* no size */
	    "key= exp=-1 la=1 cas=4 fetch=no cls=7 size=312",	 /* empty */
	    "key=%2 exp=-1 la=1 cas=4 fetch=no cls=7 size=312",	 /* cut */
	    "key=%g1 exp=-1 la=1 cas=4 fetch=no cls=7 size=312", /* no hex */
	    "key=a\x01 exp=-1 la=1 cas=4 fetch=no cls=7 size=3", /* not encoded */
	    "key=a exp=-2 la=1 cas=4 fetch=no cls=7 size=312",
	    "key=a exp=x la=1 cas=4 fetch=no cls=7 size=312",
	    "key=a exp=-1 la=1 cas=-4 fetch=no cls=7 size=312",
	    "key=a exp=-1 la=1 cas=4 fetch cls=7 size=312",
	};
	char longest[1200] = "key=";

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		ck_assert_msg(dump_line(lines[i]) == -EBADMSG, "%s", lines[i]);
	for (int i = 0; i < 250; i++)
		strcat(longest, "%41");
	strcat(longest, " exp=-1 la=1 cas=4 fetch=no cls=7 size=312");
	ck_assert_int_eq(dump_line(longest), 0);
	ck_assert_uint_eq(line.key_bytes, 250);
	longest[strlen("key=")] = 'A'; /* "A41%41...": 252 bytes now */
	ck_assert_int_eq(dump_line(longest), -EBADMSG);
}
END_TEST

START_TEST(stats_are_taken_apart)
{
	const char *name, *value;
	size_t name_bytes, value_bytes;
	uint64_t number;

	ck_assert_int_eq(
	    mc_stat_parse("STAT pid 12 3", 13, &name, &name_bytes, &value, &value_bytes), 0);
	ck_assert_uint_eq(name_bytes, 3);
	ck_assert_mem_eq(name, "pid", 3);
	ck_assert_uint_eq(value_bytes, 4);
	ck_assert_mem_eq(value, "12 3", 4);
	ck_assert_int_eq(mc_stat_parse("STAT pid", 8, &name, &name_bytes, &value, &value_bytes),
			 -EBADMSG);
	ck_assert_int_eq(mc_stat_parse("STAT", 4, &name, &name_bytes, &value, &value_bytes),
			 -EBADMSG);
	ck_assert_int_eq(mc_stat_parse("pid 1", 5, &name, &name_bytes, &value, &value_bytes),
			 -EBADMSG);
	ck_assert(mc_number_parse("18446744073709551615", 20, &number) && number == UINT64_MAX);
	ck_assert(!mc_number_parse("18446744073709551616", 20, &number));
	ck_assert(!mc_number_parse("99999999999999999999", 20, &number));
	ck_assert(!mc_number_parse("", 0, &number));
	ck_assert(!mc_number_parse("1 ", 2, &number));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mc_protocol");
	TCase *bytes = tcase_create("bytes");
	SRunner *runner;
	int failed;

	tcase_add_test(bytes, codes_are_told_apart);
	tcase_add_test(bytes, flags_of_a_reply_are_read);
	tcase_add_test(bytes, a_value_is_borrowed_whole);
	tcase_add_test(bytes, a_reply_in_pieces_says_what_is_missing);
	tcase_add_test(bytes, hostile_replies_are_refused);
	tcase_add_test(bytes, keys_go_as_they_are_or_in_base64);
	tcase_add_test(bytes, keys_that_cannot_be_named_are_told);
	tcase_add_test(bytes, commands_are_as_the_protocol_says);
	tcase_add_test(bytes, the_longest_command_fits);
	tcase_add_test(bytes, dumped_keys_are_decoded);
	tcase_add_test(bytes, lines_that_are_no_keys_are_refused);
	tcase_add_test(bytes, stats_are_taken_apart);
	suite_add_tcase(suite, bytes);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
