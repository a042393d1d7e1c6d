/* coord_hosts.c - the hosts on record, and what a host is answered when it asks for its lease. */
#include "core/coord_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const struct list_agent *coord_listed(const struct list *list, const uint8_t *key)
{
	if (list == NULL)
		return NULL;
	for (uint32_t i = 0; i < list->agent_count; i++)
		if (memcmp(list->agents[i].key, key, LIST_HOST_KEY_BYTES) == 0)
			return &list->agents[i];
	return NULL;
}

void coord_host_name(const struct coord *coord, struct coord_host *host)
{
	const struct list_agent *agent = coord_listed(coord->pending, host->key);

	if (agent == NULL)
		agent = coord_listed(coord->active, host->key);
	host->listed = agent != NULL;
	(void)snprintf(host->name, sizeof(host->name), "%s", agent != NULL ? agent->name : "");
}

static struct coord_host *coord_host_find(struct coord *coord, const uint8_t *key)
{
	for (uint32_t i = 0; i < coord->host_count; i++)
		if (memcmp(coord->host[i].key, key, LIST_HOST_KEY_BYTES) == 0)
			return &coord->host[i];
	return NULL;
}

bool coord_host_holds(const struct coord_host *host, uint64_t now_ms)
{
	return host->lease_ms > now_ms;
}

/* A free record: a new one, or that of an observer whose lease has run out. */
static struct coord_host *coord_host_new(struct coord *coord, const uint8_t *key, uint64_t origin,
					 uint64_t now_ms)
{
	const bool listed =
	    coord_listed(coord->active, key) != NULL || coord_listed(coord->pending, key) != NULL;
	struct coord_host *host = NULL, *neighbour = NULL;
	uint32_t observers = 0, neighbours = 0;

	for (uint32_t i = 0; i < coord->host_count; i++) {
		struct coord_host *other = &coord->host[i];
		const bool free = !coord_host_holds(other, now_ms);

		if (other->listed)
			continue;
		observers++;
		neighbours += other->origin == origin;
		if (host == NULL && free)
			host = other;
		if (neighbour == NULL && free && other->origin == origin)
			neighbour = other;
	}
	/* An address has no more records than that, with leases or without. */
	if (!listed && neighbours >= COORD_OBSERVERS_PER_ORIGIN) {
		host = neighbour;
		if (host == NULL)
			return NULL;
	}
	if (host == NULL) {
		if (coord->host_count == COORD_HOSTS_MAX ||
		    (!listed && observers >= COORD_OBSERVERS_MAX))
			return NULL;
		host = &coord->host[coord->host_count++];
	}
	memset(host, 0, sizeof(*host));
	memcpy(host->key, key, LIST_HOST_KEY_BYTES);
	host->origin = origin;
	coord_host_name(coord, host);
	return host;
}

const struct coord_host *coord_host_named(const struct coord *coord, const char *name)
{
	for (uint32_t i = 0; i < coord->host_count; i++)
		if (coord->host[i].listed && strcmp(coord->host[i].name, name) == 0)
			return &coord->host[i];
	return NULL;
}

bool coord_agent_excused(const struct coord *coord, const char *name)
{
	const int number = change_agent_find(coord->change, name);

	return number >= 0 && register_set_has(coord->reg.excused, (uint32_t)number);
}

bool coord_adopted(const struct coord *coord, const struct coord_host *host)
{
	return host->term == coord->reg.term && host->serial >= coord->reg.serial;
}

static void coord_halt(struct coord *coord, const struct coord_host *host,
		       const struct renew *renew)
{
	const struct reg *known = &renew->known;

	coord->state = COORD_HALTED;
	coord->staged.term = 0;
	coord->newer_term = known->term;
	coord->newer_serial = known->serial;
	if (coord->reg.term == 0)
		(void)snprintf(coord->halted, sizeof(coord->halted),
			       "agent %s knows the register %" PRIu64 ".%" PRIu64
			       " of epoch %" PRIu64
			       ", which is lost here: %s coordinates nothing; " COORD_WAY_OUT,
			       host->name, known->term, known->serial, known->epoch, coord->name);
	else
		(void)snprintf(
		    coord->halted, sizeof(coord->halted),
		    "agent %s holds register %" PRIu64 ".%" PRIu64 ", newer than ours %" PRIu64
		    ".%" PRIu64 ": this register is an old copy; it coordinates no more",
		    host->name, known->term, known->serial, coord->reg.term, coord->reg.serial);
}

static bool coord_has_heard(const struct coord *coord, const char *name)
{
	const struct coord_host *host = coord_host_named(coord, name);

	return host != NULL && host->heard &&
	       (coord->failover_term == 0 || host->vote == coord->failover_term);
}

uint32_t coord_heard(const struct coord *coord)
{
	uint32_t heard = 0;

	for (uint32_t i = 0; i < coord->active->agent_count; i++)
		heard += coord_has_heard(coord, coord->active->agents[i].name);
	return heard;
}

/* Excused agents make up a majority only with all others: one of those knows what they do, where a
 * register that came back from a backup does not.  An excuse is no vote. */
static bool coord_majority_heard(const struct coord *coord)
{
	const uint32_t agents = coord->active->agent_count;

	if (coord_heard(coord) * 2 > agents)
		return true;
	if (coord->failover_term != 0)
		return false;
	for (uint32_t i = 0; i < agents; i++) {
		const char *name = coord->active->agents[i].name;

		if (!coord_has_heard(coord, name) && !coord_agent_excused(coord, name))
			return false;
	}
	return true;
}

static void coord_note(const struct coord *coord, struct coord_host *host,
		       const struct renew *renew, uint64_t now_ms)
{
	const struct work *work = &renew->work;

	host->heard = true;
	host->heard_ms = now_ms;
	host->term = renew->term;
	host->serial = renew->serial;
	host->successor = renew->successor;
	host->ready = renew->ready;
	host->vote = renew->vote;
	host->work = *work;
	memcpy(host->clients, renew->clients, sizeof(host->clients));
	memcpy(host->release, renew->release, sizeof(host->release));
	if (coord->reg.next_epoch == 0 ||
	    memcmp(work->pending, coord->reg.pending, LIST_HASH_BYTES) == 0)
		host->moved = renew->moved;
}

void coord_next_term(struct coord *coord)
{
	struct reg next = coord->reg;

	next.term = next.term + 1;
	if (coord->failover_term != 0) {
		next.term = coord->failover_term;
		next.serial += COORD_FAILOVER_LEAP;
	}
	(void)snprintf(next.coordinator, sizeof(next.coordinator), "%s", coord->name);
	next.handed_over = false;
	next.long_leases = coord_reg_settled(&next) || next.long_leases;
	coord_stage(coord, &next);
	coord->state = COORD_LEADING;
	coord->answered_term = next.term;
}

/* After a failover the highest register that any host knows is the one that goes on. */
static void coord_seek(struct coord *coord, const struct coord_host *host,
		       const struct renew *renew)
{
	if (renew->known.term >= coord->failover_term)
		coord_halt(coord, host, renew);
	else if (register_compare(&renew->known, &coord->reg) > 0) {
		coord->reg = renew->known;
		coord->state = COORD_SILENT; /* until its lists are in hand */
	}
}

/* Only agents of the lists in hand are believed: nothing that an observer reports moves a register.
 * An agent that only a later list names cannot be told from an observer here, and a signed list
 * that an outsider shows proves nothing either: it may have been refused, or undone.  An old copy
 * of the register comes to light all the same: a majority of the agents of its own list is heard
 * before it begins, those that have seen the later list hold the newer register, and each that does
 * not come by itself is asked for the newest list that it has active.  Where they are all gone
 * nothing is begun. */
static void coord_shown(struct coord *coord, const struct coord_host *host,
			const struct renew *renew)
{
	if (!host->listed)
		return;
	if (coord_beginning(coord)) {
		if (renew->known.term != 0)
			coord_halt(coord, host, renew);
	} else if (coord->state == COORD_SILENT ||
		   (coord->state == COORD_HEARING && coord->failover_term != 0))
		coord_seek(coord, host, renew);
	else if (coord->reg.term != 0 && register_compare(&renew->known, &coord->reg) > 0 &&
		 register_compare(&renew->known, &coord->staged) > 0)
		coord_halt(coord, host, renew);
}

static bool coord_lease_due(const struct coord *coord, const struct coord_host *host,
			    uint64_t now_ms)
{
	if (coord->yielding || now_ms >= coord->leads_ms)
		return false;
	if (coord_adopted(coord, host))
		return true;
	return coord_host_holds(host, now_ms) && now_ms <= coord->step_ms + COORD_ADOPT_LIMIT_MS;
}

bool coord_renew(struct coord *coord, const uint8_t key[LIST_HOST_KEY_BYTES], uint64_t origin,
		 const struct renew *renew, uint64_t now_ms, struct grant *grant)
{
	struct coord_host *host;

	if (coord->state == COORD_IDLE || coord->state == COORD_HALTED)
		return false;
	host = coord_host_find(coord, key);
	if (host == NULL)
		host = coord_host_new(coord, key, origin, now_ms);
	if (host == NULL)
		return false;
	coord_shown(coord, host, renew);
	if (coord->state == COORD_HALTED)
		return false;
	coord_note(coord, host, renew, now_ms);
	if (coord_beginning(coord) && coord_majority_heard(coord))
		coord->state = COORD_LEADING; /* the first register is staged */
	else if (coord->state == COORD_HEARING && coord_majority_heard(coord))
		coord_next_term(coord);
	if (coord->state != COORD_LEADING || coord->reg.term < coord->answered_term ||
	    coord->reg.term == 0)
		return false; /* the new term is not on disk yet */

	memset(grant, 0, sizeof(*grant));
	grant->sequence = renew->sequence;
	grant->reg = coord->reg;
	if (coord_lease_due(coord, host, now_ms)) {
		const uint64_t end_ms = now_ms + coord_lease(coord);

		grant->lease_ms = coord_lease(coord);
		if (host->lease_ms < end_ms)
			host->lease_ms = end_ms;
		if (coord_reg_settled(&coord->reg) && coord->long_ms < end_ms)
			coord->long_ms = end_ms;
	}
	return true;
}
