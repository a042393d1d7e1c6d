/* segment_file.c - see segment_file.h. */
#include "daemon/segment_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/segment_image.h"
#include "daemon/segment_object.h"

#define SUCCESSOR "~new" /* no cluster is called so */
#define LOCK_MODE 0600u
#define MODE_BITS 07777u

int segment_file_path(const char *name, char path[SEGMENT_PATH_BYTES], struct failure *failure)
{
	const size_t chars = strlen(name);

	/* 250: with ".lock" it is still one component's length. */
	if (chars < 2 || chars > 250 || name[0] != '/' || strchr(name + 1, '/') != NULL ||
	    strcmp(name, "/.") == 0 || strcmp(name, "/..") == 0)
		return failure_set(failure, EINVAL,
				   "segment \"%s\": want \"/\" and one name of 1 to 249 bytes",
				   name);
	(void)snprintf(path, SEGMENT_PATH_BYTES, "%s%s", SEGMENT_FILE_DIRECTORY, name);
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
	       header->total_bytes == segment_object_bytes(header->slot_bytes) &&
	       header->moved == 0;
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
	if ((status.st_mode & MODE_BITS) != SEGMENT_FILE_MODE)
		return failure_set(failure, EPERM, "segment %s: mode %04o, want %04o", path,
				   status.st_mode & MODE_BITS, SEGMENT_FILE_MODE);
	if (status.st_size < (off_t)sizeof(header))
		return failure_set(failure, EBADMSG, "segment %s: not a segment (%lld bytes)", path,
				   (long long)status.st_size);
	if (pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header))
		return failure_set(failure, EIO, "segment %s: cannot read its header", path);
	error = header_check(path, cluster, &header, (uint64_t)status.st_size, failure);
	if (error == 0) {
		*present = is_present(&header);
		*slot_bytes = *present ? header.slot_bytes : SEGMENT_SLOT_BYTES_MIN;
	}
	return error;
}

/* The one that is there is of no use: tells its clients, and takes its name away.  In this order:
 * killed in between, it is replaced by the next agent. */
static int take_away(const char *path, int fd, struct failure *failure)
{
	struct mcr_segment_header *header =
	    mmap(NULL, sizeof(*header), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (header == MAP_FAILED)
		return failure_set(failure, errno, "segment %s: cannot map: %s", path,
				   strerror(errno));
	segment_object_retire(header);
	(void)munmap(header, sizeof(*header));
	if (unlink(path) != 0)
		return failure_set(failure, errno, "segment %s: cannot replace it: %s", path,
				   strerror(errno));
	return 0;
}

/* `old`: the segment whose place it takes, or -1. */
static int create(const char *path, const char *cluster, int old, int *made,
		  struct failure *failure)
{
	int fd = -1,
	    error = segment_object_make(path, cluster, SEGMENT_SLOT_BYTES_MIN, &fd, failure);

	if (error == 0 && old >= 0)
		error = take_away(path, old, failure);
	if (error == 0)
		error = segment_object_name(path, fd, failure);
	if (error != 0) {
		if (fd >= 0)
			(void)close(fd);
		return error;
	}
	*made = fd;
	return 0;
}

static int file_take(const char *path, int fd, uint32_t slot_bytes, struct segment_file *file,
		     struct failure *failure)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return failure_set(failure, errno, "segment %s: %s", path, strerror(errno));
	file->device = status.st_dev;
	file->inode = status.st_ino;
	file->slot_bytes = slot_bytes;
	return segment_object_map(path, fd, slot_bytes, &file->header, failure);
}

int segment_file_map(const char *path, const char *cluster, struct segment_file *file,
		     struct failure *failure)
{
	uint32_t slot_bytes = SEGMENT_SLOT_BYTES_MIN;
	bool present = true;
	int error, fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	if (strlen(cluster) >= sizeof(file->header->cluster)) {
		error = failure_set(failure, EINVAL, "segment %s: cluster name over %u bytes", path,
				    LIST_NAME_MAX);
		goto out;
	}
	if (fd >= 0)
		error = existing_check(path, cluster, fd, &present, &slot_bytes, failure);
	else if (errno == ENOENT)
		error = create(path, cluster, -1, &fd, failure);
	else if (errno == ELOOP)
		error = failure_set(failure, EPERM,
				    "segment %s: a symbolic link, want a regular file", path);
	else
		error = failure_set(failure, errno, "segment %s: %s", path, strerror(errno));
	if (error == 0 && !present) {
		const int old = fd;

		error = create(path, cluster, old, &fd, failure);
		(void)close(old);
		if (error != 0)
			fd = -1;
	}
	if (error != 0)
		goto out;
	error = file_take(path, fd, slot_bytes, file, failure);
out:
	if (fd >= 0)
		(void)close(fd);
	return error;
}

void segment_file_unmap(struct segment_file *file)
{
	(void)munmap(file->header, segment_object_bytes(file->slot_bytes));
}

int segment_file_larger(const char *path, const char *cluster, uint32_t slot_bytes, int *fd,
			struct segment_file *file, struct failure *failure)
{
	int error = segment_object_make(path, cluster, slot_bytes, fd, failure);

	if (error != 0)
		return error;
	error = file_take(path, *fd, slot_bytes, file, failure);
	if (error != 0)
		(void)close(*fd);
	return error;
}

/* The clients first, then the name: killed in between, the old one is still of no use to anybody
 * and is replaced by the next agent; the other way round nobody would ever tell them. */
int segment_file_replace(const char *path, const struct segment_file *old, int fd,
			 struct failure *failure)
{
	char beside[SEGMENT_PATH_BYTES + sizeof(SUCCESSOR)];
	int error;

	(void)snprintf(beside, sizeof(beside), "%s%s", path, SUCCESSOR);
	(void)unlink(beside); /* of an agent that was killed right here; the lock is ours */
	error = segment_object_name(beside, fd, failure);
	(void)close(fd);
	if (error != 0)
		return error;
	segment_object_retire(old->header);
	if (rename(beside, path) != 0)
		return failure_set(failure, errno, "segment %s: cannot replace it: %s", path,
				   strerror(errno));
	return 0;
}

int segment_file_keep(const char *path, struct segment_file *file, struct failure *failure)
{
	struct segment_file next;
	struct stat named;
	int fd, error;

	if (lstat(path, &named) == 0) {
		if (named.st_dev == file->device && named.st_ino == file->inode)
			return 0;
		return failure_set(failure, EEXIST,
				   "segment %s: something else has its name: new clients do not "
				   "find it",
				   path);
	}
	if (errno != ENOENT)
		return failure_set(failure, errno, "segment %s: %s", path, strerror(errno));
	error = segment_file_larger(path, (const char *)file->header->cluster, file->slot_bytes,
				    &fd, &next, failure);
	if (error != 0)
		return error;
	/* The writer's own memory is what it copies; nobody else writes there. */
	memcpy(next.header, file->header, segment_object_bytes(file->slot_bytes));
	error = segment_file_replace(path, file, fd, failure);
	if (error != 0) {
		segment_file_unmap(&next);
		return error;
	}
	segment_file_unmap(file);
	*file = next;
	return 1;
}
