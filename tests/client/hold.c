/* hold.c - clients that do nothing, or stand in the middle of an operation, until they are told to
 * end: for scenarios in which an agent waits for them, or does not.
 *
 *   hold --segment NAME [--count N] [--operation] [--answer]
 *
 * N processes, each a client of its own.  With --operation each has begun an operation that it does
 * not end, with --answer each answers for every generation (mcr_wait).  "ready" is printed when all
 * are registered; they end with this process, at the end of its input.
 */
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mcroster.h>

#define COUNT_MAX   5000
#define REGISTER_MS 20000

static int client_run(const char *segment, bool operation, bool answer, int ready)
{
	struct mcr_reader *reader;
	struct mcr_plan plan;
	struct mcr_info info;
	struct mcr *mcr;
	int error = mcr_open(segment, 0, &mcr);

	if (error == MCR_OK)
		error = mcr_register(mcr, REGISTER_MS);
	if (error == MCR_OK)
		error = mcr_reader_new(mcr, &reader);
	if (error == MCR_OK)
		error = mcr_begin(reader, MCR_OP_SET, "key", 3, &plan);
	if (error == MCR_OK && !operation)
		error = mcr_end(reader, &plan);
	if (error < 0)
		fprintf(stderr, "hold: segment %s: %s\n", segment, mcr_strerror(error));
	if (error < 0 || write(ready, "", 1) != 1)
		return EXIT_FAILURE;
	while (answer && mcr_info(mcr, &info) == MCR_OK)
		(void)mcr_wait(mcr, info.generation, -1);
	for (;;)
		(void)pause();
}

static int hold(const char *segment, int count, bool operation, bool answer)
{
	int ready[2], left = count;
	char bytes[64];

	if (pipe(ready) != 0)
		return EXIT_FAILURE;
	for (int i = 0; i < count; i++) {
		const pid_t child = fork();

		if (child < 0)
			return EXIT_FAILURE;
		if (child == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			(void)close(ready[0]);
			_exit(client_run(segment, operation, answer, ready[1]));
		}
	}
	(void)close(ready[1]);
	while (left > 0) {
		const ssize_t got = read(ready[0], bytes, sizeof(bytes));

		if (got <= 0)
			return EXIT_FAILURE;
		left -= (int)got;
	}
	puts("ready");
	(void)fflush(stdout);
	while (read(STDIN_FILENO, bytes, sizeof(bytes)) > 0) {
		/* until its end */
	}
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"segment", required_argument, NULL, 's'},
						{"count", required_argument, NULL, 'c'},
						{"operation", no_argument, NULL, 'o'},
						{"answer", no_argument, NULL, 'a'},
						{NULL, 0, NULL, 0}};
	const char *segment = NULL;
	bool operation = false, answer = false;
	int option, count = 1;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 's')
			segment = optarg;
		else if (option == 'c')
			count = atoi(optarg);
		else if (option == 'o')
			operation = true;
		else if (option == 'a')
			answer = true;
		else
			return 2;
	}
	if (segment == NULL || optind != argc || count < 1 || count > COUNT_MAX) {
		fputs("usage: hold --segment NAME [--count N] [--operation] [--answer]\n", stderr);
		return 2;
	}
	return hold(segment, count, operation, answer);
}
