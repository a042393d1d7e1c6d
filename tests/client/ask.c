/* ask.c - see ask.h. */
#include "ask.h"

#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST_BYTES   112
#define BUFFER_FIRST 16384u
/* Room that a key takes in a command: 250 bytes, or the same in base64, and the flags. */
#define COMMAND_MAX 400u
/* A line with a value's length, flags and CAS, and no value of more than memcached's own limit. */
#define LINE_MAX_BYTES	128u
#define VALUE_MAX_BYTES (8u << 20)

struct buffer {
	char *bytes;
	size_t size, used, done; /* done: sent, or parsed */
};

struct asker {
	char host[HOST_BYTES];
	unsigned short port;
	const char *login; /* NULL: none */
	bool logs_in;	   /* its answer is still to come */
	int fd;		   /* -1: not connected */
	struct buffer out, in;
	struct wire_query *first, **last;
	char reason[96];
};

struct asker *asker_new(const char *host, unsigned short port, const char *login)
{
	struct asker *asker = calloc(1, sizeof(*asker));

	if (!asker)
		return NULL;
	snprintf(asker->host, sizeof(asker->host), "%s", host);
	asker->port = port;
	asker->login = login;
	asker->fd = -1;
	asker->last = &asker->first;
	return asker;
}

void asker_free(struct asker *asker)
{
	if (!asker)
		return;
	asker_fail(asker, "closed");
	free(asker->out.bytes);
	free(asker->in.bytes);
	free(asker);
}

bool asker_busy(const struct asker *asker)
{
	return asker->first != NULL;
}

const char *asker_reason(const struct asker *asker)
{
	return asker->reason;
}

static void query_through(struct asker *asker, enum wire_answer answer)
{
	struct wire_query *query = asker->first;

	query->answer = answer;
	asker->first = query->next;
	if (!asker->first)
		asker->last = &asker->first;
}

void asker_fail(struct asker *asker, const char *reason)
{
	snprintf(asker->reason, sizeof(asker->reason), "%s", reason);
	if (asker->fd >= 0)
		close(asker->fd);
	asker->fd = -1;
	asker->out.used = asker->out.done = asker->in.used = asker->in.done = 0;
	while (asker->first)
		query_through(asker, WIRE_FAILED);
}

/* ---- what is sent ---- */

static int buffer_room(struct buffer *buffer, size_t room)
{
	size_t size = buffer->size ? buffer->size : BUFFER_FIRST;

	if (buffer->done == buffer->used) {
		buffer->done = buffer->used = 0;
	} else if (buffer->done && buffer->size - buffer->used < room) {
		memmove(buffer->bytes, buffer->bytes + buffer->done, buffer->used - buffer->done);
		buffer->used -= buffer->done;
		buffer->done = 0;
	}
	while (size - buffer->used < room)
		size *= 2;
	if (size != buffer->size) {
		char *bytes = realloc(buffer->bytes, size);

		if (!bytes)
			return -ENOMEM;
		buffer->bytes = bytes;
		buffer->size = size;
	}
	return 0;
}

static char *base64_write(char *to, const unsigned char *bytes, size_t length)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < length; i += 3) {
		uint32_t group = (uint32_t)bytes[i] << 16;

		if (i + 1 < length)
			group |= (uint32_t)bytes[i + 1] << 8;
		if (i + 2 < length)
			group |= bytes[i + 2];
		*to++ = digits[group >> 18 & 63];
		*to++ = digits[group >> 12 & 63];
		*to++ = i + 1 < length ? digits[group >> 6 & 63] : '=';
		*to++ = i + 2 < length ? digits[group & 63] : '=';
	}
	return to;
}

/* The key as the meta protocol takes it; in base64 where it is not of printable characters. */
static char *command_write(char *to, const unsigned char *key, size_t key_bytes)
{
	bool text = true;

	for (size_t i = 0; i < key_bytes; i++)
		text = text && key[i] > 0x20 && key[i] < 0x7f;
	to = stpcpy(to, "mg ");
	to = text ? mempcpy(to, key, key_bytes) : base64_write(to, key, key_bytes);
	return stpcpy(to, text ? " v f c\r\n" : " b v f c\r\n");
}

static void asker_connect(struct asker *asker)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				       .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
	const struct linger reset = {.l_onoff = 1};
	const int on = 1;
	struct addrinfo *found;
	char port[8];

	snprintf(port, sizeof(port), "%u", asker->port);
	if (getaddrinfo(asker->host, port, &hints, &found))
		return;
	asker->fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (asker->fd >= 0) {
		/* What a time-out left in the kernel's queue must not reach the server later. */
		setsockopt(asker->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		setsockopt(asker->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		if (connect(asker->fd, found->ai_addr, found->ai_addrlen) && errno != EINPROGRESS) {
			close(asker->fd);
			asker->fd = -1;
		}
	}
	freeaddrinfo(found);
}

/* The first command of a connection, where the server wants one. */
static void login_write(struct asker *asker)
{
	const size_t length = asker->login ? strlen(asker->login) : 0;

	asker->logs_in = asker->fd >= 0 && length && !buffer_room(&asker->out, COMMAND_MAX);
	if (asker->logs_in)
		asker->out.used +=
		    (size_t)sprintf(asker->out.bytes + asker->out.used,
				    "set login 0 0 %zu\r\n%s\r\n", length, asker->login);
}

void asker_queue(struct asker *asker, struct wire_query *query)
{
	query->next = NULL;
	query->value = NULL;
	query->value_bytes = 0;
	*asker->last = query;
	asker->last = &query->next;
	if (asker->fd < 0) {
		asker_connect(asker);
		login_write(asker);
	}
	if (asker->fd < 0) {
		asker_fail(asker, strerror(errno));
	} else if (buffer_room(&asker->out, COMMAND_MAX)) {
		asker_fail(asker, "no memory");
	} else {
		char *end =
		    command_write(asker->out.bytes + asker->out.used, query->key, query->key_bytes);
		asker->out.used = (size_t)(end - asker->out.bytes);
	}
}

/* ---- what is answered ---- */

/* The reply at the head of the buffer, taken.  0: not all of it is there; negative: it is none. */
static int reply_take(struct asker *asker)
{
	struct buffer *in = &asker->in;
	struct wire_query *query = asker->first;
	char *line = in->bytes + in->done;
	size_t there = in->used - in->done;
	char *end = memchr(line, '\n', there < LINE_MAX_BYTES ? there : LINE_MAX_BYTES);
	unsigned long long length, cas;
	unsigned flags;

	if (!end)
		return there < LINE_MAX_BYTES ? 0 : -1;
	size_t line_bytes = (size_t)(end - line) + 1;
	*end = '\0';
	if (asker->logs_in) {
		asker->logs_in = false;
		in->done += line_bytes;
		return strcmp(line, "STORED\r") == 0 ? 1 : -1;
	}
	if (query && strcmp(line, "EN\r") == 0) {
		in->done += line_bytes;
		query_through(asker, WIRE_MISS);
		return 1;
	}
	if (!query || sscanf(line, "VA %llu f%u c%llu", &length, &flags, &cas) != 3 ||
	    length > VALUE_MAX_BYTES)
		return -1;
	*end = '\n';
	if (there < line_bytes + length + 2)
		return buffer_room(in, line_bytes + length + 2 - there) ? -1 : 0;
	query->value = length ? malloc(length) : NULL;
	if (length && !query->value)
		return -1;
	if (length)
		memcpy(query->value, end + 1, length);
	query->value_bytes = length;
	query->flags = flags;
	query->cas = cas;
	in->done += line_bytes + length + 2;
	query_through(asker, WIRE_DONE);
	return 1;
}

static int replies_take(struct asker *asker)
{
	int rc;

	while (asker->in.done < asker->in.used) {
		rc = reply_take(asker);
		if (rc <= 0)
			return rc;
	}
	return 0;
}

static void asker_receive(struct asker *asker)
{
	while (asker->first) {
		if (buffer_room(&asker->in, LINE_MAX_BYTES)) {
			asker_fail(asker, "no memory");
			return;
		}
		ssize_t got = recv(asker->fd, asker->in.bytes + asker->in.used,
				   asker->in.size - asker->in.used, 0);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (got <= 0) {
			asker_fail(asker, got ? strerror(errno) : "the connection was closed");
			return;
		}
		asker->in.used += (size_t)got;
		if (replies_take(asker)) {
			asker_fail(asker, "an answer that is not memcached's");
			return;
		}
	}
}

void asker_go(struct asker *asker, struct pollfd *fd)
{
	struct buffer *out = &asker->out;

	while (out->done < out->used) {
		ssize_t sent =
		    send(asker->fd, out->bytes + out->done, out->used - out->done, MSG_NOSIGNAL);
		if (sent < 0 && errno != EAGAIN && errno != EINTR && errno != ENOTCONN) {
			asker_fail(asker, strerror(errno));
			break;
		}
		if (sent < 0)
			break;
		out->done += (size_t)sent;
	}
	/* Only what has been sent can have been answered. */
	if (asker->first && out->done)
		asker_receive(asker);
	fd->fd = asker->fd;
	fd->events = (short)(POLLIN | (out->done < out->used ? POLLOUT : 0));
}
