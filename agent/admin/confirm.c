/* confirm.c - see confirm.h. */
#include "admin/confirm.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

FILE *confirm_out(void)
{
	struct stat st;

	(void)fflush(stdout);
	return fstat(fileno(stdout), &st) == 0 && S_ISREG(st.st_mode) ? stderr : stdout;
}

static void interrupt_note(int number)
{
	(void)number; /* the reading ends, and that is all */
}

/* False: it was Ctrl-C. */
static bool line_read(FILE *in, char *line, int size)
{
	const struct sigaction note = {.sa_handler = interrupt_note};
	struct sigaction before;
	bool interrupted;

	line[0] = '\0';
	(void)sigaction(SIGINT, &note, &before);
	errno = 0;
	interrupted = fgets(line, size, in) == NULL && errno == EINTR;
	(void)sigaction(SIGINT, &before, NULL);
	return !interrupted;
}

int confirm_ask(const char *question, FILE *in, FILE *out, struct failure *failure)
{
	char line[16];

	if (isatty(fileno(in)) != 1)
		return failure_set(failure, ENOTTY,
				   "standard input is no terminal, so nobody can be asked: with "
				   "--yes nothing is asked");
	(void)fprintf(out, "\n%s Type yes: ", question);
	(void)fflush(out);
	if (!line_read(in, line, sizeof(line))) {
		(void)fputc('\n', out);
		return failure_set(failure, EINTR, "interrupted: nothing was signed");
	}
	if (strcmp(line, "yes\n") == 0)
		return 0;
	return failure_set(failure, ECANCELED, "not confirmed: nothing was signed");
}
