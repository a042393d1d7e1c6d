/* test_json.c - what is written is one JSON value on one line, whatever the strings hold. */
#include "admin/json.h"

#include "scratch.h"

static struct json json;
static char *text;
static size_t text_bytes;
static FILE *out;

static void setup(void)
{
	out = open_memstream(&text, &text_bytes);
	ck_assert_ptr_nonnull(out);
	json_begin(&json, out);
}

static void teardown(void)
{
	(void)fclose(out);
	free(text);
}

static void assert_written(const char *want)
{
	json_end(&json);
	ck_assert_str_eq(text, want);
}

START_TEST(levels_and_commas_stand_where_they_must)
{
	json_object_open(&json, NULL);
	json_unsigned(&json, "a", UINT64_MAX);
	json_array_open(&json, "b");
	json_array_close(&json);
	json_array_open(&json, "c");
	json_signed(&json, NULL, -1);
	json_object_open(&json, NULL);
	json_object_close(&json);
	json_bool(&json, NULL, true);
	json_bool(&json, NULL, false);
	json_array_close(&json);
	json_decimal(&json, "d", 25.04);
	json_string(&json, "e", NULL);
	json_hex(&json, "f", (const uint8_t *)"\x00\xff", 2);
	json_object_close(&json);
	assert_written("{\"a\":18446744073709551615,\"b\":[],\"c\":[-1,{},true,false],"
		       "\"d\":25.0,\"e\":null,\"f\":\"00ff\"}\n");
}
END_TEST

static const struct {
	const char *value, *want;
} strings[] = {
    {"", "\"\"\n"},
    {"a\"b\\c", "\"a\\\"b\\\\c\"\n"},
    {"\n\t\x1b\x7f", "\"\\u000a\\u0009\\u001b\\u007f\"\n"},
    {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"\n"},
    {"\x80", "\"\\ufffd\"\n"},		  /* a continuation alone */
    {"\xc3", "\"\\ufffd\"\n"},		  /* cut off by the end */
    {"\xe2\x82", "\"\\ufffd\\ufffd\"\n"}, /* the same, later */
    {"\xc0\xaf", "\"\\ufffd\\ufffd\"\n"}, /* overlong */
    {"\xe0\x80\xaf", "\"\\ufffd\\ufffd\\ufffd\"\n"},
    {"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"\n"},		/* a surrogate */
    {"\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"\n"}, /* beyond U+10FFFF */
    {"\xff\"", "\"\\ufffd\\\"\"\n"},
};

START_TEST(any_bytes_become_a_valid_string)
{
	json_string(&json, NULL, strings[_i].value);
	assert_written(strings[_i].want);
}
END_TEST

START_TEST(names_are_escaped_too)
{
	json_object_open(&json, NULL);
	json_string(&json, "a\"", "b");
	json_object_close(&json);
	assert_written("{\"a\\\"\":\"b\"}\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("json");
	TCase *tcase = tcase_create("json");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, levels_and_commas_stand_where_they_must);
	tcase_add_loop_test(tcase, any_bytes_become_a_valid_string, 0,
			    sizeof(strings) / sizeof(strings[0]));
	tcase_add_test(tcase, names_are_escaped_too);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
