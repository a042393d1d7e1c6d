/* state.c - see state.h: every store is whole on disk, or the one before is still there.
 *
 * The lock makes this process the only writer, so a store's temporary file has a fixed name and one
 * left behind by a crash is simply written over.  Used from the loop's thread only; a forked child
 * must not store (it would share the lock).
 *
 * A file: 8 bytes magic, u64 little-endian length of the content, BLAKE2b-256 of the content,
 * content.
 */
#include "daemon/state.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#define STATE_MAGIC	   "mcrstat1"
#define STATE_MAGIC_BYTES  8u
#define STATE_HASH_BYTES   32u
#define STATE_HEADER_BYTES (STATE_MAGIC_BYTES + 8u + STATE_HASH_BYTES)
#define STATE_NAME_MAX	   200u /* leaves room for the temporary name within NAME_MAX */
#define STATE_LOCK	   ".lock"

struct state {
	int directory_fd;
	int lock_fd;
	char path[]; /* of the directory, for messages */
};

/* Names that begin with a dot are ours: the lock, temporary files. */
static bool state_name_valid(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && length <= STATE_NAME_MAX && name[0] != '.' &&
	       strchr(name, '/') == NULL;
}

static int state_name_check(const struct state *state, const char *name, struct failure *failure)
{
	if (state_name_valid(name))
		return 0;
	return failure_set(
	    failure, EINVAL,
	    "state directory %s: found the file name '%.64s', expected one component "
	    "of at most %u bytes that does not begin with a dot",
	    state->path, name, STATE_NAME_MAX);
}

static int write_all(int fd, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;

	while (length > 0) {
		ssize_t n = write(fd, at, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += n;
		length -= (size_t)n;
	}
	return 0;
}

/* The number of bytes read, less than `length` at the end of the file; or a negative errno. */
static ssize_t read_all(int fd, void *bytes, size_t length)
{
	uint8_t *at = bytes;
	size_t got = 0;

	while (got < length) {
		ssize_t n = read(fd, at + got, length - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

/* A new directory's entry must survive a crash as well as what is stored in it. */
static int directory_parent_sync(int directory_fd)
{
	int fd = openat(directory_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int error = 0;

	/* A parent that may be passed but not read cannot be synced by us; it was there before. */
	if (fd < 0)
		return errno == EACCES ? 0 : -errno;
	if (fsync(fd) != 0)
		error = -errno;
	close(fd);
	return error;
}

static int directory_check(int fd, const char *path, struct failure *failure)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return failure_set(failure, errno, "state directory %s: %s", path, strerror(errno));
	if (st.st_uid != geteuid())
		return failure_set(failure, EACCES,
				   "state directory %s: found owner uid %u, expected uid %u, which "
				   "this agent runs as",
				   path, (unsigned)st.st_uid, (unsigned)geteuid());
	if ((st.st_mode & 022) != 0)
		return failure_set(failure, EACCES,
				   "state directory %s: found mode %04o, expected no write "
				   "permission for group and others",
				   path, (unsigned)(st.st_mode & 07777));
	return 0;
}

/* Takes the lock for the life of the descriptor and leaves our pid in the file for the next one to
 * name.  The lock decides, not the pid: a file left by a dead agent stops nobody. */
static int lock_take(int directory_fd, const char *path, int *lock_fd, struct failure *failure)
{
	char pid[16] = "";
	int fd, error, length;

	fd = openat(directory_fd, STATE_LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return failure_set(failure, errno, "state directory %s: cannot open %s: %s", path,
				   STATE_LOCK, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		error = errno == EWOULDBLOCK ? EBUSY : errno;
		if (error == EBUSY) {
			ssize_t n = read_all(fd, pid, sizeof(pid) - 1);

			pid[n > 0 ? n : 0] = '\0';
			pid[strspn(pid, "0123456789")] = '\0';
			failure_set(failure, EBUSY,
				    "state directory %s: in use by another agent (pid %s); stop it "
				    "or give this one a directory of its own",
				    path, pid[0] != '\0' ? pid : "unknown");
		} else {
			failure_set(failure, error, "state directory %s: cannot lock %s: %s", path,
				    STATE_LOCK, strerror(error));
		}
		close(fd);
		return -error;
	}
	length = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	assert(length > 0 && (size_t)length < sizeof(pid));
	error = ftruncate(fd, 0) != 0 ? -errno : write_all(fd, pid, (size_t)length);
	if (error != 0) {
		failure_set(failure, -error, "state directory %s: cannot write %s: %s", path,
			    STATE_LOCK, strerror(-error));
		close(fd);
		return error;
	}
	*lock_fd = fd;
	return 0;
}

int state_open(const char *directory, struct state **state, struct failure *failure)
{
	size_t path_bytes = strlen(directory) + 1;
	struct state *s;
	bool created;
	int error;

	if (sodium_init() < 0)
		return failure_set(failure, EIO, "libsodium cannot be initialised");
	s = malloc(sizeof(*s) + path_bytes);
	if (s == NULL)
		return failure_set(failure, ENOMEM, "state directory %s: no memory", directory);
	memcpy(s->path, directory, path_bytes);

	created = mkdir(directory, 0700) == 0;
	if (!created && errno != EEXIST) {
		error = failure_set(failure, errno, "state directory %s: cannot create it: %s",
				    directory, strerror(errno));
		goto fail;
	}
	s->directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->directory_fd < 0) {
		error = failure_set(failure, errno, "state directory %s: %s", directory,
				    strerror(errno));
		goto fail;
	}
	error = directory_check(s->directory_fd, directory, failure);
	if (error != 0)
		goto fail_directory;
	if (created) {
		error = directory_parent_sync(s->directory_fd);
		if (error != 0) {
			failure_set(failure, -error, "state directory %s: cannot sync: %s",
				    directory, strerror(-error));
			goto fail_directory;
		}
	}
	error = lock_take(s->directory_fd, directory, &s->lock_fd, failure);
	if (error != 0)
		goto fail_directory;
	*state = s;
	return 0;

fail_directory:
	close(s->directory_fd);
fail:
	free(s);
	return error;
}

void state_close(struct state *state)
{
	if (state == NULL)
		return;
	close(state->lock_fd);
	close(state->directory_fd);
	free(state);
}

static void header_make(uint8_t header[STATE_HEADER_BYTES], const void *bytes, size_t length)
{
	uint64_t n = length;

	memcpy(header, STATE_MAGIC, STATE_MAGIC_BYTES);
	for (unsigned i = 0; i < 8; i++)
		header[STATE_MAGIC_BYTES + i] = (uint8_t)(n >> (8 * i));
	crypto_generichash(header + STATE_MAGIC_BYTES + 8, STATE_HASH_BYTES, bytes, length, NULL,
			   0);
}

static int store_temporary(const struct state *state, const char *temporary, const void *bytes,
			   size_t length)
{
	uint8_t header[STATE_HEADER_BYTES];
	int fd, error;

	header_make(header, bytes, length);
	fd = openat(state->directory_fd, temporary,
		    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	error = write_all(fd, header, sizeof(header));
	if (error == 0)
		error = write_all(fd, bytes, length);
	if (error == 0 && fsync(fd) != 0)
		error = -errno;
	if (close(fd) != 0 && error == 0)
		error = -errno;
	return error;
}

int state_store(struct state *state, const char *name, const void *bytes, size_t length,
		struct failure *failure)
{
	char temporary[STATE_NAME_MAX + 8];
	int error = state_name_check(state, name, failure);

	if (error != 0)
		return error;
	(void)snprintf(temporary, sizeof(temporary), ".%s.tmp", name);
	error = store_temporary(state, temporary, bytes, length);
	if (error == 0 && renameat(state->directory_fd, temporary, state->directory_fd, name) != 0)
		error = -errno;
	if (error != 0) {
		/* Gives the space back to a full disk; what was stored before is untouched. */
		(void)unlinkat(state->directory_fd, temporary, 0);
		return failure_set(failure, -error, "state file %s/%s: cannot store %zu bytes: %s",
				   state->path, name, length, strerror(-error));
	}
	if (fsync(state->directory_fd) != 0)
		return failure_set(failure, errno, "state directory %s: cannot sync: %s",
				   state->path, strerror(errno));
	return 0;
}

/* Checks the header against the file's size.  Returns what is wrong, or NULL. */
static const char *header_check(const uint8_t header[STATE_HEADER_BYTES], uint64_t content_bytes)
{
	uint64_t length = 0;

	if (memcmp(header, STATE_MAGIC, STATE_MAGIC_BYTES) != 0)
		return "foreign: it does not begin with " STATE_MAGIC;
	for (unsigned i = 0; i < 8; i++)
		length |= (uint64_t)header[STATE_MAGIC_BYTES + i] << (8 * i);
	if (length > content_bytes)
		return "truncated: it is shorter than its header says";
	if (length < content_bytes)
		return "damaged: it is longer than its header says";
	return NULL;
}

/* Reads and checks an open file.  Returns a negative errno; for -EBADMSG *wrong says what. */
static int load_checked(int fd, size_t max, void **bytes, size_t *length, const char **wrong)
{
	uint8_t header[STATE_HEADER_BYTES], hash[STATE_HASH_BYTES];
	struct stat st;
	size_t content_bytes;
	uint8_t *content;
	ssize_t n;

	if (fstat(fd, &st) != 0)
		return -errno;
	*wrong = "foreign: it is not a regular file";
	if (!S_ISREG(st.st_mode))
		return -EBADMSG;
	n = read_all(fd, header, sizeof(header));
	if (n < 0)
		return (int)n;
	*wrong = "truncated: it is shorter than a header";
	if ((size_t)n < sizeof(header) || st.st_size < (off_t)sizeof(header))
		return -EBADMSG;
	*wrong = header_check(header, (uint64_t)st.st_size - sizeof(header));
	if (*wrong != NULL)
		return -EBADMSG;
	*wrong = "foreign: it is larger than such a file can be";
	if ((uint64_t)st.st_size - sizeof(header) > max)
		return -EBADMSG;
	content_bytes = (size_t)st.st_size - sizeof(header);

	content = malloc(content_bytes > 0 ? content_bytes : 1);
	if (content == NULL)
		return -ENOMEM;
	n = read_all(fd, content, content_bytes);
	if (n < 0 || (size_t)n != content_bytes) {
		free(content);
		*wrong = "truncated: it ended while it was read";
		return n < 0 ? (int)n : -EBADMSG;
	}
	crypto_generichash(hash, sizeof(hash), content, content_bytes, NULL, 0);
	if (memcmp(hash, header + STATE_MAGIC_BYTES + 8, sizeof(hash)) != 0) {
		free(content);
		*wrong = "damaged: its content does not match its checksum";
		return -EBADMSG;
	}
	*bytes = content;
	*length = content_bytes;
	return 0;
}

int state_load(struct state *state, const char *name, size_t max, void **bytes, size_t *length,
	       struct failure *failure)
{
	const char *wrong = NULL;
	int fd, error = state_name_check(state, name, failure);

	if (error != 0)
		return error;
	/* O_NONBLOCK: a FIFO in the way must not hold the agent up. */
	fd = openat(state->directory_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ELOOP)
		return failure_set(failure, EBADMSG,
				   "state file %s/%s: foreign: it is a symbolic link", state->path,
				   name);
	if (fd < 0)
		return failure_set(failure, errno, "state file %s/%s: %s", state->path, name,
				   strerror(errno));
	error = load_checked(fd, max, bytes, length, &wrong);
	close(fd);
	if (error == -EBADMSG)
		failure_set(failure, EBADMSG, "state file %s/%s: %s", state->path, name, wrong);
	else if (error != 0)
		failure_set(failure, -error, "state file %s/%s: cannot read: %s", state->path, name,
			    strerror(-error));
	return error;
}

int state_remove(struct state *state, const char *name, struct failure *failure)
{
	int error = state_name_check(state, name, failure);

	if (error != 0)
		return error;
	if (unlinkat(state->directory_fd, name, 0) != 0 && errno != ENOENT)
		return failure_set(failure, errno, "state file %s/%s: cannot remove: %s",
				   state->path, name, strerror(errno));
	/* Synced also when it was not there: the removal before may not be on disk yet. */
	if (fsync(state->directory_fd) != 0)
		return failure_set(failure, errno, "state directory %s: cannot sync: %s",
				   state->path, strerror(errno));
	return 0;
}

int state_each(struct state *state, const char *prefix,
	       void (*each)(const char *name, void *context), void *context,
	       struct failure *failure)
{
	int fd = openat(state->directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int error = 0;

	if (directory == NULL) {
		error = errno;
		if (fd >= 0)
			close(fd);
		return failure_set(failure, error, "state directory %s: cannot read: %s",
				   state->path, strerror(error));
	}
	while (errno = 0, (entry = readdir(directory)) != NULL)
		if (state_name_valid(entry->d_name) &&
		    strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
			each(entry->d_name, context);
	if (errno != 0)
		error = failure_set(failure, errno, "state directory %s: cannot read: %s",
				    state->path, strerror(errno));
	closedir(directory);
	return error;
}
