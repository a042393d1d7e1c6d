/* What a load says of an answer where a command had been given up: tests/client/history.c. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "history.h"

#define KEYS 2000u

static struct history *history;
static struct item item;
static uint32_t counter;

static void setup(void)
{
	history = history_new(KEYS);
	ck_assert_ptr_nonnull(history);
	for (counter = 0; counter < KEYS; counter++) {
		item = item_of(counter);
		if (item.counter && !item.ttl_s)
			return;
	}
	ck_abort_msg("there is no counter among %u keys", KEYS);
}

static void teardown(void)
{
	history_free(history);
}

static enum verdict write_ends(enum mcr_op op, const struct mcr_pool_report *report,
			       uint64_t number)
{
	struct history_write write;

	ck_assert(history_write_begin(history, counter, true, &write));
	write.op = op;
	return history_write_end(history, &write, &item, report, number);
}

static enum verdict incremented(uint64_t number)
{
	return write_ends(MCR_OP_UPDATE, &(struct mcr_pool_report){.status = MCR_POOL_OK}, number);
}

static void set(void)
{
	ck_assert_int_eq(write_ends(MCR_OP_SET, &(struct mcr_pool_report){0}, 0), VERDICT_RIGHT);
}

static enum verdict found(unsigned number)
{
	char text[16];
	struct history_read read;
	uint32_t version;
	struct mcr_pool_value value = {.bytes = text, .flags = item_flags(&item, counter, 1)};

	value.length = (size_t)snprintf(text, sizeof(text), "%u", number);
	history_read_begin(history, counter, &read);
	return history_read_end(history, &read, &item, MCR_POOL_OK, &value, &version);
}

START_TEST(a_counter_goes_by_one)
{
	set();
	ck_assert_int_eq(incremented(2), VERDICT_RIGHT);
	ck_assert_int_eq(found(2), VERDICT_RIGHT);
	ck_assert_int_eq(found(1), VERDICT_STALE);
	ck_assert_int_eq(found(3), VERDICT_FOREIGN);
	ck_assert_int_eq(incremented(4), VERDICT_FOREIGN);
}
END_TEST

START_TEST(an_incr_that_was_given_up_may_come_late)
{
	const struct mcr_pool_report given_up = {.status = MCR_POOL_FAILED, .given_up_at = 7};

	set();
	ck_assert_int_eq(write_ends(MCR_OP_UPDATE, &given_up, 0), VERDICT_RIGHT);
	set(); /* the third version; the incr comes behind it */
	ck_assert_int_eq(found(3), VERDICT_RIGHT);
	ck_assert_int_eq(found(4), VERDICT_LATE);
	ck_assert_int_eq(incremented(5), VERDICT_LATE);
	ck_assert_int_eq(found(5), VERDICT_LATE);
	ck_assert_int_eq(found(6), VERDICT_FOREIGN); /* one came, not two */
	ck_assert_int_eq(found(3), VERDICT_STALE);
	ck_assert_int_eq(incremented(7), VERDICT_FOREIGN);
}
END_TEST

START_TEST(one_that_was_refused_does_not_come)
{
	set();
	ck_assert_int_eq(
	    write_ends(MCR_OP_UPDATE, &(struct mcr_pool_report){.status = MCR_POOL_FAILED}, 0),
	    VERDICT_RIGHT);
	set();
	ck_assert_int_eq(found(4), VERDICT_FOREIGN);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("client/history");
	TCase *tcase = tcase_create("given up");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_counter_goes_by_one);
	tcase_add_test(tcase, an_incr_that_was_given_up_may_come_late);
	tcase_add_test(tcase, one_that_was_refused_does_not_come);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
