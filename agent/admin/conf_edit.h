/* conf_edit.h - changes in the text of a cluster.conf that leave all the rest as it is: comments,
 * order, blanks.
 *
 * The text is one that cluster_conf_parse takes; what an edit makes of it is for the caller to
 * parse again.
 */
#ifndef MCROSTER_ADMIN_CONF_EDIT_H
#define MCROSTER_ADMIN_CONF_EDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "list/failure.h"

struct conf_edit;

/* Takes over nothing: the text is copied.  -EINVAL, -ENOMEM. */
int conf_edit_new(const char *path, const char *text, struct conf_edit **edit,
		  struct failure *failure);
void conf_edit_free(struct conf_edit *edit); /* NULL is fine */
const char *conf_edit_text(const struct conf_edit *edit);

/* The value of an option of the file itself (not of a section, not a list), without its quotes.
 * False: it is not there. */
bool conf_edit_value(const struct conf_edit *edit, const char *option, char *value, size_t size);

/* `kind` is "agent" or "server".  Each is -ENOENT where there is no such section, -EEXIST where one
 * is to be made that is there. */
int conf_edit_add(struct conf_edit *edit, const char *kind, const char *name,
		  struct failure *failure);
int conf_edit_remove(struct conf_edit *edit, const char *kind, const char *name,
		     struct failure *failure);
int conf_edit_rename(struct conf_edit *edit, const char *kind, const char *name, const char *to,
		     struct failure *failure);
/* Where the section has the option its value is replaced, else it comes behind the last one.  The
 * value is a valid one. */
int conf_edit_set(struct conf_edit *edit, const char *kind, const char *name, const char *option,
		  const char *value, struct failure *failure);
/* Takes an option away; without it nothing is done. */
int conf_edit_unset(struct conf_edit *edit, const char *kind, const char *name, const char *option,
		    struct failure *failure);

#endif
