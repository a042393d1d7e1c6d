/* load.c - a program: foreground load on a cluster, every answer checked.
 *
 *   load --segment NAME [--segment NAME ...] --keys N [--readers N] [--writers N] [--rate N]
 *        [--way WAY ...] [--plain-keys]
 *
 * A way says how a server is spoken to that is not spoken to plainly (way.h); --plain-keys leaves
 * out the keys that need the binary protocol, which a memcached with a login refuses.
 *
 * Reads one command a line on standard input and answers each with one line on standard output:
 *   fill             set every key once: filled
 *   run              readers and writers at work: running
 *   read             readers at work, writers at rest: reading
 *   pause            all at rest: paused
 *   verify           read every key once: verified
 *   settle           nothing is owed any more, what was owed is complete now: settled
 *   report           counts since the start: a flat JSON object
 *   killed ADDRESS   that server was killed: keys that nobody else holds are lost, until they are
 *                    written again, and no more missed: lost N, so many that were stored
 *   evicts ADDRESS   its keys may be lost at any time from now on: lossy N, the number of keys
 *   whole            no key may be lost any more: whole
 *   quit             or end of input: bye
 * With --apart the clients of each host are a process of their own (in the network namespace that a
 * --netns NAME after its segment gives); --readers, --writers and --rate are then for each, and
 *   stop N           the N-th host's process, from 0: stopped
 *   stop N PHASE     as soon as one of its clients stands between two commands of a write that was
 *                    planned in the phase: stopped
 *   continue N       it goes on: continued
 *   kill N PHASE     as stop N PHASE, but it is killed: killed
 * What was answered wrongly is told on standard error, the first few cases.  Exits 0 at `quit`,
 * whatever the counts: they are the caller's to judge.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "apart.h"
#include "lossy.h"
#include "way.h"
#include "worker.h"

#define SEGMENTS_MAX 64u
#define THREADS_MAX  256u
#define KEYS_MAX     50000000u

static const char usage_text[] =
    "usage: load --segment NAME [--segment NAME ...] --keys N\n"
    "            [--readers N] [--writers N] [--rate OPERATIONS-A-SECOND]\n"
    "            [--way WAY ...] [--plain-keys] [--apart [--netns NAME ...]]\n";

/* Exactly one of crew and apart. */
struct force {
	const struct crew_setup *setup;
	struct crew *crew;
	struct apart *apart;
};

static void force_do(const struct force *force, enum job job)
{
	if (force->apart)
		apart_do(force->apart, job);
	else
		crew_do(force->crew, job);
}

/* "stop N [PHASE]", "continue N" and "kill N PHASE". */
static int command_apart(const struct force *force, const char *command)
{
	char verb[16], name[16];
	enum mcr_phase phase = MCR_STEADY;
	unsigned number;
	int given = sscanf(command, "%15s %u %15s", verb, &number, name);
	int rc = -1;

	if (!force->apart || given < 2)
		return -1;
	while (given == 3 && strcasecmp(name, mcr_phase_name(phase)) != 0)
		if (++phase == MCR_PHASE_COUNT)
			return -1;
	if (strcmp(verb, "stop") == 0) {
		rc = given == 3 ? apart_stop_between(force->apart, number, phase)
				: apart_stop(force->apart, number);
		strcpy(verb, "stopped");
	} else if (strcmp(verb, "continue") == 0) {
		rc = apart_continue(force->apart, number);
		strcpy(verb, "continued");
	} else if (strcmp(verb, "kill") == 0 && given == 3) {
		rc = apart_kill(force->apart, number, phase);
		strcpy(verb, "killed");
	}
	if (!rc)
		puts(verb);
	return rc;
}

/* "killed ADDRESS", "evicts ADDRESS" and "whole". */
static int command_lossy(const struct force *force, const char *command)
{
	char address[MCR_ADDRESS_MAX + 1];
	int keys = -1;

	if (strcmp(command, "whole") == 0) {
		lossy_none(force->setup);
		puts("whole");
		return 0;
	}
	if (sscanf(command, "killed %111s", address) == 1) {
		keys = lossy_killed(force->setup, address);
		if (keys >= 0)
			printf("lost %d\n", keys);
	} else if (sscanf(command, "evicts %111s", address) == 1) {
		keys = lossy_evicts(force->setup, address);
		if (keys >= 0)
			printf("lossy %d\n", keys);
	}
	return keys < 0 ? -1 : 0;
}

static int usage(void)
{
	fputs(usage_text, stderr);
	return 2;
}

static int number_parse(const char *option, const char *text, uint32_t max, uint32_t *number)
{
	char *end;

	errno = 0;
	unsigned long value = strtoul(text, &end, 10);
	if (errno || end == text || *end || value > max) {
		fprintf(stderr, "load: --%s %s: expected a number from 0 to %u\n", option, text,
			max);
		return -1;
	}
	*number = (uint32_t)value;
	return 0;
}

static int command_run(const struct force *force, const char *command)
{
	static const struct {
		const char *name, *answer;
		enum job job;
	} commands[] = {
	    {"fill", "filled", JOB_FILL},	{"run", "running", JOB_RUN},
	    {"read", "reading", JOB_READ},	{"pause", "paused", JOB_REST},
	    {"verify", "verified", JOB_VERIFY},
	};

	if (strcmp(command, "report") == 0) {
		struct tally total = {0};
		if (force->apart)
			apart_tally(force->apart, &total);
		else
			crew_tally(force->crew, &total);
		tally_print(&total, stdout);
		return 0;
	}
	if (strcmp(command, "settle") == 0) {
		history_settle(force->setup->history);
		puts("settled");
		return 0;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(command, commands[i].name) == 0) {
			force_do(force, commands[i].job);
			puts(commands[i].answer);
			return 0;
		}
	}
	if (strcmp(command, "quit") == 0) {
		puts("bye");
		return 1;
	}
	if (command_apart(force, command) && command_lossy(force, command))
		printf("unknown command: %s\n", command);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
	    {"segment", required_argument, NULL, 's'}, {"keys", required_argument, NULL, 'k'},
	    {"readers", required_argument, NULL, 'r'}, {"writers", required_argument, NULL, 'w'},
	    {"rate", required_argument, NULL, 'R'},    {"apart", no_argument, NULL, 'a'},
	    {"way", required_argument, NULL, 'W'},     {"plain-keys", no_argument, NULL, 'p'},
	    {"netns", required_argument, NULL, 'n'},   {NULL, 0, NULL, 0}};
	const char *segments[SEGMENTS_MAX], *namespaces[SEGMENTS_MAX] = {NULL};
	struct crew_setup setup = {.segments = segments, .readers = 4, .writers = 2};
	struct force force = {.setup = &setup};
	bool apart = false;
	char line[192];
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		uint32_t *number = option == 'k'   ? &setup.keys
				   : option == 'r' ? &setup.readers
				   : option == 'w' ? &setup.writers
						   : &setup.rate;
		if (option == 's' && setup.segment_count < SEGMENTS_MAX)
			segments[setup.segment_count++] = optarg;
		else if (option == 'a')
			apart = true;
		else if (option == 'p')
			items_keys_plain();
		else if (option == 'W' && !way_add(optarg))
			continue;
		else if (option == 'n' && setup.segment_count)
			namespaces[setup.segment_count - 1] = optarg;
		else if (option == 's' || option == 'n' || option == 'W' || option == '?' ||
			 number_parse(option == 'k'   ? "keys"
				      : option == 'R' ? "rate"
						      : "readers or --writers",
				      optarg,
				      option == 'k' || option == 'R' ? KEYS_MAX : THREADS_MAX,
				      number))
			return usage();
	}
	if (optind != argc || !setup.segment_count || !setup.keys ||
	    !(setup.readers + setup.writers))
		return usage();

	setup.history = history_new(setup.keys);
	if (!setup.history)
		return 1;
	/* A memcached that is killed must not take the checker with it. */
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (apart ? apart_new(&setup, namespaces, &force.apart) : crew_new(&setup, &force.crew))
		return 1;
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (command_run(&force, line))
			break;
	}
	if (force.apart)
		apart_free(force.apart);
	crew_free(force.crew);
	history_free(setup.history);
	return 0;
}
