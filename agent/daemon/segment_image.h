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

/* The geometry of the segments that this agent makes: room for the largest lists there can be. */
#define SEGMENT_TABLE_BYTES  ((size_t)LIST_SLOTS_MAX * sizeof(uint16_t))
#define SEGMENT_HEADER_BYTES 4096u
#define SEGMENT_SLOT_BYTES   659456u
#define SEGMENT_TOTAL_BYTES  (SEGMENT_HEADER_BYTES + MCR_SEGMENT_RING * SEGMENT_SLOT_BYTES)

_Static_assert(sizeof(struct mcr_segment_slot) +
		       MCR_SEGMENT_SERVERS_MAX * sizeof(struct mcr_segment_server) +
		       2 * SEGMENT_TABLE_BYTES <=
		   SEGMENT_SLOT_BYTES,
	       "the largest lists fit");
_Static_assert(SEGMENT_SLOT_BYTES % 4096 == 0, "slots are whole pages");

/* Renders a view into `image` (SEGMENT_SLOT_BYTES, aligned to 8).  The image is used from its
 * beginning to used_bytes (a multiple of 4).  -EINVAL for a view that makes no sense, -E2BIG where
 * the lists do not fit; the image is undefined then. */
int segment_image_render(const struct segment_view *view, struct mcr_segment_slot *image,
			 struct failure *failure);

#endif
