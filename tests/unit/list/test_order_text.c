/* test_order_text.c - an order's one text: each line, each rule, and back. */
#include <errno.h>

#include "mangle.h"
#include "sample_order.h"

static struct failure failure;

static int parse(const char *text, struct failure *why)
{
	struct order *order = NULL;
	const int error = order_parse(text, strlen(text), &order, why);

	ck_assert((order != NULL) == (error == 0));
	order_free(order);
	return error;
}

START_TEST(every_field_arrives)
{
	struct order *order = sample_order(SAMPLE_GIVEUP);
	uint8_t want[LIST_HASH_BYTES];

	ck_assert_str_eq(order->cluster, "web");
	ck_assert_int_eq(order->kind, ORDER_GIVEUP);
	ck_assert_str_eq(order->created, "2026-11-22T10:00:00Z");
	memset(want, 0xa5, sizeof(want));
	ck_assert_mem_eq(order->binding.active, want, sizeof(want));
	ck_assert(order->binding.has_pending);
	memset(want, 0x5c, sizeof(want));
	ck_assert_mem_eq(order->binding.pending, want, sizeof(want));
	ck_assert_uint_eq(order->binding.term, 3);
	ck_assert_uint_eq(order->binding.serial, 17);
	ck_assert(order->binding.has_phase);
	ck_assert_int_eq(order->binding.phase, PHASE_DRAIN);
	ck_assert_uint_eq(order->target_count, 2);
	ck_assert_str_eq(order->targets[1].name, "cache02");
	ck_assert_str_eq(order->targets[1].address, "10.0.1.3:11211");
	document_hash(SAMPLE_GIVEUP, strlen(SAMPLE_GIVEUP), want);
	ck_assert_mem_eq(order->hash, want, sizeof(want));
	ck_assert_uint_eq(order->document_bytes, strlen(SAMPLE_GIVEUP));
	ck_assert_mem_eq(order->document, SAMPLE_GIVEUP, order->document_bytes);
	order_free(order);
	order_free(NULL);
}
END_TEST

START_TEST(failover_is_for_the_next_term_and_no_phase)
{
	struct order *order = sample_order(SAMPLE_FAILOVER);

	ck_assert_int_eq(order->kind, ORDER_FAILOVER);
	ck_assert(!order->binding.has_pending);
	ck_assert(!order->binding.has_phase);
	ck_assert_uint_eq(order->binding.term, 4);
	ck_assert_uint_eq(order->binding.serial, 0);
	ck_assert_uint_eq(order->target_count, 1);
	order_free(order);
}
END_TEST

START_TEST(written_is_what_was_parsed)
{
	struct order *order = sample_order(sample_orders[_i]);
	void *body = NULL;
	size_t bytes = 0;

	ck_assert_int_eq(order->kind, _i);
	ck_assert_msg(order_write(order, &body, &bytes, &failure) == 0, "%s", failure.text);
	ck_assert_uint_eq(bytes, strlen(sample_orders[_i]));
	ck_assert_mem_eq(body, sample_orders[_i], bytes);
	free(body);
	order_free(order);
}
END_TEST

START_TEST(lines_missing_repeated_or_exchanged_are_refused)
{
	char *one = text_replace(SAMPLE_GIVEUP, "target cache02 10.0.1.3:11211\n", "");

	mangle_body(_i == ORDER_GIVEUP ? one : sample_orders[_i], parse);
	free(one);
}
END_TEST

static const struct {
	const char *good, *from, *to, *line, *reason;
} edits[] = {
    {SAMPLE_ABORT, "mcroster-order 1", "mcroster-order 2", "line 1: ", "order format `2`"},
    {SAMPLE_ABORT, "mcroster-order 1", "mcroster-list 1", "line 1: ", "want `mcroster-order 1`"},
    {SAMPLE_ABORT, "cluster web", "cluster we/b", "line 2: ", "cluster `we/b`"},
    {SAMPLE_ABORT, "order abort", "order Abort", "line 3: ", "want abort, giveup, excuse or"},
    {SAMPLE_ABORT, "order abort", "order unknown", "line 3: ", "order `unknown`"},
    {SAMPLE_ABORT, "order abort", "order abort giveup", "line 3: ", "3 words"},
    {SAMPLE_ABORT, "2026-11-22", "2026-02-29", "line 4: ", "a real UTC time"},
    {SAMPLE_ABORT, "active a5", "active A5", "line 5: ", "want 64 lower-case hex digits"},
    {SAMPLE_ABORT, "active " SAMPLE_ACTIVE, "active none", "line 5: ", "active `none`"},
    {SAMPLE_ABORT, "pending 5c", "pending 5", "line 6: ", "64 lower-case hex digits, or none"},
    {SAMPLE_ABORT, "term 3", "term 0", "line 7: ", "term `0`: want a decimal number from 1"},
    {SAMPLE_ABORT, "term 3", "term 03", "line 7: ", "without leading zeros"},
    {SAMPLE_ABORT, "term 3", "term 9223372036854775808", "line 7: ", "to 9223372036854775807"},
    {SAMPLE_ABORT, "serial 17", "serial 0", "line 8: ", "serial `0`: want a decimal number from 1"},
    {SAMPLE_ABORT, "serial 17", "serial -1", "line 8: ", "serial `-1`"},
    {SAMPLE_ABORT, "phase COPY", "phase copy", "line 9: ", "phase `copy`: want the name of a"},
    {SAMPLE_ABORT, "phase COPY", "phase none", "line 9: ", "phase `none`"},
    {SAMPLE_ABORT, "phase COPY", "phase unknown", "line 9: ", "phase `unknown`"},
    {SAMPLE_ABORT, "phase COPY", "phase 2", "line 9: ", "phase `2`"},
    {SAMPLE_ABORT, "phase COPY", "phase SWITCH", "line 9: ", "abort in phase SWITCH"},
    {SAMPLE_ABORT, "phase COPY", "phase UNWIND", "line 9: ", "abort in phase UNWIND"},
    {SAMPLE_ABORT, "phase COPY", "phase STEADY", "line 9: ", "phase STEADY with a pending"},
    {SAMPLE_ABORT, "pending " SAMPLE_PENDING, "pending none",
     "line 9: ", "phase COPY without a pending list"},
    {SAMPLE_ABORT, "phase COPY\n", "phase COPY\ntarget cache00 10.0.1.1:11211\n",
     "line 10: ", "an abort has no target"},
    {SAMPLE_GIVEUP, "pending " SAMPLE_PENDING, "pending none",
     "line 9: ", "phase DRAIN without a pending list"},
    {SAMPLE_GIVEUP, "target cache00", "target cache/0",
     "line 10: ", "target `cache/0`: want a name"},
    {SAMPLE_GIVEUP, "target cache00 ", "target ", "line 10: ", "2 words: want `target NAME ADDR"},
    {SAMPLE_GIVEUP, "10.0.1.1:11211", "10.0.1.1", "line 10: ", "want the numeric address"},
    {SAMPLE_GIVEUP, "10.0.1.1:11211", "10.0.1.01:11211", "line 10: ", "want the numeric address"},
    {SAMPLE_GIVEUP, "10.0.1.1:11211", "0.0.0.0:11211", "line 10: ", "want the numeric address"},
    {SAMPLE_GIVEUP, "10.0.1.1:11211", "cache00:11211", "line 10: ", "want the numeric address"},
    {SAMPLE_GIVEUP, "10.0.1.1:11211", "10.0.1.1:0", "line 10: ", "want the numeric address"},
    {SAMPLE_GIVEUP, "10.0.1.1:11211", "10.0.1.1:11211 x", "line 10: ", "4 words"},
    {SAMPLE_GIVEUP, "target cache02", "target cache00",
     "line 11: ", "target `cache00` stands twice"},
    {SAMPLE_GIVEUP, "target cache00", "target cache03",
     "line 11: ", "target `cache02` after `cache03`: they stand in ascending order"},
    {SAMPLE_GIVEUP, "10.0.1.3:11211", "10.0.1.1:11211",
     "line 11: ", "`cache02` at 10.0.1.1:11211 has the address of `cache00`"},
    {SAMPLE_EXCUSE, "target web01 [fd00::2]:11280\n", "",
     "line 10: ", "the order ends here: want `target NAME ADDRESS`, the agent that the excuse"},
    {SAMPLE_FAILOVER, "term 4", "term 1", "line 7: ", "from 2 to"},
    {SAMPLE_FAILOVER, "serial 0", "serial 1", "line 8: ", "a failover's serial `1`"},
    {SAMPLE_FAILOVER, "phase none", "phase STEADY", "line 9: ", "a failover says none"},
    {SAMPLE_FAILOVER, "target web01 [fd00::2]:11280\n", "",
     "line 10: ", "the order ends here: want `target NAME ADDRESS`, the agent that the failover"},
    {SAMPLE_FAILOVER, "target web01", "target web00 10.0.0.1:11280\ntarget web01",
     "line 11: ", "a failover has one target: the agent `web00`"},
};

START_TEST(one_wrong_value_is_refused_with_its_line_and_its_rule)
{
	char *bad = text_replace(edits[_i].good, edits[_i].from, edits[_i].to);

	ck_assert_msg(parse(bad, &failure) == -EBADMSG, "%s", bad);
	ck_assert_msg(strncmp(failure.text, edits[_i].line, strlen(edits[_i].line)) == 0 &&
			  strstr(failure.text, edits[_i].reason) != NULL,
		      "`%s` does not say `%s … %s`", failure.text, edits[_i].line,
		      edits[_i].reason);
	free(bad);
}
END_TEST

START_TEST(giveup_in_a_settled_cluster_is_refused)
{
	ck_assert_int_eq(parse(SAMPLE_ORDER("giveup", "none", "3", "17",
					    "STEADY") "target cache00 10.0.1.1:11211\n",
			       &failure),
			 -EBADMSG);
	ck_assert_ptr_nonnull(strstr(failure.text, "line 9: giveup in phase STEADY"));
}
END_TEST

START_TEST(each_kind_is_taken_where_it_makes_sense)
{
	for (int phase = 0; phase < PHASE_COUNT; phase++) {
		const char *name = phase_name((enum phase)phase);
		const bool change = phase != PHASE_STEADY;
		const bool expected[] = {
		    [ORDER_ABORT] = phase == PHASE_PREPARE || phase == PHASE_COPY,
		    [ORDER_GIVEUP] = change,
		    [ORDER_EXCUSE] = true,
		    [ORDER_FAILOVER] = false,
		};

		for (int kind = 0; kind < ORDER_KIND_COUNT; kind++) {
			struct order *order = sample_order(sample_orders[kind]);
			void *body = NULL;
			size_t bytes = 0;

			order->binding.has_pending = change;
			order->binding.has_phase = true;
			order->binding.phase = (enum phase)phase;
			ck_assert_msg((order_write(order, &body, &bytes, &failure) == 0) ==
					  expected[kind],
				      "%s in %s: %s", order_kind_name((enum order_kind)kind), name,
				      failure.text);
			free(body);
			order_free(order);
		}
	}
	ck_assert_int_eq(parse(SAMPLE_ORDER("failover", SAMPLE_PENDING, "9223372036854775807", "0",
					    "none") "target a [::1]:1\n",
			       &failure),
			 0);
}
END_TEST

START_TEST(targets_are_written_in_the_order_of_their_names)
{
	struct order *order = sample_order(SAMPLE_GIVEUP);
	const struct list_identity first = order->targets[0];
	void *body = NULL;
	size_t bytes = 0;

	order->targets[0] = order->targets[1];
	order->targets[1] = first;
	ck_assert_int_eq(order_write(order, &body, &bytes, &failure), 0);
	ck_assert_mem_eq(body, SAMPLE_GIVEUP, strlen(SAMPLE_GIVEUP));
	ck_assert_str_eq(order->targets[1].name, "cache00");
	free(body);
	order_free(order);
}
END_TEST

static void write_refuses(const struct order *order, const char *reason)
{
	void *body = NULL;
	size_t bytes = 0;

	ck_assert_int_eq(order_write(order, &body, &bytes, &failure), -EINVAL);
	ck_assert_msg(strstr(failure.text, reason) != NULL, "`%s` does not say `%s`", failure.text,
		      reason);
	ck_assert_ptr_null(body);
}

START_TEST(rules_of_the_text_hold_for_the_fields)
{
	struct order *order = sample_order(SAMPLE_GIVEUP);

	order->kind = ORDER_KIND_COUNT;
	write_refuses(order, "line 3: order `unknown`");
	order->kind = ORDER_GIVEUP;
	order->binding.phase = PHASE_COUNT;
	write_refuses(order, "line 9: phase `unknown`");
	order->binding.phase = PHASE_DRAIN;
	order->target_count = 0;
	write_refuses(order, "line 10: the order ends here");
	order->target_count = 1;
	strcpy(order->targets[0].address, "10.0.1.1:1\ntarget d 10.0.1.2:1");
	write_refuses(order, "contains lines");
	strcpy(order->targets[0].address, "10.0.1.1:1");
	strcpy(order->cluster, "web\norder abort");
	write_refuses(order, "line 4: found `order`");
	order_free(order);
}
END_TEST

START_TEST(targets_are_bounded)
{
	struct order *order = sample_order(SAMPLE_GIVEUP);
	struct order large = *order;
	void *body = NULL;
	size_t bytes = 0;

	large.targets = calloc(ORDER_TARGETS_MAX + 1, sizeof(*large.targets));
	large.target_count = ORDER_TARGETS_MAX;
	for (uint32_t i = 0; i <= ORDER_TARGETS_MAX; i++) {
		(void)snprintf(large.targets[i].name, sizeof(large.targets[i].name), "c%04u", i);
		(void)snprintf(large.targets[i].address, sizeof(large.targets[i].address),
			       "10.0.0.1:%u", i + 1);
	}
	ck_assert_int_eq(order_write(&large, &body, &bytes, &failure), 0);
	free(body);
	large.target_count++;
	write_refuses(&large, "line 1034: more than 1024 target lines");
	free(large.targets);
	order_free(order);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("order_text");
	TCase *tcase = tcase_create("order_text");

	tcase_add_test(tcase, every_field_arrives);
	tcase_add_test(tcase, failover_is_for_the_next_term_and_no_phase);
	tcase_add_loop_test(tcase, written_is_what_was_parsed, 0, ORDER_KIND_COUNT);
	tcase_add_loop_test(tcase, lines_missing_repeated_or_exchanged_are_refused, 0,
			    ORDER_KIND_COUNT);
	tcase_add_loop_test(tcase, one_wrong_value_is_refused_with_its_line_and_its_rule, 0,
			    (int)(sizeof(edits) / sizeof(edits[0])));
	tcase_add_test(tcase, giveup_in_a_settled_cluster_is_refused);
	tcase_add_test(tcase, each_kind_is_taken_where_it_makes_sense);
	tcase_add_test(tcase, targets_are_written_in_the_order_of_their_names);
	tcase_add_test(tcase, rules_of_the_text_hold_for_the_fields);
	tcase_add_test(tcase, targets_are_bounded);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
