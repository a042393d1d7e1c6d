/* reach.c - see reach.h. */
#include "daemon/reach.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log.h"
#include "net/mc_conn.h"

#define VALUE_MAX 1u /* nothing that is asked for has one */

struct reached {
	struct reach *reach;
	char name[LIST_NAME_MAX + 1], address[LIST_ADDRESS_MAX + 1];
	struct mc_conn *conn; /* NULL: it is dialled at the next turn */
	bool known, answers;
	bool wanted; /* it is in the lists of this turn */
	struct reached *next;
};

struct reach {
	struct reach_setup setup;
	struct event *turn;
	struct reached *first;
};

static void found(struct reached *server, bool answers, const char *why)
{
	if (answers && server->known && !server->answers)
		log_event(
		    LOG_LEVEL_NOTICE,
		    &(const struct log_fields){.event = "server-answers", .server = server->name},
		    "server %s %s answers again", server->name, server->address);
	else if (!answers && (!server->known || server->answers))
		log_event(
		    LOG_LEVEL_WARNING,
		    &(const struct log_fields){.event = "server-silent", .server = server->name},
		    "server %s %s does not answer: %s", server->name, server->address, why);
	server->known = true;
	server->answers = answers;
}

static void on_ready(void *context)
{
	(void)context; /* the question is on its way already */
}

/* Whatever a memcached says, it answers. */
static void on_reply(void *context, void *command, const struct mc_reply *reply)
{
	(void)command;
	if (reply->code != MC_LOST)
		found(context, true, "");
}

static void on_closed(void *context, const char *why)
{
	struct reached *server = context;

	server->conn = NULL;
	found(server, false, why);
}

static const struct mc_conn_events events = {
    .ready = on_ready, .reply = on_reply, .closed = on_closed};

static void ask(struct reached *server, uint32_t timeout_ms)
{
	static const char question[] = "mn\r\n";
	const struct reach_setup *setup = &server->reach->setup;
	struct failure failure;
	char *room;

	if (server->conn == NULL &&
	    mc_conn_open(setup->base, server->address, mc_access_find(setup->access, server->name),
			 timeout_ms, VALUE_MAX, &events, server, &server->conn, &failure) != 0) {
		server->conn = NULL;
		found(server, false, failure.text);
		return;
	}
	if (mc_conn_outstanding(server->conn) > 0)
		return; /* its own time-out ends that */
	room = mc_conn_room(server->conn, sizeof(question) - 1);
	if (room == NULL)
		return;
	memcpy(room, question, sizeof(question) - 1);
	mc_conn_send(server->conn, sizeof(question) - 1, NULL);
}

static struct reached *find(const struct reach *reach, const char *name, const char *address)
{
	struct reached *server = reach->first;

	while (server != NULL &&
	       (strcmp(server->name, name) != 0 || strcmp(server->address, address) != 0))
		server = server->next;
	return server;
}

static struct reached *find_or_add(struct reach *reach, const struct change_server *wanted)
{
	struct reached *server = find(reach, wanted->name, wanted->address);

	if (server != NULL)
		return server;
	server = calloc(1, sizeof(*server));
	if (server == NULL)
		return NULL; /* at the next turn */
	server->reach = reach;
	(void)snprintf(server->name, sizeof(server->name), "%s", wanted->name);
	(void)snprintf(server->address, sizeof(server->address), "%s", wanted->address);
	server->next = reach->first;
	reach->first = server;
	return server;
}

static void sweep(struct reach *reach)
{
	for (struct reached **link = &reach->first; *link != NULL;) {
		struct reached *server = *link;

		if (server->wanted) {
			link = &server->next;
			continue;
		}
		*link = server->next;
		mc_conn_close(server->conn);
		free(server);
	}
}

static void on_turn(evutil_socket_t fd, short what, void *context)
{
	struct reach *reach = context;
	const struct change *change = reach->setup.change(reach->setup.context);

	(void)fd;
	(void)what;
	for (struct reached *server = reach->first; server != NULL; server = server->next)
		server->wanted = false;
	for (uint32_t i = 0; change != NULL && i < change->server_count; i++) {
		struct reached *server;

		if (strcmp(change_server_agent(change, i), reach->setup.agent) != 0)
			continue;
		server = find_or_add(reach, &change->servers[i]);
		if (server == NULL)
			continue;
		server->wanted = true;
		ask(server, change->op_timeout_ms);
	}
	sweep(reach);
}

int reach_new(const struct reach_setup *setup, struct reach **out)
{
	const struct timeval every = {.tv_sec = setup->every_ms / 1000,
				      .tv_usec = (suseconds_t)(setup->every_ms % 1000) * 1000};
	struct reach *reach = calloc(1, sizeof(*reach));

	if (reach == NULL)
		return -ENOMEM;
	reach->setup = *setup;
	reach->turn = event_new(setup->base, -1, EV_PERSIST, on_turn, reach);
	if (reach->turn == NULL || event_add(reach->turn, &every) != 0) {
		reach_free(reach);
		return -ENOMEM;
	}
	*out = reach;
	return 0;
}

void reach_free(struct reach *reach)
{
	if (reach == NULL)
		return;
	for (struct reached *server = reach->first; server != NULL; server = server->next)
		server->wanted = false;
	sweep(reach);
	if (reach->turn != NULL)
		event_free(reach->turn);
	free(reach);
}

bool reach_server(const struct reach *reach, const char *name, const char *address, bool *answers)
{
	const struct reached *server = find(reach, name, address);

	if (server == NULL || !server->known)
		return false;
	*answers = server->answers;
	return true;
}
