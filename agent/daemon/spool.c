/* spool.c - see spool.h.
 *
 * The file is written and read in large pieces at their own offsets.  A reader that has caught up
 * with the file takes what was appended last from memory, and the file begins anew.
 */
#include "daemon/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE_BYTES  (128u << 10)
#define HEADER_BYTES 29u /* cas 8, size 8, expires 4, idle 4, destination 2, kind, attempts, key_bytes */
#define RECORD_MAX   (HEADER_BYTES + SPOOL_KEY_MAX)

struct spool {
	int fd;
	uint64_t bytes_max;
	uint64_t written, read; /* offsets in the file */
	uint64_t count;
	size_t out_bytes; /* in out, not yet in the file */
	size_t in_at, in_bytes;
	uint8_t out[PIECE_BYTES], in[PIECE_BYTES + RECORD_MAX];
};

static int file_open(const char *directory)
{
	char path[4096];
	int fd = open(directory, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd;
	/* A file system that has no nameless files. */
	if (snprintf(path, sizeof(path), "%s/.spool-XXXXXX", directory) >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		(void)unlink(path);
	return fd;
}

int spool_new(const char *directory, uint64_t bytes_max, struct spool **result,
	      struct failure *failure)
{
	struct spool *spool = malloc(sizeof(*spool));

	if (spool == NULL)
		return failure_set(failure, ENOMEM, "no memory for a spool in %s", directory);
	spool->fd = file_open(directory);
	if (spool->fd < 0) {
		int error = errno;

		free(spool);
		return failure_set(failure, error, "no spool file in %s: %s", directory,
				   strerror(error));
	}
	spool->bytes_max = bytes_max;
	spool_reset(spool);
	*result = spool;
	return 0;
}

void spool_free(struct spool *spool)
{
	if (spool == NULL)
		return;
	(void)close(spool->fd);
	free(spool);
}

void spool_reset(struct spool *spool)
{
	spool->written = spool->read = spool->count = 0;
	spool->out_bytes = spool->in_at = spool->in_bytes = 0;
	if (ftruncate(spool->fd, 0) < 0) {
		/* Then it keeps its blocks; it is overwritten from the start all the same. */
	}
}

static int spool_flush(struct spool *spool)
{
	size_t done = 0;

	while (done < spool->out_bytes) {
		ssize_t n = pwrite(spool->fd, spool->out + done, spool->out_bytes - done,
				   (off_t)(spool->written + done));

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			done += (size_t)n;
	}
	spool->written += done;
	spool->out_bytes = 0;
	return 0;
}

uint64_t spool_record_bytes(size_t key_bytes)
{
	return HEADER_BYTES + key_bytes;
}

int spool_append(struct spool *spool, const struct spool_record *record)
{
	size_t bytes = HEADER_BYTES + record->key_bytes;
	uint8_t *at;

	if (spool->written + spool->out_bytes + bytes > spool->bytes_max)
		return -EFBIG;
	if (spool->out_bytes + bytes > sizeof(spool->out)) {
		int error = spool_flush(spool);

		if (error < 0)
			return error;
	}
	at = spool->out + spool->out_bytes;
	memcpy(at, &record->cas, 8);
	memcpy(at + 8, &record->size, 8);
	memcpy(at + 16, &record->expires, 4);
	memcpy(at + 20, &record->idle_s, 4);
	memcpy(at + 24, &record->destination, 2);
	at[26] = record->kind;
	at[27] = record->attempts;
	at[28] = record->key_bytes;
	memcpy(at + HEADER_BYTES, record->key, record->key_bytes);
	spool->out_bytes += bytes;
	spool->count++;
	return 0;
}

/* Sees that a whole record lies in `in`. */
static int spool_fill(struct spool *spool)
{
	size_t left = spool->in_bytes - spool->in_at;
	uint64_t unread;
	size_t room;

	if (left >= RECORD_MAX || (spool->read == spool->written && spool->out_bytes == 0))
		return 0;
	memmove(spool->in, spool->in + spool->in_at, left);
	spool->in_at = 0;
	spool->in_bytes = left;
	if (spool->read == spool->written) {
		/* The reader has caught up: the file is not needed. */
		memcpy(spool->in + left, spool->out, spool->out_bytes);
		spool->in_bytes += spool->out_bytes;
		spool->read = spool->written = spool->out_bytes = 0;
		return 0;
	}
	unread = spool->written - spool->read;
	room = sizeof(spool->in) - left;
	if (room > unread)
		room = (size_t)unread;
	while (room > 0) {
		ssize_t n = pread(spool->fd, spool->in + spool->in_bytes, room, (off_t)spool->read);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return -EIO;
		if (n > 0) {
			spool->read += (uint64_t)n;
			spool->in_bytes += (size_t)n;
			room -= (size_t)n;
		}
	}
	return 0;
}

int spool_next(struct spool *spool, struct spool_record *record)
{
	const uint8_t *at;
	int error;

	if (spool->count == 0)
		return 0;
	error = spool_fill(spool);
	if (error < 0)
		return error;
	at = spool->in + spool->in_at;
	memcpy(&record->cas, at, 8);
	memcpy(&record->size, at + 8, 8);
	memcpy(&record->expires, at + 16, 4);
	memcpy(&record->idle_s, at + 20, 4);
	memcpy(&record->destination, at + 24, 2);
	record->kind = at[26];
	record->attempts = at[27];
	record->key_bytes = at[28];
	memcpy(record->key, at + HEADER_BYTES, record->key_bytes);
	spool->in_at += HEADER_BYTES + record->key_bytes;
	spool->count--;
	return 1;
}

uint64_t spool_count(const struct spool *spool)
{
	return spool->count;
}
