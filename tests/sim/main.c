/* main.c - runs worlds and adds up what happened in them.
 *
 *     sim A-B        the seeds from A to B, in two processes; the figures at the end
 *     sim SEED       one seed; sim -v SEED tells its whole story
 *     sim -q A-B     stops at the first violation and says no more than its seed
 *     sim -c A-B     goes on, and says as much of each
 */
#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim.h"

#define PROCESSES   2u
#define TRACE_LINES 80u

struct shared {
	_Atomic uint64_t next;
	_Atomic bool stop;
	struct figures figures[PROCESSES];
};

static const char *const fault_words[] = {
#define X(name, words) words,
    FAULTS(X)
#undef X
};
static const char *const reached_words[] = {
#define X(name, words) words,
    SITUATIONS(X)
#undef X
};

static double seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A violated seed is run again with its story told, and the end of the story is shown. */
static void show(const char *program, uint64_t seed, const char *violation)
{
	char command[600];
	fflush(stdout);
	printf("seed %" PRIu64 ": %s\n    repeat it: %s -v %" PRIu64 "\n", seed, violation, program,
	       seed);
	fflush(stdout);
	(void)snprintf(command, sizeof(command), "%s -v %" PRIu64 " | tail -n %u | sed 's/^/    /'",
		       program, seed, TRACE_LINES);
	if (system(command) == -1)
		perror("sim");
}

/* A mutant's world need not be one of these. */
static bool in_band(struct world *world, struct figures *figures)
{
	if (world->events >= EVENTS_MIN && world->events <= EVENTS_MAX)
		return true;
	violate(world, "a world of %u events: %u to %u are wanted", world->events, EVENTS_MIN,
		EVENTS_MAX);
	figures->violations++;
	return false;
}

static void work(struct shared *shared, uint32_t process, uint64_t last, const char *program,
		 bool quiet, bool first)
{
	struct world *world = malloc(sizeof(*world));
	uint64_t seed;

	if (world == NULL)
		exit(2);
	while (!shared->stop && (seed = shared->next++) <= last) {
		if (world_run(world, seed, false, &shared->figures[process]) &&
		    (quiet || in_band(world, &shared->figures[process])))
			continue;
		if (quiet) {
			shared->stop = first;
			printf("%" PRIu64 " %s\n", seed, world->violation);
		} else {
			show(program, seed, world->violation);
		}
		fflush(stdout);
	}
	free(world);
	exit(0);
}

static void add(struct figures *sum, const struct figures *one)
{
	const uint64_t *from = (const uint64_t *)one;
	uint64_t *to = (uint64_t *)sum;

	for (size_t i = 0; i < offsetof(struct figures, events_min) / sizeof(uint64_t); i++)
		to[i] += from[i];
	if (one->seeds > 0 && (sum->events_min == 0 || one->events_min < sum->events_min))
		sum->events_min = one->events_min;
	if (one->events_max > sum->events_max)
		sum->events_max = one->events_max;
	if (one->settled_max_us > sum->settled_max_us)
		sum->settled_max_us = one->settled_max_us;
}

/* The time that half of the seeds did not need, from the last fault until they had settled. */
static double settled_median(const struct figures *sum)
{
	uint64_t count = 0, half = 0;
	uint32_t i = 0;

	for (uint32_t t = 0; t < SETTLE_TENTHS; t++)
		count += sum->settled[t];
	while (i < SETTLE_TENTHS && (half += sum->settled[i]) * 2 < count)
		i++;
	return (i + 1) / 10.0;
}

/* Prints the figures; true: everything that should be reached was. */
static bool report(const struct figures *sum, double took, uint64_t seeds)
{
	bool whole = true;

	printf("faults injected:\n");
	for (uint32_t i = 0; i < FAULT_COUNT; i++) {
		printf("  %10" PRIu64 "  %s\n", sum->fault[i], fault_words[i]);
		whole &= sum->fault[i] > 0;
	}
	printf("situations reached:\n");
	for (uint32_t i = 0; i < REACHED_COUNT; i++) {
		printf("  %10" PRIu64 "  %s\n", sum->reached[i], reached_words[i]);
		whole &= sum->reached[i] > 0;
	}
	/* A few seeds cannot reach everything. */
	whole |= seeds < 1000;
	if (!whole)
		printf("sim: a situation above was never reached, so nothing is shown of it\n");
	printf("a seed: %u agents, %u hosts, %u servers, %u clients, %u keys; %" PRIu64
	       " to %" PRIu64 " events, %.0f on average\n",
	       AGENTS, MACHINES, SERVERS, CLIENTS, KEYS, sum->events_min, sum->events_max,
	       sum->seeds == 0 ? 0 : (double)sum->events / (double)sum->seeds);
	printf("from the last fault until settled: %.1f s (median), %.1f s (longest)\n",
	       settled_median(sum), (double)sum->settled_max_us / 1e6);
	printf("%" PRIu64 " client operations, %.1f simulated hours, %.0f events/s\n",
	       sum->operations, (double)sum->simulated_us / 3.6e9, (double)sum->events / took);
	printf("sim: %" PRIu64 " seeds, %" PRIu64 " events, %" PRIu64 " violations\n", sum->seeds,
	       sum->events, sum->violations);
	return whole && sum->violations == 0;
}

static bool range(const char *text, uint64_t *first, uint64_t *last)
{
	char *end;

	errno = 0;
	*first = *last = strtoull(text, &end, 10);
	if (end == text || errno != 0)
		return false;
	if (*end == '-')
		*last = strtoull(end + 1, &end, 10);
	return *end == '\0' && *first <= *last;
}

int main(int argc, char **argv)
{
	const bool verbose = argc == 3 && strcmp(argv[1], "-v") == 0;
	const bool stops = argc == 3 && strcmp(argv[1], "-q") == 0;
	const bool quiet = stops || (argc == 3 && strcmp(argv[1], "-c") == 0);
	struct figures sum = {0};
	struct shared *shared;
	uint64_t first, last;
	uint32_t processes;
	double began = seconds();

	if ((argc != 2 && !verbose && !quiet) || !range(argv[argc - 1], &first, &last)) {
		fprintf(stderr, "usage: sim [-v|-q|-c] SEED[-SEED]\n");
		return 2;
	}
	shared =
	    mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 2;
	if (verbose) {
		struct world *world = malloc(sizeof(*world));
		bool good = world != NULL && world_run(world, first, true, &shared->figures[0]);

		printf("seed %" PRIu64 ": %u events, %s\n", first,
		       world != NULL ? world->events : 0,
		       good	       ? "no violation"
		       : world != NULL ? world->violation
				       : "no memory");
		free(world);
		return good ? 0 : 1;
	}
	shared->next = first;
	processes = first == last || getenv("SIM_ONE_PROCESS") != NULL ? 1 : PROCESSES;
	for (uint32_t i = 0; i < processes; i++)
		if (fork() == 0)
			work(shared, i, last, argv[0], quiet, stops);
	for (int status; wait(&status) > 0;)
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			sum.violations++;
	for (uint32_t i = 0; i < processes; i++)
		add(&sum, &shared->figures[i]);
	if (quiet)
		return sum.violations == 0 ? 0 : 1;
	return report(&sum, seconds() - began, last - first + 1) ? 0 : 1;
}
