/* cluster_conf.h - cluster.conf: what the operator wants the cluster to be.
 *
 * Read by libconfuse, every value checked; an error names file, line, option, what was found and
 * what was expected.  An unknown option is an error.
 */
#ifndef MCROSTER_ADMIN_CLUSTER_CONF_H
#define MCROSTER_ADMIN_CLUSTER_CONF_H

#include "list/failure.h"
#include "list/list.h"

/* What the file says, in the fields of a list.  Not set: epoch, parent, created, slots, hash and
 * document, which are not the operator's to write, and giveups, which are for one change only (a
 * caller may set them, malloc'd).  Within the bounds and rules of a list. */
struct cluster_conf {
	struct list wanted;
};

/* -EINVAL with the sentence for what the file says, the errno of reading it otherwise. */
int cluster_conf_load(const char *path, struct cluster_conf **conf, struct failure *failure);
/* The same of a text; `path` is what the sentences name. */
int cluster_conf_parse(const char *path, const char *text, struct cluster_conf **conf,
		       struct failure *failure);
void cluster_conf_free(struct cluster_conf *conf); /* NULL is fine */

#endif
