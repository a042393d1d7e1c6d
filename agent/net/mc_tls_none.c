/* mc_tls_none.c - see mc_tls.h: the build without TLS. */
#include "net/mc_tls.h"

#include <errno.h>
#include <stdlib.h>

int mc_tls_new(const char *ca, const char *cert, const char *key, struct mc_tls **tls,
	       struct failure *failure)
{
	(void)ca;
	(void)cert;
	(void)key;
	(void)tls;
	return failure_set(failure, ENOTSUP,
			   "this mcrosterd is built without TLS, expected one built by make TLS=1");
}

void mc_tls_free(struct mc_tls *tls)
{
	(void)tls;
}

/* No struct mc_tls exists, so nobody comes here. */

struct mc_tls_session *mc_tls_session_new(struct mc_tls *tls, int fd, const char *name)
{
	(void)tls;
	(void)fd;
	(void)name;
	abort();
}

void mc_tls_session_free(struct mc_tls_session *session)
{
	(void)session;
}

enum mc_tls_progress mc_tls_handshake(struct mc_tls_session *session, char why[MC_TLS_WHY_BYTES])
{
	(void)session;
	(void)why;
	abort();
}

ssize_t mc_tls_read(struct mc_tls_session *session, void *bytes, size_t size,
		    char why[MC_TLS_WHY_BYTES])
{
	(void)session;
	(void)bytes;
	(void)size;
	(void)why;
	abort();
}

ssize_t mc_tls_write(struct mc_tls_session *session, const void *bytes, size_t size,
		     char why[MC_TLS_WHY_BYTES])
{
	(void)session;
	(void)bytes;
	(void)size;
	(void)why;
	abort();
}
