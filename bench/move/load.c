/* load.c - see load.h. */
#include "move/load.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "move/wire.h"

#define CONNECTIONS 16u
#define SET_EVERY   10u
#define BUCKETS	    4096u /* of eight microseconds and, from there, all that is longer */
#define BUCKET_NS   8000u
#define SECOND_NS   1e9
#define LINE_BYTES  128u /* more than all of a command but its value, and of its answer */

struct client {
	int fd;
	uint64_t sent_ns; /* 0: idle */
	unsigned open;	  /* commands not answered yet */
};

struct clients {
	struct client client[CONNECTIONS];
	unsigned idle, together, turn;
	uint64_t keys, random, commands;
	size_t value_bytes;
	size_t room; /* of each of the two */
	char *in, *out;
	uint64_t histogram[BUCKETS], answered, began_ns;
};

static uint64_t next_random(struct clients *clients)
{
	clients->random ^= clients->random << 13;
	clients->random ^= clients->random >> 7;
	clients->random ^= clients->random << 17;
	return clients->random;
}

static size_t command_write(struct clients *clients, char *at)
{
	char key[WIRE_KEY_BYTES + 1];
	size_t length;

	wire_key(next_random(clients) % clients->keys, key);
	if (++clients->commands % SET_EVERY != 0)
		return (size_t)sprintf(at, "get %s\r\n", key);
	length = (size_t)sprintf(at, "set %s 0 0 %zu\r\n", key, clients->value_bytes);
	memset(at + length, 'f', clients->value_bytes);
	memcpy(at + length + clients->value_bytes, "\r\n", 2);
	return length + clients->value_bytes + 2;
}

static void request_send(struct clients *clients, struct client *client)
{
	size_t length = 0;

	for (unsigned i = 0; i < clients->together; i++)
		length += command_write(clients, clients->out + length);
	client->open = clients->together;
	client->sent_ns = bench_boot_ns();
	clients->idle--;
	if (send(client->fd, clients->out, length, MSG_NOSIGNAL) != (ssize_t)length)
		bench_end("the foreground cannot send");
}

/* A get's answer ends in END, a set's is STORED, and nothing else in them has a D: keys are of
 * digits and small letters. */
static void answers_read(struct clients *clients, struct client *client)
{
	ssize_t n = recv(client->fd, clients->in, clients->room, MSG_DONTWAIT);
	const char *at = clients->in, *end;
	uint64_t took_ns;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0 || client->sent_ns == 0)
		bench_end("the foreground lost a connection");
	end = at + n;
	while (client->open > 0 && (at = memchr(at, 'D', (size_t)(end - at))) != NULL) {
		client->open--;
		at++;
	}
	/* Of the last one only the end of its line may be missing. */
	if (client->open > 0 || end[-1] != '\n')
		return;
	took_ns = bench_boot_ns() - client->sent_ns;
	clients->histogram[took_ns / BUCKET_NS < BUCKETS ? took_ns / BUCKET_NS : BUCKETS - 1]++;
	clients->answered++;
	client->sent_ns = 0;
	clients->idle++;
}

static double percentile_us(const struct clients *clients, double share)
{
	uint64_t wanted = (uint64_t)((double)clients->answered * share), seen = 0;
	size_t i = 0;

	while (i < BUCKETS - 1 && (seen += clients->histogram[i]) <= wanted)
		i++;
	return (double)((i + 1) * BUCKET_NS) / 1000;
}

static void report(struct clients *clients, int fd)
{
	uint64_t now_ns = bench_boot_ns();
	struct load_result result = {.seconds = (double)(now_ns - clients->began_ns) / SECOND_NS};

	result.rate = (double)clients->answered * clients->together / result.seconds;
	result.p50_us = percentile_us(clients, 0.5);
	result.p99_us = percentile_us(clients, 0.99);
	result.p999_us = percentile_us(clients, 0.999);
	if (write(fd, &result, sizeof(result)) != (ssize_t)sizeof(result))
		_exit(1);
	memset(clients->histogram, 0, sizeof(clients->histogram));
	clients->answered = 0;
	clients->began_ns = now_ns;
}

static struct client *idle_client(struct clients *clients)
{
	unsigned i = clients->turn++ % CONNECTIONS;

	while (clients->client[i].sent_ns != 0)
		i = (i + 1) % CONNECTIONS;
	return &clients->client[i];
}

static void run(struct clients *clients, double rate, int stop, int result)
{
	struct epoll_event events[CONNECTIONS + 1], event = {.events = EPOLLIN};
	int poll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct timespec wait = {0};
	double due = 0;
	char word;

	event.data.u32 = CONNECTIONS;
	(void)epoll_ctl(poll_fd, EPOLL_CTL_ADD, stop, &event);
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		event.data.u32 = i;
		(void)epoll_ctl(poll_fd, EPOLL_CTL_ADD, clients->client[i].fd, &event);
	}
	clients->began_ns = bench_boot_ns();
	due = (double)clients->began_ns;
	for (;;) {
		double now = (double)bench_boot_ns();
		int n;

		while (clients->idle > 0 && (rate == 0 || due <= now)) {
			request_send(clients, idle_client(clients));
			due += rate > 0 ? SECOND_NS * clients->together / rate : 0;
		}
		/* What all connections together could not send in time is not made up for. */
		if (due < now - 1e7)
			due = now;
		wait.tv_nsec = rate > 0 && clients->idle > 0 && due > now && due < now + 1e6
				   ? (long)(due - now)
				   : 1000000;
		n = epoll_pwait2(poll_fd, events, CONNECTIONS + 1, &wait, NULL);
		for (int i = 0; i < n; i++) {
			if (events[i].data.u32 < CONNECTIONS) {
				answers_read(clients, &clients->client[events[i].data.u32]);
				continue;
			}
			if (read(stop, &word, 1) != 1)
				_exit(0);
			report(clients, result);
			if (word == 's')
				_exit(0);
		}
	}
}

void load_start(struct load *load, const char *address, uint64_t keys, size_t value_bytes,
		unsigned together, double rate)
{
	int stop[2], result[2];

	(void)fflush(NULL);
	if (pipe(stop) < 0 || pipe(result) < 0 || (load->child = fork()) < 0)
		bench_end("no process for the foreground");
	if (load->child == 0) {
		struct clients *clients = bench_alloc(1, sizeof(*clients));

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		clients->together = together;
		clients->room = together * (value_bytes + LINE_BYTES);
		clients->in = bench_alloc(1, clients->room);
		clients->out = bench_alloc(1, clients->room);
		clients->keys = keys;
		clients->value_bytes = value_bytes;
		clients->random = 88172645463325252u;
		clients->idle = CONNECTIONS;
		for (unsigned i = 0; i < CONNECTIONS; i++)
			clients->client[i].fd = wire_dial(address);
		run(clients, rate, stop[0], result[1]);
	}
	(void)close(stop[0]);
	(void)close(result[1]);
	load->stop = stop[1];
	load->result = result[0];
}

static struct load_result ask(struct load *load, char word)
{
	struct load_result result;

	if (write(load->stop, &word, 1) != 1 ||
	    read(load->result, &result, sizeof(result)) != (ssize_t)sizeof(result))
		bench_end("the foreground's process failed");
	return result;
}

struct load_result load_cut(struct load *load)
{
	return ask(load, 'c');
}

struct load_result load_stop(struct load *load)
{
	struct load_result result = ask(load, 's');

	(void)waitpid(load->child, NULL, 0);
	(void)close(load->stop);
	(void)close(load->result);
	return result;
}
