/* test_order.c - opening a signed order, and the one state of the register that it is for. */
#include <errno.h>

#include "sample_order.h"

static struct sample_signer signers[3];
static struct trust trust;
static struct failure failure;

static void setup(void)
{
	memset(&failure, 0, sizeof(failure));
	for (uint8_t i = 0; i < 3; i++)
		signer_make(&signers[i], (uint8_t)(i + 1));
	trust_make(&trust, signers, 3, 2);
}

static char *sign_twice(const char *text)
{
	char *once = text_sign(text, &signers[0]);
	char *twice = text_sign(once, &signers[1]);

	free(once);
	return twice;
}

static void refuses(const char *text, const char *cluster, int error, const char *reason)
{
	struct order *order = NULL;
	int got = order_open(text, strlen(text), &trust, cluster, &order, &failure);

	ck_assert_msg(got == -error, "%d instead of `%s`", got, reason);
	ck_assert_ptr_null(order);
	ck_assert_msg(strstr(failure.text, reason) != NULL, "`%s` does not say `%s`", failure.text,
		      reason);
}

START_TEST(signed_order_of_this_cluster_opens)
{
	char *document = sign_twice(sample_orders[_i]);
	struct order *order = NULL;

	ck_assert_msg(order_open(document, strlen(document), &trust, "web", &order, &failure) == 0,
		      "%s", failure.text);
	ck_assert_int_eq(order->kind, _i);
	ck_assert_uint_eq(order->document_bytes, strlen(document));
	ck_assert_mem_eq(order->document, document, strlen(document));
	order_free(order);
	free(document);
}
END_TEST

START_TEST(one_byte_changed_anywhere_is_refused)
{
	char *document = sign_twice(sample_orders[_i]);
	const size_t length = strlen(document);
	struct order *order = NULL;

	for (size_t i = 0; i < length; i++) {
		const char kept = document[i];

		for (unsigned bit = 0; bit < 8; bit++) {
			document[i] = (char)(kept ^ (1 << bit));
			ck_assert_msg(
			    order_open(document, length, &trust, "web", &order, &failure) < 0,
			    "byte %zu, bit %u", i, bit);
		}
		document[i] = kept;
	}
	ck_assert_ptr_null(order);
	free(document);
}
END_TEST

START_TEST(order_of_another_cluster_is_refused)
{
	char *document = sign_twice(SAMPLE_ABORT);

	refuses(document, "shop", EINVAL, "the order is for cluster `web`, this is cluster `shop`");
	refuses(document, "webs", EINVAL, "this is cluster `webs`");
	free(document);
}
END_TEST

START_TEST(unsigned_and_undersigned_orders_are_refused)
{
	char *once = text_sign(SAMPLE_ABORT, &signers[2]);
	char *twice = NULL;

	refuses(SAMPLE_ABORT, "web", EKEYREJECTED, "not signed");
	refuses(once, "web", EKEYREJECTED, "2 must have signed");
	ck_assert_int_gt(asprintf(&twice, "%s%s", once, once + strlen(SAMPLE_ABORT)), 0);
	refuses(twice, "web", EBADMSG, "signs twice");
	free(twice);
	free(once);
}
END_TEST

START_TEST(signatures_are_checked_before_anything_is_parsed)
{
	char *nonsense = sign_twice("nonsense\n");

	refuses(nonsense, "web", EBADMSG, "line 1: found `nonsense`");
	trust_make(&trust, &signers[2], 1, 1);
	refuses(nonsense, "web", EKEYREJECTED, "not trusted");
	free(nonsense);
}
END_TEST

/* The same keys sign both, so nothing but the text keeps one from being taken for the other. */
START_TEST(lists_and_orders_are_not_mistaken_for_each_other)
{
	struct sample sample;
	struct list *list = NULL;
	char *body, *document;

	sample_make(&sample, 3);
	body = sample_body(&sample);
	document = sign_twice(body);
	refuses(document, "web", EBADMSG, "line 1: found `mcroster-list`");
	free(document);
	document = sign_twice(SAMPLE_ABORT);
	ck_assert_int_eq(list_open(document, strlen(document), &trust, "web", &list, &failure),
			 -EBADMSG);
	ck_assert_ptr_nonnull(strstr(failure.text, "line 1: found `mcroster-order`"));
	free(document);
	free(body);
}
END_TEST

static void is_not_for(const struct order *order, const struct order_binding *now,
		       const char *reason)
{
	ck_assert_int_eq(order_is_for(order, now, &failure), -ESTALE);
	ck_assert_msg(strstr(failure.text, reason) != NULL, "`%s` does not say `%s`", failure.text,
		      reason);
}

START_TEST(order_is_for_one_state_of_the_register)
{
	struct order *order = sample_order(sample_orders[_i]);
	const struct order_binding exact = order->binding;
	struct order_binding now = exact;

	ck_assert_int_eq(order_is_for(order, &now, &failure), 0);
	now.serial++; /* it was carried out, or something else came first */
	is_not_for(order, &now, "is for serial 17, the register's serial is 18");
	now.serial -= 2;
	is_not_for(order, &now, "the register's serial is 16");
	now = exact;
	now.term++; /* a new coordinator */
	is_not_for(order, &now, "is for term 3, the register's term is 4");
	now.term -= 2;
	is_not_for(order, &now, "the register's term is 2");
	for (size_t i = 0; i < LIST_HASH_BYTES; i++) {
		now = exact;
		now.active[i] ^= 1;
		is_not_for(order, &now, "is for active list a5a5a5");
		now = exact;
		now.pending[i] ^= 0x80;
		is_not_for(order, &now, "is for pending list 5c5c5c");
	}
	now = exact;
	now.has_pending = false;
	is_not_for(order, &now, "the register's is none");
	now = exact;
	now.phase = PHASE_SETTLE;
	is_not_for(order, &now, "the register's phase is SETTLE");
	now.phase = exact.phase;
	now.has_phase = false;
	is_not_for(order, &now, "the register's phase is none");
	order_free(order);
}
END_TEST

START_TEST(order_without_a_pending_list_is_for_a_settled_register)
{
	struct order *order = sample_order(
	    SAMPLE_ORDER("excuse", "none", "3", "17", "STEADY") "target web01 [fd00::2]:11280\n");
	struct order_binding now = order->binding;

	memset(now.pending, 0x77, sizeof(now.pending)); /* means nothing then */
	ck_assert_int_eq(order_is_for(order, &now, &failure), 0);
	now.has_pending = true;
	is_not_for(order, &now, "is for pending list none, the register's is 777777");
	order_free(order);
}
END_TEST

START_TEST(failover_is_for_the_next_term_only)
{
	struct order *order = sample_order(SAMPLE_FAILOVER);
	struct order_binding now = order->binding;

	now.serial = 99; /* nobody knows where the lost register stood */
	now.has_phase = true;
	now.phase = PHASE_STEADY;
	for (now.term = 0; now.term < 8; now.term++) {
		if (now.term == 3)
			ck_assert_int_eq(order_is_for(order, &now, &failure), 0);
		else
			is_not_for(order, &now, "it is valid for the next term only");
	}
	now.term = UINT64_MAX;
	is_not_for(order, &now, "it is valid for the next term only");
	now.term = 3;
	now.active[31] ^= 1;
	is_not_for(order, &now, "is for active list");
	now.active[31] ^= 1;
	now.has_pending = true;
	is_not_for(order, &now, "is for pending list none");
	order_free(order);
}
END_TEST

START_TEST(targets_are_members_of_one_of_the_lists)
{
	struct order *giveup = sample_order(SAMPLE_GIVEUP), *excuse = sample_order(SAMPLE_EXCUSE);
	struct sample active, pending;

	sample_make(&active, 2); /* cache00 and cache01 */
	sample_make(&pending, 3);
	ck_assert_int_eq(order_targets_check(giveup, &active.list, &pending.list, &failure), 0);
	ck_assert_int_eq(order_targets_check(giveup, &pending.list, &active.list, &failure), 0);
	ck_assert_int_eq(order_targets_check(giveup, &active.list, NULL, &failure), -EINVAL);
	ck_assert_ptr_nonnull(
	    strstr(failure.text, "giveup `cache02` at 10.0.1.3:11211: no server"));
	strcpy(giveup->targets[1].address, "10.0.1.4:11211"); /* the name alone does not do */
	ck_assert_int_eq(order_targets_check(giveup, &active.list, &pending.list, &failure),
			 -EINVAL);

	ck_assert_int_eq(order_targets_check(excuse, &active.list, NULL, &failure), 0);
	strcpy(excuse->targets[0].address, "[fd00::3]:11280");
	ck_assert_int_eq(order_targets_check(excuse, &active.list, &pending.list, &failure),
			 -EINVAL);
	excuse->targets[0] = (struct list_identity){"cache00", "10.0.1.1:11211"};
	ck_assert_int_eq(order_targets_check(excuse, &active.list, NULL, &failure), -EINVAL);
	ck_assert_ptr_nonnull(strstr(failure.text, "excuse `cache00` at 10.0.1.1:11211: no agent"));
	giveup->targets[0] = (struct list_identity){"web00", "10.0.0.1:11280"};
	ck_assert_int_eq(order_targets_check(giveup, &active.list, &pending.list, &failure),
			 -EINVAL);
	ck_assert_ptr_nonnull(strstr(failure.text, "giveup `web00` at 10.0.0.1:11280: no server"));
	order_free(giveup);
	order_free(excuse);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("order");
	TCase *tcase = tcase_create("order");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, signed_order_of_this_cluster_opens, 0, ORDER_KIND_COUNT);
	tcase_add_loop_test(tcase, one_byte_changed_anywhere_is_refused, 0, ORDER_KIND_COUNT);
	tcase_add_test(tcase, order_of_another_cluster_is_refused);
	tcase_add_test(tcase, unsigned_and_undersigned_orders_are_refused);
	tcase_add_test(tcase, signatures_are_checked_before_anything_is_parsed);
	tcase_add_test(tcase, lists_and_orders_are_not_mistaken_for_each_other);
	tcase_add_loop_test(tcase, order_is_for_one_state_of_the_register, 0, ORDER_FAILOVER);
	tcase_add_test(tcase, order_without_a_pending_list_is_for_a_settled_register);
	tcase_add_test(tcase, failover_is_for_the_next_term_only);
	tcase_add_test(tcase, targets_are_members_of_one_of_the_lists);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
