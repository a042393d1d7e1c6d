/* test_screen.c - text for a terminal: folded to its width, its alarms coloured, and tables that
 * are too wide laid out row by row. */
#include "admin/screen.h"

#include "admin/table.h"
#include "scratch.h"

static void assert_folded(const char *text, unsigned columns, bool coloured, const char *wanted)
{
	char *folded;

	ck_assert_int_eq(screen_fold(text, columns, coloured, &folded), 0);
	ck_assert_str_eq(folded, wanted);
	free(folded);
}

START_TEST(what_fits_stays)
{
	assert_folded("a b  c\n\n  d\n", 0, false, "a b  c\n\n  d\n");
	assert_folded("a b  c\n\n  d\n", 40, false, "a b  c\n\n  d\n");
	assert_folded("no end", 40, false, "no end\n");
	assert_folded("", 40, false, "");
}
END_TEST

START_TEST(long_line_goes_on_below_its_words)
{
	assert_folded("waits for     the agent a2, which does not answer\n", 40, false,
		      "waits for     the agent a2, which does\n              not answer\n");
	assert_folded("words without a second column are here\n", 24, false,
		      "words without a second\n    column are here\n");
	assert_folded("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", 20, false,
		      "aaaaaaaaaaaaaaaaaaaa\n    aaaaaaaaaaaa\n");
}
END_TEST

START_TEST(what_is_in_quotes_can_be_copied)
{
	assert_folded("run 'mcadmin status --watch --agent a1'; it's this host's\n", 24, false,
		      "run\n    'mcadmin status --watch --agent a1';\n    it's this host's\n");
	assert_folded("(see 'mcadmin x y', or go)\n", 20, false,
		      "(see 'mcadmin x y',\n    or go)\n");
	assert_folded("'this is never closed, so it is folded\n", 20, false,
		      "'this is never\n    closed, so it is\n    folded\n");
}
END_TEST

START_TEST(what_was_broken_for_eighty_columns_is_broken_anew)
{
	static const char option[] = "      --ask yes|no          ask the servers\n"
				     "                            what they hold\n"
				     "      --json                as one JSON object\n";

	assert_folded(option, 80, false, option);
	assert_folded(option, 40, false,
		      "      --ask yes|no          ask the\n          servers what they hold\n"
		      "      --json                as one JSON\n          object\n");
	assert_folded(
	    "  Nothing is lost: every key has stayed at its owner of epoch 1,\n"
	    "  and the cluster settles again.\n\n  mcadmin status\n  mcadmin doctor\n",
	    40, false,
	    "  Nothing is lost: every key has stayed\n  at its owner of epoch 1, and the\n"
	    "  cluster settles again.\n\n  mcadmin status\n  mcadmin doctor\n");
	/* What stands elsewhere is a sentence of its own. */
	assert_folded("FAULT  cas     s3: CAS is off (-C)\n               Start it without.\n", 30,
		      false,
		      "FAULT  cas     s3: CAS is off\n       (-C)\n               Start it\n"
		      "            without.\n");
}
END_TEST

START_TEST(no_line_is_too_long_at_any_width)
{
	for (unsigned columns = 20; columns < 100; columns++) {
		char *folded;

		ck_assert_int_eq(
		    screen_fold("owes          agent a1 1 invalidation of 100 at most, 32 bytes, "
				"the oldest for 2 h 1 min\n  s1: clients: 5 adopted, 4 idle\n",
				columns, false, &folded),
		    0);
		for (const char *line = folded; *line != '\0';) {
			const size_t length = strcspn(line, "\n");

			ck_assert_uint_le(length, columns);
			line += length + 1;
		}
		free(folded);
	}
}
END_TEST

START_TEST(alarms_have_colours)
{
	assert_folded("ISOLATED      a1\n", 0, true, "\033[31mISOLATED\033[0m      a1\n");
	assert_folded(
	    "FAULT  x\nWARN   y\nok     z\n", 0, true,
	    "\033[31mFAULT\033[0m  x\n\033[33mWARN\033[0m   y\n\033[32mok\033[0m     z\n");
	assert_folded("cluster  WEB\nCOPY\nok\n", 0, true, "cluster  WEB\nCOPY\nok\n");
	assert_folded("ISOLATED      a1\n", 0, false, "ISOLATED      a1\n");
}
END_TEST

START_TEST(wide_table_is_laid_out_row_by_row)
{
	static const char *const headings[] = {"server", "address", ">weight", ""};
	struct table *table = table_new(headings, 4);
	struct page page;

	table_cell(table, "s1");
	table_cell(table, "10.0.0.1:11211");
	table_cell(table, "100");
	table_cell(table, "new");
	table_cell(table, "s2");
	table_cell(table, "10.0.0.2:11211");
	table_cell(table, "7");
	table_cell(table, "%s", "");
	ck_assert_int_eq(page_begin(&page, stdout), 0);
	page.columns = 24;
	ck_assert_uint_eq(screen_columns(page.text), 24);
	ck_assert_int_eq(table_print(table, "  ", page.text), 0);
	(void)fflush(page.text);
	ck_assert_str_eq(page.bytes, "  s1\n"
				     "    address 10.0.0.1:11211\n"
				     "    weight 100, new\n"
				     "  s2\n"
				     "    address 10.0.0.2:11211\n"
				     "    weight 7\n");
	page.columns = 0;
	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stdout));
	ck_assert_int_eq(page_end(&page, stdout), 0);
	table_free(table);
}
END_TEST

START_TEST(nothing_but_a_terminal_has_a_width)
{
	FILE *file = tmpfile();

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(screen_columns(file), 0);
	ck_assert_uint_eq(screen_rows(file), 0);
	(void)fclose(file);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("screen");
	TCase *tcase = tcase_create("screen");

	tcase_add_checked_fixture(tcase, scratch_setup, scratch_teardown);
	tcase_add_test(tcase, what_fits_stays);
	tcase_add_test(tcase, long_line_goes_on_below_its_words);
	tcase_add_test(tcase, what_is_in_quotes_can_be_copied);
	tcase_add_test(tcase, what_was_broken_for_eighty_columns_is_broken_anew);
	tcase_add_test(tcase, no_line_is_too_long_at_any_width);
	tcase_add_test(tcase, alarms_have_colours);
	tcase_add_test(tcase, wide_table_is_laid_out_row_by_row);
	tcase_add_test(tcase, nothing_but_a_terminal_has_a_width);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
