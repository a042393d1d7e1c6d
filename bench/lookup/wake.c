/* wake.c - see wake.h.  Readers are processes, as they would be, and tell their times through
 * memory that they share with the writer. */
#include "wake.h"

#include <poll.h>
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

#include "bench.h"
#include "fleet.h"

#define READERS_MAX 1000u
#define SERVERS	    100u
#define SETTLE_MS   20 /* from the last reader's word that it will sleep until it does */

/* One reader's cache line. */
struct tale {
	_Alignas(64) uint32_t waits_on; /* the generation that it is about to sleep on */
	uint64_t planned_ns;		/* when it had planned by the newest one */
};

struct room {
	struct fleet fleet;
	enum wake_manner manner;
	struct tale *tales;
	unsigned readers;
	pid_t pids[READERS_MAX];
};

/* False: it does not work. */
static bool rest(const struct room *room, struct mcr *mcr, uint32_t generation)
{
	struct pollfd woken = {.events = POLLIN};

	switch (room->manner) {
	case WAKE_ASLEEP:
		return mcr_wait(mcr, generation, -1) == MCR_OK;
	case WAKE_POLLING:
		woken.fd = mcr_fd(mcr);
		return woken.fd >= 0 && poll(&woken, 1, -1) == 1 && mcr_service(mcr) == MCR_OK;
	case WAKE_BUSY:
		break;
	}
	return true;
}

static void reader_run(const struct room *room, struct tale *tale)
{
	struct mcr *mcr = fleet_client(&room->fleet, 0);
	struct mcr_reader *reader;
	uint32_t generation = 0;

	if (mcr_reader_new(mcr, &reader) != MCR_OK)
		_exit(1);
	for (;;) {
		struct mcr_plan plan;

		if (mcr_begin(reader, MCR_OP_GET, "key", 3, &plan) != MCR_OK ||
		    mcr_end(reader, &plan) < MCR_OK)
			_exit(1);
		if (plan.generation != generation) {
			generation = plan.generation;
			tale->planned_ns = bench_boot_ns();
			__atomic_store_n(&tale->waits_on, generation, __ATOMIC_RELEASE);
		}
		if (!rest(room, mcr, generation))
			_exit(1);
	}
}

static void readers_start(struct room *room)
{
	for (unsigned i = 0; i < room->readers; i++) {
		room->pids[i] = fork();
		if (room->pids[i] < 0)
			bench_end("cannot start reader %u", i);
		if (room->pids[i] == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			reader_run(room, &room->tales[i]);
		}
	}
}

static void readers_stop(const struct room *room)
{
	for (unsigned i = 0; i < room->readers; i++) {
		(void)kill(room->pids[i], SIGKILL);
		(void)waitpid(room->pids[i], NULL, 0);
	}
}

static void readers_await(const struct room *room, uint32_t generation)
{
	const struct timespec pause = {.tv_nsec = SETTLE_MS * 1000000L};

	for (unsigned i = 0; i < room->readers;) {
		if (__atomic_load_n(&room->tales[i].waits_on, __ATOMIC_ACQUIRE) == generation)
			i++;
		else if (waitpid(room->pids[i], NULL, WNOHANG) != 0)
			bench_end("reader %u has ended", i);
		else
			(void)nanosleep(&pause, NULL);
	}
	(void)nanosleep(&pause, NULL);
}

static double round_measure(struct room *room, double *us)
{
	const struct host_publication publication = host_publish(room->fleet.host);

	readers_await(room, publication.generation);
	for (unsigned i = 0; i < room->readers; i++)
		us[i] = (double)(room->tales[i].planned_ns - publication.begun_ns) / 1000;
	return (double)(publication.adopted_ns - publication.begun_ns) / 1000;
}

void wake_measure(unsigned readers, enum wake_manner manner, unsigned rounds, struct wake *wake)
{
	static const struct fleet_kind slots = {.distribution = DISTRIBUTION_SLOTS};
	double first[BENCH_ROUNDS_MAX], middle[BENCH_ROUNDS_MAX], last[BENCH_ROUNDS_MAX];
	double adopted[BENCH_ROUNDS_MAX];
	static double us[READERS_MAX];
	struct room *room = bench_alloc(1, sizeof(*room));

	if (readers == 0 || readers > READERS_MAX || rounds == 0 || rounds > BENCH_ROUNDS_MAX)
		bench_end("%u readers, %u rounds", readers, rounds);
	room->readers = readers;
	room->manner = manner;
	room->tales = mmap(NULL, readers * sizeof(*room->tales), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (room->tales == MAP_FAILED)
		bench_end("out of memory");
	fleet_open(&room->fleet, &slots, SERVERS);
	readers_start(room);
	readers_await(room, 1);
	for (unsigned i = 0; i < rounds; i++) {
		adopted[i] = round_measure(room, us);
		middle[i] = bench_median(us, readers); /* sorted now */
		first[i] = us[0];
		last[i] = us[readers - 1];
	}
	readers_stop(room);
	fleet_close(&room->fleet);
	(void)munmap(room->tales, readers * sizeof(*room->tales));
	free(room);
	wake->first_us = bench_median(first, rounds);
	wake->median_us = bench_median(middle, rounds);
	wake->last_us = bench_median(last, rounds);
	wake->worst_us = last[rounds - 1];
	wake->adopted_us = bench_median(adopted, rounds);
}
