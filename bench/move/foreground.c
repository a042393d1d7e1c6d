/* foreground.c - what the other clients of a memcached feel of a move, and what the move gets.
 *
 * A round: COPY by the mover alone and unpaced; what the server can do for its clients; half of
 * that for some seconds; and the same load during a whole COPY, its dumps included, by a mover that
 * gives way.  Medians of ratios.  Clients ask for several items at once: with one command at a time
 * they are busier with the kernel than the server with them, and half of what they get from it is
 * less than a fifth of what it can do.
 *
 * The source and its clients run as they are and wherever the kernel puts them.  Beside clients the
 * mover and its destination, which elsewhere are another host's or have a host's other cores, stand
 * aside: what is looked for is what the clients feel of the source's work, not how few cores the
 * benchmark has.  Alone on the machine they run like anybody.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "move/load.h"
#include "move/phase.h"
#include "move/server.h"
#include "move/wire.h"

#define ROUNDS_MAX  99u
#define VALUE_BYTES 100u
#define WARM_S	    1u

enum figure {
	CAPACITY,
	BEFORE_RATE,
	BEFORE_P50,
	BEFORE_P99,
	DURING_RATE,
	DURING_P50,
	DURING_P99,
	UNPACED,
	PACED,
	P99_RATIO,
	SHARE,
	FIGURES
};

static const char *const names[FIGURES] = {
    [CAPACITY] = "capacity_commands_s",
    [BEFORE_RATE] = "before_commands_s",
    [BEFORE_P50] = "before_p50_us",
    [BEFORE_P99] = "before_p99_us",
    [DURING_RATE] = "during_commands_s",
    [DURING_P50] = "during_p50_us",
    [DURING_P99] = "during_p99_us",
    [UNPACED] = "mover_unpaced_keys_s",
    [PACED] = "mover_paced_keys_s",
    [P99_RATIO] = "p99_ratio",
    [SHARE] = "mover_share",
};

static double figures[FIGURES][ROUNDS_MAX];

struct options {
	uint64_t keys, rounds, seconds, together;
	bool json, rude; /* rude: the mover does not give way */
};

static struct phase_result copy(const struct options *options, const struct server *source,
				const struct server *destination, bool adaptive, bool aside)
{
	struct phase_run run = {.source = source->address,
				.destination = destination->address,
				.phase = PHASE_COPY,
				.count = options->keys,
				.adaptive = adaptive,
				.aside = aside};
	struct phase_result result;

	phase_run(&run, &result);
	return result;
}

/* With the machine for itself.  The destination is a fresh process each time. */
static void unpaced(const struct options *options, const struct server *source, size_t round)
{
	struct server destination = {0};

	server_start(&destination, 1024, options->keys);
	figures[UNPACED][round] =
	    (double)options->keys / copy(options, source, &destination, false, false).whole_s;
	server_stop(&destination);
}

static void one_round(const struct options *options, size_t round)
{
	unsigned seconds = (unsigned)options->seconds, together = (unsigned)options->together;
	struct load_result before, during;
	struct server source = {0}, destination = {.aside = true};
	struct phase_result moved;
	struct load load;

	server_start(&source, 1024, options->keys);
	wire_fill(source.address, options->keys, VALUE_BYTES);
	unpaced(options, &source, round);
	server_start(&destination, 1024, options->keys);
	load_start(&load, source.address, options->keys, VALUE_BYTES, together, 0);
	(void)sleep(WARM_S);
	(void)load_cut(&load);
	(void)sleep(WARM_S);
	figures[CAPACITY][round] = load_stop(&load).rate;
	load_start(&load, source.address, options->keys, VALUE_BYTES, together,
		   figures[CAPACITY][round] / 2);
	(void)sleep(WARM_S);
	(void)load_cut(&load);
	(void)sleep(seconds);
	before = load_cut(&load);
	moved = copy(options, &source, &destination, !options->rude, true);
	during = load_stop(&load);
	server_stop(&source);
	server_stop(&destination);
	figures[BEFORE_RATE][round] = before.rate;
	figures[BEFORE_P50][round] = before.p50_us;
	figures[BEFORE_P99][round] = before.p99_us;
	figures[DURING_RATE][round] = during.rate;
	figures[DURING_P50][round] = during.p50_us;
	figures[DURING_P99][round] = during.p99_us;
	/* Keys that were written meanwhile are moved again, and are work as well. */
	figures[PACED][round] = (double)moved.work.moved / moved.whole_s;
	figures[P99_RATIO][round] = during.p99_us / before.p99_us;
	figures[SHARE][round] = figures[PACED][round] / figures[UNPACED][round];
	if (!options->json)
		(void)fprintf(stderr,
			      "round %zu: foreground p99 %.0f us before, %.0f during (%.2f); mover "
			      "%.0f keys/s of %.0f (%.3f)\n",
			      round + 1, before.p99_us, during.p99_us, figures[P99_RATIO][round],
			      figures[PACED][round], figures[UNPACED][round],
			      figures[SHARE][round]);
}

static double median(enum figure figure, size_t rounds)
{
	double sorted[ROUNDS_MAX];

	memcpy(sorted, figures[figure], rounds * sizeof(double));
	return bench_median(sorted, rounds);
}

static void print_json(const struct options *options)
{
	(void)printf("{\"keys\": %llu, \"rounds\": %llu, \"commands_together\": %llu",
		     (unsigned long long)options->keys, (unsigned long long)options->rounds,
		     (unsigned long long)options->together);
	for (enum figure i = 0; i < FIGURES; i++)
		(void)printf(",\n \"%s\": %.4g", names[i], median(i, options->rounds));
	(void)printf("}\n");
}

static void print_table(const struct options *options)
{
	size_t n = options->rounds;

	(void)printf("%llu items, requests of %llu commands, nine reads to one set, medians of %zu "
		     "rounds;\nthe server can do %.0f commands/s.\n"
		     "A move is a whole COPY from its start to its reported done.\n\n",
		     (unsigned long long)options->keys, (unsigned long long)options->together, n,
		     median(CAPACITY, n));
	(void)printf("%-24s %12s %9s %9s\n", "foreground", "commands/s", "p50 us", "p99 us");
	(void)printf("%-24s %12.0f %9.0f %9.0f\n", "half of that, before", median(BEFORE_RATE, n),
		     median(BEFORE_P50, n), median(BEFORE_P99, n));
	(void)printf("%-24s %12.0f %9.0f %9.0f   %.2f times the p99 before\n", "during the move",
		     median(DURING_RATE, n), median(DURING_P50, n), median(DURING_P99, n),
		     median(P99_RATIO, n));
	(void)printf("\nThe mover: %.0f keys/s of %.0f unpaced and alone: %.1f %%.\n",
		     median(PACED, n), median(UNPACED, n), 100 * median(SHARE, n));
}

static uint64_t number(const char *text, uint64_t most)
{
	uint64_t value;

	if (!mc_number_parse(text, strlen(text), &value) || value == 0 || value > most)
		bench_end("%s is no number from 1 to %llu", text, (unsigned long long)most);
	return value;
}

int main(int argc, char **argv)
{
	struct options options = {.keys = 600000, .rounds = 5, .seconds = 20, .together = 10};

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			options.json = true;
		else if (strcmp(argv[i], "--rude") == 0)
			options.rude = true;
		else if (strcmp(argv[i], "--keys") == 0 && i + 1 < argc)
			options.keys = number(argv[++i], 2000000);
		else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
			options.rounds = number(argv[++i], ROUNDS_MAX);
		else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
			options.seconds = number(argv[++i], 600);
		else if (strcmp(argv[i], "--together") == 0 && i + 1 < argc)
			options.together = number(argv[++i], 100);
		else
			bench_end("usage: foreground [--keys N] [--rounds N] [--seconds N] "
				  "[--together N] [--rude] [--json]");
	}
	for (size_t i = 0; i < options.rounds; i++)
		one_round(&options, i);
	if (options.json)
		print_json(&options);
	else
		print_table(&options);
	return 0;
}
