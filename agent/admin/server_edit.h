/* server_edit.h - what add, remove, weight and replace make of the text of cluster.conf. */
#ifndef MCROSTER_ADMIN_SERVER_EDIT_H
#define MCROSTER_ADMIN_SERVER_EDIT_H

#include <stdbool.h>

#include "admin/conf_edit.h"
#include "list/list.h"

/* The words of the command line; NULL where nothing was said. */
struct server_edit {
	const char *path, *server;
	const char *more;			    /* the address; of weight the weight */
	const char *host, *host_address, *host_key; /* who works for it; the two: he is new */
	const char *new_name, *weight, *label, *wipe;
	bool with_host;
};

/* `wanted`: what the file says.  -EINVAL, -ENOENT, -EEXIST with the sentence. */
int server_edit_add(const struct server_edit *edit, const struct list *wanted,
		    struct conf_edit *text, struct failure *failure);
int server_edit_remove(const struct server_edit *edit, const struct list *wanted,
		       struct conf_edit *text, struct failure *failure);
int server_edit_weight(const struct server_edit *edit, const struct list *wanted,
		       struct conf_edit *text, struct failure *failure);
int server_edit_replace(const struct server_edit *edit, const struct list *wanted,
			struct conf_edit *text, struct failure *failure);

#endif
