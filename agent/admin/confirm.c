/* confirm.c - see confirm.h. */
#include "admin/confirm.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

FILE *confirm_out(void)
{
	(void)fflush(stdout);
	return isatty(fileno(stdout)) == 1 ? stdout : stderr;
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
	if (fgets(line, sizeof(line), in) != NULL && strcmp(line, "yes\n") == 0)
		return 0;
	return failure_set(failure, ECANCELED, "not confirmed: nothing was signed");
}
