/* apart.c - see apart.h. */
#include "apart.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STAND_WAIT_MS 60000u

struct child {
	pid_t pid;
	int order_fd, answer_fd;
	bool stopped, killed;
};

/* In memory that parent and child share. */
struct shared {
	struct tally tally;
	struct doom doom;
};

struct apart {
	struct history *history;
	struct shared *shared; /* one for each child */
	unsigned count, killed;
	struct child child[];
};

static int namespace_enter(const char *name)
{
	char path[256];
	int fd, rc;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	rc = fd < 0 ? -1 : setns(fd, CLONE_NEWNET);
	if (rc)
		fprintf(stderr, "load: network namespace %s: %s\n", name, strerror(errno));
	if (fd >= 0)
		close(fd);
	return rc;
}

/* Orders are single bytes: a job, answered when crew_do returns; end of input ends the process. */
static int child_run(const struct crew_setup *setup, struct tally *tally, int orders, int answers)
{
	struct crew *crew;
	unsigned char order;

	if (crew_new(setup, &crew))
		return 1;
	while (read(orders, &order, 1) == 1) {
		if (order == JOB_QUIT) { /* the tally is asked for */
			memset(tally, 0, sizeof(*tally));
			crew_tally(crew, tally);
		} else {
			crew_do(crew, (enum job)order);
		}
		if (write(answers, &order, 1) != 1)
			break;
	}
	crew_free(crew);
	return 0;
}

static int child_start(struct apart *apart, unsigned number, const struct crew_setup *setup,
		       const char *name)
{
	struct child *child = &apart->child[number];
	struct crew_setup own = *setup;
	int orders[2], answers[2];

	own.segments = &setup->segments[number];
	own.segment_count = 1;
	own.doom = &apart->shared[number].doom;
	atomic_init(&own.doom->phase, -1);
	if (pipe2(orders, O_CLOEXEC) || pipe2(answers, O_CLOEXEC))
		return -1;
	child->pid = fork();
	if (child->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(orders[1]);
		close(answers[0]);
		for (unsigned i = 0; i < number; i++) {
			close(apart->child[i].order_fd);
			close(apart->child[i].answer_fd);
		}
		if (name && namespace_enter(name))
			_exit(1);
		_exit(child_run(&own, &apart->shared[number].tally, orders[0], answers[1]));
	}
	close(orders[0]);
	close(answers[1]);
	child->order_fd = orders[1];
	child->answer_fd = answers[0];
	apart->count++;
	return child->pid < 0 ? -1 : 0;
}

int apart_new(const struct crew_setup *setup, const char *const *namespaces, struct apart **out)
{
	const unsigned count = setup->segment_count;
	struct apart *apart = calloc(1, sizeof(*apart) + count * sizeof(apart->child[0]));

	if (!apart)
		return -1;
	apart->history = setup->history;
	apart->shared = mmap(NULL, count * sizeof(*apart->shared), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (apart->shared == MAP_FAILED)
		return -1;
	for (unsigned i = 0; i < count; i++) {
		if (child_start(apart, i, setup, namespaces[i])) {
			apart_free(apart);
			return -1;
		}
	}
	*out = apart;
	return 0;
}

void apart_free(struct apart *apart)
{
	for (unsigned i = 0; i < apart->count; i++) {
		close(apart->child[i].order_fd);
		close(apart->child[i].answer_fd);
		if (apart->child[i].killed)
			continue;
		kill(apart->child[i].pid, SIGKILL);
		waitpid(apart->child[i].pid, NULL, 0);
	}
	free(apart);
}

/* A child that has died is told by the caller's numbers; it must not stop the parent here. */
static void order_give(const struct child *child, unsigned char order)
{
	if (!child->stopped && !child->killed && write(child->order_fd, &order, 1) != 1)
		fprintf(stderr, "load: process %d has ended\n", (int)child->pid);
}

static void answer_await(const struct child *child)
{
	unsigned char answer;

	if (!child->stopped && !child->killed && read(child->answer_fd, &answer, 1) != 1)
		fprintf(stderr, "load: process %d has ended\n", (int)child->pid);
}

/* None is stopped in the middle of what it does. */
static bool all_rest(const struct apart *apart)
{
	for (unsigned i = 0; i < apart->count; i++)
		if (apart->child[i].stopped)
			return false;
	return true;
}

void apart_do(struct apart *apart, enum job job)
{
	const unsigned count = job == JOB_FILL ? 1 : apart->count;

	/* Two jobs must not mix: everybody rests first. */
	for (unsigned i = 0; i < apart->count; i++)
		order_give(&apart->child[i], JOB_REST);
	for (unsigned i = 0; i < apart->count; i++)
		answer_await(&apart->child[i]);
	if (apart->killed && all_rest(apart))
		history_bury(apart->history);
	if (job == JOB_REST)
		return;
	for (unsigned i = 0; i < count; i++)
		order_give(&apart->child[i], (unsigned char)job);
	for (unsigned i = 0; i < count; i++)
		answer_await(&apart->child[i]);
}

void apart_tally(struct apart *apart, struct tally *sum)
{
	for (unsigned i = 0; i < apart->count; i++)
		order_give(&apart->child[i], JOB_QUIT);
	for (unsigned i = 0; i < apart->count; i++) {
		answer_await(&apart->child[i]);
		tally_add(sum, &apart->shared[i].tally);
	}
}

/* At a moment at which nobody waits for a lock of the history that it holds. */
static void child_signal(struct apart *apart, struct child *child, int signal_number)
{
	int status;

	history_hold(apart->history);
	kill(child->pid, signal_number);
	waitpid(child->pid, &status, WUNTRACED);
	history_release(apart->history);
}

/* Until one of its clients stands between two commands; it stays there. */
static int child_stands(struct apart *apart, unsigned number, enum mcr_phase phase)
{
	struct doom *doom = &apart->shared[number].doom;

	atomic_store(&doom->stands, 0);
	atomic_store(&doom->phase, (int)phase);
	for (unsigned ms = 0; !atomic_load(&doom->stands); ms++) {
		if (ms == STAND_WAIT_MS)
			return -1;
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	return 0;
}

int apart_kill(struct apart *apart, unsigned number, enum mcr_phase phase)
{
	struct child *child = &apart->child[number];

	if (number >= apart->count || child->stopped || child->killed)
		return -1;
	/* What it counted is asked for while it can answer. */
	order_give(child, JOB_QUIT);
	answer_await(child);
	if (child_stands(apart, number, phase))
		return -1;
	child_signal(apart, child, SIGKILL);
	child->killed = true;
	apart->killed++;
	return 0;
}

int apart_stop_between(struct apart *apart, unsigned number, enum mcr_phase phase)
{
	if (number >= apart->count || apart->child[number].stopped || apart->child[number].killed ||
	    child_stands(apart, number, phase))
		return -1;
	child_signal(apart, &apart->child[number], SIGSTOP);
	apart->child[number].stopped = true;
	atomic_store(&apart->shared[number].doom.phase, -1); /* it goes on when it can */
	return 0;
}

int apart_stop(struct apart *apart, unsigned number)
{
	if (number >= apart->count || apart->child[number].killed)
		return -1;
	child_signal(apart, &apart->child[number], SIGSTOP);
	apart->child[number].stopped = true;
	return 0;
}

int apart_continue(struct apart *apart, unsigned number)
{
	if (number >= apart->count || apart->child[number].killed)
		return -1;
	kill(apart->child[number].pid, SIGCONT);
	apart->child[number].stopped = false;
	return 0;
}
