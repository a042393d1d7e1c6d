/* segment_image.h - one generation's slot, made in private memory.
 *
 * Pure: the same view gives the same bytes, so two generations that say the same can be told by
 * comparing.  The generation number itself is left 0 for the publisher to fill in.
 */
#ifndef MCROSTER_SEGMENT_IMAGE_H
#define MCROSTER_SEGMENT_IMAGE_H

#include <stddef.h>

#include "daemon/segment.h"
#include "mcroster_segment.h"

/* The geometry of the segments that this agent makes.  The smallest slot holds the largest lists of
 * slots, and rings of some hundred servers; where it is too small for the lists there are, another
 * segment with slots twice as large takes its place, and so on up to the largest. */
#define SEGMENT_HEADER_BYTES   4096u
#define SEGMENT_SLOT_BYTES_MIN 659456u
#define SEGMENT_SLOT_BYTES_MAX MCR_SEGMENT_SLOT_BYTES_MAX

#define SEGMENT_RING_BYTES                                                                         \
	(((size_t)MCR_SEGMENT_POINTS_MAX + 1) * sizeof(uint64_t) +                                 \
	 (((size_t)1 << MCR_SEGMENT_INDEX_BITS_MAX) + 1) * sizeof(uint32_t) + 8)

_Static_assert(sizeof(struct mcr_segment_slot) +
		       MCR_SEGMENT_SERVERS_MAX * sizeof(struct mcr_segment_server) +
		       2 * (size_t)LIST_SLOTS_MAX * sizeof(uint16_t) <=
		   SEGMENT_SLOT_BYTES_MIN,
	       "the largest lists of slots fit");
_Static_assert(sizeof(struct mcr_segment_slot) +
		       MCR_SEGMENT_SERVERS_MAX * sizeof(struct mcr_segment_server) +
		       2 * SEGMENT_RING_BYTES <=
		   16 * (size_t)SEGMENT_SLOT_BYTES_MIN,
	       "the largest rings fit after some doublings");
_Static_assert(16 * (size_t)SEGMENT_SLOT_BYTES_MIN <= SEGMENT_SLOT_BYTES_MAX,
	       "a reader takes the largest slot");
_Static_assert(SEGMENT_SLOT_BYTES_MIN % 4096 == 0, "slots are whole pages");

struct segment_image {
	struct mcr_segment_slot *slot; /* slot->used_bytes (a multiple of 8) of it are used */
	size_t room;
};

/* Renders a view into `image`, whose memory grows as it has to.  -EINVAL for a view that makes no
 * sense, -E2BIG where the lists do not fit into any segment, -ENOMEM; what the image says is
 * undefined then. */
int segment_image_render(const struct segment_view *view, struct segment_image *image,
			 struct failure *failure);
void segment_image_clear(struct segment_image *image);

#endif
