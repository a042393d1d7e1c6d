/* mcroster.h - the public API of libmcroster: which memcached has this key, also while keys move.
 *
 * Each host of a cluster runs an agent, mcrosterd, which keeps the cluster's signed server list in
 * a shared-memory segment.  This library maps that segment read-only.  A lookup takes some
 * nanoseconds; it makes no system call (where a lease must be looked at, one read of a clock),
 * takes no lock, allocates nothing and waits for nobody, whatever the agent is doing.  It does not
 * speak to memcached: it says what to send where, and the caller (an adapter, a proxy) sends it.
 *
 * IN SHORT
 *
 *	struct mcr *mcr;
 *	struct mcr_reader *reader;
 *	struct mcr_plan plan;
 *
 *	if (mcr_open("web", 0, &mcr) != MCR_OK || mcr_reader_new(mcr, &reader) != MCR_OK)
 *		...;
 *	error = mcr_begin(reader, MCR_OP_SET, key, key_bytes, &plan);
 *	if (error != MCR_OK)
 *		...;                                        no plan: nothing was sent
 *	for (i = 0; i < plan.step_count; i++) {
 *		if (mcr_check(reader, &plan) != MCR_OK)
 *			break;                              too late: send no more
 *		mcr_server(reader, &plan, plan.step[i].server, &server);
 *		... send plan.step[i].send to server.address, wait for the reply ...
 *	}
 *	switch (mcr_end(reader, &plan)) { ... }
 *
 * WHAT A PLAN IS
 *
 * While a change of the list runs, a key can be at its old owner O, at its new owner N, or at
 * both.  The cluster goes through phases, and each has a rule for what readers and writers do;
 * together they make sure that nobody ever reads a value older than the last one written.  A plan
 * is that rule applied to one operation on one key: up to five steps, in order, each sent only
 * when the reply of the one before is in, or has failed.  Outside of a change, and for the keys
 * that a change does not move, a plan has one step.  A caller carries plans out and need not
 * know the phases:
 *
 *  - MCR_SEND_READ: get the key there.  Found: that is the answer, and no further step is sent
 *    (for MCR_OP_ADD the answer is "not stored").  A miss, a failure or a time-out goes on with
 *    the next step.  If `empty_is_miss`, an empty value counts as a miss: it may be a reservation
 *    of the agent that moves the key.  (In the meta protocol a reservation can be told from a
 *    stored empty value: flag Z with size 0.)  When all reads have missed and no other step
 *    follows, the answer is a miss; if a read failed and none found, the answer is that failure.
 *  - MCR_SEND_WRITE: the caller's own command (set, add, incr, append, touch, ...).  Its reply is
 *    the answer.  If it fails or times out, the steps after it are sent all the same and the
 *    caller is told of the failure: whether it took effect is unknown.
 *  - MCR_SEND_SET: the caller's value by set, in an operation that is an add.  Stored: "stored".
 *  - MCR_SEND_DELETE: delete the key there.  "Not found" is as good as "deleted".  In
 *    MCR_OP_DELETE the answer is "deleted" if any server had it.  If a delete fails, further steps
 *    are sent all the same, but the operation is not complete; see OPERATIONS THAT DO NOT END.
 *  - `answer` other than MCR_ANSWER_RESULT overrides this; see enum mcr_answer.
 *
 * One operation takes at most the list's op-timeout (mcr_info) in all.  When a reply does not come
 * in time, close that connection, so that the command cannot take effect afterwards unseen.
 *
 * Some commands need more than the right enum mcr_op:
 *  - cas: MCR_OP_UPDATE.  A token is worth something only at the server that gave it, so keep that
 *    server's `id` beside the token.  If the plan's `owner` is now another server, the answer is
 *    EXISTS and no step is sent.  So it is where the plan has a delete, the owner has no value (or a
 *    reservation) and the server of the delete has one; ask both first.  The owner would refuse
 *    such a token, and the value would be deleted all the same.
 *  - incr, decr: MCR_OP_UPDATE.  On a reservation memcached answers CLIENT_ERROR; while keys move
 *    take that for "not found".
 *  - gat, gats, mg with N, R or T: MCR_OP_TOUCH.  Where the plan says MCR_SEND_WRITE send the
 *    command itself, where it says MCR_SEND_READ a plain get.
 *  - `md I` is MCR_OP_DELETE, a delete.  `ma N` is MCR_OP_UPDATE, without the N.
 *  - a lock built on add is not exclusive for a key that moves, from COPY to GIVEUP.
 *  - flush_all: never while mcr_info's phase is not MCR_STEADY.
 *
 * OPERATIONS THAT DO NOT END
 *
 * mcr_end says whether the plan held until its last reply was in:
 *  - MCR_OK: yes.
 *  - MCR_NEWER: yes, but a newer generation is out.  A read that found nothing is planned again,
 *    once: the key may have moved past it.
 *  - MCR_REPEAT: no, it took too long.  If nothing but reads was sent, their answer is void: plan
 *    again.  Otherwise the cluster may have gone on without waiting for it: delete the key at the
 *    servers of this plan, then delete it by a new plan (MCR_OP_DELETE).  The operation is complete
 *    only when that has succeeded.
 * Likewise when a delete of the plan could not be delivered, be it the second step of a write or
 * any step of a delete: delete the key by a new plan, again and again until it succeeds, or hand it
 * to the agent with mcr_owe.  The agent deletes it as a client would, by the rule of the phase that
 * it then is in, again and again until it succeeds, also when it was restarted; so a server that
 * was out of reach comes back without the value that nobody could delete.  Until then the operation
 * is not complete: the caller is told that it failed, or that it is owed, never that it is done.
 * Without mcr_owe's MCR_OK the operation has failed.
 *
 * BEING REGISTERED
 *
 * The cluster goes from one phase to the next when no client runs an operation of the phase before
 * any more.  So that it need not wait op-timeout for that each time, and so that nobody is
 * overlooked, a client process is registered with its host's agent: mcr_open does it, on the socket
 * that the segment names.  By default a list demands it (`registration required`): mcr_begin says
 * MCR_NOT_REGISTERED without it, and mcr_register says why.  Two exceptions, in which no phase is
 * passed: while the agent is dead, and in the first second after its start.
 *
 * What a registered client runs is counted by the library in memory that the agent looks at; that
 * is all that a reader does for it, and it needs no system call.  Hence:
 *  - **Every plan that mcr_begin made is ended by mcr_end, exactly once**, by the same reader and
 *    in the same process, also when nothing was sent.  A plan that is never ended holds up the
 *    next phase for op-timeout.
 *  - A process that is idle, or busy with something else, holds nothing up.  One that is stopped
 *    in the middle of an operation does for op-timeout.
 *  - When the agent was restarted the next mcr_begin, mcr_wait or mcr_service registers again, with
 *    nobody noticing.
 *  - A program with an event loop adds mcr_fd to it and calls mcr_service when it is readable: then
 *    the process also says of itself that it has adopted a generation, which `client-quorum` counts
 *    as it does a first operation by the new generation; mcr_wait does the same.  It is needed for
 *    nothing else.
 * Why there is no thread for it: the agent sees what is under way without one, and a thread that a
 * library starts is one that its program did not ask for.
 *
 * THREADS, SIGNALS, FORK
 *
 * A struct mcr may be shared by threads.  A struct mcr_reader belongs to one thread at a time; it
 * may have many plans under way at once.  The library installs no signal handler, starts no thread,
 * never calls exit and prints nothing.  mcr_begin, mcr_check, mcr_end, mcr_owner, mcr_server,
 * mcr_servers and mcr_info are safe in a signal handler that does not share its reader.  Only
 * mcr_open, mcr_register, mcr_owe and mcr_wait sleep.
 *
 * After a fork both go on.  The child is a client of its own, which is noticed at its next call; to
 * be registered before its first operation it calls mcr_register.  A plan stays with the process
 * that made it.  Linux 4.14 is needed for that (MADV_WIPEONFORK).
 *
 * FAILURES
 *
 * Every function that can fail returns an enum mcr_error as int.  On an error nothing has been
 * stored through the caller's pointers, unless it is said there.  What is in the segment is never
 * trusted with a bound: a damaged one gives MCR_CORRUPT, and a server's number in a plan is always
 * one that mcr_server knows.
 */
#ifndef MCROSTER_H
#define MCROSTER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What every function answers.  0 and above is success; the others are negative. */
enum mcr_error {
	MCR_OK = 0,
	MCR_NEWER = 1,	       /* mcr_end: in time, but a newer generation is out */
	MCR_REPEAT = 2,	       /* mcr_end: the plan overran */
	MCR_NOT_READY = -1,    /* no list has been published yet: mcr_wait(mcr, 0, ...) */
	MCR_ISOLATED = -2,     /* the host holds no lease, and a plan needs one (see MCR_STRICT) */
	MCR_LATE = -3,	       /* mcr_check: the plan's time is over, do not send the step */
	MCR_STALE = -4,	       /* the plan's generation is no longer known: plan again */
	MCR_NO_SEGMENT = -5,   /* there is no segment of that name: no agent has run here */
	MCR_BAD_OWNER = -6,    /* the segment is not root's, the caller's or the user mcroster's */
	MCR_BAD_MODE = -7,     /* others may write to the segment, or it is not a regular file */
	MCR_BAD_LAYOUT = -8,   /* no segment of this library's layout (mcr_strerror says which) */
	MCR_BAD_KEY = -9,      /* empty, or longer than MCR_KEY_MAX */
	MCR_NOT_COVERED = -10, /* the key does not begin with the list's prefix */
	MCR_TIMED_OUT = -11,   /* mcr_wait */
	MCR_NO_MEMORY = -12,
	MCR_BAD_ARGUMENT = -13,
	MCR_CORRUPT = -14,	  /* the segment's content is out of bounds */
	MCR_MOVED = -15,	  /* the segment was replaced: close and open again */
	MCR_SYSTEM = -16,	  /* the system refused a call: errno says why */
	MCR_NOT_REGISTERED = -17, /* the list demands registration: mcr_register says more */
	MCR_NO_AGENT = -18,	  /* mcr_register: nobody answers where clients register */
	MCR_TOO_MANY = -19,	  /* mcr_register: the agent takes no more clients (of this user) */
	MCR_REFUSED = -20,	  /* mcr_register, mcr_owe: the agent refuses this client */
	MCR_FULL = -21,		  /* mcr_owe: as many keys are owed (by this user) as may be */
	MCR_NOT_STORED = -22	  /* mcr_owe: the agent cannot put it on disk */
};

#define MCR_KEY_MAX	250u
#define MCR_NAME_MAX	63u
#define MCR_ADDRESS_MAX 111u
#define MCR_STEPS_MAX	5u

/* Flags of mcr_open.  MCR_STRICT: no plans (MCR_ISOLATED) while the host holds no lease, that is,
 * while the cluster may be changing without it; the caller goes to its database instead.  A list
 * can demand the same of everybody (`isolation bypass`).  Without either the last list is served
 * however old it is, and beyond the lease a read may be stale. */
#define MCR_STRICT 1u

/* MCR_OBSERVE: for tools that only look.  The process is not registered; where registration is
 * demanded there are no plans for it. */
#define MCR_OBSERVE 2u

/* What the caller wants to do. */
enum mcr_op {
	MCR_OP_GET, /* get, gets, mg without N, R and T */
	MCR_OP_SET, /* set, ms in mode set */
	MCR_OP_ADD,
	MCR_OP_UPDATE, /* incr, decr, replace, cas: changes what it finds */
	MCR_OP_APPEND, /* append, prepend */
	MCR_OP_DELETE,
	MCR_OP_TOUCH, /* touch, gat, mg with N, R or T */
	MCR_OP_COUNT
};

/* How far a change of the list has come.  Callers carry out plans and can leave this to them. */
enum mcr_phase {
	MCR_STEADY,  /* one list is in force */
	MCR_PREPARE, /* new owners drop what is not theirs */
	MCR_COPY,    /* keys are copied to their new owners */
	MCR_SWITCH,  /* reads begin at the new owner */
	MCR_SETTLE,  /* writes go to the new owner alone */
	MCR_DRAIN,   /* what is left at the old owners is moved */
	MCR_GIVEUP,  /* old owners that are lost are not asked any more */
	MCR_UNWIND,  /* the change is being undone */
	MCR_PHASE_COUNT
};

/* What a step sends.  See WHAT A PLAN IS. */
enum mcr_send { MCR_SEND_READ, MCR_SEND_WRITE, MCR_SEND_SET, MCR_SEND_DELETE };

/* What the caller is told in the end. */
enum mcr_answer {
	/* What the steps gave. */
	MCR_ANSWER_RESULT,
	/* "not stored", once the steps (deletes) have succeeded: append while keys move. */
	MCR_ANSWER_NOT_STORED,
	/* Touch while keys move: "touched", or the value, if a read found it, "not found" if none
	 * did.  Its expiry stays as it was. */
	MCR_ANSWER_READ
};

struct mcr_step {
	uint16_t server;       /* number for mcr_server */
	uint8_t send;	       /* enum mcr_send */
	uint8_t empty_is_miss; /* MCR_SEND_READ: an empty value counts as a miss */
};

/* One operation on one key.  Filled by mcr_begin; 40 bytes, may be copied; ended by mcr_end. */
struct mcr_plan {
	uint32_t generation; /* by which it was made */
	uint8_t op;	     /* enum mcr_op */
	uint8_t phase;	     /* enum mcr_phase of that generation, also if this key stays */
	uint8_t step_count;  /* 1..MCR_STEPS_MAX; steps beyond are zero */
	uint8_t answer;	     /* enum mcr_answer */
	struct mcr_step step[MCR_STEPS_MAX];
	uint32_t owner;	      /* the server that a cas token must come from */
	uint64_t deadline_ns; /* CLOCK_BOOTTIME; 0: bounded by the next publication alone */
};

struct mcr_server {
	char name[MCR_NAME_MAX + 1];
	char address[MCR_ADDRESS_MAX + 1]; /* numeric, "10.0.0.1:11211" or "[::1]:11211" */
	uint32_t weight;
	uint8_t in_old, in_new; /* listed before the change, after it (settled: both) */
	/* The same for the same name and address in every generation.  Keep connections by it:
	 * numbers change from one generation to the next. */
	uint64_t id;
};

/* A snapshot of what the segment says of itself. */
struct mcr_info {
	uint32_t generation;
	uint8_t phase;		    /* enum mcr_phase */
	uint64_t epoch, next_epoch; /* of the list in force, of the one to come (0: no change) */
	uint32_t server_count, slot_count, op_timeout_ms;
	uint64_t heartbeat;	    /* counts up several times a second while the agent lives */
	uint64_t published_ns;	    /* CLOCK_BOOTTIME, of this generation */
	uint64_t lease_deadline_ns; /* CLOCK_BOOTTIME; 0: no lease */
	uint8_t bypass;		    /* isolation bypass: plans need the lease */
	/* BLAKE2b-256 of the lists' text without its signatures. */
	uint8_t list_hash[32], next_hash[32];
};

struct mcr;
struct mcr_reader;

/* Maps a cluster's segment.  `cluster` is the cluster's name ("web": the segment /mcroster.web) or,
 * beginning with '/', the name of a segment.  It may exist before the agent has published anything:
 * then mcr_begin says MCR_NOT_READY.  Where an agent answers the process is registered, for which
 * it waits a quarter of a second at most; that it could not be is no error here.  *mcr is released
 * by mcr_close.
 * MCR_NO_SEGMENT, MCR_BAD_OWNER, MCR_BAD_MODE, MCR_BAD_LAYOUT, MCR_NO_MEMORY, MCR_BAD_ARGUMENT,
 * MCR_SYSTEM. */
int mcr_open(const char *cluster, unsigned flags, struct mcr **mcr);

/* Unmaps it.  Every reader must have been freed.  NULL is fine. */
void mcr_close(struct mcr *mcr);

/* A reader for one thread; many may exist.  Released by mcr_reader_free, before mcr_close.
 * MCR_NO_MEMORY, MCR_BAD_ARGUMENT. */
int mcr_reader_new(struct mcr *mcr, struct mcr_reader **reader);
void mcr_reader_free(struct mcr_reader *reader); /* NULL is fine */

/* Plans an operation on a key of `len` bytes, to be ended by mcr_end.  The key's characters are not
 * looked at.  MCR_NOT_READY, MCR_ISOLATED, MCR_NOT_REGISTERED, MCR_BAD_KEY, MCR_NOT_COVERED,
 * MCR_BAD_ARGUMENT, MCR_CORRUPT, MCR_BAD_LAYOUT, MCR_MOVED; MCR_STALE when publications overtook it
 * again and again. */
int mcr_begin(struct mcr_reader *reader, enum mcr_op op, const void *key, size_t len,
	      struct mcr_plan *plan);

/* Before each step: MCR_OK, or MCR_LATE: send it no more.  If nothing was sent yet, plan again;
 * else mcr_end, which will say MCR_REPEAT.  A clock is read only when a newer generation is out or
 * the plan has a deadline of its own. */
int mcr_check(struct mcr_reader *reader, const struct mcr_plan *plan);

/* After the last reply, once for each plan, also if nothing was sent: MCR_OK, MCR_NEWER or
 * MCR_REPEAT; see OPERATIONS THAT DO NOT END. */
int mcr_end(struct mcr_reader *reader, const struct mcr_plan *plan);

/* Hands a key to the agent that step number `step` of the plan could not delete: its server did not
 * answer in time, refused, could not be reached, or the step was not sent because it was too late.
 * Of several such steps name one.  Call it after mcr_end.
 *
 * MCR_OK: the key is on the agent's disk and will be deleted by the rule of the phase, as often as
 * it takes.  The operation is complete when that has succeeded, which the agent shows (mcadmin
 * status); whatever is written to the key meanwhile may be deleted by it as well.
 *
 * Anything else: the operation has failed.  MCR_FULL, MCR_NOT_STORED: the agent takes no more.
 * MCR_NO_AGENT: nobody answers for timeout_ms; MCR_NOT_READY: he has no list yet for so long;
 * MCR_TIMED_OUT: he has not answered, and may have the key or not.  MCR_BAD_KEY, also for one that
 * no command of the text protocol can name, or that the list is not for.  MCR_REFUSED,
 * MCR_BAD_OWNER, MCR_BAD_ARGUMENT, MCR_SYSTEM.
 *
 * It waits for the agent's disk, timeout_ms at most (0 and above).  No state of the reader or of
 * the registration is touched: each call has a connection of its own, so any thread may wait in it,
 * a child after a fork too, and nobody waits for another. */
int mcr_owe(struct mcr_reader *reader, const struct mcr_plan *plan, unsigned step, const void *key,
	    size_t len, int timeout_ms);

/* Copies out a server by its number in a plan; with `plan` NULL, by its number in the generation
 * that the reader last used (mcr_owner).  MCR_STALE when three more generations have been published
 * since; MCR_BAD_ARGUMENT for a number that is not a server's; MCR_NOT_READY. */
int mcr_server(struct mcr_reader *reader, const struct mcr_plan *plan, uint32_t server,
	       struct mcr_server *out);

/* A key's owners under the list before and after the change; outside of a change the same twice.
 * For tools: it says nothing of what may be sent there.  Needs no lease.  Errors as mcr_begin. */
int mcr_owner(struct mcr_reader *reader, const void *key, size_t len, uint32_t *old_owner,
	      uint32_t *new_owner);

/* MCR_NOT_READY, MCR_MOVED, MCR_CORRUPT, MCR_BAD_LAYOUT, MCR_BAD_ARGUMENT, MCR_STALE.  It is also
 * how a program that runs for long notices MCR_MOVED: call it now and then. */
int mcr_info(struct mcr *mcr, struct mcr_info *info);

/* Copies out the newest generation's servers, numbered from 0: at most `capacity` of them.  Returns
 * how many there are, or an error as mcr_info (then `out` is undefined).  `info` (NULL is fine) is
 * of the same generation. */
int mcr_servers(struct mcr_reader *reader, struct mcr_info *info, struct mcr_server *out,
		uint32_t capacity);

/* Sleeps until the generation is not `generation`: MCR_OK, at once if it is not.  MCR_TIMED_OUT
 * after timeout_ms; 0 only looks, negative waits for ever.  MCR_MOVED, MCR_BAD_ARGUMENT,
 * MCR_SYSTEM.  Signals do not end it. */
int mcr_wait(struct mcr *mcr, uint32_t generation, int timeout_ms);

/* Registers this process with the agent where it is not, and waits for the answer: MCR_OK when it
 * is registered.  MCR_TOO_MANY, MCR_REFUSED, MCR_BAD_OWNER (the socket is not the agent's);
 * MCR_NO_AGENT after timeout_ms without an answer.  0 only looks.  MCR_BAD_ARGUMENT, MCR_SYSTEM. */
int mcr_register(struct mcr *mcr, int timeout_ms);

/* A descriptor for an event loop: readable when mcr_service has something to do, which is when a
 * generation was published or the agent has come or gone.  It stays the same until mcr_close, which
 * closes it; a child asks for its own.  Do not read from it.  Or MCR_SYSTEM, MCR_BAD_ARGUMENT. */
int mcr_fd(struct mcr *mcr);

/* Answers the agent for the newest generation, and registers again where that is needed.  Does not
 * wait.  MCR_OK: the process is registered; else as mcr_register. */
int mcr_service(struct mcr *mcr);

/* Constant strings. */
const char *mcr_strerror(int error);
const char *mcr_phase_name(enum mcr_phase phase);

#ifdef __cplusplus
}
#endif
#endif
