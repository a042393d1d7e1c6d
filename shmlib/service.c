/* service.c - a descriptor for event loops, and what a process does for its registration when it
 * runs anyway: it answers the agent for the newest generation.
 *
 * The descriptor is an epoll instance, so that it stays the same when the socket in it does not.
 * In it are the socket, which the agent writes to with each publication, and a timer that brings
 * an unregistered process back to its attempts.
 */
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "atomics.h"
#include "internal.h"

#define ATTEMPT_NS 100000000L

static bool poll_add(int poll_fd, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	return epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* Where it is in already nothing happens. */
void mcr_service_arm(struct mcr *mcr)
{
	struct registration *registration = &mcr->registration;
	const struct mcr_clients_message watch = {.type = MCR_CLIENTS_WATCH,
						  .version = MCR_CLIENTS_VERSION};
	struct itimerspec timer = {{0, 0}, {0, 0}};

	if (registration->poll_fd < 0)
		return;
	if (registration->fd >= 0)
		(void)poll_add(registration->poll_fd, registration->fd);
	if (registration->state == REGISTRATION_DONE) {
		(void)mcr_registration_send(mcr, &watch);
	} else {
		timer.it_interval.tv_nsec = ATTEMPT_NS;
		timer.it_value.tv_nsec = ATTEMPT_NS;
	}
	(void)timerfd_settime(registration->timer_fd, 0, &timer, NULL);
}

static int poll_make(struct mcr *mcr)
{
	const int poll_fd = epoll_create1(EPOLL_CLOEXEC);
	const int timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (poll_fd < 0 || timer_fd < 0 || !poll_add(poll_fd, timer_fd)) {
		if (poll_fd >= 0)
			(void)close(poll_fd);
		if (timer_fd >= 0)
			(void)close(timer_fd);
		return MCR_SYSTEM;
	}
	mcr->registration.poll_fd = poll_fd;
	mcr->registration.timer_fd = timer_fd;
	mcr_service_arm(mcr);
	return MCR_OK;
}

int mcr_fd(struct mcr *mcr)
{
	int fd, error = MCR_OK;

	if (mcr == NULL || (mcr->flags & MCR_OBSERVE) != 0)
		return MCR_BAD_ARGUMENT;
	mcr_guard_take(mcr);
	if (mcr->registration.poll_fd < 0)
		error = poll_make(mcr);
	fd = mcr->registration.poll_fd;
	mcr_guard_leave(mcr);
	return error == MCR_OK ? fd : error;
}

/* Nothing is said while an older operation runs: the agent sees its end by itself. */
static void acknowledge(struct mcr *mcr)
{
	struct registration *registration = &mcr->registration;
	struct mcr_clients_message message = {.type = MCR_CLIENTS_ACKNOWLEDGE,
					      .version = MCR_CLIENTS_VERSION};
	struct view view;
	int error;

	message.generation = generation_load_acquire(mcr->header);
	if (registration->state != REGISTRATION_DONE || message.generation == 0 ||
	    message.generation == registration->acknowledged)
		return;
	error = mcr_view_load(mcr, message.generation, &view);
	if (error == MCR_STALE)
		return; /* another one is out: there will be another call */
	if (error != MCR_OK) {
		message.type = MCR_CLIENTS_REFUSE;
		message.code = (uint32_t)-error;
	} else if (!mcr_marks_none_older(mcr, message.generation)) {
		return;
	}
	if (mcr_registration_send(mcr, &message))
		registration->acknowledged = message.generation;
}

static void service(struct mcr *mcr)
{
	mcr_registration_step(mcr, mcr_clock_boot_ns());
	acknowledge(mcr);
}

int mcr_service(struct mcr *mcr)
{
	uint64_t expirations;
	int reason;

	if (mcr == NULL || (mcr->flags & MCR_OBSERVE) != 0)
		return MCR_BAD_ARGUMENT;
	mcr_guard_take(mcr);
	if (mcr->registration.timer_fd >= 0 &&
	    read(mcr->registration.timer_fd, &expirations, sizeof(expirations)) < 0) {
		/* It has not run out. */
	}
	service(mcr);
	reason = mcr_registered(mcr) ? MCR_OK : mcr->registration.reason;
	mcr_guard_leave(mcr);
	return reason;
}

void mcr_service_try(struct mcr *mcr)
{
	if ((mcr->flags & MCR_OBSERVE) != 0 || !mcr_guard_try(mcr))
		return;
	service(mcr);
	mcr_guard_leave(mcr);
}
