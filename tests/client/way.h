/* way.h - how a memcached is spoken to that is not spoken to plainly at its address in the list.
 *
 * A login for memcached's -Y, or another port, at which a memcached with TLS speaks plainly too.
 * Added at start, before any thread.  Shared by the programs of this directory (it has no main).
 */
#ifndef MCROSTER_TESTS_WAY_H
#define MCROSTER_TESTS_WAY_H

#include <stdint.h>

#include "mcroster_memcached.h"

/* "ADDRESS login USER PASSWORD" or "ADDRESS port NUMBER".  -1: it is neither, or one too many. */
int way_add(const char *text);

/* "USER PASSWORD", or NULL. */
const char *way_login(const char *address);
/* The port to use, or 0: the address's own. */
uint16_t way_port(const char *address);

/* For struct mcr_pool_options: a pool's handles go these ways. */
memcached_return_t way_prepare(void *context, const struct mcr_server *server, int binary,
			       memcached_st *handle);

#endif
