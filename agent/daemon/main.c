/* main.c - mcrosterd: arguments, loop, signals.  Everything else is behind agent.h. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <sodium.h>

#include "daemon/agent.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/notify.h"
#include "daemon/store_move.h"

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
    "  -h, --help\n";

enum { OPTION_CHECK = 256, OPTION_VERSION, OPTION_MOVE };

static void tell_manager(const char *message)
{
	struct failure failure;

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
	struct agent *agent = *(struct agent **)context;

	(void)what;
	log_line(LOG_LEVEL_NOTICE, "stopping on signal %d; the segment stays for its readers",
		 (int)number);
	tell_manager(NOTIFY_STOPPING);
	if (agent_leave(agent, on_left))
		(void)event_base_loopexit(agent->base, &patience);
	else
		(void)event_base_loopbreak(agent->base);
}

static void on_ready(struct agent *agent)
{
	log_line(LOG_LEVEL_NOTICE,
		 "ready: agent %s of cluster %s, peers %s, control %s, segment %s",
		 agent->config->name, agent->config->cluster, agent->config->listen,
		 agent->config->control_socket, agent->config->segment);
	tell_manager(NOTIFY_READY);
}

static int run(const struct config *config)
{
	struct event_base *base = loop_new();
	struct event *terminate = NULL, *interrupt = NULL;
	struct agent *agent = NULL;
	struct failure failure;
	int status = EXIT_FAILURE;

	if (base == NULL) {
		log_line(LOG_LEVEL_ERROR, "no event loop: %s", strerror(errno));
		return status;
	}
	terminate = evsignal_new(base, SIGTERM, on_signal, &agent);
	interrupt = evsignal_new(base, SIGINT, on_signal, &agent);
	if (terminate == NULL || interrupt == NULL || event_add(terminate, NULL) != 0 ||
	    event_add(interrupt, NULL) != 0) {
		log_line(LOG_LEVEL_ERROR, "no signal handlers: %s", strerror(errno));
		goto out;
	}
	if (agent_open(config, base, on_ready, &agent, &failure) != 0) {
		log_line(LOG_LEVEL_ERROR, "%s", failure.text);
		goto out;
	}
	if (event_base_dispatch(base) == 0)
		status = EXIT_SUCCESS;
	agent_close(agent);
out:
	if (terminate != NULL)
		event_free(terminate);
	if (interrupt != NULL)
		event_free(interrupt);
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
		return EXIT_FAILURE;
	}
	if (move != NULL)
		status = move_register(config, move);
	else
		status = check ? EXIT_SUCCESS : run(config);
	config_free(config);
	return status;
}
