/* open.c - finds the segment by its name and decides whether its owner may be believed.
 *
 * Whoever can write to the segment decides where a client's data goes, so before a byte of it is
 * read: a regular file, not reached by a symbolic link, owned by root, by the caller himself or by
 * the user `mcroster`, and writable for nobody else.  Any thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

#define SHM_DIRECTORY "/dev/shm"
#define AGENT_USER    "mcroster"

/* "web" is /dev/shm/mcroster.web, "/other" is /dev/shm/other.  Anything that would leave the
 * directory is refused. */
static int path_make(const char *cluster, char *path, size_t path_bytes)
{
	const bool verbatim = cluster[0] == '/';
	const char *name = verbatim ? cluster + 1 : cluster;
	const char *before = verbatim ? SHM_DIRECTORY "/" : SHM_DIRECTORY "/mcroster.";
	const size_t before_chars = strlen(before);
	const size_t name_chars = strnlen(name, path_bytes);

	if (name_chars == 0 || strchr(name, '/') != NULL)
		return MCR_BAD_ARGUMENT;
	if (verbatim && (strcmp(name, ".") == 0 || strcmp(name, "..") == 0))
		return MCR_BAD_ARGUMENT;
	if (name_chars > (verbatim ? 255u : MCR_NAME_MAX))
		return MCR_BAD_ARGUMENT;
	if (before_chars + name_chars + 1 > path_bytes)
		return MCR_BAD_ARGUMENT;
	memcpy(path, before, before_chars);
	memcpy(path + before_chars, name, name_chars + 1);
	return MCR_OK;
}

static bool owner_trusted(uid_t owner)
{
	struct passwd entry, *found = NULL;
	char strings[2048];

	if (owner == 0 || owner == geteuid())
		return true;
	if (getpwnam_r(AGENT_USER, &entry, strings, sizeof(strings), &found) != 0)
		return false;
	return found != NULL && found->pw_uid == owner;
}

/* O_NONBLOCK: a FIFO under the segment's name would hold the caller up for ever. */
static int file_open(const char *path, int *fd)
{
	struct stat status;
	int opened = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	if (opened < 0) {
		switch (errno) {
		case ENOENT:
			return MCR_NO_SEGMENT;
		case ELOOP:
			return MCR_BAD_MODE;
		default:
			return MCR_SYSTEM;
		}
	}
	if (fstat(opened, &status) != 0) {
		(void)close(opened);
		return MCR_SYSTEM;
	}
	if (!S_ISREG(status.st_mode) || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		(void)close(opened);
		return MCR_BAD_MODE;
	}
	if (!owner_trusted(status.st_uid)) {
		(void)close(opened);
		return MCR_BAD_OWNER;
	}
	*fd = opened;
	return MCR_OK;
}

int mcr_open(const char *cluster, unsigned flags, struct mcr **mcr)
{
	struct mcr *opened;
	char path[sizeof(opened->path)];
	int fd, error, saved;

	if (cluster == NULL || mcr == NULL || (flags & ~(MCR_STRICT | MCR_OBSERVE)) != 0)
		return MCR_BAD_ARGUMENT;
	error = path_make(cluster, path, sizeof(path));
	if (error != MCR_OK)
		return error;
	error = file_open(path, &fd);
	if (error != MCR_OK)
		return error;
	error = mcr_attach_fd(fd, flags, &opened);
	saved = errno;
	(void)close(fd);
	errno = saved;
	if (error != MCR_OK)
		return error;
	memcpy(opened->path, path, sizeof(path));
	mcr_registration_open(opened);
	*mcr = opened;
	return MCR_OK;
}
