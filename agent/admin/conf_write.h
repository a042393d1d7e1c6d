/* conf_write.h - a cluster.conf with its comments, for a cluster that has none yet. */
#ifndef MCROSTER_ADMIN_CONF_WRITE_H
#define MCROSTER_ADMIN_CONF_WRITE_H

#include <stdio.h>

#include "list/list.h"

/* What cluster_conf_parse reads as `wanted` again.  What stands at its default is commented out. */
void conf_write(const struct list *wanted, FILE *out);

#endif
