/* servers_ask.c - see servers_ask.h. */
#include "admin/servers_ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "admin/human.h"
#include "net/mc_conn.h"
#include "net/mc_protocol.h"

#define VALUE_MAX 1024u

struct asking {
	struct question *questions;
	struct event_base *base;
	uint32_t open;
};

struct question {
	struct asking *asking;
	struct forecast_server *server;
	struct mc_conn *conn;
	unsigned seen;
};

enum { SEEN_ITEMS = 1, SEEN_BYTES = 2, SEEN_LIMIT = 4, SEEN_ALL = 7 };

static void question_end(struct question *question, const char *why)
{
	(void)snprintf(question->server->why, sizeof(question->server->why), "%s", why);
	(void)human_clean(question->server->why);
	if (--question->asking->open == 0)
		(void)event_base_loopbreak(question->asking->base);
}

static void ready(void *context)
{
	static const char stats[] = "stats\r\n";
	struct question *question = context;
	char *room = mc_conn_room(question->conn, sizeof(stats) - 1);

	if (room == NULL)
		return;
	memcpy(room, stats, sizeof(stats) - 1);
	mc_conn_send_lines(question->conn, sizeof(stats) - 1, question);
}

static void stat_line(struct question *question, const struct mc_reply *reply)
{
	const struct {
		const char *name;
		uint64_t *to;
		unsigned seen;
	} wanted[] = {
	    {"curr_items", &question->server->items, SEEN_ITEMS},
	    {"bytes", &question->server->bytes, SEEN_BYTES},
	    {"limit_maxbytes", &question->server->limit, SEEN_LIMIT},
	};
	const char *name, *value;
	size_t name_bytes, value_bytes;

	if (mc_stat_parse(reply->text, reply->text_bytes, &name, &name_bytes, &value,
			  &value_bytes) < 0)
		return;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (name_bytes == strlen(wanted[i].name) &&
		    memcmp(name, wanted[i].name, name_bytes) == 0 &&
		    mc_number_parse(value, value_bytes, wanted[i].to))
			question->seen |= wanted[i].seen;
}

static void reply(void *context, void *command, const struct mc_reply *reply)
{
	struct question *question = context;

	(void)command;
	if (reply->code == MC_LOST)
		return; /* `closed` says why */
	if (reply->code == MC_LINE) {
		stat_line(question, reply);
		return;
	}
	question->server->asked = reply->code == MC_END && question->seen == SEEN_ALL;
	mc_conn_close(question->conn);
	question->conn = NULL;
	question_end(question, question->server->asked ? "" : "its answer to stats makes no sense");
}

static void closed(void *context, const char *why)
{
	struct question *question = context;

	question->conn = NULL;
	question_end(question, why);
}

static const struct mc_conn_events events = {.ready = ready, .reply = reply, .closed = closed};

static void questions_open(struct asking *asking, struct forecast *forecast,
			   const struct change *change)
{
	struct failure failure;

	for (uint32_t i = 0; i < forecast->count; i++) {
		struct question *question = &asking->questions[i];

		if (!forecast->servers[i].concerned)
			continue;
		question->asking = asking;
		question->server = &forecast->servers[i];
		if (mc_conn_open(asking->base, change->servers[i].address, NULL, SERVERS_ASK_MS / 2,
				 VALUE_MAX, &events, question, &question->conn, &failure) == 0) {
			asking->open++;
			continue;
		}
		question->conn = NULL;
		(void)snprintf(question->server->why, sizeof(question->server->why), "%.159s",
			       failure.text);
	}
}

static void questions_close(struct asking *asking, const struct forecast *forecast)
{
	for (uint32_t i = 0; i < forecast->count; i++) {
		struct question *question = &asking->questions[i];

		if (question->conn == NULL)
			continue;
		mc_conn_close(question->conn);
		(void)snprintf(question->server->why, sizeof(question->server->why),
			       "it did not answer in time");
	}
}

int servers_ask(struct forecast *forecast, const struct change *change, struct failure *failure)
{
	struct timeval limit = {.tv_sec = SERVERS_ASK_MS / 1000};
	struct asking asking = {.base = event_base_new()};
	int error = 0;

	asking.questions = calloc(forecast->count, sizeof(*asking.questions));
	if (asking.base == NULL || asking.questions == NULL) {
		error = failure_set(failure, ENOMEM, "no memory to ask the servers");
	} else {
		questions_open(&asking, forecast, change);
		(void)event_base_loopexit(asking.base, &limit);
		if (asking.open > 0)
			(void)event_base_dispatch(asking.base);
		questions_close(&asking, forecast);
	}
	free(asking.questions);
	if (asking.base != NULL)
		event_base_free(asking.base);
	return error;
}
