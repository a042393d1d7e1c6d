/* owe.c - hands a key to the agent that could not be deleted where it should have been.
 *
 * A connection of its own for each key: nothing is shared with the registration, with other threads
 * or with a parent, and the agent's answer can be nobody else's.  What it costs is small beside the
 * disk that is waited for.  Keys that are handed over at once share the agent's write to the disk.
 *
 * An attempt that ends without an answer is made again until the time is over: the agent may be on
 * its way up, or have as many connections as it takes.  A key that it has got twice is one to it.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "internal.h"

#define MS_NS	 UINT64_C(1000000)
#define RETRY_NS (20 * MS_NS)

static int left_ms(uint64_t until_ns)
{
	const uint64_t now_ns = mcr_clock_boot_ns();

	return now_ns < until_ns ? (int)((until_ns - now_ns + MS_NS - 1) / MS_NS) : 0;
}

static int reason_of(const struct mcr_clients_message *answer)
{
	if (answer->type == MCR_CLIENTS_OWED)
		return MCR_OK;
	if (answer->type != MCR_CLIENTS_REFUSED)
		return MCR_REFUSED;
	switch (answer->code) {
	case MCR_CLIENTS_FULL:
		return MCR_FULL;
	case MCR_CLIENTS_NOT_STORED:
		return MCR_NOT_STORED;
	case MCR_CLIENTS_BAD_KEY:
		return MCR_BAD_KEY;
	case MCR_CLIENTS_NO_LIST:
		return MCR_NOT_READY;
	default:
		return MCR_REFUSED;
	}
}

static int answer_await(int fd, uint64_t until_ns)
{
	for (;;) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		struct mcr_clients_message answer;
		const ssize_t got = recv(fd, &answer, sizeof(answer), MSG_DONTWAIT);

		if (got == (ssize_t)sizeof(answer))
			return reason_of(&answer);
		if (got >= 0 || (errno != EAGAIN && errno != EINTR))
			return MCR_NO_AGENT;
		if (left_ms(until_ns) == 0)
			return MCR_TIMED_OUT;
		(void)poll(&wait, 1, left_ms(until_ns));
	}
}

static int attempt_on(int fd, const struct mcr *mcr, const struct sockaddr_un *address,
		      const struct mcr_clients_owe *owe, uint64_t until_ns)
{
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0)
		return errno == EACCES ? MCR_REFUSED : MCR_NO_AGENT;
	if (!mcr_agent_genuine(mcr, fd))
		return MCR_BAD_OWNER;
	if (send(fd, owe, sizeof(*owe), MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)sizeof(*owe))
		return MCR_NO_AGENT;
	return answer_await(fd, until_ns);
}

static int attempt(const struct mcr *mcr, const struct mcr_clients_owe *owe, uint64_t until_ns)
{
	struct sockaddr_un address;
	int fd, reason, saved;

	if (!mcr_clients_address(mcr, &address))
		return MCR_NO_AGENT;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return MCR_SYSTEM;
	reason = attempt_on(fd, mcr, &address, owe, until_ns);
	saved = errno;
	(void)close(fd);
	errno = saved;
	return reason;
}

int mcr_owe(struct mcr_reader *reader, const struct mcr_plan *plan, unsigned step, const void *key,
	    size_t len, int timeout_ms)
{
	struct mcr_clients_owe owe = {.head.type = MCR_CLIENTS_OWE,
				      .head.version = MCR_CLIENTS_VERSION};
	struct mcr_server server;
	uint64_t until_ns, again_ns;
	int reason;

	if (reader == NULL || plan == NULL || key == NULL || timeout_ms < 0 ||
	    step >= plan->step_count || step >= MCR_STEPS_MAX)
		return MCR_BAD_ARGUMENT;
	if (len == 0 || len > MCR_KEY_MAX)
		return MCR_BAD_KEY;
	until_ns = mcr_clock_boot_ns() + (uint64_t)timeout_ms * MS_NS;
	owe.head.generation = plan->generation;
	owe.head.code = (uint32_t)len;
	mcr_clients_cluster(reader->mcr, owe.head.text);
	memcpy(owe.key, key, len);
	/* A generation that has left the ring takes its servers' names with it. */
	memset(&server, 0, sizeof(server));
	if (mcr_server(reader, plan, plan->step[step].server, &server) == MCR_OK) {
		memcpy(owe.name, server.name, sizeof(server.name));
		memcpy(owe.address, server.address, sizeof(server.address));
	}
	for (;;) {
		struct pollfd nothing = {.fd = -1};

		reason = attempt(reader->mcr, &owe, until_ns);
		if ((reason != MCR_NO_AGENT && reason != MCR_NOT_READY) || left_ms(until_ns) == 0)
			return reason;
		again_ns = mcr_clock_boot_ns() + RETRY_NS;
		(void)poll(&nothing, 0, left_ms(again_ns < until_ns ? again_ns : until_ns));
	}
}
