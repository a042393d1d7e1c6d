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
#include "mcroster_segment.h"
#include "report.h"

#define WAKE_ROUNDS 51u

static const uint32_t server_counts[REPORT_FLEETS] = {3, 4, 100, 101, 1000};

static const struct fleet_kind kinds[REPORT_KINDS] = {
    {DISTRIBUTION_SLOTS, MCR_HASH_XXH3},	   {DISTRIBUTION_KETAMA_WEIGHTED, MCR_HASH_MD5},
    {DISTRIBUTION_KETAMA, MCR_HASH_MD5},	   {DISTRIBUTION_SPYMEMCACHED, MCR_HASH_MD5},
    {DISTRIBUTION_PROXY_RING, MCR_HASH_XXH3},	   {DISTRIBUTION_PROXY_JUMP, MCR_HASH_XXH3},
    {DISTRIBUTION_MODULA, MCR_HASH_ONE_AT_A_TIME},
};

static void kind_measure(const struct fleet_kind *kind, unsigned rounds, struct report_kind *report)
{
	static struct fleet fleets[REPORT_FLEETS];
	struct fleet *all[REPORT_FLEETS];

	distribution_print(kind->distribution, kind->hash, FLEET_SLOTS, report->name);
	for (unsigned i = 0; i < REPORT_FLEETS; i++) {
		all[i] = &fleets[i];
		fleet_open(all[i], kind, server_counts[i]);
		report->balance[i] = spread_balance(kind, server_counts[i]);
	}
	for (unsigned threads = 1; threads <= REPORT_THREADS; threads++)
		speed_measure(all, REPORT_FLEETS, fleet_peer_agrees(kind), threads, rounds,
			      report->speed[threads - 1]);
	for (unsigned i = 0; i < REPORT_FLEETS; i++)
		fleet_close(all[i]);
	report->moved_3_4 = spread_moved(kind, 3);
	report->moved_100_101 = spread_moved(kind, 100);
}

static const struct {
	const char *name;
	unsigned readers;
	enum wake_manner manner;
} crowds[REPORT_CROWDS] = {
    {"1 asleep", 1, WAKE_ASLEEP},   {"100 asleep", 100, WAKE_ASLEEP},
    {"1 polling", 1, WAKE_POLLING}, {"100 polling", 100, WAKE_POLLING},
    {"2 busy", 2, WAKE_BUSY},
};

static void report_make(struct report *report, unsigned rounds)
{
	for (unsigned i = 0; i < REPORT_FLEETS; i++)
		report->servers[i] = server_counts[i];
	for (unsigned i = 0; i < REPORT_KINDS; i++)
		kind_measure(&kinds[i], rounds, &report->kind[i]);
	for (unsigned i = 0; i < REPORT_CROWDS; i++) {
		report->crowd[i].name = crowds[i].name;
		wake_measure(crowds[i].readers, crowds[i].manner, WAKE_ROUNDS,
			     &report->crowd[i].wake);
	}
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
	report_make(&report, rounds);
	if (json)
		report_json(&report);
	else
		report_table(&report);
	return 0;
}
