/* test_agent_documents.c - bad documents of every kind at a running agent: each is refused, by name
 * of the rule, and nothing changes; the good one that they were made from is taken.
 */
#include "agent_rig.h"
#include "daemon/evidence.h"
#include "daemon/keyring.h"
#include "list/order.h"

static uint8_t second_public[DOCUMENT_KEY_BYTES], second_secret[DOCUMENT_SECRET_BYTES];
static uint8_t stranger_secret[DOCUMENT_SECRET_BYTES];
static char answer[MESSAGE_TEXT_BYTES];

static char *signed_by(const char *text, const uint8_t *secret)
{
	struct failure failure;
	void *made;
	size_t bytes;
	char *document;

	ck_assert_msg(document_sign(text, strlen(text), secret, &made, &bytes, &failure) == 0, "%s",
		      failure.text);
	document = strndup(made, bytes);
	free(made);
	return document;
}

static char *signed_by_both(const char *text)
{
	char *once = signed_by(text, operator_secret), *twice = signed_by(once, second_secret);

	free(once);
	return twice;
}

static uint8_t offered(const char *document, size_t bytes)
{
	bool relay;
	const uint8_t verdict = agent_offer(agent, document, bytes, answer, sizeof(answer), &relay);

	ck_assert(!relay);
	return verdict;
}

static void settle(void)
{
	const uint64_t end_ms = clock_now_ms() + 10000;

	do {
		agent_pump(agent);
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
		ck_assert_uint_lt(clock_now_ms(), end_ms);
	} while (agent->coord.staged.term != 0 ||
		 agent->host.known.serial < agent->coord.reg.serial);
}

/* The second agent shows that it knows no register: the first list may begin. */
static void second_answers(void)
{
	const struct renew renew = {.sequence = 1};
	struct grant grant;

	if (coord_beginning(&agent->coord) && agent->coord.active->agent_count > 1)
		(void)coord_renew(&agent->coord, agent->coord.active->agents[1].key, 0, &renew,
				  clock_now_ms(), &grant);
}

static void taken(const char *document)
{
	ck_assert_msg(offered(document, strlen(document)) == VERDICT_ACCEPTED, "%s", answer);
	second_answers();
	settle();
}

/* Two operators, both needed; the first list, and a change that waits for an agent nobody starts.
 */
static void up(void)
{
	uint8_t key[DOCUMENT_KEY_BYTES];

	setup();
	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr)); /* each refusal is logged */
	agent_down();
	crypto_sign_keypair(second_public, second_secret);
	crypto_sign_keypair(key, stranger_secret);
	config.trust.count = config.trust.threshold = 2;
	memcpy(config.trust.keys[1], second_public, sizeof(second_public));
	agent_up();
	while (!agent->elected)
		(void)event_base_loop(base, EVLOOP_ONCE);
}

/* A list as a string, signed by the first operator alone. */
static char *list_text(uint64_t epoch, const uint8_t *parent, uint8_t hash[LIST_HASH_BYTES])
{
	const struct document made = document_make(epoch, parent, "unit");
	char *text = strndup(made.bytes, made.length);

	memcpy(hash, made.hash, LIST_HASH_BYTES);
	free(made.bytes);
	return text;
}

static char *body_of(const char *document)
{
	return strndup(document, (size_t)(strstr(document, "\nsignature ") + 1 - document));
}

static char *changed(const char *document, const char *line, const char *to)
{
	char *body = body_of(document), *at = strstr(body, line), *made = NULL, *both;

	ck_assert_msg(at != NULL, "no `%s` in\n%s", line, body);
	ck_assert_int_gt(
	    asprintf(&made, "%.*s%s%s", (int)(at - body), body, to, at + strcspn(at, "\n")), 0);
	both = signed_by_both(made);
	free(body);
	free(made);
	return both;
}

struct seen {
	struct reg reg;
	uint64_t keys;
	uint32_t evidence;
	const void *failover;
};

static struct seen look(void)
{
	struct evidence kept[EVIDENCE_MAX];
	struct seen seen;

	memset(&seen, 0, sizeof(seen));
	seen.reg = agent->coord.reg;
	seen.keys = keyring_version(agent->ring);
	seen.evidence = evidence_read(agent->state, kept);
	seen.failover = agent->failover;
	return seen;
}

static void unchanged(const struct seen *before)
{
	const struct seen now = look();

	ck_assert_int_eq(register_compare(&now.reg, &before->reg), 0);
	ck_assert_mem_eq(now.reg.active, before->reg.active, LIST_HASH_BYTES);
	ck_assert_mem_eq(now.reg.pending, before->reg.pending, LIST_HASH_BYTES);
	ck_assert_uint_eq(now.reg.keys_version, before->reg.keys_version);
	ck_assert_uint_eq(now.keys, before->keys);
	ck_assert_uint_eq(now.evidence, before->evidence);
	ck_assert_ptr_eq(now.failover, before->failover);
	ck_assert_uint_eq(agent->coord.staged.term, 0);
}

static void refused(const char *document, const char *rule)
{
	const struct seen before = look();
	const uint8_t verdict = offered(document, strlen(document));

	ck_assert_msg(verdict == VERDICT_REFUSED || verdict == VERDICT_BUSY, "verdict %u: %s",
		      verdict, answer);
	ck_assert_msg(strstr(answer, rule) != NULL, "`%s` does not say `%s`", answer, rule);
	unchanged(&before);
}

static void every_byte(const char *document)
{
	const size_t length = strlen(document);
	const struct seen before = look();
	char *bent = strdup(document);

	for (size_t i = 0; i < length; i++) {
		const char other[] = {(char)(document[i] ^ 1), (char)(document[i] ^ 0x80), '\n',
				      '\0'};

		for (unsigned n = 0; n < sizeof(other); n++) {
			if (other[n] == document[i])
				continue;
			bent[i] = other[n];
			ck_assert_msg(offered(bent, length) == VERDICT_REFUSED,
				      "byte %zu as %02x: %s", i, (uint8_t)other[n], answer);
			ck_assert_msg(answer[0] != '\0', "byte %zu: no reason", i);
		}
		bent[i] = document[i];
	}
	unchanged(&before);
	free(bent);
}

/* What is true of every kind: whose signatures, how often, for which cluster. */
static void signatures(const char *document)
{
	char *body = body_of(document), *once = signed_by(body, operator_secret);
	char *strange = signed_by(once, stranger_secret), *twice = NULL;
	char *elsewhere = changed(document, "cluster unit", "cluster other");

	refused(body, "not signed");
	refused(once, "signed by 1 trusted key, 2 must have signed");
	refused(strange, "signed by 1 trusted key, 2 must have signed (1 signature by keys");
	ck_assert_int_gt(asprintf(&twice, "%s%s", once, once + strlen(body)), 0);
	refused(twice, "signs twice");
	refused(elsewhere, "cluster `other`");
	free(body);
	free(once);
	free(strange);
	free(twice);
	free(elsewhere);
}

static void bound(const char *document, const char *line, const char *to, const char *rule)
{
	char *other = changed(document, line, to);

	refused(other, rule);
	free(other);
}

static char *order_text(enum order_kind kind, const char *name, const char *address)
{
	struct list_identity target;
	struct order order = {.kind = kind, .targets = &target};
	const struct reg *reg = &agent->coord.reg;
	struct order_binding *binding = &order.binding;
	struct failure failure;
	void *body;
	size_t bytes;
	char *text, *both;

	(void)snprintf(order.cluster, sizeof(order.cluster), "unit");
	(void)snprintf(order.created, sizeof(order.created), "2026-11-22T10:00:00Z");
	order.target_count = name != NULL ? 1 : 0;
	if (name != NULL) {
		(void)snprintf(target.name, sizeof(target.name), "%s", name);
		(void)snprintf(target.address, sizeof(target.address), "%s", address);
	}
	memcpy(binding->active, reg->active, LIST_HASH_BYTES);
	binding->has_pending = reg->next_epoch != 0;
	memcpy(binding->pending, reg->pending, LIST_HASH_BYTES);
	binding->term = reg->term + (kind == ORDER_FAILOVER);
	binding->serial = kind == ORDER_FAILOVER ? 0 : reg->serial;
	binding->has_phase = kind != ORDER_FAILOVER;
	binding->phase = (enum phase)reg->phase;
	ck_assert_msg(order_write(&order, &body, &bytes, &failure) == 0, "%s", failure.text);
	text = strndup(body, bytes);
	both = signed_by_both(text);
	free(body);
	free(text);
	return both;
}

static char *list_taken(uint64_t epoch, uint8_t hash[LIST_HASH_BYTES])
{
	char *once = list_text(epoch, epoch > 1 ? hash : NULL, hash);
	char *both = signed_by(once, second_secret);

	taken(both);
	free(once);
	return both;
}

START_TEST(bad_lists_are_refused)
{
	uint8_t hash[LIST_HASH_BYTES], wrong[LIST_HASH_BYTES] = {1};
	char *first = list_taken(1, hash), *once = list_text(2, hash, wrong);
	char *next = signed_by(once, second_secret);
	const char *const parent = strstr(next, "parent ");
	char line[80];

	every_byte(next);
	signatures(next);
	(void)snprintf(line, sizeof(line), "%.71s", parent);
	bound(next, line, "parent 0000000000000000000000000000000000000000000000000000000000000001",
	      "parent");
	taken(next);
	while (agent->coord.reg.epoch != 2 || agent->coord.reg.next_epoch != 0)
		(void)event_base_loop(base, EVLOOP_ONCE);
	refused(first, "epoch");
	free(first);
	free(once);
	free(next);
}
END_TEST

static void order_is_bound(const char *order)
{
	bound(order, "active ",
	      "active 0000000000000000000000000000000000000000000000000000000000000001",
	      "for active list 0000");
	bound(order, "pending ",
	      "pending 0000000000000000000000000000000000000000000000000000000000000001",
	      "for pending list 0000");
	bound(order, "serial ", "serial 99", "is for serial 99");
	bound(order, "term ", "term 99", "is for term 99");
	if (strstr(order, "order excuse") == NULL)
		bound(order, "phase ", "phase COPY", "is for phase COPY");
}

START_TEST(bad_orders_are_refused)
{
	static const struct {
		enum order_kind kind;
		const char *name, *address;
	} orders[] = {
	    {ORDER_GIVEUP, "s0", "127.0.0.1:10"},
	    {ORDER_EXCUSE, "a2", "127.0.0.1:9"},
	    {ORDER_ABORT, NULL, NULL},
	};
	uint8_t hash[LIST_HASH_BYTES];
	char *first = list_taken(1, hash), *next, *order;

	rig_second_agent = true;
	rig_moved = 64;
	next = list_taken(2, hash);
	order = order_text(orders[_i].kind, orders[_i].name, orders[_i].address);
	every_byte(order);
	signatures(order);
	order_is_bound(order);
	if (orders[_i].name != NULL)
		bound(order, "target ", "target b7 127.0.0.1:10", "has this name and address");
	taken(order);
	refused(order, "valid for one term and serial only");
	free(first);
	free(next);
	free(order);
}
END_TEST

START_TEST(bad_failovers_are_refused)
{
	uint8_t hash[LIST_HASH_BYTES];
	char *first, *order;

	rig_second_agent = true;
	first = list_taken(1, hash);
	order = order_text(ORDER_FAILOVER, "a2", "127.0.0.1:9");
	every_byte(order);
	signatures(order);

	bound(order, "target ", "target a2 127.0.0.1:10", "has this name and address");
	ck_assert_ptr_null(agent->failover);
	ck_assert_msg(offered(order, strlen(order)) == VERDICT_ACCEPTED, "%s", answer);
	ck_assert_ptr_nonnull(agent->failover);
	free(first);
	free(order);
}
END_TEST

START_TEST(bad_keys_documents_are_refused)
{
	uint8_t hash[LIST_HASH_BYTES];
	struct keys keys = {.version = 1, .threshold = 2, .key_count = 2};
	char *first = list_taken(1, hash), *text, *document;
	struct failure failure;
	struct seen before;
	void *body;
	size_t bytes;

	(void)snprintf(keys.cluster, sizeof(keys.cluster), "unit");
	(void)snprintf(keys.created, sizeof(keys.created), "2026-11-22T10:00:00Z");
	memcpy(keys.keys[0], operator_public, DOCUMENT_KEY_BYTES);
	memcpy(keys.keys[1], second_public, DOCUMENT_KEY_BYTES);
	ck_assert_msg(keys_write(&keys, &body, &bytes, &failure) == 0, "%s", failure.text);
	text = strndup(body, bytes);
	document = signed_by_both(text);
	every_byte(document);
	signatures(document);
	taken(document);
	ck_assert_uint_eq(agent->coord.reg.keys_version, 1);
	/* Signed by those who may sign: evidence. */
	before = look();
	free(text);
	text = changed(document, "created ", "created 2031-01-01T00:00:00Z");
	ck_assert_uint_eq(offered(text, strlen(text)), VERDICT_REFUSED);
	ck_assert_ptr_nonnull(strstr(answer, "equivocation: another keys version 1"));
	ck_assert_uint_eq(look().evidence, before.evidence + 1);
	refused(text, "equivocation");
	bound(document, "version 1", "version 3", "line ");
	free(first);
	free(body);
	free(text);
	free(document);
}
END_TEST

/* Each has a reason of its own: the number of the bytes that the signature is not of. */
START_TEST(log_has_a_few_offers_that_nobody_signed)
{
	uint8_t hash[LIST_HASH_BYTES];
	char *good = list_text(1, NULL, hash), *bent, line[FAILURE_BYTES + 64];
	FILE *log = tmpfile();
	unsigned lines = 0;

	ck_assert_ptr_nonnull(log);
	ck_assert_int_eq(dup2(fileno(log), STDERR_FILENO), STDERR_FILENO);
	for (int i = 1; i <= 100; i++) {
		ck_assert_int_gt(asprintf(&bent, "%*s%s", i, "", good), 0);
		ck_assert_uint_eq(offered(bent, strlen(bent)), VERDICT_REFUSED);
		free(bent);
	}
	rewind(log);
	while (fgets(line, sizeof(line), log) != NULL)
		lines += strncmp(line, "offer: ", 7) == 0;
	ck_assert_uint_ge(lines, LOG_LIMIT_LINES);
	ck_assert_uint_lt(lines, 50);
	ck_assert_uint_ge(agent->offers[VERDICT_REFUSED], 100);
	fclose(log);
	free(good);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("agent_documents");
	TCase *tests = tcase_create("agent_documents");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, up, teardown);
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, bad_lists_are_refused);
	tcase_add_loop_test(tests, bad_orders_are_refused, 0, 3);
	tcase_add_test(tests, bad_failovers_are_refused);
	tcase_add_test(tests, bad_keys_documents_are_refused);
	tcase_add_test(tests, log_has_a_few_offers_that_nobody_signed);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
