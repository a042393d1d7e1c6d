/* mc_conn.c - see mc_conn.h.
 *
 * The connection may be ended from within any event it raises; `depth` counts the frames of this
 * file that still look at it, and the last of them frees it.
 */
#include "net/mc_conn.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net/mc_buffer.h"
#include "net/mc_chunks.h"
#include "net/mc_queue.h"
#include "net/mc_stream.h"

#define QUEUED_MAX    (64u << 20)
#define READ_BYTES    (128u << 10)
#define READS_A_TURN  2 /* then the loop's other events have theirs */
#define WRITE_AT_ONCE (256u << 10)
/* A server answers a long pipeline in many small pieces, each of which would wake this process:
 * bytes that are sure to come are waited for in larger ones, where they are worth it. */
#define ANSWER_MIN  4u /* "EN\r\n" */
#define GATHER_MIN  1024u
#define GATHER_MAX  (16u << 10)
#define FENCE	    "mn\r\n"
#define FENCE_BYTES (sizeof(FENCE) - 1)

struct mc_conn {
	struct mc_stream stream;
	bool ready, ended, writing, flush_pending;
	bool held;	 /* nothing is read but by mc_conn_look */
	bool quiet_open; /* quiet commands were queued and no fence after them yet */
	bool ambiguous;	 /* a failure named none of the quiet commands at the head */
	bool loud;	 /* that has happened: no more quiet ones here */
	unsigned depth;
	size_t value_max;
	size_t gathered; /* SO_RCVLOWAT as it was set; 0: never */
	uint64_t timeout_ns, progress_ns;
	struct event *readable, *writable, *timer;
	struct mc_buffer in, out;
	struct mc_chunks chunks; /* of `out`, over TLS */
	struct mc_queue queue;
	const struct mc_conn_events *events;
	void *context;
};

static const struct mc_reply lost = {.code = MC_LOST, .text = ""};

static uint64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void conn_free(struct mc_conn *conn)
{
	if (conn->readable != NULL)
		event_free(conn->readable);
	if (conn->writable != NULL)
		event_free(conn->writable);
	if (conn->timer != NULL)
		event_free(conn->timer);
	mc_stream_close(&conn->stream);
	mc_buffer_free(&conn->in);
	mc_buffer_free(&conn->out);
	mc_chunks_free(&conn->chunks);
	mc_queue_free(&conn->queue);
	free(conn);
}

static void conn_enter(struct mc_conn *conn)
{
	conn->depth++;
}

static void conn_leave(struct mc_conn *conn)
{
	if (--conn->depth == 0 && conn->ended)
		conn_free(conn);
}

static void conn_end(struct mc_conn *conn)
{
	conn->ended = true;
	conn->ready = false;
	(void)event_del(conn->readable);
	(void)event_del(conn->writable);
	(void)event_del(conn->timer);
	mc_stream_close(&conn->stream);
}

void mc_conn_close(struct mc_conn *conn)
{
	if (conn == NULL || conn->ended)
		return;
	conn_enter(conn);
	conn_end(conn);
	conn->queue.count = 0;
	conn_leave(conn);
}

void mc_conn_fail(struct mc_conn *conn, const char *why)
{
	if (conn->ended)
		return;
	conn_enter(conn);
	conn_end(conn);
	while (conn->queue.count > 0) {
		struct mc_outstanding next = mc_queue_take(&conn->queue);

		if (next.kind != MC_QUEUED_FENCE)
			conn->events->reply(conn->context, next.command, &lost);
	}
	conn->events->closed(conn->context, why);
	conn_leave(conn);
}

/* Errors show in the readable event that follows; here it is only tried. */
static void conn_write(struct mc_conn *conn)
{
	while (mc_buffer_length(&conn->out) > 0) {
		size_t chunk = mc_chunks_first(&conn->chunks);
		ssize_t n = mc_stream_write(&conn->stream, conn->out.bytes + conn->out.head,
					    chunk > 0 ? chunk : mc_buffer_length(&conn->out));

		if (n <= 0) {
			conn->writing = true;
			if (n < 0)
				event_active(conn->readable, EV_READ, 1);
			else
				(void)event_add(conn->writable, NULL);
			return;
		}
		conn->progress_ns = now_ns();
		mc_buffer_consume(&conn->out, (size_t)n);
		mc_chunks_sent(&conn->chunks, (size_t)n);
	}
	if (conn->writing) {
		conn->writing = false;
		(void)event_del(conn->writable);
	}
}

/* ---- commands ---- */

static char *conn_room(struct mc_conn *conn, size_t bytes)
{
	if (conn == NULL || conn->ended || mc_buffer_length(&conn->out) > QUEUED_MAX)
		return NULL;
	return mc_buffer_room(&conn->out, bytes);
}

/* A whole command stands at the end. */
static void out_add(struct mc_conn *conn, size_t bytes)
{
	conn->out.tail += bytes;
	if (conn->stream.tls != NULL)
		mc_chunks_add(&conn->chunks, bytes);
}

/* What comes after a run of quiet commands must not be taken for an answer to one of them. */
static bool fence_put(struct mc_conn *conn)
{
	char *room;

	if (!conn->quiet_open)
		return true;
	room = mc_buffer_room(&conn->out, FENCE_BYTES);
	if (room == NULL || !mc_queue_put(&conn->queue, NULL, MC_QUEUED_FENCE))
		return false;
	memcpy(room, FENCE, FENCE_BYTES);
	out_add(conn, FENCE_BYTES);
	conn->quiet_open = false;
	return true;
}

char *mc_conn_room(struct mc_conn *conn, size_t bytes)
{
	if (conn_room(conn, bytes + FENCE_BYTES) == NULL || !fence_put(conn))
		return NULL;
	return conn->out.bytes + conn->out.tail;
}

char *mc_conn_room_quiet(struct mc_conn *conn, size_t bytes, uint32_t *number)
{
	char *room = conn_room(conn, bytes);

	if (room != NULL)
		*number = mc_queue_next(&conn->queue);
	return room;
}

static void conn_send(struct mc_conn *conn, size_t bytes, void *command, enum mc_queued kind)
{
	assert(!conn->ended && conn->out.capacity - conn->out.tail >= bytes);
	if (conn->queue.count == 0)
		conn->progress_ns = now_ns();
	if (!mc_queue_put(&conn->queue, command, kind)) {
		/* It cannot be followed any more; the caller hears of it as of any other loss. */
		conn->events->reply(conn->context, command, &lost);
		return;
	}
	out_add(conn, bytes);
	conn->quiet_open |= kind == MC_QUEUED_QUIET;
	if (!conn->ready || conn->writing)
		return;
	if (!conn->flush_pending) {
		/* At the end of this turn of the loop: one write for all that was queued in it. */
		conn->flush_pending = true;
		event_active(conn->writable, EV_WRITE, 1);
	}
	if (mc_buffer_length(&conn->out) >= WRITE_AT_ONCE)
		conn_write(conn);
}

void mc_conn_send(struct mc_conn *conn, size_t bytes, void *command)
{
	conn_send(conn, bytes, command, MC_QUEUED_ONE);
}

void mc_conn_send_lines(struct mc_conn *conn, size_t bytes, void *command)
{
	conn_send(conn, bytes, command, MC_QUEUED_LINES);
}

void mc_conn_send_quiet(struct mc_conn *conn, size_t bytes, void *command)
{
	conn_send(conn, bytes, command, MC_QUEUED_QUIET);
}

bool mc_conn_may_be_quiet(const struct mc_conn *conn)
{
	return !conn->loud;
}

/* ---- replies ---- */

/* The next `count` commands, all quiet, are through: nothing was said of them. */
static void quiet_through(struct mc_conn *conn, size_t count)
{
	static const struct mc_reply done = {.code = MC_HD, .text = ""};
	static const struct mc_reply unsure = {.code = MC_UNSURE, .text = ""};

	for (; count > 0 && !conn->ended; count--)
		conn->events->reply(conn->context, mc_queue_take(&conn->queue).command,
				    conn->ambiguous ? &unsure : &done);
}

/* A reply while quiet commands stand at the head: it is of one of them, or of the fence after them.
 */
static void quiet_reply(struct mc_conn *conn, const struct mc_reply *reply)
{
	size_t behind = 0;

	if (reply->has_opaque) {
		uint32_t wanted = reply->opaque - conn->queue.first;

		while (behind < wanted && behind < conn->queue.count &&
		       mc_queue_at(&conn->queue, behind)->kind == MC_QUEUED_QUIET)
			behind++;
		if (behind == conn->queue.count || behind != wanted ||
		    mc_queue_at(&conn->queue, behind)->kind != MC_QUEUED_QUIET) {
			mc_conn_fail(conn, "it answers a command that was not asked");
			return;
		}
		quiet_through(conn, behind);
		if (!conn->ended)
			conn->events->reply(conn->context, mc_queue_take(&conn->queue).command,
					    reply);
	} else if (reply->code == MC_MN) {
		while (behind < conn->queue.count &&
		       mc_queue_at(&conn->queue, behind)->kind == MC_QUEUED_QUIET)
			behind++;
		if (behind == conn->queue.count) {
			mc_conn_fail(conn, "it sent a reply that nobody asked for");
			return;
		}
		quiet_through(conn, behind);
		if (!conn->ended)
			(void)mc_queue_take(&conn->queue);
		conn->ambiguous = false;
	} else if (reply->code == MC_SERVER_ERROR) {
		conn->ambiguous = conn->loud = true;
	} else {
		/* Of a line it refuses it may read the value as commands. */
		mc_conn_fail(conn, reply->code == MC_CLIENT_ERROR || reply->code == MC_ERROR
				       ? "it does not understand a command"
				       : "it sent a reply that nobody asked for");
	}
}

/* Of a server that wants a login every command hears the same. */
static bool login_missing(const struct mc_reply *reply)
{
	static const char text[] = MC_UNAUTHENTICATED;

	return reply->code == MC_CLIENT_ERROR && reply->text_bytes == sizeof(text) - 1 &&
	       memcmp(reply->text, text, sizeof(text) - 1) == 0;
}

static void reply_deliver(struct mc_conn *conn, const struct mc_reply *reply)
{
	enum mc_queued kind = mc_queue_at(&conn->queue, 0)->kind;

	if (kind == MC_QUEUED_QUIET) {
		quiet_reply(conn, reply);
	} else if (kind == MC_QUEUED_FENCE) {
		/* All before it had failed by name, or one of them without. */
		if (reply->code == MC_MN) {
			(void)mc_queue_take(&conn->queue);
			conn->ambiguous = false;
		} else {
			mc_conn_fail(conn, "it sent a reply that nobody asked for");
		}
	} else if (kind == MC_QUEUED_LINES && reply->code == MC_LINE) {
		conn->events->reply(conn->context, mc_queue_at(&conn->queue, 0)->command, reply);
	} else {
		conn->events->reply(conn->context, mc_queue_take(&conn->queue).command, reply);
	}
}

/* Hands on what is whole.  False: the connection has ended meanwhile. */
static bool replies_deliver(struct mc_conn *conn, size_t *wanted)
{
	struct mc_reply reply;
	size_t used = 0;

	*wanted = 0;
	while (mc_buffer_length(&conn->in) > 0) {
		int whole;

		if (conn->queue.count == 0) {
			mc_conn_fail(conn, "it sent a reply that nobody asked for");
			return false;
		}
		whole = mc_reply_parse(conn->in.bytes + conn->in.head, mc_buffer_length(&conn->in),
				       conn->value_max, &reply, &used);
		if (whole < 0) {
			mc_conn_fail(conn, "it sent what is no memcached reply");
			return false;
		}
		if (whole == 0) {
			*wanted = used - mc_buffer_length(&conn->in);
			return true;
		}
		if (login_missing(&reply))
			mc_conn_fail(conn, "it wants a user and a password, and was given none");
		else
			reply_deliver(conn, &reply);
		if (conn->ended)
			return false;
		mc_buffer_consume(&conn->in, used);
	}
	return true;
}

/* One read and what it completes.  False: nothing more to be had now. */
static bool conn_read(struct mc_conn *conn, size_t *wanted)
{
	size_t room = *wanted > READ_BYTES ? *wanted : READ_BYTES;
	char *at = mc_buffer_room(&conn->in, room);
	ssize_t n;

	if (at == NULL) {
		mc_conn_fail(conn, "no memory for its reply");
		return false;
	}
	room = conn->in.capacity - conn->in.tail;
	n = mc_stream_read(&conn->stream, at, room);
	if (n < 0)
		mc_conn_fail(conn, conn->stream.why);
	if (n <= 0)
		return false;
	conn->progress_ns = now_ns();
	conn->in.tail += (size_t)n;
	return replies_deliver(conn, wanted) && (size_t)n == room;
}

/* How many bytes at least the server still has to send: of the first answer perhaps all but one are
 * here.  More must never be waited for; of TLS's bytes nobody knows how many are here already. */
static void gather(struct mc_conn *conn)
{
	size_t sure = conn->queue.answers > 1 ? (conn->queue.answers - 1) * ANSWER_MIN : 0;
	size_t wanted = GATHER_MAX;
	int bytes;

	if (!conn->ready || conn->held || conn->stream.tls != NULL)
		return;
	while (wanted > sure)
		wanted /= 2;
	if (wanted < GATHER_MIN)
		wanted = 1;
	if (wanted == conn->gathered || (wanted == 1 && conn->gathered == 0))
		return;
	bytes = (int)wanted;
	if (setsockopt(conn->stream.fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof(bytes)) == 0)
		conn->gathered = wanted;
	else if (wanted < conn->gathered)
		mc_conn_fail(conn, strerror(errno)); /* else it might wait for ever */
}

static void conn_opening(struct mc_conn *conn)
{
	const enum mc_stream_want want = mc_stream_open(&conn->stream);

	if (want == MC_STREAM_FAILED) {
		mc_conn_fail(conn, conn->stream.why);
		return;
	}
	if (want == MC_STREAM_WRITES)
		(void)event_add(conn->writable, NULL);
	else
		(void)event_del(conn->writable);
	(void)event_add(conn->readable, NULL);
	conn->progress_ns = now_ns();
	if (want != MC_STREAM_READY)
		return;
	conn->ready = true;
	conn->writing = false;
	conn->flush_pending = true;
	event_active(conn->writable, EV_WRITE, 1);
	conn->events->ready(conn->context);
}

static void readable_event(evutil_socket_t fd, short what, void *argument)
{
	struct mc_conn *conn = argument;
	size_t wanted = 0;
	int i = 0;

	(void)fd;
	(void)what;
	conn_enter(conn);
	if (!conn->ready)
		conn_opening(conn);
	while (conn->ready && i < READS_A_TURN && conn_read(conn, &wanted))
		i++;
	/* What TLS holds already, the socket will not say again. */
	if (i == READS_A_TURN && conn->stream.tls != NULL && !conn->ended)
		event_active(conn->readable, EV_READ, 1);
	if (!conn->ended)
		gather(conn);
	conn_leave(conn);
}

void mc_conn_hold(struct mc_conn *conn, bool held)
{
	if (!conn->ready || conn->held == held)
		return;
	conn->held = held;
	if (held) {
		(void)event_del(conn->readable);
	} else {
		(void)event_add(conn->readable, NULL);
		event_active(conn->readable, EV_READ, 1);
	}
}

void mc_conn_look(struct mc_conn *conn)
{
	if (conn->held)
		readable_event(conn->stream.fd, EV_READ, conn);
}

static void writable_event(evutil_socket_t fd, short what, void *argument)
{
	struct mc_conn *conn = argument;

	(void)fd;
	(void)what;
	conn_enter(conn);
	conn->flush_pending = false;
	if (!conn->ready)
		conn_opening(conn);
	if (conn->ready && !fence_put(conn))
		mc_conn_fail(conn, "no memory for its commands");
	if (conn->ready)
		conn_write(conn);
	if (!conn->ended)
		gather(conn);
	conn_leave(conn);
}

static void timer_event(evutil_socket_t fd, short what, void *argument)
{
	struct mc_conn *conn = argument;

	(void)fd;
	(void)what;
	if (conn->ready && conn->queue.count == 0)
		return;
	conn_enter(conn);
	if (now_ns() - conn->progress_ns > conn->timeout_ns)
		mc_conn_fail(conn, mc_stream_vain(&conn->stream));
	conn_leave(conn);
}

static int conn_events_make(struct mc_conn *conn, struct event_base *base)
{
	struct timeval quarter = {.tv_sec = (time_t)(conn->timeout_ns / 4000000000u),
				  .tv_usec =
				      (suseconds_t)(conn->timeout_ns / 4000u % 1000000u) + 1};

	conn->readable =
	    event_new(base, conn->stream.fd, EV_READ | EV_PERSIST, readable_event, conn);
	conn->writable =
	    event_new(base, conn->stream.fd, EV_WRITE | EV_PERSIST, writable_event, conn);
	conn->timer = event_new(base, -1, EV_PERSIST, timer_event, conn);
	if (conn->readable == NULL || conn->writable == NULL || conn->timer == NULL ||
	    event_add(conn->writable, NULL) < 0 || event_add(conn->timer, &quarter) < 0)
		return -ENOMEM;
	conn->writing = true;
	return 0;
}

int mc_conn_open(struct event_base *base, const char *address, const struct mc_access *access,
		 uint32_t timeout_ms, size_t value_max, const struct mc_conn_events *events,
		 void *context, struct mc_conn **result, struct failure *failure)
{
	struct mc_conn *conn = calloc(1, sizeof(*conn));
	int error;

	if (conn == NULL)
		return failure_set(failure, ENOMEM, "%s: no memory for a connection", address);
	conn->stream.fd = -1;
	conn->timeout_ns = (uint64_t)timeout_ms * 1000000u;
	conn->progress_ns = now_ns();
	conn->value_max = value_max;
	conn->events = events;
	conn->context = context;
	error = mc_stream_dial(&conn->stream, address, access, failure);
	if (error == 0 && conn_events_make(conn, base) < 0)
		error = failure_set(failure, ENOMEM, "%s: no memory for a connection", address);
	if (error < 0) {
		conn_free(conn);
		return error;
	}
	*result = conn;
	return 0;
}

bool mc_conn_is_ready(const struct mc_conn *conn)
{
	return conn != NULL && conn->ready;
}

size_t mc_conn_outstanding(const struct mc_conn *conn)
{
	return conn->queue.count;
}

uint64_t mc_conn_progress_ns(const struct mc_conn *conn)
{
	return conn->progress_ns;
}

void mc_conn_set_value_max(struct mc_conn *conn, size_t value_max)
{
	conn->value_max = value_max;
}
