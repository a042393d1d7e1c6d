/* owed_store.c - see owed_store.h. */
#include "daemon/owed_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define JOURNAL	      "owed"
#define TEMPORARY     ".owed.tmp"
#define REWRITE_BYTES (64u << 10)

struct owed_store {
	int directory_fd, fd; /* fd -1: there is no file yet, or its end is unsure */
	uint64_t length;
	uint8_t *piece; /* REWRITE_BYTES */
	char path[];	/* of the directory, for messages */
};

static int write_all(int fd, const void *bytes, size_t length, uint64_t offset)
{
	const uint8_t *at = bytes;

	while (length > 0) {
		ssize_t n = pwrite(fd, at, length, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += n;
		offset += (uint64_t)n;
		length -= (size_t)n;
	}
	return 0;
}

static int read_all(int fd, void *bytes, size_t length)
{
	uint8_t *at = bytes;

	while (length > 0) {
		ssize_t n = read(fd, at, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += n;
		length -= (size_t)n;
	}
	return 0;
}

static int journal_failure(const struct owed_store *store, int error, const char *what,
			   struct failure *failure)
{
	return failure_set(failure, error, "state file %s/" JOURNAL ": %s: %s", store->path, what,
			   strerror(error));
}

/* Reads the open file whole into the queue. */
static int journal_load(struct owed_store *store, struct owed *owed, struct owed_damage *damage,
			struct failure *failure)
{
	struct failure reason;
	struct stat st;
	uint8_t *bytes;
	int error;

	if (fstat(store->fd, &st) != 0)
		return journal_failure(store, errno, "cannot read it", failure);
	if (!S_ISREG(st.st_mode) || st.st_size > (off_t)OWED_JOURNAL_MAX)
		return failure_set(failure, EBADMSG,
				   "state file %s/" JOURNAL ": foreign: %s; move it away, the keys "
				   "in it stay owed to nobody",
				   store->path,
				   S_ISREG(st.st_mode) ? "it is larger than such a journal can be"
						       : "it is not a regular file");
	bytes = malloc((size_t)st.st_size + 1);
	if (bytes == NULL)
		return journal_failure(store, ENOMEM, "cannot read it", failure);
	error = read_all(store->fd, bytes, (size_t)st.st_size);
	if (error != 0) {
		(void)journal_failure(store, -error, "cannot read it", failure);
	} else {
		error = owed_load(owed, bytes, (size_t)st.st_size, damage, &reason);
		if (error != 0)
			(void)failure_set(failure, -error,
					  "state file %s/" JOURNAL
					  ": %s; move it away, the keys in "
					  "it stay owed to nobody",
					  store->path, reason.text);
	}
	free(bytes);
	store->length = (uint64_t)st.st_size;
	return error;
}

int owed_store_open(const char *directory, struct owed *owed, struct owed_store **out,
		    struct owed_damage *damage, struct failure *failure)
{
	const size_t path_bytes = strlen(directory) + 1;
	struct owed_store *store = malloc(sizeof(*store) + path_bytes);
	int error = 0;

	if (store == NULL)
		return failure_set(failure, ENOMEM, "state directory %s: no memory", directory);
	memcpy(store->path, directory, path_bytes);
	store->fd = -1;
	store->length = 0;
	store->piece = malloc(REWRITE_BYTES);
	store->directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->piece == NULL || store->directory_fd < 0) {
		error = store->piece == NULL ? ENOMEM : errno;
		error = failure_set(failure, error, "state directory %s: %s", directory,
				    strerror(error));
		goto failed;
	}
	*damage = (struct owed_damage){0};
	/* O_NONBLOCK: a FIFO in the way must not hold the agent up. */
	store->fd =
	    openat(store->directory_fd, JOURNAL, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (store->fd < 0 && errno != ENOENT)
		error = journal_failure(store, errno, "cannot open it", failure);
	else if (store->fd >= 0)
		error = journal_load(store, owed, damage, failure);
	if (error != 0)
		goto failed;
	*out = store;
	return 0;
failed:
	owed_store_close(store);
	return error;
}

void owed_store_close(struct owed_store *store)
{
	if (store == NULL)
		return;
	if (store->fd >= 0)
		(void)close(store->fd);
	if (store->directory_fd >= 0)
		(void)close(store->directory_fd);
	free(store->piece);
	free(store);
}

/* Until it is written anew there is nothing to append to. */
static void journal_unsure(struct owed_store *store)
{
	if (store->fd >= 0)
		(void)close(store->fd);
	store->fd = -1;
}

int owed_store_append(struct owed_store *store, const void *bytes, size_t length,
		      struct failure *failure)
{
	int error;

	if (store->fd < 0)
		return journal_failure(store, EIO, "it has to be written anew", failure);
	error = write_all(store->fd, bytes, length, store->length);
	/* The length is metadata that fdatasync does write. */
	if (error == 0 && fdatasync(store->fd) != 0)
		error = -errno;
	if (error != 0) {
		/* Gives the space back to a full disk. */
		if (ftruncate(store->fd, (off_t)store->length) != 0)
			error = error == 0 ? -errno : error;
		journal_unsure(store);
		return journal_failure(store, -error, "cannot append to it", failure);
	}
	store->length += length;
	return 0;
}

static int rewrite_temporary(struct owed_store *store, struct owed *owed, int *fd)
{
	struct owed_cursor cursor = {0};
	uint64_t offset = 0;
	size_t length;
	int error = 0;

	*fd = openat(store->directory_fd, TEMPORARY,
		     O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*fd < 0)
		return -errno;
	while (error == 0 &&
	       (length = owed_snapshot(owed, &cursor, store->piece, REWRITE_BYTES)) > 0) {
		error = write_all(*fd, store->piece, length, offset);
		offset += length;
	}
	if (error == 0 && fsync(*fd) != 0)
		error = -errno;
	if (error == 0 &&
	    renameat(store->directory_fd, TEMPORARY, store->directory_fd, JOURNAL) != 0)
		error = -errno;
	if (error != 0)
		(void)unlinkat(store->directory_fd, TEMPORARY, 0);
	else if (fsync(store->directory_fd) != 0)
		error = -errno;
	store->length = offset;
	return error;
}

int owed_store_rewrite(struct owed_store *store, struct owed *owed, struct failure *failure)
{
	int fd = -1;
	const int error = rewrite_temporary(store, owed, &fd);

	journal_unsure(store);
	if (error != 0) {
		if (fd >= 0)
			(void)close(fd);
		return journal_failure(store, -error, "cannot write it anew", failure);
	}
	store->fd = fd;
	return 0;
}
