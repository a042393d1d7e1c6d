/* pass_internal.h - what the files of a pass share.  For pass*.c only. */
#ifndef MCROSTER_PASS_INTERNAL_H
#define MCROSTER_PASS_INTERNAL_H

#include "core/pass.h"

static inline const struct change_server *pass_self(const struct pass *pass)
{
	return pass->change->servers + pass->server;
}

/* As work.reason. */
__attribute__((format(printf, 2, 3))) void pass_say(struct pass *pass, const char *format, ...);
void pass_refuse(struct pass *pass); /* the reason was said */
/* What was found and not yet dealt with will be found again: found is always what is settled and
 * what is left. */
void pass_forget_left(struct pass *pass);

#endif
