/* segment.c - publishes generations.  See segment.h; the layout is include/mcroster_segment.h.
 *
 * Generation g + 1 is written whole into its slot while g is the current one and nobody looks
 * there; then one release store makes it current.  Killed before that store, nothing has happened:
 * the next writer fills the same slot again.  The fence after it keeps the next fill from
 * overtaking it (shmlib/atomics.h has the pairs).
 *
 * Where the slots are too small for the lists, the next generation is published in a larger object,
 * which takes the name when it is complete, and the old one sends its clients there.
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
#include <time.h>
#include <unistd.h>

#include "atomics.h"
#include "daemon/segment_file.h"
#include "daemon/segment_image.h"

#define NS_PER_MS 1000000u

struct segment {
	struct segment_file file;
	struct segment_image image; /* the next generation */
	uint32_t generation;
	bool published; /* by us, since we opened it */
	bool moved;	/* its clients were told, but no other object could take its place yet */
	bool lost;	/* its name leads elsewhere, and that was said */
	struct segment_lock lock;
	char path[SEGMENT_PATH_BYTES];
	char cluster[LIST_NAME_MAX + 1];
};

static struct mcr_segment_slot *slot_of(const struct segment_file *file, uint32_t generation)
{
	uint8_t *bytes = (uint8_t *)file->header;

	return (struct mcr_segment_slot *)(void *)(bytes + SEGMENT_HEADER_BYTES +
						   (size_t)(generation % MCR_SEGMENT_RING) *
						       file->slot_bytes);
}

static const struct mcr_segment_slot *slot_present(const struct segment *segment)
{
	return slot_of(&segment->file, segment->generation);
}

static uint64_t boot_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
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
	error = segment_file_map(opened->path, cluster, &opened->file, failure);
	if (error != 0)
		goto unlock;
	(void)snprintf(opened->cluster, sizeof(opened->cluster), "%s", cluster);
	opened->generation = generation_load_acquire(opened->file.header);
	segment_clients(opened, "");
	/* Before the incarnation: who reads that finds these. */
	u64_store_relaxed(&opened->file.header->heartbeat_ns, boot_ns());
	u64_store_relaxed(&opened->file.header->started_ns, boot_ns());
	/* Also, the writer before us may have been killed between its store and its fence. */
	generation_fence_seq_cst();
	incarnation_renew(opened->file.header);
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
	segment_file_unmap(&segment->file);
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

	return segment->generation != 0 && present->used_bytes == next->used_bytes &&
	       memcmp((const uint8_t *)present + number, (const uint8_t *)next + number,
		      next->used_bytes - number) == 0;
}

/* How long plans of the present generation may send steps once the next one is out: by the shorter
 * time of the two, since the agent waits for at least one of them before it reports. */
static uint64_t retire_after_ns(const struct segment *segment)
{
	uint32_t ms = segment->image.slot->op_timeout_ms;

	if (segment->generation != 0 && slot_present(segment)->op_timeout_ms < ms)
		ms = slot_present(segment)->op_timeout_ms;
	return (uint64_t)ms * NS_PER_MS;
}

static void turn_store(struct mcr_segment_header *header, uint32_t generation,
		       const struct mcr_segment_turn *times)
{
	struct mcr_segment_turn *turn = &header->turn[generation % MCR_SEGMENT_RING];

	u64_store_relaxed(&turn->published_ns, times->published_ns);
	u64_store_relaxed(&turn->retire_ns, times->retire_ns);
}

/* Fills the slot and makes it the current one. */
static void slot_publish(const struct segment *segment, const struct segment_file *file,
			 uint32_t generation, const struct mcr_segment_turn *times)
{
	words_store_relaxed(slot_of(file, generation), segment->image.slot,
			    segment->image.slot->used_bytes);
	turn_store(file->header, generation, times);
	generation_publish_release(file->header, generation);
	generation_fence_seq_cst();
	/* Cannot fail in a way that matters: the word is mapped, and nobody waiting is fine. */
	(void)syscall(SYS_futex, &file->header->generation, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static uint32_t slot_bytes_wanted(const struct segment *segment)
{
	uint32_t bytes = SEGMENT_SLOT_BYTES_MIN;

	while (bytes < segment->image.slot->used_bytes)
		bytes *= 2;
	return bytes;
}

/* What the agent says besides the lists, at any time. */
static void live_copy(const struct mcr_segment_header *from, struct mcr_segment_header *to)
{
	u64_store_relaxed(&to->incarnation, u64_load_relaxed(&from->incarnation));
	u64_store_relaxed(&to->heartbeat, u64_load_relaxed(&from->heartbeat));
	u64_store_relaxed(&to->heartbeat_ns, u64_load_relaxed(&from->heartbeat_ns));
	u64_store_relaxed(&to->started_ns, u64_load_relaxed(&from->started_ns));
	words_store_relaxed(to->clients_path, from->clients_path, sizeof(to->clients_path));
	lease_store_release(to, lease_load_acquire(from));
}

/* The generation goes on in the new object as the number that ends the old one, so what clients
 * say they have adopted stays in order. */
static int larger_publish(struct segment *segment, uint32_t next,
			  const struct mcr_segment_turn *times, struct failure *failure)
{
	struct segment_file larger;
	int fd, error = segment_file_larger(segment->path, segment->cluster,
					    slot_bytes_wanted(segment), &fd, &larger, failure);

	if (error != 0)
		return error;
	live_copy(segment->file.header, larger.header);
	slot_publish(segment, &larger, next, times);
	/* Plans of the old one end as with any publication. */
	turn_store(segment->file.header, next, times);
	error = segment_file_replace(segment->path, &segment->file, fd, failure);
	segment->generation = generation_load_acquire(segment->file.header);
	segment->moved = segment->file.header->moved != 0;
	if (error != 0) {
		segment_file_unmap(&larger);
		return error;
	}
	segment_file_unmap(&segment->file);
	segment->file = larger;
	segment->moved = false;
	return 0;
}

int segment_publish(struct segment *segment, const struct segment_view *view, uint64_t now_ns,
		    uint32_t *generation, struct failure *failure)
{
	const uint32_t next = segment->generation + 1;
	struct mcr_segment_turn times = {.published_ns = now_ns};
	bool same;
	int error;

	error = segment_image_render(view, &segment->image, failure);
	if (error != 0)
		return error;
	same = says_the_same(segment);
	if (segment->published && !segment->moved && same) {
		*generation = segment->generation;
		return 0;
	}
	if (view->confirm && !same)
		return failure_set(failure, ESTALE, "segment %s: generation %u says something else",
				   segment->path, segment->generation);
	if (segment->generation == UINT32_MAX)
		return failure_set(failure, EOVERFLOW,
				   "segment %s: generation %u is the last there can be; remove it",
				   segment->path, segment->generation);
	segment->image.slot->generation = next;
	times.retire_ns = now_ns + retire_after_ns(segment);
	if (segment->moved || segment->image.slot->used_bytes > segment->file.slot_bytes) {
		error = larger_publish(segment, next, &times, failure);
		if (error != 0)
			return error;
	} else {
		slot_publish(segment, &segment->file, next, &times);
	}
	segment->generation = next;
	segment->published = true;
	*generation = next;
	return 0;
}

uint64_t segment_epoch(const struct segment *segment)
{
	const struct mcr_segment_slot *present = slot_present(segment);

	if (segment->generation == 0)
		return 0;
	return present->epoch > present->next_epoch ? present->epoch : present->next_epoch;
}

uint32_t segment_generation(const struct segment *segment, uint64_t *published_ns)
{
	const uint32_t turn = segment->generation % MCR_SEGMENT_RING;

	if (published_ns != NULL)
		*published_ns =
		    segment->generation == 0
			? 0
			: u64_load_relaxed(&segment->file.header->turn[turn].published_ns);
	return segment->generation;
}

void segment_lease(struct segment *segment, uint64_t deadline_ns)
{
	lease_store_release(segment->file.header, deadline_ns);
}

uint64_t segment_lease_read(const struct segment *segment)
{
	return lease_load_acquire(segment->file.header);
}

void segment_clients(struct segment *segment, const char *path)
{
	uint8_t bytes[MCR_SEGMENT_PATH_BYTES] = {0};

	memcpy(bytes, path, strnlen(path, sizeof(bytes) - 1));
	words_store_relaxed(segment->file.header->clients_path, bytes, sizeof(bytes));
}

uint64_t segment_incarnation(const struct segment *segment)
{
	return u64_load_relaxed(&segment->file.header->incarnation);
}

void segment_heartbeat(struct segment *segment)
{
	u64_store_relaxed(&segment->file.header->heartbeat_ns, boot_ns());
	u64_store_relaxed(&segment->file.header->heartbeat,
			  u64_load_relaxed(&segment->file.header->heartbeat) + 1);
}

int segment_keep(struct segment *segment, struct failure *failure)
{
	const bool said = segment->lost;
	int kept;

	/* Then the next publication makes another one. */
	if (segment->moved)
		return 0;
	kept = segment_file_keep(segment->path, &segment->file, failure);
	segment->lost = kept < 0;
	segment->moved = segment->file.header->moved != 0;
	if (kept > 0)
		return failure_set(failure, ENOENT,
				   "segment %s: somebody has removed it; it is made again, and its "
				   "clients are told to open it again",
				   segment->path);
	return said ? 0 : kept;
}
