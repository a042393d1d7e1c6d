/* memcached_process.c - see memcached_process.h. */
#include "memcached_process.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "net/mc_protocol.h"

#define PATIENCE_MS 20000

static char buffer[(8u << 20) + 4096]; /* replies */
static size_t buffered;

static int dial(uint16_t port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	ck_assert_int_ge(fd, 0);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -1;
}

static uint16_t free_port(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(any);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&any, &length), 0);
	close(fd);
	return ntohs(any.sin_port);
}

static void run(uint16_t port, const char *const *arguments)
{
	const char *argv[32] = {"memcached", "-U", "0", "-l", "127.0.0.1", "-t", "2", "-p"};
	char number[8];
	int n = 8;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)snprintf(number, sizeof(number), "%u", port);
	argv[n++] = number;
	if (geteuid() == 0) {
		argv[n++] = "-u";
		argv[n++] = "nobody";
	}
	for (; arguments != NULL && *arguments != NULL && n < 31; arguments++)
		argv[n++] = *arguments;
	execvp("memcached", (char *const *)argv);
	_exit(127);
}

void memcached_start(struct memcached_process *process, const char *const *arguments)
{
	if (process->port == 0)
		process->port = free_port();
	(void)snprintf(process->address, sizeof(process->address), "127.0.0.1:%u", process->port);
	process->pid = fork();
	ck_assert_int_ge(process->pid, 0);
	if (process->pid == 0)
		run(process->port, arguments);
	for (int waited = 0; (process->fd = dial(process->port)) < 0; waited += 10) {
		ck_assert_msg(waited < PATIENCE_MS && waitpid(process->pid, NULL, WNOHANG) == 0,
			      "memcached did not come up at %s", process->address);
		(void)poll(NULL, 0, 10);
	}
}

void memcached_kill(struct memcached_process *process)
{
	if (process->pid <= 0)
		return;
	close(process->fd);
	(void)kill(process->pid, SIGKILL);
	(void)waitpid(process->pid, NULL, 0);
	process->pid = 0;
}

void memcached_stop(struct memcached_process *process)
{
	ck_assert_int_eq(kill(process->pid, SIGSTOP), 0);
}

void memcached_continue(struct memcached_process *process)
{
	ck_assert_int_eq(kill(process->pid, SIGCONT), 0);
}

static void send_all(struct memcached_process *process, const void *bytes, size_t length)
{
	const char *at = bytes;

	while (length > 0) {
		ssize_t n = send(process->fd, at, length, MSG_NOSIGNAL);

		ck_assert_msg(n > 0 || errno == EINTR, "%s: send: %s", process->address,
			      strerror(errno));
		at += n > 0 ? n : 0;
		length -= n > 0 ? (size_t)n : 0;
	}
}

static struct mc_reply reply_read(struct memcached_process *process, size_t *used)
{
	struct mc_reply reply;

	for (;;) {
		struct pollfd poll_fd = {.fd = process->fd, .events = POLLIN};
		ssize_t n;
		int whole = buffered > 0
				? mc_reply_parse(buffer, buffered, sizeof(buffer) / 2, &reply, used)
				: 0;

		ck_assert_int_ge(whole, 0);
		if (whole == 1)
			return reply;
		ck_assert_uint_lt(buffered, sizeof(buffer));
		ck_assert_msg(poll(&poll_fd, 1, PATIENCE_MS) == 1, "%s does not answer",
			      process->address);
		n = recv(process->fd, buffer + buffered, sizeof(buffer) - buffered, 0);
		ck_assert_msg(n > 0, "%s hung up", process->address);
		buffered += (size_t)n;
	}
}

static void reply_drop(size_t used)
{
	memmove(buffer, buffer + used, buffered - used);
	buffered -= used;
}

/* One command, one reply, which stays in the buffer until the next. */
static struct mc_reply ask(struct memcached_process *process, const void *bytes, size_t length)
{
	size_t used;

	buffered = 0;
	send_all(process, bytes, length);
	return reply_read(process, &used);
}

static void key_make(const void *key, size_t key_bytes, struct mc_key *wire)
{
	ck_assert_int_eq(mc_key_write(key, key_bytes, wire), 0);
}

void memcached_set(struct memcached_process *process, const void *key, size_t key_bytes,
		   const void *value, size_t length, uint32_t flags, long ttl)
{
	static char command[MC_COMMAND_MAX + sizeof(buffer)];
	struct mc_key wire;
	size_t bytes;

	key_make(key, key_bytes, &wire);
	bytes = mc_write_set(command, &wire, length, 0, flags, ttl);
	if (length > 0)
		memcpy(command + bytes, value, length);
	memcpy(command + bytes + length, "\r\n", 2);
	ck_assert_int_eq(ask(process, command, bytes + length + 2).code, MC_HD);
}

struct memcached_item memcached_get(struct memcached_process *process, const void *key,
				    size_t key_bytes)
{
	struct memcached_item item = {0};
	char command[MC_COMMAND_MAX];
	struct mc_reply reply;
	struct mc_key wire;
	size_t bytes;

	key_make(key, key_bytes, &wire);
	bytes = mc_write_get_value(command, &wire);
	/* As a client reads: it counts as used. */
	((char *)memmem(command, bytes, " u v", 4))[1] = ' ';
	reply = ask(process, command, bytes);
	if (reply.code == MC_EN)
		return item;
	ck_assert_int_eq(reply.code, MC_VA);
	item.hit = true;
	item.stub = reply.sent && reply.value_bytes == 0;
	item.flags = reply.client_flags;
	item.ttl = (long)reply.ttl;
	item.cas = reply.cas;
	item.length = reply.value_bytes;
	item.value = (char *)(uintptr_t)reply.value;
	return item;
}

void memcached_delete(struct memcached_process *process, const void *key, size_t key_bytes)
{
	char command[MC_COMMAND_MAX];
	struct mc_key wire;

	key_make(key, key_bytes, &wire);
	(void)ask(process, command, mc_write_delete(command, &wire));
}

const char *memcached_say(struct memcached_process *process, const char *line)
{
	static char said[MC_LINE_MAX];
	char command[MC_LINE_MAX];
	struct mc_reply reply;
	int length = snprintf(command, sizeof(command), "%s\r\n", line);

	reply = ask(process, command, (size_t)length);
	(void)snprintf(said, sizeof(said), "%.*s", (int)reply.text_bytes, reply.text);
	return said;
}

uint64_t memcached_stat(struct memcached_process *process, const char *wanted)
{
	uint64_t found = UINT64_MAX;

	buffered = 0;
	send_all(process, "stats\r\n", 7);
	for (;;) {
		size_t used, name_bytes, value_bytes;
		struct mc_reply reply = reply_read(process, &used);
		const char *name, *value;

		if (reply.code == MC_END)
			break;
		ck_assert_int_eq(mc_stat_parse(reply.text, reply.text_bytes, &name, &name_bytes,
					       &value, &value_bytes),
				 0);
		if (name_bytes == strlen(wanted) && memcmp(name, wanted, name_bytes) == 0)
			ck_assert(mc_number_parse(value, value_bytes, &found));
		reply_drop(used);
	}
	ck_assert_msg(found != UINT64_MAX, "%s has no stat %s", process->address, wanted);
	return found;
}

uint64_t memcached_items(struct memcached_process *process)
{
	return memcached_stat(process, "curr_items");
}

void memcached_fill(struct memcached_process *process, const char *prefix, unsigned first,
		    unsigned count, const char *word)
{
	static char commands[256u << 10];
	size_t used;

	buffered = 0;
	for (unsigned i = 0; i < count;) {
		unsigned sent = 0;
		size_t bytes = 0;

		for (; i < count && bytes < sizeof(commands) - 1024; i++, sent++) {
			char value[256];
			int length = snprintf(value, sizeof(value), "%s%u", word, first + i);

			bytes += (size_t)snprintf(commands + bytes, sizeof(commands) - bytes,
						  "ms %s%u %d\r\n%s\r\n", prefix, first + i, length,
						  value);
		}
		send_all(process, commands, bytes);
		for (; sent > 0; sent--) {
			ck_assert_int_eq(reply_read(process, &used).code, MC_HD);
			reply_drop(used);
		}
	}
}
