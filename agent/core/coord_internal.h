/* coord_internal.h - what the coordinator's files share; nobody else includes it. */
#ifndef MCROSTER_COORD_INTERNAL_H
#define MCROSTER_COORD_INTERNAL_H

#include "core/coord.h"

/* The step that is to be stored, and then told. */
void coord_stage(struct coord *coord, const struct reg *next);

/* A majority has shown its register and none is newer, or the register is shared and thereby
 * exact: the next term begins. */
void coord_next_term(struct coord *coord);

const struct list_agent *coord_listed(const struct list *list, const uint8_t *key);
void coord_host_name(const struct coord *coord, struct coord_host *host);
bool coord_host_holds(const struct coord_host *host, uint64_t now_ms);
const struct coord_host *coord_host_named(const struct coord *coord, const char *name);
bool coord_agent_excused(const struct coord *coord, const char *name);
/* How many listed agents have shown their register since this coordinator began. */
uint32_t coord_heard(const struct coord *coord);
/* Has it adopted the present register, in this term? */
bool coord_adopted(const struct coord *coord, const struct coord_host *host);

/* The agent that the register goes to when the change has settled, where that is another one. */
const struct list_agent *coord_successor(const struct coord *coord);
/* A host whose session to the successor is not proven; or NULL. */
const struct coord_host *coord_successor_missing(const struct coord *coord, uint64_t now_ms);
/* In PREPARE: the successor, while it has no register of this term; or NULL.  No excuse helps: the
 * list that names it would find it without one, and be refused as that of a disk that was lost. */
const struct list_agent *coord_successor_away(const struct coord *coord);

/* What the present phase waits for: a server whose work is expected and not done (or -1), an agent
 * that has to adopt (or NULL), a host with a lease that has not adopted (or NULL). */
int coord_work_missing(const struct coord *coord);
const char *coord_agent_missing(const struct coord *coord);
const struct coord_host *coord_lease_missing(const struct coord *coord, uint64_t now_ms);

/* A timer that is to outlast a host's runs a tenth longer. */
static inline uint64_t coord_longer(uint64_t lease_ms)
{
	return lease_ms + lease_ms / 10;
}

static inline bool coord_reg_settled(const struct reg *reg)
{
	return reg->phase == PHASE_STEADY;
}

static inline uint32_t coord_lease(const struct coord *coord)
{
	return coord_reg_settled(&coord->reg) ? coord->change->steady_lease_ms
					      : coord->change->lease_ms;
}

#endif
