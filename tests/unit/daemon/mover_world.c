/* mover_world.c - see mover_world.h. */
#include "mover_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/loop.h"

struct memcached_process processes[SERVERS];
struct change_server servers[SERVERS];
uint16_t old_owner[SLOTS], new_owner[SLOTS];
struct change change;
struct event_base *base;
#define VALUE_BYTES_MAX 2048 /* of what fill() stores */

static struct event *tick; /* so that a turn of the loop always ends */

struct mover_pace pace;

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

void slots_count(void)
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
	change.parts = SLOTS;
	change.in_slots = true;
	change.server_count = SERVERS;
	change.servers = servers;
	change.old_table = table_of_slots(old_owner, SLOTS);
	change.new_table = table_of_slots(new_owner, SLOTS);
	change.op_timeout_ms = 1000;
}

static void nothing(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	(void)argument;
}

void set_up(void)
{
	struct timeval often = {.tv_usec = 20000};

	memset(&pace, 0, sizeof(pace));
	memset(processes, 0, sizeof(processes));
	for (uint32_t i = 0; i < SERVERS; i++)
		memcached_start(&processes[i], NULL);
	change_make();
	base = loop_new();
	ck_assert_ptr_nonnull(base);
	tick = event_new(base, -1, EV_PERSIST, nothing, NULL);
	event_add(tick, &often);
}

void tear_down(void)
{
	for (uint32_t i = 0; i < SERVERS; i++)
		memcached_kill(&processes[i]);
	event_free(tick);
	event_base_free(base);
}

void run_start(struct run *run, uint32_t server, enum phase phase, bool restarted)
{
	struct mover_setup setup = {.base = base,
				    .change = &change,
				    .server = server,
				    .phase = phase,
				    .restarted = restarted,
				    .mark = run->saved,
				    .spool_directory = "/tmp",
				    .pace = &pace,
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
void turn_once(struct run *run)
{
	struct work work;

	mover_progress(run->mover, &work);
	ck_assert_msg(work_adds_up(&work), "phase %d: its counts do not add up", work.phase);
	ck_assert_msg(time(NULL) - run->began < PATIENCE_S,
		      "phase %d: found %lu moved %lu present %lu gone %lu failed %lu left %lu: %s",
		      work.phase, work.found, work.moved, work.present, work.gone, work.failed,
		      work.left, work.reason);
	event_base_loop(base, EVLOOP_ONCE);
}

void turn_until(const bool *condition, struct run *run)
{
	while (!*condition)
		turn_once(run);
}

void run_whole(struct run *run, uint32_t server, enum phase phase)
{
	run_start(run, server, phase, false);
	turn_until(&run->finished, run);
	ck_assert(work_adds_up(&run->work));
	mover_free(run->mover);
	run->mover = NULL;
}

uint32_t owner_of(const void *key, size_t key_bytes, bool new)
{
	uint32_t owners[2];

	change_key_owners(&change, key, key_bytes, &owners[0], &owners[1]);
	return owners[new];
}

void put(const void *key, size_t key_bytes, const void *value, size_t length, uint32_t flags,
	 long ttl)
{
	memcached_set(&processes[owner_of(key, key_bytes, false)], key, key_bytes, value, length,
		      flags, ttl);
}

void phase_all(enum phase phase, struct run runs[SERVERS])
{
	for (uint32_t i = 0; i < SERVERS; i++) {
		bool losing = servers[i].lost > 0, gaining = servers[i].gained > 0;

		if ((losing && phase_works_losing(phase)) ||
		    (gaining && phase_works_gaining(phase, change.unaware_poll_ms > 0))) {
			run_whole(&runs[i], i, phase);
			ck_assert_msg(runs[i].work.state == WORK_DONE, "%s: %s", servers[i].name,
				      runs[i].work.reason);
		}
	}
}

/* Turns the loop until the mover has settled `keys` keys. */
void turn_until_counted(struct run *run, uint64_t keys)
{
	bool reached = false;

	while (!reached) {
		struct work work;

		turn_once(run);
		mover_progress(run->mover, &work);
		reached = work.moved + work.present + work.gone + work.failed >= keys;
	}
}

void run_abandon(struct run *run)
{
	mover_free(run->mover);
	run->mover = NULL;
}

/* The value of fill(): its length. */
static size_t value_of(char value[VALUE_BYTES_MAX], const char *word, unsigned i)
{
	int bytes = snprintf(value, VALUE_BYTES_MAX, "%s%u", word, i);

	ck_assert_int_lt(bytes, VALUE_BYTES_MAX);
	return (size_t)bytes;
}

void fill(unsigned count, const char *word)
{
	char key[32], value[VALUE_BYTES_MAX];

	for (unsigned i = 0; i < count; i++) {
		int length = snprintf(key, sizeof(key), "key:%u", i);
		size_t bytes = value_of(value, word, i);

		put(key, (size_t)length, value, bytes, i, 0);
	}
}

/* Keys of fill() that move in this change. */
unsigned moving(unsigned count, uint32_t from)
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
void all_hold(unsigned count, bool new, const char *word)
{
	char key[32], value[VALUE_BYTES_MAX];

	for (unsigned i = 0; i < count; i++) {
		int length = snprintf(key, sizeof(key), "key:%u", i);
		size_t bytes = value_of(value, word, i);
		uint32_t at = owner_of(key, (size_t)length, new);
		struct memcached_item item = memcached_get(&processes[at], key, (size_t)length);

		ck_assert_msg(item.hit, "%s is not at %s", key, servers[at].name);
		ck_assert_uint_eq(item.length, bytes);
		ck_assert_mem_eq(item.value, value, bytes);
		ck_assert_uint_eq(item.flags, i);
	}
}

/* A text of `length` bytes that shows a shift. */
char *text_make(size_t length)
{
	char *text = malloc(length + 1);

	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < length; i++)
		text[i] = (char)('a' + (i * 7 + i / 251) % 26);
	return text;
}

void whole_change(struct run runs[SERVERS])
{
	phase_all(PHASE_PREPARE, runs);
	phase_all(PHASE_COPY, runs);
	phase_all(PHASE_DRAIN, runs);
	phase_all(PHASE_PURGE, runs);
}

void restart(uint32_t server)
{
	memcached_kill(&processes[server]);
	memcached_start(&processes[server], NULL);
}

int suite_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
