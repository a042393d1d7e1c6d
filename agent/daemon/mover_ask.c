/* mover_ask.c - asks a memcached who it is and how it runs (see mover_peer.h).
 *
 * Numbers that are missing or make no sense leave the answer unusable: nothing is assumed of a
 * server that was not said.
 */
#include "daemon/mover_peer.h"

#include <string.h>
#include <time.h>

#define QUESTIONS 3u

enum { SEEN_PID = 1, SEEN_TIME = 2, SEEN_UPTIME = 4, SEEN_ITEMS = 8, SEEN_SIZE_MAX = 16 };
#define SEEN_ALL 31u

struct piece {
	const char *text;
	size_t length;
};

static bool is(const struct piece *piece, const char *word)
{
	return piece->length == strlen(word) && memcmp(piece->text, word, piece->length) == 0;
}

static void number(struct mover_ask *ask, const struct piece *value, uint64_t *to, unsigned seen)
{
	if (mc_number_parse(value->text, value->length, to))
		ask->seen |= seen;
	else
		ask->failed = true;
}

static void version(struct pass_server *server, const struct piece *value)
{
	size_t length = value->length;

	if (length >= sizeof(server->version))
		length = sizeof(server->version) - 1;
	memcpy(server->version, value->text, length);
	server->version[length] = '\0';
}

static void stat_line(struct mover_ask *ask, const struct mc_reply *reply)
{
	struct mover_peer_info *info = ask->info;
	struct piece name, value;

	if (mc_stat_parse(reply->text, reply->text_bytes, &name.text, &name.length, &value.text,
			  &value.length) < 0)
		return;
	if (is(&name, "pid"))
		number(ask, &value, &info->server.identity.pid, SEEN_PID);
	else if (is(&name, "time"))
		number(ask, &value, &ask->time, SEEN_TIME);
	else if (is(&name, "uptime"))
		number(ask, &value, &ask->uptime, SEEN_UPTIME);
	else if (is(&name, "curr_items"))
		number(ask, &value, &info->curr_items, SEEN_ITEMS);
	else if (is(&name, "item_size_max"))
		number(ask, &value, &info->item_size_max, SEEN_SIZE_MAX);
	else if (is(&name, "version"))
		version(&info->server, &value);
	else if (is(&name, "hash_is_expanding"))
		info->hash_is_expanding = !is(&value, "0");
	else if (is(&name, "cas_enabled"))
		info->server.cas_enabled = is(&value, "yes");
	else if (is(&name, "dump_enabled"))
		info->server.dump_enabled = is(&value, "yes");
	else if (is(&name, "lru_crawler"))
		info->server.crawler_enabled = is(&value, "yes");
}

static void all_answered(struct mover_ask *ask)
{
	struct mover_peer_info *info = ask->info;
	bool usable = !ask->failed && ask->seen == SEEN_ALL && ask->time >= ask->uptime &&
		      ask->time < INT64_MAX && info->item_size_max > 0;

	if (usable) {
		info->server.identity.known = true;
		info->server.identity.start_time = ask->time - ask->uptime;
		info->clock_ahead_s = (int64_t)ask->time - (int64_t)time(NULL);
		if (info->item_size_max > MC_VALUE_MAX)
			info->item_size_max = MC_VALUE_MAX;
	}
	ask->asked(ask, usable);
}

static void replied(struct mover_command *command, const struct mc_reply *reply)
{
	struct mover_ask *ask = (struct mover_ask *)command;

	switch (reply->code) {
	case MC_LINE:
		stat_line(ask, reply);
		return;
	case MC_LOST:
		return; /* the connection's end is told to its owner */
	case MC_MN:
		ask->info->server.meta_protocol = true;
		break;
	case MC_END:
		break;
	default:
		/* An ERROR for mn is an answer: it does not speak the meta protocol. */
		if (ask->answered < QUESTIONS - 1)
			ask->failed = true;
	}
	if (++ask->answered == QUESTIONS)
		all_answered(ask);
}

static void question(struct mover_ask *ask, struct mc_conn *conn, const char *text, bool lines)
{
	size_t length = strlen(text);
	char *room = mc_conn_room(conn, length);

	if (room == NULL)
		return;
	memcpy(room, text, length);
	if (lines)
		mc_conn_send_lines(conn, length, &ask->command);
	else
		mc_conn_send(conn, length, &ask->command);
}

void mover_ask_start(struct mover_ask *ask, struct mc_conn *conn, struct mover_peer_info *info,
		     void (*asked)(struct mover_ask *ask, bool usable))
{
	*info = (struct mover_peer_info){0};
	*ask = (struct mover_ask){.command.replied = replied, .info = info, .asked = asked};
	question(ask, conn, "stats\r\n", true);
	question(ask, conn, "stats settings\r\n", true);
	question(ask, conn, "mn\r\n", false);
}
