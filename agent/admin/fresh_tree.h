/* fresh_tree.h - new files in a new directory, all of them or none. */
#ifndef MCROSTER_ADMIN_FRESH_TREE_H
#define MCROSTER_ADMIN_FRESH_TREE_H

#include <limits.h>
#include <stdint.h>

#include "list/failure.h"

struct fresh_tree {
	char root[PATH_MAX];
	char **made; /* what is there now, in the order it was made */
	uint32_t count;
};

/* Makes the directory (0700).  -EEXIST. */
int fresh_tree_begin(struct fresh_tree *tree, const char *root, struct failure *failure);
/* A directory in it (0700). */
int fresh_tree_directory(struct fresh_tree *tree, const char *name, struct failure *failure);
/* The path of a file in it that the caller is about to make; it counts as made.  NULL: -ENOMEM. */
const char *fresh_tree_file(struct fresh_tree *tree, const char *name, struct failure *failure);
/* Keeps what was made; or removes it. */
void fresh_tree_keep(struct fresh_tree *tree);
void fresh_tree_undo(struct fresh_tree *tree);

#endif
