/* agent.h - the daemon's inside: one object, one loop, one thread.
 *
 * The core (core/host.h, core/coord.h) decides; what it asks for is done here and in the files that
 * this header names.  Everything is driven by agent_pump: an event is told to the core, then the
 * pump carries out what the core wants until it wants nothing more.
 */
#ifndef MCROSTER_AGENT_H
#define MCROSTER_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

#include "core/coord.h"
#include "core/host.h"
#include "daemon/config.h"
#include "daemon/log_limit.h"
#include "daemon/segment.h"
#include "daemon/state.h"
#include "daemon/watchdog.h"
#include "net/message.h"
#include "net/session.h"

struct clients_run;
struct discovery;
struct keyring;
struct lists;
struct metrics;
struct on_change;
struct order;
struct owed_run;
struct store;
struct peers;
struct reach;
struct workers;

struct agent {
	struct config *config; /* borrowed; see agent_open */
	struct event_base *base;
	struct state *state;
	struct segment *segment;
	struct session_identity identity;
	bool uses_previous; /* host key: the list names that one still */

	struct host host;
	struct coord coord;
	struct store *store; /* where the register lives */
	bool elected; /* this agent may coordinate: in a file always, in etcd while it leads */
	uint64_t elected_ms; /* until when */
	bool register_held;  /* the store holds a register: */
	struct reg register_saved;
	char leader[LIST_NAME_MAX + 1];	     /* who leads, of several candidates; "": not known */
	bool leader_told;		     /* by the store, not by other agents */
	uint64_t leader_term, leader_serial; /* known when another agent said so */
	char register_trouble[FAILURE_BYTES];
	bool unconfirmed; /* the segment may show what is newer than this agent's disk */
	bool asked;	  /* others take this agent for the coordinator, and it has no register */
	struct keyring *ring;
	uint64_t keys_ms; /* when the keys document in force is asked for again */
	struct lists *lists;
	const struct list *healed;   /* proven, and names another coordinator than the register */
	uint64_t healed_term;	     /* the register's term then */
	uint64_t healed_said;	     /* the last epoch of which the log says so */
	struct order *failover;	     /* the newest failover order; NULL */
	struct change *host_change;  /* the lists of the host's register, laid over each other */
	struct change *coord_change; /* those of the coordinator's register */
	uint64_t last_slots, last_slots_moved; /* of the present or last change: its parts */
	struct clients_run *clients;	       /* registered processes of this host */
	uint32_t quorum;		       /* per cent of them, by the list in force */
	struct discovery *discovery;	       /* NULL: there is no such endpoint */
	struct owed_run *owed;		       /* invalidations that clients could not deliver */
	uint8_t owed_phase;		       /* what it was told last */
	uint32_t owed_generation;
	struct peers *peers;
	struct workers *workers;
	struct reach *reach;		/* NULL: nobody measures it, as are */
	struct metrics *metrics;	/* its metrics */
	uint64_t started_s;		/* Unix time */
	uint64_t offers[VERDICT_COUNT]; /* documents judged here, by verdict */
	struct log_limit refusals;	/* of those, the ones that the log has */
	struct on_change *on_change;	/* the operator's command; NULL */

	struct event *tick;
	struct watchdog watchdog;
	bool pumping, again;
	void (*on_ready)(struct agent *agent); /* once: the last verified list is published */
	bool ready;
	void (*on_left)(struct agent *agent); /* NULL: it is not leaving */
	char store_trouble[FAILURE_BYTES];    /* what keeps us from storing; "" */
	char step_lost[FAILURE_BYTES]; /* why the last step that does not stand was not stored */
	void *shown;		       /* the evidence that was asked for last */
};

/* CLOCK_BOOTTIME. */
uint64_t clock_now_ns(void);
uint64_t clock_now_ms(void);

/* Brings the agent up: state read, segment taken up, sockets listening, the last list published.
 * `config` is borrowed; agent_reload changes it.  On failure nothing is left behind but the state
 * directory. */
int agent_open(struct config *config, struct event_base *base,
	       void (*on_ready)(struct agent *agent), struct agent **agent,
	       struct failure *failure);
/* Reads agent.conf again and goes on by it.  On failure, with the sentence, all is as it was. */
int agent_reload(struct agent *agent, const char *path, struct failure *failure);
/* The agent is about to be closed: from the call on it coordinates nothing and grants nothing.
 * True: leadership is being given back, so that the next candidate need not wait for it to run out;
 * on_left says when that is done (where etcd does not answer it may take long).  False: there is
 * none to give. */
bool agent_leave(struct agent *agent, void (*on_left)(struct agent *agent));
void agent_close(struct agent *agent);

/* Carries out what the core wants.  Call it after every event told to the core. */
void agent_pump(struct agent *agent);

/* The list that names the coordinator: of the register where there is one, else the newest. */
const struct list *agent_list(const struct agent *agent);
/* The agent that coordinates, by the list; NULL without any list. */
const struct list_agent *agent_coordinator(const struct agent *agent);
bool agent_is_coordinator(const struct agent *agent);
/* The term of the failover order that is kept, where it names the agent with this key; else 0. */
uint64_t agent_vote(const struct agent *agent, const uint8_t key[LIST_HOST_KEY_BYTES]);
/* One of several candidates is said to lead.  Candidates hear it from the store, while that is
 * within reach. */
void agent_led_by(struct agent *agent, const char *name);

/* Somebody offers a signed document.  Answers with an enum verdict and its sentence; *relay is set
 * when the coordinator has to be asked instead.  What is accepted as a step of the register counts
 * only when coord_step says that it stands. */
uint8_t agent_offer(struct agent *agent, const void *document, size_t bytes, char *text,
		    size_t text_bytes, bool *relay);
/* A document that was asked for: stored when it verifies.  `newest`: not by its hash, it is the
 * active list of some agent that knows more than we do. */
void agent_document_came(struct agent *agent, const void *document, size_t bytes, bool newest);
/* A host that holds `reg` asks this agent, which does not coordinate, for its lease. */
void agent_asked(struct agent *agent, const char *name, const struct reg *reg);
/* Whom we took for the coordinator says that `name` is. */
void agent_heal_not(struct agent *agent, const char *name);
/* A document by hash (all zero: the active list), one that is kept as evidence too; NULL when it is
 * not here.  Borrowed until the next call. */
const void *agent_document(struct agent *agent, const uint8_t hash[LIST_HASH_BYTES], size_t *bytes);

#endif
