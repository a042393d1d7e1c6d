/* lookup.c - the program behind `make bench-lookup`: what a lookup costs, and what a change does.
 *
 *   lookup [--json] [--rounds N]
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "fleet.h"
#include "report.h"

#define WAKE_ROUNDS 51u

static const uint32_t server_counts[REPORT_FLEETS] = {3, 4, 100, 101, 1000};

static void speeds_measure(struct report *report, unsigned rounds)
{
	static struct fleet fleets[REPORT_FLEETS];
	struct fleet *all[REPORT_FLEETS];

	for (unsigned i = 0; i < REPORT_FLEETS; i++) {
		all[i] = &fleets[i];
		fleet_open(all[i], server_counts[i]);
		report->servers[i] = server_counts[i];
		report->balance[i] = spread_balance(server_counts[i]);
	}
	for (unsigned threads = 1; threads <= REPORT_THREADS; threads++)
		speed_measure(all, REPORT_FLEETS, threads, rounds, report->speed[threads - 1]);
	for (unsigned i = 0; i < REPORT_FLEETS; i++)
		fleet_close(all[i]);
}

static int usage(void)
{
	(void)fputs("usage: lookup [--json] [--rounds N]\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'},
						{"rounds", required_argument, NULL, 'r'},
						{NULL, 0, NULL, 0}};
	static struct report report;
	unsigned rounds = 101;
	bool json = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'j')
			json = true;
		else if (option == 'r')
			rounds = (unsigned)strtoul(optarg, NULL, 10);
		else
			return usage();
	}
	if (optind != argc || rounds == 0 || rounds > BENCH_ROUNDS_MAX)
		return usage();
	speeds_measure(&report, rounds);
	report.moved_3_4 = spread_moved(3);
	report.moved_100_101 = spread_moved(100);
	wake_measure(1, WAKE_ROUNDS, &report.one);
	wake_measure(100, WAKE_ROUNDS, &report.hundred);
	if (json)
		report_json(&report);
	else
		report_table(&report);
	return 0;
}
