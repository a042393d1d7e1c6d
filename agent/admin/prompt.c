/* prompt.c - see prompt.h. */
#include "admin/prompt.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "admin/human.h"

bool prompt_possible(const struct prompt *prompt)
{
	return isatty(fileno(prompt->in)) == 1 && isatty(fileno(prompt->out)) == 1;
}

/* A line without its end and the blanks around it; false: there is none. */
static bool line_read(FILE *in, char *line, size_t size)
{
	char *from = line, *end;
	int c;

	if (fgets(line, (int)size, in) == NULL)
		return false;
	end = line + strlen(line);
	if (end > line && end[-1] != '\n')
		do
			c = fgetc(in);
		while (c != '\n' && c != EOF);
	while (end > line && (end[-1] == '\n' || end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	while (*from == ' ' || *from == '\t')
		from++;
	memmove(line, from, strlen(from) + 1);
	(void)human_clean(line);
	return true;
}

int prompt_line(const struct prompt *prompt, const char *question, const char *usual,
		int (*valid)(void *context, const char *answer, struct failure *failure),
		void *context, char *answer, size_t size, struct failure *failure)
{
	for (;;) {
		struct failure why;

		(void)fprintf(prompt->out, "%s", question);
		if (usual != NULL)
			(void)fprintf(prompt->out, " [%s]", usual);
		(void)fprintf(prompt->out, ": ");
		(void)fflush(prompt->out);
		if (!line_read(prompt->in, answer, size)) {
			(void)fputc('\n', prompt->out);
			return failure_set(failure, ECANCELED,
					   "no more answers: nothing was written");
		}
		if (answer[0] == '\0' && usual != NULL)
			(void)snprintf(answer, size, "%s", usual);
		if (valid == NULL || valid(context, answer, &why) == 0)
			return 0;
		(void)fprintf(prompt->out, "  %s\n", why.text);
	}
}
