/* fresh_tree.c - see fresh_tree.h. */
#include "admin/fresh_tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *path_note(struct fresh_tree *tree, const char *name, struct failure *failure)
{
	char **grown = reallocarray(tree->made, tree->count + 1, sizeof(*grown));

	if (grown == NULL ||
	    (tree->made = grown, asprintf(&grown[tree->count], *name == '\0' ? "%s%s" : "%s/%s",
					  tree->root, name)) < 0) {
		(void)failure_set(failure, ENOMEM, "no memory for a path");
		return NULL;
	}
	return grown[tree->count++];
}

static int directory_make(struct fresh_tree *tree, const char *name, struct failure *failure)
{
	const char *path = path_note(tree, name, failure);

	if (path == NULL)
		return -ENOMEM;
	if (mkdir(path, 0700) == 0)
		return 0;
	(void)failure_set(failure, errno, "%s: %s%s", path, strerror(errno),
			  errno == EEXIST ? "; what is there is left as it is" : "");
	free(tree->made[--tree->count]); /* it is not ours */
	return errno == EEXIST ? -EEXIST : -errno;
}

int fresh_tree_begin(struct fresh_tree *tree, const char *root, struct failure *failure)
{
	memset(tree, 0, sizeof(*tree));
	if (strlen(root) >= sizeof(tree->root) - 256)
		return failure_set(failure, ENAMETOOLONG, "the path of %zu bytes is too long",
				   strlen(root));
	(void)snprintf(tree->root, sizeof(tree->root), "%s", root);
	return directory_make(tree, "", failure);
}

int fresh_tree_directory(struct fresh_tree *tree, const char *name, struct failure *failure)
{
	return directory_make(tree, name, failure);
}

const char *fresh_tree_file(struct fresh_tree *tree, const char *name, struct failure *failure)
{
	return path_note(tree, name, failure);
}

void fresh_tree_keep(struct fresh_tree *tree)
{
	while (tree->count > 0)
		free(tree->made[--tree->count]);
	free(tree->made);
	tree->made = NULL;
}

void fresh_tree_undo(struct fresh_tree *tree)
{
	while (tree->count > 0) {
		(void)remove(tree->made[--tree->count]);
		free(tree->made[tree->count]);
	}
	free(tree->made);
	tree->made = NULL;
}
