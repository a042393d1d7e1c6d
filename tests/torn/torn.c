/* torn.c - a program: kills writers of a segment, one after the other, beside four readers.
 *
 *   torn [--kills N] [--seed N]
 *
 * Each writer is killed with SIGKILL in its second publication or soon after, at random, every
 * eighth one as it begins.  Fails when a reader was told anything that is not of one generation,
 * and when fewer than 30 % of the kills came inside a publication, or 10 % between the first and
 * the last word of a slot: then nothing was tried.
 */
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "atomics.h"
#include "daemon/segment_file.h"
#include "daemon/segment_image.h"
#include "mcroster.h"
#include "torn.h"

#define AFTER_MAX_PPM	 (TORN_PPM * 3 / 2)
#define READERS_NICE	 10
#define EARLY		 8u
#define INSIDE_PER_CENT	 30u
#define WRITING_PER_CENT 10u

struct trial {
	char name[64], path[SEGMENT_PATH_BYTES];
	struct mcr_segment_header *header;
	struct torn_shared *shared;
	pid_t readers[TORN_READERS];
	uint64_t random;
	uint64_t kills, opening, inside, writing;
};

static bool fail(const char *sentence)
{
	(void)fprintf(stderr, "FAILED: %s\n", sentence);
	return false;
}

static uint32_t random_below(uint64_t *state, uint32_t bound)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(((*state >> 32) * bound) >> 32);
}

/* 0: in the child. */
static pid_t child_start(void)
{
	const pid_t pid = fork();

	if (pid == 0)
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

static pid_t writer_start(const struct trial *trial, uint32_t number, uint32_t after_ppm)
{
	const pid_t pid = child_start();

	if (pid == 0) {
		torn_write(trial->name, trial->shared, number, after_ppm, number % EARLY == 0);
		_exit(1);
	}
	return pid;
}

/* Was the writer that is dead now in the middle of the next slot?  Its number says that it was this
 * one. */
static bool was_writing(const struct trial *trial, uint32_t number)
{
	const uint32_t next = generation_load_acquire(trial->header) + 1;
	const uint8_t *bytes = (const uint8_t *)trial->header + SEGMENT_HEADER_BYTES +
			       (size_t)(next % MCR_SEGMENT_RING) * SEGMENT_SLOT_BYTES_MIN;
	struct mcr_segment_slot slot;
	uint32_t by;

	words_load_relaxed(&slot, bytes, sizeof(slot));
	memcpy(&by, slot.list_hash, sizeof(by));
	return slot.generation == next && by == number;
}

static bool kill_one(struct trial *trial, uint32_t number)
{
	const uint32_t before = generation_load_acquire(trial->header);
	const pid_t pid = writer_start(trial, number, random_below(&trial->random, AFTER_MAX_PPM));
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return fail("cannot start a writer");
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		return fail("a writer ended by itself");
	if (generation_load_acquire(trial->header) < before)
		return fail("the generation went back");
	trial->kills++;
	switch (__atomic_load_n(&trial->shared->stage, __ATOMIC_RELAXED)) {
	case TORN_OPENING:
		trial->opening++;
		break;
	case TORN_PUBLISHING:
		trial->inside++;
		break;
	default:
		break;
	}
	if (was_writing(trial, number))
		trial->writing++;
	return true;
}

/* The first generation, by a writer that is killed as all are. */
static bool segment_make(struct trial *trial)
{
	int fd;
	void *map;

	trial->shared = mmap(NULL, sizeof(*trial->shared), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (trial->shared == MAP_FAILED)
		return fail("out of memory");
	(void)snprintf(trial->name, sizeof(trial->name), "/mcroster.torn.%d", (int)getpid());
	if (segment_file_path(trial->name, trial->path, NULL) != 0)
		return fail("the segment's name");
	if (waitpid(writer_start(trial, 1, AFTER_MAX_PPM), NULL, 0) < 0)
		return fail("cannot start a writer");
	fd = open(trial->path, O_RDONLY | O_CLOEXEC);
	map = mmap(NULL, SEGMENT_HEADER_BYTES + 4 * SEGMENT_SLOT_BYTES_MIN, PROT_READ, MAP_SHARED,
		   fd, 0);
	(void)close(fd);
	if (map == MAP_FAILED)
		return fail("no segment was made");
	trial->header = map;
	return true;
}

static void segment_remove(struct trial *trial)
{
	char lock[SEGMENT_PATH_BYTES + 8];

	(void)snprintf(lock, sizeof(lock), "%s.lock", trial->path);
	(void)unlink(trial->path);
	(void)unlink(lock);
}

static int reader_run(const struct trial *trial, unsigned number)
{
	struct mcr *mcr, *strict;
	int torn;

	if (mcr_open(trial->name, 0, &mcr) != MCR_OK ||
	    mcr_open(trial->name, MCR_STRICT, &strict) != MCR_OK)
		return 2;
	torn = torn_read(mcr, strict, trial->shared, number);
	mcr_close(strict);
	mcr_close(mcr);
	return torn;
}

static bool readers_start(struct trial *trial)
{
	for (unsigned i = 0; i < TORN_READERS; i++) {
		trial->readers[i] = child_start();
		if (trial->readers[i] < 0)
			return fail("cannot start a reader");
		/* The writers are to run at once, so that they die while they run. */
		if (trial->readers[i] == 0 && nice(READERS_NICE) != -1)
			_exit(reader_run(trial, i));
	}
	return true;
}

static bool readers_live(const struct trial *trial)
{
	for (unsigned i = 0; i < TORN_READERS; i++)
		if (trial->shared->reader[i].mixture[0] != '\0')
			return fail(trial->shared->reader[i].mixture);
	return true;
}

static bool readers_stop(struct trial *trial)
{
	bool good = true;

	__atomic_store_n(&trial->shared->stop, 1, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < TORN_READERS; i++) {
		int status;

		if (trial->readers[i] <= 0)
			continue;
		if (waitpid(trial->readers[i], &status, 0) != trial->readers[i] || status != 0)
			good = fail("a reader did not end well");
		if (trial->shared->reader[i].operations == 0 ||
		    trial->shared->reader[i].listings == 0)
			good = fail("a reader has read nothing");
	}
	return readers_live(trial) && good;
}

static double per_cent(uint64_t part, uint64_t whole)
{
	return whole == 0 ? 0 : 100.0 * (double)part / (double)whole;
}

static void report(const struct trial *trial, time_t seconds)
{
	struct torn_reader sum = {.operations = 0};

	for (unsigned i = 0; i < TORN_READERS; i++) {
		const struct torn_reader *reader = &trial->shared->reader[i];

		sum.operations += reader->operations;
		sum.listings += reader->listings;
		sum.overtaken += reader->overtaken;
		sum.generations += reader->generations;
	}
	(void)printf("%" PRIu64 " writers killed in %ld s: %.1f %% while they opened the segment, "
		     "%.1f %% inside a publication (%.1f %% of all with the slot half written)\n"
		     "%u generations; the readers noticed %" PRIu64 ", made %" PRIu64
		     " plans, listed %" PRIu64 " times, were overtaken %" PRIu64 " times\n",
		     trial->kills, (long)seconds, per_cent(trial->opening, trial->kills),
		     per_cent(trial->inside, trial->kills), per_cent(trial->writing, trial->kills),
		     generation_load_acquire(trial->header), sum.generations, sum.operations,
		     sum.listings, sum.overtaken);
}

static bool trial_run(struct trial *trial, uint64_t kills)
{
	const time_t begin = time(NULL);
	bool good = segment_make(trial) && readers_start(trial);

	for (uint64_t i = 0; i < kills && good; i++) {
		good = kill_one(trial, (uint32_t)i + 2) && readers_live(trial);
		if ((i + 1) % 100000 == 0) {
			report(trial, time(NULL) - begin);
			(void)fflush(stdout);
		}
	}
	if (trial->shared == NULL || trial->header == NULL)
		return false;
	good = readers_stop(trial) && good;
	report(trial, time(NULL) - begin);
	if (trial->inside * 100 < trial->kills * INSIDE_PER_CENT ||
	    trial->writing * 100 < trial->kills * WRITING_PER_CENT)
		good = fail("too few kills came inside a publication");
	return good;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"kills", required_argument, NULL, 'k'},
						{"seed", required_argument, NULL, 's'},
						{NULL, 0, NULL, 0}};
	struct trial trial = {.random = 1};
	uint64_t kills = 2000;
	bool good;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'k')
			kills = strtoull(optarg, NULL, 10);
		else if (option == 's')
			trial.random = strtoull(optarg, NULL, 10);
		else
			return 2;
	}
	(void)printf("seed %" PRIu64 "\n", trial.random);
	good = trial_run(&trial, kills);
	segment_remove(&trial);
	(void)puts(good ? "no torn read" : "FAILED");
	return good ? 0 : 1;
}
