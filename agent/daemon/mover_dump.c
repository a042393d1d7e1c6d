/* mover_dump.c - see mover_dump.h. */
#include "daemon/mover_dump.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A crawl may be silent for a while where a large hash table is thinly filled. */
#define TIMEOUT_MIN_MS 5000u

struct mover_dump {
	struct mover_ask ask; /* first: the command's context leads back here */
	struct mover_command crawl;
	struct mc_conn *conn;
	struct pass_identity identity;
	struct mover_peer_info info;
	uint64_t items_before;
	bool dumped, stopped;
	const struct mover_dump_events *events;
	void *context;
};

static void dump_end(struct mover_dump *dump, enum mover_dump_outcome outcome, uint64_t items,
		     const char *why)
{
	if (dump->stopped)
		return;
	dump->stopped = true;
	mc_conn_close(dump->conn);
	dump->conn = NULL;
	dump->events->ended(dump->context, outcome, items, why);
}

static void line_replied(struct mover_dump *dump, const struct mc_reply *reply)
{
	struct mc_dump_line line;

	if (mc_dump_line_parse(reply->text, reply->text_bytes, &line) < 0) {
		dump_end(dump, MOVER_DUMP_FAILED, 0, "its dump has a line that is no key");
	} else if (!dump->events->line(dump->context, &line)) {
		dump->stopped = true;
		mc_conn_close(dump->conn);
		dump->conn = NULL;
	}
}

static void dump_asked(struct mover_ask *ask, bool usable)
{
	static const char crawl[] = "lru_crawler metadump hash\r\n";
	struct mover_dump *dump = (struct mover_dump *)ask;
	const struct pass_identity *found = &dump->info.server.identity;
	uint64_t items = dump->info.curr_items;
	char *room;

	if (!usable) {
		dump_end(dump, MOVER_DUMP_FAILED, 0, "its answer to stats makes no sense");
	} else if (found->pid != dump->identity.pid ||
		   found->start_time != dump->identity.start_time) {
		dump_end(dump, MOVER_DUMP_FAILED, 0, "it was started anew");
	} else if (dump->info.hash_is_expanding) {
		dump_end(dump, MOVER_DUMP_BUSY, 0, "its hash table is being expanded");
	} else if (dump->dumped) {
		dump_end(dump, MOVER_DUMP_WHOLE,
			 items < dump->items_before ? items : dump->items_before, "");
	} else if ((room = mc_conn_room(dump->conn, sizeof(crawl) - 1)) != NULL) {
		dump->items_before = items;
		memcpy(room, crawl, sizeof(crawl) - 1);
		mc_conn_send_lines(dump->conn, sizeof(crawl) - 1, &dump->crawl);
	} else {
		dump_end(dump, MOVER_DUMP_FAILED, 0, "no memory to ask for its dump");
	}
}

static void crawl_replied(struct mover_dump *dump, const struct mc_reply *reply)
{
	switch (reply->code) {
	case MC_LINE:
		line_replied(dump, reply);
		break;
	case MC_END:
		dump->dumped = true;
		mover_ask_start(&dump->ask, dump->conn, &dump->info, dump_asked);
		break;
	case MC_BUSY:
		dump_end(dump, MOVER_DUMP_BUSY, 0, "another crawl runs there");
		break;
	case MC_LOST:
		break; /* `closed` follows and says why */
	default:
		dump_end(dump, MOVER_DUMP_FAILED, 0, "it refuses lru_crawler metadump hash");
	}
}

static void conn_ready(void *context)
{
	struct mover_dump *dump = context;

	mover_ask_start(&dump->ask, dump->conn, &dump->info, dump_asked);
}

static void conn_reply(void *context, void *command, const struct mc_reply *reply)
{
	struct mover_dump *dump = context;
	struct mover_command *asked = command;

	if (dump->stopped)
		return;
	if (asked == &dump->crawl)
		crawl_replied(dump, reply);
	else
		asked->replied(asked, reply);
}

static void conn_closed(void *context, const char *why)
{
	struct mover_dump *dump = context;

	dump->conn = NULL;
	dump_end(dump, MOVER_DUMP_FAILED, 0, why);
}

static const struct mc_conn_events conn_events = {
    .ready = conn_ready, .reply = conn_reply, .closed = conn_closed};

struct mover_dump *mover_dump_start(struct event_base *base, const char *address,
				    const struct mc_access *access, uint32_t op_timeout_ms,
				    const struct pass_identity *identity,
				    const struct mover_dump_events *events, void *context,
				    struct failure *failure)
{
	struct mover_dump *dump = calloc(1, sizeof(*dump));
	uint32_t timeout_ms = op_timeout_ms > TIMEOUT_MIN_MS ? op_timeout_ms : TIMEOUT_MIN_MS;

	if (dump == NULL) {
		(void)failure_set(failure, ENOMEM, "%s: no memory for a dump", address);
		return NULL;
	}
	dump->identity = *identity;
	dump->events = events;
	dump->context = context;
	if (mc_conn_open(base, address, access, timeout_ms, MC_LINE_MAX, &conn_events, dump,
			 &dump->conn, failure) < 0) {
		free(dump);
		return NULL;
	}
	return dump;
}

void mover_dump_free(struct mover_dump *dump)
{
	if (dump == NULL)
		return;
	mc_conn_close(dump->conn);
	free(dump);
}
