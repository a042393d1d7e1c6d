/* segment_file.c - see segment_file.h.
 *
 * A segment is made without a name (O_TMPFILE) and linked in when it is complete, so killed
 * anywhere, or out of memory, it leaves nothing behind.  Its space is allocated then: no later
 * store can fault for want of it.
 */
#include "daemon/segment_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "atomics.h"
#include "daemon/segment_image.h"

#define SHM_DIRECTORY "/dev/shm"
#define SUCCESSOR     "~new" /* no cluster is called so */
#define SEGMENT_MODE  0644u
#define LOCK_MODE     0600u
#define MODE_BITS     07777u

int segment_file_path(const char *name, char path[SEGMENT_PATH_BYTES], struct failure *failure)
{
	const size_t chars = strlen(name);

	/* 250: with ".lock" it is still one component's length. */
	if (chars < 2 || chars > 250 || name[0] != '/' || strchr(name + 1, '/') != NULL ||
	    strcmp(name, "/.") == 0 || strcmp(name, "/..") == 0)
		return failure_set(failure, EINVAL,
				   "segment \"%s\": want \"/\" and one name of 1 to 249 bytes",
				   name);
	(void)snprintf(path, SEGMENT_PATH_BYTES, "%s%s", SHM_DIRECTORY, name);
	return 0;
}

static int lock_refused(const char *path, int error, int fd, struct failure *failure)
{
	char pid[16] = "";

	if (error == EWOULDBLOCK && pread(fd, pid, sizeof(pid) - 1, 0) > 0 && pid[0] != '\0')
		return failure_set(failure, EBUSY, "segment %.*s: process %.15s publishes in it",
				   (int)(strlen(path) - strlen(".lock")), path, pid);
	if (error == EWOULDBLOCK)
		return failure_set(failure, EBUSY, "segment %.*s: another process publishes in it",
				   (int)(strlen(path) - strlen(".lock")), path);
	return failure_set(failure, error, "segment lock %s: %s", path, strerror(error));
}

/* Who unlocks removes the file, so a lock that was got on a removed file is none: *gone then. */
static int lock_take(const char *path, int *fd, bool *gone, struct failure *failure)
{
	struct stat held, named;
	int error;

	*gone = false;
	*fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, LOCK_MODE);
	if (*fd < 0)
		return failure_set(failure, errno, "segment lock %s: %s", path, strerror(errno));
	if (fstat(*fd, &held) != 0 || !S_ISREG(held.st_mode) || held.st_uid != geteuid()) {
		error =
		    failure_set(failure, EPERM, "segment lock %s: not a regular file of user %u",
				path, (unsigned)geteuid());
	} else if (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
		error = lock_refused(path, errno, *fd, failure);
	} else {
		*gone = stat(path, &named) != 0 || named.st_dev != held.st_dev ||
			named.st_ino != held.st_ino;
		if (!*gone)
			return 0;
		error = 0;
	}
	(void)close(*fd);
	return error;
}

int segment_file_lock(const char *path, struct segment_lock *lock, struct failure *failure)
{
	char pid[16];
	bool gone;
	int error, chars;

	(void)snprintf(lock->path, sizeof(lock->path), "%s.lock", path);
	do
		error = lock_take(lock->path, &lock->fd, &gone, failure);
	while (error == 0 && gone);
	if (error != 0)
		return error;
	chars = snprintf(pid, sizeof(pid), "%d", (int)getpid());
	if (ftruncate(lock->fd, 0) != 0 || pwrite(lock->fd, pid, (size_t)chars, 0) != chars) {
		/* Only the sentence that a second agent gets is less exact then. */
	}
	return 0;
}

void segment_file_unlock(struct segment_lock *lock)
{
	(void)unlink(lock->path);
	(void)close(lock->fd);
	lock->fd = -1;
}

static size_t total_bytes(uint32_t slot_bytes)
{
	return SEGMENT_HEADER_BYTES + (size_t)MCR_SEGMENT_RING * slot_bytes;
}

static int header_check(const char *path, const char *cluster,
			const struct mcr_segment_header *header, uint64_t size,
			struct failure *failure)
{
	char named[sizeof(header->cluster) + 1] = "";

	if (memcmp(header->magic, MCR_SEGMENT_MAGIC, sizeof(header->magic)) != 0)
		return failure_set(failure, EBADMSG, "segment %s: not a segment (wrong magic)",
				   path);
	if (header->total_bytes != size)
		return failure_set(failure, EBADMSG, "segment %s: %llu bytes, its header says %llu",
				   path, (unsigned long long)size,
				   (unsigned long long)header->total_bytes);
	memcpy(named, header->cluster, sizeof(header->cluster));
	if (strcmp(named, cluster) != 0)
		return failure_set(failure, EBADMSG, "segment %s: of cluster \"%s\", want \"%s\"",
				   path, named, cluster);
	return 0;
}

/* Can it be gone on in?  If not, it is of an agent of another version, or was given up for one. */
static bool is_present(const struct mcr_segment_header *header)
{
	return header->layout == MCR_SEGMENT_LAYOUT &&
	       header->header_bytes == SEGMENT_HEADER_BYTES &&
	       header->slot_bytes >= SEGMENT_SLOT_BYTES_MIN &&
	       header->slot_bytes <= SEGMENT_SLOT_BYTES_MAX && header->slot_bytes % 4096 == 0 &&
	       header->ring == MCR_SEGMENT_RING &&
	       header->total_bytes == total_bytes(header->slot_bytes) && header->moved == 0;
}

static int existing_check(const char *path, const char *cluster, int fd, bool *present,
			  uint32_t *slot_bytes, struct failure *failure)
{
	struct mcr_segment_header header;
	struct stat status;
	int error;

	if (fstat(fd, &status) != 0)
		return failure_set(failure, errno, "segment %s: %s", path, strerror(errno));
	if (!S_ISREG(status.st_mode))
		return failure_set(failure, EPERM, "segment %s: not a regular file", path);
	if (status.st_uid != geteuid())
		return failure_set(failure, EPERM, "segment %s: owned by user %u, want %u", path,
				   (unsigned)status.st_uid, (unsigned)geteuid());
	if ((status.st_mode & MODE_BITS) != SEGMENT_MODE)
		return failure_set(failure, EPERM, "segment %s: mode %04o, want %04o", path,
				   status.st_mode & MODE_BITS, SEGMENT_MODE);
	if (status.st_size < (off_t)sizeof(header))
		return failure_set(failure, EBADMSG, "segment %s: not a segment (%lld bytes)", path,
				   (long long)status.st_size);
	if (pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header))
		return failure_set(failure, EIO, "segment %s: cannot read its header", path);
	error = header_check(path, cluster, &header, (uint64_t)status.st_size, failure);
	if (error == 0) {
		*present = is_present(&header);
		*slot_bytes = header.slot_bytes;
	}
	return error;
}

static int header_write(int fd, const char *cluster, uint32_t slot_bytes)
{
	struct mcr_segment_header header = {
	    .layout = MCR_SEGMENT_LAYOUT,
	    .header_bytes = SEGMENT_HEADER_BYTES,
	    .slot_bytes = slot_bytes,
	    .ring = MCR_SEGMENT_RING,
	    .total_bytes = total_bytes(slot_bytes),
	};

	memcpy(header.magic, MCR_SEGMENT_MAGIC, sizeof(header.magic));
	memcpy(header.cluster, cluster, strlen(cluster) + 1);
	return pwrite(fd, &header, sizeof(header), 0) == (ssize_t)sizeof(header) ? 0 : -errno;
}

/* An object without a name, complete but for its name. */
static int nameless_make(const char *path, const char *cluster, uint32_t slot_bytes, int *made,
			 struct failure *failure)
{
	int error, fd = open(SHM_DIRECTORY, O_TMPFILE | O_RDWR | O_CLOEXEC, LOCK_MODE);

	if (fd < 0)
		return failure_set(failure, errno, "segment %s: cannot create: %s", path,
				   strerror(errno));
	error = posix_fallocate(fd, 0, (off_t)total_bytes(slot_bytes));
	if (error == 0 && header_write(fd, cluster, slot_bytes) != 0)
		error = errno;
	/* Not by open's mode: the umask would have its say. */
	if (error == 0 && fchmod(fd, SEGMENT_MODE) != 0)
		error = errno;
	if (error != 0) {
		(void)close(fd);
		return failure_set(failure, error, "segment %s: cannot allocate %zu bytes: %s",
				   path, total_bytes(slot_bytes), strerror(error));
	}
	*made = fd;
	return 0;
}

static int name_give(const char *path, const char *name, int fd, struct failure *failure)
{
	char self[64];

	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, self, AT_FDCWD, name, AT_SYMLINK_FOLLOW) != 0)
		return failure_set(failure, errno, "segment %s: cannot create: %s", path,
				   strerror(errno));
	return 0;
}

/* Gives `fd` the name of the segment that `old` is, whose clients are told first.  Killed in
 * between, that one is still of no use to anybody and is replaced by the next agent; the other way
 * round nobody would ever tell them.  In every layout `moved` and `generation` stand where they
 * stand in this one. */
static int name_take(const char *path, struct mcr_segment_header *old, int fd,
		     struct failure *failure)
{
	char beside[SEGMENT_PATH_BYTES + sizeof(SUCCESSOR)];
	int error;

	(void)snprintf(beside, sizeof(beside), "%s%s", path, SUCCESSOR);
	(void)unlink(beside); /* of an agent that was killed right here; the lock is ours */
	error = name_give(path, beside, fd, failure);
	if (error != 0)
		return error;
	moved_publish(old);
	(void)syscall(SYS_futex, &old->generation, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	if (rename(beside, path) != 0)
		return failure_set(failure, errno, "segment %s: cannot replace it: %s", path,
				   strerror(errno));
	return 0;
}

/* The descriptor `*fd` of a segment that cannot be gone on in becomes that of the one instead. */
static int replace(const char *path, const char *cluster, int *fd, struct failure *failure)
{
	struct mcr_segment_header *old =
	    mmap(NULL, sizeof(*old), PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	int made = -1, error;

	if (old == MAP_FAILED)
		return failure_set(failure, errno, "segment %s: cannot map: %s", path,
				   strerror(errno));
	error = nameless_make(path, cluster, SEGMENT_SLOT_BYTES_MIN, &made, failure);
	if (error == 0)
		error = name_take(path, old, made, failure);
	(void)munmap(old, sizeof(*old));
	if (error == 0) {
		(void)close(*fd);
		*fd = made;
	} else if (made >= 0) {
		(void)close(made);
	}
	return error;
}

static int object_map(const char *path, int fd, uint32_t slot_bytes, struct segment_object *object,
		      struct failure *failure)
{
	void *map = mmap(NULL, total_bytes(slot_bytes), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return failure_set(failure, errno, "segment %s: cannot map: %s", path,
				   strerror(errno));
	object->header = map;
	object->slot_bytes = slot_bytes;
	return 0;
}

int segment_file_map(const char *path, const char *cluster, struct segment_object *object,
		     struct failure *failure)
{
	uint32_t slot_bytes = SEGMENT_SLOT_BYTES_MIN;
	bool present = true;
	int error = 0, fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	if (strlen(cluster) >= sizeof(object->header->cluster)) {
		error = failure_set(failure, EINVAL, "segment %s: cluster name over %u bytes", path,
				    LIST_NAME_MAX);
	} else if (fd >= 0) {
		error = existing_check(path, cluster, fd, &present, &slot_bytes, failure);
	} else if (errno == ENOENT) {
		error = nameless_make(path, cluster, slot_bytes, &fd, failure);
		if (error == 0)
			error = name_give(path, path, fd, failure);
	} else if (errno == ELOOP) {
		error = failure_set(failure, EPERM,
				    "segment %s: a symbolic link, want a regular file", path);
	} else {
		error = failure_set(failure, errno, "segment %s: %s", path, strerror(errno));
	}
	if (error == 0 && !present) {
		error = replace(path, cluster, &fd, failure);
		slot_bytes = SEGMENT_SLOT_BYTES_MIN;
	}
	if (error == 0)
		error = object_map(path, fd, slot_bytes, object, failure);
	if (fd >= 0)
		(void)close(fd);
	return error;
}

int segment_file_larger(const char *path, const char *cluster, uint32_t slot_bytes, int *fd,
			struct segment_object *object, struct failure *failure)
{
	int error = nameless_make(path, cluster, slot_bytes, fd, failure);

	if (error != 0)
		return error;
	error = object_map(path, *fd, slot_bytes, object, failure);
	if (error != 0)
		(void)close(*fd);
	return error;
}

int segment_file_replace(const char *path, struct segment_object *old, int fd,
			 struct failure *failure)
{
	const int error = name_take(path, old->header, fd, failure);

	(void)close(fd);
	return error;
}

void segment_file_unmap(struct segment_object *object)
{
	(void)munmap(object->header, total_bytes(object->slot_bytes));
	object->header = NULL;
}
