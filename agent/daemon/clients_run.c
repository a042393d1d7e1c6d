/* clients_run.c - see clients_run.h: when clients are looked at, and who is told what comes of it.
 *
 * After a publication all clients are looked at once, behind a barrier.  As long as one is found to
 * run something older it is looked at again, every LOOK_MS, or more seldom where looking itself
 * takes long; op_timeout after the publication there is nothing more to look for.
 */
#include "daemon/clients_inside.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOOK_MS	       1u
#define LOOK_SHARE     10u /* looking takes no more than a tenth of the time */
#define QUORUM_LOOK_MS 50u
#define KEEP_MS	       250u

uint64_t clients_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

static void timer_set(struct event *timer, uint64_t ms)
{
	const struct timeval in = {.tv_sec = (time_t)(ms / 1000),
				   .tv_usec = (suseconds_t)(ms % 1000 * 1000)};

	(void)event_add(timer, &in);
}

/* ---- looking ---- */

static void peer_look(struct clients_run *run, const struct clients_peer *peer)
{
	struct client_marks seen;

	if (peer->marks == NULL)
		return; /* it has to answer for itself */
	/* What was planned before the generation that has settled is over, also where its end was
	 * never said. */
	clients_marks_look(peer->marks, run->table.settled, run->table.generation, &seen);
	clients_marked(&run->table, peer->number, &seen);
}

void clients_look(struct clients_run *run, struct clients_peer *peer)
{
	if (run->barrier)
		(void)clients_marks_barrier();
	peer_look(run, peer);
}

/* Who has nothing older under way will not have it again. */
static bool worth_a_look(const struct clients_run *run, uint32_t number, bool all)
{
	const struct clients_entry *client = &run->table.client[number];

	return all || !client->looked || client->marks.older;
}

static void peers_look(struct clients_run *run, bool all)
{
	if (run->barrier)
		(void)clients_marks_barrier();
	for (uint32_t i = 0; i < run->table.used; i++)
		if (run->peer[i] != NULL && worth_a_look(run, i, all))
			peer_look(run, run->peer[i]);
}

static void look_again(struct clients_run *run, uint64_t began_ms, uint64_t least_ms)
{
	const uint64_t wait_ms = (clients_now_ms() - began_ms) * LOOK_SHARE;

	timer_set(run->look, wait_ms > least_ms ? wait_ms : least_ms);
}

static void on_look(evutil_socket_t fd, short what, void *context)
{
	struct clients_run *run = context;
	const uint64_t began_ms = clients_now_ms();

	(void)fd;
	(void)what;
	if (!clients_settled(&run->table, began_ms)) {
		peers_look(run, false);
		if (!clients_settled(&run->table, clients_now_ms()))
			look_again(run, began_ms, LOOK_MS);
		else
			clients_learnt(run);
	} else if (run->quorum_waited) {
		peers_look(run, true);
		run->quorum_waited = false; /* unless it is asked for again, and still missing */
		clients_learnt(run);
	}
}

void clients_learnt(struct clients_run *run)
{
	run->changed(run->context);
}

/* ---- housekeeping ---- */

/* Somebody else's process of that number would only make us wait longer. */
static bool process_lives(int32_t pid)
{
	return pid <= 0 || kill(pid, 0) == 0 || errno != ESRCH;
}

static void on_keep(evutil_socket_t fd, short what, void *context)
{
	struct clients_run *run = context;
	const uint64_t now_ms = clients_now_ms();

	(void)fd;
	(void)what;
	clients_half_open_end(run);
	for (uint32_t i = 0; clients_forgettable(&run->table, &i, now_ms); i++)
		clients_forget(&run->table, i, process_lives(run->table.client[i].pid), now_ms);
	timer_set(run->keep, KEEP_MS);
}

/* ---- for the agent ---- */

int clients_run_new(struct event_base *base, const struct clients_options *options,
		    void (*changed)(void *context), void *context, struct clients_run **run,
		    struct failure *failure)
{
	const struct clients_limits limits = {.total = CLIENTS_MAX, .per_uid = options->per_uid};
	struct clients_run *made = calloc(1, sizeof(*made));
	int error = 0;

	if (made == NULL || clients_init(&made->table, &limits) != 0)
		goto no_memory;
	made->base = base;
	made->options = *options;
	made->changed = changed;
	made->context = context;
	(void)snprintf(made->path, sizeof(made->path), "%s", options->path);
	(void)snprintf(made->cluster, sizeof(made->cluster), "%s", options->cluster);
	made->barrier = clients_marks_barrier();
	made->peer = calloc(CLIENTS_MAX, sizeof(struct clients_peer *));
	made->look = evtimer_new(base, on_look, made);
	made->keep = evtimer_new(base, on_keep, made);
	if (made->peer == NULL || made->look == NULL || made->keep == NULL)
		goto no_memory;
	if (made->path[0] != '\0' &&
	    (error = clients_socket_open(made, options->mode, failure)) != 0) {
		clients_run_free(made);
		return error;
	}
	timer_set(made->keep, KEEP_MS);
	*run = made;
	return 0;
no_memory:
	clients_run_free(made);
	return failure_set(failure, ENOMEM, "clients: no memory");
}

void clients_run_free(struct clients_run *run)
{
	if (run == NULL)
		return;
	run->closing = true;
	for (uint32_t i = 0; run->peer != NULL && i < run->table.used; i++)
		if (run->peer[i] != NULL)
			clients_peer_end(run->peer[i]);
	clients_socket_close(run);
	if (run->look != NULL)
		event_free(run->look);
	if (run->keep != NULL)
		event_free(run->keep);
	free(run->peer);
	clients_free(&run->table);
	free(run);
}

void clients_run_limit(struct clients_run *run, uint32_t per_uid)
{
	run->table.limits.per_uid = per_uid;
}

void clients_run_published(struct clients_run *run, uint32_t generation, bool required,
			   uint32_t op_timeout_ms)
{
	const uint64_t now_ms = clients_now_ms();

	if (generation == run->table.generation)
		return;
	clients_published(&run->table, generation, required, op_timeout_ms, now_ms);
	for (uint32_t i = 0; i < run->table.used; i++)
		if (run->peer[i] != NULL && run->peer[i]->watching)
			clients_peer_generation(run->peer[i], generation);
	peers_look(run, true);
	if (!clients_settled(&run->table, now_ms))
		look_again(run, now_ms, LOOK_MS);
}

bool clients_run_settled(struct clients_run *run)
{
	return clients_settled(&run->table, clients_now_ms());
}

bool clients_run_quorum_missing(struct clients_run *run, uint32_t quorum)
{
	if (!clients_quorum_missing(&run->table, quorum, clients_now_ms()))
		return false;
	run->quorum_waited = true;
	if (!event_pending(run->look, EV_TIMEOUT, NULL))
		timer_set(run->look, QUORUM_LOOK_MS);
	return true;
}

const struct clients *clients_run_table(struct clients_run *run)
{
	peers_look(run, true);
	return &run->table;
}

void clients_run_count(const struct clients_run *run, uint32_t count[CLIENT_STANDINGS])
{
	clients_count(&run->table, clients_now_ms(), count);
}

void clients_run_status(struct clients_run *run, struct clients_status *status)
{
	peers_look(run, true);
	clients_count(&run->table, clients_now_ms(), status->count);
	status->half_open = run->half_open_count;
	status->totals = run->table.totals;
	status->misused = run->misused;
	(void)snprintf(status->last_refusal, sizeof(status->last_refusal), "%s", run->last_refusal);
}
