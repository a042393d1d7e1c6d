/* relay.c - a program: stands between agents and one TCP server (etcd), and misbehaves when told.
 *
 *   relay TO-ADDRESS:PORT LISTEN-ADDRESS:PORT...
 *
 * Commands come on stdin, one a line: MODE N, for the Nth listening address (from 1) or `all`; each
 * is answered by `ok` on stdout.  Connections that are there go on under the new mode.
 *   pass     bytes both ways
 *   deaf     what is sent arrives nowhere; connections are taken and stay open
 *   mute     what is sent arrives, what is answered does not
 *   garbage  each request is answered with nonsense, a different one each time
 *   slow=MS  every answer comes MS later
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <event2/util.h>

#define DOORS_MAX 8
#define JSON	  "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

enum mode { PASS, DEAF, MUTE, GARBAGE, SLOW };

struct link {
	struct link *next, **self;
	struct door *door;
	struct bufferevent *client, *server; /* server NULL: it began while nothing was passed */
	struct event *timer;
};

struct door {
	struct evconnlistener *listener;
	enum mode mode;
	unsigned delay_ms, lies;
	struct link *links;
};

static struct event_base *base;
static struct sockaddr_storage to;
static int to_bytes = (int)sizeof(to);
static struct door doors[DOORS_MAX];
static int door_count;

/* ---- links ---- */

static void link_end(struct link *link)
{
	*link->self = link->next;
	if (link->next)
		link->next->self = link->self;
	bufferevent_free(link->client);
	if (link->server)
		bufferevent_free(link->server);
	event_free(link->timer);
	free(link);
}

static void lie(struct link *link)
{
	static const char *const lies[] = {
	    "SSH-2.0-nobody\r\n",
	    "HTTP/1.1 200 OK\r\n\r\n",
	    JSON "Content-Length: 5\r\n\r\n<html",
	    JSON "Content-Length: 2\r\n\r\n{}",
	    JSON "Content-Length: 2\r\n\r\n[]",
	    JSON "Content-Length: 999\r\n\r\n{\"header\":{",
	    JSON
	    "Content-Length: 84\r\n\r\n"
	    "{\"header\":{\"cluster_id\":\"-1\",\"revision\":\"x\"},\"ID\":\"0\",\"TTL\":\"9\","
	    "\"succeeded\":true}   ",
	    JSON "Content-Length: 48\r\n\r\n{\"succeeded\":true,\"responses\":[{},{},{},{},{}]} ",
	    "HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
	    "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
	    "HTTP/9.9 \xff\xfe\r\n\r\n",
	};
	const char *words = lies[link->door->lies++ % (sizeof(lies) / sizeof(lies[0]))];

	(void)evbuffer_drain(bufferevent_get_input(link->client), SIZE_MAX);
	(void)bufferevent_write(link->client, words, strlen(words));
}

static void on_request(struct bufferevent *client, void *context)
{
	struct link *link = context;

	if (link->door->mode == GARBAGE)
		lie(link);
	else if (link->door->mode == DEAF || !link->server)
		(void)evbuffer_drain(bufferevent_get_input(client), SIZE_MAX);
	else
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
	const struct door *door = link->door;
	const struct timeval wait = {door->delay_ms / 1000, door->delay_ms % 1000 * 1000};

	if (door->mode == PASS)
		answer_pass(-1, 0, link);
	else if (door->mode != SLOW)
		(void)evbuffer_drain(bufferevent_get_input(server), SIZE_MAX);
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
	struct door *door = context;
	struct link *link = calloc(1, sizeof(*link));

	(void)listener;
	(void)from;
	(void)length;
	if (!link)
		exit(1);
	link->door = door;
	link->next = door->links;
	link->self = &door->links;
	door->links = link;
	if (link->next)
		link->next->self = &link->next;
	link->timer = event_new(base, -1, 0, answer_pass, link);
	link->client = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!link->timer || !link->client)
		exit(1);
	bufferevent_setcb(link->client, on_request, NULL, on_end, link);
	(void)bufferevent_enable(link->client, EV_READ | EV_WRITE);
	if (door->mode == DEAF || door->mode == GARBAGE)
		return;
	link->server = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	if (!link->server)
		exit(1);
	bufferevent_setcb(link->server, on_answer, NULL, on_end, link);
	(void)bufferevent_enable(link->server, EV_READ | EV_WRITE);
	/* Where this fails, on_end has been called. */
	(void)bufferevent_socket_connect(link->server, (struct sockaddr *)&to, to_bytes);
}

/* ---- commands ---- */

/* A connection that leads nowhere, or whose answers are out of step, cannot be passed again. */
static void door_set(struct door *door, enum mode mode, unsigned delay_ms)
{
	struct link *link, *next;

	for (link = door->links; link; link = next) {
		next = link->next;
		if (mode != DEAF && mode != MUTE && (!link->server || door->mode != PASS))
			link_end(link);
	}
	door->mode = mode;
	door->delay_ms = delay_ms;
}

static int command(char *line)
{
	static const char *const names[] = {"pass", "deaf", "mute", "garbage"};
	char *which = strchr(line, ' ');
	unsigned delay_ms = 0;
	int mode = 0, door;

	if (!which)
		return -1;
	*which++ = '\0';
	if (sscanf(line, "slow=%u", &delay_ms) == 1)
		mode = SLOW;
	else
		while (mode < SLOW && strcmp(line, names[mode]) != 0)
			mode++;
	door = strcmp(which, "all") == 0 ? 0 : atoi(which);
	if ((mode == SLOW && delay_ms == 0) || door < 0 || door > door_count ||
	    (door == 0 && strcmp(which, "all") != 0))
		return -1;
	for (int i = 0; i < door_count; i++)
		if (door == 0 || door == i + 1)
			door_set(&doors[i], (enum mode)mode, delay_ms);
	return 0;
}

static void on_command(evutil_socket_t fd, short what, void *context)
{
	char line[128];

	(void)fd;
	(void)what;
	(void)context;
	if (!fgets(line, sizeof(line), stdin)) {
		(void)event_base_loopbreak(base);
		return;
	}
	line[strcspn(line, "\n")] = '\0';
	puts(command(line) == 0 ? "ok" : "relay: MODE and the number of an address, or all");
}

int main(int argc, char **argv)
{
	struct event *commands;

	if (argc < 3 || argc - 2 > DOORS_MAX ||
	    evutil_parse_sockaddr_port(argv[1], (struct sockaddr *)&to, &to_bytes) != 0) {
		fputs("usage: relay TO-ADDRESS:PORT LISTEN-ADDRESS:PORT...\n", stderr);
		return 2;
	}
	(void)setvbuf(stdin, NULL, _IONBF, 0); /* a line that was read ahead would wake nobody */
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	base = event_base_new();
	commands =
	    base ? event_new(base, STDIN_FILENO, EV_READ | EV_PERSIST, on_command, NULL) : NULL;
	if (!commands || event_add(commands, NULL) != 0)
		return 1;
	for (; door_count < argc - 2; door_count++) {
		struct sockaddr_storage at;
		int bytes = (int)sizeof(at);
		struct door *door = &doors[door_count];

		if (evutil_parse_sockaddr_port(argv[door_count + 2], (struct sockaddr *)&at,
					       &bytes) != 0)
			return 2;
		door->listener = evconnlistener_new_bind(
		    base, on_accept, door,
		    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, 64,
		    (struct sockaddr *)&at, bytes);
		if (!door->listener) {
			fprintf(stderr, "relay: cannot listen at %s\n", argv[door_count + 2]);
			return 1;
		}
	}
	puts("ok");
	(void)event_base_dispatch(base);
	for (int i = 0; i < door_count; i++) {
		while (doors[i].links)
			link_end(doors[i].links);
		evconnlistener_free(doors[i].listener);
	}
	event_free(commands);
	event_base_free(base);
	return 0;
}
