/* segment.c - publishes generations.  See segment.h; the layout is include/mcroster_segment.h.
 *
 * Generation g + 1 is written whole into its slot while g is the current one and nobody looks
 * there; then one release store makes it current.  Killed before that store, nothing has happened:
 * the next writer fills the same slot again.  The fence after it keeps the next fill from
 * overtaking it (shmlib/atomics.h has the pairs).
 *
 * Where the segment is of another layout, or its slots are too small for the lists, the next generation
 * is published in another object, which takes the name: complete, before the old one sends its
 * readers there.  The number of the generation goes on, so what readers acknowledge stays in order.
 */
#include "daemon/segment.h"

#include <errno.h>
#include <linux/futex.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "atomics.h"
#include "daemon/segment_file.h"
#include "daemon/segment_image.h"

#define NS_PER_MS 1000000u

struct segment {
	struct segment_object object;
	struct segment_image image; /* the next generation */
	uint32_t generation;
	struct segment_lock lock;
	char path[SEGMENT_PATH_BYTES];
	char cluster[LIST_NAME_MAX + 1];
};

static struct mcr_segment_slot *slot_of(const struct segment_object *object, uint32_t generation)
{
	uint8_t *bytes = (uint8_t *)object->header;

	return (struct mcr_segment_slot *)(void *)(bytes + SEGMENT_HEADER_BYTES +
						   (size_t)(generation % MCR_SEGMENT_RING) *
						       object->slot_bytes);
}

/* The generation that is out, or NULL: none is, or none that this version can read. */
static const struct mcr_segment_slot *slot_present(const struct segment *segment)
{
	if (segment->generation == 0 || segment->object.outdated)
		return NULL;
	return slot_of(&segment->object, segment->generation);
}

/* Early at boot the kernel may have no random numbers yet; another number than before will do. */
static void incarnation_renew(struct mcr_segment_header *header)
{
	uint64_t incarnation;

	if (getrandom(&incarnation, sizeof(incarnation), GRND_NONBLOCK) !=
	    (ssize_t)sizeof(incarnation))
		incarnation = u64_load_relaxed(&header->incarnation) + 1;
	u64_store_relaxed(&header->incarnation, incarnation);
}

int segment_open(const char *name, const char *cluster, struct segment **segment,
		 struct failure *failure)
{
	struct segment *opened = calloc(1, sizeof(*opened));
	int error;

	if (opened == NULL)
		return failure_set(failure, ENOMEM, "segment %s: out of memory", name);
	error = segment_file_path(name, opened->path, failure);
	if (error != 0)
		goto free_all;
	error = segment_file_lock(opened->path, &opened->lock, failure);
	if (error != 0)
		goto free_all;
	error = segment_file_map(opened->path, cluster, &opened->object, failure);
	if (error != 0)
		goto unlock;
	(void)snprintf(opened->cluster, sizeof(opened->cluster), "%s", cluster);
	opened->generation = generation_load_acquire(opened->object.header);
	/* The writer before us may have been killed between its store and its fence. */
	generation_fence_seq_cst();
	incarnation_renew(opened->object.header);
	*segment = opened;
	return 0;
unlock:
	segment_file_unlock(&opened->lock);
free_all:
	free(opened);
	return error;
}

void segment_close(struct segment *segment)
{
	if (segment == NULL)
		return;
	segment_file_unmap(&segment->object);
	segment_file_unlock(&segment->lock);
	segment_image_clear(&segment->image);
	free(segment);
}

/* The slot's generation number is the only difference between two that say the same. */
static bool says_the_same(const struct segment *segment)
{
	const struct mcr_segment_slot *present = slot_present(segment);
	const struct mcr_segment_slot *next = segment->image.slot;
	const size_t number = sizeof(present->generation);

	return present != NULL && present->used_bytes == next->used_bytes &&
	       memcmp((const uint8_t *)present + number, (const uint8_t *)next + number,
		      next->used_bytes - number) == 0;
}

/* How long plans of the present generation may send steps once the next one is out: by the shorter
 * time of the two, since the agent waits for at least one of them before it reports. */
static uint64_t retire_after_ns(const struct segment *segment)
{
	const struct mcr_segment_slot *present = slot_present(segment);
	uint32_t ms = segment->image.slot->op_timeout_ms;

	if (present != NULL && present->op_timeout_ms < ms)
		ms = present->op_timeout_ms;
	return (uint64_t)ms * NS_PER_MS;
}

static void generation_announce(struct mcr_segment_header *header, uint32_t generation)
{
	generation_publish_release(header, generation);
	generation_fence_seq_cst();
	/* Cannot fail in a way that matters: the word is mapped, and nobody waiting is fine. */
	(void)syscall(SYS_futex, &header->generation, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static void turn_store(struct mcr_segment_header *header, uint32_t generation, uint64_t now_ns,
		       uint64_t retire_ns)
{
	struct mcr_segment_turn *turn = &header->turn[generation % MCR_SEGMENT_RING];

	u64_store_relaxed(&turn->published_ns, now_ns);
	u64_store_relaxed(&turn->retire_ns, retire_ns);
}

static uint32_t slot_bytes_for(const struct segment *segment)
{
	const uint32_t used = segment->image.slot->used_bytes;
	uint32_t bytes = SEGMENT_SLOT_BYTES_MIN;

	while (bytes < used)
		bytes *= 2;
	return bytes;
}

/* Makes the object that takes the place of the present one, with the next generation in it. */
static int successor_publish(struct segment *segment, uint32_t next, uint64_t now_ns,
			     uint64_t retire_ns, struct failure *failure)
{
	struct mcr_segment_header *old = segment->object.header;
	struct segment_object successor;
	int error = segment_file_successor(segment->path, segment->cluster,
					   slot_bytes_for(segment), &successor, failure);

	if (error != 0)
		return error;
	incarnation_renew(successor.header);
	u64_store_relaxed(&successor.header->heartbeat, u64_load_relaxed(&old->heartbeat));
	lease_store_release(successor.header, lease_load_acquire(old));
	words_store_relaxed(slot_of(&successor, next), segment->image.slot,
			    segment->image.slot->used_bytes);
	turn_store(successor.header, next, now_ns, retire_ns);
	generation_announce(successor.header, next);
	/* The readers first, then the name: killed in between, the one who comes next finds that the
	 * object has moved and replaces it.  The other way round nobody would ever tell them. */
	u32_store_relaxed(&old->moved, 1);
	turn_store(old, next, now_ns, retire_ns);
	generation_announce(old, next);
	segment->object.outdated = true;
	segment->generation = next;
	error = segment_file_succeed(segment->path, failure);
	if (error != 0) {
		segment_file_unmap(&successor);
		return error;
	}
	segment_file_unmap(&segment->object);
	segment->object = successor;
	return 0;
}

int segment_publish(struct segment *segment, const struct segment_view *view, uint64_t now_ns,
		    uint32_t *generation, struct failure *failure)
{
	const uint32_t next = segment->generation + 1;
	uint64_t retire_ns;
	int error;

	error = segment_image_render(view, &segment->image, failure);
	if (error != 0)
		return error;
	if (says_the_same(segment)) {
		*generation = segment->generation;
		return 0;
	}
	if (segment->generation == UINT32_MAX)
		return failure_set(failure, EOVERFLOW,
				   "segment %s: generation %u is the last there can be; remove it",
				   segment->path, segment->generation);
	segment->image.slot->generation = next;
	retire_ns = now_ns + retire_after_ns(segment);
	if (segment->object.outdated ||
	    segment->image.slot->used_bytes > segment->object.slot_bytes) {
		error = successor_publish(segment, next, now_ns, retire_ns, failure);
		if (error != 0)
			return error;
	} else {
		words_store_relaxed(slot_of(&segment->object, next), segment->image.slot,
				    segment->image.slot->used_bytes);
		turn_store(segment->object.header, next, now_ns, retire_ns);
		generation_announce(segment->object.header, next);
		segment->generation = next;
	}
	*generation = next;
	return 0;
}

uint64_t segment_epoch(const struct segment *segment)
{
	const struct mcr_segment_slot *present = slot_present(segment);

	if (present == NULL)
		return 0;
	return present->epoch > present->next_epoch ? present->epoch : present->next_epoch;
}

uint32_t segment_generation(const struct segment *segment, uint64_t *published_ns)
{
	const uint32_t turn = segment->generation % MCR_SEGMENT_RING;
	const bool out = slot_present(segment) != NULL;

	if (published_ns != NULL)
		*published_ns =
		    out ? u64_load_relaxed(&segment->object.header->turn[turn].published_ns) : 0;
	return out ? segment->generation : 0;
}

void segment_lease(struct segment *segment, uint64_t deadline_ns)
{
	lease_store_release(segment->object.header, deadline_ns);
}

uint64_t segment_lease_read(const struct segment *segment)
{
	return lease_load_acquire(segment->object.header);
}

void segment_heartbeat(struct segment *segment)
{
	u64_store_relaxed(&segment->object.header->heartbeat,
			  u64_load_relaxed(&segment->object.header->heartbeat) + 1);
}
