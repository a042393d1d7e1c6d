/* local_socket.h - a listening unix socket with a name in the file system: made, and taken away.
 *
 * A name that is taken is never taken over, unless it is a socket of ours that nobody serves.
 */
#ifndef MCROSTER_LOCAL_SOCKET_H
#define MCROSTER_LOCAL_SOCKET_H

#include <sys/types.h>
#include <sys/un.h>

#include "list/failure.h"

struct local_socket {
	int fd;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path) + 1]; /* "": none */
	dev_t device;
	ino_t inode;
};

/* `what` names it in failures ("control socket").  `type`: SOCK_STREAM or SOCK_SEQPACKET. The file
 * has `mode` from its first moment.  The descriptor is the caller's. */
int local_socket_listen(const char *what, const char *path, int type, unsigned mode,
			struct local_socket *local, struct failure *failure);

/* Unlinks it while it is still ours.  The descriptor stays the caller's. */
void local_socket_remove(const struct local_socket *local);

#endif
