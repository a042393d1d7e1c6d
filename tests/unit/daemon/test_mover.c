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

struct run {
	struct mover *mover;
	struct mover_mark saved;
	bool finished, stopped, may_not_work;
	unsigned saves, asked;
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
	return !run->may_not_work;
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

static void change_make(void)
{
	memset(&change, 0, sizeof(change));
	memset(servers, 0, sizeof(servers));
	for (uint32_t i = 0; i < SLOTS; i++) {
		old_owner[i] = (uint16_t)(i % 2);
		new_owner[i] = i % 3 == 0 ? 2 : old_owner[i];
		if (new_owner[i] != old_owner[i]) {
			servers[old_owner[i]].lost++;
			servers[new_owner[i]].gained++;
			change.moved++;
		}
	}
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

static void set_up(void)
{
	rate_keys = 0;
	memset(processes, 0, sizeof(processes));
	for (uint32_t i = 0; i < SERVERS; i++)
		memcached_start(&processes[i], NULL);
	change_make();
	base = event_base_new();
	ck_assert_ptr_nonnull(base);
}

static void tear_down(void)
{
	for (uint32_t i = 0; i < SERVERS; i++)
		memcached_kill(&processes[i]);
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
				    .op_timeout_ms = 1000,
				    .events = &events,
				    .context = run};
	struct failure failure;

	run->finished = run->stopped = false;
	ck_assert_int_eq(mover_start(&setup, &run->mover, &failure), 0);
}

static void nothing(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	(void)argument;
}

/* Turns the loop until *condition, with a deadline. */
static void turn_until(const bool *condition, struct run *run)
{
	struct event *tick = event_new(base, -1, EV_PERSIST, nothing, NULL);
	struct timeval often = {.tv_usec = 20000};
	time_t began = time(NULL);

	event_add(tick, &often);
	while (!*condition) {
		struct work work;

		mover_progress(run->mover, &work);
		ck_assert_msg(time(NULL) - began < PATIENCE_S,
			      "phase %d: found %lu moved %lu present %lu gone %lu failed %lu left %lu: %s",
			      work.phase, work.found, work.moved, work.present, work.gone, work.failed,
			      work.left, work.reason);
		event_base_loop(base, EVLOOP_ONCE);
	}
	event_free(tick);
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

START_TEST(every_key_arrives_at_its_new_owner)
{
	struct run runs[SERVERS] = {0};
	char key[32];

	for (unsigned i = 0; i < 3000; i++) {
		int length = snprintf(key, sizeof(key), "key:%u", i);

		put(key, (size_t)length, key, (size_t)length, i, i % 2 ? 5000 : 0);
	}
	phase_all(PHASE_PREPARE, runs);
	phase_all(PHASE_COPY, runs);
	phase_all(PHASE_DRAIN, runs);
	phase_all(PHASE_PURGE, runs);
	for (unsigned i = 0; i < 3000; i++) {
		int length = snprintf(key, sizeof(key), "key:%u", i);
		struct memcached_item item =
			memcached_get(&processes[owner_of(key, (size_t)length, true)], key, (size_t)length);

		ck_assert_msg(item.hit, "%s", key);
		ck_assert_mem_eq(item.value, key, (size_t)length);
		ck_assert_uint_eq(item.flags, i);
	}
	ck_assert_uint_eq(memcached_items(&processes[0]) + memcached_items(&processes[1]) +
				  memcached_items(&processes[2]),
			  3000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mover");
	TCase *move = tcase_create("move");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(move, set_up, tear_down);
	tcase_set_timeout(move, 120);
	tcase_add_test(move, every_key_arrives_at_its_new_owner);
	suite_add_tcase(suite, move);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
