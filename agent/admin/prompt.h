/* prompt.h - a question at a terminal, and the line that is typed. */
#ifndef MCROSTER_ADMIN_PROMPT_H
#define MCROSTER_ADMIN_PROMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "list/failure.h"

struct prompt {
	FILE *in, *out;
};

/* Is there somebody to ask? */
bool prompt_possible(const struct prompt *prompt);

/* "question [usual]: "; an empty line is `usual` (NULL: an empty answer is one).  It is asked again
 * until `valid` (NULL: anything) takes the answer; what that says of it is shown.  -ECANCELED at
 * the end of the input. */
int prompt_line(const struct prompt *prompt, const char *question, const char *usual,
		int (*valid)(void *context, const char *answer, struct failure *failure),
		void *context, char *answer, size_t size, struct failure *failure);

#endif
