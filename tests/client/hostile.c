/* hostile.c - a program: stands before one memcached as its address, and does movers harm.
 *
 *   hostile TO-ADDRESS:PORT LISTEN-ADDRESS:PORT
 *
 * Connections whose first command is `stats` are movers': they ask who the server is before
 * anything else.  All others are passed on untouched.  Commands come on stdin, one a line, each
 * answered by one line on stdout; a new rule resets the movers' connections that are there.
 *   pass                           everybody is passed on: ok
 *   RULE WAY SINCE FROM TO STEP    the next connection is harmed after FROM bytes, the one after it
 *                                  after FROM + STEP, and so on up to TO; then all is passed: ok
 *   short LINES TIMES              the next dumps END after so many lines: ok
 *   torn LINES TIMES               the next dumps break off in the middle of that line: ok
 *   overtake COMMAND KEY ADDRESS:PORT
 *                                  beside the rule: when the next `ms` of this key comes, or the
 *                                  next `md` by CAS, a client has just written it: deleted it at
 *                                  that address, its old owner's, and stored "new" here: ok
 *   overtaken                      have all been?  yes, or no
 *   count                          N over, or N on: connections harmed, and whether more will be
 * RULE: reset (both sides), stall (nothing goes on, but it stays open), garbage (the server
 * executes what comes, but from there on its answers are nonsense).
 * WAY: up (what is sent) or down (what is answered; garbage is always down).
 * SINCE: start, the connection's first byte; hello, the end of the answers to the mover's first
 * questions; or a command, `ms` for example: the first of them on the connection.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <event2/util.h>

#define FIRST	    "stats\r\n"
#define FIRST_BYTES (sizeof(FIRST) - 1)
#define HELLO_END   "MN\r\n"
#define DUMP	    "lru_crawler metadump"

enum kind { PASS, RESET, STALL, GARBAGE, SHORT, TORN };
enum way { UP, DOWN };

static const char *const kinds[] = {"pass", "reset", "stall", "garbage", "short", "torn"};

static struct rule {
	enum kind kind;
	enum way way;
	char since[8];
	unsigned long next, last, step;
	unsigned long harmed;
} rule;

static struct overtaking {
	char command[3], key[251];
	struct sockaddr_storage old;
	int old_bytes;
} overtakings[2];

struct link {
	struct link *next, **self;
	struct bufferevent *end[2]; /* whose input goes UP: the mover; DOWN: memcached */
	bool mover, ending, dumps;
	enum kind kind;
	enum way way;
	bool counting, value;	   /* value: what was passed breaks off in one */
	struct evbuffer *answered; /* garbage: the answers that were passed since it counts */
	unsigned long left;	   /* bytes, or lines of a dump */
};

static struct event_base *base;
static struct sockaddr_storage to;
static int to_bytes = (int)sizeof(to);
static struct link *links;

static void link_end(struct link *link)
{
	const struct linger none = {.l_onoff = 1, .l_linger = 0};

	*link->self = link->next;
	if (link->next)
		link->next->self = link->self;
	for (int i = 0; i < 2; i++) {
		if (link->ending)
			(void)setsockopt(bufferevent_getfd(link->end[i]), SOL_SOCKET, SO_LINGER,
					 &none, sizeof(none));
		bufferevent_free(link->end[i]);
	}
	evbuffer_free(link->answered);
	free(link);
}

static void link_silence(struct link *link)
{
	(void)bufferevent_disable(link->end[UP], EV_READ);
	(void)bufferevent_disable(link->end[DOWN], EV_READ);
}

static void on_written(struct bufferevent *either, void *context)
{
	struct link *link = context;

	(void)either;
	if (link->ending && !evbuffer_get_length(bufferevent_get_output(link->end[UP])) &&
	    !evbuffer_get_length(bufferevent_get_output(link->end[DOWN])))
		link_end(link);
}

/* A reset comes when what was let through before it has been delivered, and not while the caller
 * still holds the link. */
static void link_reset(struct link *link)
{
	link->ending = true;
	link_silence(link);
	bufferevent_trigger(link->end[UP], EV_WRITE, BEV_TRIG_DEFER_CALLBACKS);
}

/* ---- harm ---- */

/* The answers, from the beginning of one on, break off in the middle of a value. */
static bool in_value(struct evbuffer *answers)
{
	size_t value, length;
	bool cut = false;
	char *line;

	while (!cut && (line = evbuffer_readln(answers, &length, EVBUFFER_EOL_CRLF_STRICT))) {
		if (sscanf(line, "VA %zu", &value) == 1) {
			cut = evbuffer_get_length(answers) < value + 2;
			(void)evbuffer_drain(answers, value + 2);
		}
		free(line);
	}
	return cut;
}

/* In a value there is no line end among what is told: one that happened to stand where the value is
 * to end would make it another value, which nobody could tell from the item's own. */
static void lie(struct evbuffer *out, bool value)
{
	static const char *const lies[] = {
	    "SSH-2.0-nobody\r\n",
	    "\r\n",
	    "HD c\r\n",
	    "HD c18446744073709551616\r\n",
	    "VA\r\n",
	    "VA -1 c1 t-1 f0\r\nx\r\n",
	    "VA 99999999999 c1 t-1 f0\r\n",
	    "VA 4 c1 t-1 f0\r\nabcdefgh\r\n",
	    "STAT pid x\r\n",
	    "END\r\n",
	    "BUSY currently processing crawler request\r\n",
	    "ERROR\r\n",
	    "CLIENT_ERROR bad command line format\r\n",
	    "MN\r\nMN\r\nMN\r\n",
	    "HD O999999\r\n",
	    "\xff\xfe\x00",
	    "key=%zz exp=1 la=1 cas=1 fetch=no cls=1 size=1\r\n",
	};
	static unsigned told;
	char words[64];

	(void)snprintf(words, sizeof(words), "%s", lies[told % (sizeof(lies) / sizeof(lies[0]))]);
	for (char *end = words; value && (end = strpbrk(end, "\r\n"));)
		*end = '.';
	/* One of them is longer than any line may be. */
	for (int i = 0; i < (told % 5 ? 1 : 5000); i++)
		(void)evbuffer_add(out, words, strlen(words) - (told % 5 ? 0 : 2));
	told++;
}

static void harm(struct link *link, struct evbuffer *in, struct evbuffer *out)
{
	rule.harmed++;
	switch (link->kind) {
	case GARBAGE:
		if (evbuffer_get_length(link->answered) > 0)
			link->value = in_value(link->answered);
		(void)evbuffer_drain(in, SIZE_MAX);
		lie(out, link->value);
		rule.harmed--; /* each answer of it is counted once only */
		break;
	case STALL:
		link_silence(link);
		break;
	default:
		link_reset(link);
		break;
	}
}

/* Passes bytes up to where the harm is done. */
static void pass_counted(struct link *link, struct evbuffer *in, struct evbuffer *out)
{
	size_t length = evbuffer_get_length(in);
	size_t passed = length < link->left ? length : link->left;

	if (link->kind == GARBAGE && passed > 0)
		(void)evbuffer_add(link->answered, evbuffer_pullup(in, (ev_ssize_t)passed), passed);
	if (length < link->left) {
		link->left -= length;
		(void)evbuffer_add_buffer(out, in);
		return;
	}
	if (link->left > 0)
		(void)evbuffer_remove_buffer(in, out, link->left);
	link->left = 0;
	harm(link, in, out);
}

/* Passes a dump's lines up to where it is cut. */
static void pass_dump(struct link *link, struct evbuffer *in, struct evbuffer *out)
{
	char *line;
	size_t length;

	while (!link->ending && (line = evbuffer_readln(in, &length, EVBUFFER_EOL_LF))) {
		bool ends = strncmp(line, "END", 3) == 0;

		if (ends || link->left > 0) {
			(void)evbuffer_add_printf(out, "%s\n", line);
			link->left -= link->left > 0;
			link->dumps = !ends;
		} else if (link->kind == TORN) {
			(void)evbuffer_add(out, line, length / 2);
			link_reset(link);
		}
		free(line);
		if (ends) {
			(void)evbuffer_add_buffer(out, in);
			return;
		}
	}
}

static bool rule_over(void)
{
	switch (rule.kind) {
	case SHORT:
	case TORN:
		return rule.next == 0;
	default:
		return rule.kind == PASS || rule.next > rule.last;
	}
}

/* The moment has come from which the bytes of this connection are counted, if the rule says so. */
static void link_condemn(struct link *link, const char *since)
{
	if (!link->mover || link->kind != PASS || rule_over() || strcmp(rule.since, since) != 0)
		return;
	link->kind = rule.kind;
	link->way = rule.way;
	link->left = rule.next;
	link->counting = true;
	rule.next += rule.step;
	if (rule.kind == GARBAGE)
		rule.harmed++;
}

/* Passes what comes before the command from which the rule counts. */
static void pass_until_command(struct link *link, struct evbuffer *in, struct evbuffer *out)
{
	char behind[sizeof(rule.since) + 3];
	int length = snprintf(behind, sizeof(behind), "\r\n%s ", rule.since);
	struct evbuffer_ptr at;

	if (rule.since[0] == '\0' || link->kind != PASS)
		return;
	if (evbuffer_get_length(in) < (size_t)length - 2 ||
	    memcmp(evbuffer_pullup(in, length - 2), behind + 2, (size_t)length - 2) != 0) {
		at = evbuffer_search(in, behind, (size_t)length, NULL);
		if (at.pos < 0)
			return;
		(void)evbuffer_remove_buffer(in, out, (size_t)at.pos + 2);
	}
	link_condemn(link, rule.since);
}

/* As a client would, on a connection of its own. */
static void client_does(const struct sockaddr_storage *server, int bytes, const char *command,
			const char *wanted)
{
	char answer[16] = "";
	int fd = socket(server->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)server, (socklen_t)bytes) != 0 ||
	    send(fd, command, strlen(command), MSG_NOSIGNAL) != (ssize_t)strlen(command) ||
	    recv(fd, answer, strlen(wanted), MSG_WAITALL) != (ssize_t)strlen(wanted) ||
	    strcmp(answer, wanted) != 0) {
		fprintf(stderr, "hostile: a client cannot write: answered %s\n", answer);
		exit(1);
	}
	(void)close(fd);
}

static void client_writes(const struct overtaking *overtaking)
{
	char command[300];

	(void)snprintf(command, sizeof(command), "delete %s\r\n", overtaking->key);
	client_does(&overtaking->old, overtaking->old_bytes, command, "DELETED\r\n");
	(void)snprintf(command, sizeof(command), "set %s 0 0 3\r\nnew\r\n", overtaking->key);
	client_does(&to, to_bytes, command, "STORED\r\n");
}

static void mover_overtake(const struct link *link, struct evbuffer *in)
{
	for (size_t i = 0; i < sizeof(overtakings) / sizeof(overtakings[0]); i++) {
		struct overtaking *overtaking = overtakings + i;
		char command[sizeof(*overtaking)];
		int length = snprintf(command, sizeof(command), "%s %s ", overtaking->command,
				      overtaking->key);

		if (!overtaking->command[0] || !link->mover ||
		    evbuffer_search(in, command, (size_t)length, NULL).pos < 0)
			continue;
		client_writes(overtaking);
		overtaking->command[0] = '\0';
	}
}

/* True: this is the request for a dump, and it is to be cut. */
static void dump_condemn(struct link *link, struct evbuffer *in)
{
	if ((rule.kind != SHORT && rule.kind != TORN) || rule.next == 0 || !link->mover ||
	    evbuffer_search(in, DUMP, sizeof(DUMP) - 1, NULL).pos < 0)
		return;
	rule.next--;
	rule.harmed++;
	link->kind = rule.kind;
	link->left = rule.last;
	link->dumps = true;
}

/* ---- links ---- */

static void on_bytes(struct bufferevent *from, void *context)
{
	struct link *link = context;
	const enum way way = from == link->end[UP] ? UP : DOWN;
	struct evbuffer *in = bufferevent_get_input(from);
	struct evbuffer *out = bufferevent_get_output(link->end[1 - way]);
	bool hello;

	if (way == UP) {
		dump_condemn(link, in);
		mover_overtake(link, in);
		pass_until_command(link, in, out);
	}
	/* The hello itself is never harmed where the count begins behind it. */
	hello = way == DOWN && evbuffer_search(in, HELLO_END, sizeof(HELLO_END) - 1, NULL).pos >= 0;
	if (link->dumps && way == DOWN)
		pass_dump(link, in, out);
	else if (link->counting && way == link->way)
		pass_counted(link, in, out);
	else
		(void)evbuffer_add_buffer(out, in);
	if (hello)
		link_condemn(link, "hello");
}

/* Who it is shows in the first bytes; until then nothing is passed. */
static void on_first_bytes(struct bufferevent *from, void *context)
{
	struct link *link = context;
	char first[FIRST_BYTES];
	ev_ssize_t length = evbuffer_copyout(bufferevent_get_input(from), first, sizeof(first));

	if (length < (ev_ssize_t)sizeof(first) && memcmp(first, FIRST, (size_t)length) == 0)
		return;
	link->mover = memcmp(first, FIRST, sizeof(first)) == 0;
	link_condemn(link, "start");
	bufferevent_setcb(from, on_bytes, on_written, NULL, link);
	on_bytes(from, link);
}

static void on_end(struct bufferevent *either, short what, void *context)
{
	(void)either;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		link_end(context);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from,
		      int length, void *context)
{
	struct link *link = calloc(1, sizeof(*link));

	(void)listener;
	(void)from;
	(void)length;
	(void)context;
	if (!link)
		exit(1);
	link->next = links;
	link->self = &links;
	links = link;
	if (link->next)
		link->next->self = &link->next;
	link->end[UP] = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	link->end[DOWN] = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	link->answered = evbuffer_new();
	if (!link->end[UP] || !link->end[DOWN] || !link->answered)
		exit(1);
	bufferevent_setcb(link->end[UP], on_first_bytes, on_written, on_end, link);
	bufferevent_setcb(link->end[DOWN], on_bytes, on_written, on_end, link);
	(void)bufferevent_enable(link->end[UP], EV_READ | EV_WRITE);
	(void)bufferevent_enable(link->end[DOWN], EV_READ | EV_WRITE);
	/* Where this fails, on_end has been called. */
	(void)bufferevent_socket_connect(link->end[DOWN], (struct sockaddr *)&to, to_bytes);
}

/* ---- commands ---- */

static void movers_end(void)
{
	struct link *link, *next;

	for (link = links; link; link = next) {
		next = link->next;
		if (link->mover) {
			link->ending = true;
			link_end(link);
		}
	}
}

static int overtake(const char *line)
{
	struct overtaking wanted = {.old_bytes = (int)sizeof(wanted.old)};
	char address[64];

	if (sscanf(line, "overtake %2s %250s %63s", wanted.command, wanted.key, address) != 3 ||
	    evutil_parse_sockaddr_port(address, (struct sockaddr *)&wanted.old,
				       &wanted.old_bytes) != 0)
		return -1;
	overtakings[overtakings[0].command[0] != '\0'] = wanted;
	return 0;
}

static int rule_take(const char *line)
{
	struct rule wanted = {.kind = PASS};
	char name[16], way[8], since[8];
	int given = sscanf(line, "%15s %7s %7s %lu %lu %lu", name, way, since, &wanted.next,
			   &wanted.last, &wanted.step);

	if (given < 1)
		return -1;
	while (wanted.kind <= TORN && strcmp(name, kinds[wanted.kind]) != 0)
		wanted.kind++;
	if (wanted.kind > TORN)
		return -1;
	if (wanted.kind == SHORT || wanted.kind == TORN) {
		if (given < 3)
			return -1;
		wanted.last = strtoul(way, NULL, 10);
		wanted.next = strtoul(since, NULL, 10);
	} else if (wanted.kind != PASS) {
		if (given < 6 || !wanted.step)
			return -1;
		wanted.way = strcmp(way, "up") == 0 && wanted.kind != GARBAGE ? UP : DOWN;
		memcpy(wanted.since, since, sizeof(wanted.since));
	}
	wanted.harmed = rule.harmed;
	rule = wanted;
	movers_end();
	return 0;
}

static void on_command(evutil_socket_t fd, short what, void *context)
{
	char line[512];

	(void)fd;
	(void)what;
	(void)context;
	if (!fgets(line, sizeof(line), stdin)) {
		(void)event_base_loopbreak(base);
		return;
	}
	line[strcspn(line, "\n")] = '\0';
	if (strcmp(line, "count") == 0)
		printf("%lu %s\n", rule.harmed, rule_over() ? "over" : "on");
	else if (strcmp(line, "overtaken") == 0)
		puts(overtakings[0].command[0] || overtakings[1].command[0] ? "no" : "yes");
	else
		puts(overtake(line) == 0 || rule_take(line) == 0 ? "ok" : "hostile: no such rule");
}

int main(int argc, char **argv)
{
	struct sockaddr_storage at;
	int bytes = (int)sizeof(at);
	struct evconnlistener *listener;
	struct event *commands;

	if (argc != 3 ||
	    evutil_parse_sockaddr_port(argv[1], (struct sockaddr *)&to, &to_bytes) != 0 ||
	    evutil_parse_sockaddr_port(argv[2], (struct sockaddr *)&at, &bytes) != 0) {
		fputs("usage: hostile TO-ADDRESS:PORT LISTEN-ADDRESS:PORT\n", stderr);
		return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	(void)setvbuf(stdin, NULL, _IONBF, 0); /* a line that was read ahead would wake nobody */
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	base = event_base_new();
	commands =
	    base ? event_new(base, STDIN_FILENO, EV_READ | EV_PERSIST, on_command, NULL) : NULL;
	listener = base ? evconnlistener_new_bind(base, on_accept, NULL,
						  LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC |
						      LEV_OPT_REUSEABLE,
						  256, (struct sockaddr *)&at, bytes)
			: NULL;
	if (!commands || event_add(commands, NULL) || !listener) {
		fprintf(stderr, "hostile: cannot listen at %s\n", argv[2]);
		return 1;
	}
	puts("ok");
	(void)event_base_dispatch(base);
	while (links)
		link_end(links);
	evconnlistener_free(listener);
	event_free(commands);
	event_base_free(base);
	return 0;
}
