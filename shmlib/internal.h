/* internal.h - what the library's files share and nobody else sees.
 *
 * Nothing of the segment is trusted: its geometry is copied to private memory when it is attached,
 * the scalars of a generation are copied and bounded before they are used (view.c), and every
 * server number is bounded where it is read.
 */
#ifndef MCROSTER_INTERNAL_H
#define MCROSTER_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/un.h>

#include "mcroster.h"
#include "mcroster_clients.h"
#include "mcroster_segment.h"
#include "table.h"

#define LIKELY(condition)   __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/* How often a reader begins again when publications overtake it.  They come seldom; only a hostile
 * segment could keep it going, and nobody may make a caller wait. */
#define READ_TRIES 64

#pragma GCC visibility push(hidden)

/* A page that the kernel wipes in a child (MADV_WIPEONFORK): there nothing of it is true any more,
 * and whoever finds it empty begins anew. */
struct guard {
	uint32_t stamp; /* another number whenever readers have to move in again; 0: forked */
	uint32_t busy;	/* held by whoever changes what struct mcr says of itself (guard.c) */
};

enum registration_state { REGISTRATION_NONE, REGISTRATION_ASKED, REGISTRATION_DONE };

/* How this process stands with the agent.  Changed under the guard. */
struct registration {
	enum registration_state state;
	int fd;		       /* the socket; -1 */
	int reason;	       /* why it is not registered: enum mcr_error */
	uint64_t incarnation;  /* of the agent that it is registered with; 0: none.  Atomic */
	uint32_t attempt;      /* the number of the last REGISTER.  Atomic */
	uint64_t asked_ns;     /* when it asked */
	uint64_t retry_ns;     /* not before this time */
	uint32_t acknowledged; /* the newest generation that was answered for */
	int poll_fd, timer_fd; /* service.c; -1 */
};

struct mcr {
	const struct mcr_segment_header *header; /* the mapping, read-only */
	struct guard *guard;
	uint32_t stamps;	 /* the last stamp given */
	uint32_t home;		 /* of which process the marks are: grows with each fork */
	struct mcr_marks *marks; /* marks.c */
	int marks_fd;		 /* -1: the agent cannot look */
	bool fenced;		 /* marks need a fence: there is no membarrier */
	uint8_t line_used[MCR_MARKS_LINES];
	struct registration registration;
	uid_t owner; /* of the segment, so of the agent */
	size_t map_bytes;
	uint32_t header_bytes, slot_bytes; /* private copies, checked against map_bytes */
	unsigned flags;			   /* of mcr_open */
	dev_t device;
	ino_t inode;
	uint64_t seen_heartbeat; /* by segment_replaced; any thread */
	char path[272];		 /* "" when attached by descriptor */
};

/* A private copy of what one generation says, every offset and count within the mapping.  Valid as
 * long as the generation is in the ring. */
struct view {
	uint32_t generation;
	uint32_t phase; /* < MCR_PHASE_COUNT */
	uint32_t flags;
	uint32_t op_timeout_ms;
	uint32_t server_count, server_stride;
	uint32_t prefix_bytes;
	bool slots_alone; /* both tables are of slots: one hash serves both */
	struct table old_table, new_table;
	const uint8_t *servers;
	uint64_t epoch, next_epoch;
	uint8_t list_hash[32], next_hash[32];
	char prefix[64];
};

struct mcr_reader {
	/* What a lookup touches stands together. */
	const struct mcr_segment_header *header;
	const struct guard *guard;
	uint32_t *flying; /* operations under way, by generation % 4: mcr_marks_line */
	uint64_t current; /* view.generation, or NO_GENERATION: one word says both */
	uint32_t stamp;	  /* the guard's when this reader moved in */
	uint32_t newest;  /* the newest generation that it counted for; 0: none */
	bool fenced;	  /* a fence between the count and the look at the generation */
	bool clocked;	  /* plans have a deadline of their own: leased or unregistered */
	bool leased;	  /* plans need the lease: MCR_STRICT or isolation bypass */
	bool unregistered;
	struct view view;
	struct mcr *mcr;
	uint32_t home; /* whose marks `line` is in; 0: it has moved in nowhere */
	int line;      /* in mcr->marks, or -1: own_flying */
	uint32_t own_flying[4];
};

#define NO_GENERATION UINT64_MAX

/* attach.c */
int mcr_attach_fd(int fd, unsigned flags, struct mcr **mcr);
bool mcr_replaced(struct mcr *mcr);

/* guard.c */
int mcr_guard_make(struct mcr *mcr);
void mcr_guard_free(struct mcr *mcr);
bool mcr_guard_try(struct mcr *mcr); /* false: somebody has it.  Never waits */
void mcr_guard_take(struct mcr *mcr);
void mcr_guard_leave(struct mcr *mcr);
/* Under the guard: every reader moves in again before its next plan. */
void mcr_guard_restamp(struct mcr *mcr);
/* Under the guard, where its stamp is 0: this is a child.  It makes marks of its own. */
void mcr_guard_forked(struct mcr *mcr);

/* marks.c.  Under the guard.  What mcr_marks_make makes takes the place of what was there; on an
 * error that stays. */
int mcr_marks_make(struct mcr *mcr);
void mcr_marks_free(struct mcr *mcr);
void mcr_marks_line_take(struct mcr *mcr, struct mcr_reader *reader);
void mcr_marks_line_leave(struct mcr *mcr, struct mcr_reader *reader);
/* Does no operation run in this process that an older generation planned? */
bool mcr_marks_none_older(const struct mcr *mcr, uint32_t generation);

/* register.c */
void mcr_registration_init(struct mcr *mcr);
void mcr_registration_close(struct mcr *mcr);
/* Where an agent answers at once, the process is registered when it returns. */
void mcr_registration_open(struct mcr *mcr);
/* Under the guard: gets ahead as far as that is possible without waiting. */
void mcr_registration_step(struct mcr *mcr, uint64_t now_ns);
/* Any thread. */
bool mcr_registered(const struct mcr *mcr);
/* A plan is wanted and the list demands registration: tries to get it, and says whether a plan may
 * be made meanwhile: MCR_OK, MCR_NOT_REGISTERED. */
int mcr_registration_permit(struct mcr *mcr, uint32_t op_timeout_ms, uint64_t now_ns);
/* Under the guard, registered.  False: it could not be sent now. */
bool mcr_registration_send(struct mcr *mcr, const struct mcr_clients_message *message);

/* Where clients register.  False: the segment names no such place. */
bool mcr_clients_address(const struct mcr *mcr, struct sockaddr_un *address);
/* The clients' cluster: MCR_CLIENTS_TEXT bytes, NUL-terminated. */
void mcr_clients_cluster(const struct mcr *mcr, char *cluster);
/* Is it the agent who listens there? */
bool mcr_agent_genuine(const struct mcr *mcr, int fd);

/* service.c */
/* Under the guard: what the descriptor of event loops waits for has changed. */
void mcr_service_arm(struct mcr *mcr);
/* Answers for the newest generation where that is due; gives way to whoever is at it. */
void mcr_service_try(struct mcr *mcr);

/* view.c: MCR_STALE when the generation is not, or no longer, in the ring; MCR_CORRUPT,
 * MCR_BAD_LAYOUT.  *view is undefined unless MCR_OK. */
int mcr_view_load(const struct mcr *mcr, uint32_t generation, struct view *view);
/* The newest generation: also MCR_NOT_READY, MCR_MOVED. */
int mcr_view_newest(const struct mcr *mcr, struct view *view);
/* Reads one server's record.  The caller re-checks the generation afterwards. */
void mcr_view_server(const struct view *view, uint32_t server, struct mcr_server *out);

/* clock.c */
uint64_t mcr_clock_boot_ns(void);

#pragma GCC visibility pop

static inline uint32_t mcr_guard_stamp(const struct guard *guard)
{
	return __atomic_load_n(&guard->stamp, __ATOMIC_ACQUIRE);
}

/* Is a generation still in the ring when `current` is out? */
static inline bool generation_live(uint32_t current, uint32_t generation)
{
	return current - generation < MCR_SEGMENT_LIVE;
}

#endif
