/* socket.h - which of the process's sockets is the connection from a local port to a peer.
 *
 * libmemcached waits on its sockets, but shows none of them: of a connection it tells the local
 * port alone (memcached_server_srcport).  With the peer's address that names it.
 *
 * Any thread, at any time; the answer is good as long as its owner leaves the connection open.
 */
#ifndef MCROSTER_MEMCACHED_SOCKET_H
#define MCROSTER_MEMCACHED_SOCKET_H

#include <stdint.h>

/* `peer` is numeric.  -1: there is none, or it is beyond the descriptors that are looked at. */
int mcr_socket_find(uint16_t local_port, const char *peer, uint16_t peer_port);

#endif
