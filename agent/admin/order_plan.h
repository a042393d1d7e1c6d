/* order_plan.h - may this order be given now, and what does it say?
 *
 * The agents judge it again; what is refused here is refused before anything is signed, with the
 * reason.
 */
#ifndef MCROSTER_ADMIN_ORDER_PLAN_H
#define MCROSTER_ADMIN_ORDER_PLAN_H

#include "admin/order_scene.h"

/* Makes the order of `kind` for `names` (a server or an agent each, NAME or NAME@ADDRESS where two
 * have the name).  `term` counts for a failover only; 0: the one after the agent's.  The order's
 * document is its unsigned body; it is owned by the caller.  -EINVAL, -ESTALE, -EEXIST with the
 * rule that forbids it, -EAGAIN where the coordinator is out of reach, -ENOMEM. */
int order_plan(const struct order_scene *scene, enum order_kind kind, char *const *names,
	       uint32_t count, uint64_t term, struct order **order, struct failure *failure);

#endif
