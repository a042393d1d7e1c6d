/* infile.c - see infile.h. */
#include "list/infile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int infile_open(const char *path, int *fd, struct failure *failure)
{
	const int opened = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	int error = 0;

	if (opened < 0)
		return failure_set(failure, errno, "%s: %s", path, strerror(errno));
	if (fstat(opened, &st) != 0)
		error = failure_set(failure, errno, "%s: %s", path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		error =
		    failure_set(failure, EINVAL, "%s: found no regular file, expected one", path);
	if (error != 0) {
		(void)close(opened);
		return error;
	}
	*fd = opened;
	return 0;
}

int infile_read(int fd, const char *path, void *bytes, size_t size, size_t *length,
		struct failure *failure)
{
	size_t have = 0;

	while (have < size) {
		const ssize_t got = read(fd, (char *)bytes + have, size - have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return failure_set(failure, errno, "%s: %s", path, strerror(errno));
		if (got == 0)
			break;
		have += (size_t)got;
	}
	*length = have;
	return 0;
}
