/* registered.c - clients that are registered with their agent (core/clients.h), as the daemon and
 * the library have it: who may plan, what each counts, who is looked at and who answers for itself.
 *
 * Looking is as the agent does it: at all behind each publication, and at those that ran something
 * older until they have ended it.  A client's counts are its own memory, so what it planned before
 * it registered, or while its agent was dead, is in them too.
 */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#define GRACE_US    (900u * MS)
#define DEAD_FACTOR 3u

static bool awake(const struct world *world, const struct machine *machine)
{
	return machine->up && machine->stopped_until_us <= world->now_us;
}

/* mcr_registered */
static bool registered(const struct world *world, const struct client *client)
{
	return client->incarnation != 0 &&
	       client->incarnation == world->machine[client->machine].segment.incarnation;
}

/* A client that runs mcr_service learns of a generation a little later. */
static void serve_soon(struct world *world, const struct client *client)
{
	at(world, world->now_us + 1 + pick(world, chance(world, 80) ? 2 * MS : SECOND / 2),
	   EV_CLIENT_SERVE, (uint32_t)(client - world->client), 0, client->life, 0);
}

/* ---- the agent's side ---- */

void registered_start(struct world *world, uint32_t number)
{
	const struct clients_limits limits = {.total = REGISTERED, .per_uid = REGISTERED};
	struct machine *machine = &world->machine[number];

	if (clients_init(&machine->clients, &limits) != 0)
		abort();
	memset(machine->peer, 0, sizeof(machine->peer));
	machine->quorum = 0;
	machine->segment.incarnation = ++world->incarnations;
	machine->segment.started_us = machine->segment.heartbeat_us = local_us(world, number);
	for (uint32_t i = 0; i < CLIENTS; i++)
		if (world->client[i].machine == number && world->client[i].serves)
			serve_soon(world, &world->client[i]);
}

void registered_die(struct world *world, uint32_t number)
{
	clients_free(&world->machine[number].clients);
}

static void look(struct world *world, uint32_t number, uint32_t entry)
{
	struct machine *machine = &world->machine[number];
	const struct client *client = &world->client[machine->peer[entry].client];
	const uint32_t generation = machine->clients.generation;
	const bool lives = client->life == machine->peer[entry].life;
	/* Who died in the midst of something has left its counts as they were. */
	const uint32_t counted = lives		    ? client->counted
				 : client->left.any ? client->left.generation
						    : 0;
	struct client_marks seen = {.used = lives && client->used <= generation ? client->used : 0};

	if (!client->marked)
		return; /* it has to answer for itself */
	seen.older = counted != 0 && counted < generation &&
		     generation - counted <= CLIENTS_COUNTED && counted >= machine->clients.settled;
	clients_marked(&machine->clients, entry, &seen);
}

static void look_at_all(struct world *world, uint32_t number, bool all)
{
	struct machine *machine = &world->machine[number];

	for (uint32_t i = 0; i < machine->clients.used; i++) {
		const struct clients_entry *entry = &machine->clients.client[i];

		if (entry->used && !entry->gone && (all || !entry->looked || entry->marks.older))
			look(world, number, i);
	}
}

void registered_published(struct world *world, uint32_t number, const struct list *list)
{
	struct machine *machine = &world->machine[number];

	machine->quorum = list->client_quorum;
	if (machine->clients.generation == machine->segment.generation)
		return;
	clients_published(&machine->clients, machine->segment.generation,
			  list->registration_required, world->op_timeout_ms,
			  local_ms(world, number));
	look_at_all(world, number, true);
	for (uint32_t i = 0; i < machine->clients.used; i++)
		if (machine->clients.client[i].used && !machine->clients.client[i].gone &&
		    world->client[machine->peer[i].client].serves)
			serve_soon(world, &world->client[machine->peer[i].client]);
}

static void count_settled(struct world *world, uint32_t number, const uint32_t *count)
{
	const struct clients *clients = &world->machine[number].clients;
	const uint64_t now_ms = local_ms(world, number);

	if (now_ms > clients->published_ms + clients->op_timeout_ms) {
		if (count[CLIENT_SILENT] > 0)
			reached(world, REACHED_SILENT);
		if (count[CLIENT_GONE] > 0 && clients->required)
			reached(world, REACHED_GONE);
		return;
	}
	reached(world, REACHED_ADOPTED_EARLY);
	if (count[CLIENT_IDLE] > 0)
		reached(world, REACHED_IDLE_HELD_NOTHING);
	if (now_ms > clients->published_ms && world->machine[number].clients_waited)
		reached(world, REACHED_WAITED_FOR_CLIENT);
}

/* How the host's clients stand, for as long as it has not adopted. */
void registered_tell(struct world *world, uint32_t number)
{
	struct machine *machine = &world->machine[number];
	struct clients *clients = &machine->clients;
	const uint64_t now_ms = local_ms(world, number);
	struct host *host = &machine->host;
	uint32_t count[CLIENT_STANDINGS];
	bool before, settled, missing;

	if (host->published.term == 0 || register_compare(&host->adopted, &host->published) == 0)
		return;
	before = clients->settled == clients->generation;
	look_at_all(world, number, machine->quorum > 0);
	clients_count(clients, now_ms, count);
	settled = clients_settled(clients, now_ms);
	if (settled && !before)
		count_settled(world, number, count);
	machine->clients_waited = !settled && !clients->unknown_too && count[CLIENT_SILENT] > 0;
	missing = clients_quorum_missing(clients, machine->quorum, now_ms);
	if (settled && machine->quorum > 0 && now_ms >= host->adopt_after_ms && !host->held) {
		if (missing && now_ms >= host->limit_after_ms)
			reached(world, REACHED_QUORUM_LIMIT);
		else if (!missing && count[CLIENT_IDLE] + count[CLIENT_SILENT] > 0)
			reached(world, REACHED_QUORUM_PART);
	}
	host_clients(host, settled, missing);
}

/* Those that are gone are forgotten once their process has ended. */
void registered_keep(struct world *world, uint32_t number)
{
	struct machine *machine = &world->machine[number];
	const uint64_t now_ms = local_ms(world, number);

	machine->segment.heartbeat_us = local_us(world, number);
	for (uint32_t i = 0; clients_forgettable(&machine->clients, &i, now_ms); i++) {
		const struct client *client = &world->client[machine->peer[i].client];

		clients_forget(&machine->clients, i,
			       client->alive && client->life == machine->peer[i].life, now_ms);
	}
}

/* What a client said, or that its connection has ended (generation 0). */
void registered_heard(struct world *world, uint32_t number, uint32_t entry, uint32_t attempt,
		      uint32_t generation)
{
	struct machine *machine = &world->machine[number];

	if (!machine->up || machine->peer[entry].attempt != attempt ||
	    !machine->clients.client[entry].used || machine->clients.client[entry].gone)
		return;
	if (generation == 0)
		clients_gone(&machine->clients, entry, local_ms(world, number));
	else if (clients_acknowledge(&machine->clients, entry, generation) == 0)
		reached(world, REACHED_ACKNOWLEDGED);
	agent_pump(world, number);
}

/* ---- the client's side ---- */

static void say(struct world *world, const struct client *client, uint32_t generation)
{
	const bool late = !awake(world, &world->machine[client->machine]) || chance(world, 20);

	if (late)
		at(world, world->now_us + pick(world, 20 * MS), EV_CLIENT_SAYS, client->machine,
		   client->entry, client->attempt, generation);
	else
		registered_heard(world, client->machine, client->entry, client->attempt,
				 generation);
}

static void registering(struct world *world, struct client *client)
{
	struct machine *machine = &world->machine[client->machine];
	const uint32_t number = (uint32_t)(client - world->client);

	if (!awake(world, machine) ||
	    clients_add(&machine->clients, 1000, (int32_t)number + 1,
			local_ms(world, client->machine), &client->entry, NULL) != 0)
		return;
	client->incarnation = machine->segment.incarnation;
	client->attempt = ++world->attempts;
	machine->peer[client->entry].client = (uint8_t)number;
	machine->peer[client->entry].life = client->life;
	machine->peer[client->entry].attempt = client->attempt;
	look(world, client->machine, client->entry);
	if (client->serves)
		serve_soon(world, client);
}

/* It asks to be registered where it wants that, or has to.  True: it is. */
bool registered_open(struct world *world, struct client *client)
{
	if ((client->registers || world->required) && !registered(world, client))
		registering(world, client);
	return registered(world, client);
}

/* mcr_registration_permit: may it plan?  Where registration is optional it may anyway. */
bool registered_permit(struct world *world, struct client *client, bool required)
{
	const struct segment *segment = &world->machine[client->machine].segment;
	const uint64_t now = local_us(world, client->machine);

	if (registered_open(world, client) || !required)
		return true;
	if (now < segment->started_us + GRACE_US ||
	    now > segment->heartbeat_us + DEAD_FACTOR * world->op_timeout_ms * MS) {
		reached(world, REACHED_UNREGISTERED);
		return true;
	}
	reached(world, REACHED_NOT_REGISTERED);
	return false;
}

void registered_begin(struct client *client)
{
	client->counted = client->used = client->generation;
}

void registered_end(struct world *world, struct client *client)
{
	struct machine *machine = &world->machine[client->machine];
	const uint32_t counted = client->counted;

	client->counted = 0;
	if (counted == 0 || counted == machine->segment.generation || !registered(world, client))
		return;
	if (client->unsaid)
		serve_soon(world, client);
	/* The agent looks again each millisecond while one is waited for. */
	if (client->marked && machine->up && machine->clients_waited)
		agent_soon(world, client->machine);
}

/* mcr_service: it acknowledges when it runs nothing older. */
void registered_serve(struct world *world, uint32_t number)
{
	struct client *client = &world->client[number];
	const uint32_t generation = world->machine[client->machine].segment.generation;

	if (!client->alive || !registered_open(world, client) || generation == 0)
		return;
	client->unsaid = client->counted != 0 && client->counted != generation;
	if (client->unsaid)
		reached(world, REACHED_ACKNOWLEDGED_LATER);
	else
		say(world, client, generation);
}

/* Its connection ends: with its process, or alone. */
void registered_gone(struct world *world, struct client *client)
{
	if (registered(world, client) && world->machine[client->machine].up)
		say(world, client, 0);
	client->incarnation = 0;
	client->unsaid = false;
}

/* An agent drops a client, which lives on and goes on with what it has under way. */
void fault_unregisters(struct world *world, uint32_t number)
{
	struct client *client = &world->client[number];

	if (!client->alive || !registered(world, client) ||
	    !awake(world, &world->machine[client->machine]))
		return;
	world->figures->fault[FAULT_UNREGISTERED]++;
	TRACE(world, "client %u loses its registration", number);
	client->incarnation = 0;
	client->unsaid = false;
	registered_heard(world, client->machine, client->entry, client->attempt, 0);
	if (client->serves)
		serve_soon(world, client);
}
