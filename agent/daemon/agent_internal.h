/* agent_internal.h - what the agent's own files share; nobody else includes it. */
#ifndef MCROSTER_AGENT_INTERNAL_H
#define MCROSTER_AGENT_INTERNAL_H

#include "daemon/agent.h"
#include "list/order.h"

/* Files of the state directory. */
#define HOST_FILE     "host"
#define REGISTER_FILE "register"
#define FAILOVER_FILE "failover"
#define CLUSTER_FILE  "cluster"

/* Makes the identity of the configuration's keys; follows the list, which may name the previous
 * host key still, or no longer (agent_keys.c). */
void agent_identity(struct agent *agent);
void agent_identity_follow(struct agent *agent);
/* May the agent go by the keys of `next`?  -EINVAL: without the one that the list names for it it
 * would be a stranger. */
int agent_keys_check(const struct agent *agent, const struct config *next, struct failure *failure);
/* The configuration has other keys now. */
void agent_keys_changed(struct agent *agent);

/* Asks for the lists that `reg` names and the keys in force, where they are not here. */
void agent_fetch(struct agent *agent, const struct reg *reg);
/* Asks for the keys document in force, where it is not here yet. */
void agent_fetch_keys(struct agent *agent);
/* Opens the store; what it holds comes as an event. */
int agent_register_open(struct agent *agent, struct failure *failure);
/* Hands it to the store, with the list and keys that it names; the list is here. */
int agent_register_write(struct agent *agent, const struct reg *reg);
/* The store's answer to what was to be written. */
void agent_stored(struct agent *agent, bool ok, const char *why);
/* Does a list name this agent as coordinator, or as a candidate where the register is shared? */
bool agent_may_coordinate(const struct agent *agent, const struct list *list);
/* Takes the register up where this agent is to coordinate by `reg` (its own file's, or the one that
 * was handed over to it). */
void agent_resume(struct agent *agent, const struct reg *reg);
/* What an order would have to be bound to. */
void agent_binding(const struct reg *reg, struct order_binding *binding);
/* Keeps a failover order that was checked (it belongs to the agent from then on), and begins by it
 * where it names this agent. */
int agent_failover_take(struct agent *agent, struct order *order, struct failure *failure);
/* Does a failover order name another agent, beyond the register that this host has adopted? */
bool agent_replaced(const struct agent *agent);
/* Says to the store what this agent may stand for. */
void agent_stands(struct agent *agent);
/* Nothing is handed to the agent that a failover replaced, while the list is the same. */
void agent_failover_keeps(struct agent *agent);
/* Begins by the failover order in force, if it names this agent. */
void agent_failover_begin(struct agent *agent);
/* A proven list that some agent has active: where it names another coordinator than the register
 * does, it is asked. */
void agent_heal(struct agent *agent, const struct list *list);
/* Does that list still say who coordinates?  Not once the register has caught up. */
bool agent_healed(const struct agent *agent);

/* Shows clients what `reg` says and tells the host's core whether it went well (agent_publish.c).
 */
void agent_publish(struct agent *agent, const struct reg *reg, bool confirm);
/* Owed invalidations go by what clients see. */
void agent_owed(struct agent *agent, uint8_t phase, uint32_t generation);
/* Tells the host's core whether clients have followed.  Only what is not adopted yet waits for
 * them. */
void agent_clients(struct agent *agent);
/* The line of a step: `who` is the register or what was published. */
void agent_log_step(const char *who, const struct reg *reg);

/* How many slots the present or last change moved: what is shown. */
void agent_last_change(struct agent *agent, const struct reg *reg);
/* Makes *change what `reg` calls for, where both of its lists are in hand.  True: it is. */
bool agent_change(const struct agent *agent, const struct reg *reg, struct change **change);
/* The first list of a cluster begins its register, on the agent that it names. */
int agent_begin(struct agent *agent, const struct list *first, struct failure *failure);

#endif
