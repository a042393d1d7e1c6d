/* attach.c - maps a segment, once, for the client's life.
 *
 * The size is known and the geometry is checked against it before anything is mapped, and both are
 * kept in private memory: nothing that the segment says later moves a bound.  The object is never
 * truncated by its agent, so the mapping stays good.  Any thread; the descriptor stays the
 * caller's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomics.h"
#include "internal.h"

/* Mapping and descriptor say the same bytes; reading them first means nothing is mapped of a file
 * that is no segment. */
static int geometry_check(int fd, off_t size, struct mcr_segment_header *header)
{
	const ssize_t got = pread(fd, header, sizeof(*header), 0);

	if (got < 0)
		return MCR_SYSTEM;
	if (got != (ssize_t)sizeof(*header))
		return MCR_BAD_LAYOUT;
	if (memcmp(header->magic, MCR_SEGMENT_MAGIC, sizeof(header->magic)) != 0 ||
	    header->layout != MCR_SEGMENT_LAYOUT || header->ring != MCR_SEGMENT_RING)
		return MCR_BAD_LAYOUT;
	if (header->header_bytes < sizeof(*header) ||
	    header->header_bytes > MCR_SEGMENT_HEADER_MAX || header->header_bytes % 64 != 0)
		return MCR_BAD_LAYOUT;
	if (header->slot_bytes < sizeof(struct mcr_segment_slot) ||
	    header->slot_bytes > MCR_SEGMENT_SLOT_BYTES_MAX || header->slot_bytes % 64 != 0)
		return MCR_BAD_LAYOUT;
	if (header->total_bytes !=
		header->header_bytes + (uint64_t)MCR_SEGMENT_RING * header->slot_bytes ||
	    size < 0 || (uint64_t)size != header->total_bytes)
		return MCR_BAD_LAYOUT;
	return MCR_OK;
}

/* What the agent is to know of this process, before it is told. */
static int client_make(struct mcr *mcr)
{
	int error;

	mcr_registration_init(mcr);
	mcr->marks_fd = -1;
	error = mcr_marks_make(mcr);
	if (error != MCR_OK)
		return error;
	mcr->home = 1;
	error = mcr_guard_make(mcr);
	if (error != MCR_OK)
		mcr_marks_free(mcr);
	return error;
}

int mcr_attach_fd(int fd, unsigned flags, struct mcr **mcr)
{
	struct mcr_segment_header header;
	struct mcr *attached;
	struct stat status;
	void *map;
	int error;

	if (fstat(fd, &status) != 0)
		return MCR_SYSTEM;
	if (!S_ISREG(status.st_mode))
		return MCR_BAD_MODE;
	error = geometry_check(fd, status.st_size, &header);
	if (error != MCR_OK)
		return error;
	attached = calloc(1, sizeof(*attached));
	if (attached == NULL)
		return MCR_NO_MEMORY;
	map = mmap(NULL, (size_t)header.total_bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		error = errno == ENOMEM ? MCR_NO_MEMORY : MCR_SYSTEM;
		free(attached);
		return error;
	}
	attached->header = map;
	attached->map_bytes = (size_t)header.total_bytes;
	attached->header_bytes = header.header_bytes;
	attached->slot_bytes = header.slot_bytes;
	attached->flags = flags;
	attached->device = status.st_dev;
	attached->inode = status.st_ino;
	attached->owner = status.st_uid;
	attached->seen_heartbeat = header.heartbeat;
	error = client_make(attached);
	if (error != MCR_OK) {
		(void)munmap(map, attached->map_bytes);
		free(attached);
		return error;
	}
	*mcr = attached;
	return MCR_OK;
}

void mcr_close(struct mcr *mcr)
{
	if (mcr == NULL)
		return;
	mcr_registration_close(mcr);
	mcr_marks_free(mcr);
	mcr_guard_free(mcr);
	(void)munmap((void *)(uintptr_t)mcr->header, mcr->map_bytes);
	free(mcr);
}

/* An agent that goes on under the same name says so in the old object, or has no way to (its state
 * was removed by hand): then the old heartbeat stands still and the name leads to another inode.
 * The name is looked up only while the heartbeat stands. */
bool mcr_replaced(struct mcr *mcr)
{
	const uint64_t heartbeat = u64_load_relaxed(&mcr->header->heartbeat);
	struct stat status;

	if (u32_load_relaxed(&mcr->header->moved) != 0)
		return true;
	if (__atomic_exchange_n(&mcr->seen_heartbeat, heartbeat, __ATOMIC_RELAXED) != heartbeat)
		return false;
	if (mcr->path[0] == '\0' || lstat(mcr->path, &status) != 0)
		return false;
	return status.st_dev != mcr->device || status.st_ino != mcr->inode;
}
