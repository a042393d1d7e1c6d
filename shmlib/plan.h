/* plan.h - one row of the rule table, and how it becomes a plan.  The table is in plan.c. */
#ifndef MCROSTER_PLAN_H
#define MCROSTER_PLAN_H

#include <string.h>

#include "internal.h"

enum side { OLD = 0, NEW = 1 };

/* `steps` is the plan's own form: `server` holds a side until plan_fill puts the number there.
 * Steps beyond step_count are zero. */
struct rule {
	uint8_t step_count;
	uint8_t answer; /* enum mcr_answer */
	uint8_t owner;	/* enum side: whose cas tokens count */
	struct mcr_step steps[MCR_STEPS_MAX];
};

#pragma GCC visibility push(hidden)
extern const struct rule mcr_rules[MCR_PHASE_COUNT][MCR_OP_COUNT];
#pragma GCC visibility pop

/* A key whose owner does not change behaves as in STEADY, whatever the phase. */
static inline void plan_fill(uint32_t phase, enum mcr_op op, uint32_t old_owner, uint32_t new_owner,
			     struct mcr_plan *plan)
{
	const struct rule *rule = &mcr_rules[old_owner == new_owner ? MCR_STEADY : phase][op];

	plan->op = (uint8_t)op;
	plan->phase = (uint8_t)phase;
	plan->step_count = rule->step_count;
	plan->answer = rule->answer;
	plan->owner = rule->owner == NEW ? new_owner : old_owner;
	memcpy(plan->step, rule->steps, sizeof(plan->step));
	/* Every rule has a first step, and most have no other. */
	plan->step[0].server = (uint16_t)(rule->steps[0].server == NEW ? new_owner : old_owner);
	for (unsigned i = 1; i < rule->step_count; i++)
		plan->step[i].server =
		    (uint16_t)(rule->steps[i].server == NEW ? new_owner : old_owner);
}

#endif
