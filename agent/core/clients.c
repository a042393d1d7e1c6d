/* clients.c - see clients.h.  Pure but for the table that clients_init allocates. */
#include "core/clients.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int clients_init(struct clients *clients, const struct clients_limits *limits)
{
	memset(clients, 0, sizeof(*clients));
	clients->limits = *limits;
	clients->client = calloc(limits->total, sizeof(*clients->client));
	return clients->client != NULL ? 0 : -ENOMEM;
}

void clients_free(struct clients *clients)
{
	free(clients->client);
	clients->client = NULL;
}

/* ---- who is here ---- */

int clients_room(const struct clients *clients, uint32_t uid, struct failure *failure)
{
	uint32_t all = 0, of_uid = 0;

	for (uint32_t i = 0; i < clients->used; i++) {
		all += clients->client[i].used;
		of_uid += clients->client[i].used && clients->client[i].uid == uid;
	}
	if (of_uid >= clients->limits.per_uid)
		return failure_set(failure, EDQUOT,
				   "user %" PRIu32 " has %" PRIu32 " clients, as many as one may",
				   uid, of_uid);
	if (all >= clients->limits.total)
		return failure_set(failure, EUSERS,
				   "%" PRIu32 " clients are registered, no more "
				   "are taken",
				   all);
	return 0;
}

int clients_add(struct clients *clients, uint32_t uid, int32_t pid, uint64_t now_ms,
		uint32_t *number, struct failure *failure)
{
	int error = clients_room(clients, uid, failure);
	struct clients_entry *client;
	uint32_t i = 0;

	if (error != 0) {
		clients->totals.refused_uid += error == -EDQUOT;
		clients->totals.refused_total += error == -EUSERS;
		return error;
	}
	while (i < clients->used && clients->client[i].used)
		i++;
	if (i == clients->used)
		clients->used++;
	client = &clients->client[i];
	memset(client, 0, sizeof(*client));
	client->used = true;
	client->uid = uid;
	client->pid = pid;
	client->since_ms = now_ms;
	clients->totals.registered++;
	*number = i;
	return 0;
}

void clients_gone(struct clients *clients, uint32_t number, uint64_t now_ms)
{
	struct clients_entry *client = &clients->client[number];

	client->gone = true;
	client->lives = true; /* until it is looked at */
	client->gone_ms = now_ms;
}

/* More than the difference of two readings: the fraction of a millisecond is the clients'. */
static bool op_timeout_over(const struct clients *clients, uint64_t since_ms, uint64_t now_ms)
{
	return now_ms > since_ms + clients->op_timeout_ms;
}

/* Its commands are over, and whatever it begins now has the present generation's plan. */
static bool client_over(const struct clients *clients, const struct clients_entry *client,
			uint64_t now_ms)
{
	if (!client->gone || !op_timeout_over(clients, client->gone_ms, now_ms))
		return false;
	return !client->lives || (clients->published_ms > client->gone_ms &&
				  op_timeout_over(clients, clients->published_ms, now_ms));
}

bool clients_forgettable(const struct clients *clients, uint32_t *number, uint64_t now_ms)
{
	for (; *number < clients->used; (*number)++) {
		const struct clients_entry *client = &clients->client[*number];

		if (client->used && client->gone &&
		    op_timeout_over(clients, client->gone_ms, now_ms))
			return true;
	}
	return false;
}

void clients_forget(struct clients *clients, uint32_t number, bool lives, uint64_t now_ms)
{
	struct clients_entry *client = &clients->client[number];

	client->lives = lives;
	if (!client_over(clients, client, now_ms))
		return;
	client->used = false;
	while (clients->used > 0 && !clients->client[clients->used - 1].used)
		clients->used--;
}

/* ---- what they say, and what is seen of them ---- */

int clients_acknowledge(struct clients *clients, uint32_t number, uint32_t generation)
{
	struct clients_entry *client = &clients->client[number];

	if (generation == 0 || generation > clients->generation)
		return -EPROTO;
	if (generation > client->acknowledged)
		client->acknowledged = generation;
	return 0;
}

int clients_refuse(struct clients *clients, uint32_t number, uint32_t generation, uint32_t reason)
{
	struct clients_entry *client = &clients->client[number];

	if (generation == 0 || generation > clients->generation)
		return -EPROTO;
	if (generation > client->refused) {
		client->refused = generation;
		client->reason = reason;
	}
	return 0;
}

void clients_marked(struct clients *clients, uint32_t number, const struct client_marks *marks)
{
	struct clients_entry *client = &clients->client[number];

	client->marks = *marks;
	client->looked = true;
	/* What a client writes there is its own business; no other generation comes of it. */
	if (marks->refused != 0)
		(void)clients_refuse(clients, number, marks->refused, marks->reason);
}

void clients_published(struct clients *clients, uint32_t generation, bool required,
		       uint32_t op_timeout_ms, uint64_t now_ms)
{
	const bool unknown_still = clients->unknown_too && !clients_settled(clients, now_ms);

	/* Whoever planned by the generation before was registered only if that one demanded it, and
	 * with this agent only if this agent published it. */
	clients->unknown_too =
	    !required || !clients->required || clients->generation == 0 || unknown_still;
	clients->generation = generation;
	clients->required = required;
	clients->published_ms = now_ms;
	clients->op_timeout_ms = op_timeout_ms;
	for (uint32_t i = 0; i < clients->used; i++)
		clients->client[i].looked = false;
}

/* ---- how they stand ---- */

static bool client_runs_older(const struct clients *clients, const struct clients_entry *client,
			      uint64_t now_ms)
{
	if (client->gone)
		return !client_over(clients, client, now_ms);
	if (client->acknowledged == clients->generation)
		return false;
	return !client->looked || client->marks.older;
}

bool clients_settled(struct clients *clients, uint64_t now_ms)
{
	if (clients->generation == 0)
		return false;
	if (clients->settled == clients->generation)
		return true;
	if (!op_timeout_over(clients, clients->published_ms, now_ms)) {
		/* Counts of a generation that came round the ring again say nothing. */
		if (clients->unknown_too ||
		    clients->generation - clients->settled > CLIENTS_COUNTED)
			return false;
		for (uint32_t i = 0; i < clients->used; i++)
			if (clients->client[i].used &&
			    client_runs_older(clients, &clients->client[i], now_ms))
				return false;
	}
	clients->settled = clients->generation;
	return true;
}

enum client_standing client_standing(const struct clients *clients, uint32_t number,
				     uint64_t now_ms)
{
	const struct clients_entry *client = &clients->client[number];

	if (client->gone)
		return CLIENT_GONE;
	if (clients->generation != 0 && client->refused == clients->generation)
		return CLIENT_REFUSED;
	if (client_runs_older(clients, client, now_ms))
		return CLIENT_SILENT;
	return client->acknowledged == clients->generation ||
		       client->marks.used == clients->generation
		   ? CLIENT_ADOPTED
		   : CLIENT_IDLE;
}

const char *client_standing_name(enum client_standing standing)
{
	static const char *const names[CLIENT_STANDINGS] = {
	    [CLIENT_ADOPTED] = "adopted", [CLIENT_IDLE] = "idle", [CLIENT_SILENT] = "silent",
	    [CLIENT_REFUSED] = "refused", [CLIENT_GONE] = "gone",
	};

	return names[standing];
}

void clients_count(const struct clients *clients, uint64_t now_ms, uint32_t count[CLIENT_STANDINGS])
{
	memset(count, 0, CLIENT_STANDINGS * sizeof(*count));
	for (uint32_t i = 0; i < clients->used; i++)
		if (clients->client[i].used)
			count[client_standing(clients, i, now_ms)]++;
}

bool clients_quorum_missing(const struct clients *clients, uint32_t quorum, uint64_t now_ms)
{
	uint32_t count[CLIENT_STANDINGS];
	uint64_t all;

	if (quorum == 0)
		return false;
	clients_count(clients, now_ms, count);
	all = (uint64_t)count[CLIENT_ADOPTED] + count[CLIENT_IDLE] + count[CLIENT_SILENT] +
	      count[CLIENT_REFUSED];
	return (uint64_t)count[CLIENT_ADOPTED] * 100 < all * quorum;
}
