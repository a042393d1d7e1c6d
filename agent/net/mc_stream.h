/* mc_stream.h - the bytes between a connection and its memcached: the socket, TLS on it, the login.
 *
 * For mc_conn.c only, which has the events.  Nothing goes out before the stream is open: no command
 * to a server that has not proven its name where that is asked for, none before the login is
 * answered; and the password to nobody but that server.
 */
#ifndef MCROSTER_MC_STREAM_H
#define MCROSTER_MC_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "list/failure.h"
#include "net/mc_access.h"
#include "net/mc_tls.h"

/* What memcached with -Y says to every command before the login. */
#define MC_UNAUTHENTICATED "CLIENT_ERROR unauthenticated"

enum mc_stream_stage {
	MC_STREAM_DIALS,
	MC_STREAM_SHAKES,
	MC_STREAM_ASKS,
	MC_STREAM_LOGS_IN,
	MC_STREAM_IS_OPEN
};

struct mc_stream {
	int fd; /* -1: closed */
	enum mc_stream_stage stage;
	const struct mc_access *access; /* borrowed; NULL: plainly, without a login */
	struct mc_tls_session *tls;	/* NULL: plain TCP */
	bool heard;			/* it has sent something */
	bool broken;			/* `why` says how; it is only to be closed */
	char answer[64];		/* to the login */
	size_t answer_bytes;
	char why[MC_TLS_WHY_BYTES];
};

/* Begins to connect.  On failure nothing is to be closed. */
int mc_stream_dial(struct mc_stream *stream, const char *address, const struct mc_access *access,
		   struct failure *failure);

enum mc_stream_want { MC_STREAM_READY, MC_STREAM_READS, MC_STREAM_WRITES, MC_STREAM_FAILED };

/* The socket is writable (at first), or what was wanted last: goes on.  READY: it is open. */
enum mc_stream_want mc_stream_open(struct mc_stream *stream);
/* What it is at, for who has waited in vain. */
const char *mc_stream_vain(const struct mc_stream *stream);

/* As many bytes as there are, or as the socket takes.  0: none now.  -1: it is broken. */
ssize_t mc_stream_read(struct mc_stream *stream, void *bytes, size_t size);
ssize_t mc_stream_write(struct mc_stream *stream, const void *bytes, size_t size);

void mc_stream_close(struct mc_stream *stream);

#endif
