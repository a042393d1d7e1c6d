/* main.c - mcrosterd: arguments, loop, signals.  Everything else is behind agent.h. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <event2/event.h>
#include <sodium.h>

#include "daemon/agent.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/notify.h"
#include "daemon/store_move.h"

#define JOURNAL_SOCKET	"/run/systemd/journal/socket"
#define MOVE_TIMEOUT_S	10u /* and etcd's lease: the leader of before may be dead */
#define LEAVE_TIMEOUT_S 2   /* etcd may be what is broken */

static const char usage[] =
    "usage: mcrosterd -c FILE [--check | --move-register file|etcd]\n"
    "\n"
    "Holds the cluster's signed server list in shared memory and moves keys when it changes.\n"
    "  -c, --config FILE   agent.conf (mcroster.conf(5))\n"
    "      --check         read the configuration, say what is wrong with it, and exit\n"
    "      --move-register file|etcd\n"
    "                      moves the cluster's register there, with its lists, says what\n"
    "                      comes next, and exits.  All agents that may coordinate are\n"
    "                      stopped, agent.conf says register = \"etcd\"; given on the one\n"
    "                      that has the register's file, or is to have it\n"
    "      --version\n"
    "  -h, --help\n"
    "\n"
    "SIGHUP reads FILE again; SIGTERM stops the agent, and the list stays for its readers.\n";

enum { OPTION_CHECK = 256, OPTION_VERSION, OPTION_MOVE };

struct running {
	const char *path; /* of agent.conf */
	struct agent *agent;
};

__attribute__((format(printf, 1, 2))) static void tell_manager(const char *format, ...)
{
	char message[FAILURE_BYTES + 80];
	struct failure failure;
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	if (notify_send(message, &failure) < 0)
		log_line(LOG_LEVEL_WARNING, "%s", failure.text);
}

static void on_left(struct agent *agent)
{
	(void)event_base_loopbreak(agent->base);
}

/* A second signal does not wait for what the first one has begun. */
static void on_signal(evutil_socket_t number, short what, void *context)
{
	static const struct timeval patience = {.tv_sec = LEAVE_TIMEOUT_S};
	struct agent *agent = ((struct running *)context)->agent;

	(void)what;
	log_event(LOG_LEVEL_NOTICE, &(const struct log_fields){.event = "stopping"},
		  "stopping on signal %d; the segment stays for its readers", (int)number);
	tell_manager(NOTIFY_STOPPING);
	if (agent_leave(agent, on_left))
		(void)event_base_loopexit(agent->base, &patience);
	else
		(void)event_base_loopbreak(agent->base);
}

static void on_hangup(evutil_socket_t number, short what, void *context)
{
	const struct running *running = context;
	struct agent *agent = running->agent;
	struct failure failure;

	(void)number;
	(void)what;
	tell_manager(NOTIFY_RELOADING "\nMONOTONIC_USEC=%" PRIu64, notify_clock_us());
	if (agent_reload(agent, running->path, &failure) == 0) {
		log_event(LOG_LEVEL_NOTICE, &(const struct log_fields){.event = "reloaded"},
			  "%s was read again and is in force", running->path);
		tell_manager("STATUS=%s was read again and is in force", running->path);
	} else {
		log_event(LOG_LEVEL_ERROR, &(const struct log_fields){.event = "not-reloaded"},
			  "not reloaded: %s; the agent goes on as it was", failure.text);
		tell_manager("STATUS=not reloaded: %s", failure.text);
	}
	if (agent->ready) /* else on_ready will say so */
		tell_manager(NOTIFY_READY);
}

static void on_ready(struct agent *agent)
{
	log_event(LOG_LEVEL_NOTICE, &(const struct log_fields){.event = "ready"},
		  "ready: agent %s of cluster %s, peers %s, control %s, segment %s",
		  agent->config->name, agent->config->cluster, agent->config->listen,
		  agent->config->control_socket, agent->config->segment);
	tell_manager(NOTIFY_READY);
}

/* The handlers stand before the agent does: a reload while it comes up waits for the loop. */
static bool signals_take(struct event_base *base, struct running *running, struct event *events[3])
{
	static const struct {
		int number;
		event_callback_fn handle;
	} signals[3] = {{SIGTERM, on_signal}, {SIGINT, on_signal}, {SIGHUP, on_hangup}};

	for (unsigned i = 0; i < 3; i++) {
		events[i] = evsignal_new(base, signals[i].number, signals[i].handle, running);
		if (events[i] == NULL || event_add(events[i], NULL) != 0)
			return false;
	}
	return true;
}

static int run(const char *path, struct config *config)
{
	struct running running = {.path = path};
	struct event_base *base = loop_new();
	struct event *events[3] = {NULL};
	struct failure failure;
	int status = EXIT_FAILURE;

	log_open(JOURNAL_SOCKET, config->cluster, config->name);
	if (base == NULL) {
		log_line(LOG_LEVEL_ERROR, "no event loop: %s", strerror(errno));
		return status;
	}
	if (!signals_take(base, &running, events)) {
		log_line(LOG_LEVEL_ERROR, "no signal handlers: %s", strerror(errno));
		goto out;
	}
	if (agent_open(config, base, on_ready, &running.agent, &failure) != 0) {
		log_line(LOG_LEVEL_ERROR, "%s", failure.text);
		goto out;
	}
	if (event_base_dispatch(base) == 0)
		status = EXIT_SUCCESS;
	agent_close(running.agent);
out:
	for (unsigned i = 0; i < 3; i++)
		if (events[i] != NULL)
			event_free(events[i]);
	/* What streams have put off is carried out, for it holds them until then. */
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	event_base_free(base);
	return status;
}

static int move_register(const struct config *config, const char *where)
{
	const bool to_etcd = strcmp(where, "etcd") == 0;
	struct failure failure;
	struct state *state;
	struct reg moved;
	int error;

	if (!to_etcd && strcmp(where, "file") != 0) {
		(void)fputs(usage, stderr);
		return 2;
	}
	if (config->register_in != CONFIG_REGISTER_ETCD) {
		log_line(LOG_LEVEL_ERROR,
			 "moving the register: agent.conf does not say where etcd is, expected "
			 "register = \"etcd\" and etcd-endpoints, whichever way it is moved");
		return EXIT_FAILURE;
	}
	if (state_open(config->state_directory, &state, &failure) != 0) {
		log_line(LOG_LEVEL_ERROR, "%s", failure.text);
		return EXIT_FAILURE;
	}
	error = store_move(config, state, to_etcd ? CONFIG_REGISTER_ETCD : CONFIG_REGISTER_FILE,
			   (config->etcd.lease_s + MOVE_TIMEOUT_S) * 1000, &moved, &failure);
	state_close(state);
	if (error != 0) {
		log_line(LOG_LEVEL_ERROR, "%s", failure.text);
		return EXIT_FAILURE;
	}
	(void)printf("register %" PRIu64 ".%" PRIu64 " (epoch %" PRIu64 ", %s) is in %s now\n",
		     moved.term, moved.serial, moved.epoch, phase_name((enum phase)moved.phase),
		     to_etcd ? "etcd" : config->state_directory);
	(void)puts(to_etcd ? "next: start the candidates, each with register = \"etcd\""
			   : "next: start the candidates, each without register = \"etcd\" and "
			     "the etcd-* options");
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"check", no_argument, NULL, OPTION_CHECK},
	    {"move-register", required_argument, NULL, OPTION_MOVE},
	    {"version", no_argument, NULL, OPTION_VERSION},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	const char *path = NULL, *move = NULL;
	struct config *config;
	struct failure failure;
	bool check = false;
	int option, status;

	while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			path = optarg;
			break;
		case OPTION_MOVE:
			move = optarg;
			break;
		case OPTION_CHECK:
			check = true;
			break;
		case OPTION_VERSION:
			(void)puts("mcrosterd " MCROSTER_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			(void)fputs(usage, stdout);
			return EXIT_SUCCESS;
		default:
			(void)fputs(usage, stderr);
			return 2;
		}
	}
	if (path == NULL || optind != argc) {
		(void)fputs(usage, stderr);
		return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN); /* a file too large is an error like a full disk */
	if (sodium_init() < 0) {
		log_line(LOG_LEVEL_ERROR, "libsodium cannot be initialised");
		return EXIT_FAILURE;
	}
	if (config_load(path, &config, &failure) != 0) {
		log_line(LOG_LEVEL_ERROR, "%s", failure.text);
		return EX_CONFIG; /* starting again would not help: see the unit */
	}
	if (move != NULL)
		status = move_register(config, move);
	else
		status = check ? EXIT_SUCCESS : run(path, config);
	log_close();
	config_free(config);
	return status;
}
