/* segment.c - publishes generations.  See segment.h; the layout is include/mcroster_segment.h.
 *
 * Generation g + 1 is written whole into its slot while g is the current one and nobody looks
 * there; then one release store makes it current.  Killed before that store, nothing has happened:
 * the next writer fills the same slot again.  The fence after it keeps the next fill from
 * overtaking it (shmlib/atomics.h has the pairs).
 */
#include "daemon/segment.h"

#include <errno.h>
#include <linux/futex.h>
#include <limits.h>
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
	struct mcr_segment_header *header;
	struct mcr_segment_slot *image; /* the next generation, SEGMENT_SLOT_BYTES */
	uint32_t generation;
	struct segment_lock lock;
	char path[SEGMENT_PATH_BYTES];
};

static struct mcr_segment_slot *slot_of(const struct segment *segment, uint32_t generation)
{
	uint8_t *bytes = (uint8_t *)segment->header;

	return (struct mcr_segment_slot *)(void *)(bytes + SEGMENT_HEADER_BYTES +
						   (size_t)(generation % MCR_SEGMENT_RING) *
						       SEGMENT_SLOT_BYTES);
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
	opened->image = calloc(1, SEGMENT_SLOT_BYTES);
	if (opened->image == NULL) {
		error = failure_set(failure, ENOMEM, "segment %s: out of memory", name);
		goto free_all;
	}
	error = segment_file_path(name, opened->path, failure);
	if (error != 0)
		goto free_all;
	error = segment_file_lock(opened->path, &opened->lock, failure);
	if (error != 0)
		goto free_all;
	error = segment_file_map(opened->path, cluster, &opened->header, failure);
	if (error != 0)
		goto unlock;
	opened->generation = generation_load_acquire(opened->header);
	/* The writer before us may have been killed between its store and its fence. */
	generation_fence_seq_cst();
	incarnation_renew(opened->header);
	*segment = opened;
	return 0;
unlock:
	segment_file_unlock(&opened->lock);
free_all:
	free(opened->image);
	free(opened);
	return error;
}

void segment_close(struct segment *segment)
{
	if (segment == NULL)
		return;
	segment_file_unmap(segment->header);
	segment_file_unlock(&segment->lock);
	free(segment->image);
	free(segment);
}

/* The slot's generation number is the only difference between two that say the same. */
static bool says_the_same(const struct segment *segment)
{
	const struct mcr_segment_slot *present = slot_of(segment, segment->generation);
	const size_t number = sizeof(present->generation);

	return segment->generation != 0 && present->used_bytes == segment->image->used_bytes &&
	       memcmp((const uint8_t *)present + number, (const uint8_t *)segment->image + number,
		      segment->image->used_bytes - number) == 0;
}

/* How long plans of the present generation may send steps once the next one is out: by the shorter
 * time of the two, since the agent waits for at least one of them before it reports. */
static uint64_t retire_after_ns(const struct segment *segment)
{
	uint32_t ms = segment->image->op_timeout_ms;

	if (segment->generation != 0) {
		const uint32_t present_ms = slot_of(segment, segment->generation)->op_timeout_ms;

		if (present_ms < ms)
			ms = present_ms;
	}
	return (uint64_t)ms * NS_PER_MS;
}

static void waiters_wake(struct segment *segment)
{
	/* Cannot fail in a way that matters: the word is mapped, and nobody waiting is fine. */
	(void)syscall(SYS_futex, &segment->header->generation, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

int segment_publish(struct segment *segment, const struct segment_view *view, uint64_t now_ns,
		    uint32_t *generation, struct failure *failure)
{
	struct mcr_segment_header *header = segment->header;
	struct mcr_segment_turn *turn;
	uint32_t next;
	int error;

	error = segment_image_render(view, segment->image, failure);
	if (error != 0)
		return error;
	if (says_the_same(segment)) {
		*generation = segment->generation;
		return 0;
	}
	if (view->confirm)
		return failure_set(failure, ESTALE, "segment %s: generation %u says something else",
				   segment->path, segment->generation);
	if (segment->generation == UINT32_MAX)
		return failure_set(failure, EOVERFLOW,
				   "segment %s: generation %u is the last there can be; remove it",
				   segment->path, segment->generation);
	next = segment->generation + 1;
	segment->image->generation = next;
	words_store_relaxed(slot_of(segment, next), segment->image, segment->image->used_bytes);
	turn = &header->turn[next % MCR_SEGMENT_RING];
	u64_store_relaxed(&turn->published_ns, now_ns);
	u64_store_relaxed(&turn->retire_ns, now_ns + retire_after_ns(segment));
	generation_publish_release(header, next);
	generation_fence_seq_cst();
	waiters_wake(segment);
	segment->generation = next;
	*generation = next;
	return 0;
}

uint64_t segment_epoch(const struct segment *segment)
{
	const struct mcr_segment_slot *present = slot_of(segment, segment->generation);

	if (segment->generation == 0)
		return 0;
	return present->epoch > present->next_epoch ? present->epoch : present->next_epoch;
}

uint32_t segment_generation(const struct segment *segment, uint64_t *published_ns)
{
	const uint32_t turn = segment->generation % MCR_SEGMENT_RING;

	if (published_ns != NULL)
		*published_ns = segment->generation == 0
				    ? 0
				    : u64_load_relaxed(&segment->header->turn[turn].published_ns);
	return segment->generation;
}

void segment_lease(struct segment *segment, uint64_t deadline_ns)
{
	lease_store_release(segment->header, deadline_ns);
}

uint64_t segment_lease_read(const struct segment *segment)
{
	return lease_load_acquire(segment->header);
}

void segment_heartbeat(struct segment *segment)
{
	u64_store_relaxed(&segment->header->heartbeat,
			  u64_load_relaxed(&segment->header->heartbeat) + 1);
}
