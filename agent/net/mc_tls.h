/* mc_tls.h - TLS on a connection to a memcached, over a socket that does not block.
 *
 * Built with TLS=1 it is OpenSSL's (mc_tls.c); without, mc_tls_new says that there is none
 * (mc_tls_none.c) and nothing else here is ever reached.  Only certificates that the given
 * authorities signed, for the name that was asked for, are accepted; TLS 1.2 and later.
 */
#ifndef MCROSTER_MC_TLS_H
#define MCROSTER_MC_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "list/failure.h"

#define MC_TLS_WHY_BYTES 160u

struct mc_tls;	       /* whom we trust and who we are: for any number of connections */
struct mc_tls_session; /* one connection's */

/* `ca` is a PEM file of authorities; `cert` and `key` are our own, both or NULL.  -ENOTSUP in a
 * build without TLS, -EINVAL with the sentence where a file is none of these. */
int mc_tls_new(const char *ca, const char *cert, const char *key, struct mc_tls **tls,
	       struct failure *failure);
void mc_tls_free(struct mc_tls *tls); /* NULL is fine */

/* `name`: a numeric address or a host name, which the certificate must be for.  The socket stays
 * the caller's.  NULL: no memory. */
struct mc_tls_session *mc_tls_session_new(struct mc_tls *tls, int fd, const char *name);
void mc_tls_session_free(struct mc_tls_session *session); /* NULL is fine */

enum mc_tls_progress { MC_TLS_DONE, MC_TLS_WANTS_READ, MC_TLS_WANTS_WRITE, MC_TLS_FAILED };

/* To be called again when the socket is ready for what it wants.  `why` is written on failure. */
enum mc_tls_progress mc_tls_handshake(struct mc_tls_session *session, char why[MC_TLS_WHY_BYTES]);

/* As many bytes as there are, or as the socket takes; 0: none now.  -1: the connection has ended
 * or is broken, and `why` says how. */
ssize_t mc_tls_read(struct mc_tls_session *session, void *bytes, size_t size,
		    char why[MC_TLS_WHY_BYTES]);
ssize_t mc_tls_write(struct mc_tls_session *session, const void *bytes, size_t size,
		     char why[MC_TLS_WHY_BYTES]);

#endif
