/* server.c - see server.h. */
#include "move/server.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "bench.h"
#include "move/wire.h"

#define PATIENCE_MS 10000

static uint16_t free_port(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(any);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&any, &length) < 0)
		bench_end("no free port on the loopback");
	(void)close(fd);
	return ntohs(any.sin_port);
}

/* The hash table that memcached comes to with so many items.  It starts with 2^16 buckets and
 * doubles them at most once a second: of a run of two seconds that growth, of chains of a dozen
 * items, would be the larger part, while in a fleet a table follows what is stored. */
static unsigned hash_power(uint64_t items)
{
	unsigned power = 16;

	while (items > 3 * (1ull << power) / 2)
		power++;
	return power;
}

static void run(const struct server *server, uint16_t port, uint64_t memory_mib, uint64_t items)
{
	char number[8], memory[24], power[24], threads[12];
	char *arguments[] = {"memcached", "-U", "0",	 "-l", "127.0.0.1", "-p",
			     number,	  "-m", memory,	 "-c", "4096",	    "-o",
			     power,	  "-t", threads, NULL, NULL,	    NULL};

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (server->aside)
		bench_stand_aside();
	(void)snprintf(number, sizeof(number), "%u", port);
	(void)snprintf(threads, sizeof(threads), "%u", server->threads ? server->threads : 4);
	(void)snprintf(power, sizeof(power), "hashpower=%u", hash_power(items));
	(void)snprintf(memory, sizeof(memory), "%llu", (unsigned long long)memory_mib);
	/* As another user it would not die with its parent any more. */
	if (geteuid() == 0) {
		arguments[15] = "-u";
		arguments[16] = "root";
	}
	(void)execvp("memcached", arguments);
	_exit(127);
}

void server_start(struct server *server, uint64_t memory_mib, uint64_t items)
{
	uint16_t port = free_port();
	int fd;

	(void)snprintf(server->address, sizeof(server->address), "127.0.0.1:%u", port);
	server->pid = fork();
	if (server->pid < 0)
		bench_end("no process for a memcached");
	if (server->pid == 0)
		run(server, port, memory_mib, items);
	for (int waited = 0; (fd = wire_dial(server->address)) < 0; waited += 10) {
		if (waited >= PATIENCE_MS || waitpid(server->pid, NULL, WNOHANG) != 0)
			bench_end("memcached did not come up at %s", server->address);
		(void)poll(NULL, 0, 10);
	}
	(void)close(fd);
}

void server_stop(struct server *server)
{
	if (server->pid <= 0)
		return;
	(void)kill(server->pid, SIGKILL);
	(void)waitpid(server->pid, NULL, 0);
	server->pid = 0;
}

double server_cpu_s(const struct server *server)
{
	unsigned long user, system;
	char path[64], line[1024], *at;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)server->pid);
	file = fopen(path, "r");
	if (file == NULL || fgets(line, sizeof(line), file) == NULL ||
	    (at = strrchr(line, ')')) == NULL ||
	    sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) !=
		2)
		bench_end("%s cannot be read", path);
	(void)fclose(file);
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}
