/* next_list.h - from what the operator wants to the list that says it. */
#ifndef MCROSTER_ADMIN_NEXT_LIST_H
#define MCROSTER_ADMIN_NEXT_LIST_H

#include <stdbool.h>

#include "admin/cluster_conf.h"
#include "list/list.h"

/* Makes the list that `conf` asks for, to follow `parent` (NULL: the first list, epoch 1).  Servers
 * and agents that stay keep their places, new ones come behind in the file's order; only slots that
 * must move do.  `epoch` 0 is the parent's plus one.  The result's document is its unsigned body.
 * -EINVAL or -ESTALE with the rule that forbids it, -ENOMEM. */
int next_list_make(const struct cluster_conf *conf, const struct list *parent, uint64_t epoch,
		   struct list **next, struct failure *failure);

/* The same list, with the default number of slots instead of its distribution, planned to follow
 * `parent` (one of as many slots, or NULL).  It borrows all but the slots, which are the caller's
 * to free.  -ENOMEM. */
int next_list_slots(const struct list *list, const struct list *parent, struct list *with_slots,
		    struct failure *failure);

/* Do both say the same, epoch, parent and date aside?  -ENOMEM. */
int next_list_same(const struct list *parent, const struct list *next, bool *same,
		   struct failure *failure);

#endif
