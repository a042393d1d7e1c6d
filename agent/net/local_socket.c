/* local_socket.c - see local_socket.h.  From the loop's thread: it sets the umask for a moment. */
#include "net/local_socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define BACKLOG 512

static int socket_make(int type)
{
	return socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* Is the socket at that path one of ours that nobody serves any more?  Then it is removed. */
static int name_clear(const char *what, const struct sockaddr_un *address, int type,
		      struct failure *failure)
{
	const char *path = address->sun_path;
	struct stat status;
	int fd, error;

	if (lstat(path, &status) != 0)
		return errno == ENOENT
			   ? 0
			   : failure_set(failure, errno, "%s %s: %s", what, path, strerror(errno));
	if (!S_ISSOCK(status.st_mode) || status.st_uid != geteuid())
		return failure_set(failure, EEXIST,
				   "%s %s: something else is there (not a socket of user %lu): "
				   "remove it, or choose another path",
				   what, path, (unsigned long)geteuid());
	fd = socket_make(type);
	if (fd < 0)
		return failure_set(failure, errno, "%s %s: %s", what, path, strerror(errno));
	error = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ? 0 : errno;
	(void)close(fd);
	if (error != ECONNREFUSED)
		return failure_set(failure, EADDRINUSE,
				   "%s %s: an agent answers on it already: stop it, or choose "
				   "another path",
				   what, path);
	if (unlink(path) != 0)
		return failure_set(failure, errno, "%s %s: cannot remove the stale one: %s", what,
				   path, strerror(errno));
	return 0;
}

/* The mode is there from the first moment: bind makes the file, so the umask decides. */
static int name_bind(int fd, const struct sockaddr_un *address, unsigned mode)
{
	mode_t before = umask((mode_t)(~mode & 0777u));
	int error = bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ? 0 : errno;

	(void)umask(before);
	return -error;
}

int local_socket_listen(const char *what, const char *path, int type, unsigned mode,
			struct local_socket *local, struct failure *failure)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat status;
	int fd, error;

	if (path[0] == '\0' || strlen(path) >= sizeof(address.sun_path))
		return failure_set(failure, ENAMETOOLONG,
				   "%s \"%s\": a path of 1 to %zu characters is needed", what, path,
				   sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, strlen(path));
	error = name_clear(what, &address, type, failure);
	if (error != 0)
		return error;
	fd = socket_make(type);
	if (fd < 0)
		return failure_set(failure, errno, "%s %s: %s", what, path, strerror(errno));
	error = name_bind(fd, &address, mode);
	if (error == 0 && (listen(fd, BACKLOG) != 0 || lstat(path, &status) != 0))
		error = -errno;
	if (error != 0) {
		(void)close(fd);
		return failure_set(failure, -error, "%s %s: %s", what, path, strerror(-error));
	}
	local->fd = fd;
	(void)snprintf(local->path, sizeof(local->path), "%s", path);
	local->device = status.st_dev;
	local->inode = status.st_ino;
	return 0;
}

void local_socket_remove(const struct local_socket *local)
{
	struct stat status;

	if (local->path[0] != '\0' && lstat(local->path, &status) == 0 &&
	    status.st_dev == local->device && status.st_ino == local->inode)
		(void)unlink(local->path);
}
