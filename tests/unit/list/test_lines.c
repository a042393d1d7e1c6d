/* test_lines.c - a small form: which lines may stand, may be missing, may stand again. */
#include <errno.h>

#include "list/line_values.h"
#include "sample.h"

struct made {
	unsigned magics, values, marks, notes;
	char words[64];
};

static int take_magic(struct lines *lines, const struct word *words)
{
	((struct made *)lines->made)->magics++;
	return line_format(lines, words[1]);
}

static int take_value(struct lines *lines, const struct word *words)
{
	uint64_t value = 0;

	((struct made *)lines->made)->values++;
	return line_number(lines, words[1], "value", 1, 9, &value);
}

static int take_mark(struct lines *lines, const struct word *words)
{
	(void)words;
	((struct made *)lines->made)->marks++;
	return 0;
}

static int take_note(struct lines *lines, const struct word *words)
{
	struct made *made = lines->made;

	made->notes++;
	(void)snprintf(made->words, sizeof(made->words), "%.*s/%u", (int)words[1].bytes,
		       words[1].text, (unsigned)lines->word_count);
	return 0;
}

static const struct lines_step steps[] = {
    {"sample", "sample 1", 2, 2, false, false, take_magic},
    {"value", "value N", 2, 2, false, true, take_value},
    {"mark", "mark", 1, 1, true, false, take_mark},
    {"note", "note WORD [WORD]", 2, 3, true, true, take_note},
};

static const struct lines_form form = {
    .name = "sample",
    .steps = steps,
    .step_count = 4,
    .long_line = "note ",
    .long_line_max = 600,
};

static struct made made;
static struct failure failure;

static void setup(void)
{
	memset(&made, 0, sizeof(made));
	memset(&failure, 0, sizeof(failure));
}

static int parse(const char *text)
{
	size_t body_bytes = 0;
	int error = lines_parse(&form, &made, text, strlen(text), &body_bytes, &failure);

	ck_assert_uint_eq(body_bytes, error == 0 ? strlen(text) : 0);
	return error;
}

static void refuses(const char *text, const char *reason)
{
	ck_assert_int_eq(parse(text), -EBADMSG);
	ck_assert_str_eq(failure.text, reason);
}

START_TEST(lines_that_may_be_missing_or_stand_again_do)
{
	ck_assert_int_eq(parse("sample 1\nvalue 1\n"), 0);
	ck_assert_int_eq(parse("sample 1\nvalue 1\nvalue 2\nmark\n"), 0);
	ck_assert_int_eq(parse("sample 1\nvalue 1\nnote a\n"), 0);
	ck_assert_int_eq(parse("sample 1\nvalue 1\nmark\nnote a\nnote b c\n"), 0);
	ck_assert_str_eq(made.words, "b/3");
	ck_assert_uint_eq(made.magics, 4);
	ck_assert_uint_eq(made.values, 5);
	ck_assert_uint_eq(made.marks, 2);
	ck_assert_uint_eq(made.notes, 3);
}
END_TEST

START_TEST(refusals_say_what_may_stand_there)
{
	refuses("value 1\n", "line 1: found `value`: want `sample 1` here");
	refuses("sample 1\nmark\n", "line 2: found `mark`: want `value N` here");
	refuses("sample 1\n", "line 2: the sample ends here: want `value N`");
	refuses("sample 1\nvalue 1\nmark\nmark\n",
		"line 4: found `mark`: want `note WORD [WORD]` or the end of the sample here");
	refuses("sample 1\nvalue 1\nnote a\nvalue 2\n",
		"line 4: found `value`: want `note WORD [WORD]` or the end of the sample here");
	refuses("sample 1\nvalue 1\nx\n", "line 3: found `x`: want `value N` or `mark` or "
					  "`note WORD [WORD]` or the end of the sample here");
	refuses("sample 1\nvalue 1\nmark x\n", "line 3: 2 words: want `mark`");
	refuses("sample 1\nvalue 1\nnote\n", "line 3: 1 words: want `note WORD [WORD]`");
	refuses("sample 1\nvalue 1\nnote 1 2 3\n", "line 3: 4 words: want `note WORD [WORD]`");
	refuses("sample 1\nvalue 1\nnote\ta\n",
		"line 3: byte 0x09 at column 5: the sample must be printable ASCII, its lines "
		"ending in a newline alone");
}
END_TEST

START_TEST(line_that_is_refused_stops_the_parsing)
{
	refuses("sample 2\nvalue 1\n", "line 1: sample format `2`: only format 1 is known");
	ck_assert_uint_eq(made.values, 0);
	refuses("sample 1\nvalue 0\nmark\n",
		"line 2: value `0`: want a decimal number from 1 to 9 without leading zeros");
	ck_assert_uint_eq(made.marks, 0);
}
END_TEST

START_TEST(only_the_long_line_may_be_long)
{
	char text[800] = "sample 1\nvalue 1\nnote ";
	const size_t begin = strlen(text);

	memset(text + begin, 'x', 595);
	text[begin + 595] = '\n';
	ck_assert_int_eq(parse(text), 0);
	memcpy(text + begin + 595, "x\n", 3);
	refuses(text, "line 3: line of 601 bytes: at most 600 are allowed");
	memcpy(text + begin - 5, "notes", 5);
	refuses(text, "line 3: line of 601 bytes: at most 512 are allowed");
}
END_TEST

static int print_word(const void *what, FILE *out)
{
	fputs(what, out);
	return strcmp(what, "bad") == 0 ? -EINVAL : 0;
}

START_TEST(what_is_printed_is_what_is_written)
{
	char *text = NULL;
	size_t bytes = 0;

	ck_assert_int_eq(lines_write(print_word, "good", &text, &bytes), 0);
	ck_assert_uint_eq(bytes, 4);
	ck_assert_mem_eq(text, "good", 4);
	free(text);
	ck_assert_int_eq(lines_write(print_word, "bad", &text, &bytes), -EINVAL);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lines");
	TCase *tcase = tcase_create("lines");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, lines_that_may_be_missing_or_stand_again_do);
	tcase_add_test(tcase, refusals_say_what_may_stand_there);
	tcase_add_test(tcase, line_that_is_refused_stops_the_parsing);
	tcase_add_test(tcase, only_the_long_line_may_be_long);
	tcase_add_test(tcase, what_is_printed_is_what_is_written);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
