/* metrics.c - see metrics.h.  libevent's HTTP server, within limits.
 *
 * It does not say when a connection has ended before its first request, so each has a place here
 * that holds its stream too, for as long as it may last at most.  The places are all there is: with
 * none free nothing is accepted.
 */
#include "daemon/metrics.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/listener.h>

#include "net/address.h"

#define BACKLOG	     16
#define CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define HERE	     "mcroster's metrics are at /metrics\n"
#define IDLE_SECONDS 2

struct place {
	struct metrics *metrics;
	struct bufferevent *stream; /* NULL: free */
	struct event *over;
};

struct metrics {
	struct evhttp *http;
	struct evconnlistener *accepting; /* http's */
	metrics_page *page;
	void *context;
	char *text;
	size_t bytes;
	uint64_t made_ms;
	struct place place[METRICS_CONNECTIONS_MAX];
};

static uint64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- connections ---- */

/* Where it lives on, its server sees its end next. */
static void place_leave(struct place *place)
{
	const int fd = bufferevent_getfd(place->stream);

	if (fd >= 0)
		(void)shutdown(fd, SHUT_RDWR);
	(void)event_del(place->over);
	(void)bufferevent_decref(place->stream);
	place->stream = NULL;
	(void)evconnlistener_enable(place->metrics->accepting);
}

static void on_over(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	place_leave(context);
}

static struct place *place_find(struct metrics *metrics, const struct bufferevent *stream)
{
	for (uint32_t i = 0; i < METRICS_CONNECTIONS_MAX; i++)
		if (metrics->place[i].stream == stream)
			return &metrics->place[i];
	return NULL;
}

/* Something was accepted.  NULL (no memory): the server makes a stream of its own, which its idle
 * time ends. */
static struct bufferevent *on_accepted(struct event_base *base, void *context)
{
	static const struct timeval life = {.tv_sec = METRICS_CONNECTION_MS / 1000};
	struct metrics *metrics = context;
	struct place *place = place_find(metrics, NULL);

	if (place == NULL)
		return NULL;
	place->stream = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	if (place->stream == NULL)
		return NULL;
	bufferevent_incref(place->stream);
	/* Nothing is read ahead of what is judged, whatever is sent. */
	bufferevent_setwatermark(place->stream, EV_READ, 0, 2 * METRICS_REQUEST_BYTES);
	(void)evtimer_add(place->over, &life);
	if (place_find(metrics, NULL) == NULL)
		(void)evconnlistener_disable(metrics->accepting);
	return place->stream;
}

/* Not from within: the server is about to free the stream. */
static void on_closed(struct evhttp_connection *connection, void *context)
{
	struct metrics *metrics = context;
	struct place *place = place_find(metrics, evhttp_connection_get_bufferevent(connection));

	if (place != NULL)
		event_active(place->over, EV_TIMEOUT, 0);
}

/* ---- requests ---- */

/* False: there is no page. */
static bool page_make(struct metrics *metrics)
{
	const uint64_t at_ms = now_ms();
	char *text;
	size_t bytes;

	if (metrics->text != NULL && at_ms < metrics->made_ms + METRICS_PAGE_MS)
		return true;
	if (metrics->page(metrics->context, &text, &bytes) != 0)
		return false;
	free(metrics->text);
	metrics->text = text;
	metrics->bytes = bytes;
	metrics->made_ms = at_ms;
	return true;
}

static void answer(struct evhttp_request *request, const char *text, size_t bytes)
{
	struct evbuffer *body = evbuffer_new();

	if (evhttp_request_get_command(request) == EVHTTP_REQ_HEAD)
		bytes = 0;
	if (body == NULL || evbuffer_add(body, text, bytes) != 0 ||
	    evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type",
			      CONTENT_TYPE) != 0)
		evhttp_send_error(request, HTTP_INTERNAL, NULL);
	else
		evhttp_send_reply(request, HTTP_OK, "OK", body);
	if (body != NULL)
		evbuffer_free(body);
}

static void on_request(struct evhttp_request *request, void *context)
{
	struct metrics *metrics = context;
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
	const char *path = uri != NULL ? evhttp_uri_get_path(uri) : NULL;

	evhttp_connection_set_closecb(evhttp_request_get_connection(request), on_closed, metrics);
	/* One request each: a connection that is kept would be a place that is held. */
	(void)evhttp_add_header(evhttp_request_get_output_headers(request), "Connection", "close");
	if (path != NULL && strcmp(path, "/metrics") == 0) {
		if (page_make(metrics))
			answer(request, metrics->text, metrics->bytes);
		else
			evhttp_send_error(request, HTTP_SERVUNAVAIL, NULL);
	} else if (path != NULL && strcmp(path, "/") == 0) {
		answer(request, HERE, sizeof(HERE) - 1);
	} else {
		evhttp_send_error(request, HTTP_NOTFOUND, NULL);
	}
}

/* ---- the whole ---- */

static const char *advice(int error)
{
	return error == EADDRINUSE ? ": another program has that port: choose another `metrics` "
				     "address"
				   : "";
}

static int listen_on(struct event_base *base, struct metrics *metrics, const char *address,
		     struct failure *failure)
{
	struct sockaddr_storage at;
	socklen_t length;
	int error;

	if (address_parse(address, &at, &length) != 0)
		return failure_set(failure, EINVAL,
				   "metrics address \"%s\": not a numeric address and port, such "
				   "as 127.0.0.1:9464",
				   address);
	metrics->accepting = evconnlistener_new_bind(
	    base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
	    BACKLOG, (const struct sockaddr *)&at, (int)length);
	if (metrics->accepting == NULL) {
		error = errno;
		return failure_set(failure, error, "metrics address %s: %s%s", address,
				   strerror(error), advice(error));
	}
	if (evhttp_bind_listener(metrics->http, metrics->accepting) == NULL) {
		evconnlistener_free(metrics->accepting);
		return failure_set(failure, ENOMEM, "metrics: no memory");
	}
	return 0;
}

int metrics_open(struct event_base *base, const char *address, metrics_page *page, void *context,
		 struct metrics **out, struct failure *failure)
{
	struct metrics *metrics = calloc(1, sizeof(*metrics));
	int error = 0;

	if (metrics == NULL)
		return failure_set(failure, ENOMEM, "metrics: no memory");
	metrics->page = page;
	metrics->context = context;
	metrics->http = evhttp_new(base);
	for (uint32_t i = 0; i < METRICS_CONNECTIONS_MAX; i++) {
		struct place *place = &metrics->place[i];

		place->metrics = metrics;
		place->over = evtimer_new(base, on_over, place);
		if (place->over == NULL)
			error = -ENOMEM;
	}
	if (metrics->http == NULL)
		error = -ENOMEM;
	if (error != 0) {
		(void)failure_set(failure, -error, "metrics: no memory");
		goto failed;
	}
	evhttp_set_bevcb(metrics->http, on_accepted, metrics);
	evhttp_set_gencb(metrics->http, on_request, metrics);
	evhttp_set_allowed_methods(metrics->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
	evhttp_set_max_headers_size(metrics->http, METRICS_REQUEST_BYTES);
	evhttp_set_max_body_size(metrics->http, 0);
	evhttp_set_timeout(metrics->http, IDLE_SECONDS);
	error = listen_on(base, metrics, address, failure);
	if (error != 0)
		goto failed;
	*out = metrics;
	return 0;
failed:
	metrics_close(metrics);
	return error;
}

void metrics_close(struct metrics *metrics)
{
	if (metrics == NULL)
		return;
	for (uint32_t i = 0; i < METRICS_CONNECTIONS_MAX; i++)
		if (metrics->place[i].stream != NULL)
			place_leave(&metrics->place[i]);
	for (uint32_t i = 0; i < METRICS_CONNECTIONS_MAX; i++)
		if (metrics->place[i].over != NULL)
			event_free(metrics->place[i].over);
	if (metrics->http != NULL)
		evhttp_free(metrics->http);
	free(metrics->text);
	free(metrics);
}
