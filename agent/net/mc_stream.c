/* mc_stream.c - see mc_stream.h.
 *
 * memcached's login (-Y) is a first command in the form of a set whose value is "user password";
 * its key and flags mean nothing.  A memcached that wants no login would store it for everybody to
 * read, so it is asked with another command first whether it wants one.  Nothing is sent before
 * the answer: whatever comes up to the end of the line is that.
 */
#include "net/mc_stream.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <sodium.h>

#include "net/address.h"

/* Long enough for a server that wants TLS to see that it is none, and to hang up. */
#define ASK	    "version\r\n"
#define ASK_BYTES   9
#define LOGIN_BYTES (2 * MC_LOGIN_WORD_MAX + 64)
/* The type of TLS's alert record: how a server that wants TLS turns a plain command away. */
#define TLS_ALERT 0x15

static int broken(struct mc_stream *stream, const char *why)
{
	if (!stream->broken)
		(void)snprintf(stream->why, sizeof(stream->why), "%s", why);
	stream->broken = true;
	return -1;
}

/* The host of "10.0.0.1:11211" or "[::1]:11211". */
static void host_of(const char *address, char host[64])
{
	const bool bracket = address[0] == '[';
	const char *end = bracket ? strchr(address, ']') : strrchr(address, ':');

	address += bracket;
	(void)snprintf(host, 64, "%.*s", (int)(end - address), address);
}

static int tls_begin(struct mc_stream *stream, const char *address, struct failure *failure)
{
	const struct mc_access *access = stream->access;
	char host[64];

	if (access == NULL || access->tls == NULL)
		return 0;
	host_of(address, host);
	stream->tls =
	    mc_tls_session_new(access->tls, stream->fd, access->name != NULL ? access->name : host);
	return stream->tls != NULL ? 0
				   : failure_set(failure, ENOMEM, "%s: no memory for TLS", address);
}

int mc_stream_dial(struct mc_stream *stream, const char *address, const struct mc_access *access,
		   struct failure *failure)
{
	struct sockaddr_storage socket_address;
	socklen_t length;
	int one = 1, error = 0;
	/* Closed by a reset: what a time-out left in the kernel's queue must not reach the server
	 * when the network is back. */
	const struct linger none = {.l_onoff = 1, .l_linger = 0};

	*stream = (struct mc_stream){.fd = -1, .access = access};
	if (address_parse(address, &socket_address, &length) < 0)
		return failure_set(failure, EINVAL, "%s is no numeric address:port", address);
	stream->fd =
	    socket(socket_address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (stream->fd < 0)
		return failure_set(failure, errno, "%s: socket: %s", address, strerror(errno));
	(void)setsockopt(stream->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(stream->fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	(void)setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	if (connect(stream->fd, (struct sockaddr *)&socket_address, length) < 0 &&
	    errno != EINPROGRESS && errno != EINTR)
		error = failure_set(failure, errno, "%s: %s", address, strerror(errno));
	else
		error = tls_begin(stream, address, failure);
	if (error != 0)
		mc_stream_close(stream);
	return error;
}

void mc_stream_close(struct mc_stream *stream)
{
	mc_tls_session_free(stream->tls);
	stream->tls = NULL;
	if (stream->fd >= 0)
		(void)close(stream->fd);
	stream->fd = -1;
}

/* ---- bytes ---- */

/* It hung up: where it has never answered, what may be the reason is said too. */
static int hung_up(struct mc_stream *stream, const char *how)
{
	char why[MC_TLS_WHY_BYTES];

	if (stream->heard)
		return broken(stream, how);
	(void)snprintf(why, sizeof(why), "%.80s (it has answered nothing: does it want %s?)", how,
		       stream->tls != NULL ? "a certificate, or another one" : "TLS");
	return broken(stream, why);
}

ssize_t mc_stream_read(struct mc_stream *stream, void *bytes, size_t size)
{
	char tls_why[MC_TLS_WHY_BYTES];
	ssize_t n;

	if (stream->broken)
		return -1;
	if (stream->tls != NULL) {
		n = mc_tls_read(stream->tls, bytes, size, tls_why);
		stream->heard |= n > 0;
		return n < 0 ? hung_up(stream, tls_why) : n;
	}
	n = recv(stream->fd, bytes, size, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0)
		return hung_up(stream, strerror(errno));
	if (n == 0)
		return hung_up(stream, "it closed the connection");
	if (!stream->heard && *(const char *)bytes == TLS_ALERT)
		return broken(stream, "it wants TLS, which agent.conf does not ask for");
	stream->heard = true;
	return n;
}

ssize_t mc_stream_write(struct mc_stream *stream, const void *bytes, size_t size)
{
	char tls_why[MC_TLS_WHY_BYTES];
	ssize_t n;

	if (stream->broken)
		return -1;
	if (stream->tls != NULL) {
		n = mc_tls_write(stream->tls, bytes, size, tls_why);
		return n < 0 ? hung_up(stream, tls_why) : n;
	}
	/* An error shows in the reading too, behind what the server said before it. */
	n = send(stream->fd, bytes, size, MSG_NOSIGNAL);
	return n < 0 ? 0 : n;
}

/* ---- opening ---- */

static enum mc_stream_want fail(struct mc_stream *stream, const char *why)
{
	(void)broken(stream, why);
	return MC_STREAM_FAILED;
}

static enum mc_stream_want dialled(struct mc_stream *stream)
{
	int error = 0;
	socklen_t length = sizeof(error);

	if (getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		error = errno;
	return error == 0 ? MC_STREAM_READY : fail(stream, strerror(error));
}

static enum mc_stream_want shake(struct mc_stream *stream)
{
	switch (mc_tls_handshake(stream->tls, stream->why)) {
	case MC_TLS_DONE:
		return MC_STREAM_READY;
	case MC_TLS_WANTS_READ:
		return MC_STREAM_READS;
	case MC_TLS_WANTS_WRITE:
		return MC_STREAM_WRITES;
	case MC_TLS_FAILED:
		break;
	}
	stream->broken = true;
	return MC_STREAM_FAILED;
}

/* Both are far smaller than what a fresh socket takes at once. */
static bool login_send(struct mc_stream *stream)
{
	const char *login = stream->access->login;
	char command[LOGIN_BYTES];
	int length =
	    snprintf(command, sizeof(command), "set login 0 0 %zu\r\n%s\r\n", strlen(login), login);
	bool sent = length > 0 && (size_t)length < sizeof(command) &&
		    mc_stream_write(stream, command, (size_t)length) == length;

	sodium_memzero(command, sizeof(command));
	return sent;
}

/* A line and nothing after it, in `answer` without its end. */
static enum mc_stream_want line_read(struct mc_stream *stream)
{
	const size_t room = sizeof(stream->answer) - stream->answer_bytes;
	char *end;
	ssize_t n =
	    room > 0 ? mc_stream_read(stream, stream->answer + stream->answer_bytes, room) : 0;

	if (n < 0)
		return MC_STREAM_FAILED;
	stream->answer_bytes += (size_t)n;
	end = memchr(stream->answer, '\n', stream->answer_bytes);
	if (end == NULL && stream->answer_bytes < sizeof(stream->answer))
		return MC_STREAM_READS;
	if (end == NULL || end != stream->answer + stream->answer_bytes - 1 ||
	    end == stream->answer || end[-1] != '\r')
		return fail(stream, "its answer to the login makes no sense");
	end[-1] = '\0';
	stream->answer_bytes = 0;
	return MC_STREAM_READY;
}

static enum mc_stream_want asked(struct mc_stream *stream)
{
	const enum mc_stream_want want = line_read(stream);

	if (want != MC_STREAM_READY || strcmp(stream->answer, MC_UNAUTHENTICATED) == 0)
		return want;
	return fail(stream, strncmp(stream->answer, "VERSION ", 8) == 0
				? "it wants no user and password, and agent.conf has them for it"
				: "its answer to the login makes no sense");
}

static enum mc_stream_want logged_in(struct mc_stream *stream)
{
	const enum mc_stream_want want = line_read(stream);

	if (want != MC_STREAM_READY || strcmp(stream->answer, "STORED") == 0)
		return want;
	return fail(stream, strcmp(stream->answer, "CLIENT_ERROR authentication failure") == 0
				? "it refuses the user and the password of agent.conf"
				: "its answer to the login makes no sense");
}

static enum mc_stream_stage next_stage(const struct mc_stream *stream)
{
	if (stream->stage == MC_STREAM_DIALS && stream->tls != NULL)
		return MC_STREAM_SHAKES;
	if (stream->stage == MC_STREAM_ASKS)
		return MC_STREAM_LOGS_IN;
	if (stream->stage < MC_STREAM_ASKS && stream->access != NULL &&
	    stream->access->login != NULL)
		return MC_STREAM_ASKS;
	return MC_STREAM_IS_OPEN;
}

static enum mc_stream_want stage_do(struct mc_stream *stream)
{
	switch (stream->stage) {
	case MC_STREAM_DIALS:
		return dialled(stream);
	case MC_STREAM_SHAKES:
		return shake(stream);
	case MC_STREAM_ASKS:
		return asked(stream);
	case MC_STREAM_LOGS_IN:
		return logged_in(stream);
	case MC_STREAM_IS_OPEN:
		break;
	}
	return MC_STREAM_READY;
}

enum mc_stream_want mc_stream_open(struct mc_stream *stream)
{
	while (stream->stage != MC_STREAM_IS_OPEN) {
		enum mc_stream_want want = stage_do(stream);

		if (want != MC_STREAM_READY)
			return want;
		stream->stage = next_stage(stream);
		if ((stream->stage == MC_STREAM_ASKS &&
		     mc_stream_write(stream, ASK, ASK_BYTES) != ASK_BYTES) ||
		    (stream->stage == MC_STREAM_LOGS_IN && !login_send(stream)))
			return fail(stream, "the login cannot be sent");
	}
	return MC_STREAM_READY;
}

const char *mc_stream_vain(const struct mc_stream *stream)
{
	switch (stream->stage) {
	case MC_STREAM_DIALS:
		return "it cannot be reached in time";
	case MC_STREAM_SHAKES:
		return "it does not answer the TLS that agent.conf asks for";
	case MC_STREAM_ASKS:
	case MC_STREAM_LOGS_IN:
		return "it does not answer the login";
	case MC_STREAM_IS_OPEN:
		break;
	}
	return "it does not answer";
}
