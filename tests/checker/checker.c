/* checker.c - a program: is a value ever read that is older than the last one written?
 *
 *   checker --segment NAME [--segment NAME ...] --keys N [--readers N] [--writers N] [--batch N]
 *           [--rate READS-A-SECOND]
 *
 * Many clients on the segments of several hosts read and write the same keys, by set, add, incr,
 * cas and delete; every answer is held against a ledger of all writes (ledger.h).  Meanwhile
 * somebody else changes the list of servers (tests/checker/run does).  Reads one command a line on
 * standard input and answers each with one line on standard output:
 *   fill         set every key once                          -> filled
 *   run          readers and writers at work                 -> running
 *   pause        all at rest                                 -> paused
 *   verify       read every key once                         -> verified
 *   agree EPOCH  wait until every host is settled under it, and, at rest, until every client plans
 *                by it                                       -> agreed, or what differs
 *   report       counts since the start                      -> a flat JSON object
 *   quit         (or end of input)                           -> bye
 * The first read or update that was stale, missed or foreign is told on standard error with its
 * key's history; then all rest, and the program exits 1 in the end.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crew.h"

#define SEGMENTS_MAX 64u
#define THREADS_MAX  256u
#define KEYS_MAX     10000000u
#define AGREE_MS     30000

static const char usage_text[] = "usage: checker --segment NAME [--segment NAME ...] --keys N\n"
				 "               [--readers N] [--writers N] [--batch N]\n"
				 "               [--rate READS-A-SECOND]\n";

static int usage(void)
{
	fputs(usage_text, stderr);
	return 2;
}

static int number_parse(const char *text, uint32_t max, uint32_t *number)
{
	char *end;

	errno = 0;
	unsigned long value = strtoul(text, &end, 10);
	if (errno || end == text || *end || value > max) {
		fprintf(stderr, "checker: %s: expected a number from 0 to %" PRIu32 "\n", text,
			max);
		return -1;
	}
	*number = (uint32_t)value;
	return 0;
}

static int plant_parse(const char *name, enum plant *plant)
{
	static const char *const names[PLANT_COUNT] = {
	    [PLANT_NOTHING] = "nothing", [PLANT_FALLBACK] = "fallback", [PLANT_LATE] = "late",
	    [PLANT_SECOND] = "second",	 [PLANT_DELETE] = "delete",	[PLANT_STUBS] = "stubs",
	    [PLANT_ORDER] = "order",	 [PLANT_SLOW] = "slow"};

	for (unsigned i = 0; i < PLANT_COUNT; i++) {
		if (strcmp(name, names[i]) == 0) {
			*plant = (enum plant)i;
			return 0;
		}
	}
	fprintf(stderr, "checker: there is no fault %s to plant\n", name);
	return -1;
}

static void report(const struct crew *crew)
{
	struct counts c;

	crew_counts(crew, &c);
	const struct {
		const char *name;
		uint64_t value;
	} fields[] = {
	    {"reads", c.reads},
	    {"reads_moving", c.reads_moving},
	    {"hits", c.hits},
	    {"misses", c.misses},
	    {"writes", c.writes},
	    {"writes_moving", c.writes_moving},
	    {"sets", c.by_deed[DEED_SET]},
	    {"adds", c.by_deed[DEED_ADD]},
	    {"incrs", c.by_deed[DEED_INCR]},
	    {"cas", c.by_deed[DEED_CAS]},
	    {"deletes", c.by_deed[DEED_DELETE]},
	    {"stale", c.verdicts[LEDGER_STALE]},
	    {"missed", c.verdicts[LEDGER_MISSED]},
	    {"foreign", c.verdicts[LEDGER_FOREIGN]},
	    {"late", c.verdicts[LEDGER_LATE]},
	    {"given_up", c.given_up},
	    {"updates_missed", c.verdicts[LEDGER_UPDATE_MISSED]},
	    {"reads_failed", c.reads_failed},
	    {"writes_failed", c.writes_failed},
	    {"refused", c.refused},
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		printf("%s\"%s\":%" PRIu64, i ? "," : "{", fields[i].name, fields[i].value);
	puts("}");
}

static void agree(struct crew *crew, uint64_t epoch)
{
	char why[256] = "no memory";

	puts(crew_agrees(crew, epoch, AGREE_MS, why, sizeof(why)) ? "agreed" : why);
}

/* Nonzero: no further command. */
static int command_run(struct crew *crew, const char *command)
{
	uint64_t epoch;

	if (strcmp(command, "quit") == 0) {
		puts("bye");
		return 1;
	}
	if (strcmp(command, "report") == 0) {
		report(crew);
	} else if (sscanf(command, "agree %" SCNu64, &epoch) == 1) {
		agree(crew, epoch);
	} else if (strcmp(command, "run") == 0) {
		if (crew_start(crew, JOB_RUN))
			return 1;
		puts("running");
	} else if (strcmp(command, "pause") == 0) {
		crew_stop(crew);
		crew_wait(crew);
		puts("paused");
	} else if (strcmp(command, "fill") == 0 || strcmp(command, "verify") == 0) {
		bool fill = command[0] == 'f';

		if (crew_start(crew, fill ? JOB_FILL : JOB_VERIFY))
			return 1;
		crew_wait(crew);
		puts(fill ? "filled" : "verified");
	} else {
		printf("unknown command: %s\n", command);
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
	    {"segment", required_argument, NULL, 's'}, {"keys", required_argument, NULL, 'k'},
	    {"readers", required_argument, NULL, 'r'}, {"writers", required_argument, NULL, 'w'},
	    {"batch", required_argument, NULL, 'b'},   {"plant", required_argument, NULL, 'p'},
	    {"rate", required_argument, NULL, 'R'},    {NULL, 0, NULL, 0}};
	const char *segments[SEGMENTS_MAX];
	struct crew_setup setup = {.segments = segments, .readers = 4, .writers = 2, .batch = 64};
	struct crew *crew;
	char line[64];
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		int rc = 0;

		if (option == 's' && setup.segment_count < SEGMENTS_MAX)
			segments[setup.segment_count++] = optarg;
		else if (option == 'k')
			rc = number_parse(optarg, KEYS_MAX, &setup.keys);
		else if (option == 'r')
			rc = number_parse(optarg, THREADS_MAX, &setup.readers);
		else if (option == 'w')
			rc = number_parse(optarg, THREADS_MAX, &setup.writers);
		else if (option == 'b')
			rc = number_parse(optarg, BATCH_MAX, &setup.batch);
		else if (option == 'R')
			rc = number_parse(optarg, UINT32_MAX, &setup.rate);
		else if (option == 'p')
			rc = plant_parse(optarg, &setup.plant);
		else
			return usage();
		if (rc)
			return usage();
	}
	if (optind != argc || !setup.segment_count || !setup.keys || !setup.batch ||
	    !(setup.readers + setup.writers))
		return usage();

	/* A memcached that is killed must not take the checker with it. */
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (crew_new(&setup, &crew))
		return 1;
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (command_run(crew, line))
			break;
	}
	bool violated = crew_violated(crew);
	crew_free(crew);
	return violated ? 1 : 0;
}
