/* agent_internal.h - what the agent's own files share; nobody else includes it. */
#ifndef MCROSTER_AGENT_INTERNAL_H
#define MCROSTER_AGENT_INTERNAL_H

#include "daemon/agent.h"

/* Files of the state directory. */
#define HOST_FILE     "host"
#define REGISTER_FILE "register"

/* Makes *change what `reg` calls for, where both of its lists are in hand.  True: it is. */
bool agent_change(const struct agent *agent, const struct reg *reg, struct change **change);
/* The first list of a cluster begins its register, on the agent that it names. */
int agent_begin(struct agent *agent, const struct list *first, struct failure *failure);

#endif
