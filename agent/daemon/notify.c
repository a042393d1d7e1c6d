/* notify.c - see notify.h.  Uses no memory of its own; from the loop's thread only (it reads the
 * environment). */
#include "daemon/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE_BYTES_MAX 4096u

int notify_send(const char *message, struct failure *failure)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t name_bytes, message_bytes = strlen(message);
	socklen_t length;
	ssize_t sent;
	int fd, error;

	if (name == NULL)
		return 0;
	name_bytes = strlen(name);
	if ((name[0] != '/' && name[0] != '@') || name_bytes < 2 ||
	    name_bytes >= sizeof(address.sun_path))
		return failure_set(
		    failure, EINVAL,
		    "NOTIFY_SOCKET: found '%.120s', expected an absolute path or @ and "
		    "an abstract name, of 2 to %zu bytes",
		    name, sizeof(address.sun_path) - 1);
	if (message_bytes > MESSAGE_BYTES_MAX)
		return failure_set(failure, EMSGSIZE,
				   "NOTIFY_SOCKET %s: message of %zu bytes, at most %u", name,
				   message_bytes, MESSAGE_BYTES_MAX);
	memcpy(address.sun_path, name, name_bytes);
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name_bytes);

	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return failure_set(failure, errno, "NOTIFY_SOCKET %s: %s", name, strerror(errno));
	do
		sent = sendto(fd, message, message_bytes, MSG_NOSIGNAL,
			      (const struct sockaddr *)&address, length);
	while (sent < 0 && errno == EINTR);
	error = sent < 0 ? errno : 0;
	close(fd);
	if (error != 0)
		return failure_set(failure, error, "NOTIFY_SOCKET %s: %s", name, strerror(error));
	return 1;
}

uint64_t notify_clock_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}
