/* watch.c - a program: waits until a segment shows a phase, and may kill or stop a process that
 * instant.
 *
 *   watch --segment NAME [--phase PHASE] [--epoch N] [--timeout MS] [--kill PID | --stop PID]
 *
 * Without a phase any will do: what the segment shows is printed at once.  PHASE as mcr_phase_name
 * spells it, in any case; --epoch asks in addition for that active epoch.
 * --kill sends SIGKILL, --stop SIGSTOP, as soon as the phase is shown, without going through a
 * shell: the short phases are over before one has started.  Prints `PHASE epoch N generation N`;
 * exits 4 when the phase did not come in time (default 60000 ms).
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "mcroster.h"

#define ANY_PHASE     (-1)
#define NO_SUCH_PHASE (-2)
#define WAIT_SLICE_MS 200 /* a segment that was replaced wakes nobody */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int usage(void)
{
	fputs("usage: watch --segment NAME [--phase PHASE] [--epoch N] [--timeout MS]"
	      " [--kill PID | --stop PID]\n",
	      stderr);
	return 2;
}

static int phase_parse(const char *name)
{
	for (int phase = 0; phase < MCR_PHASE_COUNT; phase++)
		if (strcasecmp(name, mcr_phase_name((enum mcr_phase)phase)) == 0)
			return phase;
	fprintf(stderr, "watch: there is no phase %s\n", name);
	return NO_SUCH_PHASE;
}

static int watch(const char *segment, int phase, uint64_t epoch, int64_t until_ms,
		 struct mcr_info *info)
{
	struct mcr *mcr = NULL;
	int rc;

	for (;;) {
		if (!mcr)
			rc = mcr_open(segment, MCR_OBSERVE, &mcr);
		rc = mcr ? mcr_info(mcr, info) : MCR_NOT_READY;
		if (!rc && (phase == ANY_PHASE || info->phase == phase) &&
		    (!epoch || info->epoch == epoch))
			break;
		if (now_ms() >= until_ms) {
			rc = MCR_TIMED_OUT;
			break;
		}
		if (mcr && !rc)
			mcr_wait(mcr, info->generation, WAIT_SLICE_MS);
		else
			nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	}
	mcr_close(mcr);
	return rc;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"segment", required_argument, NULL, 's'},
						{"phase", required_argument, NULL, 'p'},
						{"epoch", required_argument, NULL, 'e'},
						{"timeout", required_argument, NULL, 't'},
						{"kill", required_argument, NULL, 'k'},
						{"stop", required_argument, NULL, 'S'},
						{NULL, 0, NULL, 0}};
	const char *segment = NULL;
	int phase = ANY_PHASE, signal_number = SIGKILL, option;
	uint64_t epoch = 0;
	int64_t timeout_ms = 60000;
	pid_t victim = 0;
	struct mcr_info info;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 's':
			segment = optarg;
			break;
		case 'p':
			phase = phase_parse(optarg);
			break;
		case 'e':
			epoch = strtoull(optarg, NULL, 10);
			break;
		case 't':
			timeout_ms = strtoll(optarg, NULL, 10);
			break;
		case 'S':
			signal_number = SIGSTOP;
			/* fall through */
		case 'k':
			victim = (pid_t)strtol(optarg, NULL, 10);
			if (victim <= 1)
				return usage();
			break;
		default:
			return usage();
		}
	}
	if (!segment || phase == NO_SUCH_PHASE || optind != argc)
		return usage();
	if (watch(segment, phase, epoch, now_ms() + timeout_ms, &info)) {
		fprintf(stderr, "watch: segment %s did not show %s within %" PRId64 " ms\n",
			segment, phase < 0 ? "anything" : mcr_phase_name((enum mcr_phase)phase),
			timeout_ms);
		return 4;
	}
	if (victim && kill(victim, signal_number)) {
		fprintf(stderr, "watch: kill %d: %s\n", (int)victim, strerror(errno));
		return 1;
	}
	printf("%s epoch %" PRIu64 " generation %" PRIu32 "\n",
	       mcr_phase_name((enum mcr_phase)info.phase), info.epoch, info.generation);
	return 0;
}
