/* etcd_relay.c - see etcd_rig.h: what stands between a candidate and etcd. */
#include "etcd_relay.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>

#include "etcd_rig.h"

#define LINKS 64u

struct relay {
	struct evconnlistener *listener;
	uint16_t to;
	char url[64];
	enum relay_mode mode;
	unsigned delay_ms;
	struct link {
		struct relay *relay;
		struct bufferevent *client, *server;
		struct event *timer; /* the delay of the answers */
	} links[LINKS];
};

struct liar {
	struct evconnlistener *listener;
	char url[64];
	const void *bytes;
	size_t length;
	unsigned asked;
};

static struct event_base *base;

static struct event_base *the_base(void)
{
	if (base == NULL)
		base = event_base_new();
	ck_assert_ptr_nonnull(base);
	return base;
}

void relay_step(void)
{
	if (base != NULL)
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
}

static struct evconnlistener *listen_on(evconnlistener_cb accepted, void *context, char url[64])
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(any);
	struct evconnlistener *listener = evconnlistener_new_bind(
	    the_base(), accepted, context, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 64,
	    (struct sockaddr *)&any, sizeof(any));

	ck_assert_ptr_nonnull(listener);
	ck_assert_int_eq(
	    getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&any, &length), 0);
	(void)snprintf(url, 64, "http://127.0.0.1:%u", ntohs(any.sin_port));
	return listener;
}

/* ---- relay ---- */

static void link_end(struct link *link)
{
	if (link->client != NULL)
		bufferevent_free(link->client);
	if (link->server != NULL)
		bufferevent_free(link->server);
	if (link->timer != NULL)
		event_free(link->timer);
	memset(link, 0, sizeof(*link));
}

static void on_request(struct bufferevent *client, void *context)
{
	struct link *link = context;

	if (link->server != NULL)
		(void)bufferevent_write_buffer(link->server, bufferevent_get_input(client));
}

static void answer_pass(evutil_socket_t fd, short what, void *context)
{
	struct link *link = context;

	(void)fd;
	(void)what;
	(void)bufferevent_write_buffer(link->client, bufferevent_get_input(link->server));
}

static void on_answer(struct bufferevent *server, void *context)
{
	struct link *link = context;
	struct timeval wait = {link->relay->delay_ms / 1000, link->relay->delay_ms % 1000 * 1000};

	if (link->relay->mode == RELAY_MUTE)
		(void)evbuffer_drain(bufferevent_get_input(server), SIZE_MAX);
	else if (link->relay->delay_ms == 0)
		answer_pass(-1, 0, link);
	else if (!event_pending(link->timer, EV_TIMEOUT, NULL))
		(void)event_add(link->timer, &wait);
}

static void on_end(struct bufferevent *either, short what, void *context)
{
	(void)either;
	if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
		link_end(context);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from,
		      int length, void *context)
{
	struct relay *relay = context;
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(relay->to),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct link *link = relay->links;

	(void)listener;
	(void)from;
	(void)length;
	while (link < relay->links + LINKS && link->client != NULL)
		link++;
	ck_assert(link < relay->links + LINKS);
	link->relay = relay;
	link->timer = event_new(base, -1, 0, answer_pass, link);
	link->client = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	ck_assert_ptr_nonnull(link->client);
	bufferevent_setcb(link->client, on_request, NULL, on_end, link);
	(void)bufferevent_enable(link->client, EV_READ | EV_WRITE);
	if (relay->mode == RELAY_DEAF)
		return;
	link->server = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	ck_assert_ptr_nonnull(link->server);
	bufferevent_setcb(link->server, on_answer, NULL, on_end, link);
	(void)bufferevent_enable(link->server, EV_READ | EV_WRITE);
	if (bufferevent_socket_connect(link->server, (struct sockaddr *)&to, sizeof(to)) != 0)
		link_end(link);
}

struct relay *relay_new(const struct etcd_process *to)
{
	struct relay *relay = calloc(1, sizeof(*relay));

	ck_assert_ptr_nonnull(relay);
	relay->to = to->port;
	relay->listener = listen_on(on_accept, relay, relay->url);
	return relay;
}

void relay_set(struct relay *relay, enum relay_mode mode, unsigned delay_ms)
{
	/* A kept connection goes on under the new rule, unless it could not have been used at all.
	 */
	for (struct link *link = relay->links; link < relay->links + LINKS; link++)
		if (link->client != NULL && (mode == RELAY_DEAF || link->server == NULL))
			link_end(link);
	relay->mode = mode;
	relay->delay_ms = delay_ms;
}

void relay_free(struct relay *relay)
{
	for (struct link *link = relay->links; link < relay->links + LINKS; link++)
		link_end(link);
	evconnlistener_free(relay->listener);
	free(relay);
}

const char *relay_url(const struct relay *relay)
{
	return relay->url;
}

/* ---- liar ---- */

static void liar_said(struct bufferevent *client, void *context)
{
	(void)context;
	if (evbuffer_get_length(bufferevent_get_output(client)) == 0)
		bufferevent_free(client);
}

static void liar_left(struct bufferevent *client, short what, void *context)
{
	(void)what;
	(void)context;
	bufferevent_free(client);
}

static void liar_heard(struct bufferevent *client, void *context)
{
	struct liar *liar = context;

	(void)evbuffer_drain(bufferevent_get_input(client), SIZE_MAX);
	bufferevent_setcb(client, NULL, liar_said, liar_left, liar);
	liar->asked++;
	if (liar->length == 0)
		bufferevent_free(client);
	else
		(void)bufferevent_write(client, liar->bytes, liar->length);
}

static void liar_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from,
			int length, void *context)
{
	struct bufferevent *client = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);

	(void)listener;
	(void)from;
	(void)length;
	ck_assert_ptr_nonnull(client);
	bufferevent_setcb(client, liar_heard, NULL, liar_left, context);
	(void)bufferevent_enable(client, EV_READ | EV_WRITE);
}

struct liar *liar_new(void)
{
	struct liar *liar = calloc(1, sizeof(*liar));

	ck_assert_ptr_nonnull(liar);
	liar->listener = listen_on(liar_accept, liar, liar->url);
	return liar;
}

void liar_says(struct liar *liar, const void *bytes, size_t length)
{
	liar->bytes = bytes;
	liar->length = length;
	liar->asked = 0;
}

unsigned liar_asked(const struct liar *liar)
{
	return liar->asked;
}

void liar_free(struct liar *liar)
{
	evconnlistener_free(liar->listener);
	free(liar);
}

const char *liar_url(const struct liar *liar)
{
	return liar->url;
}
