/* race.c - a program: a writer and readers as threads on one mapping, for ThreadSanitizer.
 *
 *   race [--generations N]
 *
 * Built with SAN=thread: any plain access to memory that another thread writes ends it.  Readers
 * use the writer's own mapping, for a race between two mappings of one object is not seen.
 */
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/segment.h"
#include "daemon/segment_file.h"
#include "internal.h"
#include "torn.h"

static struct torn_shared shared;
static struct mcr *plain, *strict;

static int failed(const char *sentence)
{
	(void)fprintf(stderr, "FAILED: %s\n", sentence);
	return 1;
}

/* Where the writer has its segment. */
static const void *writers_mapping(const char *path)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	uintptr_t found = 0;
	char line[512];

	while (maps != NULL && fgets(line, sizeof(line), maps) != NULL)
		if (strstr(line, path) != NULL && strstr(line, " rw-s ") != NULL)
			found = strtoull(line, NULL, 16);
	if (maps != NULL)
		(void)fclose(maps);
	return (const void *)found;
}

static void *reader_run(void *argument)
{
	const unsigned number = *(const unsigned *)argument;

	return torn_read(plain, strict, &shared, number) == 0 ? argument : NULL;
}

/* Sleeps and inspects, as a program's own watcher does. */
static void *watcher_run(void *argument)
{
	uint32_t generation = 1;

	while (__atomic_load_n(&shared.stop, __ATOMIC_RELAXED) == 0) {
		const int waited = mcr_wait(plain, generation, 100);
		struct mcr_info info;
		const int error = mcr_info(plain, &info);

		if ((waited != MCR_OK && waited != MCR_TIMED_OUT) ||
		    (error != MCR_OK && error != MCR_STALE))
			return NULL;
		if (error == MCR_OK)
			generation = info.generation;
	}
	return argument;
}

static int threads_run(struct segment *segment, uint32_t generations)
{
	static unsigned numbers[TORN_READERS + 1];
	pthread_t threads[TORN_READERS + 1];
	uint64_t operations = 0;
	int bad = 0;

	for (unsigned i = 0; i <= TORN_READERS; i++) {
		numbers[i] = i;
		if (pthread_create(&threads[i], NULL, i == TORN_READERS ? watcher_run : reader_run,
				   &numbers[i]) != 0)
			return failed("cannot start a thread");
	}
	while (segment_generation(segment, NULL) < generations && bad == 0) {
		bad = torn_publish(segment, &shared, 0);
		segment_heartbeat(segment);
	}
	__atomic_store_n(&shared.stop, 1, __ATOMIC_RELAXED);
	for (unsigned i = 0; i <= TORN_READERS; i++) {
		void *good;

		(void)pthread_join(threads[i], &good);
		if (good == NULL)
			bad = failed(i == TORN_READERS ? "the watcher" : shared.reader[i].mixture);
		if (i < TORN_READERS)
			operations += shared.reader[i].operations;
	}
	(void)printf("%" PRIu32 " generations, %" PRIu64 " plans\n",
		     segment_generation(segment, NULL), operations);
	return bad;
}

static int race_run(const char *name, const char *path, uint32_t generations)
{
	const struct mcr_segment_header *own[2];
	struct segment *segment;
	int bad;

	/* Mapped as it was made it would be without its name in /proc. */
	if (segment_open(name, "web", &segment, NULL) != 0)
		return failed("cannot make the segment");
	segment_close(segment);
	if (segment_open(name, "web", &segment, NULL) != 0 ||
	    torn_publish(segment, &shared, 0) != 0 || mcr_open(name, 0, &plain) != MCR_OK ||
	    mcr_open(name, MCR_STRICT, &strict) != MCR_OK)
		return failed("cannot make the segment");
	own[0] = plain->header;
	own[1] = strict->header;
	plain->header = strict->header = writers_mapping(path);
	bad = plain->header == NULL ? failed("cannot find the mapping")
				    : threads_run(segment, generations);
	plain->header = own[0];
	strict->header = own[1];
	mcr_close(strict);
	mcr_close(plain);
	segment_close(segment);
	return bad;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"generations", required_argument, NULL, 'g'},
						{NULL, 0, NULL, 0}};
	uint32_t generations = 500;
	char name[64], path[SEGMENT_PATH_BYTES];
	int option, bad;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'g')
			return 2;
		generations = (uint32_t)strtoul(optarg, NULL, 10);
	}
	(void)snprintf(name, sizeof(name), "/mcroster.race.%d", (int)getpid());
	if (segment_file_path(name, path, NULL) != 0)
		return 2;
	bad = race_run(name, path, generations);
	(void)unlink(path);
	return bad;
}
