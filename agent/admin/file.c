/* file.c - see file.h.  A reader of a file written here sees the old content or the new, also
 * after a crash; the temporary file is removed when anything goes wrong. */
#include "admin/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "list/infile.h"

static int read_bounded(const char *path, int fd, char *bytes, size_t max, size_t *length,
			struct failure *failure)
{
	int error = infile_read(fd, path, bytes, max + 1, length, failure);

	if (error < 0)
		return error;
	if (*length > max)
		return failure_set(failure, EFBIG, "%s: larger than %zu bytes, which is the limit",
				   path, max);
	bytes[*length] = '\0';
	return 0;
}

int file_read(const char *path, size_t max, char **bytes, size_t *length, struct failure *failure)
{
	char *buffer;
	size_t got = 0;
	int fd, error = infile_open(path, &fd, failure);

	if (error < 0)
		return error;
	buffer = malloc(max + 1);
	if (buffer == NULL)
		error = failure_set(failure, ENOMEM, "%s: out of memory", path);
	else
		error = read_bounded(path, fd, buffer, max, &got, failure);
	(void)close(fd);
	if (error < 0) {
		free(buffer);
		return error;
	}
	*bytes = buffer;
	*length = got;
	return 0;
}

static int write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t put = write(fd, bytes, length);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		bytes += put;
		length -= (size_t)put;
	}
	return 0;
}

/* The directory of `path` ("." where it names none), and the start of its last component. */
static const char *path_split(const char *path, char directory[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	size_t length;

	if (slash == NULL) {
		memcpy(directory, ".", 2);
		return path;
	}
	length = slash == path ? 1 : (size_t)(slash - path);
	memcpy(directory, path, length);
	directory[length] = '\0';
	return slash + 1;
}

static int temporary_write(int fd, mode_t mode, const void *bytes, size_t length)
{
	int error = write_all(fd, bytes, length);

	if (error < 0)
		return error;
	if (fchmod(fd, mode) < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

static int put_in_place(int directory, const char *temporary, const char *name, bool replace)
{
	if (renameat2(directory, temporary, directory, name, replace ? 0 : RENAME_NOREPLACE) == 0)
		return 0;
	if (replace || errno != EINVAL)
		return -errno;
	/* A file system without RENAME_NOREPLACE: a link does not replace either. */
	if (linkat(directory, temporary, directory, name, 0) < 0)
		return -errno;
	(void)unlinkat(directory, temporary, 0);
	return 0;
}

/* Writes a temporary file and renames it; where that fails `name` is as it was. */
static int written_beside(int dir_fd, const char *name, mode_t mode, bool replace,
			  const void *bytes, size_t length)
{
	char temporary[64];
	int fd, error;

	(void)snprintf(temporary, sizeof(temporary), ".mcadmin.%08x%08x", randombytes_random(),
		       randombytes_random());
	fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	error = temporary_write(fd, mode, bytes, length);
	if (close(fd) < 0 && error == 0)
		error = -errno;
	if (error == 0)
		error = put_in_place(dir_fd, temporary, name, replace);
	if (error < 0)
		(void)unlinkat(dir_fd, temporary, 0);
	return error;
}

int file_write(const char *path, mode_t mode, bool replace, const void *bytes, size_t length,
	       struct failure *failure)
{
	char directory[PATH_MAX];
	const char *name;
	struct stat st;
	bool there;
	int dir_fd, error;

	if (strlen(path) >= PATH_MAX)
		return failure_set(failure, ENAMETOOLONG, "the path of %zu bytes is too long",
				   strlen(path));
	name = path_split(path, directory);
	if (*name == '\0')
		return failure_set(failure, EISDIR, "'%s': names no file", path);
	there = stat(path, &st) == 0;
	if (there && !S_ISREG(st.st_mode))
		return failure_set(failure, EEXIST,
				   "%s: is there and not a regular file, so it is not replaced",
				   path);
	dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return failure_set(failure, errno, "%s: directory %s: %s", path, directory,
				   strerror(errno));
	error = written_beside(dir_fd, name, mode, replace, bytes, length);
	if (error == -EEXIST)
		(void)failure_set(failure, EEXIST, "%s: is there already and is not overwritten",
				  path);
	else if (error < 0)
		(void)failure_set(failure, -error, "%s: %s%s", path, strerror(-error),
				  there ? "; it is as it was" : "");
	else if (fsync(dir_fd) < 0)
		error = failure_set(failure, errno, "%s: directory %s: %s", path, directory,
				    strerror(errno));
	(void)close(dir_fd);
	return error;
}
