/* agents.c - a program: kills a whole agent, again and again, beside four readers of its segment.
 *
 *   agents --segment NAME [--kills N] [--seed N] -- COMMAND ARGUMENT...
 *
 * Starts the command, kills it with SIGKILL after a while, and starts it again; at last it is left
 * running, and its pid is printed.  Half of the kills come within 30 ms, while it starts and makes
 * its first publication, a fifth let it live for seconds, so that changes get on.
 *
 * A list never changes, so all that a segment says of the same lists in the same phase is the same
 * for all readers and for ever: a reading that differs was torn.
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

#include "hash.h"
#include "mcroster.h"

#define READERS	     4u
#define KEYS	     64u
#define SERVERS_MAX  64u
#define READINGS_MAX 4096u

/* What was first read of two lists in a phase. */
struct reading {
	uint64_t said; /* of which lists and phase; 0: free */
	uint64_t content;
};

struct shared {
	uint32_t stop;
	uint32_t torn;
	uint64_t read[READERS], overtaken[READERS];
	struct reading readings[READINGS_MAX];
};

static int failed(const char *sentence)
{
	(void)fprintf(stderr, "FAILED: %s\n", sentence);
	return 1;
}

/* Notes or compares.  False: it was something else before. */
static bool reading_keep(struct shared *shared, uint64_t said, uint64_t content)
{
	for (unsigned i = 0; i < READINGS_MAX; i++) {
		struct reading *reading = &shared->readings[(said + i) % READINGS_MAX];
		uint64_t free_word = 0, nothing = 0;

		if (__atomic_load_n(&reading->said, __ATOMIC_ACQUIRE) != said &&
		    !__atomic_compare_exchange_n(&reading->said, &free_word, said, false,
						 __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) &&
		    free_word != said)
			continue;
		return __atomic_compare_exchange_n(&reading->content, &nothing, content, false,
						   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) ||
		       nothing == content;
	}
	return true;
}

static uint64_t said_of(const struct mcr_info *info)
{
	uint8_t text[sizeof(info->list_hash) + sizeof(info->next_hash) + 1];

	memcpy(text, info->list_hash, sizeof(info->list_hash));
	memcpy(text + sizeof(info->list_hash), info->next_hash, sizeof(info->next_hash));
	text[sizeof(text) - 1] = info->phase;
	return mcr_hash(text, sizeof(text)) | 1;
}

/* The servers and the owners of some keys.  1: they are of one generation; 0: overtaken; negative:
 * an enum mcr_error. */
static int content_read(struct mcr *mcr, struct mcr_reader *reader, struct mcr_info *info,
			uint64_t *content)
{
	static struct {
		struct mcr_server servers[SERVERS_MAX];
		uint32_t owners[2 * KEYS];
	} all;
	struct mcr_info then;
	int count, error;

	memset(&all, 0, sizeof(all));
	count = mcr_servers(reader, info, all.servers, SERVERS_MAX);
	if (count < 0)
		return count;
	for (uint32_t key = 0; key < KEYS; key++) {
		error = mcr_owner(reader, &key, sizeof(key), &all.owners[2 * key],
				  &all.owners[2 * key + 1]);
		if (error != MCR_OK)
			return error;
	}
	/* Each reading is of one generation; these are all of the same only when none has passed.
	 */
	error = mcr_info(mcr, &then);
	if (error != MCR_OK)
		return error;
	if (then.generation != info->generation)
		return 0;
	*content = mcr_hash(&all, sizeof(all)) | 1;
	return 1;
}

static int reader_run(const char *segment, struct shared *shared, unsigned number)
{
	struct mcr_reader *reader;
	struct mcr *mcr;

	if (mcr_open(segment, MCR_OBSERVE, &mcr) != MCR_OK ||
	    mcr_reader_new(mcr, &reader) != MCR_OK)
		return 2;
	while (__atomic_load_n(&shared->stop, __ATOMIC_RELAXED) == 0) {
		struct mcr_info info;
		uint64_t content = 0;
		const int got = content_read(mcr, reader, &info, &content);

		if (got < 0 && got != MCR_STALE) {
			(void)fprintf(stderr, "reader %u: %s\n", number, mcr_strerror(got));
			return 3;
		}
		if (got != 1) {
			shared->overtaken[number]++;
			continue;
		}
		shared->read[number]++;
		if (!reading_keep(shared, said_of(&info), content)) {
			(void)fprintf(stderr,
				      "reader %u: generation %" PRIu32 " in %s of epoch %" PRIu64
				      " says something else than before\n",
				      number, info.generation,
				      mcr_phase_name((enum mcr_phase)info.phase), info.epoch);
			(void)__atomic_add_fetch(&shared->torn, 1, __ATOMIC_RELAXED);
			return 1;
		}
	}
	mcr_reader_free(reader);
	mcr_close(mcr);
	return 0;
}

static uint32_t random_below(uint64_t *state, uint32_t bound)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(((*state >> 32) * bound) >> 32);
}

static uint32_t life_us(uint64_t *random)
{
	const uint32_t kind = random_below(random, 10);

	if (kind < 5)
		return random_below(random, 30000);
	if (kind < 8)
		return random_below(random, 1500000);
	return 2000000 + random_below(random, 2000000);
}

static pid_t agent_start(char **command)
{
	const pid_t pid = fork();

	if (pid == 0) {
		(void)execv(command[0], command);
		_exit(127);
	}
	return pid;
}

/* True when it lived for so long and was killed by us. */
static bool agent_kill(char **command, uint32_t us)
{
	const struct timespec life = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000L};
	const pid_t pid = agent_start(command);
	int status;

	(void)nanosleep(&life, NULL);
	if (pid < 0 || kill(pid, SIGKILL) != 0 || waitpid(pid, &status, 0) != pid)
		return false;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static int readers_stop(struct shared *shared, const pid_t *readers)
{
	uint64_t read = 0, overtaken = 0;
	unsigned distinct = 0;
	int bad = 0;

	__atomic_store_n(&shared->stop, 1, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < READERS; i++) {
		int status;

		if (waitpid(readers[i], &status, 0) != readers[i] || status != 0)
			bad = failed("a reader did not end well");
		if (shared->read[i] == 0)
			bad = failed("a reader has read nothing");
		read += shared->read[i];
		overtaken += shared->overtaken[i];
	}
	for (unsigned i = 0; i < READINGS_MAX; i++)
		distinct += shared->readings[i].said != 0;
	(void)printf("%" PRIu64 " whole readings of %u different states, overtaken %" PRIu64
		     " times, %u torn\n",
		     read, distinct, overtaken, shared->torn);
	return bad;
}

static int trial_run(const char *segment, uint32_t kills, uint64_t random, char **command)
{
	struct shared *shared =
	    mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t readers[READERS];
	uint32_t done = 0;
	int bad = 0;

	if (shared == MAP_FAILED)
		return failed("out of memory");
	for (unsigned i = 0; i < READERS; i++) {
		readers[i] = fork();
		if (readers[i] == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			/* The agent is to run when it can, so that it dies while it runs. */
			_exit(nice(10) == -1 ? 4 : reader_run(segment, shared, i));
		}
	}
	for (; done < kills && __atomic_load_n(&shared->torn, __ATOMIC_RELAXED) == 0; done++)
		if (!agent_kill(command, life_us(&random))) {
			bad = failed("the agent ended by itself");
			break;
		}
	(void)printf("%" PRIu32 " agents killed\n", done);
	bad |= readers_stop(shared, readers);
	(void)printf("pid %d\n", (int)agent_start(command));
	return bad;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"segment", required_argument, NULL, 'n'},
						{"kills", required_argument, NULL, 'k'},
						{"seed", required_argument, NULL, 's'},
						{NULL, 0, NULL, 0}};
	const char *segment = NULL;
	uint32_t kills = 30;
	uint64_t seed = 1;
	int option;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (option == 'n')
			segment = optarg;
		else if (option == 'k')
			kills = (uint32_t)strtoul(optarg, NULL, 10);
		else if (option == 's')
			seed = strtoull(optarg, NULL, 10);
		else
			return 2;
	}
	if (segment == NULL || optind == argc)
		return 2;
	return trial_run(segment, kills, seed, argv + optind);
}
