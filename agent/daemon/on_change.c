/* on_change.c - see on_change.h. */
#include "daemon/on_change.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/log.h"

#define OWN_VARIABLES 3u

extern char **environ;

struct on_change {
	const struct config *config;
	struct event *ended, *late;
	pid_t pid; /* 0: it does not run */
	char program[CONFIG_PATH_MAX +
		     1]; /* that was run last: the configuration may be another since */
	uint64_t told;	 /* the epoch that it was run for last; 0: none yet */
	uint64_t wanted; /* the epoch that it is to be told */
};

/* The agent's environment with our own variables before it: the first of a name counts. */
static char **environment_new(const struct on_change *o, char text[OWN_VARIABLES][512])
{
	size_t count = 0;
	char **made;

	while (environ[count] != NULL)
		count++;
	made = calloc(count + OWN_VARIABLES + 1, sizeof(*made));
	if (made == NULL)
		return NULL;
	(void)snprintf(text[0], sizeof(text[0]), "MCROSTER_CLUSTER=%s", o->config->cluster);
	(void)snprintf(text[1], sizeof(text[1]), "MCROSTER_EPOCH=%" PRIu64, o->wanted);
	(void)snprintf(text[2], sizeof(text[2]), "MCROSTER_CONTROL=%s", o->config->control_socket);
	for (size_t i = 0; i < OWN_VARIABLES; i++)
		made[i] = text[i];
	memcpy(made + OWN_VARIABLES, environ, count * sizeof(*made));
	return made;
}

static int command_spawn(struct on_change *o)
{
	char text[OWN_VARIABLES][512];
	char **environment = environment_new(o, text);
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t all, none;
	int error = environment == NULL ? ENOMEM : posix_spawn_file_actions_init(&actions);

	if (error != 0)
		goto no_actions;
	error = posix_spawnattr_init(&attributes);
	if (error != 0)
		goto no_attributes;
	(void)sigfillset(&all);
	(void)sigemptyset(&none);
	(void)posix_spawnattr_setsigdefault(&attributes, &all);
	(void)posix_spawnattr_setsigmask(&attributes, &none);
	(void)posix_spawnattr_setpgroup(&attributes, 0);
	(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
							POSIX_SPAWN_SETPGROUP);
	error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (error == 0)
		error = posix_spawn(&o->pid, o->config->on_change[0], &actions, &attributes,
				    o->config->on_change, environment);
	(void)posix_spawnattr_destroy(&attributes);
no_attributes:
	(void)posix_spawn_file_actions_destroy(&actions);
no_actions:
	free(environment);
	return error;
}

static void command_run(struct on_change *o)
{
	const uint32_t ms = o->config->on_change_timeout_ms;
	const struct timeval time = {.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};
	int error;

	o->told = o->wanted;
	if (o->config->on_change == NULL)
		return;
	(void)snprintf(o->program, sizeof(o->program), "%s", o->config->on_change[0]);
	error = command_spawn(o);
	if (error != 0) {
		o->pid = 0;
		log_line(LOG_LEVEL_ERROR, "on-change: %s: it cannot be run: %s", o->program,
			 strerror(error));
		return;
	}
	(void)evtimer_add(o->late, &time);
}

static void on_late(evutil_socket_t fd, short what, void *context)
{
	struct on_change *o = context;

	(void)fd;
	(void)what;
	log_line(LOG_LEVEL_ERROR, "on-change: %s: it did not end in time and is killed",
		 o->program);
	(void)kill(-o->pid, SIGKILL);
}

static void on_ended(evutil_socket_t number, short what, void *context)
{
	struct on_change *o = context;
	int status;

	(void)number;
	(void)what;
	if (o->pid == 0 || waitpid(o->pid, &status, WNOHANG) != o->pid)
		return;
	o->pid = 0;
	(void)evtimer_del(o->late);
	if (WIFSIGNALED(status))
		log_line(LOG_LEVEL_ERROR, "on-change: epoch %" PRIu64 ": %s ended on signal %d",
			 o->told, o->program, WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		log_line(LOG_LEVEL_ERROR, "on-change: epoch %" PRIu64 ": %s ended with %d", o->told,
			 o->program, WEXITSTATUS(status));
	else
		log_line(LOG_LEVEL_NOTICE, "on-change: epoch %" PRIu64 ": %s has been told",
			 o->told, o->program);
	if (o->wanted != o->told)
		command_run(o);
}

int on_change_new(const struct config *config, struct event_base *base,
		  struct on_change **on_change, struct failure *failure)
{
	struct on_change *o;

	o = calloc(1, sizeof(*o));
	if (o == NULL)
		return failure_set(failure, ENOMEM, "on-change: no memory");
	o->config = config;
	o->ended = evsignal_new(base, SIGCHLD, on_ended, o);
	o->late = evtimer_new(base, on_late, o);
	if (o->ended == NULL || o->late == NULL || event_add(o->ended, NULL) != 0) {
		on_change_free(o);
		return failure_set(failure, ENOMEM, "on-change: no memory for its events");
	}
	*on_change = o;
	return 0;
}

void on_change_free(struct on_change *o)
{
	if (o == NULL)
		return;
	if (o->pid != 0) {
		(void)kill(-o->pid, SIGKILL);
		(void)waitpid(o->pid, NULL, 0);
	}
	if (o->ended != NULL)
		event_free(o->ended);
	if (o->late != NULL)
		event_free(o->late);
	free(o);
}

void on_change_told(struct on_change *o, uint64_t epoch)
{
	if (epoch == o->wanted)
		return;
	o->wanted = epoch;
	if (o->pid == 0)
		command_run(o);
}
