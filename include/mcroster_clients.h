/* mcroster_clients.h - how a client process registers with its host's agent: an ABI.
 *
 * libmcroster does all of this; the file is for whoever writes another client library.
 *
 * The agent listens on the SOCK_SEQPACKET socket that the segment's header names.  Every message
 * but OWE is one struct mcr_clients_message, in the machine's own byte order; what a type does not
 * use is zero.  A client sends REGISTER and is answered REGISTERED or REFUSED.  From REGISTERED on,
 * until the connection ends, the agent reports no phase as adopted while the client may still run
 * an operation that was planned by an older generation, except that it waits op_timeout at most.
 *
 * The agent learns of that in two ways.
 *
 * By looking.  With REGISTER the client passes a memfd (SCM_RIGHTS) of MCR_MARKS_BYTES, sealed with
 * F_SEAL_SHRINK, F_SEAL_GROW and F_SEAL_SEAL.  In it each reader, that is each thread, has a line,
 * where it counts its operations by the generation that planned them:
 *
 *	begin:	flying[g % 4] += 1;  load the generation;  if it is not g: take the count back, and
 *		begin again with the newer one
 *	end:	flying[g % 4] -= 1
 *
 * Both are plain stores to the reader's own cache line.  That the store of `begin` is seen before
 * the load is made is the looking side's care: after a publication the agent issues
 * membarrier(GLOBAL_EXPEDITED), for which the client has registered itself, and then looks.  A
 * client that cannot, or that was told MCR_CLIENTS_FENCE, puts a full fence between the two.
 * So a process that is idle needs not run for a change to go on, and a reader never makes a system
 * call because the generation changed.
 *
 * By being told.  A process that runs anyway (mcr_service, mcr_wait) looks at its own lines, after
 * membarrier(PRIVATE_EXPEDITED), and sends ACKNOWLEDGE when none is older than the newest
 * generation.  It is the only way for a client without a memfd.
 *
 * Apart from all this, on a connection of its own, a process hands over a key that has to be
 * deleted where it could not reach: it sends OWE, and is answered OWED once the key is on the
 * agent's disk, or REFUSED; either ends the connection.  Whether the process is registered does not
 * matter.
 */
#ifndef MCROSTER_CLIENTS_H
#define MCROSTER_CLIENTS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define MCR_CLIENTS_ASSERT(condition, text) static_assert(condition, text)
#else
#define MCR_CLIENTS_ASSERT(condition, text) _Static_assert(condition, text)
#endif

#define MCR_CLIENTS_VERSION 1u
#define MCR_CLIENTS_TEXT    64u
#define MCR_CLIENTS_ADDRESS 112u
#define MCR_CLIENTS_KEY	    256u

enum mcr_clients_type {
	/* client to agent */
	MCR_CLIENTS_REGISTER = 1,    /* code: which attempt; text: the cluster; perhaps a memfd */
	MCR_CLIENTS_WATCH = 2,	     /* send GENERATION with each publication from now on */
	MCR_CLIENTS_ACKNOWLEDGE = 3, /* generation: nothing older runs in this process */
	MCR_CLIENTS_REFUSE = 4,	     /* generation: it cannot be used; code: enum mcr_error */
	MCR_CLIENTS_OWE = 5,	     /* struct mcr_clients_owe; the first of its connection */
	/* agent to client */
	MCR_CLIENTS_REGISTERED = 16, /* incarnation, generation, flags */
	MCR_CLIENTS_REFUSED = 17,    /* code: enum mcr_clients_refusal; the connection ends */
	MCR_CLIENTS_GENERATION = 18, /* generation: published.  One that was not read in time is
				      * followed by no other */
	MCR_CLIENTS_OWED = 19	     /* the key is on disk; the connection ends */
};

enum mcr_clients_refusal {
	MCR_CLIENTS_OTHER_VERSION = 1,
	MCR_CLIENTS_OTHER_CLUSTER = 2,
	MCR_CLIENTS_TOO_MANY = 3,  /* of this user, or in all */
	MCR_CLIENTS_BAD_MARKS = 4, /* the memfd is not one, not sealed, or of another size */
	MCR_CLIENTS_MISUSE = 5,	   /* a message that makes no sense, or too many of them */
	/* of OWE */
	MCR_CLIENTS_FULL = 6,	    /* as much is owed, in all or by this user, as may be */
	MCR_CLIENTS_NOT_STORED = 7, /* it could not be put on disk */
	MCR_CLIENTS_BAD_KEY = 8,    /* no memcached can name it, or the list is not for it */
	MCR_CLIENTS_NO_LIST = 9	    /* the agent has published nothing yet: try again */
};

/* Flags of REGISTERED. */
#define MCR_CLIENTS_FENCE 1u /* the agent has no membarrier: fence in `begin` */

struct mcr_clients_message {
	uint32_t type;		     /*  0: enum mcr_clients_type */
	uint32_t version;	     /*  4: MCR_CLIENTS_VERSION, in every message */
	uint64_t incarnation;	     /*  8: the agent's, as in the segment's header */
	uint32_t generation;	     /* 16 */
	uint32_t code;		     /* 20 */
	uint32_t flags;		     /* 24 */
	uint32_t zero;		     /* 28 */
	char text[MCR_CLIENTS_TEXT]; /* 32: NUL-terminated, zero-filled */
};

/* A key to be deleted.  The agent deletes it by the rule of the phase that it then is in, wherever
 * that is; the server says where it was to be deleted, by which plan. */
struct mcr_clients_owe {
	/*  0: generation: of the plan; code: bytes of the key; text: the cluster */
	struct mcr_clients_message head;
	/* The server that the step could not be delivered to.  Both are empty where the plan's
	 * generation is not in the ring any more.  NUL-terminated, zero-filled. */
	char name[MCR_CLIENTS_TEXT];	   /*  96 */
	char address[MCR_CLIENTS_ADDRESS]; /* 160 */
	uint8_t key[MCR_CLIENTS_KEY];	   /* 272: any bytes, 1 to 250 of them; zero-filled */
};

/* One reader.  Written by its thread alone; the agent only reads. */
struct mcr_marks_line {
	uint32_t flying[4]; /*  0: operations under way, by generation % 4 */
	uint32_t used; /* 16: the newest generation counted; stored before its first operation */
	uint32_t pad[11];
};

#define MCR_MARKS_LINES 1023u

struct mcr_marks {
	uint32_t lines;	      /*  0: line[] is in use below this number, at most */
	uint32_t uncounted;   /*  4: readers that found no line: what they do is not known */
	uint32_t refused;     /*  8: the newest generation that could not be used; 0: none */
	uint32_t refused_why; /* 12: enum mcr_error, negated */
	uint32_t
	    dropped; /* 16: written by the agent: the newest attempt whose registration is over */
	uint32_t pad[11];
	struct mcr_marks_line line[MCR_MARKS_LINES];
};

#define MCR_MARKS_BYTES 65536u

MCR_CLIENTS_ASSERT(sizeof(struct mcr_clients_message) == 96, "mcr_clients_message");
MCR_CLIENTS_ASSERT(offsetof(struct mcr_clients_message, text) == 32, "text");
MCR_CLIENTS_ASSERT(sizeof(struct mcr_clients_owe) == 528, "mcr_clients_owe");
MCR_CLIENTS_ASSERT(offsetof(struct mcr_clients_owe, name) == 96, "name");
MCR_CLIENTS_ASSERT(offsetof(struct mcr_clients_owe, address) == 160, "address");
MCR_CLIENTS_ASSERT(offsetof(struct mcr_clients_owe, key) == 272, "key");
MCR_CLIENTS_ASSERT(sizeof(struct mcr_marks_line) == 64, "mcr_marks_line");
MCR_CLIENTS_ASSERT(offsetof(struct mcr_marks, line) == 64, "line");
MCR_CLIENTS_ASSERT(sizeof(struct mcr_marks) == MCR_MARKS_BYTES, "mcr_marks");

#undef MCR_CLIENTS_ASSERT

#endif
