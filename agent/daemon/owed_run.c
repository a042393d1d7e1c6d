/* owed_run.c - see owed_run.h.
 *
 * Events only note what happened and ask for a turn; what the queue wants is done in the turn,
 * which nothing of ours calls from within itself.  A connection is dialled when something is to be
 * sent and nothing else: the queue's pause after a failure is the pause before the next dialling.
 */
#include "daemon/owed_run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "daemon/log.h"
#include "daemon/owed_store.h"
#include "net/mc_conn.h"

#define TICK_MIN_MS 10u
#define TICK_MAX_MS 100u
#define TICKS	    8u	  /* in an op_timeout */
#define VALUE_MAX   1024u /* a delete is answered without a value */

struct owed_wait {
	struct owed_wait *previous, *next;
	uint32_t entry;
	uint64_t sequence;
	bool accepted;
	owed_run_done *done;
	void *context;
};

struct peer {
	struct peer *next;
	struct owed_run *run;
	struct mc_conn *conn; /* NULL: not connected */
	char address[LIST_ADDRESS_MAX + 1];
	char why[160]; /* it was last closed, as it was logged */
};

struct owed_run {
	struct owed owed;
	struct event_base *base;
	struct event *turn, *tick;
	struct owed_store *store;
	const struct mc_access_list *access;
	struct change *change; /* our copy */
	enum phase phase;
	uint32_t generation;
	struct peer *peers;
	struct owed_wait **waits; /* by entry */
	struct failure trouble;
};

static uint64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

static void turn_wanted(struct owed_run *run)
{
	event_active(run->turn, EV_TIMEOUT, 1);
}

/* ---- who waits ---- */

static void wait_unlink(struct owed_run *run, struct owed_wait *wait)
{
	if (wait->previous != NULL)
		wait->previous->next = wait->next;
	else
		run->waits[wait->entry] = wait->next;
	if (wait->next != NULL)
		wait->next->previous = wait->previous;
}

/* The first that is concerned by this action and has not been told. */
static struct owed_wait *wait_concerned(const struct owed_run *run,
					const struct owed_action *action)
{
	struct owed_wait *wait = run->waits[action->entry];

	while (wait != NULL && (wait->sequence > action->up_to ||
				wait->accepted != (action->type == OWED_COMPLETE)))
		wait = wait->next;
	return wait;
}

static void waits_tell(struct owed_run *run, const struct owed_action *action)
{
	const enum owed_news news = action->type == OWED_COMPLETE ? OWED_IS_COMPLETE
				    : action->accepted		  ? OWED_IS_ACCEPTED
								  : OWED_IS_REFUSED;
	struct owed_wait *wait;

	/* From the front each time: whoever is told may add and forget. */
	while ((wait = wait_concerned(run, action)) != NULL) {
		const struct owed_wait told = *wait;

		if (news == OWED_IS_ACCEPTED) {
			wait->accepted = true;
		} else {
			wait_unlink(run, wait);
			free(wait);
		}
		if (told.done != NULL)
			told.done(told.context, news);
	}
}

int owed_run_add(struct owed_run *run, const void *key, size_t key_bytes, uint32_t uid,
		 owed_run_done *done, void *context, struct owed_wait **out,
		 struct failure *failure)
{
	struct owed_wait *wait = calloc(1, sizeof(*wait));
	struct owed_ticket ticket;
	int error;

	if (wait == NULL)
		return failure_set(failure, ENOMEM, "no memory for a key that is owed");
	error = owed_add(&run->owed, key, key_bytes, uid, (uint64_t)time(NULL), &ticket, failure);
	if (error != 0) {
		free(wait);
		return error;
	}
	*wait = (struct owed_wait){.next = run->waits[ticket.entry],
				   .entry = ticket.entry,
				   .sequence = ticket.sequence,
				   .done = done,
				   .context = context};
	if (wait->next != NULL)
		wait->next->previous = wait;
	run->waits[ticket.entry] = wait;
	*out = wait;
	turn_wanted(run);
	return 0;
}

void owed_run_forget(struct owed_run *run, struct owed_wait *wait)
{
	wait_unlink(run, wait);
	free(wait);
}

/* ---- connections ---- */

/* By its name in the list agent.conf says how it is spoken to. */
static const char *server_name(const struct owed_run *run, const char *address)
{
	for (uint32_t i = 0; run->change != NULL && i < run->change->server_count; i++)
		if (strcmp(run->change->servers[i].address, address) == 0)
			return run->change->servers[i].name;
	return "";
}

static void peer_reply(void *context, void *command, const struct mc_reply *reply)
{
	struct peer *peer = context;
	const enum owed_reply answer = reply->code == MC_HD || reply->code == MC_NF
					   ? OWED_REPLY_DELETED
				       : reply->code == MC_LOST ? OWED_REPLY_LOST
								: OWED_REPLY_REFUSED;

	owed_replied(&peer->run->owed, (uint32_t)(uintptr_t)command, answer, now_ms());
	turn_wanted(peer->run);
}

static void peer_ready(void *context)
{
	(void)context; /* what was sent before is on its way */
}

static void peer_closed(void *context, const char *why)
{
	struct peer *peer = context;

	peer->conn = NULL;
	if (strcmp(peer->why, why) == 0)
		return;
	(void)snprintf(peer->why, sizeof(peer->why), "%s", why);
	log_event(LOG_LEVEL_WARNING,
		  &(const struct log_fields){.event = "owed-not-delivered",
					     .server = server_name(peer->run, peer->address)},
		  "what clients owe server %s %s cannot be carried out there: %s",
		  server_name(peer->run, peer->address), peer->address, why);
}

static const struct mc_conn_events peer_events = {
    .ready = peer_ready, .reply = peer_reply, .closed = peer_closed};

static struct peer *peer_find(const struct owed_run *run, const char *address)
{
	struct peer *peer = run->peers;

	while (peer != NULL && strcmp(peer->address, address) != 0)
		peer = peer->next;
	return peer;
}

/* Connected, or being so; NULL: it cannot be dialled. */
static struct mc_conn *peer_conn(struct owed_run *run, const char *address)
{
	struct peer *peer = peer_find(run, address);

	if (peer == NULL) {
		peer = calloc(1, sizeof(*peer));
		if (peer == NULL)
			return NULL;
		peer->run = run;
		(void)strncpy(peer->address, address, LIST_ADDRESS_MAX);
		peer->next = run->peers;
		run->peers = peer;
	}
	if (peer->conn == NULL &&
	    mc_conn_open(run->base, address, mc_access_find(run->access, server_name(run, address)),
			 run->change->op_timeout_ms, VALUE_MAX, &peer_events, peer, &peer->conn,
			 NULL) != 0)
		peer->conn = NULL;
	return peer->conn;
}

/* Connections on which nothing is outstanding are given up once nothing is owed, or the lists have
 * changed. */
static void peers_sweep(struct owed_run *run)
{
	struct peer **link = &run->peers;

	while (*link != NULL) {
		struct peer *peer = *link;

		if (peer->conn != NULL && mc_conn_outstanding(peer->conn) > 0) {
			link = &peer->next;
			continue;
		}
		*link = peer->next;
		mc_conn_close(peer->conn);
		free(peer);
	}
}

static void send_delete(struct owed_run *run, const struct owed_action *action)
{
	struct mc_conn *conn = peer_conn(run, action->address);
	char *room = mc_conn_room(conn, MC_COMMAND_MAX);
	struct mc_key key;

	if (room == NULL || mc_key_write(action->key, action->key_bytes, &key) != 0) {
		owed_replied(&run->owed, action->command, OWED_REPLY_LOST, now_ms());
		return;
	}
	mc_conn_send(conn, mc_write_delete(room, &key), (void *)(uintptr_t)action->command);
}

static void hang_up(struct owed_run *run, const char *address)
{
	struct peer *peer = peer_find(run, address);

	if (peer != NULL && peer->conn != NULL)
		mc_conn_fail(peer->conn, "it has not answered in time");
}

/* ---- the turn ---- */

static void store(struct owed_run *run, const struct owed_action *action)
{
	struct failure failure;
	const int error =
	    action->type == OWED_APPEND
		? owed_store_append(run->store, action->bytes, action->length, &failure)
		: owed_store_rewrite(run->store, &run->owed, &failure);

	if (error != 0 && strcmp(run->trouble.text, failure.text) != 0)
		log_line(LOG_LEVEL_ERROR, "%s: nothing more that clients owe is taken",
			 failure.text);
	if (error == 0 && run->trouble.text[0] != '\0')
		log_line(LOG_LEVEL_NOTICE, "owed invalidations are stored again");
	if (error != 0)
		run->trouble = failure;
	else
		run->trouble.text[0] = '\0';
	owed_stored(&run->owed, error == 0, now_ms());
}

static void run_do(struct owed_run *run, const struct owed_action *action)
{
	switch (action->type) {
	case OWED_APPEND:
	case OWED_REWRITE:
		store(run, action);
		break;
	case OWED_ANSWER:
	case OWED_COMPLETE:
		waits_tell(run, action);
		break;
	case OWED_SEND:
		send_delete(run, action);
		break;
	case OWED_HANG_UP:
		hang_up(run, action->address);
		break;
	}
}

static void tick_later(struct owed_run *run)
{
	uint32_t pause_ms = run->change != NULL ? run->change->op_timeout_ms / TICKS : TICK_MAX_MS;
	struct timeval pause = {0};

	if (event_pending(run->tick, EV_TIMEOUT, NULL))
		return;
	pause_ms = pause_ms < TICK_MIN_MS ? TICK_MIN_MS : pause_ms;
	pause.tv_usec = (suseconds_t)(pause_ms < TICK_MAX_MS ? pause_ms : TICK_MAX_MS) * 1000;
	(void)event_add(run->tick, &pause);
}

static void turn_event(evutil_socket_t fd, short what, void *argument)
{
	struct owed_run *run = argument;
	struct owed_action action;

	(void)fd;
	(void)what;
	while (owed_next(&run->owed, now_ms(), &action))
		run_do(run, &action);
	if (run->owed.keys > 0 || run->owed.running > 0 || run->owed.rewrite_now)
		tick_later(run);
	else
		peers_sweep(run);
}

static void tick_event(evutil_socket_t fd, short what, void *argument)
{
	struct owed_run *run = argument;

	owed_tick(&run->owed, now_ms());
	turn_event(fd, what, run);
}

/* ---- what is published ---- */

int owed_run_phase(struct owed_run *run, const struct change *change, enum phase phase,
		   uint32_t generation, uint64_t lease_ms)
{
	struct change *copy = NULL;
	struct owed_present present = {.phase = phase, .generation = generation};

	owed_lease(&run->owed, lease_ms);
	if (run->change != NULL && change != NULL && run->phase == phase &&
	    run->generation == generation) {
		if (run->owed.keys > 0)
			turn_wanted(run);
		return 0;
	}
	if (change != NULL)
		copy = change_copy(change);
	present.change = copy;
	owed_present(&run->owed, &present, now_ms());
	change_free(run->change);
	run->change = copy;
	run->phase = phase;
	run->generation = generation;
	peers_sweep(run);
	turn_wanted(run);
	return change != NULL && copy == NULL ? -ENOMEM : 0;
}

bool owed_run_has_server(const struct owed_run *run, const char *name, const char *address)
{
	for (uint32_t i = 0; run->change != NULL && i < run->change->server_count; i++)
		if (strcmp(run->change->servers[i].name, name) == 0 &&
		    strcmp(run->change->servers[i].address, address) == 0)
			return true;
	return false;
}

bool owed_run_in_flight(const struct owed_run *run, uint32_t generation)
{
	return owed_in_flight(&run->owed, generation);
}

void owed_run_status(const struct owed_run *run, struct owed_status *status, const char **trouble)
{
	owed_status(&run->owed, status);
	*trouble = run->trouble.text;
}

void owed_run_status_servers(const struct owed_run *run, struct owed_to *to, uint32_t count)
{
	owed_status_servers(&run->owed, to, count);
}

/* ---- up and down ---- */

static void damage_log(const char *directory, const struct owed_damage *damage, uint32_t keys)
{
	if (damage->torn_bytes > 0)
		log_line(LOG_LEVEL_WARNING,
			 "%s/owed: its last %" PRIu64 " bytes are no whole record and are cut; a "
			 "record that was not finished was not answered",
			 directory, damage->torn_bytes);
	if (damage->damaged_bytes > 0)
		log_line(LOG_LEVEL_ERROR,
			 "%s/owed: %" PRIu64 " bytes within it are damaged: keys that were owed in "
			 "them are unknown and may be stale on a server that was out of reach",
			 directory, damage->damaged_bytes);
	if (keys > 0)
		log_line(LOG_LEVEL_NOTICE, "%" PRIu32 " keys are owed since before this start",
			 keys);
}

int owed_run_new(struct event_base *base, const char *state_directory,
		 const struct owed_limits *limits, const struct mc_access_list *access,
		 struct owed_run **out, struct failure *failure)
{
	struct owed_run *run;
	struct owed_damage damage;
	uint64_t seed;
	int error;

	if (sodium_init() < 0)
		return failure_set(failure, EIO, "libsodium cannot be initialised");
	run = calloc(1, sizeof(*run));
	if (run == NULL)
		return failure_set(failure, ENOMEM, "no memory for owed invalidations");
	run->base = base;
	run->access = access;
	randombytes_buf(&seed, sizeof(seed));
	error = owed_init(&run->owed, limits, seed);
	run->waits = calloc(OWED_ENTRIES_MAX, sizeof(*run->waits));
	run->turn = event_new(base, -1, 0, turn_event, run);
	run->tick = event_new(base, -1, 0, tick_event, run);
	if (error != 0 || run->waits == NULL || run->turn == NULL || run->tick == NULL) {
		error = failure_set(failure, ENOMEM, "no memory for owed invalidations");
		goto failed;
	}
	error = owed_store_open(state_directory, &run->owed, &run->store, &damage, failure);
	if (error != 0)
		goto failed;
	damage_log(state_directory, &damage, run->owed.keys);
	turn_wanted(run);
	*out = run;
	return 0;
failed:
	owed_run_free(run);
	return error;
}

void owed_run_free(struct owed_run *run)
{
	if (run == NULL)
		return;
	while (run->peers != NULL) {
		struct peer *peer = run->peers;

		run->peers = peer->next;
		mc_conn_close(peer->conn);
		free(peer);
	}
	for (uint32_t i = 0; run->waits != NULL && i < OWED_ENTRIES_MAX; i++)
		while (run->waits[i] != NULL)
			owed_run_forget(run, run->waits[i]);
	if (run->turn != NULL)
		event_free(run->turn);
	if (run->tick != NULL)
		event_free(run->tick);
	owed_store_close(run->store);
	change_free(run->change);
	owed_free(&run->owed);
	free(run->waits);
	free(run);
}
