/* confirm.h - the operator's yes. */
#ifndef MCROSTER_ADMIN_CONFIRM_H
#define MCROSTER_ADMIN_CONFIRM_H

#include <stdio.h>

#include "list/failure.h"

/* Where a question is seen: standard error, where standard output is a file. */
FILE *confirm_out(void);

/* Asks on `out` and reads a line from `in`, which must be a terminal (-ENOTTY otherwise: --yes is
 * for programs).  0 for "yes"; -EINTR for Ctrl-C, -ECANCELED for anything else. */
int confirm_ask(const char *question, FILE *in, FILE *out, struct failure *failure);

#endif
