/* phase.c - see phase.h. */
#include "move/phase.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "daemon/loop.h"
#include "list/list.h"

#define SLOTS 1024u

static uint16_t old_owner[SLOTS], new_owner[SLOTS]; /* zero: the source has all */
static struct change_server servers[2];

struct world {
	struct phase_result result;
	bool finished;
};

static int mark_save(void *context, const struct mover_mark *mark)
{
	struct world *world = context;

	world->result.mark = *mark;
	return 0;
}

static bool may_work(void *context, uint64_t *until_ns)
{
	(void)context;
	*until_ns = UINT64_MAX;
	return true;
}

static void finished(void *context, const struct work *work)
{
	struct world *world = context;

	world->result.work = *work;
	world->finished = true;
}

static void stopped(void *context)
{
	(void)context;
}

static const struct mover_events events = {
    .mark_save = mark_save, .may_work = may_work, .finished = finished, .stopped = stopped};

static void change_make(struct change *change, const struct phase_run *run)
{
	memset(servers, 0, sizeof(servers));
	for (uint32_t i = 0; i < 2; i++) {
		(void)snprintf(servers[i].name, sizeof(servers[i].name), "cache%02u", i + 1);
		(void)snprintf(servers[i].address, sizeof(servers[i].address), "%s",
			       i == 0 ? run->source : run->destination);
		servers[i].in_old = servers[i].in_new = true;
	}
	for (uint32_t i = 0; i < SLOTS; i++)
		new_owner[i] = 1;
	servers[0].lost = servers[1].gained = SLOTS;
	*change = (struct change){.old_epoch = 1,
				  .new_epoch = 2,
				  .parts = SLOTS,
				  .in_slots = true,
				  .server_count = 2,
				  .servers = servers,
				  .old_table = table_of_slots(old_owner, SLOTS),
				  .new_table = table_of_slots(new_owner, SLOTS),
				  .moved = SLOTS,
				  .op_timeout_ms = 1000};
}

static uint64_t settled(const struct work *work)
{
	return work->moved + work->present + work->gone + work->failed;
}

static double since_s(uint64_t began_ns)
{
	return (double)(bench_boot_ns() - began_ns) / 1e9;
}

static void work(const struct phase_run *run, struct world *world)
{
	struct event_base *base = loop_new();
	struct mover_pace run_pace = {.adaptive = run->adaptive};
	struct mover_setup setup = {.base = base,
				    .server = 0,
				    .phase = run->phase,
				    .mark = run->mark,
				    .spool_directory = "/tmp",
				    .pace = &run_pace,
				    .op_timeout_ms = 1000,
				    .events = &events,
				    .context = world};
	uint64_t began_ns = bench_boot_ns();
	struct change change;
	struct failure failure;
	struct mover *mover;
	struct rusage used;

	change_make(&change, run);
	setup.change = &change;
	world->result.mark = run->mark;
	if (base == NULL || mover_start(&setup, &mover, &failure) < 0)
		bench_end("the mover does not start");
	while (!world->finished) {
		struct work so_far;

		(void)event_base_loop(base, EVLOOP_ONCE);
		mover_progress(mover, &so_far);
		if (world->result.settled_s == 0 && settled(&so_far) >= run->count)
			world->result.settled_s = since_s(began_ns);
	}
	world->result.whole_s = since_s(began_ns);
	mover_progress(mover, &world->result.work);
	mover_free(mover);
	event_base_free(base);
	(void)getrusage(RUSAGE_SELF, &used);
	world->result.cpu_s = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
			      (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
	world->result.resident_max_kib = (uint64_t)used.ru_maxrss;
}

void phase_run(struct phase_run *run, struct phase_result *result)
{
	static struct world world;
	int ends[2], status;
	pid_t child;

	memset(&world, 0, sizeof(world));
	(void)fflush(NULL);
	if (pipe(ends) < 0 || (child = fork()) < 0)
		bench_end("no process for the mover");
	if (child == 0) {
		if (run->aside)
			bench_stand_aside();
		work(run, &world);
		_exit(write(ends[1], &world.result, sizeof(world.result)) !=
		      (ssize_t)sizeof(world.result));
	}
	(void)close(ends[1]);
	if (read(ends[0], result, sizeof(*result)) != (ssize_t)sizeof(*result) ||
	    waitpid(child, &status, 0) != child || status != 0)
		bench_end("the mover's process failed");
	(void)close(ends[0]);
	if (result->work.state != WORK_DONE || settled(&result->work) < run->count)
		bench_end("%s: %llu of %llu keys: %s", phase_name(run->phase),
			  (unsigned long long)settled(&result->work),
			  (unsigned long long)run->count, result->work.reason);
	run->mark = result->mark;
}
