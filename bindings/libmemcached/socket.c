/* socket.c - see socket.h. */
#include "socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

/* Descriptors that are looked at: what a process with more of them pays for a connection is bounded
 * too. */
#define LOOKED_AT 4096

union address {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
};

/* Of one end of a connection; 0 is none's. */
static uint16_t port_of(int fd, int (*end)(int fd, struct sockaddr *address, socklen_t *bytes),
			union address *address)
{
	socklen_t bytes = sizeof(*address);

	if (end(fd, &address->any, &bytes) < 0)
		return 0;
	switch (address->any.sa_family) {
	case AF_INET:
		return ntohs(address->four.sin_port);
	case AF_INET6:
		return ntohs(address->six.sin6_port);
	default:
		return 0;
	}
}

static bool is_of(const union address *address, const char *peer)
{
	union address wanted;

	if (address->any.sa_family == AF_INET)
		return inet_pton(AF_INET, peer, &wanted.four.sin_addr) == 1 &&
		       memcmp(&wanted.four.sin_addr, &address->four.sin_addr,
			      sizeof(struct in_addr)) == 0;
	return inet_pton(AF_INET6, peer, &wanted.six.sin6_addr) == 1 &&
	       memcmp(&wanted.six.sin6_addr, &address->six.sin6_addr, sizeof(struct in6_addr)) == 0;
}

int mcr_socket_find(uint16_t local_port, const char *peer, uint16_t peer_port)
{
	union address address;

	if (local_port == 0 || peer_port == 0)
		return -1;
	for (int fd = 0; fd < LOOKED_AT; fd++)
		if (port_of(fd, getsockname, &address) == local_port &&
		    port_of(fd, getpeername, &address) == peer_port && is_of(&address, peer))
			return fd;
	return -1;
}
