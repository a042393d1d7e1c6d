/* host.c - see host.h. */
#include "host.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "daemon/clients_run.h"
#include "daemon/segment.h"
#include "daemon/segment_file.h"
#include "mcroster.h"

#define ORDER_PUBLISH	   'p'
#define ORDER_STOP	   'q'
#define OP_TIMEOUT_MS	   1000u
#define HEARTBEAT_EVERY_US 5000

struct host {
	pid_t pid;
	int fd; /* orders and answers, one struct host_publication each */
	char path[SEGMENT_PATH_BYTES];
};

/* In the child. */
struct agent_side {
	struct event_base *base;
	struct event *order, *beat;
	struct segment *segment;
	struct clients_run *clients;
	struct change change;
	struct host_publication publication;
	bool waiting;
	int fd;
};

static void answer_if_adopted(void *context)
{
	struct agent_side *side = context;
	/* The first one is adopted by the clock, for nobody is known then. */
	const bool first = side->publication.generation == 1;

	if (!side->waiting || (!first && !clients_run_settled(side->clients)))
		return;
	side->waiting = false;
	side->publication.adopted_ns = bench_boot_ns();
	if (write(side->fd, &side->publication, sizeof(side->publication)) !=
	    (ssize_t)sizeof(side->publication))
		_exit(1);
}

static void publish(struct agent_side *side)
{
	const struct segment_view view = {
	    .change = &side->change, .phase = MCR_STEADY, .registration_required = true};
	struct failure failure = {{0}};

	/* Another epoch makes it another generation. */
	side->change.old_epoch++;
	side->publication.begun_ns = bench_boot_ns();
	if (segment_publish(side->segment, &view, side->publication.begun_ns,
			    &side->publication.generation, &failure) != 0)
		bench_end("%s", failure.text);
	clients_run_published(side->clients, side->publication.generation, true, OP_TIMEOUT_MS);
	side->waiting = true;
	answer_if_adopted(side);
}

static void on_order(evutil_socket_t fd, short what, void *context)
{
	char order;

	(void)what;
	if (read(fd, &order, 1) != 1 || order != ORDER_PUBLISH)
		_exit(0);
	publish(context);
}

static void on_beat(evutil_socket_t fd, short what, void *context)
{
	struct agent_side *side = context;

	(void)fd;
	(void)what;
	segment_heartbeat(side->segment);
	/* What is adopted by the clock alone nobody is told of; the agent looks at each of its
	 * ticks. */
	answer_if_adopted(side);
}

static void agent_side_run(struct agent_side *side, const char *name, const char *socket_path)
{
	const struct timeval every = {.tv_usec = HEARTBEAT_EVERY_US};
	struct clients_options options = {
	    .path = socket_path, .mode = 0600, .cluster = "bench", .per_uid = 4000};
	struct failure failure = {{0}};

	side->base = event_base_new();
	if (side->base == NULL || segment_open(name, "bench", &side->segment, &failure) != 0)
		bench_end("%s", failure.text);
	options.incarnation = segment_incarnation(side->segment);
	if (clients_run_new(side->base, &options, answer_if_adopted, side, &side->clients,
			    &failure) != 0)
		bench_end("%s", failure.text);
	segment_clients(side->segment, socket_path);
	segment_lease(side->segment, UINT64_MAX);
	side->order = event_new(side->base, side->fd, EV_READ | EV_PERSIST, on_order, side);
	side->beat = event_new(side->base, -1, EV_PERSIST, on_beat, side);
	if (side->order == NULL || side->beat == NULL || event_add(side->order, NULL) != 0 ||
	    event_add(side->beat, &every) != 0)
		bench_end("out of memory");
	publish(side);
	(void)event_base_dispatch(side->base);
	_exit(1);
}

struct host *host_start(const struct change *change, const char *name, const char *socket_path)
{
	struct host *host = bench_alloc(1, sizeof(*host));
	struct host_publication first;
	int pair[2];

	if (segment_file_path(name, host->path, NULL) != 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		bench_end("cannot start a host");
	host->pid = fork();
	if (host->pid < 0)
		bench_end("cannot start a host");
	if (host->pid == 0) {
		static struct agent_side side;

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)close(pair[0]);
		side.fd = pair[1];
		side.change = *change;
		agent_side_run(&side, name, socket_path);
	}
	(void)close(pair[1]);
	host->fd = pair[0];
	if (read(host->fd, &first, sizeof(first)) != (ssize_t)sizeof(first))
		bench_end("the host has ended");
	return host;
}

static bool ordered(const struct host *host, char order)
{
	return write(host->fd, &order, 1) == 1;
}

struct host_publication host_publish(struct host *host)
{
	struct host_publication publication;

	if (!ordered(host, ORDER_PUBLISH) ||
	    read(host->fd, &publication, sizeof(publication)) != (ssize_t)sizeof(publication))
		bench_end("the host has ended");
	return publication;
}

void host_stop(struct host *host)
{
	char lock[SEGMENT_PATH_BYTES + 8];

	/* Later hosts have the descriptor too, so closing it alone would tell nobody. */
	(void)ordered(host, ORDER_STOP);
	(void)close(host->fd);
	(void)waitpid(host->pid, NULL, 0);
	(void)unlink(host->path);
	(void)strcat(strcpy(lock, host->path), ".lock");
	(void)unlink(lock);
	free(host);
}
