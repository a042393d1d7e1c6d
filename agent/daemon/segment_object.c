/* segment_object.c - see segment_object.h.
 *
 * A segment is made without a name (O_TMPFILE) and linked in when it is complete, so killed
 * anywhere, or out of memory, it leaves nothing behind.  Its space is allocated then: no later
 * store can fault for want of it.
 */
#include "daemon/segment_object.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "atomics.h"
#include "daemon/segment_file.h"
#include "daemon/segment_image.h"

#define MAKING_MODE 0600u

size_t segment_object_bytes(uint32_t slot_bytes)
{
	return SEGMENT_HEADER_BYTES + (size_t)MCR_SEGMENT_RING * slot_bytes;
}

static int header_write(int fd, const char *cluster, uint32_t slot_bytes)
{
	struct mcr_segment_header header = {
	    .layout = MCR_SEGMENT_LAYOUT,
	    .header_bytes = SEGMENT_HEADER_BYTES,
	    .slot_bytes = slot_bytes,
	    .ring = MCR_SEGMENT_RING,
	    .total_bytes = segment_object_bytes(slot_bytes),
	};

	memcpy(header.magic, MCR_SEGMENT_MAGIC, sizeof(header.magic));
	memcpy(header.cluster, cluster, strlen(cluster) + 1);
	return pwrite(fd, &header, sizeof(header), 0) == (ssize_t)sizeof(header) ? 0 : -errno;
}

int segment_object_make(const char *path, const char *cluster, uint32_t slot_bytes, int *made,
			struct failure *failure)
{
	int error, fd = open(SEGMENT_FILE_DIRECTORY, O_TMPFILE | O_RDWR | O_CLOEXEC, MAKING_MODE);

	if (fd < 0)
		return failure_set(failure, errno, "segment %s: cannot create: %s", path,
				   strerror(errno));
	error = posix_fallocate(fd, 0, (off_t)segment_object_bytes(slot_bytes));
	if (error == 0 && header_write(fd, cluster, slot_bytes) != 0)
		error = errno;
	/* Not by open's mode: the umask would have its say. */
	if (error == 0 && fchmod(fd, SEGMENT_FILE_MODE) != 0)
		error = errno;
	if (error != 0) {
		(void)close(fd);
		return failure_set(failure, error, "segment %s: cannot allocate %zu bytes: %s",
				   path, segment_object_bytes(slot_bytes), strerror(error));
	}
	*made = fd;
	return 0;
}

int segment_object_name(const char *path, int fd, struct failure *failure)
{
	char self[64];

	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) != 0)
		return failure_set(failure, errno, "segment %s: cannot create: %s", path,
				   strerror(errno));
	return 0;
}

int segment_object_map(const char *path, int fd, uint32_t slot_bytes,
		       struct mcr_segment_header **header, struct failure *failure)
{
	void *map =
	    mmap(NULL, segment_object_bytes(slot_bytes), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return failure_set(failure, errno, "segment %s: cannot map: %s", path,
				   strerror(errno));
	*header = map;
	return 0;
}

void segment_object_retire(struct mcr_segment_header *header)
{
	moved_publish(header);
	(void)syscall(SYS_futex, &header->generation, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}
