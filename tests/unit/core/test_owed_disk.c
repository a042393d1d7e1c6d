/* test_owed_disk.c - what was accepted survives every crash until it is complete, and nothing is
 * complete that was not carried out.
 *
 * Random walks over a queue and a simulated disk that fails, tears
 * appends, and loses the process at any moment.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "owed_rig.h"

#define KEYS	 8u
#define ADDS	 64u
#define STEPS	 400u
#define SEEDS	 300
#define DISK_MAX (1u << 20)

static struct owed owed;
static uint64_t random_state;

static uint32_t dice(uint32_t sides)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 33) % sides;
}

static struct disk {
	uint8_t bytes[DISK_MAX];
	size_t length; /* 0: there is no file */
} disk, anew;

/* One add of a client: what it was told, and what has really happened to its key since. */
static struct add {
	bool used, accepted, deleted;
	unsigned key;
	struct owed_ticket ticket;
} adds[ADDS];

static struct rig_key keys[KEYS];
static uint64_t now_ms;
static uint32_t generation;

/* What the walk reached: a test that never met a situation proves nothing about it. */
static unsigned crashes, torn, unsure, again, completions, refusals, rewrites;

static struct add *add_of(const struct owed_action *action, unsigned i)
{
	struct add *one = &adds[i];

	return one->used && one->ticket.entry == action->entry &&
		       one->ticket.sequence <= action->up_to
		   ? one
		   : NULL;
}

static void told(const struct owed_action *action)
{
	unsigned count = 0;

	for (unsigned i = 0; i < ADDS; i++) {
		struct add *one = add_of(action, i);

		if (one == NULL || (action->type == OWED_ANSWER && one->accepted))
			continue;
		ck_assert_uint_eq(action->key_bytes, keys[one->key].bytes);
		ck_assert_mem_eq(action->key, keys[one->key].text, action->key_bytes);
		count++;
		if (action->type == OWED_ANSWER && action->accepted) {
			one->accepted = true;
			continue;
		}
		if (action->type == OWED_COMPLETE) {
			ck_assert_msg(one->accepted, "complete, but never accepted");
			ck_assert_msg(one->deleted, "complete, but never deleted since");
			completions++;
		} else {
			refusals++;
		}
		one->used = false;
	}
	again += action->type == OWED_COMPLETE && count > 1;
}

/* The disk's last word on a key. */
static bool disk_holds(const struct disk *on, unsigned key)
{
	struct owed_journal_reader reader;
	struct owed_record record;
	bool holds = false;

	if (on->length == 0)
		return false;
	ck_assert_int_eq(owed_journal_open(&reader, on->bytes, on->length), 0);
	while (owed_journal_next(&reader, &record))
		if (record.key_bytes == keys[key].bytes &&
		    memcmp(record.key, keys[key].text, record.key_bytes) == 0)
			holds = record.kind == OWED_RECORD_OWED;
	return holds;
}

static bool owed_to_client(const struct add *one)
{
	return one->used && one->accepted && !one->deleted;
}

static void disk_is_right(void)
{
	for (unsigned i = 0; i < ADDS; i++)
		if (owed_to_client(&adds[i]))
			ck_assert_msg(disk_holds(&disk, adds[i].key),
				      "key %u was accepted and is not on disk", adds[i].key);
}

static void start(void)
{
	const struct owed_limits limits = {KEYS, KEYS};
	struct owed_damage damage = {0};

	ck_assert_int_eq(owed_init(&owed, &limits, 3), 0);
	if (disk.length > 0)
		ck_assert_int_eq(owed_load(&owed, disk.bytes, disk.length, &damage, NULL), 0);
	ck_assert_uint_eq(damage.damaged_bytes, 0);
	torn += damage.torn_bytes > 0;
	rig_present(&owed, PHASE_COPY, ++generation, now_ms);
	owed_lease(&owed, RIG_LONG_MS);
}

/* What the queue itself would write: one record at a time fits. */
static bool queue_holds(unsigned key)
{
	struct owed_cursor cursor = {.offset = OWED_JOURNAL_HEADER_BYTES};
	uint8_t record[OWED_RECORD_MAX];

	while (owed_snapshot(&owed, &cursor, record, sizeof(record)) > 0)
		if (record[1] == keys[key].bytes &&
		    memcmp(record + 14, keys[key].text, record[1]) == 0)
			return true;
	return false;
}

/* The process is gone, and whoever waited with it; what was promised is in what is loaded. */
static void crash(void)
{
	disk_is_right();
	owed_free(&owed);
	start();
	for (unsigned i = 0; i < ADDS; i++) {
		if (owed_to_client(&adds[i]))
			ck_assert_msg(queue_holds(adds[i].key), "key %u was accepted and is lost",
				      adds[i].key);
		adds[i].used = false;
	}
	crashes++;
}

/* Carries a store out: whole, not at all, or as far as it came. */
static void store(const struct owed_action *action)
{
	static uint8_t piece[1024];
	struct owed_cursor cursor = {0};
	const uint32_t fate = dice(10);
	size_t length;

	if (action->type == OWED_REWRITE) {
		anew.length = 0;
		while ((length = owed_snapshot(&owed, &cursor, piece, sizeof(piece))) > 0) {
			memcpy(anew.bytes + anew.length, piece, length);
			anew.length += length;
		}
		rewrites++;
		if (fate != 1) /* the rename reached the disk, said or not */
			disk = anew;
	} else {
		length = fate == 1 ? dice((uint32_t)action->length + 1) : action->length;
		ck_assert_uint_gt(disk.length, 0);
		ck_assert_uint_eq(disk.length, owed.journal_bytes);
		memcpy(disk.bytes + disk.length, action->bytes, length);
		disk.length += length;
	}
	unsure += fate == 2;
	if (fate == 0)
		crash();
	else if (fate <= 2) /* failed, or done but not known to be */
		owed_stored(&owed, false, now_ms);
	else
		owed_stored(&owed, true, now_ms);
}

/* A moving key's two steps, with anything that may come between. */
static void delete (const struct owed_action *action, uint64_t sequence)
{
	const bool first = action->server != 2;
	static unsigned half; /* steps of a delete done in order, by key: a bit for each */
	static uint64_t begun[KEYS];
	unsigned key = 0;

	while (keys[key].bytes != action->key_bytes ||
	       memcmp(keys[key].text, action->key, action->key_bytes) != 0)
		key++;
	if (first) {
		half &= ~(1u << key);
		begun[key] = sequence;
	}
	if (dice(4) == 0) {
		owed_replied(&owed, action->command, OWED_REPLY_LOST, now_ms);
		return;
	}
	if (first)
		half |= 1u << key;
	else if ((half & 1u << key) != 0)
		for (unsigned i = 0; i < ADDS; i++)
			adds[i].deleted |= adds[i].used && adds[i].key == key &&
					   adds[i].ticket.sequence <= begun[key];
	owed_replied(&owed, action->command, OWED_REPLY_DELETED, now_ms);
}

static void add_one(void)
{
	struct add *one = &adds[dice(ADDS)];

	if (one->used)
		return;
	*one = (struct add){.used = true, .key = dice(KEYS)};
	one->ticket = rig_add(&owed, &keys[one->key], 1);
}

static void act(void)
{
	struct owed_action action;
	uint64_t sequence;

	if (!owed_next(&owed, now_ms, &action))
		return;
	switch (action.type) {
	case OWED_APPEND:
	case OWED_REWRITE:
		/* Clients go on while an append is under way. */
		while (action.type == OWED_APPEND && dice(3) == 0)
			add_one();
		store(&action);
		break;
	case OWED_ANSWER:
	case OWED_COMPLETE:
		told(&action);
		disk_is_right();
		break;
	case OWED_SEND:
		sequence = owed.sequence;
		if (dice(3) == 0)
			add_one();
		delete (&action, sequence);
		break;
	case OWED_HANG_UP:
		ck_abort_msg("nothing is left unanswered here");
	}
}

static void walk(unsigned seed)
{
	random_state = seed * 7919u + 1;
	memset(adds, 0, sizeof(adds));
	disk.length = 0;
	now_ms = 50000;
	for (unsigned i = 0; i < KEYS; i++) {
		char prefix[] = {(char)('a' + i), '-', '\0'};

		keys[i] = rig_key(prefix, true);
	}
	start();
	for (unsigned step = 0; step < STEPS; step++) {
		if (dice(5) == 0)
			add_one();
		if (dice(50) == 0)
			crash();
		now_ms += dice(40);
		owed_tick(&owed, now_ms);
		act();
	}
	owed_free(&owed);
}

START_TEST(what_is_accepted_survives_and_nothing_is_complete_that_was_not_deleted)
{
	for (unsigned seed = 0; seed < SEEDS; seed++)
		walk(seed);
	ck_assert_uint_gt(crashes, 100);
	ck_assert_uint_gt(torn, 10);
	ck_assert_uint_gt(unsure, 100);
	ck_assert_uint_gt(again, 100);
	ck_assert_uint_gt(completions, 1000);
	ck_assert_uint_gt(refusals, 100);
	ck_assert_uint_gt(rewrites, 100);
}
END_TEST

START_TEST(a_journal_stays_small)
{
	const struct rig_key key = rig_key("key", false);
	struct owed_action action;
	uint64_t largest = 0, appended = 0;
	unsigned anews = 0;

	rig_init(&owed, 10, 10, PHASE_STEADY);
	for (unsigned i = 0; i < 60000; i++) {
		(void)rig_add(&owed, &key, 1);
		while (owed_next(&owed, 1000, &action)) {
			static uint8_t piece[4096];
			struct owed_cursor cursor = {0};

			if (action.type == OWED_REWRITE) {
				anews++;
				while (owed_snapshot(&owed, &cursor, piece, sizeof(piece)) > 0)
					;
			}
			if (action.type == OWED_APPEND) {
				/* One accept costs one small write. */
				ck_assert_uint_le(action.length, OWED_RECORD_MAX);
				appended += action.length;
			}
			if (action.type == OWED_APPEND || action.type == OWED_REWRITE)
				owed_stored(&owed, true, 1000);
			if (action.type == OWED_SEND)
				owed_replied(&owed, action.command, OWED_REPLY_DELETED, 1000);
			largest = owed.journal_bytes > largest ? owed.journal_bytes : largest;
		}
	}
	ck_assert_uint_gt(appended, 2 * OWED_COMPACT_BYTES);
	ck_assert_uint_le(largest, OWED_COMPACT_BYTES + OWED_RECORD_MAX);
	ck_assert_uint_ge(anews, 2);
	ck_assert_uint_le(anews, 10);
	owed_free(&owed);
}
END_TEST

START_TEST(a_damaged_journal_is_written_anew_at_once)
{
	const struct owed_limits limits = {KEYS, KEYS};
	struct owed_damage damage;
	struct owed_action action;
	struct owed_record record = {.kind = OWED_RECORD_OWED,
				     .key_bytes = 3,
				     .uid = 1,
				     .since_s = 5,
				     .key = (const uint8_t *)"key"};

	owed_journal_header(disk.bytes);
	disk.length = OWED_JOURNAL_HEADER_BYTES;
	disk.length += owed_record_encode(&record, disk.length, disk.bytes + disk.length);
	disk.length += 3; /* the beginning of another */
	ck_assert_int_eq(owed_init(&owed, &limits, 3), 0);
	ck_assert_int_eq(owed_load(&owed, disk.bytes, disk.length, &damage, NULL), 0);
	ck_assert_uint_eq(damage.torn_bytes, 3);
	ck_assert_uint_eq(damage.damaged_bytes, 0);
	ck_assert_uint_eq(owed.keys, 1);
	ck_assert(owed_next(&owed, 1000, &action));
	ck_assert_int_eq(action.type, OWED_REWRITE);
	owed_free(&owed);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("owed_disk");
	TCase *tcase = tcase_create("disk");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase,
		       what_is_accepted_survives_and_nothing_is_complete_that_was_not_deleted);
	tcase_add_test(tcase, a_journal_stays_small);
	tcase_add_test(tcase, a_damaged_journal_is_written_anew_at_once);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
