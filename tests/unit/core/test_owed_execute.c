/* test_owed_execute.c - owed deletes as a client's: every phase, every outcome of every step, and
 * every moment at which the time, the lease or the phase can run out beneath them. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "owed_rig.h"

#define BEGIN_MS 50000u

static struct owed owed;

static void tear_down(void)
{
	owed_free(&owed);
}

/* ---- the order of the steps, from the design's table, not from the code's ---- */

struct order {
	unsigned count;
	uint32_t server[2];
};

static struct order order_of(enum phase phase, const struct rig_key *key)
{
	const struct order both = {2, {key->old_owner, key->new_owner}};

	if (key->old_owner == key->new_owner)
		return (struct order){1, {key->old_owner, 0}};
	switch (phase) {
	case PHASE_STEADY:
	case PHASE_BACK:
	case PHASE_CLEAN:
		return (struct order){1, {key->old_owner, 0}};
	case PHASE_AFTER:
	case PHASE_PURGE:
		return (struct order){1, {key->new_owner, 0}};
	default:
		return both;
	}
}

/* ---- one execution by a script ---- */

/* What happens while a step is under way. */
enum meanwhile {
	NOTHING,
	NEXT_GENERATION, /* published */
	LEASE_ENDS,	 /* the deadline passes */
	LEASE_EXTENDED,	 /* in time, and then the deadline as it was at planning passes */
	LEASE_LOST,	 /* it is taken away at once */
	TIME_ALMOST,	 /* one millisecond is left of op_timeout */
	TIME_OUT,	 /* none is left, and no tick has come yet */
	ADDED_AGAIN,
	MEANWHILES
};

enum outcome { DELETED, REFUSED, LOST, NO_ANSWER, OUTCOMES };

struct script {
	enum meanwhile meanwhile[2];
	enum outcome outcome[2];
};

struct told {
	bool counts; /* it must count */
	bool again;  /* and the key was added again after it was planned */
	uint64_t now_ms;
};

static const enum owed_reply reply_of[] = {
    [DELETED] = OWED_REPLY_DELETED, [REFUSED] = OWED_REPLY_REFUSED, [LOST] = OWED_REPLY_LOST};

/* Runs the script and says by its own reckoning whether the execution counts. */
static struct told run_script(enum phase phase, const struct rig_key *key,
			      const struct script *script)
{
	const struct order order = order_of(phase, key);
	const uint64_t lease_then_ms =
	    BEGIN_MS + 600; /* shorter than op_timeout, to meet it alone */
	const bool lease_matters =
	    script->meanwhile[0] == LEASE_ENDS || script->meanwhile[0] == LEASE_EXTENDED ||
	    script->meanwhile[1] == LEASE_ENDS || script->meanwhile[1] == LEASE_EXTENDED;
	struct told told = {.counts = true, .now_ms = BEGIN_MS};
	struct owed_action action;

	if (lease_matters)
		owed_lease(&owed, lease_then_ms);
	for (unsigned step = 0; step < order.count; step++) {
		if (step > 0 && (told.now_ms >= BEGIN_MS + RIG_OP_TIMEOUT_MS ||
				 (lease_matters && told.now_ms >= lease_then_ms) ||
				 script->meanwhile[0] == NEXT_GENERATION ||
				 script->meanwhile[0] == LEASE_LOST)) {
			told.counts = false;
			break; /* the step must not be sent: the caller sees that nothing is */
		}
		action = rig_expect(&owed, OWED_SEND, told.now_ms);
		ck_assert_uint_eq(action.server, order.server[step]);
		ck_assert_str_eq(action.address, rig_change()->servers[action.server].address);
		ck_assert_uint_eq(action.key_bytes, key->bytes);
		ck_assert_mem_eq(action.key, key->text, key->bytes);
		rig_quiet(&owed, told.now_ms); /* the next step waits for this one's reply */
		ck_assert(!owed_in_flight(&owed, 1));
		ck_assert(owed_in_flight(&owed, 2));

		switch (script->meanwhile[step]) {
		case NEXT_GENERATION:
			rig_present(&owed, phase, 2, told.now_ms);
			told.counts = false;
			break;
		case LEASE_EXTENDED:
			owed_lease(&owed, RIG_LONG_MS);
			told.now_ms = lease_then_ms > told.now_ms ? lease_then_ms : told.now_ms;
			told.counts = false;
			break;
		case LEASE_ENDS:
			told.now_ms = lease_then_ms > told.now_ms ? lease_then_ms : told.now_ms;
			told.counts = false;
			break;
		case LEASE_LOST:
			owed_lease(&owed, 0);
			told.counts = false;
			break;
		case TIME_ALMOST:
			told.now_ms = BEGIN_MS + RIG_OP_TIMEOUT_MS - 1;
			told.counts = told.counts && !lease_matters;
			break;
		case TIME_OUT:
			told.now_ms = BEGIN_MS + RIG_OP_TIMEOUT_MS;
			told.counts = false;
			break;
		case ADDED_AGAIN:
			(void)rig_add(&owed, key, 1);
			ck_assert(rig_expect(&owed, OWED_ANSWER, told.now_ms).accepted);
			told.again = true;
			break;
		default:
			break;
		}
		if (script->outcome[step] == NO_ANSWER) {
			const uint32_t server = action.server, command = action.command;

			owed_tick(&owed, BEGIN_MS + RIG_OP_TIMEOUT_MS - 1);
			rig_quiet(&owed, told.now_ms);
			ck_assert(owed_in_flight(&owed, 2));
			told.now_ms = BEGIN_MS + RIG_OP_TIMEOUT_MS;
			owed_tick(&owed, told.now_ms);
			ck_assert(owed_in_flight(&owed, 2));
			action = rig_expect(&owed, OWED_HANG_UP, told.now_ms);
			ck_assert_str_eq(action.address, rig_change()->servers[server].address);
			owed_replied(&owed, command, OWED_REPLY_DELETED,
				     told.now_ms); /* too late */
			told.counts = false;
			break;
		}
		owed_replied(&owed, action.command, reply_of[script->outcome[step]], told.now_ms);
		owed_replied(&owed, action.command, OWED_REPLY_DELETED,
			     told.now_ms); /* twice: once */
		if (script->outcome[step] != DELETED)
			told.counts = false;
	}
	return told;
}

/* The key is owed still: nothing was removed or said, and the next good execution does both. */
static void still_owed(enum phase phase, const struct rig_key *key, uint64_t now_ms)
{
	const struct order order = order_of(phase, key);
	struct owed_action action;

	ck_assert_uint_eq(owed.keys, 1);
	now_ms += 2 * OWED_BACKOFF_MAX_MS;
	owed_lease(&owed, RIG_LONG_MS);
	owed_tick(&owed, now_ms);
	for (unsigned step = 0; step < order.count; step++) {
		ck_assert(owed_next(&owed, now_ms, &action));
		ck_assert_int_eq(action.type, OWED_SEND);
		ck_assert_uint_eq(action.server, order.server[step]);
		owed_replied(&owed, action.command, OWED_REPLY_DELETED, now_ms);
	}
}

static void removed_then_complete(uint64_t up_to, uint64_t now_ms)
{
	struct owed_action action;

	ck_assert(owed_next(&owed, now_ms, &action));
	ck_assert_int_eq(action.type, OWED_APPEND);
	ck_assert_uint_eq(((const uint8_t *)action.bytes)[0], OWED_RECORD_PAID);
	rig_quiet(&owed, now_ms);
	owed_stored(&owed, true, now_ms);
	action = rig_expect(&owed, OWED_COMPLETE, now_ms);
	ck_assert_uint_ge(action.up_to, up_to);
	rig_quiet(&owed, now_ms);
	ck_assert_uint_eq(owed.keys, 0);
}

static void script_is_right(enum phase phase, const struct rig_key *key,
			    const struct script *script)
{
	struct owed_action action;
	struct owed_ticket ticket;
	struct told told;

	rig_init(&owed, 10, 10, phase);
	ticket = rig_add(&owed, key, 1);
	/* On disk and answered, but not begun: without a lease nothing is. */
	owed_lease(&owed, 0);
	ck_assert(rig_expect(&owed, OWED_ANSWER, BEGIN_MS).accepted);
	rig_quiet(&owed, BEGIN_MS);
	owed_lease(&owed, RIG_LONG_MS);

	told = run_script(phase, key, script);
	owed_lease(&owed, 0);
	if (told.counts && told.again) {
		action = rig_expect(&owed, OWED_COMPLETE, told.now_ms);
		ck_assert_uint_eq(action.up_to, ticket.sequence);
		rig_quiet(&owed, told.now_ms);
		still_owed(phase, key, told.now_ms);
	} else if (!told.counts) {
		rig_quiet(&owed, told.now_ms);
		ck_assert(!owed_in_flight(&owed, 2));
		still_owed(phase, key, told.now_ms);
	}
	removed_then_complete(ticket.sequence, told.now_ms + 2 * OWED_BACKOFF_MAX_MS);
	owed_free(&owed);
}

START_TEST(only_a_delete_by_the_rule_and_in_time_counts)
{
	const enum phase phase = (enum phase)(_i / 2);
	const struct rig_key key = rig_key("key", _i % 2 == 1);
	struct script script;
	unsigned cases = 0;

	for (unsigned m0 = 0; m0 < MEANWHILES; m0++)
		for (unsigned o0 = 0; o0 < OUTCOMES; o0++)
			for (unsigned m1 = 0; m1 < MEANWHILES; m1++)
				for (unsigned o1 = 0; o1 < OUTCOMES; o1++) {
					if (order_of(phase, &key).count == 1 && m1 + o1 > 0)
						continue;
					script = (struct script){{m0, m1}, {o0, o1}};
					script_is_right(phase, &key, &script);
					cases++;
				}
	ck_assert_uint_eq(cases, order_of(phase, &key).count == 1 ? 32 : 32 * 32);
}
END_TEST

/* ---- servers that fail ---- */

START_TEST(a_server_that_fails_is_tried_with_one_key_and_holds_nobody_else_up)
{
	struct rig_key key;
	struct owed_action action;
	uint64_t now_ms = BEGIN_MS, pause_ms = OWED_BACKOFF_MIN_MS;
	unsigned there = 0, other = 0;

	rig_init(&owed, 100, 100, PHASE_STEADY);
	for (unsigned i = 0; i < 40; i++) {
		char prefix[16];

		(void)snprintf(prefix, sizeof(prefix), "key%u-", i);
		key = rig_key(prefix, false);
		there += key.old_owner == 0;
		(void)rig_add(&owed, &key, 1);
	}
	while (rig_send(&owed, now_ms, &action)) {
		other += action.server == 1;
		owed_replied(&owed, action.command,
			     action.server == 0 ? OWED_REPLY_LOST : OWED_REPLY_DELETED, now_ms);
	}
	ck_assert_uint_eq(other, 40 - there);
	ck_assert_uint_eq(owed.keys, there);
	ck_assert_uint_gt(there, 5);
	/* Then one key for each pause, and the pauses grow. */
	for (unsigned round = 0; round < 12; round++) {
		owed_tick(&owed, now_ms + pause_ms - 1);
		rig_quiet(&owed, now_ms + pause_ms - 1);
		now_ms += pause_ms;
		owed_tick(&owed, now_ms);
		action = rig_expect(&owed, OWED_SEND, now_ms);
		rig_quiet(&owed, now_ms);
		owed_replied(&owed, action.command, OWED_REPLY_LOST, now_ms);
		rig_quiet(&owed, now_ms);
		pause_ms = pause_ms * 2 < OWED_BACKOFF_MAX_MS ? pause_ms * 2 : OWED_BACKOFF_MAX_MS;
	}
	ck_assert_uint_eq(pause_ms, OWED_BACKOFF_MAX_MS);
	/* It is back: all the others follow at once. */
	now_ms += pause_ms;
	owed_tick(&owed, now_ms);
	action = rig_expect(&owed, OWED_SEND, now_ms);
	owed_replied(&owed, action.command, OWED_REPLY_DELETED, now_ms);
	for (unsigned sent = 1; sent < there; sent++)
		ck_assert(rig_send(&owed, now_ms, &action));
	ck_assert(!rig_send(&owed, now_ms, &action));
}
END_TEST

START_TEST(a_key_that_is_refused_waits_by_itself)
{
	const struct rig_key bad = rig_key("bad", false);
	struct owed_action action;
	unsigned refused = 0, added = 0;

	rig_init(&owed, 100, 100, PHASE_STEADY);
	(void)rig_add(&owed, &bad, 1);
	for (uint64_t now_ms = BEGIN_MS; now_ms < BEGIN_MS + 60000; now_ms += 20) {
		if (now_ms % 1000 == 0) {
			struct rig_key good;
			char prefix[16];

			do {
				(void)snprintf(prefix, sizeof(prefix), "good%u-", added++);
				good = rig_key(prefix, false);
			} while (good.old_owner != bad.old_owner);
			(void)rig_add(&owed, &good, 1);
		}
		/* What came a second ago is through by now. */
		if (now_ms % 1000 == 980)
			ck_assert_uint_eq(owed.keys, 1);
		owed_tick(&owed, now_ms);
		while (rig_send(&owed, now_ms, &action)) {
			bool is_bad = action.key[0] == 'b';

			refused += is_bad;
			owed_replied(&owed, action.command,
				     is_bad ? OWED_REPLY_REFUSED : OWED_REPLY_DELETED, now_ms);
		}
	}
	ck_assert_uint_ge(refused, 10);
	ck_assert_uint_lt(refused, 30);
	ck_assert_uint_eq(owed.counts.completed, 60);
}
END_TEST

START_TEST(a_batch_is_bounded)
{
	struct owed_action action;
	unsigned sent = 0;

	rig_init(&owed, 1000, 1000, PHASE_STEADY);
	for (unsigned i = 0; i < 500; i++) {
		struct rig_key key;

		key.bytes = (size_t)snprintf(key.text, sizeof(key.text), "many%u", i);
		(void)rig_add(&owed, &key, 1);
	}
	while (rig_send(&owed, BEGIN_MS, &action))
		sent++;
	ck_assert_uint_eq(sent, OWED_RUNNING_MAX);
}
END_TEST

START_TEST(what_is_repeated_in_owed_present_changes_nothing)
{
	const struct rig_key key = rig_key("key", true);
	struct owed_action action;

	rig_init(&owed, 10, 10, PHASE_COPY);
	(void)rig_add(&owed, &key, 1);
	(void)rig_expect(&owed, OWED_ANSWER, BEGIN_MS);
	action = rig_expect(&owed, OWED_SEND, BEGIN_MS);
	rig_present(&owed, PHASE_COPY, 1, BEGIN_MS);
	owed_replied(&owed, action.command, OWED_REPLY_DELETED, BEGIN_MS);
	action = rig_expect(&owed, OWED_SEND, BEGIN_MS);
	owed_replied(&owed, action.command, OWED_REPLY_DELETED, BEGIN_MS);
	(void)rig_expect(&owed, OWED_COMPLETE, BEGIN_MS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("owed_execute");
	TCase *tcase = tcase_create("execute");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, NULL, tear_down);
	tcase_add_loop_test(tcase, only_a_delete_by_the_rule_and_in_time_counts, 0,
			    2 * PHASE_COUNT);
	tcase_add_test(tcase, a_server_that_fails_is_tried_with_one_key_and_holds_nobody_else_up);
	tcase_add_test(tcase, a_key_that_is_refused_waits_by_itself);
	tcase_add_test(tcase, a_batch_is_bounded);
	tcase_add_test(tcase, what_is_repeated_in_owed_present_changes_nothing);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
