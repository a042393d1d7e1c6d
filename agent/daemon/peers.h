/* peers.h - the daemon's sessions: listeners, the session to the coordinator, relayed questions. */
#ifndef MCROSTER_PEERS_H
#define MCROSTER_PEERS_H

#include <stdbool.h>

#include "core/register.h"
#include "list/failure.h"

struct agent;
struct peers;
struct session_counts;

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

/* This agent has other keys: every session but those of this host is made anew, under them. */
void peers_rekey(struct peers *peers);
/* What is counted of the peer address, or of the control socket; how many sessions there are. */
const struct session_counts *peers_counts(const struct peers *peers, bool control);
uint32_t peers_sessions(const struct peers *peers);

#endif
