/* test_owed.c - which keys are taken, from whom, how many, and what is answered when. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "owed_rig.h"

#define NOW_MS 50000u

static struct owed owed;

static void tear_down(void)
{
	owed_free(&owed);
}

static struct rig_key numbered(unsigned i)
{
	struct rig_key key = {.bytes = 0};

	key.bytes = (size_t)snprintf(key.text, sizeof(key.text), "number%u", i);
	return key;
}

static int add(const char *key, size_t bytes, uint32_t uid, struct failure *failure)
{
	struct owed_ticket ticket = {.entry = 4711};
	int error = owed_add(&owed, key, bytes, uid, 77, &ticket, failure);

	ck_assert_int_eq(error == 0, ticket.entry != 4711);
	return error;
}

static void refused(int error, const char *key, size_t bytes, uint32_t uid, const char *word)
{
	const uint32_t before = owed.keys;
	struct failure failure;

	ck_assert_int_eq(add(key, bytes, uid, &failure), -error);
	ck_assert_msg(strstr(failure.text, word) != NULL, "%s", failure.text);
	ck_assert_uint_eq(owed.keys, before);
}

START_TEST(what_memcached_cannot_name_is_refused)
{
	char longer[OWED_KEY_MAX + 1];

	memset(longer, 'k', sizeof(longer));
	rig_init(&owed, 10, 10, PHASE_STEADY);
	refused(EINVAL, "", 0, 1, "0 bytes");
	refused(EINVAL, longer, sizeof(longer), 1, "251 bytes");
	longer[200] = ' ';
	refused(EINVAL, longer, OWED_KEY_MAX, 1, "base64");
	ck_assert_uint_eq(owed.counts.refused_key, 3);
}
END_TEST

START_TEST(nothing_is_taken_before_a_list_is_published)
{
	const struct owed_limits limits = {10, 10};

	ck_assert_int_eq(owed_init(&owed, &limits, 1), 0);
	refused(EAGAIN, "key", 3, 1, "no list");
	ck_assert_uint_eq(owed.counts.refused_not_ready, 1);
}
END_TEST

START_TEST(keys_of_others_are_refused_and_never_deleted)
{
	struct change change = *rig_change();
	struct owed_present present = {.change = &change, .phase = PHASE_STEADY, .generation = 2};
	struct owed_action action;
	struct rig_key mine = numbered(1);

	/* One that is owed when the list does not cover it (any more) waits, and is shown. */
	rig_init(&owed, 10, 10, PHASE_STEADY);
	(void)rig_add(&owed, &mine, 1);
	(void)rig_expect(&owed, OWED_ANSWER, NOW_MS);
	(void)snprintf(change.prefix, sizeof(change.prefix), "web:");
	owed_present(&owed, &present, NOW_MS);
	ck_assert(!rig_send(&owed, NOW_MS, &action));
	ck_assert_uint_eq(owed.keys, 1);
	refused(ENOENT, "key", 3, 1, "'web:'");
	ck_assert_int_eq(add("web:1", 5, 1, NULL), 0);
	ck_assert(rig_send(&owed, NOW_MS, &action));
	ck_assert_mem_eq(action.key, "web:1", 5);
	/* And it goes on when it is covered again. */
	change.prefix[0] = '\0';
	present.generation++;
	owed_present(&owed, &present, NOW_MS);
	ck_assert(rig_send(&owed, NOW_MS, &action));
	ck_assert_mem_eq(action.key, mine.text, mine.bytes);
}
END_TEST

START_TEST(a_key_owed_twice_is_stored_and_executed_once)
{
	const struct rig_key key = numbered(1);
	struct owed_ticket first, second, third;
	struct owed_action action;

	rig_init(&owed, 10, 10, PHASE_STEADY);
	first = rig_add(&owed, &key, 1);
	second = rig_add(&owed, &key, 2);
	ck_assert_uint_eq(first.entry, second.entry);
	ck_assert_uint_lt(first.sequence, second.sequence);
	ck_assert(owed_next(&owed, NOW_MS, &action));
	ck_assert_int_eq(action.type, OWED_REWRITE); /* there is no journal yet */
	rig_quiet(&owed, NOW_MS);		     /* nothing is answered before it is on disk */
	third = rig_add(&owed, &key, 2);
	rig_quiet(&owed, NOW_MS);
	owed_stored(&owed, true, NOW_MS);
	action = rig_expect(&owed, OWED_ANSWER, NOW_MS);
	ck_assert(action.accepted);
	ck_assert_uint_eq(action.entry, first.entry);
	ck_assert_uint_eq(action.up_to, third.sequence);
	action = rig_expect(&owed, OWED_SEND, NOW_MS);
	rig_quiet(&owed, NOW_MS);
	ck_assert_uint_eq(owed.keys, 1);
	owed_replied(&owed, action.command, OWED_REPLY_DELETED, NOW_MS);
	action = rig_expect(&owed, OWED_COMPLETE, NOW_MS);
	ck_assert_uint_eq(action.up_to, third.sequence);
	rig_quiet(&owed, NOW_MS);
	ck_assert_uint_eq(owed.keys, 0);
}
END_TEST

START_TEST(what_is_not_stored_is_refused)
{
	const struct rig_key key = numbered(1), other = numbered(2);
	struct owed_ticket ticket;
	struct owed_action action;

	rig_init(&owed, 10, 10, PHASE_STEADY);
	ticket = rig_add(&owed, &key, 1);
	ck_assert(owed_next(&owed, NOW_MS, &action));
	owed_stored(&owed, false, NOW_MS);
	action = rig_expect(&owed, OWED_ANSWER, NOW_MS);
	ck_assert(!action.accepted);
	ck_assert_uint_eq(action.up_to, ticket.sequence);
	rig_quiet(&owed, NOW_MS);
	ck_assert_uint_eq(owed.keys, 0);
	ck_assert_uint_eq(owed.counts.refused_store, 1);
	/* The next one waits for the next try, which writes the journal anew. */
	(void)rig_add(&owed, &other, 1);
	rig_quiet(&owed, NOW_MS + OWED_STORE_RETRY_MS - 1);
	ck_assert(owed_next(&owed, NOW_MS + OWED_STORE_RETRY_MS, &action));
	ck_assert_int_eq(action.type, OWED_REWRITE);
}
END_TEST

START_TEST(caps_hold_in_all_and_for_each_user_and_are_given_back)
{
	struct owed_action action;
	struct rig_key key;

	rig_init(&owed, 12, 5, PHASE_STEADY);
	for (unsigned i = 0; i < 10; i++) {
		key = numbered(i);
		(void)rig_add(&owed, &key, 1000 + i / 5);
	}
	refused(EDQUOT, "one-more", 8, 1000, "uid 1000 owes 5 keys");
	/* One that is owed already costs nothing more, whoever owes it. */
	key = numbered(0);
	(void)rig_add(&owed, &key, 1001);
	(void)rig_add(&owed, &key, 1000);
	(void)add("from-a-third", 12, 1002, NULL);
	(void)add("and-another", 11, 1002, NULL);
	refused(ENOSPC, "one-too-many", 12, 1003, "12 keys are owed");
	ck_assert_uint_eq(owed.counts.refused_uid, 1);
	ck_assert_uint_eq(owed.counts.refused_full, 1);
	ck_assert(rig_send(&owed, NOW_MS, &action));
	ck_assert_mem_eq(action.key, "number0", 7);
	owed_replied(&owed, action.command, OWED_REPLY_DELETED, NOW_MS);
	while (owed_next(&owed, NOW_MS, &action))
		if (action.type == OWED_APPEND)
			owed_stored(&owed, true, NOW_MS);
	ck_assert_int_eq(add("one-more", 8, 1000, NULL), 0);
	ck_assert_uint_eq(owed.keys, 12);
}
END_TEST

START_TEST(one_user_too_many_is_refused)
{
	rig_init(&owed, 1000, 5, PHASE_STEADY);
	for (unsigned i = 0; i < OWED_UIDS_MAX; i++) {
		struct rig_key key = numbered(i);

		(void)rig_add(&owed, &key, 5000 + i);
		if (i % 64 == 0)
			(void)rig_expect(&owed, OWED_ANSWER, NOW_MS);
	}
	ck_assert_int_eq(add("more", 4, 1, NULL), -EDQUOT);
	ck_assert_int_eq(add("more", 4, 5000, NULL), 0);
}
END_TEST

START_TEST(every_entry_can_be_used_and_used_again)
{
	struct owed_action action;

	rig_init(&owed, OWED_KEYS_MAX, OWED_KEYS_MAX, PHASE_STEADY);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < OWED_KEYS_MAX; i++) {
			struct rig_key key = numbered(round * 1000000 + i);

			(void)rig_add(&owed, &key, 1);
		}
		refused(ENOSPC, "full", 4, 1, "65536 may be");
		while (rig_send(&owed, NOW_MS, &action))
			owed_replied(&owed, action.command, OWED_REPLY_DELETED, NOW_MS);
		ck_assert_uint_eq(owed.keys, 0);
		ck_assert_uint_eq(owed.live_bytes, 0);
	}
	ck_assert_uint_eq(owed.counts.completed, 2 * OWED_KEYS_MAX);
	ck_assert_uint_le(owed.journal_bytes, OWED_JOURNAL_MAX);
}
END_TEST

static int load_many(unsigned count, uint32_t limit)
{
	static uint8_t journal[(OWED_KEYS_MAX + 1) * 64];
	const struct owed_limits limits = {limit, limit};
	size_t length = OWED_JOURNAL_HEADER_BYTES;
	struct owed_damage damage;

	owed_journal_header(journal);
	for (unsigned i = 0; i < count; i++) {
		const struct rig_key key = numbered(i);
		const struct owed_record record = {.kind = OWED_RECORD_OWED,
						   .key_bytes = (uint8_t)key.bytes,
						   .uid = 7,
						   .since_s = 5,
						   .key = (const uint8_t *)key.text};

		length += owed_record_encode(&record, length, journal + length);
	}
	owed_free(&owed);
	ck_assert_int_eq(owed_init(&owed, &limits, 1), 0);
	return owed_load(&owed, journal, length, &damage, NULL);
}

START_TEST(a_journal_of_more_keys_than_are_taken_now_is_loaded_whole)
{
	struct owed_action action;
	unsigned sent = 0;

	ck_assert_int_eq(load_many(100, 3), 0);
	rig_present(&owed, PHASE_STEADY, 1, 0);
	ck_assert_int_eq(add("more", 4, 1, NULL), -ENOSPC);
	owed_lease(&owed, RIG_LONG_MS);
	for (; rig_send(&owed, NOW_MS, &action); sent++)
		owed_replied(&owed, action.command, OWED_REPLY_DELETED, NOW_MS);
	ck_assert_uint_eq(sent, 100);
	ck_assert_uint_eq(owed.keys, 0);
	ck_assert_int_eq(add("more", 4, 7, NULL), 0);
	ck_assert_int_eq(load_many(OWED_KEYS_MAX, 1), 0);
	ck_assert_uint_eq(owed.keys, OWED_KEYS_MAX);
	ck_assert_int_eq(load_many(OWED_KEYS_MAX + 1, 1), -E2BIG);
}
END_TEST

START_TEST(status_says_how_much_to_whom_and_since_when)
{
	const struct rig_key moves = rig_key("moves", true), stays = rig_key("stays", false);
	struct owed_status status;
	struct owed_ticket ticket;
	struct owed_action action;
	struct owed_to to[3];

	rig_init(&owed, 10, 10, PHASE_COPY);
	owed_status(&owed, &status);
	ck_assert_uint_eq(status.keys, 0);
	ck_assert_uint_eq(status.oldest_since_s, 0);
	ck_assert_int_eq(owed_add(&owed, stays.text, stays.bytes, 1, 2000, &ticket, NULL), 0);
	ck_assert_int_eq(owed_add(&owed, moves.text, moves.bytes, 1, 1500, &ticket, NULL), 0);
	ck_assert_int_eq(owed_add(&owed, moves.text, moves.bytes, 1, 3000, &ticket, NULL), 0);
	owed_status(&owed, &status);
	ck_assert_uint_eq(status.keys, 2);
	ck_assert_uint_eq(status.oldest_since_s, 1500);
	owed_status_servers(&owed, to, 3);
	ck_assert_uint_eq(to[2].keys, 1);
	ck_assert_uint_eq(to[2].oldest_since_s, 1500);
	ck_assert_uint_eq(to[0].keys + to[1].keys, 2);
	/* After an attempt: only where it failed. */
	while (rig_send(&owed, NOW_MS, &action))
		owed_replied(&owed, action.command,
			     action.server == 2 ? OWED_REPLY_LOST : OWED_REPLY_DELETED, NOW_MS);
	owed_status_servers(&owed, to, 3);
	ck_assert_uint_eq(to[0].keys + to[1].keys, 0);
	ck_assert_uint_eq(to[2].keys, 1);
	owed_status(&owed, &status);
	ck_assert_uint_eq(status.keys, 1);
	ck_assert_uint_eq(status.counts.failed, 1);
	ck_assert_uint_eq(status.counts.executions, 2);
	ck_assert_uint_eq(status.counts.completed, 1);
	/* Under other rules nothing is known yet. */
	rig_present(&owed, PHASE_SWITCH, 2, NOW_MS);
	owed_status_servers(&owed, to, 3);
	ck_assert_uint_eq(to[moves.old_owner].keys, 1);
	ck_assert_uint_eq(to[2].keys, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("owed");
	TCase *tcase = tcase_create("queue");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, NULL, tear_down);
	tcase_add_test(tcase, what_memcached_cannot_name_is_refused);
	tcase_add_test(tcase, nothing_is_taken_before_a_list_is_published);
	tcase_add_test(tcase, keys_of_others_are_refused_and_never_deleted);
	tcase_add_test(tcase, a_key_owed_twice_is_stored_and_executed_once);
	tcase_add_test(tcase, what_is_not_stored_is_refused);
	tcase_add_test(tcase, caps_hold_in_all_and_for_each_user_and_are_given_back);
	tcase_add_test(tcase, one_user_too_many_is_refused);
	tcase_add_test(tcase, every_entry_can_be_used_and_used_again);
	tcase_add_test(tcase, a_journal_of_more_keys_than_are_taken_now_is_loaded_whole);
	tcase_add_test(tcase, status_says_how_much_to_whom_and_since_when);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
