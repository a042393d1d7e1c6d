/* stats_ask.c - see stats_ask.h. */
#include "admin/stats_ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "admin/human.h"
#include "net/mc_conn.h"
#include "net/mc_protocol.h"

#define VALUE_MAX 1024u
#define NEEDED	  3u /* curr_items, bytes, limit_maxbytes: without these it is no memcached */

struct asking {
	struct question *questions;
	struct event_base *base;
	uint32_t open;
};

struct question {
	struct asking *asking;
	struct server_stats *server;
	struct mc_conn *conn;
	unsigned ends; /* of the two answers */
	unsigned needed;
};

static void question_end(struct question *question, const char *why)
{
	(void)snprintf(question->server->why, sizeof(question->server->why), "%s", why);
	(void)human_clean(question->server->why);
	if (--question->asking->open == 0)
		(void)event_base_loopbreak(question->asking->base);
}

static void ready(void *context)
{
	static const char *const commands[] = {"stats\r\n", "stats settings\r\n"};
	struct question *question = context;

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const size_t bytes = strlen(commands[i]);
		char *room = mc_conn_room(question->conn, bytes);

		if (room == NULL)
			return;
		memcpy(room, commands[i], bytes);
		mc_conn_send_lines(question->conn, bytes, question);
	}
}

static bool number_take(struct question *question, const char *name, const char *value,
			size_t value_bytes)
{
	struct server_stats *server = question->server;
	const struct {
		const char *name;
		uint64_t *to;
		bool needed;
	} numbers[] = {
	    {"curr_items", &server->items, true},
	    {"bytes", &server->bytes, true},
	    {"limit_maxbytes", &server->limit, true},
	    {"evictions", &server->evictions, false},
	    {"time", &server->time, false},
	    {"curr_connections", &server->connections, false},
	    {"max_connections", &server->connections_max, false},
	    {"item_size_max", &server->item_size_max, false},
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (strcmp(name, numbers[i].name) != 0)
			continue;
		if (mc_number_parse(value, value_bytes, numbers[i].to))
			question->needed += numbers[i].needed;
		return true;
	}
	return false;
}

static void flag_take(struct server_stats *server, const char *name, const char *value)
{
	const struct {
		const char *name, *yes;
		int *to;
	} flags[] = {
	    {"cas_enabled", "yes", &server->cas},	    {"dump_enabled", "yes", &server->dump},
	    {"lru_crawler", "yes", &server->crawler},	    {"evictions", "on", &server->evicting},
	    {"hash_is_expanding", "1", &server->expanding},
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (strcmp(name, flags[i].name) == 0)
			*flags[i].to = strcmp(value, flags[i].yes) == 0;
}

static void stat_line(struct question *question, const struct mc_reply *reply)
{
	char name[64], value[64];
	const char *name_at, *value_at;
	size_t name_bytes, value_bytes;

	if (mc_stat_parse(reply->text, reply->text_bytes, &name_at, &name_bytes, &value_at,
			  &value_bytes) < 0 ||
	    name_bytes >= sizeof(name) || value_bytes >= sizeof(value))
		return;
	(void)snprintf(name, sizeof(name), "%.*s", (int)name_bytes, name_at);
	(void)snprintf(value, sizeof(value), "%.*s", (int)value_bytes, value_at);
	if (strcmp(name, "version") == 0)
		(void)snprintf(question->server->version, sizeof(question->server->version),
			       "%.31s", human_clean(value));
	/* "evictions" is a number in stats, and "on" or "off" in its settings. */
	if (question->ends > 0 || !number_take(question, name, value, value_bytes))
		flag_take(question->server, name, value);
	if (question->ends > 0)
		(void)number_take(question, name, value, value_bytes);
}

static void reply(void *context, void *command, const struct mc_reply *reply)
{
	struct question *question = context;
	char why[160] = "its answer to stats makes no sense";

	(void)command;
	if (reply->code == MC_LOST)
		return; /* `closed` says why */
	if (reply->code == MC_LINE) {
		stat_line(question, reply);
		return;
	}
	if (reply->code == MC_END && ++question->ends < 2)
		return;
	question->server->answered = question->ends == 2 && question->needed >= NEEDED;
	if (question->server->answered)
		why[0] = '\0';
	else if (reply->code == MC_ERROR || reply->code == MC_CLIENT_ERROR ||
		 reply->code == MC_SERVER_ERROR)
		(void)snprintf(why, sizeof(why), "it answers '%.*s'",
			       (int)(reply->text_bytes < 120 ? reply->text_bytes : 120),
			       reply->text);
	mc_conn_close(question->conn);
	question->conn = NULL;
	question_end(question, why);
}

static void closed(void *context, const char *why)
{
	struct question *question = context;

	question->conn = NULL;
	question_end(question, why);
}

static const struct mc_conn_events events = {.ready = ready, .reply = reply, .closed = closed};

static void questions_open(struct asking *asking, struct server_stats *servers, uint32_t count)
{
	struct failure failure;

	for (uint32_t i = 0; i < count; i++) {
		struct question *question = &asking->questions[i];
		struct server_stats *server = &servers[i];

		server->cas = server->dump = server->crawler = -1;
		server->evicting = server->expanding = -1;
		if (server->address == NULL)
			continue;
		question->asking = asking;
		question->server = server;
		if (mc_conn_open(asking->base, server->address, NULL, STATS_ASK_MS / 2, VALUE_MAX,
				 &events, question, &question->conn, &failure) == 0) {
			asking->open++;
			continue;
		}
		question->conn = NULL;
		(void)snprintf(server->why, sizeof(server->why), "%.159s", failure.text);
	}
}

static void questions_close(struct asking *asking, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct question *question = &asking->questions[i];

		if (question->conn == NULL)
			continue;
		mc_conn_close(question->conn);
		(void)snprintf(question->server->why, sizeof(question->server->why),
			       "it did not answer in time");
	}
}

int stats_ask(struct server_stats *servers, uint32_t count, struct failure *failure)
{
	struct timeval limit = {.tv_sec = STATS_ASK_MS / 1000};
	struct asking asking = {.base = event_base_new()};
	int error = 0;

	asking.questions = calloc((size_t)count + 1, sizeof(*asking.questions));
	if (asking.base == NULL || asking.questions == NULL) {
		error = failure_set(failure, ENOMEM, "no memory to ask the servers");
	} else {
		questions_open(&asking, servers, count);
		(void)event_base_loopexit(asking.base, &limit);
		if (asking.open > 0)
			(void)event_base_dispatch(asking.base);
		questions_close(&asking, count);
	}
	free(asking.questions);
	if (asking.base != NULL)
		event_base_free(asking.base);
	return error;
}
