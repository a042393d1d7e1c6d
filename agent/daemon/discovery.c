/* discovery.c - see discovery.h: the connections, and what they are answered. */
#include "daemon/discovery.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "daemon/discovery_line.h"
#include "daemon/discovery_text.h"
#include "daemon/log.h"
#include "net/address.h"

/* Clients ask servers from this version on for `config get cluster`, earlier ones for the key. */
#define PROTOCOL_VERSION   "1.4.14"
#define BACKLOG		   64
#define PAUSE_MICROSECONDS 100000 /* after a failed accept: out of descriptors, most likely */
#define RATE_TICKS	   10	  /* a second */

struct connection {
	struct discovery *discovery;
	struct bufferevent *stream;
	struct discovery_reader reader;
	TAILQ_ENTRY(connection) by_use;
};

struct discovery {
	struct event_base *base;
	int fd; /* -1: not listening yet */
	struct event *acceptable, *resume;
	struct ev_token_bucket_cfg *rate;
	struct bufferevent_rate_limit_group *all;
	TAILQ_HEAD(, connection) connections; /* the one first that was used the longest ago */
	uint32_t count;
	uint64_t epoch; /* of the list shown; 0: none yet */
	uint32_t server_count, unaware_poll_ms;
	char *text;
	size_t text_bytes;
	uint64_t since_s, accepted, evicted, answered;
};

static uint64_t now_s(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec;
}

static void connection_end(struct connection *connection)
{
	struct discovery *discovery = connection->discovery;

	TAILQ_REMOVE(&discovery->connections, connection, by_use);
	discovery->count--;
	/* It is freed later than now, and the group must be empty when that goes. */
	(void)bufferevent_remove_from_rate_limit_group(connection->stream);
	bufferevent_free(connection->stream);
	free(connection);
}

static void connection_used(struct connection *connection)
{
	struct discovery *discovery = connection->discovery;

	TAILQ_REMOVE(&discovery->connections, connection, by_use);
	TAILQ_INSERT_TAIL(&discovery->connections, connection, by_use);
}

/* ---- answers ---- */

static void answer_text(struct discovery *discovery, struct evbuffer *out, const char *head)
{
	if (discovery->text == NULL) {
		evbuffer_add_printf(out, "SERVER_ERROR the agent has no list yet\r\n");
		return;
	}
	discovery->answered++;
	evbuffer_add_printf(out, "%s 0 %zu\r\n", head, discovery->text_bytes);
	evbuffer_add(out, discovery->text, discovery->text_bytes);
	evbuffer_add_printf(out, "\r\nEND\r\n");
}

static void answer_stats(const struct discovery *discovery, struct evbuffer *out)
{
	const struct {
		const char *name;
		uint64_t value;
	} stats[] = {
	    {"pid", (uint64_t)getpid()},
	    {"uptime", now_s() - discovery->since_s},
	    {"time", (uint64_t)time(NULL)},
	    {"max_connections", DISCOVERY_CONNECTIONS_MAX},
	    {"curr_connections", discovery->count},
	    {"total_connections", discovery->accepted},
	    {"evicted_connections", discovery->evicted},
	    {"config_answers", discovery->answered},
	    {"config_version", discovery->epoch},
	    {"config_servers", discovery->server_count},
	    {"unaware_poll_ms", discovery->unaware_poll_ms},
	};

	for (size_t i = 0; i < sizeof(stats) / sizeof(stats[0]); i++)
		evbuffer_add_printf(out, "STAT %s %" PRIu64 "\r\n", stats[i].name, stats[i].value);
	evbuffer_add_printf(out, "STAT version " PROTOCOL_VERSION
				 "\r\nSTAT mcroster_version " MCROSTER_VERSION "\r\nEND\r\n");
}

static void answer(struct discovery *discovery, enum discovery_request request,
		   struct evbuffer *out)
{
	static const char *const fixed[] = {
	    [DISCOVERY_CONFIG_ABSENT] = "END",
	    [DISCOVERY_GET_ABSENT] = "END",
	    [DISCOVERY_STATS_ABSENT] = "END",
	    [DISCOVERY_VERSION] = "VERSION " PROTOCOL_VERSION,
	    [DISCOVERY_STORE] = "SERVER_ERROR a discovery endpoint stores nothing",
	    [DISCOVERY_BAD] = "CLIENT_ERROR bad command line format",
	    [DISCOVERY_TOO_LONG] = "CLIENT_ERROR line too long",
	    [DISCOVERY_UNKNOWN] = "ERROR",
	};

	if (request == DISCOVERY_CONFIG)
		answer_text(discovery, out, "CONFIG cluster");
	else if (request == DISCOVERY_GET)
		answer_text(discovery, out, "VALUE " DISCOVERY_KEY);
	else if (request == DISCOVERY_STATS)
		answer_stats(discovery, out);
	else
		evbuffer_add_printf(out, "%s\r\n", fixed[request]);
}

/* ---- a connection's events ---- */

static void on_readable(struct bufferevent *stream, void *context)
{
	struct connection *connection = context;
	struct evbuffer *in = bufferevent_get_input(stream), *out = bufferevent_get_output(stream);
	enum discovery_request request = DISCOVERY_NONE;
	size_t used;

	while (request == DISCOVERY_NONE) {
		const size_t length = evbuffer_get_length(in);
		const unsigned char *bytes = evbuffer_pullup(in, -1);

		used = discovery_read(&connection->reader, (const char *)bytes, length, &request);
		if (used == 0)
			return;
		(void)evbuffer_drain(in, used);
	}
	if (request == DISCOVERY_QUIT) {
		connection_end(connection);
		return;
	}
	connection_used(connection);
	(void)bufferevent_disable(stream, EV_READ);
	answer(connection->discovery, request, out);
}

/* The answer has gone out: what has come in meanwhile is next. */
static void on_written(struct bufferevent *stream, void *context)
{
	(void)bufferevent_enable(stream, EV_READ);
	on_readable(stream, context);
}

/* It has ended, or its answer does not go out. */
static void on_over(struct bufferevent *stream, short what, void *context)
{
	(void)stream;
	(void)what;
	connection_end(context);
}

static void connection_new(struct discovery *discovery, int fd)
{
	static const struct timeval patience = {.tv_sec = DISCOVERY_WRITE_MS / 1000};
	struct connection *connection = calloc(1, sizeof(*connection));

	if (connection != NULL)
		connection->stream =
		    bufferevent_socket_new(discovery->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (connection == NULL || connection->stream == NULL) {
		(void)close(fd);
		free(connection);
		return;
	}
	connection->discovery = discovery;
	TAILQ_INSERT_TAIL(&discovery->connections, connection, by_use);
	discovery->count++;
	discovery->accepted++;
	bufferevent_setcb(connection->stream, on_readable, on_written, on_over, connection);
	bufferevent_setwatermark(connection->stream, EV_READ, 0, 2 * DISCOVERY_LINE_MAX);
	(void)bufferevent_set_timeouts(connection->stream, NULL, &patience);
	if (bufferevent_add_to_rate_limit_group(connection->stream, discovery->all) != 0 ||
	    bufferevent_enable(connection->stream, EV_READ) != 0)
		connection_end(connection);
}

/* One at a time, so that those who come without end leave the loop its other work. */
static void on_acceptable(evutil_socket_t fd, short what, void *context)
{
	static const struct timeval pause = {.tv_usec = PAUSE_MICROSECONDS};
	struct discovery *discovery = context;
	const int accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)what;
	if (accepted >= 0) {
		if (discovery->count == DISCOVERY_CONNECTIONS_MAX) {
			connection_end(TAILQ_FIRST(&discovery->connections));
			discovery->evicted++;
		}
		connection_new(discovery, accepted);
	} else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
		(void)event_del(discovery->acceptable);
		(void)evtimer_add(discovery->resume, &pause);
	}
}

static void on_resume(evutil_socket_t fd, short what, void *context)
{
	struct discovery *discovery = context;

	(void)fd;
	(void)what;
	(void)event_add(discovery->acceptable, NULL);
}

/* ---- the whole ---- */

static const char *advice(int error)
{
	return error == EADDRINUSE
		   ? ": another program has that port: choose another `discovery` address"
		   : "";
}

static int listen_on(struct discovery *discovery, const char *address, struct failure *failure)
{
	struct sockaddr_storage at;
	const int on = 1;
	socklen_t length;

	if (address_parse(address, &at, &length) != 0)
		return failure_set(failure, EINVAL,
				   "discovery address \"%s\": not a numeric address and port, such "
				   "as 127.0.0.1:11214",
				   address);
	discovery->fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (discovery->fd < 0 ||
	    setsockopt(discovery->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(discovery->fd, (const struct sockaddr *)&at, length) != 0 ||
	    listen(discovery->fd, BACKLOG) != 0) {
		const int error = errno;

		return failure_set(failure, error, "discovery address %s: %s%s", address,
				   strerror(error), advice(error));
	}
	return 0;
}

static int limits_make(struct discovery *discovery)
{
	static const struct timeval tick = {.tv_usec = 1000000 / RATE_TICKS};

	discovery->rate = ev_token_bucket_cfg_new(
	    DISCOVERY_READ_RATE / RATE_TICKS, DISCOVERY_READ_RATE / RATE_TICKS,
	    DISCOVERY_WRITE_RATE / RATE_TICKS, DISCOVERY_WRITE_RATE / RATE_TICKS, &tick);
	if (discovery->rate != NULL)
		discovery->all = bufferevent_rate_limit_group_new(discovery->base, discovery->rate);
	return discovery->all != NULL ? 0 : -ENOMEM;
}

int discovery_open(struct event_base *base, const char *address, struct discovery **out,
		   struct failure *failure)
{
	struct discovery *discovery = calloc(1, sizeof(*discovery));
	int error;

	if (discovery == NULL)
		return failure_set(failure, ENOMEM, "discovery: no memory");
	discovery->base = base;
	discovery->fd = -1;
	discovery->since_s = now_s();
	TAILQ_INIT(&discovery->connections);
	error = listen_on(discovery, address, failure);
	if (error != 0)
		goto failed;
	discovery->acceptable =
	    event_new(base, discovery->fd, EV_READ | EV_PERSIST, on_acceptable, discovery);
	discovery->resume = evtimer_new(base, on_resume, discovery);
	if (discovery->acceptable == NULL || discovery->resume == NULL ||
	    limits_make(discovery) != 0 || event_add(discovery->acceptable, NULL) != 0) {
		error = failure_set(failure, ENOMEM, "discovery: no memory");
		goto failed;
	}
	*out = discovery;
	return 0;
failed:
	discovery_close(discovery);
	return error;
}

void discovery_close(struct discovery *discovery)
{
	if (discovery == NULL)
		return;
	while (!TAILQ_EMPTY(&discovery->connections))
		connection_end(TAILQ_FIRST(&discovery->connections));
	if (discovery->acceptable != NULL)
		event_free(discovery->acceptable);
	if (discovery->resume != NULL)
		event_free(discovery->resume);
	if (discovery->fd >= 0)
		(void)close(discovery->fd);
	if (discovery->all != NULL)
		bufferevent_rate_limit_group_free(discovery->all);
	if (discovery->rate != NULL)
		ev_token_bucket_cfg_free(discovery->rate);
	free(discovery->text);
	free(discovery);
}

void discovery_show(struct discovery *discovery, const struct list *list)
{
	size_t bytes;
	char *text;

	if (list->epoch == discovery->epoch)
		return;
	if (discovery_text(list, &text, &bytes) != 0) {
		log_line(LOG_LEVEL_ERROR, "discovery: no memory to show epoch %" PRIu64,
			 list->epoch);
		return;
	}
	if (list->unaware_poll_ms == 0)
		log_line(LOG_LEVEL_WARNING,
			 "discovery: epoch %" PRIu64
			 " does not say `unaware-clients yes`: during a "
			 "change clients of this endpoint lose writes and see reservations; sign a "
			 "list that does",
			 list->epoch);
	free(discovery->text);
	discovery->text = text;
	discovery->text_bytes = bytes;
	discovery->epoch = list->epoch;
	discovery->server_count = list->server_count;
	discovery->unaware_poll_ms = list->unaware_poll_ms;
}
