/* overhead.c - the program behind `make bench-libmemcached`: what the adapter costs on top of
 * libmemcached.
 *
 *   overhead [--json] [--rounds N] [--threads N]
 *   overhead --stage FIRST ROUNDS THREADS
 *                                      (for itself: one stage, its rates as bytes to stdout)
 *
 * Four memcacheds on the loopback, the same keys and values for both; the plain handle has all four
 * as its servers, by its own distribution.  Four threads, of the plain side each with a handle of
 * its own: so the processors are busy, and it is not the kernel's waking of idle ones that is
 * measured; one thread shows that too.  In each round both sides do every kind of work, a slice
 * each, in changing order, so what else the machine does falls on both; the figures are the medians
 * of the slices' rates, and the ratio is the median of the rounds' ratios.  Where processes and
 * their memory happen to lie makes more of a difference than the adapter: so there are several
 * stages, each a process of its own with memcacheds and connections of its own.
 */
#include <getopt.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "list/change.h"
#include "lookup/fleet.h"
#include "mcroster_memcached.h"
#include "mcroster_segment.h"
#include "move/server.h"

#define SERVERS	     4u
#define MEMORY_MIB   256u
#define STAGES	     45u
#define KEYS	     5000u
#define KEY_BYTES    32u
#define KEY_DIGITS   8u
#define VALUE_BYTES  100u
#define THREADS_MAX  64u
#define SLICE_OPS    500u
#define MANY	     100u
#define OVERHEAD_MAX 2.0 /* per cent */

enum work { WORK_GET, WORK_SET, WORK_GET_MANY, WORKS };
enum side { PLAIN, ADAPTER, SIDES };

static const char *const work_names[WORKS] = {"get", "set", "get, 100 at once"};

static struct server servers[SERVERS];
static memcached_st *plains[THREADS_MAX];
static unsigned thread_count = 4;
static struct mcr_pool *pool;
static char keys[KEYS][KEY_BYTES + 1];
static char value[VALUE_BYTES];
static double rates[WORKS][SIDES][BENCH_ROUNDS_MAX], ratios[WORKS][BENCH_ROUNDS_MAX];

/* ---- both sides ---- */

static memcached_st *plain_open(void)
{
	memcached_st *plain = memcached_create(NULL);

	for (unsigned i = 0; plain && i < SERVERS; i++) {
		char host[32];

		strcpy(host, servers[i].address);
		*strchr(host, ':') = '\0';
		if (memcached_server_add(plain, host,
					 (in_port_t)atoi(strchr(servers[i].address, ':') + 1)) !=
		    MEMCACHED_SUCCESS)
			bench_end("libmemcached does not take %s", servers[i].address);
	}
	if (!plain ||
	    memcached_behavior_set(plain, MEMCACHED_BEHAVIOR_TCP_NODELAY, 1) != MEMCACHED_SUCCESS)
		bench_end("libmemcached: out of memory");
	return plain;
}

static struct host *adapter_open(struct list *list, struct mcr **mcr, char name[64])
{
	static const struct fleet_kind kind = {DISTRIBUTION_SLOTS, MCR_HASH_XXH3};
	struct failure failure = {{0}};
	struct change *change;
	struct host *host;
	char socket_path[64];
	int error;

	fleet_list_make(list, &kind, SERVERS, NULL);
	for (unsigned i = 0; i < SERVERS; i++)
		strcpy(list->servers[i].address, servers[i].address);
	if (change_new(list, NULL, &change, &failure) != 0)
		bench_end("%s", failure.text);
	(void)snprintf(name, 64, "/mcroster.bench.%d", (int)getpid());
	(void)snprintf(socket_path, sizeof(socket_path), "/tmp/mcroster.bench.%d", (int)getpid());
	host = host_start(change, name, socket_path);
	error = mcr_open(name, 0, mcr);
	if (error == MCR_OK)
		error = mcr_register(*mcr, 2000);
	if (error == MCR_OK)
		error = mcr_pool_new(*mcr, NULL, &pool);
	if (error != MCR_OK)
		bench_end("%s: %s", name, mcr_strerror(error));
	change_free(change);
	(void)unlink(socket_path);
	return host;
}

/* ---- the work ---- */

static void plain_get(memcached_st *plain, const char *key)
{
	memcached_return_t rc;
	uint32_t flags;
	size_t bytes;
	char *found = memcached_get(plain, key, KEY_BYTES, &bytes, &flags, &rc);

	if (!found || bytes != VALUE_BYTES)
		bench_end("libmemcached: get: %s", memcached_strerror(plain, rc));
	free(found);
}

static void plain_set(memcached_st *plain, const char *key)
{
	const memcached_return_t rc =
	    memcached_set(plain, key, KEY_BYTES, value, VALUE_BYTES, 0, 0);

	if (rc != MEMCACHED_SUCCESS)
		bench_end("libmemcached: set: %s", memcached_strerror(plain, rc));
}

/* Which of the keys it is: they end in their numbers, so this is less than what it takes where they
 * do not. */
static unsigned key_number(const char *key)
{
	unsigned number = 0;

	for (unsigned i = KEY_BYTES - KEY_DIGITS; i < KEY_BYTES; i++)
		number = number * 10 + (unsigned)(key[i] - '0');
	return number;
}

static void plain_get_many(memcached_st *plain, unsigned first)
{
	static const size_t all_lengths[MANY] = {[0 ... MANY - 1] = KEY_BYTES};
	const char *wanted[MANY];
	char *values[MANY] = {NULL};
	memcached_result_st result;
	memcached_return_t rc;
	unsigned found = 0;

	for (unsigned i = 0; i < MANY; i++)
		wanted[i] = keys[(first + i) % KEYS];
	rc = memcached_mget(plain, wanted, all_lengths, MANY);
	/* Who reads many keys has to find out which answer is whose, and keeps the values. */
	(void)memcached_result_create(plain, &result);
	while (found < MANY && memcached_fetch_result(plain, &result, &rc)) {
		const unsigned number = key_number(memcached_result_key_value(&result));
		const unsigned at = (number + KEYS - first) % KEYS;

		if (at < MANY)
			values[at] = memcached_result_take_value(&result);
		found++;
	}
	(void)memcached_fetch_result(plain, &result, &rc);
	memcached_result_free(&result);
	for (unsigned i = 0; i < MANY; i++) {
		if (!values[i])
			bench_end("libmemcached: %u of %u keys: %s", found, MANY,
				  memcached_strerror(plain, rc));
		free(values[i]);
	}
}

static void adapter_end(const char *what, const struct mcr_pool_report *report)
{
	bench_end("the adapter: %s: %s: %s", what, mcr_pool_status_name(report->status),
		  report->reason);
}

static void adapter_get(const char *key)
{
	struct mcr_pool_report report;
	struct mcr_pool_value found;

	if (mcr_pool_get(pool, key, KEY_BYTES, &found, &report) != MCR_POOL_OK ||
	    found.length != VALUE_BYTES)
		adapter_end("get", &report);
	free(found.bytes);
}

static void adapter_set(const char *key)
{
	const struct mcr_pool_item item = {
	    .key = key, .key_bytes = KEY_BYTES, .value = value, .value_bytes = VALUE_BYTES};
	struct mcr_pool_report report;

	if (mcr_pool_set(pool, &item, &report) != MCR_POOL_OK)
		adapter_end("set", &report);
}

static void adapter_get_many(unsigned first)
{
	struct mcr_pool_read reads[MANY];
	struct mcr_pool_report report;

	for (unsigned i = 0; i < MANY; i++) {
		reads[i].wants_token = 0;
		reads[i].key = keys[(first + i) % KEYS];
		reads[i].key_bytes = KEY_BYTES;
	}
	mcr_pool_get_many(pool, reads, MANY, &report);
	for (unsigned i = 0; i < MANY; i++) {
		if (reads[i].status != MCR_POOL_OK)
			adapter_end("get", &report);
		free(reads[i].value.bytes);
	}
}

struct part {
	enum side side;
	enum work work;
	unsigned first, done;
	memcached_st *plain;
	pthread_barrier_t *start;
};

static void part_do(const struct part *part, unsigned at)
{
	if (part->work == WORK_GET_MANY && part->side == PLAIN)
		plain_get_many(part->plain, at);
	else if (part->work == WORK_GET_MANY)
		adapter_get_many(at);
	else if (part->work == WORK_GET && part->side == PLAIN)
		plain_get(part->plain, keys[at]);
	else if (part->work == WORK_GET)
		adapter_get(keys[at]);
	else if (part->side == PLAIN)
		plain_set(part->plain, keys[at]);
	else
		adapter_set(keys[at]);
}

static void *part_run(void *argument)
{
	struct part *part = argument;
	const unsigned step = part->work == WORK_GET_MANY ? MANY : 1;

	(void)pthread_barrier_wait(part->start);
	for (; part->done < SLICE_OPS * (part->work == WORK_GET_MANY ? 10 : 1); part->done += step)
		part_do(part, (part->first + part->done) % KEYS);
	return NULL;
}

/* Operations a second of all threads; of many at once each counts as one. */
static double slice(enum side side, enum work work, unsigned round)
{
	pthread_t threads[THREADS_MAX];
	struct part parts[THREADS_MAX];
	pthread_barrier_t start;
	unsigned done = 0;
	uint64_t begun_ns;

	(void)pthread_barrier_init(&start, NULL, thread_count + 1);
	for (unsigned i = 0; i < thread_count; i++) {
		parts[i] = (struct part){.side = side,
					 .work = work,
					 .first = round * 7919u + i * (KEYS / thread_count),
					 .plain = plains[i],
					 .start = &start};
		if (pthread_create(&threads[i], NULL, part_run, &parts[i]) != 0)
			bench_end("no thread");
	}
	(void)pthread_barrier_wait(&start);
	begun_ns = bench_boot_ns();
	for (unsigned i = 0; i < thread_count; i++) {
		(void)pthread_join(threads[i], NULL);
		done += parts[i].done;
	}
	(void)pthread_barrier_destroy(&start);
	return (double)done * 1e9 / (double)(bench_boot_ns() - begun_ns);
}

static void measure(unsigned first, unsigned rounds)
{
	for (unsigned round = first; round < first + rounds; round++)
		for (unsigned work = 0; work < WORKS; work++) {
			for (unsigned turn = 0; turn < SIDES; turn++) {
				const enum side side = (round + turn) % SIDES;

				rates[work][side][round] = slice(side, work, round);
			}
		}
}

static void report(unsigned rounds, bool json)
{
	if (json)
		(void)printf("{\"rounds\":%u,\"libmemcached\":\"%s\"", rounds,
			     memcached_lib_version());
	else
		(void)printf("libmemcached %s, %u servers, %u rounds\n%-18s %14s %14s %8s %10s\n",
			     memcached_lib_version(), SERVERS, rounds, "operation", "plain/s",
			     "adapter/s", "ratio", "overhead");
	for (unsigned work = 0; work < WORKS; work++) {
		const double plain_rate = bench_median(rates[work][PLAIN], rounds),
			     adapter_rate = bench_median(rates[work][ADAPTER], rounds),
			     ratio = bench_median(ratios[work], rounds),
			     overhead = (1 - ratio) * 100;

		if (json)
			(void)printf(",\"%s\":{\"plain\":%.0f,\"adapter\":%.0f,\"ratio\":%.4f}",
				     work == WORK_GET_MANY ? "get_many" : work_names[work],
				     plain_rate, adapter_rate, ratio);
		else
			(void)printf("%-18s %14.0f %14.0f %8.3f %8.1f %%%s\n", work_names[work],
				     plain_rate, adapter_rate, ratio, overhead,
				     overhead < OVERHEAD_MAX ? "" : "  (it should be under 2 %)");
	}
	if (json)
		(void)puts("}");
}

static int usage(void)
{
	(void)fputs("usage: overhead [--json] [--rounds N] [--threads N]\n", stderr);
	return 2;
}

static bool threads_set(const char *text)
{
	thread_count = (unsigned)strtoul(text, NULL, 10);
	return thread_count > 0 && thread_count <= THREADS_MAX;
}

static void keys_make(void)
{
	memset(value, 'v', sizeof(value));
	for (unsigned i = 0; i < KEYS; i++)
		(void)snprintf(keys[i], sizeof(keys[i]), "overhead-of-the-adapter-%08u", i);
}

/* Rounds of one stage: `first` and those that follow. */
static void stage_play(unsigned first, unsigned rounds)
{
	static struct list list;
	char name[64];
	struct host *host;
	struct mcr *mcr;

	for (unsigned i = 0; i < SERVERS; i++) {
		/* With more, which of them has whose connections would decide. */
		servers[i].threads = 1;
		server_start(&servers[i], MEMORY_MIB, KEYS);
	}
	for (unsigned i = 0; i < thread_count; i++)
		plains[i] = plain_open();
	host = adapter_open(&list, &mcr, name);
	for (unsigned i = 0; i < KEYS; i++) {
		plain_set(plains[0], keys[i]);
		adapter_set(keys[i]);
	}
	measure(first, rounds);
	mcr_pool_free(pool);
	mcr_close(mcr);
	host_stop(host);
	for (unsigned i = 0; i < thread_count; i++)
		memcached_free(plains[i]);
	fleet_list_free(&list);
	for (unsigned i = 0; i < SERVERS; i++)
		server_stop(&servers[i]);
}

/* The rates of rounds, each kind of work of each side after the other. */
static void stage_say(unsigned first, unsigned rounds)
{
	for (unsigned work = 0; work < WORKS; work++)
		for (unsigned side = 0; side < SIDES; side++)
			if (fwrite(rates[work][side] + first, sizeof(double), rounds, stdout) !=
			    rounds)
				bench_end("a stage's rates cannot be written");
}

static void stage_take(FILE *from, unsigned first, unsigned rounds)
{
	for (unsigned work = 0; work < WORKS; work++)
		for (unsigned side = 0; side < SIDES; side++)
			if (fread(rates[work][side] + first, sizeof(double), rounds, from) !=
			    rounds)
				bench_end("a stage ended early");
	for (unsigned round = first; round < first + rounds; round++)
		for (unsigned work = 0; work < WORKS; work++)
			ratios[work][round] =
			    rates[work][ADAPTER][round] / rates[work][PLAIN][round];
}

/* The program anew: with exec its memory lies elsewhere. */
static void stage_run(unsigned first, unsigned rounds)
{
	char first_text[16], rounds_text[16], threads_text[16];
	int ends[2], status;
	FILE *from;
	pid_t child;

	(void)snprintf(first_text, sizeof(first_text), "%u", first);
	(void)snprintf(rounds_text, sizeof(rounds_text), "%u", rounds);
	(void)snprintf(threads_text, sizeof(threads_text), "%u", thread_count);
	if (pipe(ends) < 0 || (child = fork()) < 0)
		bench_end("no process for a stage");
	if (child == 0) {
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)close(ends[0]);
		(void)close(ends[1]);
		(void)execl("/proc/self/exe", "overhead", "--stage", first_text, rounds_text,
			    threads_text, (char *)NULL);
		_exit(127);
	}
	(void)close(ends[1]);
	from = fdopen(ends[0], "r");
	if (!from)
		bench_end("out of memory");
	stage_take(from, first, rounds);
	(void)fclose(from);
	if (waitpid(child, &status, 0) != child || status != 0)
		bench_end("a stage failed");
}

static int stage_main(const char *first_text, const char *rounds_text, const char *threads_text)
{
	const unsigned first = (unsigned)strtoul(first_text, NULL, 10),
		       rounds = (unsigned)strtoul(rounds_text, NULL, 10);

	if (rounds == 0 || rounds > BENCH_ROUNDS_MAX || first > BENCH_ROUNDS_MAX - rounds ||
	    !threads_set(threads_text))
		return usage();
	keys_make();
	stage_play(first, rounds);
	stage_say(first, rounds);
	return fflush(stdout) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'},
						{"rounds", required_argument, NULL, 'r'},
						{"threads", required_argument, NULL, 't'},
						{NULL, 0, NULL, 0}};
	unsigned rounds = 20 * STAGES;
	bool json = false;
	int option;

	if (argc == 5 && strcmp(argv[1], "--stage") == 0)
		return stage_main(argv[2], argv[3], argv[4]);
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'j')
			json = true;
		else if (option == 'r')
			rounds = (unsigned)strtoul(optarg, NULL, 10);
		else if (option != 't' || !threads_set(optarg))
			return usage();
	}
	if (optind != argc || rounds == 0 || rounds > BENCH_ROUNDS_MAX)
		return usage();
	for (unsigned stage = 0; stage < STAGES; stage++) {
		const unsigned first = rounds * stage / STAGES;

		if (first < rounds * (stage + 1) / STAGES)
			stage_run(first, rounds * (stage + 1) / STAGES - first);
	}
	report(rounds, json);
	return 0;
}
