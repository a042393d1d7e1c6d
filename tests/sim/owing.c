/* owing.c - what an agent owes (core/owed.h): its journal, its deletes, and whom it tells. */
#include "core/owed_internal.h"
#include "sim.h"

#include <stdlib.h>
#include <string.h>

void owing_start(struct world *world, uint32_t number)
{
	struct machine *machine = &world->machine[number];
	const struct owed_limits limits = {.keys = 8, .keys_per_uid = 2};
	struct owed_damage damage;

	memset(machine->wait, 0, sizeof(machine->wait));
	for (uint32_t s = 0; s < SERVERS; s++)
		connection_close(&machine->connection[s]);
	if (owed_init(&machine->owed, &limits, draw(world)) != 0)
		abort();
	if (machine->journal_bytes == 0)
		return;
	if (owed_load(&machine->owed, machine->journal, machine->journal_bytes, &damage, NULL) != 0)
		violate(world, "%s: its journal of owed keys cannot be read", machine->name);
	if (machine->owed.keys > 0)
		reached(world, REACHED_OWED_LOADED);
}

void owing_die(struct world *world, uint32_t number)
{
	for (uint32_t i = 0; i < COMMANDS; i++)
		if (world->command[i].used && world->command[i].by_agent &&
		    world->command[i].owner == number)
			world->command[i].orphan = true;
	owed_free(&world->machine[number].owed);
}

/* A client hands a key over.  True: the agent will say whether it has taken it. */
bool owing_add(struct world *world, uint32_t number, uint32_t key, uint32_t uid, uint32_t write)
{
	struct machine *machine = &world->machine[number];
	struct owed_ticket ticket;

	if (!machine->up || world->now_us < machine->stopped_until_us)
		return false;
	for (uint32_t i = 0; i < WAITS; i++) {
		struct owed_waiting *wait = &machine->wait[i];

		if (wait->used)
			continue;
		if (owed_add(&machine->owed, world->key[key], strlen(world->key[key]), uid, 0,
			     &ticket, NULL) != 0) {
			reached(world, REACHED_OWED_REFUSED);
			return false;
		}
		TRACE(world, "  %s is asked to owe key %u for write %u", machine->name, key, write);
		*wait = (struct owed_waiting){.used = true, .write = write, .ticket = ticket};
		agent_pump(world, number);
		return true;
	}
	return false;
}

static void told(struct world *world, struct machine *machine, const struct owed_action *action)
{
	for (uint32_t i = 0; i < WAITS; i++) {
		struct owed_waiting *wait = &machine->wait[i];

		if (!wait->used || wait->ticket.entry != action->entry ||
		    wait->ticket.sequence > action->up_to)
			continue;
		if (action->type == OWED_COMPLETE) {
			TRACE(world, "  %s: write %u is complete by an owed delete", machine->name,
			      wait->write);
			reached(world, REACHED_OWED_DONE);
			write_complete(world, wait->write);
			wait->used = false;
		} else if (!action->accepted) {
			wait->used = false;
		} else {
			reached(world, REACHED_OWED);
		}
	}
}

static void journal_put(struct machine *machine, const uint8_t *bytes, size_t length)
{
	memcpy(machine->journal + machine->journal_bytes, bytes, length);
	machine->journal_bytes += (uint32_t)length;
}

/* False: the agent is dead. */
static bool append(struct world *world, uint32_t number, const struct owed_action *action)
{
	struct machine *machine = &world->machine[number];
	const uint32_t fate = harsh(world) ? pick(world, 30) : 3;
	const uint8_t *bytes = action->bytes;

	if (machine->journal_bytes + action->length > sizeof(machine->journal) || fate == 0) {
		world->figures->fault[FAULT_STORE_FAILS]++;
		owed_stored(&machine->owed, false, local_ms(world, number));
		return true;
	}
	if (fate == 1) {
		world->figures->fault[FAULT_STORE_BEFORE]++;
		journal_put(machine, bytes, pick(world, (uint32_t)action->length));
		agent_crash(world, number, pick(world, 3 * SECOND));
		return false;
	}
	journal_put(machine, bytes, action->length);
	if (fate == 2) {
		world->figures->fault[FAULT_STORE_AFTER]++;
		agent_crash(world, number, pick(world, 3 * SECOND));
		return false;
	}
	owed_stored(&machine->owed, true, local_ms(world, number));
	return true;
}

static void rewrite(struct world *world, uint32_t number)
{
	struct machine *machine = &world->machine[number];
	uint8_t bytes[OWED_RECORD_MAX], whole[sizeof(machine->journal)];
	struct owed_cursor cursor = {0};
	size_t length, total = 0;

	while ((length = owed_snapshot(&machine->owed, &cursor, bytes, sizeof(bytes))) > 0 &&
	       total + length <= sizeof(whole)) {
		memcpy(whole + total, bytes, length);
		total += length;
	}
	if (length == 0) {
		memcpy(machine->journal, whole, total);
		machine->journal_bytes = (uint32_t)total;
	}
	owed_stored(&machine->owed, length == 0, local_ms(world, number));
}

static const struct owed_execution *execution_of(const struct owed *owed, uint32_t command)
{
	for (uint32_t i = 0; i < OWED_RUNNING_MAX; i++)
		if (owed->execution[i].command == command)
			return &owed->execution[i];
	return NULL;
}

static void owing_send(struct world *world, uint32_t number, const struct owed_action *action)
{
	struct machine *machine = &world->machine[number];
	const uint32_t server = machine->owed_layout->server[action->server];
	struct command *command;
	uint32_t key = 0;

	while (strncmp(world->key[key], (const char *)action->key, action->key_bytes) != 0 ||
	       strlen(world->key[key]) != action->key_bytes)
		key++;
	command = command_new(world, &machine->connection[server], server, DO_DELETE, key);
	command->by_agent = true;
	command->owner = (uint16_t)number;
	command->cas = action->command;
	command->until_us =
	    world_us(world, number, execution_of(&machine->owed, action->command)->timeout_ms * MS);
	key_lost(world, key);
	command_send(world, command, number);
}

void owing_replied(struct world *world, struct command *command)
{
	struct machine *machine = &world->machine[command->owner];
	const bool lost = command->reply.answer == MOVE_LOST;
	const struct owed_execution *execution =
	    execution_of(&machine->owed, (uint32_t)command->cas);
	const uint32_t entry = execution != NULL ? execution->entry : OWED_NONE;

	if (lost)
		connection_close(&machine->connection[command->server]);
	owed_replied(&machine->owed, (uint32_t)command->cas,
		     lost ? OWED_REPLY_LOST : OWED_REPLY_DELETED, local_ms(world, command->owner));
	if (entry != OWED_NONE && owed_at(&machine->owed, entry)->state == OWED_PAID &&
	    local_us(world, command->owner) >= machine->segment.deadline_us)
		violate(world, "%s: an owed delete of key %u counts though its lease had run out",
			machine->name, command->key);
	agent_pump(world, command->owner);
}

/* Carries out what the queue wants.  False: the agent died of it. */
bool owing_pump(struct world *world, uint32_t number)
{
	struct machine *machine = &world->machine[number];
	struct owed_action action;

	while (owed_next(&machine->owed, local_ms(world, number), &action)) {
		switch (action.type) {
		case OWED_APPEND:
			if (!append(world, number, &action))
				return false;
			break;
		case OWED_REWRITE:
			rewrite(world, number);
			break;
		case OWED_ANSWER:
		case OWED_COMPLETE:
			told(world, machine, &action);
			break;
		case OWED_SEND:
			owing_send(world, number, &action);
			break;
		case OWED_HANG_UP:
			connection_close(&machine->connection[action.address[7] - '1']);
			break;
		}
	}
	return true;
}

void owing_tick(struct world *world, uint32_t number)
{
	struct machine *machine = &world->machine[number];

	owed_tick(&machine->owed, local_ms(world, number));
	world->figures->reached[REACHED_OWED_LATE] +=
	    machine->owed.counts.late - machine->owed_late;
	machine->owed_late = machine->owed.counts.late;
}

void owing_present(struct world *world, uint32_t number, const struct reg *reg)
{
	struct machine *machine = &world->machine[number];
	struct owed_present present;

	machine->owed_layout = lists_of(world, reg);
	present = (struct owed_present){.change = machine->owed_layout->change,
					.phase = (enum phase)reg->phase,
					.generation = machine->segment.generation};
	owed_present(&machine->owed, &present, local_ms(world, number));
}
