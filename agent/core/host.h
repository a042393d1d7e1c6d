/* host.h - one host of the cluster: what it has heard, adopted, done, and until when it has a
 * lease.
 *
 * Sans-I/O.  Events go in by the functions below, each with the time (CLOCK_BOOTTIME, ms); what is
 * to be done comes out of host_next, one action at a time, until it answers false.  Actions that
 * must be on disk or in the segment before anything follows from them are confirmed by an event
 * (host_stored, host_published, host_stopped); until then nothing that depends on them comes out.
 *
 * The invariants (design: the barrier; model: lease.pml):
 *  - registers only grow, by (term, serial), on disk before they are published;
 *  - a register counts as adopted only when no operation of an older generation runs any more: the
 *    registered clients have settled, or op_timeout has passed since the publication; and only when
 *    work that it cut short has stopped;
 *  - a grant counts only once the register that it carries is published; its time starts when the
 *    request was SENT;
 *  - work that was reported done in a phase is never started in it again.
 */
#ifndef MCROSTER_HOST_H
#define MCROSTER_HOST_H

#include "core/register.h"
#include "list/change.h"

#define HOST_REQUESTS	    64u /* renewals under way that a grant can still answer */
#define HOST_FETCH_RETRY_MS 500u
#define HOST_STORE_RETRY_MS 1000u
#define HOST_ADOPT_LIMIT_MS 30000u /* client-quorum is waited for so long */
#define HOST_RESTART_EXTRA_MS                                                                      \
	1000u /* after a start or a gap: op_timeout and this, before adopting */

/* What is on disk: one file, written whole. */
struct host_state {
	struct reg reg;
	uint8_t work_pending[LIST_HASH_BYTES]; /* the change that the rest is about */
	uint16_t started, done;		       /* bit p: the work of phase p was started, is done */
	struct moved moved;		       /* in the phases that are done */
};
#define HOST_STATE_BYTES (REGISTER_BYTES + LIST_HASH_BYTES + 2 * 2 + 7 * 8)
void host_state_encode(const struct host_state *state, uint8_t bytes[HOST_STATE_BYTES]);
int host_state_decode(const uint8_t bytes[HOST_STATE_BYTES], struct host_state *state);

enum host_action_type {
	HOST_FETCH,   /* get the lists of `reg` from the coordinator */
	HOST_STORE,   /* write `state`, then host_stored */
	HOST_PUBLISH, /* publish `reg`, then host_published */
	HOST_STOP,    /* stop all movers, then host_stopped */
	HOST_WORK,    /* start the work of `reg.phase` on this agent's servers */
	HOST_LEASE,   /* put `deadline_ms` into the segment */
	HOST_RENEW    /* send `renew` to the coordinator */
};

struct host_action {
	enum host_action_type type;
	const struct reg *reg;		/* borrowed until the next event */
	const struct host_state *state; /* borrowed until the next event */
	bool restarted;			/* HOST_WORK: it was started before and not finished */
	bool confirm; /* HOST_PUBLISH: only what the segment says already, it may be newer */
	uint64_t deadline_ms;
	struct renew renew;
};

struct host {
	char name[LIST_NAME_MAX + 1];
	uint64_t incarnation;
	uint32_t boot_wait_ms;

	struct reg known;	 /* the newest heard of */
	struct host_state state; /* as it should be on disk */
	bool dirty, storing;	 /* differs from what is on disk; a store is under way */
	uint64_t store_after_ms;
	uint16_t lost;	      /* work started before this agent was, and not done */
	struct reg stored;    /* on disk */
	struct reg going_out; /* being published */
	struct reg published; /* in the segment */
	struct reg adopted;   /* reported */
	bool publishing;
	bool segment_fresh; /* nothing was published when we started: wait for word */
	bool heard;	    /* the coordinator has spoken since we started */
	bool inherited;	    /* another agent published it: our disk may be older, from a backup */
	bool answered;	    /* by the coordinator, to what this agent asked */
	uint64_t started_ms;
	uint64_t adopt_after_ms;   /* after a start or a gap: nothing is adopted before */
	uint64_t timeout_after_ms; /* op_timeout after the publication: clients are over by then */
	uint64_t limit_after_ms;   /* adopt_limit after it: the quorum is waited for no longer */
	bool settled;		   /* no client runs an operation of an older generation */
	bool quorum_missing;	   /* too few clients have adopted it themselves */
	uint64_t last_tick_ms;	   /* host_tick has to be called several times an op_timeout */
	uint64_t publish_after_ms;

	const struct change *change; /* of the lists in hand; borrowed */
	uint64_t fetch_after_ms;

	bool has_work;		/* this agent has work in the published phase */
	bool working, stopping; /* movers run; are being stopped */
	struct reg worked_for;	/* the step that the movers work for */
	struct work work;	/* of the published phase */
	struct moved moved;	/* as it is on disk */

	bool held; /* an owed invalidation of an older generation is being carried out */
	bool connected;
	bool successor, ready; /* as in struct renew */
	uint64_t renew_after_ms;
	bool renew_now;
	uint64_t sequence;
	struct {
		uint64_t sequence, sent_ms;
	} request[HOST_REQUESTS];
	struct {
		bool waiting;
		uint64_t term, serial, sent_ms, deadline_ms, usable_ms;
	} grant;	     /* the newest that waits for its register to be published */
	uint64_t granted_ms; /* when the renewal was sent that was granted last; 0: none was */
	uint64_t lease_ms;   /* until when we hold a lease; 0: none */
	uint64_t usable_ms;  /* what the segment says: earlier by op_timeout and 10 % */
	uint64_t told_ms;    /* usable_ms as last given out */
};

/* `saved` is NULL on a host without state.  `segment_published`: the segment held a generation. */
void host_start(struct host *host, const char *name, uint64_t incarnation, uint32_t boot_wait_ms,
		const struct host_state *saved, bool segment_published, uint64_t now_ms);

/* The lists in hand, laid over each other; borrowed until the next call.  Call it when they match
 * the newest register (host_wanted), or with the single list that a host without register holds. */
void host_lists(struct host *host, const struct change *change, uint64_t now_ms);
/* A register was heard: by REGISTER, or in a GRANT that gave no lease. */
void host_register(struct host *host, const struct reg *reg, uint64_t now_ms);
void host_grant(struct host *host, const struct grant *grant, uint64_t now_ms);
void host_connected(struct host *host, bool connected, uint64_t now_ms);
/* The session to the coordinator of the pending list is up, or not; `ready`: that is this agent. */
void host_successor(struct host *host, bool connected, bool ready);
/* An operation of the agent's own, planned in an older generation, is in flight: nothing newer is
 * reported meanwhile. */
void host_hold(struct host *host, bool held);
/* How the clients stand with the generation that was published last: core/clients.h.  Where it is
 * never called op_timeout is waited for. */
void host_clients(struct host *host, bool settled, bool quorum_missing);
void host_stored(struct host *host, bool ok, uint64_t now_ms);
/* `changed`: a new generation went out (false: the segment said it already). */
void host_published(struct host *host, bool ok, bool changed, uint64_t now_ms);
void host_stopped(struct host *host, uint64_t now_ms);
/* The movers' progress, or their end (state DONE or REFUSED). */
void host_worked(struct host *host, const struct work *work, uint64_t now_ms);
void host_tick(struct host *host, uint64_t now_ms);

bool host_next(struct host *host, uint64_t now_ms, struct host_action *action);

/* Does the host hold its lease in the sense of the segment's deadline? */
bool host_may_work(const struct host *host, uint64_t now_ms, uint64_t *until_ms);
bool host_isolated(const struct host *host, uint64_t now_ms);

/* Do the lists of `change` belong to `reg`? */
bool host_lists_match(const struct reg *reg, const struct change *change);
/* Has an agent work on a server (a number in `change`) in a step? */
bool host_server_works(const struct change *change, uint32_t index, const char *agent,
		       const struct reg *reg);

#endif
