/* test_mover.c - the mover against real memcached processes. */
#include <check.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/mover.h"
#include "memcached_process.h"

#define SLOTS	  1024u
#define SERVERS	  3u
#define PATIENCE_S 60

/* Two servers, a and b, own the even and the odd slots; c is new and gets every third slot. */
static struct memcached_process processes[SERVERS];
static struct change_server servers[SERVERS];
static uint16_t old_owner[SLOTS], new_owner[SLOTS];
static struct change change;
static struct event_base *base;
static struct event *tick; /* so that a turn of the loop always ends */

struct run {
	struct mover *mover;
	struct mover_mark saved;
	bool finished, stopped;
	unsigned saves, asked, allowed; /* allowed: batches, 0 for any number */
	time_t began;
	struct work work;
};

static uint64_t rate_keys;

static int mark_save(void *context, const struct mover_mark *mark)
{
	struct run *run = context;

	run->saved = *mark;
	run->saves++;
	return 0;
}

static bool may_work(void *context, uint64_t *until_ns)
{
	struct run *run = context;

	run->asked++;
	*until_ns = UINT64_MAX;
	return run->allowed == 0 || run->asked <= run->allowed;
}

static void finished(void *context, const struct work *work)
{
	struct run *run = context;

	ck_assert(!run->finished);
	run->finished = true;
	run->work = *work;
}

static void stopped(void *context)
{
	struct run *run = context;

	run->stopped = true;
}

static const struct mover_events events = {
	.mark_save = mark_save, .may_work = may_work, .finished = finished, .stopped = stopped};

static void slots_count(void)
{
	for (uint32_t i = 0; i < SERVERS; i++)
		servers[i].lost = servers[i].gained = 0;
	change.moved = 0;
	for (uint32_t i = 0; i < SLOTS; i++) {
		if (new_owner[i] == old_owner[i])
			continue;
		servers[old_owner[i]].lost++;
		servers[new_owner[i]].gained++;
		change.moved++;
	}
}

static void change_make(void)
{
	memset(&change, 0, sizeof(change));
	memset(servers, 0, sizeof(servers));
	for (uint32_t i = 0; i < SLOTS; i++) {
		old_owner[i] = (uint16_t)(i % 2);
		new_owner[i] = i % 3 == 0 ? 2 : old_owner[i];
	}
	slots_count();
	for (uint32_t i = 0; i < SERVERS; i++) {
		(void)snprintf(servers[i].name, sizeof(servers[i].name), "cache%02u", i + 1);
		(void)snprintf(servers[i].address, sizeof(servers[i].address), "%s",
			       processes[i].address);
		servers[i].in_old = i < 2;
		servers[i].in_new = true;
	}
	change.old_epoch = 1;
	change.new_epoch = 2;
	change.slot_count = SLOTS;
	change.server_count = SERVERS;
	change.servers = servers;
	change.old_owner = old_owner;
	change.new_owner = new_owner;
	change.op_timeout_ms = 1000;
}

static void nothing(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	(void)argument;
}

static void set_up(void)
{
	struct timeval often = {.tv_usec = 20000};

	rate_keys = 0;
	memset(processes, 0, sizeof(processes));
	for (uint32_t i = 0; i < SERVERS; i++)
		memcached_start(&processes[i], NULL);
	change_make();
	base = event_base_new();
	ck_assert_ptr_nonnull(base);
	tick = event_new(base, -1, EV_PERSIST, nothing, NULL);
	event_add(tick, &often);
}

static void tear_down(void)
{
	for (uint32_t i = 0; i < SERVERS; i++)
		memcached_kill(&processes[i]);
	event_free(tick);
	event_base_free(base);
}

static void run_start(struct run *run, uint32_t server, enum phase phase, bool restarted)
{
	struct mover_setup setup = {.base = base,
				    .change = &change,
				    .server = server,
				    .phase = phase,
				    .restarted = restarted,
				    .mark = run->saved,
				    .spool_directory = "/tmp",
				    .rate_keys = &rate_keys,
				    .op_timeout_ms = change.op_timeout_ms,
				    .events = &events,
				    .context = run};
	struct failure failure;

	run->finished = run->stopped = false;
	run->asked = 0;
	run->began = time(NULL);
	ck_assert_int_eq(mover_start(&setup, &run->mover, &failure), 0);
}

/* One turn of the loop; too many seconds after run_start it fails. */
static void turn_once(struct run *run)
{
	struct work work;

	mover_progress(run->mover, &work);
	ck_assert_msg(time(NULL) - run->began < PATIENCE_S,
		      "phase %d: found %lu moved %lu present %lu gone %lu failed %lu left %lu: %s",
		      work.phase, work.found, work.moved, work.present, work.gone, work.failed,
		      work.left, work.reason);
	event_base_loop(base, EVLOOP_ONCE);
}

static void turn_until(const bool *condition, struct run *run)
{
	while (!*condition)
		turn_once(run);
}

static void run_whole(struct run *run, uint32_t server, enum phase phase)
{
	run_start(run, server, phase, false);
	turn_until(&run->finished, run);
	mover_free(run->mover);
	run->mover = NULL;
}

static uint32_t owner_of(const void *key, size_t key_bytes, bool new)
{
	uint32_t owners[2];

	change_key_owners(&change, key, key_bytes, &owners[0], &owners[1]);
	return owners[new];
}

static void put(const void *key, size_t key_bytes, const void *value, size_t length, uint32_t flags,
		long ttl)
{
	memcached_set(&processes[owner_of(key, key_bytes, false)], key, key_bytes, value, length, flags,
		      ttl);
}

static void phase_all(enum phase phase, struct run runs[SERVERS])
{
	for (uint32_t i = 0; i < SERVERS; i++) {
		bool losing = servers[i].lost > 0, gaining = servers[i].gained > 0;

		if ((losing && phase_works_losing(phase)) || (gaining && phase_works_gaining(phase))) {
			run_whole(&runs[i], i, phase);
			ck_assert_msg(runs[i].work.state == WORK_DONE, "%s: %s", servers[i].name,
				      runs[i].work.reason);
		}
	}
}

/* Turns the loop until the mover has settled `keys` keys. */
static void turn_until_counted(struct run *run, uint64_t keys)
{
	bool reached = false;

	while (!reached) {
		struct work work;

		turn_once(run);
		mover_progress(run->mover, &work);
		reached = work.moved + work.present + work.gone + work.failed >= keys;
	}
}

static void run_abandon(struct run *run)
{
	mover_free(run->mover);
	run->mover = NULL;
}

static void fill(unsigned count, const char *word)
{
	char key[32], value[64];

	for (unsigned i = 0; i < count; i++) {
		int length = snprintf(key, sizeof(key), "key:%u", i);
		int bytes = snprintf(value, sizeof(value), "%s%u", word, i);

		put(key, (size_t)length, value, (size_t)bytes, i, 0);
	}
}

/* Keys of fill() that move in this change. */
static unsigned moving(unsigned count, uint32_t from)
{
	unsigned n = 0;
	char key[32];

	for (unsigned i = 0; i < count; i++) {
		size_t length = (size_t)snprintf(key, sizeof(key), "key:%u", i);

		n += owner_of(key, length, false) == from && owner_of(key, length, true) != from;
	}
	return n;
}

/* Every key of fill() is where `new` says and holds `word`. */
static void all_hold(unsigned count, bool new, const char *word)
{
	char key[32], value[64];

	for (unsigned i = 0; i < count; i++) {
		int length = snprintf(key, sizeof(key), "key:%u", i);
		int bytes = snprintf(value, sizeof(value), "%s%u", word, i);
		uint32_t at = owner_of(key, (size_t)length, new);
		struct memcached_item item = memcached_get(&processes[at], key, (size_t)length);

		ck_assert_msg(item.hit, "%s is not at %s", key, servers[at].name);
		ck_assert_uint_eq(item.length, (size_t)bytes);
		ck_assert_mem_eq(item.value, value, (size_t)bytes);
		ck_assert_uint_eq(item.flags, i);
	}
}

/* ---- what moves ---- */

/* A text of `length` bytes that shows a shift. */
static char *text_make(size_t length)
{
	char *text = malloc(length + 1);

	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < length; i++)
		text[i] = (char)('a' + (i * 7 + i / 251) % 26);
	return text;
}

static void whole_change(struct run runs[SERVERS])
{
	phase_all(PHASE_PREPARE, runs);
	phase_all(PHASE_COPY, runs);
	phase_all(PHASE_DRAIN, runs);
	phase_all(PHASE_PURGE, runs);
}

START_TEST(every_key_arrives_and_nothing_stays_behind)
{
	struct run runs[SERVERS] = {0};

	fill(5000, "v");
	whole_change(runs);
	all_hold(5000, true, "v");
	ck_assert_uint_eq(memcached_items(&processes[0]) + memcached_items(&processes[1]) +
				  memcached_items(&processes[2]),
			  5000);
	ck_assert_uint_eq(runs[0].work.failed + runs[1].work.failed, 0);
}
END_TEST

START_TEST(values_of_every_size_move)
{
	static const size_t sizes[] = {0, 1, 2, 511, 4096, 70000, 600000, 1048000};
	struct run runs[SERVERS] = {0};
	char *text = text_make(1 << 20);
	char key[32];

	for (unsigned i = 0; i < 100; i++) {
		int length = snprintf(key, sizeof(key), "size:%u", i);

		put(key, (size_t)length, text, sizes[i % 8], 4294967295u - i, 0);
	}
	whole_change(runs);
	for (unsigned i = 0; i < 100; i++) {
		int length = snprintf(key, sizeof(key), "size:%u", i);
		uint32_t at = owner_of(key, (size_t)length, true);
		struct memcached_item item = memcached_get(&processes[at], key, (size_t)length);

		ck_assert_msg(item.hit && !item.stub, "%s of %zu bytes", key, sizes[i % 8]);
		ck_assert_uint_eq(item.length, sizes[i % 8]);
		ck_assert_mem_eq(item.value, text, item.length);
		ck_assert_uint_eq(item.flags, 4294967295u - i);
	}
	free(text);
}
END_TEST

START_TEST(times_to_live_are_kept)
{
	static const long ttls[] = {0, 1000, 2592000, 2592000 * 3};
	struct run runs[SERVERS] = {0};
	char key[32];

	for (unsigned i = 0; i < 200; i++) {
		int length = snprintf(key, sizeof(key), "ttl:%u", i);
		long ttl = ttls[i % 4] > 2592000 ? ttls[i % 4] + (long)time(NULL) : ttls[i % 4];

		put(key, (size_t)length, "x", 1, 0, ttl);
	}
	whole_change(runs);
	for (unsigned i = 0; i < 200; i++) {
		int length = snprintf(key, sizeof(key), "ttl:%u", i);
		uint32_t at = owner_of(key, (size_t)length, true);
		struct memcached_item item = memcached_get(&processes[at], key, (size_t)length);
		long want = ttls[i % 4] == 0 ? -1 : ttls[i % 4];

		ck_assert_msg(item.hit, "%s", key);
		/* Within what the test itself may take. */
		if (want < 0)
			ck_assert_int_eq(item.ttl, -1);
		else
			ck_assert(item.ttl <= want + 1 && item.ttl > want - PATIENCE_S - 2);
	}
}
END_TEST

START_TEST(what_expires_during_the_move_is_gone_and_holds_nothing_up)
{
	struct run runs[SERVERS] = {0};
	char key[32];

	for (unsigned i = 0; i < 2000; i++) {
		int length = snprintf(key, sizeof(key), "brief:%u", i);

		put(key, (size_t)length, "x", 1, 0, 1 + (long)(i % 2));
	}
	whole_change(runs);
	for (unsigned i = 0; i < 2000; i++) { /* T0 would mean: never */
		int length = snprintf(key, sizeof(key), "brief:%u", i);
		uint32_t at = owner_of(key, (size_t)length, true);

		ck_assert_int_ne(memcached_get(&processes[at], key, (size_t)length).ttl, -1);
	}
}
END_TEST

START_TEST(odd_keys_move)
{
	static const char *const shapes[] = {"%25:", "a:b/c?d=e&f#", "\xc3\xa9\xe2\x82\xac", "with space ",
					     "\x01\x02\t\x7f", "\xff\xfe\x80", "line\r\nend", "100%"};
	uint8_t keys[160][250];
	size_t lengths[160];
	struct run runs[SERVERS] = {0};

	for (unsigned i = 0; i < 160; i++) {
		const char *shape = shapes[i % 8];
		int length = snprintf((char *)keys[i], 250, "%s%u", shape, i);

		lengths[i] = (size_t)length;
		if (i % 8 == 5) /* a NUL */
			keys[i][1] = 0;
		if (i % 3 == 0) { /* as long as it may be; base64 makes four of three */
			size_t most = i % 8 >= 3 && i % 8 <= 6 ? 186 : 250;

			memset(keys[i] + lengths[i], 'k', most - lengths[i]);
			lengths[i] = most;
		}
		put(keys[i], lengths[i], keys[i], lengths[i], i, 0);
	}
	whole_change(runs);
	for (unsigned i = 0; i < 160; i++) {
		uint32_t at = owner_of(keys[i], lengths[i], true);
		struct memcached_item item = memcached_get(&processes[at], keys[i], lengths[i]);

		ck_assert_msg(item.hit, "key %u of shape %s", i, shapes[i % 8]);
		ck_assert_uint_eq(item.length, lengths[i]);
		ck_assert_mem_eq(item.value, keys[i], lengths[i]);
	}
	ck_assert_uint_eq(memcached_items(&processes[0]) + memcached_items(&processes[1]) +
				  memcached_items(&processes[2]),
			  160);
}
END_TEST

START_TEST(only_keys_of_the_prefix_are_touched)
{
	struct run runs[SERVERS] = {0};
	uint64_t sets;

	(void)snprintf(change.prefix, sizeof(change.prefix), "web:");
	memcached_fill(&processes[0], "other:", 0, 500, "v");
	memcached_fill(&processes[1], "other:", 0, 500, "v");
	memcached_fill(&processes[2], "other:", 0, 500, "v"); /* new, but not empty: of another list */
	sets = memcached_stat(&processes[2], "cmd_set");
	whole_change(runs);
	for (uint32_t i = 0; i < SERVERS; i++)
		ck_assert_uint_eq(memcached_items(&processes[i]), 500);
	/* the two probes of cache01's and cache02's proof, and cache03's own two */
	ck_assert_uint_le(memcached_stat(&processes[2], "cmd_set") - sets, 4);
	ck_assert_uint_eq(runs[0].work.found + runs[1].work.found + runs[2].work.found, 0);
}
END_TEST

START_TEST(what_somebody_is_recomputing_is_not_copied)
{
	struct run runs[SERVERS] = {0};
	uint32_t from;
	char line[64];

	/* Marked stale, and an application's own reservation: keys that move. */
	for (unsigned i = 0;; i++) {
		int length = snprintf(line, sizeof(line), "stale:%u", i);

		from = owner_of(line, (size_t)length, false);
		if (owner_of(line, (size_t)length, true) == 2) {
			put(line, (size_t)length, "old", 3, 0, 0);
			(void)snprintf(line, sizeof(line), "md stale:%u I T100", i);
			ck_assert_str_eq(memcached_say(&processes[from], line), "HD");
			break;
		}
	}
	phase_all(PHASE_COPY, runs);
	ck_assert_uint_eq(memcached_items(&processes[2]), 0);
	ck_assert_uint_eq(memcached_items(&processes[from]), 0); /* a miss: his turn was taken away */
	ck_assert_uint_eq(runs[from].work.gone, 1);
}
END_TEST

/* ---- writes while keys move ---- */

START_TEST(a_delta_pass_brings_what_was_written_during_copy)
{
	struct run run = {.allowed = 1};

	fill(20000, "old");
	run_start(&run, 0, PHASE_COPY, false);
	turn_until_counted(&run, 1);
	/* A client that dies between its two commands: it has written at O, and N holds the old. */
	fill(20000, "new");
	run.allowed = 0;
	turn_until(&run.finished, &run);
	ck_assert_uint_gt(run.work.moved, moving(20000, 0));
	run_abandon(&run);
	ck_assert(run.saved.known && run.saved.full_pass_done);
	/* What the mover of b has not copied yet is not there. */
	run.saved = (struct mover_mark){0};
	run_whole(&run, 1, PHASE_COPY);
	all_hold(20000, true, "new");
	all_hold(20000, false, "new"); /* and O has everything still */
}
END_TEST

START_TEST(drain_brings_what_was_written_after_the_last_mark)
{
	struct run runs[SERVERS] = {0};

	fill(3000, "old");
	phase_all(PHASE_PREPARE, runs);
	phase_all(PHASE_COPY, runs);
	fill(3000, "new"); /* N holds the old ones */
	phase_all(PHASE_DRAIN, runs);
	all_hold(3000, true, "new");
	ck_assert_uint_eq(runs[0].work.moved, moving(3000, 0));
	ck_assert_uint_eq(runs[0].work.present, 0);
}
END_TEST

START_TEST(drain_leaves_what_clients_wrote_at_the_new_owner)
{
	struct run runs[SERVERS] = {0};
	char key[32];

	fill(3000, "old");
	phase_all(PHASE_COPY, runs);
	for (unsigned i = 0; i < 3000; i++) { /* SWITCH: N first, and O's copy not yet deleted */
		int length = snprintf(key, sizeof(key), "key:%u", i);
		char value[32];
		int bytes = snprintf(value, sizeof(value), "new%u", i);

		memcached_set(&processes[owner_of(key, (size_t)length, true)], key, (size_t)length, value,
			      (size_t)bytes, i, 0);
	}
	phase_all(PHASE_DRAIN, runs);
	all_hold(3000, true, "new");
	ck_assert_uint_eq(runs[0].work.present, moving(3000, 0));
}
END_TEST

/* ---- servers that are started anew ---- */

static void restart(uint32_t server)
{
	memcached_kill(&processes[server]);
	memcached_start(&processes[server], NULL);
}

START_TEST(a_new_owner_restarted_during_copy_gets_everything_again)
{
	struct run run = {.allowed = 1};

	fill(20000, "v");
	run_start(&run, 0, PHASE_COPY, false);
	turn_until_counted(&run, 1);
	restart(2);
	run.allowed = 0;
	turn_until(&run.finished, &run);
	run_abandon(&run);
	ck_assert_uint_eq(memcached_items(&processes[2]), moving(20000, 0));
}
END_TEST

START_TEST(a_source_restarted_during_copy_is_copied_anew)
{
	struct run run = {.allowed = 1};
	uint64_t old_cas;

	fill(20000, "old");
	run_start(&run, 0, PHASE_COPY, false);
	turn_until_counted(&run, 1);
	old_cas = run.saved.cas;
	ck_assert_uint_gt(old_cas, 100);
	restart(0);
	fill(600, "new"); /* their CAS is far below the old mark */
	run.allowed = 0;
	turn_until(&run.finished, &run);
	run_abandon(&run);
	ck_assert_uint_ne(run.saved.pid, 0);
	ck_assert_uint_lt(run.saved.cas, old_cas);
	run.saved = (struct mover_mark){0};
	run_whole(&run, 1, PHASE_COPY);
	all_hold(600, true, "new");
}
END_TEST

START_TEST(a_source_restarted_before_drain_trusts_neither_side)
{
	struct run runs[SERVERS] = {0};
	char key[32];

	fill(1000, "old");
	phase_all(PHASE_COPY, runs);
	restart(0);
	restart(1);
	fill(300, "new");
	phase_all(PHASE_DRAIN, runs);
	ck_assert_uint_eq(runs[0].work.failed, moving(300, 0));
	for (unsigned i = 0; i < 1000; i++) {
		size_t length = (size_t)snprintf(key, sizeof(key), "key:%u", i);
		bool moves = owner_of(key, length, false) != owner_of(key, length, true);

		if (!moves)
			continue;
		/* On both sides: on none now.  Only at N: it stays. */
		ck_assert(!memcached_get(&processes[owner_of(key, length, false)], key, length).hit);
		ck_assert_int_eq(memcached_get(&processes[2], key, length).hit, i >= 300);
	}
}
END_TEST

START_TEST(a_new_owner_that_stops_answering_is_waited_for)
{
	struct run run = {.allowed = 1};
	bool waits = false;

	change.op_timeout_ms = 300;
	fill(20000, "v");
	run_start(&run, 0, PHASE_COPY, false);
	turn_until_counted(&run, 1);
	memcached_stop(&processes[2]);
	run.allowed = 0;
	while (!waits) {
		struct work work;

		turn_once(&run);
		mover_progress(run.mover, &work);
		waits = strstr(work.reason, "waits for server cache03 127.0.0.1:") != NULL;
		ck_assert(!run.finished);
	}
	memcached_continue(&processes[2]);
	turn_until(&run.finished, &run);
	run_abandon(&run);
	ck_assert_uint_eq(memcached_items(&processes[2]), moving(20000, 0));
}
END_TEST

START_TEST(a_source_that_is_away_is_waited_for)
{
	struct run runs[SERVERS] = {0};
	bool waits = false;

	memcached_kill(&processes[0]);
	run_start(&runs[0], 0, PHASE_DRAIN, false);
	while (!waits) {
		struct work work;

		turn_once(&runs[0]);
		mover_progress(runs[0].mover, &work);
		waits = strstr(work.reason, "waits for server cache01 127.0.0.1:") != NULL;
	}
	memcached_start(&processes[0], NULL);
	fill(200, "v");
	turn_until(&runs[0].finished, &runs[0]);
	run_abandon(&runs[0]);
	ck_assert_uint_eq(memcached_items(&processes[2]), moving(200, 0));
}
END_TEST

/* ---- what a new owner refuses ---- */

START_TEST(what_is_too_large_for_the_new_owner_is_counted_and_lost_as_a_miss)
{
	static const char *const large[] = {"-I", "4m", "-m", "256", NULL};
	struct run runs[SERVERS] = {0};
	char *text = text_make(3 << 20);
	char key[32];
	unsigned lost = 0;

	for (uint32_t i = 0; i < 2; i++) {
		memcached_kill(&processes[i]);
		memcached_start(&processes[i], large);
	}
	for (unsigned i = 0; i < 30; i++) {
		int length = snprintf(key, sizeof(key), "size:%u", i);

		put(key, (size_t)length, text, i % 2 ? 3 << 20 : 1000, 0, 0);
		lost += i % 2 && owner_of(key, (size_t)length, true) == 2;
	}
	phase_all(PHASE_COPY, runs);
	ck_assert_uint_ge(runs[0].work.failed + runs[1].work.failed, lost);
	phase_all(PHASE_DRAIN, runs);
	ck_assert_uint_eq(runs[0].work.failed + runs[1].work.failed, lost);
	for (unsigned i = 0; i < 30; i++) {
		int length = snprintf(key, sizeof(key), "size:%u", i);
		uint32_t was = owner_of(key, (size_t)length, false), is = owner_of(key, (size_t)length, true);

		ck_assert_int_eq(memcached_get(&processes[is], key, (size_t)length).hit, is != 2 || !(i % 2));
		if (was != is)
			ck_assert(!memcached_get(&processes[was], key, (size_t)length).hit);
	}
	free(text);
}
END_TEST

START_TEST(a_new_owner_without_memory_does_not_block_the_change)
{
	static const char *const full[] = {"-M", "-m", "2", NULL};
	struct run runs[SERVERS] = {0};
	char *text = text_make(2000);
	char key[32];
	uint64_t arrived;

	memcached_kill(&processes[2]);
	memcached_start(&processes[2], full);
	for (unsigned i = 0; i < 9000; i++) {
		int length = snprintf(key, sizeof(key), "key:%u", i);

		put(key, (size_t)length, text, 2000, 0, 0);
	}
	phase_all(PHASE_COPY, runs);
	phase_all(PHASE_DRAIN, runs);
	arrived = memcached_items(&processes[2]);
	ck_assert_uint_gt(runs[0].work.failed, 0);
	ck_assert_uint_gt(arrived, 0);
	ck_assert_uint_lt(arrived, moving(9000, 0) + moving(9000, 1));
	free(text);
}
END_TEST

/* ---- PREPARE ---- */

static void refused(uint32_t server, const char *const *arguments, const char *says)
{
	struct run run = {0};

	if (arguments != NULL) {
		memcached_kill(&processes[server]);
		memcached_start(&processes[server], arguments);
	}
	run_whole(&run, server, PHASE_PREPARE);
	ck_assert_int_eq(run.work.state, WORK_REFUSED);
	ck_assert_msg(strstr(run.work.reason, says) != NULL, "%s", run.work.reason);
	ck_assert_ptr_nonnull(strstr(run.work.reason, servers[server].name));
}

START_TEST(servers_that_cannot_be_moved_are_refused)
{
	static const char *const no_cas[] = {"-C", NULL}, *const no_dump[] = {"-X", NULL},
				 *const no_crawler[] = {"-o", "no_lru_crawler", NULL};

	refused(0, no_cas, "runs without CAS (memcached -C)");
	refused(0, no_dump, "does not allow its keys to be dumped (memcached -X)");
	refused(2, no_cas, "runs without CAS (memcached -C)");
	refused(2, no_crawler, "-o no_lru_crawler");
}
END_TEST

START_TEST(one_memcached_under_two_addresses_is_refused)
{
	/* cache03 is cache01 by another name: the same port on another loopback address. */
	const char *const everywhere[] = {"-l", "127.0.0.2", NULL};

	memcached_kill(&processes[0]);
	memcached_start(&processes[0], everywhere);
	(void)snprintf(servers[2].address, sizeof(servers[2].address), "127.0.0.2:%u", processes[0].port);
	refused(0, NULL, "are one memcached process");
	refused(2, NULL, "are one memcached process");
	ck_assert_uint_eq(memcached_items(&processes[0]), 0); /* the probe item is gone */
}
END_TEST

START_TEST(foreign_items_are_counted_before_any_is_dropped)
{
	struct run run = {0};

	memcached_fill(&processes[2], "foreign:", 0, 1500, "v");
	refused(2, NULL, "holds 1500 items: empty it, or allow them to be dropped with wipe=1500");
	ck_assert_uint_eq(memcached_items(&processes[2]), 1500);
	servers[2].has_wipe = true;
	servers[2].wipe = 1499;
	refused(2, NULL, "holds 1500 items that are not its own, more than the wipe=1499 of its line");
	ck_assert_uint_eq(memcached_items(&processes[2]), 1500);
	servers[2].wipe = 1500;
	run_whole(&run, 2, PHASE_PREPARE);
	ck_assert_int_eq(run.work.state, WORK_DONE);
	ck_assert_uint_eq(run.work.moved, 1500);
	ck_assert_uint_eq(memcached_items(&processes[2]), 0);
}
END_TEST

START_TEST(a_hundredth_of_foreign_items_is_dropped_without_a_word)
{
	struct run run = {0};
	char key[32];
	unsigned foreign = 0;

	servers[0].gained = 1; /* some slot or other */
	fill(4000, "v");
	for (unsigned i = 0; foreign < 10; i++) {
		int length = snprintf(key, sizeof(key), "foreign:%u", i);

		if (owner_of(key, (size_t)length, false) == 1) {
			memcached_set(&processes[0], key, (size_t)length, "x", 1, 0, 0);
			foreign++;
		}
	}
	run_whole(&run, 0, PHASE_PREPARE);
	ck_assert_msg(run.work.state == WORK_DONE, "%s", run.work.reason);
	ck_assert_uint_eq(run.work.moved, 10);
	all_hold(4000, false, "v");
}
END_TEST

/* ---- pace, stop, restart ---- */

START_TEST(movers_together_keep_to_the_rate)
{
	struct run runs[2] = {0};
	struct work work[2];
	struct timespec began, now;
	uint64_t passed_ms;

	fill(4000, "v");
	rate_keys = 1000;
	(void)clock_gettime(CLOCK_BOOTTIME, &began);
	run_start(&runs[0], 0, PHASE_COPY, false);
	run_start(&runs[1], 1, PHASE_COPY, false);
	turn_until_counted(&runs[0], 300);
	turn_until_counted(&runs[1], 300);
	mover_progress(runs[0].mover, &work[0]);
	mover_progress(runs[1].mover, &work[1]);
	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	passed_ms = (uint64_t)((now.tv_sec - began.tv_sec) * 1000 + (now.tv_nsec - began.tv_nsec) / 1000000);
	/* As many as the time that really passed has earned, and what a bucket may hold. */
	ck_assert_uint_le(work[0].moved + work[1].moved, passed_ms + 1 + 100);
	rate_keys = 0;
	turn_until(&runs[0].finished, &runs[0]);
	turn_until(&runs[1].finished, &runs[1]);
	run_abandon(&runs[0]);
	run_abandon(&runs[1]);
	ck_assert_uint_eq(memcached_items(&processes[2]), moving(4000, 0) + moving(4000, 1));
}
END_TEST

START_TEST(without_a_lease_nothing_is_begun)
{
	struct run run = {.allowed = 1};
	struct work work;

	fill(20000, "v");
	run_start(&run, 0, PHASE_COPY, false);
	while (run.asked < 20) /* asked again and again, and told no */
		turn_once(&run);
	mover_progress(run.mover, &work);
	ck_assert_uint_le(work.moved, 1024);
	ck_assert_uint_gt(work.moved, 0);
	ck_assert_str_eq(work.reason, "waits for the host's lease");
	ck_assert_uint_eq(memcached_items(&processes[2]), work.moved);
	run_abandon(&run);
}
END_TEST

START_TEST(stop_leaves_nothing_in_flight)
{
	struct run run = {0};
	uint64_t arrived, commands;

	fill(20000, "v");
	rate_keys = 2000;
	run_start(&run, 0, PHASE_COPY, false);
	turn_until_counted(&run, 1);
	mover_stop(run.mover);
	turn_until(&run.stopped, &run);
	ck_assert(!run.finished);
	mover_free(run.mover);
	arrived = memcached_items(&processes[2]);
	ck_assert_uint_gt(arrived, 0);
	ck_assert_uint_lt(arrived, moving(20000, 0));
	/* no reservation stands there: each item that arrived was filled */
	ck_assert_uint_eq(memcached_stat(&processes[2], "total_items"), 2 * arrived);
	commands = memcached_stat(&processes[2], "cmd_set");
	for (int i = 0; i < 5; i++)
		event_base_loop(base, EVLOOP_ONCE);
	ck_assert_uint_eq(memcached_stat(&processes[2], "cmd_set"), commands);
}
END_TEST

START_TEST(a_mover_that_was_killed_in_the_middle_starts_over)
{
	struct run run = {0};

	fill(20000, "old");
	rate_keys = 2000;
	run_start(&run, 0, PHASE_COPY, false);
	turn_until_counted(&run, 1);
	run_abandon(&run); /* as if killed: what is under way may be carried out or not */
	ck_assert(run.saved.known && !run.saved.full_pass_done);
	rate_keys = 0;
	fill(20000, "new");
	run_start(&run, 0, PHASE_COPY, true);
	turn_until(&run.finished, &run);
	run_abandon(&run);
	run.saved = (struct mover_mark){0};
	run_whole(&run, 1, PHASE_COPY);
	all_hold(20000, true, "new");
	ck_assert_uint_eq(memcached_items(&processes[2]), moving(20000, 0) + moving(20000, 1));
}
END_TEST

START_TEST(clean_drops_the_copies_again)
{
	struct run runs[SERVERS] = {0};

	fill(3000, "v");
	phase_all(PHASE_COPY, runs);
	ck_assert_uint_gt(memcached_items(&processes[2]), 0);
	phase_all(PHASE_CLEAN, runs);
	ck_assert_uint_eq(memcached_items(&processes[2]), 0);
	all_hold(3000, false, "v");
}
END_TEST

START_TEST(purge_drops_everything_at_a_server_that_leaves)
{
	struct run runs[SERVERS] = {0};

	for (uint32_t i = 0; i < SLOTS; i++)
		new_owner[i] = new_owner[i] == 1 ? 0 : new_owner[i];
	slots_count();
	servers[1].in_new = false;
	fill(3000, "v");
	whole_change(runs);
	all_hold(3000, true, "v");
	memcached_fill(&processes[1], "late:", 0, 100, "v");
	phase_all(PHASE_PURGE, runs);
	ck_assert_uint_eq(memcached_items(&processes[1]), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mover");
	TCase *move = tcase_create("mover");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(move, set_up, tear_down);
	tcase_set_timeout(move, 120);
	tcase_add_test(move, every_key_arrives_and_nothing_stays_behind);
	tcase_add_test(move, values_of_every_size_move);
	tcase_add_test(move, times_to_live_are_kept);
	tcase_add_test(move, what_expires_during_the_move_is_gone_and_holds_nothing_up);
	tcase_add_test(move, odd_keys_move);
	tcase_add_test(move, only_keys_of_the_prefix_are_touched);
	tcase_add_test(move, what_somebody_is_recomputing_is_not_copied);
	tcase_add_test(move, a_delta_pass_brings_what_was_written_during_copy);
	tcase_add_test(move, drain_brings_what_was_written_after_the_last_mark);
	tcase_add_test(move, drain_leaves_what_clients_wrote_at_the_new_owner);
	tcase_add_test(move, a_new_owner_restarted_during_copy_gets_everything_again);
	tcase_add_test(move, a_source_restarted_during_copy_is_copied_anew);
	tcase_add_test(move, a_source_restarted_before_drain_trusts_neither_side);
	tcase_add_test(move, a_new_owner_that_stops_answering_is_waited_for);
	tcase_add_test(move, a_source_that_is_away_is_waited_for);
	tcase_add_test(move, what_is_too_large_for_the_new_owner_is_counted_and_lost_as_a_miss);
	tcase_add_test(move, a_new_owner_without_memory_does_not_block_the_change);
	tcase_add_test(move, servers_that_cannot_be_moved_are_refused);
	tcase_add_test(move, one_memcached_under_two_addresses_is_refused);
	tcase_add_test(move, foreign_items_are_counted_before_any_is_dropped);
	tcase_add_test(move, a_hundredth_of_foreign_items_is_dropped_without_a_word);
	tcase_add_test(move, movers_together_keep_to_the_rate);
	tcase_add_test(move, without_a_lease_nothing_is_begun);
	tcase_add_test(move, stop_leaves_nothing_in_flight);
	tcase_add_test(move, a_mover_that_was_killed_in_the_middle_starts_over);
	tcase_add_test(move, clean_drops_the_copies_again);
	tcase_add_test(move, purge_drops_everything_at_a_server_that_leaves);
	suite_add_tcase(suite, move);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
