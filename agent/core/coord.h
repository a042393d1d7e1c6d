/* coord.h - the coordinator: it holds the register, grants leases and passes the phases.
 *
 * Sans-I/O, like host.h.  A register's step is stored (COORD_STORE, coord_stored) before anybody is
 * told of it; until then everybody is told the one before.
 *
 * The invariants (design: the barrier; model: lease.pml):
 *  - a phase is passed only when every lease on record belongs to a host that has adopted it in
 * this term, the other leases having run out, and the work that is expected in it is done;
 *  - a coordinator that has just begun passes nothing until the longest lease granted before it has
 *    run out, and says nothing until it has heard the registers of a majority of the listed agents;
 *  - one that a listed agent shows a newer register than its own stops for good.
 */
#ifndef MCROSTER_COORD_H
#define MCROSTER_COORD_H

#include "core/register.h"
#include "list/change.h"
#include "list/order.h"

#define COORD_OBSERVERS_MAX	   1024u
#define COORD_HOSTS_MAX		   (2 * LIST_AGENTS_MAX + COORD_OBSERVERS_MAX)
#define COORD_OBSERVERS_PER_ORIGIN 64u
#define COORD_ADOPT_LIMIT_MS	   30000u
/* A reservation's life, and memcached's one-second clock twice (core/move.h). */
#define COORD_STUBS_GONE_MS  12000u
#define COORD_STORE_RETRY_MS 1000u
/* After a failover the serial goes on from so much further.  The coordinator that is gone may have
 * begun the same term and taken steps in it that no host of the majority heard of: a host that did
 * hear of one must not take it for one of ours. */
#define COORD_FAILOVER_LEAP (1ull << 32)

/* What is left to do where the register is lost. */
#define COORD_WAY_OUT "bring its register file back, or order a failover"

struct coord_host {
	uint8_t key[LIST_HOST_KEY_BYTES];
	char name[LIST_NAME_MAX + 1]; /* "" for an observer */
	bool listed;		      /* in the active or the pending list */
	bool heard;		      /* since this coordinator began */
	uint64_t heard_ms;
	uint64_t lease_ms;     /* the end of its lease; 0: none on record */
	uint64_t term, serial; /* adopted */
	bool successor, ready; /* as in struct renew */
	uint64_t vote;	       /* likewise */
	uint64_t origin;       /* an observer's address, hashed */
	struct work work;      /* as it reported last */
	uint32_t clients[CLIENT_STANDINGS];
	char release[RELEASE_BYTES]; /* "": not known */
	struct moved moved;	     /* of the present or last change, in phases that are done */
};

enum coord_state {
	COORD_IDLE,    /* this agent does not coordinate */
	COORD_SILENT,  /* begun by failover: earlier leases may run, the highest register is sought
			*/
	COORD_HEARING, /* a majority's registers are not heard yet */
	COORD_LEADING,
	COORD_HALTED /* somebody holds a newer register than ours, or one where we have none */
};

enum coord_step { COORD_STEP_STAGED, COORD_STEP_STANDS, COORD_STEP_LOST };

enum coord_action_type {
	COORD_STORE, /* write `reg`, then coord_stored */
	COORD_TELL   /* push `reg` to every session */
};

struct coord_action {
	enum coord_action_type type;
	const struct reg *reg; /* borrowed until the next event */
};

struct coord {
	enum coord_state state;
	char name[LIST_NAME_MAX + 1];
	struct reg reg;	   /* stored, and told */
	struct reg staged; /* to be stored; term 0: nothing */
	bool asked; /* it is an operator's: what cannot be stored is dropped, and he is told */
	bool storing, tell;
	uint64_t store_after_ms;
	uint64_t answered_term; /* nobody is answered before this term is on disk */
	uint64_t began_ms;
	uint64_t blind_ms; /* nothing is passed before */
	uint64_t
	    leads_ms; /* until when leadership is held; UINT64_MAX with a register of one's own */
	bool shared;  /* the register is not this agent's own: candidates, no handover */
	char
	    replaced[LIST_NAME_MAX + 1]; /* by a failover, for this list: nothing is handed to it */
	bool yielding;			 /* handing over: nothing is granted any more */
	bool quiet_starts; /* a server was given up: its stubs' time starts when all have adopted */
	uint64_t quiet_ms; /* no phase with movers ends before */
	/* SWITCH does not end before; as it was reckoned in this term; 0: not yet */
	uint64_t polled_ms, polled_term;
	uint64_t failover_term;
	uint64_t step_ms; /* when the present step was told */
	uint64_t long_ms; /* until when steady leases may run */
	uint64_t change_began_ms, change_ended_ms;
	const struct list *active, *pending; /* borrowed */
	const struct change *change;	     /* borrowed */
	uint32_t host_count;
	struct coord_host *host; /* COORD_HOSTS_MAX, allocated once */
	char halted[FAILURE_BYTES];
	uint64_t newer_term, newer_serial; /* the register that halted it */
};

/* -ENOMEM. */
int coord_init(struct coord *coord, const char *name);
void coord_free(struct coord *coord);

/* Takes up the register `saved` (this agent is its coordinator) with the lists that it names. */
void coord_resume(struct coord *coord, const struct reg *saved, const struct list *active,
		  const struct list *pending, const struct change *change, uint64_t now_ms);
/* Begins a cluster's register with its first list: STEADY at once where the register is shared,
 * else when a majority of the listed agents has said that it knows no register: the cluster may be
 * an old one, and this agent's disk new. */
void coord_begin(struct coord *coord, const struct list *first, const struct change *change,
		 uint64_t now_ms);
/* The first list is here, and that majority is still being heard. */
bool coord_beginning(const struct coord *coord);
/* The lists of the register as it is now told; call it after each coord_stored that changed them.
 */
void coord_lists(struct coord *coord, const struct list *active, const struct list *pending,
		 const struct change *change);

/* A failover order, after coord_resume: the register that was taken up goes on in the order's term.
 * It begins there only with the votes of a majority of the listed agents: each keeps one order of a
 * term, so of two orders for one term at most one has them.  An excuse is no vote. */
void coord_ordered(struct coord *coord, uint64_t term);
/* Begins by a failover order, without the register of the coordinator before: `known` is the newest
 * that this host holds.  Nothing is granted until every earlier lease has run out; then the highest
 * register that the hosts know goes on in the order's term, with their votes. */
void coord_failover(struct coord *coord, uint64_t term, const struct reg *known,
		    const struct list *active, const struct list *pending,
		    const struct change *change, uint64_t now_ms);
/* The register that a failover has found so far names lists that are not in hand: get them, then
 * coord_lists. */
bool coord_wants_lists(const struct coord *coord, const struct reg **reg);
/* A shared register: until when this agent leads.  Nothing is granted or passed after it. */
void coord_lead(struct coord *coord, uint64_t until_ms);
/* This agent coordinates no longer; what was staged stands nowhere. */
void coord_stop(struct coord *coord);

/* A host asks for its lease.  True: send *grant.  False: there is nothing to say yet. */
bool coord_renew(struct coord *coord, const uint8_t key[LIST_HOST_KEY_BYTES], uint64_t origin,
		 const struct renew *renew, uint64_t now_ms, struct grant *grant);

/* May a list become the next one?  0, or -EBUSY (a change runs; says phase and share done),
 * -ESTALE, -EINVAL, -EAGAIN (not leading yet), -EALREADY (it is the active or the pending one). */
int coord_may_offer(const struct coord *coord, const struct list *next, uint64_t now_ms,
		    struct failure *failure);
/* Begins the change.  Only after coord_may_offer, with the list's body on disk. */
void coord_offer(struct coord *coord, const struct list *next, uint64_t now_ms);

/* May an order be carried out (abort, giveup, excuse)?  -ESTALE: it is for another register;
 * -EINVAL: it makes no sense there, with the reason; -EBUSY, -EAGAIN. */
int coord_may_order(const struct coord *coord, const struct order *order, uint64_t now_ms,
		    struct failure *failure);
/* Only after coord_may_order. */
void coord_order(struct coord *coord, const struct order *order, uint64_t now_ms);

/* A keys document that was verified against the one in force; -ESTALE, -EALREADY, -EAGAIN. */
int coord_may_keys(const struct coord *coord, uint64_t version, const uint8_t hash[LIST_HASH_BYTES],
		   uint64_t now_ms, struct failure *failure);
void coord_keys(struct coord *coord, uint64_t version, const uint8_t hash[LIST_HASH_BYTES]);

/* What was staged stands in the register, or (`ok` false) nowhere: a step that an operator asked
 * for is dropped then, any other is tried again. */
void coord_stored(struct coord *coord, bool ok, uint64_t now_ms);
/* What has become of the step (term, serial) that was staged: whoever asked for it is answered when
 * it stands, or when it is lost. */
enum coord_step coord_step(const struct coord *coord, uint64_t term, uint64_t serial);
/* Passes a phase when it is complete. */
void coord_tick(struct coord *coord, uint64_t now_ms);
bool coord_next(struct coord *coord, uint64_t now_ms, struct coord_action *action);

/* The sum of what the hosts have moved in the present or last change. */
void coord_moved(const struct coord *coord, struct work *sum);
/* What the present phase waits for: one sentence, or "" . */
void coord_waits_for(const struct coord *coord, uint64_t now_ms, char *text, size_t bytes);

#endif
