/* mcroster.h - the public API of libmcroster. (draft of the interface; the contract is the comments) */
#ifndef MCROSTER_H
#define MCROSTER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What every function answers.  0 is success; the others are negative. */
enum mcr_error {
	MCR_OK = 0,
	MCR_NEWER = 1,	     /* mcr_end: in time, but a newer generation is out: plan a read that missed again, once */
	MCR_REPEAT = 2,	     /* mcr_end: the plan overran: a write must be invalidated again (see mcr_end) */
	MCR_NOT_READY = -1,  /* no list has been published yet */
	MCR_ISOLATED = -2,   /* the host lost its lease and may not serve (isolation bypass or MCR_STRICT) */
	MCR_LATE = -3,	     /* mcr_check: the plan's deadline is past: do not send the step */
	MCR_STALE = -4,	     /* the generation asked for is no longer in the ring: plan again */
	MCR_NO_SEGMENT = -5, /* there is no segment of that name */
	MCR_BAD_OWNER = -6,  /* the segment belongs to another user */
	MCR_BAD_MODE = -7,   /* others may write to the segment, or it is not a regular file */
	MCR_BAD_LAYOUT = -8, /* another layout version, size or magic */
	MCR_BAD_KEY = -9,    /* empty, or longer than MCR_KEY_MAX */
	MCR_NOT_COVERED = -10, /* the key does not begin with the list's prefix */
	MCR_TIMED_OUT = -11,
	MCR_NO_MEMORY = -12,
	MCR_BAD_ARGUMENT = -13,
	MCR_CORRUPT = -14,   /* the segment's content is out of bounds */
	MCR_MOVED = -15,     /* the segment was replaced: close and open again */
	MCR_SYSTEM = -16     /* the system refused a call: errno says why */
};

#define MCR_KEY_MAX     250u
#define MCR_NAME_MAX    63u
#define MCR_ADDRESS_MAX 111u
#define MCR_STEPS_MAX   5u

/* flags of mcr_open */
#define MCR_STRICT 1u /* plans fail with MCR_ISOLATED once the lease's deadline has passed, whatever the list says */

enum mcr_op {
	MCR_OP_GET,    /* get, mg without N, R, T; get-and-touch while keys move */
	MCR_OP_SET,
	MCR_OP_ADD,
	MCR_OP_UPDATE, /* incr, decr, replace, cas: changes what it finds */
	MCR_OP_APPEND, /* append, prepend */
	MCR_OP_DELETE,
	MCR_OP_TOUCH,
	MCR_OP_COUNT
};

enum mcr_phase {
	MCR_STEADY, MCR_PREPARE, MCR_COPY, MCR_SWITCH, MCR_SETTLE, MCR_DRAIN, MCR_GIVEUP, MCR_UNWIND,
	MCR_PHASE_COUNT
};

/* What a step sends. */
enum mcr_send {
	MCR_SEND_READ,	 /* a plain read: found ends the plan; a miss or a failure goes on to the next step */
	MCR_SEND_WRITE,	 /* the caller's own command: set, add, incr, append, touch, ... */
	MCR_SEND_SET,	 /* the caller's value by set (what an add becomes once its reads have missed) */
	MCR_SEND_DELETE
};

struct mcr_step {
	uint16_t server;	/* number for mcr_server */
	uint8_t send;		/* enum mcr_send */
	uint8_t empty_is_miss;	/* a read: an empty value may be a mover's reservation; treat it as a miss */
};

/* One operation on one key.  Steps run in order, each waiting for the reply of the one before.
 * Reads come first: the first that finds ends them (for MCR_OP_ADD: ends the plan, "not stored").
 * A write that fails or times out is the caller's error; the steps after it are sent all the same. */
struct mcr_plan {
	uint32_t generation;
	uint8_t op;	   /* enum mcr_op */
	uint8_t phase;	   /* enum mcr_phase */
	uint8_t step_count;
	uint8_t answer;	   /* enum mcr_answer: what the caller is told */
	struct mcr_step step[MCR_STEPS_MAX];
	uint32_t owner;	   /* the server a cas token must come from; a token from another is EXISTS */
	uint64_t deadline_ns; /* CLOCK_BOOTTIME; 0: bounded by the next generation's publication only */
};

enum mcr_answer {
	MCR_ANSWER_RESULT,     /* the result of the reads or of the first write */
	MCR_ANSWER_NOT_STORED, /* "not stored", whatever the steps (deletes) say: append while keys move */
	MCR_ANSWER_READ        /* touch while keys move: found or not, nothing touched */
};

struct mcr_server {
	char name[MCR_NAME_MAX + 1];
	char address[MCR_ADDRESS_MAX + 1]; /* numeric, "10.0.0.1:11211" or "[::1]:11211" */
	uint32_t weight;
	uint8_t in_old, in_new; /* listed before the change, after it (settled: both) */
	uint64_t id;		/* the same for the same name and address in every generation */
};

/* A snapshot of what the segment says of itself. */
struct mcr_info {
	uint32_t generation;
	uint8_t phase;
	uint64_t epoch, next_epoch; /* next_epoch 0: no change under way */
	uint32_t server_count, slot_count, op_timeout_ms;
	uint64_t heartbeat;	      /* grows while the agent lives */
	uint64_t published_ns;	      /* CLOCK_BOOTTIME, of this generation */
	uint64_t lease_deadline_ns;   /* CLOCK_BOOTTIME; 0: no lease */
	uint8_t bypass;		      /* isolation bypass */
	uint8_t list_hash[32], next_hash[32];
};

struct mcr;
struct mcr_reader;

/* `cluster` is the cluster's name, or, when it begins with '/', a segment's own name. */
int mcr_open(const char *cluster, unsigned flags, struct mcr **mcr);
void mcr_close(struct mcr *mcr);
int mcr_reader_new(struct mcr *mcr, struct mcr_reader **reader); /* one per thread */
void mcr_reader_free(struct mcr_reader *reader);

int mcr_begin(struct mcr_reader *reader, enum mcr_op op, const void *key, size_t len, struct mcr_plan *plan);
int mcr_check(struct mcr_reader *reader, const struct mcr_plan *plan); /* before each step: MCR_OK or MCR_LATE */
int mcr_end(struct mcr_reader *reader, const struct mcr_plan *plan);   /* MCR_OK, MCR_NEWER, MCR_REPEAT */

int mcr_server(struct mcr_reader *reader, const struct mcr_plan *plan, uint32_t server, struct mcr_server *out);
int mcr_owner(struct mcr_reader *reader, const void *key, size_t len, uint32_t *old_owner, uint32_t *new_owner);
int mcr_info(struct mcr *mcr, struct mcr_info *info);
int mcr_servers(struct mcr_reader *reader, struct mcr_info *info, struct mcr_server *out, uint32_t capacity); /* count, or error */
int mcr_wait(struct mcr *mcr, uint32_t generation, int timeout_ms); /* until the generation differs */
const char *mcr_strerror(int error);
const char *mcr_phase_name(enum mcr_phase phase);

#ifdef __cplusplus
}
#endif
#endif
