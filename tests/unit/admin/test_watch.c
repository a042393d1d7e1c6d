/* test_watch.c - what a status says of the change that is watched, and how it is told. */
#include "admin/watch.h"

#include "scratch.h"

static struct status status;
static struct watch watch;

static void setup(void)
{
	memset(&status, 0, sizeof(status));
	watch = (struct watch){.epoch = 5};
}

static enum watch_state judge(uint64_t epoch, uint64_t next, bool settled, uint64_t change)
{
	status.epoch = epoch;
	status.next_epoch = next;
	status.settled = settled;
	status.change_epoch = change;
	return watch_judge(&watch, &status);
}

START_TEST(change_runs_until_its_epoch_has_settled)
{
	ck_assert_int_eq(judge(4, 0, true, 4), WATCH_RUNNING); /* not heard of it yet */
	ck_assert_int_eq(judge(4, 5, false, 5), WATCH_RUNNING);
	ck_assert_int_eq(judge(5, 0, false, 5), WATCH_RUNNING);
	ck_assert_int_eq(judge(5, 0, true, 5), WATCH_SETTLED);
}
END_TEST

START_TEST(first_list_settles_out_of_nothing)
{
	watch.epoch = 1;
	ck_assert_int_eq(judge(0, 0, false, 0), WATCH_RUNNING);
	ck_assert_int_eq(judge(1, 0, true, 1), WATCH_SETTLED);
}
END_TEST

START_TEST(change_that_was_seen_and_is_gone_was_undone)
{
	ck_assert_int_eq(judge(4, 5, false, 0), WATCH_RUNNING);
	ck_assert_int_eq(judge(4, 0, false, 0), WATCH_RUNNING); /* it is being undone */
	ck_assert_int_eq(judge(4, 0, true, 0), WATCH_UNDONE);
}
END_TEST

START_TEST(change_undone_before_anybody_looked_is_told_by_its_number)
{
	ck_assert_int_eq(judge(4, 0, true, 5), WATCH_UNDONE);
}
END_TEST

START_TEST(next_change_tells_how_ours_ended)
{
	ck_assert_int_eq(judge(5, 6, false, 6), WATCH_SETTLED);
	ck_assert_int_eq(judge(4, 6, false, 6), WATCH_UNDONE);
	ck_assert_int_eq(judge(6, 0, true, 6), WATCH_OVERTAKEN);
	ck_assert_int_eq(judge(7, 8, false, 8), WATCH_OVERTAKEN);
}
END_TEST

/* What is said of a change from list 1 to list 2, aborted at (3, 17). */
static enum watch_state judge_abort(uint64_t term, uint64_t serial, uint8_t active, uint8_t pending,
				    bool settled)
{
	struct order_binding bound = {.has_pending = true, .term = 3, .serial = 17};

	bound.active[0] = 1;
	bound.pending[0] = 2;
	status.term = term;
	status.serial = serial;
	status.active.there = true;
	status.active.bytes[0] = active;
	status.pending.there = pending != 0;
	status.pending.bytes[0] = pending;
	status.settled = settled;
	return watch_abort_judge(&bound, &status);
}

START_TEST(abort_runs_until_its_change_is_undone)
{
	ck_assert_int_eq(judge_abort(3, 18, 1, 2, false), WATCH_RUNNING);
	ck_assert_int_eq(judge_abort(3, 21, 1, 0, true), WATCH_UNDONE);
	ck_assert_int_eq(judge_abort(4, 1, 1, 0, true), WATCH_UNDONE);
	ck_assert_int_eq(judge_abort(3, 22, 1, 3, false), WATCH_UNDONE); /* the next change runs */
}
END_TEST

START_TEST(what_an_agent_says_from_before_the_abort_is_old)
{
	ck_assert_int_eq(judge_abort(3, 17, 1, 0, true), WATCH_RUNNING);
	ck_assert_int_eq(judge_abort(2, 99, 1, 0, true), WATCH_RUNNING);
	ck_assert_int_eq(judge_abort(3, 16, 5, 0, true), WATCH_RUNNING);
}
END_TEST

START_TEST(abort_that_came_to_nothing_is_told_as_such)
{
	ck_assert_int_eq(judge_abort(3, 30, 2, 0, true), WATCH_SETTLED);
	ck_assert_int_eq(judge_abort(3, 40, 3, 0, true), WATCH_OVERTAKEN);
	status.active.there = false;
	ck_assert_int_eq(watch_abort_judge(&(struct order_binding){0}, &status), WATCH_RUNNING);
}
END_TEST

START_TEST(keys_are_told_with_rate_and_time_left)
{
	char text[128];

	ck_assert_str_eq(watch_keys(&status, text, sizeof(text)), "");
	status.keys_found = 1000;
	status.keys_moved = 600;
	status.keys_left = 250;
	ck_assert_str_eq(watch_keys(&status, text, sizeof(text)), "600 keys moved (75.0 %)");
	status.keys_rate = 100;
	ck_assert_str_eq(watch_keys(&status, text, sizeof(text)),
			 "600 keys moved (75.0 %), 100/s, 2.5 s left");
	status.keys_left = 0;
	ck_assert_str_eq(watch_keys(&status, text, sizeof(text)), "600 keys moved (100.0 %)");
	status.keys_left = UINT64_MAX; /* nonsense stays within bounds */
	ck_assert_says(watch_keys(&status, text, sizeof(text)), "600 keys moved (0.0 %), 100/s, ");
	ck_assert_uint_lt(strlen(watch_keys(&status, text, 20)), 20);
}
END_TEST

/* What was written to `out` since the last time. */
static const char *written(FILE *out)
{
	static char text[1024];
	static long from;
	size_t got;

	(void)fseek(out, from, SEEK_SET);
	got = fread(text, 1, sizeof(text) - 1, out);
	text[got] = '\0';
	from = ftell(out);
	return text;
}

START_TEST(off_a_terminal_each_phase_has_one_line_and_what_holds_it_up_a_few)
{
	struct watch_progress progress;
	struct status_host host = {.name = "a2"};
	FILE *out = tmpfile();

	ck_assert_ptr_nonnull(out);
	watch_progress_begin(&progress, out);
	ck_assert(!progress.terminal);
	status.next_epoch = 5;
	strcpy(status.phase, "PREPARE");
	strcpy(status.waits_for, "a2 for 9 ms");
	watch_progress_show(&progress, &status, 100);
	watch_progress_show(&progress, &status, 3099);
	ck_assert_str_eq(written(out), "    0.1 s  PREPARE\n");
	watch_progress_show(&progress, &status, 3100);
	strcpy(status.waits_for, "a2 for 8 ms");
	watch_progress_show(&progress, &status, 13099);
	ck_assert_str_eq(written(out), "           waits for a2 for 9 ms\n");
	watch_progress_show(&progress, &status, 13100);
	ck_assert_str_eq(written(out), "           waits for a2 for 8 ms\n");
	strcpy(status.phase, "COPY");
	status.keys_found = 10;
	status.keys_moved = 4;
	status.hosts = &host;
	status.host_count = 1;
	strcpy(host.reason, "9 items are foreign");
	watch_progress_show(&progress, &status, 13200);
	watch_progress_show(&progress, &status, 13400);
	ck_assert_str_eq(written(out), "   13.2 s  COPY     4 keys moved (100.0 %)\n"
				       "           a2: 9 items are foreign\n");
	watch_progress_note(&progress, "no agent answers", 24000);
	watch_progress_note(&progress, "no agent answers", 44000);
	watch_progress_end(&progress);
	ck_assert_str_eq(written(out), "           no agent answers\n");
	(void)fclose(out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("watch");
	TCase *tcase = tcase_create("watch");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, change_runs_until_its_epoch_has_settled);
	tcase_add_test(tcase, first_list_settles_out_of_nothing);
	tcase_add_test(tcase, change_that_was_seen_and_is_gone_was_undone);
	tcase_add_test(tcase, change_undone_before_anybody_looked_is_told_by_its_number);
	tcase_add_test(tcase, next_change_tells_how_ours_ended);
	tcase_add_test(tcase, abort_runs_until_its_change_is_undone);
	tcase_add_test(tcase, what_an_agent_says_from_before_the_abort_is_old);
	tcase_add_test(tcase, abort_that_came_to_nothing_is_told_as_such);
	tcase_add_test(tcase, keys_are_told_with_rate_and_time_left);
	tcase_add_test(tcase, off_a_terminal_each_phase_has_one_line_and_what_holds_it_up_a_few);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
