/* store_move.h - the register moved from the file to etcd, or back, by an operator's command.
 *
 * Both places are taken first (the state directory's lock, etcd's leadership), so nobody
 * coordinates from either meanwhile.  The place that is left is marked before the other one is
 * written: stopped anywhere in between there is no coordinator rather than two, and the same
 * command goes on from there.  Moved to a file the register names its agent as the coordinator, and
 * so does the mark in etcd: no other agent can take it a second time.  Lists that the register
 * names are taken along.
 */
#ifndef MCROSTER_STORE_MOVE_H
#define MCROSTER_STORE_MOVE_H

#include "core/register.h"
#include "daemon/config.h"
#include "daemon/state.h"

/* Moves the register `to` the one place from the other.  `config` says how to reach etcd; `state`
 * is this agent's state directory (the agent is stopped).  *moved is the register, as moved.
 * -ENOENT: there is none to move; -ESTALE: the target holds, or was left by, a newer one;
 * -EEXIST: another agent took it before; -EALREADY: it was moved, and has gone on there; -EPERM: a file, and not that of the list's first
 * candidate; -ETIMEDOUT: a place was not to be had in time, with what is in the way: another
 * cluster's register, a damaged one, another agent that leads. */
int store_move(const struct config *config, struct state *state, enum config_register to,
	       uint32_t timeout_ms, struct reg *moved, struct failure *failure);

#endif
