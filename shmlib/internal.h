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

#include "mcroster.h"
#include "mcroster_segment.h"
#include "table.h"

#define LIKELY(condition)   __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/* How often a reader begins again when publications overtake it.  They come seldom; only a hostile
 * segment could keep it going, and nobody may make a caller wait. */
#define READ_TRIES 64

#pragma GCC visibility push(hidden)

struct mcr {
	const struct mcr_segment_header *header; /* the mapping, read-only */
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
	uint64_t current; /* view.generation, or NO_GENERATION: one word says both */
	bool clocked;	  /* plans need the lease: MCR_STRICT or isolation bypass */
	struct view view;
	const struct mcr *mcr;
};

#define NO_GENERATION UINT64_MAX

/* attach.c */
int mcr_attach_fd(int fd, unsigned flags, struct mcr **mcr);
bool mcr_replaced(struct mcr *mcr);

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

/* Is a generation still in the ring when `current` is out? */
static inline bool generation_live(uint32_t current, uint32_t generation)
{
	return current - generation < MCR_SEGMENT_LIVE;
}

#endif
