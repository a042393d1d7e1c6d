/* client.c - clients: one operation after the other, by the library's rule table (shmlib/plan.h).
 *
 * A client does what include/mcroster.h asks of a caller, strictly: no plan without a lease.  It
 * may die between any two commands, be stopped for long, or be cut off from one server.
 */
#include "sim.h"

#include <string.h>

#include "plan.h"

#define REPAIR_TRIES 6u

static struct turn *turn_now(struct world *world, const struct client *client)
{
	struct segment *segment = &world->machine[client->machine].segment;

	return &segment->turn[segment->generation % 4];
}

static uint32_t number_of(const struct world *world, const struct client *client)
{
	return (uint32_t)(client - world->client);
}

static void client_idle(struct world *world, struct client *client)
{
	uint32_t pause_us = world->op_pause_us;

	client->at = AT_IDLE;
	client->stamp++;
	if (client->seldom)
		pause_us *= 10;
	/* Dense where the register or a mover moves, sparse where everything waits. */
	if (world->now_us > world->moved_us + 100 * MS &&
	    world->now_us > world->stepped_us + 2 * world->op_timeout_ms * MS)
		pause_us *= world->truth.phase == PHASE_STEADY ? 40 : 20;
	/* A change that gets far has its share of them late: then more is left to drain. */
	if (world->struck == STRUCK_KEYS && world->truth.phase < PHASE_DRAIN)
		pause_us *= 4;
	else if (world->struck == STRUCK_KEYS && world->truth.phase == PHASE_DRAIN)
		pause_us /= 2;
	else if (world->truth.phase == PHASE_SETTLE && world->events < 7000)
		pause_us /= 3; /* which is short */
	else if (world->events > 5600)
		pause_us *= world->events > 7800 ? 300 : world->events > 6800 ? 40 : 6;
	at(world, world->now_us + 1000 + pick(world, pause_us), EV_CLIENT_BEGIN,
	   number_of(world, client), 0, client->life, 0);
}

static void client_done(struct world *world, struct client *client, bool complete, bool stored)
{
	if (client->write != 0)
		write_end(world, client->write, complete, stored);
	client->write = 0;
	client_idle(world, client);
}

/* ---- plans ---- */

/* mcr_begin, strict.  False: no plan. */
static bool client_plan(struct world *world, struct client *client, enum mcr_op op)
{
	const struct segment *segment = &world->machine[client->machine].segment;
	const struct turn *turn = turn_now(world, client);
	const uint64_t now = local_us(world, client->machine);

	if (segment->generation == 0 || now >= segment->deadline_us) {
		if (segment->generation != 0)
			reached(world, REACHED_ISOLATED);
		return false;
	}
	if (!registered_permit(world, client, turn->required))
		return false;
	plan_fill(turn->phase, op, turn->layout->old_owner[client->key],
		  turn->layout->new_owner[client->key], &client->plan);
	client->generation = segment->generation;
	client->vis = turn->vis;
	client->deadline_us = now + turn->op_timeout_ms * MS;
	client->step = 0;
	registered_begin(client);
	return true;
}

static bool client_overtaken(const struct world *world, const struct client *client)
{
	return world->machine[client->machine].segment.generation != client->generation;
}

/* mcr_check and mcr_end's question: is the plan's time over? */
static bool client_overran(const struct world *world, const struct client *client)
{
	const struct segment *segment = &world->machine[client->machine].segment;
	const uint64_t now = local_us(world, client->machine);

	if (now >= client->deadline_us)
		return true;
	if (!client_overtaken(world, client))
		return false;
	return segment->generation - client->generation >= 4 ||
	       now >= segment->turn[(client->generation + 1) % 4].retire_us;
}

/* ---- commands ---- */

static enum verb client_verb(const struct client *client, const struct mcr_step *step)
{
	switch ((enum mcr_send)step->send) {
	case MCR_SEND_READ:
		return DO_GET;
	case MCR_SEND_SET:
		return DO_SET;
	case MCR_SEND_DELETE:
		return DO_DELETE;
	case MCR_SEND_WRITE:
		break;
	}
	switch ((enum mcr_op)client->op) {
	case MCR_OP_ADD:
		return DO_ADD;
	case MCR_OP_UPDATE:
		return DO_UPDATE;
	case MCR_OP_APPEND:
		return DO_APPEND;
	case MCR_OP_TOUCH:
		return DO_TOUCH;
	default:
		return DO_SET;
	}
}

static void client_send(struct world *world, struct client *client, uint32_t server, enum verb verb,
			uint64_t until_local_us)
{
	const uint64_t now = local_us(world, client->machine);
	const uint64_t patience = now + world->op_timeout_ms * MS * 2 / 5;
	struct command *command =
	    command_new(world, &client->connection[server], server, verb, client->key);

	if (patience < until_local_us)
		until_local_us = patience;
	command->owner = (uint16_t)number_of(world, client);
	command->slot = (uint16_t)server;
	command->write = client->write;
	command->floor_us = client->floor_us;
	command->ttl = client->expires ? 3 : 0;
	command->until_us = world_us(world, client->machine, until_local_us);
	client->stamp++;
	command->cas = client->stamp;
	at(world, command->until_us + 1, EV_CLIENT_TIMEOUT, command->owner, server, client->stamp,
	   0);
	command_send(world, command, client->machine);
}

static void client_repair(struct world *world, struct client *client);
static void client_end(struct world *world, struct client *client);

static void client_step(struct world *world, struct client *client)
{
	const struct mcr_step *step = &client->plan.step[client->step];

	if (client_overran(world, client)) {
		reached(world, REACHED_LATE);
		client_end(world, client);
		return;
	}
	if (step->send != MCR_SEND_READ)
		client->wrote = true;
	if (client->at == AT_PLAN)
		client->was_write = step->send == MCR_SEND_WRITE || step->send == MCR_SEND_SET;
	client_send(world, client, step->server, client_verb(client, step), client->deadline_us);
}

/* ---- operations that did not end well: deletes, until they succeed ---- */

static void client_repair_failed(struct world *world, struct client *client)
{
	const uint32_t number = number_of(world, client);

	/* The agent takes it over, or the client tries again itself. */
	if (client->write != 0 && chance(world, 50) &&
	    owing_add(world, client->machine, client->key, 1000, client->write)) {
		client_done(world, client, false, false);
		return;
	}
	if (++client->tries >= REPAIR_TRIES) {
		/* The caller is told that it failed. */
		client_done(world, client, false, false);
		return;
	}
	client->at = AT_REPAIR;
	client->step = MCR_STEPS_MAX; /* a pause, then a new plan */
	client->stamp++;
	at(world, world->now_us + 50 * MS + pick(world, world->op_timeout_ms * MS),
	   EV_CLIENT_TIMEOUT, number, 0, client->stamp, 1);
}

static void client_repair(struct world *world, struct client *client)
{
	client->at = AT_REPAIR;
	client->failed_delete = false;
	if (!client_plan(world, client, MCR_OP_DELETE))
		client_repair_failed(world, client);
	else
		client_step(world, client);
}

static void client_repair_old(struct world *world, struct client *client)
{
	client->at = AT_REPAIR_OLD;
	if (client->repaired == client->old_count) {
		client_repair(world, client);
		return;
	}
	client_send(world, client, client->old_servers[client->repaired++], DO_DELETE, NEVER);
}

static void client_repeat(struct world *world, struct client *client)
{
	reached(world, REACHED_REPEAT);
	key_lost(world, client->key);
	client->old_count = 0;
	client->repaired = 0;
	client->tries = 0;
	for (uint32_t i = 0; i < client->plan.step_count; i++) {
		const uint8_t server = (uint8_t)client->plan.step[i].server;
		bool known = false;

		for (uint32_t j = 0; j < client->old_count; j++)
			known |= client->old_servers[j] == server;
		if (!known)
			client->old_servers[client->old_count++] = server;
	}
	client_repair_old(world, client);
}

/* ---- the end of an operation ---- */

static void client_read_ends(struct world *world, struct client *client, bool overtaken)
{
	const uint32_t key = client->key;

	if (client->found) {
		if (value_is_stale(world, client->found_value, client->floor_us))
			violate(world,
				"client %u reads key %u: the value of write %u, older than a "
				"write that was complete before the read began (stale%s)",
				number_of(world, client), key, client->found_value,
				client->op == MCR_OP_ADD ? ", by add" : "");
	} else if (!client->failed) {
		if (overtaken && !client->planned_again) {
			reached(world, REACHED_MISS_AGAIN);
			client->planned_again = true;
			client->failed = client->found = client->wrote = false;
			if (client_plan(world, client, (enum mcr_op)client->op)) {
				client_step(world, client);
				return;
			}
		} else if (client->stored && !world->given_up && world->fate[key].stored &&
			   world->fate[key].serial == client->stored_serial) {
			violate(world,
				"client %u reads key %u: a miss, though it is stored and no write "
				"overlaps",
				number_of(world, client), key);
		}
	}
	client_done(world, client, false, false);
}

static void client_end(struct world *world, struct client *client)
{
	const bool overtaken = client_overtaken(world, client);
	const bool overran = client_overran(world, client);

	registered_end(world, client);
	if (overtaken && !overran)
		reached(world, REACHED_NEWER);
	if (client->at == AT_REPAIR) {
		if (overran || client->failed_delete) {
			client_repair_failed(world, client);
		} else {
			reached(world, REACHED_REPAIRED);
			client_done(world, client, true, false);
		}
		return;
	}
	if (overran && !client->wrote) {
		/* Nothing but reads: their answer is void. */
		client_done(world, client, false, false);
	} else if (overran) {
		client_repeat(world, client);
	} else if (client->op == MCR_OP_TOUCH && client->plan.answer != MCR_ANSWER_READ) {
		client_done(world, client, false, false);
	} else if (client->op == MCR_OP_GET || client->op == MCR_OP_TOUCH ||
		   (client->op == MCR_OP_ADD && client->found)) {
		client_read_ends(world, client, overtaken);
	} else if (client->failed_delete) {
		client->tries = 0;
		client_repair(world, client);
	} else if (client->failed || client->plan.answer == MCR_ANSWER_NOT_STORED) {
		client_done(world, client, false, false);
	} else {
		client_done(world, client, true,
			    !client->expires &&
				(client->op == MCR_OP_SET || client->op == MCR_OP_ADD));
	}
}

static void client_next(struct world *world, struct client *client)
{
	if (++client->step < client->plan.step_count)
		client_step(world, client);
	else
		client_end(world, client);
}

/* One step was answered, or failed (command NULL). */
static void client_answered(struct world *world, struct client *client,
			    const struct command *command)
{
	const struct mcr_step *step = &client->plan.step[client->step];
	const enum move_answer answer = command != NULL ? command->reply.answer : MOVE_LOST;

	if (client->at == AT_REPAIR_OLD) {
		/* A server that cannot be reached now: the operation is not complete. */
		if (answer == MOVE_LOST)
			client_repair_failed(world, client);
		else
			client_repair_old(world, client);
		return;
	}
	switch ((enum mcr_send)step->send) {
	case MCR_SEND_READ:
		if (answer == MOVE_LOST) {
			client->failed = true;
		} else if (answer == MOVE_OK && command->empty) {
			reached(world, REACHED_STUB_SEEN);
			if (!step->empty_is_miss && !client_overran(world, client))
				violate(world, "client %u reads key %u: a reservation, as a value",
					number_of(world, client), client->key);
		} else if (answer == MOVE_OK) {
			client->found = true;
			client->found_value = command->value;
			client_end(world, client);
			return;
		}
		break;
	case MCR_SEND_DELETE:
		if (answer == MOVE_LOST)
			client->failed_delete = true;
		break;
	case MCR_SEND_WRITE:
	case MCR_SEND_SET:
		if (answer != MOVE_OK)
			client->failed = true;
		break;
	}
	client_next(world, client);
}

void client_replied(struct world *world, struct command *command)
{
	struct client *client = &world->client[command->owner];

	if (!client->alive || client->stamp != (uint32_t)command->cas)
		return;
	if (command->reply.answer == MOVE_LOST)
		connection_close(&client->connection[command->server]);
	client_answered(world, client, command);
}

/* A command's time-out, or the end of a pause. */
void client_timeout(struct world *world, uint32_t number)
{
	struct client *client = &world->client[number];

	if (client->at == AT_REPAIR && client->step == MCR_STEPS_MAX) {
		if (client->old_count > client->repaired)
			client_repair_old(world, client);
		else
			client_repair(world, client);
		return;
	}
	for (uint32_t s = 0; s < SERVERS; s++)
		connection_close(&client->connection[s]);
	client_answered(world, client, NULL);
}

/* ---- beginning ---- */

void client_begin(struct world *world, uint32_t number)
{
	struct client *client = &world->client[number];
	const uint8_t key = choose_key(world);
	const enum mcr_op op = choose_op(world, key);
	const uint32_t generation = client->generation;

	client->key = key;
	client->op = (uint8_t)op;
	client->failed = client->failed_delete = client->found = client->wrote = false;
	client->planned_again = client->was_write = false;
	client->old_count = client->repaired = 0;
	client->expires = chance(world, 3);
	client->floor_us = world->fate[client->key].floor_us;
	client->stored = world->fate[client->key].stored;
	client->stored_serial = world->fate[client->key].serial;
	if (!client_plan(world, client, op)) {
		at(world, world->now_us + 300 * MS + pick(world, 4 * world->op_timeout_ms * MS),
		   EV_CLIENT_BEGIN, number, 0, client->life, 0);
		return;
	}
	if (generation != 0 && client->generation > generation + 1)
		reached(world, REACHED_IDLE);
	client->at = AT_PLAN;
	client->begin_us = world->now_us;
	world->figures->operations++;
	if (op != MCR_OP_GET && op != MCR_OP_TOUCH)
		client->write = write_begin(world, client->key);
	else if (client->stored && client->plan.step_count > 1)
		reached(world, REACHED_STORED_READ);
	TRACE(world, "  client %u on %s: op %u key %u, %s, floor %.4f%s", number,
	      world->machine[client->machine].name, op, client->key,
	      mcr_phase_name((enum mcr_phase)client->plan.phase), (double)client->floor_us / SECOND,
	      client->write != 0 ? ", a write" : "");
	check_operation(world, number);
	client_step(world, client);
}

void client_dies(struct world *world, uint32_t number, bool back)
{
	struct client *client = &world->client[number];

	if (!client->alive)
		return;
	TRACE(world, "  client %u dies", number);
	if (client->at != AT_IDLE && client->wrote)
		reached(world, REACHED_DIED_BETWEEN);
	client->left.any = client->counted != 0;
	client->left.generation = client->counted;
	client->left.vis = client->vis;
	client->left.deadline_us = client->deadline_us;
	client->counted = client->used = 0;
	registered_gone(world, client);
	commands_orphan(world, false, number);
	if (client->write != 0)
		write_end(world, client->write, false, false);
	client->write = 0;
	client->alive = false;
	client->at = AT_IDLE;
	client->life++;
	client->stamp++;
	for (uint32_t s = 0; s < SERVERS; s++)
		connection_close(&client->connection[s]);
	if (back)
		at(world, world->now_us + pick(world, 3 * SECOND), EV_CLIENT_BORN, number, 0,
		   client->life, 0);
}

void client_born(struct world *world, uint32_t number)
{
	struct client *client = &world->client[number];

	client->alive = true;
	(void)registered_open(world, client);
	client_idle(world, client);
}
