/* init_write.h - the files that a new cluster begins with: keys, an agent.conf for each host,
 * cluster.conf. */
#ifndef MCROSTER_ADMIN_INIT_WRITE_H
#define MCROSTER_ADMIN_INIT_WRITE_H

#include "admin/fresh_tree.h"
#include "admin/init_answers.h"
#include "admin/passphrase.h"

struct init_write {
	struct init_answers *answers; /* public halves of keys that are made here are put in */
	const struct passphrase_wanted *passphrase; /* of the operator's key */
	struct fresh_tree *tree;		    /* begun */
};

/* Writes all of it; what is there when it fails is for the caller to undo. */
int init_write(const struct init_write *init, struct failure *failure);

#endif
