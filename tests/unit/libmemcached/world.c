/* world.c - see world.h. */
#include "world.h"

#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct world world;

#define RESET_WITHIN_MS 2000

/* ---- sockets ---- */

static int listen_at(uint16_t *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons(*port)};
	socklen_t bytes = sizeof(address);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &bytes), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static int connect_to(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons(port)};
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

/* ---- memcacheds ---- */

static void memcached_start(unsigned server)
{
	uint16_t port = 0;
	char text[8];
	int fd = listen_at(&port);

	(void)close(fd);
	(void)snprintf(text, sizeof(text), "%u", port);
	world.port[server] = port;
	world.pid[server] = fork();
	ck_assert_int_ge(world.pid[server], 0);
	if (world.pid[server] == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)execlp("memcached", "memcached", "-l", "127.0.0.1", "-p", text, "-U", "0",
			     "-m", "64", "-t", "1", "-u", "root", (char *)NULL);
		_exit(127);
	}
	WAIT_FOR((fd = connect_to(port)) >= 0);
	(void)close(fd);
}

static void memcached_end(unsigned server)
{
	if (world.pid[server] <= 0)
		return;
	(void)kill(world.pid[server], SIGKILL);
	(void)waitpid(world.pid[server], NULL, 0);
	world.pid[server] = 0;
}

void world_stop(unsigned server)
{
	int status;

	ck_assert_int_eq(kill(world.pid[server], SIGSTOP), 0);
	ck_assert_int_eq(waitpid(world.pid[server], &status, WUNTRACED), world.pid[server]);
}

void world_go_on(unsigned server)
{
	ck_assert_int_eq(kill(world.pid[server], SIGCONT), 0);
}

/* Sends a command; the answer up to its end. */
static const char *ask(unsigned server, const char *command, const char *end)
{
	static _Thread_local char answer[4096];
	const int fd = connect_to(world.port[server]);
	size_t used = 0;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(send(fd, command, strlen(command), MSG_NOSIGNAL),
			 (ssize_t)strlen(command));
	do {
		const ssize_t got = recv(fd, answer + used, sizeof(answer) - 1 - used, 0);

		ck_assert_int_gt(got, 0);
		used += (size_t)got;
		answer[used] = '\0';
	} while (!strstr(answer, end));
	(void)close(fd);
	return answer;
}

const char *world_at(unsigned server, const char *key)
{
	char command[300], *value, *end;

	(void)snprintf(command, sizeof(command), "get %s\r\n", key);
	value = strstr(ask(server, command, "END\r\n"), "\r\n");
	end = strstr(value, "\r\nEND");
	if (!end || end == value)
		return NULL;
	*end = '\0';
	return value + 2;
}

void world_put(unsigned server, const char *key, const char *value)
{
	char command[400];

	if (value)
		(void)snprintf(command, sizeof(command), "set %s 0 0 %zu\r\n%s\r\n", key,
			       strlen(value), value);
	else
		(void)snprintf(command, sizeof(command), "delete %s\r\n", key);
	(void)ask(server, command, "\r\n");
}

void world_lie(const char *at_o, const char *at_n)
{
	world_put(O, world.key, at_o);
	world_put(N, world.key, at_n);
}

static void lies_at(unsigned server, const char *value)
{
	const char *there = world_at(server, world.key);

	ck_assert_msg(value && there ? strcmp(value, there) == 0 : value == there,
		      "at %s: %s, want %s", server == O ? "O" : "N", there ? there : "nothing",
		      value ? value : "nothing");
}

void world_lies(const char *at_o, const char *at_n)
{
	lies_at(O, at_o);
	lies_at(N, at_n);
}

/* ---- the segment ---- */

void world_publish_retire(enum mcr_phase phase, uint64_t retire_ns)
{
	struct mcr_segment_server *servers;

	world.generation++;
	toy_fill(&world.toy, world.generation, phase, 0);
	toy_slot(&world.toy, world.generation)->op_timeout_ms = OP_TIMEOUT_MS;
	servers = (void *)((uint8_t *)toy_slot(&world.toy, world.generation) + TOY_SERVERS_AT);
	for (unsigned i = 0; i < 2; i++)
		(void)snprintf((char *)servers[i].address, 112, "127.0.0.1:%u", world.port[i]);
	/* With that, half of the keys are server 1's in the settled list after it too. */
	toy_release(&world.toy, world.generation, retire_ns);
}

void world_publish(enum mcr_phase phase)
{
	world_publish_retire(phase, UINT64_MAX);
}

void world_begin(void)
{
	memset(&world, 0, sizeof(world));
	(void)signal(SIGPIPE, SIG_IGN);
	toy_make(&world.toy, NULL);
	for (unsigned i = 0; i < 2; i++)
		memcached_start(i);
	world.key_bytes = toy_key(world.key, true);
	world.generation = 6;
	world_publish(MCR_STEADY);
	ck_assert_int_eq(mcr_attach_fd(world.toy.fd, 0, &world.mcr), MCR_OK);
	ck_assert_int_eq(mcr_pool_new(world.mcr, NULL, &world.pool), MCR_OK);
}

void world_end(void)
{
	mcr_pool_free(world.pool);
	mcr_close(world.mcr);
	toy_free(&world.toy);
	for (unsigned i = 0; i < 2; i++)
		memcached_end(i);
}

/* ---- a played memcached ---- */

void play_say(struct played *played, const char *text)
{
	(void)!send(played->fd, text, strlen(text), MSG_NOSIGNAL);
}

static unsigned said(const char *line)
{
	return strncmp(line, "get", 3) == 0	 ? SAID_GET
	       : strncmp(line, "set", 3) == 0	 ? SAID_SET
	       : strncmp(line, "delete", 6) == 0 ? SAID_DELETE
						 : SAID_OTHER;
}

/* 0: the connection goes on. */
static int play_line(struct played *played, const char *line)
{
	if (strncmp(line, "version", 7) == 0) {
		play_say(played, "VERSION 1.6.18\r\n");
		return 0;
	}
	if (strncmp(line, "quit", 4) == 0)
		return 0;
	atomic_fetch_add(&played->commands[said(line)], 1);
	return played->answer ? played->answer(played, line) : PLAY_MUTE;
}

static void play_connection(struct played *played)
{
	static _Thread_local char line[70000];
	size_t used = 0;
	bool value_follows = false;

	for (;;) {
		struct pollfd wait = {.fd = played->fd, .events = POLLIN};
		char byte;
		ssize_t got;

		if (poll(&wait, 1, 20) == 0 && !played->quit)
			continue;
		if (played->quit)
			return;
		got = recv(played->fd, &byte, 1, 0);
		if (got <= 0) {
			/* libmemcached shuts it down before it closes it: the reset comes behind
			 * the end. */
			wait.events = 0;
			atomic_store(&played->ended_by_reset,
				     got < 0 || (poll(&wait, 1, RESET_WITHIN_MS) == 1 &&
						 (wait.revents & POLLERR)));
			return;
		}
		if (used < sizeof(line) - 1)
			line[used++] = byte;
		if (byte != '\n')
			continue;
		line[used] = '\0';
		used = 0;
		if (value_follows) {
			value_follows = false;
			continue;
		}
		value_follows = strncmp(line, "set", 3) == 0 || strncmp(line, "add", 3) == 0;
		const int rc = play_line(played, line);
		if (rc == PLAY_RESET) {
			const struct linger reset = {.l_onoff = 1};

			(void)setsockopt(played->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		}
		if (rc == PLAY_RESET || rc == PLAY_CLOSE)
			return;
	}
}

static void *play_main(void *context)
{
	struct played *played = context;

	while (!played->quit) {
		struct pollfd wait = {.fd = played->listening, .events = POLLIN};

		if (poll(&wait, 1, 20) <= 0)
			continue;
		played->fd = accept(played->listening, NULL, NULL);
		if (played->fd < 0)
			continue;
		atomic_fetch_add(&played->connections, 1);
		play_connection(played);
		(void)close(played->fd);
		atomic_fetch_add(&played->ended, 1);
	}
	return NULL;
}

void play_begin(struct played *played, unsigned server,
		int (*answer)(struct played *played, const char *line))
{
	memset(played, 0, sizeof(*played));
	memcached_end(server);
	world.port[server] = 0;
	played->listening = listen_at(&world.port[server]);
	ck_assert_int_eq(listen(played->listening, 16), 0);
	played->server = server;
	played->answer = answer;
	ck_assert_int_eq(pthread_create(&played->thread, NULL, play_main, played), 0);
}

void play_end(struct played *played)
{
	atomic_store(&played->quit, true);
	pthread_join(played->thread, NULL);
	(void)close(played->listening);
}

/* ---- a played agent ---- */

static struct {
	int listening;
	pthread_t thread;
	_Atomic bool quit;
	_Atomic unsigned owed;
	uint32_t type, code;
	struct mcr_clients_owe last;
	char path[100];
} agent;

static void *agent_main(void *context)
{
	(void)context;
	while (!agent.quit) {
		struct pollfd wait = {.fd = agent.listening, .events = POLLIN};
		struct mcr_clients_message answer = {
		    .type = agent.type, .version = MCR_CLIENTS_VERSION, .code = agent.code};
		struct mcr_clients_owe owe;
		int fd;

		if (poll(&wait, 1, 20) <= 0 || (fd = accept(agent.listening, NULL, NULL)) < 0)
			continue;
		if (recv(fd, &owe, sizeof(owe), 0) == (ssize_t)sizeof(owe)) {
			agent.last = owe;
			atomic_fetch_add(&agent.owed, 1);
			(void)!send(fd, &answer, sizeof(answer), MSG_NOSIGNAL);
		}
		(void)close(fd);
	}
	return NULL;
}

void agent_begin(uint32_t type, uint32_t code)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	memset(&agent, 0, sizeof(agent));
	agent.type = type;
	agent.code = code;
	(void)snprintf(agent.path, sizeof(agent.path), "/tmp/mcroster-pool.%d", (int)getpid());
	memcpy(address.sun_path, agent.path, sizeof(agent.path));
	(void)unlink(agent.path);
	agent.listening = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(agent.listening, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(agent.listening, 16), 0);
	(void)snprintf((char *)world.toy.header->clients_path,
		       sizeof(world.toy.header->clients_path), "%s", agent.path);
	ck_assert_int_eq(pthread_create(&agent.thread, NULL, agent_main, NULL), 0);
}

void agent_end(void)
{
	atomic_store(&agent.quit, true);
	pthread_join(agent.thread, NULL);
	(void)close(agent.listening);
	(void)unlink(agent.path);
}

unsigned agent_owed(char key[256], char server[64])
{
	memcpy(key, agent.last.key, 256);
	memcpy(server, agent.last.name, 64);
	return agent.owed;
}
