/* etcd_process.c - see etcd_process.h. */
#include "etcd_process.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sodium.h>

#define PATIENCE_MS 20000

static char reply[4u << 20];

uint16_t etcd_free_port(void)
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

static int dial(uint16_t port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* One exchange over a connection of its own.  False: nobody listens, or he hung up. */
static bool exchange(uint16_t port, const char *path, const char *token, const char *body,
		     int *status)
{
	const int fd = dial(port);
	char head[1024];
	size_t got = 0;
	ssize_t n = 1;

	if (fd < 0)
		return false;
	(void)snprintf(head, sizeof(head),
		       "POST %s HTTP/1.0\r\nContent-Type: application/json\r\n%s%s%s"
		       "Content-Length: %zu\r\n\r\n",
		       path, token != NULL ? "Authorization: " : "", token != NULL ? token : "",
		       token != NULL ? "\r\n" : "", strlen(body));
	if (send(fd, head, strlen(head), MSG_NOSIGNAL) < 0 ||
	    send(fd, body, strlen(body), MSG_NOSIGNAL) != (ssize_t)strlen(body))
		n = 0;
	while (n > 0 && got < sizeof(reply) - 1) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};

		ck_assert_msg(poll(&wait, 1, PATIENCE_MS) == 1, "etcd does not answer %s", path);
		n = recv(fd, reply + got, sizeof(reply) - 1 - got, 0);
		got += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	reply[got] = '\0';
	return sscanf(reply, "HTTP/%*s %d", status) == 1;
}

const char *etcd_post(const struct etcd_process *process, const char *path, const char *token,
		      int *status, const char *format, ...)
{
	static char body[1u << 20];
	va_list arguments;
	const char *answer;
	int ignored;

	va_start(arguments, format);
	ck_assert_int_lt(vsnprintf(body, sizeof(body), format, arguments), (int)sizeof(body));
	va_end(arguments);
	ck_assert(exchange(process->port, path, token, body, status != NULL ? status : &ignored));
	answer = strstr(reply, "\r\n\r\n");
	ck_assert_ptr_nonnull(answer);
	return answer + 4;
}

const char *etcd_base64(const char *text)
{
	static char out[4][8192];
	static unsigned next;
	char *at = out[next++ % 4];

	return sodium_bin2base64(at, sizeof(out[0]), (const uint8_t *)text, strlen(text),
				 sodium_base64_VARIANT_ORIGINAL);
}

static void run(const struct etcd_process *process, const char *const *arguments)
{
	const char *argv[40] = {"etcd"};
	char client[64], peer[64], cluster[80], log[96];
	int n = 1, fd;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)snprintf(client, sizeof(client), "%s", process->url);
	(void)snprintf(peer, sizeof(peer), "http://127.0.0.1:%u", process->peer_port);
	(void)snprintf(cluster, sizeof(cluster), "default=%s", peer);
	(void)snprintf(log, sizeof(log), "%s/log", process->directory);
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(126);
	argv[n++] = "--data-dir";
	argv[n++] = process->directory;
	argv[n++] = "--listen-client-urls";
	argv[n++] = client;
	argv[n++] = "--advertise-client-urls";
	argv[n++] = client;
	argv[n++] = "--listen-peer-urls";
	argv[n++] = peer;
	argv[n++] = "--initial-advertise-peer-urls";
	argv[n++] = peer;
	argv[n++] = "--initial-cluster";
	argv[n++] = cluster;
	/* A cluster's id is made of its members' addresses; without this two of them might agree.
	 */
	argv[n++] = "--initial-cluster-token";
	argv[n++] = process->directory;
	for (; arguments != NULL && *arguments != NULL && n < 39; arguments++)
		argv[n++] = *arguments;
	execvp("etcd", (char *const *)argv);
	_exit(127);
}

static bool answers(const struct etcd_process *process)
{
	int status = 0, fd;

	if (!process->tls)
		return exchange(process->port, "/v3/kv/range", NULL, "{\"key\":\"AA==\"}",
				&status) &&
		       (status == 200 || status == 400); /* 400: it wants a user */
	fd = dial(process->port);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

void etcd_start(struct etcd_process *process, const char *const *arguments)
{
	if (process->directory[0] == '\0') {
		/* In memory: a disk that is slow to sync is no part of any test. */
		strcpy(process->directory, "/dev/shm/mcroster-etcd.XXXXXX");
		if (mkdtemp(process->directory) == NULL) {
			strcpy(process->directory, "/tmp/mcroster-etcd.XXXXXX");
			ck_assert_ptr_nonnull(mkdtemp(process->directory));
		}
		process->port = etcd_free_port();
		do
			process->peer_port = etcd_free_port();
		while (process->peer_port == process->port);
		(void)snprintf(process->url, sizeof(process->url), "http%s://127.0.0.1:%u",
			       process->tls ? "s" : "", process->port);
	}
	process->pid = fork();
	ck_assert_int_ge(process->pid, 0);
	if (process->pid == 0)
		run(process, arguments);
	for (int waited = 0; !answers(process); waited += 20) {
		ck_assert_msg(waited < PATIENCE_MS && waitpid(process->pid, NULL, WNOHANG) == 0,
			      "etcd did not come up at %s, see %s/log", process->url,
			      process->directory);
		(void)poll(NULL, 0, 20);
	}
}

void etcd_kill(struct etcd_process *process)
{
	if (process->pid <= 0)
		return;
	(void)kill(process->pid, SIGKILL);
	(void)waitpid(process->pid, NULL, 0);
	process->pid = 0;
}

void etcd_remove(struct etcd_process *process)
{
	char command[96];

	etcd_kill(process);
	if (process->directory[0] == '\0')
		return;
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", process->directory);
	ck_assert_int_eq(system(command), 0);
	memset(process, 0, sizeof(*process));
}

void etcd_put(const struct etcd_process *process, const char *key, const char *value)
{
	int status;

	(void)etcd_post(process, "/v3/kv/put", NULL, &status, "{\"key\":\"%s\",\"value\":\"%s\"}",
			etcd_base64(key), etcd_base64(value));
	ck_assert_int_eq(status, 200);
}

void etcd_delete(const struct etcd_process *process, const char *key)
{
	int status;

	(void)etcd_post(process, "/v3/kv/deleterange", NULL, &status, "{\"key\":\"%s\"}",
			etcd_base64(key));
	ck_assert_int_eq(status, 200);
}

unsigned etcd_version(const struct etcd_process *process, const char *key)
{
	const char *answer =
	    etcd_post(process, "/v3/kv/range", NULL, NULL, "{\"key\":\"%s\"}", etcd_base64(key));
	const char *version = strstr(answer, "\"version\":\"");

	return version != NULL ? (unsigned)atoi(version + 11) : 0;
}
