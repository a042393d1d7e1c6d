/* peers.h - the daemon's sessions: listeners, the session to the coordinator, relayed questions. */
#ifndef MCROSTER_PEERS_H
#define MCROSTER_PEERS_H

#include "core/register.h"
#include "list/failure.h"

struct agent;
struct peers;

/* Listens on the peer address and on the control socket. */
int peers_open(struct agent *agent, struct peers **peers, struct failure *failure);
void peers_close(struct peers *peers);

/* A renewal for the coordinator: over the session, or straight into our own core. */
void peers_renew(struct peers *peers, const struct renew *renew);
/* Asks the coordinator for a list. */
void peers_fetch(struct peers *peers, const uint8_t hash[LIST_HASH_BYTES]);
/* The coordinator tells everybody the register. */
void peers_tell(struct peers *peers, const struct reg *reg);
/* Answers offers whose step of the register is stored by now, or will not be. */
void peers_stored(struct peers *peers, uint64_t now_ms);
/* Keeps the session to the coordinator up, gives up on questions that nobody answers, and brings
 * the active list to listed agents that were never heard of. */
void peers_tick(struct peers *peers, uint64_t now_ms);

#endif
