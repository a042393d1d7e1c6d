/* register.c - this process as one of the agent's clients: asks to be registered, and says whether
 * a plan may be made while it is not.
 *
 * Nothing here waits except mcr_register, which was asked to.  A lookup that needs the registration
 * and has none takes one step towards it, at most one every RETRY_NS where nobody answers.
 *
 * Why plans are safe without registration in two cases: the agent reports no phase as adopted in
 * the first op_timeout + 1 s after its start, and none for op_timeout + 1 s after a gap in its
 * heartbeat longer than op_timeout.  So a plan that was made in the first second, or while the
 * heartbeat was dead, is over before anything depends on it: it has a deadline op_timeout ahead.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "atomics.h"
#include "internal.h"

#define MS_NS	    UINT64_C(1000000)
#define RETRY_NS    (20 * MS_NS)
#define REFUSED_NS  (1000 * MS_NS) /* an agent that refuses is not asked again at once */
#define ANSWER_NS   (2000 * MS_NS) /* an agent that is stopped may never answer */
#define GRACE_NS    (900 * MS_NS)  /* of the second; the rest is for clocks that are read late */
#define DEAD_FACTOR 3		   /* op_timeouts without a heartbeat: see agent_tick */
#define OPEN_MS	    250

void mcr_registration_init(struct mcr *mcr)
{
	memset(&mcr->registration, 0, sizeof(mcr->registration));
	mcr->registration.fd = -1;
	mcr->registration.poll_fd = -1;
	mcr->registration.timer_fd = -1;
	mcr->registration.reason = MCR_NO_AGENT;
}

static void incarnation_set(struct registration *registration, uint64_t incarnation)
{
	__atomic_store_n(&registration->incarnation, incarnation, __ATOMIC_RELEASE);
}

/* The connection is over; another attempt may begin at retry_ns. */
static void drop(struct mcr *mcr, int reason, uint64_t retry_ns)
{
	struct registration *registration = &mcr->registration;

	if (registration->fd >= 0) {
		/* A child that never calls us may hold the socket open. */
		if (registration->poll_fd >= 0)
			(void)epoll_ctl(registration->poll_fd, EPOLL_CTL_DEL, registration->fd,
					NULL);
		(void)close(registration->fd);
	}
	registration->fd = -1;
	registration->reason = reason;
	registration->retry_ns = retry_ns;
	/* An agent that lives says so when it drops a client.  One that is dead adopts nothing:
	 * until the next one has come everything goes on. */
	if (registration->state == REGISTRATION_DONE &&
	    (!mcr_registered(mcr) || mcr->marks_fd < 0)) {
		incarnation_set(registration, 0);
		mcr_guard_restamp(mcr);
	}
	registration->state = REGISTRATION_NONE;
	mcr_service_arm(mcr);
}

void mcr_registration_close(struct mcr *mcr)
{
	struct registration *registration = &mcr->registration;

	incarnation_set(registration, 0);
	if (registration->fd >= 0)
		(void)close(registration->fd);
	if (registration->poll_fd >= 0)
		(void)close(registration->poll_fd);
	if (registration->timer_fd >= 0)
		(void)close(registration->timer_fd);
	registration->fd = registration->poll_fd = registration->timer_fd = -1;
	registration->state = REGISTRATION_NONE;
}

bool mcr_registered(const struct mcr *mcr)
{
	const uint64_t incarnation =
	    __atomic_load_n(&mcr->registration.incarnation, __ATOMIC_ACQUIRE);

	return incarnation != 0 && incarnation == u64_load_relaxed(&mcr->header->incarnation) &&
	       u32_load_relaxed(&mcr->marks->dropped) <
		   u32_load_relaxed(&mcr->registration.attempt);
}

/* ---- messages ---- */

bool mcr_registration_send(struct mcr *mcr, const struct mcr_clients_message *message)
{
	return send(mcr->registration.fd, message, sizeof(*message), MSG_DONTWAIT | MSG_NOSIGNAL) ==
	       (ssize_t)sizeof(*message);
}

void mcr_clients_cluster(const struct mcr *mcr, char *cluster)
{
	words_load_relaxed(cluster, mcr->header->cluster, MCR_CLIENTS_TEXT);
	cluster[MCR_CLIENTS_TEXT - 1] = '\0';
}

static bool register_send(struct mcr *mcr)
{
	struct mcr_clients_message message = {.type = MCR_CLIENTS_REGISTER,
					      .version = MCR_CLIENTS_VERSION};
	struct iovec part = {&message, sizeof(message)};
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};

	/* Whatever is said of an attempt before, and however late, is not of this one. */
	message.code = mcr->registration.attempt + 1;
	u32_store_relaxed(&mcr->registration.attempt, message.code);
	mcr_clients_cluster(mcr, message.text);
	if (mcr->marks_fd >= 0) {
		memset(&control, 0, sizeof(control));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &mcr->marks_fd, sizeof(int));
		header.msg_control = &control;
		header.msg_controllen = sizeof(control.bytes);
	}
	return sendmsg(mcr->registration.fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL) ==
	       (ssize_t)sizeof(message);
}

static int refusal_reason(uint32_t code)
{
	return code == MCR_CLIENTS_TOO_MANY ? MCR_TOO_MANY : MCR_REFUSED;
}

static void message_take(struct mcr *mcr, const struct mcr_clients_message *message,
			 uint64_t now_ns)
{
	struct registration *registration = &mcr->registration;

	switch (message->type) {
	case MCR_CLIENTS_REGISTERED:
		/* Of an agent that is gone: another one may already publish. */
		if (message->incarnation == 0 ||
		    message->incarnation != u64_load_relaxed(&mcr->header->incarnation)) {
			drop(mcr, MCR_NO_AGENT, now_ns + RETRY_NS);
			return;
		}
		if ((message->flags & MCR_CLIENTS_FENCE) != 0)
			mcr->fenced = true;
		registration->state = REGISTRATION_DONE;
		registration->reason = MCR_OK;
		registration->acknowledged = 0;
		incarnation_set(registration, message->incarnation);
		mcr_guard_restamp(mcr);
		mcr_service_arm(mcr);
		return;
	case MCR_CLIENTS_REFUSED:
		drop(mcr, refusal_reason(message->code), now_ns + REFUSED_NS);
		return;
	default: /* GENERATION: the segment says it better */
		return;
	}
}

/* Reads what has come, without waiting. */
static void receive(struct mcr *mcr, uint64_t now_ns)
{
	struct registration *registration = &mcr->registration;

	for (unsigned i = 0; i < READ_TRIES && registration->fd >= 0; i++) {
		struct mcr_clients_message message;
		const ssize_t got = recv(registration->fd, &message, sizeof(message), MSG_DONTWAIT);

		if (got == (ssize_t)sizeof(message)) {
			message_take(mcr, &message, now_ns);
			continue;
		}
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		drop(mcr, MCR_NO_AGENT, now_ns + RETRY_NS);
	}
}

/* ---- connecting ---- */

bool mcr_clients_address(const struct mcr *mcr, struct sockaddr_un *address)
{
	char path[MCR_SEGMENT_PATH_BYTES];
	size_t chars;

	words_load_relaxed(path, mcr->header->clients_path, sizeof(path));
	chars = strnlen(path, sizeof(path));
	if (path[0] != '/' || chars >= sizeof(address->sun_path))
		return false;
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, path, chars);
	return true;
}

/* Somebody else may have made a socket under the agent's path. */
bool mcr_agent_genuine(const struct mcr *mcr, int fd)
{
	struct ucred peer;
	socklen_t bytes = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == 0 &&
	       (peer.uid == 0 || peer.uid == mcr->owner);
}

static int agent_connect(struct mcr *mcr)
{
	struct registration *registration = &mcr->registration;
	struct sockaddr_un address;

	if (!mcr_clients_address(mcr, &address))
		return MCR_NO_AGENT;
	registration->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (registration->fd < 0)
		return MCR_SYSTEM;
	if (connect(registration->fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		return errno == EACCES ? MCR_REFUSED : MCR_NO_AGENT;
	if (!mcr_agent_genuine(mcr, registration->fd))
		return MCR_BAD_OWNER;
	return register_send(mcr) ? MCR_OK : MCR_NO_AGENT;
}

static void ask(struct mcr *mcr, uint64_t now_ns)
{
	struct registration *registration = &mcr->registration;
	const int error = agent_connect(mcr);

	if (error != MCR_OK) {
		drop(mcr, error, now_ns + RETRY_NS);
		return;
	}
	registration->state = REGISTRATION_ASKED;
	registration->asked_ns = now_ns;
	mcr_service_arm(mcr);
}

void mcr_registration_step(struct mcr *mcr, uint64_t now_ns)
{
	struct registration *registration = &mcr->registration;

	if ((mcr->flags & MCR_OBSERVE) != 0 || mcr_guard_stamp(mcr->guard) == 0)
		return;
	if (registration->state == REGISTRATION_DONE && !mcr_registered(mcr))
		drop(mcr, MCR_NO_AGENT, now_ns);
	if (registration->state == REGISTRATION_NONE && now_ns >= registration->retry_ns)
		ask(mcr, now_ns);
	if (registration->state != REGISTRATION_NONE)
		receive(mcr, now_ns);
	if (registration->state == REGISTRATION_ASKED &&
	    now_ns >= registration->asked_ns + ANSWER_NS)
		drop(mcr, MCR_NO_AGENT, now_ns);
}

int mcr_registration_permit(struct mcr *mcr, uint32_t op_timeout_ms, uint64_t now_ns)
{
	const uint64_t dead_ns = DEAD_FACTOR * (uint64_t)op_timeout_ms * MS_NS;

	if ((mcr->flags & MCR_OBSERVE) != 0)
		return MCR_NOT_REGISTERED;
	if (mcr_guard_try(mcr)) {
		mcr_registration_step(mcr, now_ns);
		mcr_guard_leave(mcr);
	}
	if (mcr_registered(mcr))
		return MCR_OK;
	if (now_ns < u64_load_relaxed(&mcr->header->started_ns) + GRACE_NS)
		return MCR_OK;
	if (now_ns > u64_load_relaxed(&mcr->header->heartbeat_ns) + dead_ns)
		return MCR_OK;
	return MCR_NOT_REGISTERED;
}

/* ---- for the caller ---- */

/* One step, and then sleeps for something to happen, at most so long. */
static int step_and_sleep(struct mcr *mcr, bool patient, uint64_t until_ns)
{
	struct pollfd wait = {.fd = -1, .events = POLLIN};
	uint64_t now_ns = mcr_clock_boot_ns(), sleep_ns = RETRY_NS;
	int reason;

	mcr_guard_take(mcr);
	mcr_registration_step(mcr, now_ns);
	reason = mcr_registered(mcr) ? MCR_OK : mcr->registration.reason;
	if (mcr->registration.state == REGISTRATION_ASKED)
		wait.fd = mcr->registration.fd;
	mcr_guard_leave(mcr);
	if (reason == MCR_OK || now_ns >= until_ns)
		return reason;
	if (wait.fd < 0 && (!patient || reason != MCR_NO_AGENT))
		return reason;
	if (until_ns - now_ns < sleep_ns)
		sleep_ns = until_ns - now_ns;
	(void)poll(&wait, wait.fd >= 0, (int)(sleep_ns / MS_NS) + 1);
	return MCR_TIMED_OUT;
}

static int register_until(struct mcr *mcr, bool patient, int timeout_ms)
{
	const uint64_t until_ns = mcr_clock_boot_ns() + (uint64_t)timeout_ms * MS_NS;
	int reason;

	do
		reason = step_and_sleep(mcr, patient, until_ns);
	while (reason == MCR_TIMED_OUT);
	return reason;
}

int mcr_register(struct mcr *mcr, int timeout_ms)
{
	if (mcr == NULL || timeout_ms < 0 || (mcr->flags & MCR_OBSERVE) != 0)
		return MCR_BAD_ARGUMENT;
	return register_until(mcr, true, timeout_ms);
}

void mcr_registration_open(struct mcr *mcr)
{
	if ((mcr->flags & MCR_OBSERVE) == 0)
		(void)register_until(mcr, false, OPEN_MS);
}
