/* move.c - what moving keys costs beside a copy without any safety, in the same run.
 *
 * A round: a source is filled, and an unsafe copy dumps its keys, then takes them to a new owner;
 * another source is filled with the same, and the agent's mover (COPY, then DRAIN) does its work.
 * The rate of a dump is that of the copy's own, whose lines are parsed and whose keys are kept.
 * All are fresh processes, so neither side finds what the other has read warm, or marked as used.
 * Medians of the rounds' ratios, so that who shares the machine hits both sides or neither.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench.h"
#include "move/copy.h"
#include "move/phase.h"
#include "move/server.h"
#include "move/wire.h"

#define ROUNDS_MAX 99u
/* Below this share of the dump's rate the yardstick itself is bent, and the run says nothing. */
#define VOID_BELOW 0.35

enum figure {
	DUMP_RATE,
	UNSAFE_RATE,
	COPY_RATE,
	COPY_WHOLE_RATE,
	DRAIN_RATE,
	UNSAFE_DUMP, /* unsafe copy over dump */
	COPY_UNSAFE,
	COPY_WHOLE_UNSAFE,
	DRAIN_UNSAFE,
	COPY_CPU_US, /* of the agent, for each key */
	DRAIN_CPU_US,
	COPY_SOURCE_CPU_US, /* of the memcacheds */
	COPY_DESTINATION_CPU_US,
	UNSAFE_DESTINATION_CPU_US,
	COPY_ALL_CPU_US, /* of the agent and both memcacheds */
	UNSAFE_ALL_CPU_US,
	RESIDENT_MIB,
	FIGURES
};

static const char *const names[FIGURES] = {
    [DUMP_RATE] = "dump_rate",
    [UNSAFE_RATE] = "unsafe_rate",
    [COPY_RATE] = "copy_rate",
    [COPY_WHOLE_RATE] = "copy_whole_rate",
    [DRAIN_RATE] = "drain_rate",
    [UNSAFE_DUMP] = "unsafe_to_dump",
    [COPY_UNSAFE] = "copy_to_unsafe",
    [COPY_WHOLE_UNSAFE] = "copy_whole_to_unsafe",
    [DRAIN_UNSAFE] = "drain_to_unsafe",
    [COPY_CPU_US] = "copy_agent_cpu_us_per_key",
    [DRAIN_CPU_US] = "drain_agent_cpu_us_per_key",
    [COPY_SOURCE_CPU_US] = "copy_source_cpu_us_per_key",
    [COPY_DESTINATION_CPU_US] = "copy_destination_cpu_us_per_key",
    [UNSAFE_DESTINATION_CPU_US] = "unsafe_destination_cpu_us_per_key",
    [COPY_ALL_CPU_US] = "copy_all_cpu_us_per_key",
    [UNSAFE_ALL_CPU_US] = "unsafe_all_cpu_us_per_key",
    [RESIDENT_MIB] = "agent_resident_mib",
};

struct options {
	uint64_t keys, memory_mib;
	size_t value_bytes, rounds;
	bool json, unsafe;
};

static double figures[FIGURES][ROUNDS_MAX];

static double per_key_us(double seconds, uint64_t keys)
{
	return seconds * 1e6 / (double)keys;
}

static void arrived(const struct server *server, uint64_t keys)
{
	uint64_t items = wire_stat(server->address, "curr_items");

	if (items != keys)
		bench_end("%llu of %llu keys arrived", (unsigned long long)items,
			  (unsigned long long)keys);
}

static double own_cpu_s(void)
{
	struct rusage used;

	(void)getrusage(RUSAGE_SELF, &used);
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void source_start(const struct options *options, struct server *source)
{
	server_start(source, options->memory_mib, options->keys);
	wire_fill(source->address, options->keys, options->value_bytes);
}

/* Values of more than a page: else most of what is measured is the kernel's clearing of fresh
 * pages, a gigabyte of them. */
#define LARGE_BYTES 4096u

static void destination_start(const struct options *options, struct server *destination)
{
	server_start(destination, options->memory_mib, options->keys);
	if (options->value_bytes < LARGE_BYTES)
		return;
	wire_fill(destination->address, options->keys, options->value_bytes);
	wire_empty(destination->address, options->keys);
}

static void unsafe_round(const struct options *options, size_t round)
{
	struct server source = {0}, destination = {0};
	double seconds, dump_s, cpu_s, destination_cpu_s, keys = (double)options->keys;

	source_start(options, &source);
	destination_start(options, &destination);
	destination_cpu_s = server_cpu_s(&destination);
	cpu_s = own_cpu_s() + server_cpu_s(&source) + destination_cpu_s;
	seconds = copy_unsafe(source.address, destination.address, options->keys,
			      options->value_bytes, &dump_s);
	cpu_s = own_cpu_s() + server_cpu_s(&source) - cpu_s + server_cpu_s(&destination);
	figures[UNSAFE_ALL_CPU_US][round] = per_key_us(cpu_s, options->keys);
	arrived(&destination, options->keys);
	figures[DUMP_RATE][round] = keys / dump_s;
	figures[UNSAFE_RATE][round] = keys / seconds;
	figures[UNSAFE_DUMP][round] = figures[UNSAFE_RATE][round] / figures[DUMP_RATE][round];
	figures[UNSAFE_DESTINATION_CPU_US][round] =
	    per_key_us(server_cpu_s(&destination) - destination_cpu_s, options->keys);
	server_stop(&destination);
	server_stop(&source);
}

static void copy_round(const struct options *options, struct phase_run *run,
		       const struct server *source, const struct server *destination, size_t round)
{
	struct phase_result copy;
	double source_cpu_s = server_cpu_s(source);
	double destination_cpu_s = server_cpu_s(destination);

	run->phase = PHASE_COPY;
	phase_run(run, &copy);
	arrived(destination, options->keys);
	figures[COPY_RATE][round] = (double)options->keys / copy.settled_s;
	figures[COPY_WHOLE_RATE][round] = (double)options->keys / copy.whole_s;
	figures[COPY_CPU_US][round] = per_key_us(copy.cpu_s, options->keys);
	figures[COPY_SOURCE_CPU_US][round] =
	    per_key_us(server_cpu_s(source) - source_cpu_s, options->keys);
	figures[COPY_DESTINATION_CPU_US][round] =
	    per_key_us(server_cpu_s(destination) - destination_cpu_s, options->keys);
	figures[COPY_ALL_CPU_US][round] = figures[COPY_CPU_US][round] +
					  figures[COPY_SOURCE_CPU_US][round] +
					  figures[COPY_DESTINATION_CPU_US][round];
	figures[RESIDENT_MIB][round] = (double)copy.resident_max_kib / 1024;
}

static void drain_round(const struct options *options, struct phase_run *run,
			const struct server *source, const struct server *destination, size_t round)
{
	struct phase_result drain;

	run->phase = PHASE_DRAIN;
	phase_run(run, &drain);
	arrived(destination, options->keys);
	arrived(source, 0);
	figures[DRAIN_RATE][round] = (double)options->keys / drain.settled_s;
	figures[DRAIN_CPU_US][round] = per_key_us(drain.cpu_s, options->keys);
	if (figures[RESIDENT_MIB][round] < (double)drain.resident_max_kib / 1024)
		figures[RESIDENT_MIB][round] = (double)drain.resident_max_kib / 1024;
}

static void compare(const struct options *options, size_t round)
{
	double unsafe = figures[UNSAFE_RATE][round];

	figures[COPY_UNSAFE][round] = figures[COPY_RATE][round] / unsafe;
	figures[COPY_WHOLE_UNSAFE][round] = figures[COPY_WHOLE_RATE][round] / unsafe;
	figures[DRAIN_UNSAFE][round] = figures[DRAIN_RATE][round] / unsafe;
	if (!options->json)
		(void)fprintf(
		    stderr,
		    "round %zu: dump %.0f, unsafe %.0f, copy %.0f (%.2f), drain %.0f (%.2f)\n",
		    round + 1, figures[DUMP_RATE][round], unsafe, figures[COPY_WHOLE_RATE][round],
		    figures[COPY_WHOLE_UNSAFE][round], figures[DRAIN_RATE][round],
		    figures[DRAIN_UNSAFE][round]);
}

static void mover_round(const struct options *options, size_t round)
{
	struct server source = {0}, destination = {0};
	struct phase_run run = {.count = options->keys, .adaptive = true};

	source_start(options, &source);
	destination_start(options, &destination);
	run.source = source.address;
	run.destination = destination.address;
	copy_round(options, &run, &source, &destination, round);
	drain_round(options, &run, &source, &destination, round);
	server_stop(&destination);
	server_stop(&source);
}

static void one_round(const struct options *options, size_t round)
{
	/* Who goes first touches the machine's memory first, so they take turns. */
	if (options->unsafe && round % 2 == 0)
		unsafe_round(options, round);
	mover_round(options, round);
	if (options->unsafe && round % 2 == 1)
		unsafe_round(options, round);
	if (options->unsafe)
		compare(options, round);
}

static double median(enum figure figure, size_t rounds)
{
	double sorted[ROUNDS_MAX];

	memcpy(sorted, figures[figure], rounds * sizeof(double));
	return bench_median(sorted, rounds);
}

static void print_json(const struct options *options, bool is_void)
{
	(void)printf("{\"keys\": %llu, \"value_bytes\": %zu, \"rounds\": %zu, \"void\": %s",
		     (unsigned long long)options->keys, options->value_bytes, options->rounds,
		     is_void ? "true" : "false");
	for (enum figure i = 0; i < FIGURES; i++)
		(void)printf(",\n \"%s\": %.4g", names[i], median(i, options->rounds));
	(void)printf("}\n");
}

static void rate_line(const struct options *options, const char *what, enum figure rate,
		      enum figure ratio, const char *to)
{
	double keys = median(rate, options->rounds);

	(void)printf("%-34s %11.0f %9.1f", what, keys, keys * (double)options->value_bytes / 1e6);
	if (to != NULL)
		(void)printf("   %5.2f of %s", median(ratio, options->rounds), to);
	(void)printf("\n");
}

static void print_table(const struct options *options, bool is_void)
{
	size_t n = options->rounds;

	(void)printf("%llu items of %u-byte keys and %zu-byte values, one source, one destination, "
		     "loopback;\nmedians of %zu rounds.\n\n",
		     (unsigned long long)options->keys, WIRE_KEY_BYTES, options->value_bytes, n);
	(void)printf("%-34s %11s %9s\n", "", "keys/s", "MB/s");
	if (options->unsafe) {
		rate_line(options, "metadump, keys decoded", DUMP_RATE, FIGURES, NULL);
		rate_line(options, "unsafe copy (mg, ms)", UNSAFE_RATE, UNSAFE_DUMP, "the dump");
	}
	rate_line(options, "move(): COPY, until it says done", COPY_WHOLE_RATE, COPY_WHOLE_UNSAFE,
		  options->unsafe ? "the unsafe copy" : NULL);
	rate_line(options, "  of it until all keys are there", COPY_RATE, COPY_UNSAFE,
		  options->unsafe ? "the unsafe copy" : NULL);
	rate_line(options, "move(): DRAIN after it", DRAIN_RATE, DRAIN_UNSAFE,
		  options->unsafe ? "the unsafe copy" : NULL);
	(void)printf(
	    "\nProcessor time for each key, us: agent %.2f in COPY, %.2f in DRAIN; COPY at "
	    "the source %.2f,\nat the destination %.2f (unsafe copy: %.2f).\n",
	    median(COPY_CPU_US, n), median(DRAIN_CPU_US, n), median(COPY_SOURCE_CPU_US, n),
	    median(COPY_DESTINATION_CPU_US, n), median(UNSAFE_DESTINATION_CPU_US, n));
	if (options->unsafe)
		(void)printf("All three processes: %.2f in COPY, %.2f in the unsafe copy.\n",
			     median(COPY_ALL_CPU_US, n), median(UNSAFE_ALL_CPU_US, n));
	(void)printf("Agent's memory, at most: %.1f MiB resident.\n", median(RESIDENT_MIB, n));
	if (is_void)
		(void)printf("\nVOID: the unsafe copy did not reach %.2f of the dump's rate.\n",
			     VOID_BELOW);
}

static uint64_t number(const char *text, uint64_t most)
{
	uint64_t value;

	if (!mc_number_parse(text, strlen(text), &value) || value == 0 || value > most)
		bench_end("%s is no number from 1 to %llu", text, (unsigned long long)most);
	return value;
}

static struct options options_read(int argc, char **argv)
{
	struct options options = {.keys = 1000000, .value_bytes = 100, .rounds = 5, .unsafe = true};

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			options.json = true;
		else if (strcmp(argv[i], "--no-unsafe") == 0)
			options.unsafe = false;
		else if (strcmp(argv[i], "--keys") == 0 && i + 1 < argc)
			options.keys = number(argv[++i], 100000000);
		else if (strcmp(argv[i], "--value-bytes") == 0 && i + 1 < argc)
			options.value_bytes = number(argv[++i], 1000000);
		else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
			options.rounds = number(argv[++i], ROUNDS_MAX);
		else
			bench_end("usage: move [--keys N] [--value-bytes N] [--rounds N] "
				  "[--no-unsafe] [--json]");
	}
	/* Items, their headers, the hash table, and room to spare: nothing is evicted. */
	options.memory_mib = 256 + (options.keys * (options.value_bytes * 5 / 4 + 160) >> 20);
	return options;
}

int main(int argc, char **argv)
{
	struct options options = options_read(argc, argv);
	bool is_void;

	for (size_t i = 0; i < options.rounds; i++)
		one_round(&options, i);
	is_void = options.unsafe && options.value_bytes <= 100 &&
		  median(UNSAFE_DUMP, options.rounds) < VOID_BELOW;
	if (options.json)
		print_json(&options, is_void);
	else
		print_table(&options, is_void);
	return is_void ? 1 : 0;
}
