/* order_scene.h - what an order meets: the register and its lists, as an agent gives them. */
#ifndef MCROSTER_ADMIN_ORDER_SCENE_H
#define MCROSTER_ADMIN_ORDER_SCENE_H

#include "admin/link.h"
#include "admin/status.h"
#include "list/change.h"
#include "list/order.h"

struct order_scene {
	struct status *status;
	struct list *active, *pending; /* pending NULL: no change is under way */
	struct change *change;	       /* of the two, or of the one */
	struct order_binding binding;  /* of the register */
};

/* Asks the agent, for the coordinator's view where it can be had.  -ENOENT: it has no register;
 * -EBADMSG: what it says does not fit together. */
int order_scene_fetch(struct link *link, struct order_scene *scene, struct failure *failure);

/* Puts together what was got; takes all three over, also on failure. */
int order_scene_make(struct status *status, struct list *active, struct list *pending,
		     struct order_scene *scene, struct failure *failure);
void order_scene_clear(struct order_scene *scene);

/* Does the asked agent speak for a coordinator that grants leases? */
bool order_scene_led(const struct order_scene *scene);

#endif
