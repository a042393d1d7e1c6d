/* clients_socket.c - the registration socket: connections, messages, and what is not accepted.
 *
 * A connection begins as half-open and has CLIENTS_HALF_OPEN_MS to register.  Whatever is not a
 * message of its place ends it; nothing is answered twice, and nothing is ever waited for.
 */
#include "daemon/clients_inside.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAUSE_MICROSECONDS 100000 /* after a failed accept: out of descriptors, most likely */
#define FDS_MAX		   4u	  /* more than that the kernel keeps from us */

/* ---- connections ---- */

static void half_open_add(struct clients_peer *peer)
{
	struct clients_run *run = peer->run;

	peer->next = run->half_open;
	if (peer->next != NULL)
		peer->next->previous = peer;
	run->half_open = peer;
	run->half_open_count++;
}

static void half_open_remove(struct clients_peer *peer)
{
	if (peer->previous != NULL)
		peer->previous->next = peer->next;
	else
		peer->run->half_open = peer->next;
	if (peer->next != NULL)
		peer->next->previous = peer->previous;
	peer->next = peer->previous = NULL;
	peer->run->half_open_count--;
}

void clients_peer_end(struct clients_peer *peer)
{
	struct clients_run *run = peer->run;

	clients_marks_unmap(peer->marks, run->closing ? 0 : peer->attempt);
	clients_owe_forget(peer);
	if (peer->registered) {
		run->peer[peer->number] = NULL;
		clients_gone(&run->table, peer->number, clients_now_ms());
	} else {
		half_open_remove(peer);
	}
	if (peer->readable != NULL)
		event_free(peer->readable);
	(void)close(peer->fd);
	free(peer);
}

void clients_half_open_end(struct clients_run *run)
{
	const uint64_t now_ms = clients_now_ms();
	struct clients_peer *next;

	for (struct clients_peer *peer = run->half_open; peer != NULL; peer = next) {
		next = peer->next;
		if (now_ms >= peer->since_ms + CLIENTS_HALF_OPEN_MS)
			clients_peer_end(peer);
	}
}

/* ---- what is sent ---- */

bool clients_peer_send(const struct clients_peer *peer, struct mcr_clients_message *message)
{
	message->version = MCR_CLIENTS_VERSION;
	message->incarnation = peer->run->options.incarnation;
	return send(peer->fd, message, sizeof(*message), MSG_DONTWAIT | MSG_NOSIGNAL) ==
	       (ssize_t)sizeof(*message);
}

/* A client that does not read has the one before still to read: that wakes it as well. */
void clients_peer_generation(struct clients_peer *peer, uint32_t generation)
{
	struct mcr_clients_message message = {.type = MCR_CLIENTS_GENERATION,
					      .generation = generation};

	(void)clients_peer_send(peer, &message);
}

void clients_peer_refuse(struct clients_peer *peer, enum mcr_clients_refusal code, const char *why)
{
	struct mcr_clients_message message = {.type = MCR_CLIENTS_REFUSED, .code = (uint32_t)code};
	struct clients_run *run = peer->run;

	(void)snprintf(run->last_refusal, sizeof(run->last_refusal),
		       "process %" PRId32 " of user %" PRIu32 ": %.300s", peer->pid, peer->uid,
		       why);
	run->misused += code == MCR_CLIENTS_MISUSE;
	(void)clients_peer_send(peer, &message);
	clients_peer_end(peer);
}

/* False: the peer is gone. */
static bool peer_refuse(struct clients_peer *peer, enum mcr_clients_refusal code, const char *why)
{
	clients_peer_refuse(peer, code, why);
	return false;
}

/* ---- what comes in.  False: the peer is gone. ---- */

static bool peer_register(struct clients_peer *peer, const struct mcr_clients_message *message,
			  struct mcr_marks *marks)
{
	struct clients_run *run = peer->run;
	struct mcr_clients_message answer = {.type = MCR_CLIENTS_REGISTERED,
					     .generation = run->table.generation,
					     .flags = run->barrier ? 0 : MCR_CLIENTS_FENCE};
	struct failure failure;

	peer->marks = marks; /* it goes with the peer */
	peer->attempt = message->code;
	if (strncmp(message->text, run->cluster, sizeof(run->cluster)) != 0)
		return peer_refuse(peer, MCR_CLIENTS_OTHER_CLUSTER, "it is of another cluster");
	if (clients_add(&run->table, peer->uid, peer->pid, clients_now_ms(), &peer->number,
			&failure) != 0)
		return peer_refuse(peer, MCR_CLIENTS_TOO_MANY, failure.text);
	half_open_remove(peer);
	peer->registered = true;
	run->peer[peer->number] = peer;
	if (!clients_peer_send(peer, &answer)) {
		clients_peer_end(peer);
		return false;
	}
	clients_look(run, peer);
	return true;
}

static bool peer_message(struct clients_peer *peer, const struct mcr_clients_owe *owe,
			 struct mcr_marks *marks)
{
	const struct mcr_clients_message *message = &owe->head;
	struct clients_run *run = peer->run;
	int error = -EPROTO;

	if (peer->owing != NULL) {
		clients_marks_unmap(marks, 0);
		return peer_refuse(peer, MCR_CLIENTS_MISUSE, "more than one message with a key");
	}
	if (message->type == MCR_CLIENTS_REGISTER && !peer->registered)
		return peer_register(peer, message, marks);
	if (marks != NULL) {
		clients_marks_unmap(marks, 0);
	} else if (message->type == MCR_CLIENTS_OWE && !peer->registered) {
		clients_owe(peer, owe);
		return false; /* or it has nothing more to say */
	} else if (peer->registered && message->type == MCR_CLIENTS_ACKNOWLEDGE) {
		error = clients_acknowledge(&run->table, peer->number, message->generation);
	} else if (peer->registered && message->type == MCR_CLIENTS_REFUSE) {
		error =
		    clients_refuse(&run->table, peer->number, message->generation, message->code);
	} else if (peer->registered && message->type == MCR_CLIENTS_WATCH) {
		peer->watching = true;
		error = 0;
	}
	if (error != 0)
		return peer_refuse(peer, MCR_CLIENTS_MISUSE, "a message that makes no sense there");
	clients_learnt(run);
	return true;
}

/* All the descriptors that came; the first one in *fd, -1 where there is none. */
static void descriptors_take(struct msghdr *header, int *fd)
{
	*fd = -1;
	for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part != NULL;
	     part = CMSG_NXTHDR(header, part)) {
		const size_t bytes = part->cmsg_len - CMSG_LEN(0);

		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; at + sizeof(int) <= bytes; at += sizeof(int)) {
			int passed;

			memcpy(&passed, CMSG_DATA(part) + at, sizeof(passed));
			if (*fd < 0)
				*fd = passed;
			else
				clients_dispose(passed);
		}
	}
}

/* Over so many messages a second nothing sensible is being said. */
static bool peer_floods(struct clients_peer *peer)
{
	const uint64_t now_ms = clients_now_ms();

	if (now_ms >= peer->second_ms + 1000) {
		peer->second_ms = now_ms;
		peer->messages = 0;
	}
	return ++peer->messages > CLIENTS_MESSAGES_PER_S;
}

/* In all types but OWE there is the head alone. */
static bool message_well_formed(const struct mcr_clients_message *message, ssize_t bytes)
{
	const size_t expected =
	    bytes >= (ssize_t)sizeof(*message) && message->type == MCR_CLIENTS_OWE
		? sizeof(struct mcr_clients_owe)
		: sizeof(*message);

	return bytes == (ssize_t)expected && message->zero == 0 &&
	       memchr(message->text, '\0', sizeof(message->text)) != NULL;
}

/* False: there is no more to read, or the peer is gone. */
static bool peer_receive(struct clients_peer *peer)
{
	struct mcr_clients_owe message;
	struct iovec part = {&message, sizeof(message)};
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control;
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
	struct mcr_marks *marks = NULL;
	ssize_t got;
	int fd;

	/* While too many strange descriptors are being closed the kernel keeps them all: who passes
	 * one is registered without. */
	if (!peer->registered && !clients_dispose_busy()) {
		header.msg_control = &control;
		header.msg_controllen = sizeof(control.bytes);
	}
	got = recvmsg(peer->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	descriptors_take(&header, &fd);
	if (got <= 0) {
		if (fd >= 0)
			clients_dispose(fd);
		clients_peer_end(peer);
		return false;
	}
	if (fd >= 0 && clients_marks_map(fd, &marks) != 0)
		return peer_refuse(peer, MCR_CLIENTS_BAD_MARKS,
				   "what it passed is not a sealed memfd");
	if (peer_floods(peer) || (header.msg_flags & MSG_TRUNC) != 0 ||
	    !message_well_formed(&message.head, got)) {
		clients_marks_unmap(marks, 0);
		return peer_refuse(peer, MCR_CLIENTS_MISUSE, "too many messages, or not one");
	}
	if (message.head.version != MCR_CLIENTS_VERSION) {
		clients_marks_unmap(marks, 0);
		return peer_refuse(peer, MCR_CLIENTS_OTHER_VERSION, "it speaks another version");
	}
	return peer_message(peer, &message, marks);
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	struct clients_peer *peer = context;
	unsigned left = CLIENTS_MESSAGES_AT_A_TIME;

	(void)fd;
	(void)what;
	while (left-- > 0 && peer_receive(peer)) {
		/* the next one */
	}
}

/* ---- accepting ---- */

static uint32_t half_open_of(const struct clients_run *run, uint32_t uid)
{
	uint32_t count = 0;

	for (const struct clients_peer *peer = run->half_open; peer != NULL; peer = peer->next)
		count += peer->uid == uid;
	return count;
}

static void peer_make(struct clients_run *run, int fd, const struct ucred *who)
{
	struct clients_peer *peer = calloc(1, sizeof(*peer));

	if (peer == NULL) {
		(void)close(fd);
		return;
	}
	peer->run = run;
	peer->fd = fd;
	peer->uid = who->uid;
	peer->pid = who->pid;
	peer->since_ms = clients_now_ms();
	half_open_add(peer);
	peer->readable = event_new(run->base, fd, EV_READ | EV_PERSIST, on_readable, peer);
	if (peer->readable == NULL || event_add(peer->readable, NULL) != 0)
		clients_peer_end(peer);
}

static void on_accept(struct evconnlistener *accepting, evutil_socket_t fd,
		      struct sockaddr *address, int length, void *context)
{
	struct clients_run *run = context;
	struct ucred who;
	socklen_t bytes = sizeof(who);

	(void)accepting;
	(void)address;
	(void)length;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &bytes) != 0 ||
	    run->half_open_count >= CLIENTS_HALF_OPEN_MAX ||
	    half_open_of(run, who.uid) >= CLIENTS_HALF_OPEN_UID) {
		(void)close(fd); /* it tries again */
		return;
	}
	peer_make(run, fd, &who);
}

static void on_accept_error(struct evconnlistener *accepting, void *context)
{
	static const struct timeval pause = {.tv_usec = PAUSE_MICROSECONDS};
	struct clients_run *run = context;

	(void)snprintf(run->last_refusal, sizeof(run->last_refusal), "accept: %s",
		       evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
	(void)evconnlistener_disable(accepting);
	(void)evtimer_add(run->resume, &pause);
}

static void on_resume(evutil_socket_t fd, short what, void *context)
{
	struct clients_run *run = context;

	(void)fd;
	(void)what;
	(void)evconnlistener_enable(run->accepting);
}

int clients_socket_open(struct clients_run *run, unsigned mode, struct failure *failure)
{
	int error = local_socket_listen("clients' socket", run->path, SOCK_SEQPACKET, mode,
					&run->local, failure);

	if (error != 0)
		return error;
	run->resume = evtimer_new(run->base, on_resume, run);
	if (run->resume != NULL)
		run->accepting = evconnlistener_new(run->base, on_accept, run,
						    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC,
						    0, run->local.fd);
	if (run->accepting == NULL) {
		(void)close(run->local.fd);
		local_socket_remove(&run->local);
		run->local.path[0] = '\0';
		return failure_set(failure, ENOMEM, "clients' socket %s: no memory", run->path);
	}
	evconnlistener_set_error_cb(run->accepting, on_accept_error);
	return 0;
}

void clients_socket_close(struct clients_run *run)
{
	while (run->half_open != NULL)
		clients_peer_end(run->half_open);
	if (run->accepting != NULL)
		evconnlistener_free(run->accepting);
	if (run->resume != NULL)
		event_free(run->resume);
	local_socket_remove(&run->local);
}
