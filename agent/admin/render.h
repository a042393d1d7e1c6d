/* render.h - a list as the configuration of another program. */
#ifndef MCROSTER_ADMIN_RENDER_H
#define MCROSTER_ADMIN_RENDER_H

#include <stdio.h>

#include "list/failure.h"
#include "list/list.h"

struct render_format {
	const char *name;
	/* 0; or -EINVAL and a sentence, before anything is written: the program cannot do what the
	 * list says. */
	int (*print)(const struct list *list, FILE *out, struct failure *failure);
	/* What is to be known of it; NULL: it shares keys out as the list says. */
	const char *caution;
};

/* By name, or NULL. */
const struct render_format *render_find(const char *name);

#endif
