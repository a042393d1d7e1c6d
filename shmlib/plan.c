/* plan.c - the rule table: what a client sends, by the phase in which its operation was planned.
 *
 * This is the table of the model (tests/model/move.pml: client_get, client_set, client_del,
 * client_upd), line for line.  It is proven there; a change to it starts there.  Adapters execute
 * plans and know nothing of phases.  Only keys whose owner changes come here with a phase other
 * than STEADY (plan.h).
 *
 * The order of the steps is the order in time.  LOOK is a read at the new owner while a mover may
 * have a reservation there: an empty value counts as a miss.
 */
#include "plan.h"

/* clang-format off */
#define READ(side)   {(side), MCR_SEND_READ, 0}
#define LOOK(side)   {(side), MCR_SEND_READ, 1}
#define WRITE(side)  {(side), MCR_SEND_WRITE, 0}
#define SET(side)    {(side), MCR_SEND_SET, 0}
#define DELETE(side) {(side), MCR_SEND_DELETE, 0}

#define STEPS(...) (sizeof((struct mcr_step[]){__VA_ARGS__}) / sizeof(struct mcr_step))
#define RULE(answer, owner, ...)                                                                   \
	{STEPS(__VA_ARGS__), MCR_ANSWER_##answer, (owner), {__VA_ARGS__}}

/* The read rules: at O; at O and on a miss at N; at N, then O, and on a miss there once more at N,
 * for a move that went between; at N alone. */
#define READ_O	 READ(OLD)
#define READ_ON	 READ(OLD), LOOK(NEW)
#define READ_NON LOOK(NEW), READ(OLD), LOOK(NEW)
#define READ_N	 LOOK(NEW)

/* An add reads by the read rule first.  What has missed is an add where it goes to O, for nobody
 * reserves there; at N a reservation would refuse it, so there it is a set. */

/* PREPARE and UNWIND have one rule. */
#define BEFORE_COPY                                                                                \
	{                                                                                          \
		[MCR_OP_GET]	= RULE(RESULT, OLD, READ_O),                                       \
		[MCR_OP_SET]	= RULE(RESULT, OLD, WRITE(OLD), DELETE(NEW)),                      \
		[MCR_OP_ADD]	= RULE(RESULT, OLD, WRITE(OLD), DELETE(NEW)),                      \
		[MCR_OP_UPDATE] = RULE(RESULT, OLD, WRITE(OLD), DELETE(NEW)),                      \
		[MCR_OP_APPEND] = RULE(RESULT, OLD, WRITE(OLD), DELETE(NEW)),                      \
		[MCR_OP_DELETE] = RULE(RESULT, OLD, DELETE(OLD), DELETE(NEW)),                     \
		[MCR_OP_TOUCH]	= RULE(READ, OLD, READ_O),                                         \
	}

/* SETTLE and DRAIN have one rule. */
#define AFTER_SWITCH                                                                               \
	{                                                                                          \
		[MCR_OP_GET]	= RULE(RESULT, NEW, READ_NON),                                     \
		[MCR_OP_SET]	= RULE(RESULT, NEW, DELETE(OLD), WRITE(NEW)),                      \
		[MCR_OP_ADD]	= RULE(RESULT, NEW, READ_NON, DELETE(OLD), SET(NEW)),              \
		[MCR_OP_UPDATE] = RULE(RESULT, NEW, DELETE(OLD), WRITE(NEW)),                      \
		[MCR_OP_APPEND] = RULE(NOT_STORED, NEW, DELETE(OLD), DELETE(NEW)),                 \
		[MCR_OP_DELETE] = RULE(RESULT, NEW, DELETE(OLD), DELETE(NEW)),                     \
		[MCR_OP_TOUCH]	= RULE(READ, NEW, READ_NON),                                       \
	}

const struct rule mcr_rules[MCR_PHASE_COUNT][MCR_OP_COUNT] = {
	[MCR_STEADY] = {
		[MCR_OP_GET]	= RULE(RESULT, OLD, READ_O),
		[MCR_OP_SET]	= RULE(RESULT, OLD, WRITE(OLD)),
		[MCR_OP_ADD]	= RULE(RESULT, OLD, WRITE(OLD)),
		[MCR_OP_UPDATE] = RULE(RESULT, OLD, WRITE(OLD)),
		[MCR_OP_APPEND] = RULE(RESULT, OLD, WRITE(OLD)),
		[MCR_OP_DELETE] = RULE(RESULT, OLD, DELETE(OLD)),
		[MCR_OP_TOUCH]	= RULE(RESULT, OLD, WRITE(OLD)),
	},
	[MCR_PREPARE] = BEFORE_COPY,
	[MCR_COPY] = {
		[MCR_OP_GET]	= RULE(RESULT, OLD, READ_ON),
		[MCR_OP_SET]	= RULE(RESULT, OLD, WRITE(OLD), DELETE(NEW)),
		[MCR_OP_ADD]	= RULE(RESULT, OLD, READ_ON, WRITE(OLD), DELETE(NEW)),
		[MCR_OP_UPDATE] = RULE(RESULT, OLD, WRITE(OLD), DELETE(NEW)),
		[MCR_OP_APPEND] = RULE(RESULT, OLD, WRITE(OLD), DELETE(NEW)),
		[MCR_OP_DELETE] = RULE(RESULT, OLD, DELETE(OLD), DELETE(NEW)),
		[MCR_OP_TOUCH]	= RULE(READ, OLD, READ_ON),
	},
	[MCR_SWITCH] = {
		[MCR_OP_GET]	= RULE(RESULT, NEW, READ_NON),
		[MCR_OP_SET]	= RULE(RESULT, NEW, WRITE(NEW), DELETE(OLD)),
		[MCR_OP_ADD]	= RULE(RESULT, NEW, READ_NON, SET(NEW), DELETE(OLD)),
		[MCR_OP_UPDATE] = RULE(RESULT, NEW, WRITE(NEW), DELETE(OLD)),
		[MCR_OP_APPEND] = RULE(RESULT, NEW, WRITE(NEW), DELETE(OLD)),
		[MCR_OP_DELETE] = RULE(RESULT, NEW, DELETE(OLD), DELETE(NEW)),
		[MCR_OP_TOUCH]	= RULE(READ, NEW, READ_NON),
	},
	[MCR_SETTLE] = AFTER_SWITCH,
	[MCR_DRAIN] = AFTER_SWITCH,
	[MCR_GIVEUP] = {
		[MCR_OP_GET]	= RULE(RESULT, NEW, READ_N),
		[MCR_OP_SET]	= RULE(RESULT, NEW, DELETE(OLD), WRITE(NEW)),
		[MCR_OP_ADD]	= RULE(RESULT, NEW, READ_N, DELETE(OLD), SET(NEW)),
		[MCR_OP_UPDATE] = RULE(RESULT, NEW, DELETE(OLD), WRITE(NEW)),
		[MCR_OP_APPEND] = RULE(NOT_STORED, NEW, DELETE(OLD), DELETE(NEW)),
		[MCR_OP_DELETE] = RULE(RESULT, NEW, DELETE(OLD), DELETE(NEW)),
		[MCR_OP_TOUCH]	= RULE(READ, NEW, READ_N),
	},
	[MCR_UNWIND] = BEFORE_COPY,
};
/* clang-format on */
