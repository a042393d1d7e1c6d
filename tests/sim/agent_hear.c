/* agent_hear.c - what an agent does with the messages of others (agent/daemon/peers_answer.c). */
#include "sim.h"

#include <string.h>

static bool holds_lease(const struct coord *coord, const uint8_t *key, uint64_t now_ms)
{
	for (uint32_t i = 0; i < coord->host_count; i++)
		if (memcmp(coord->host[i].key, key, LIST_HOST_KEY_BYTES) == 0)
			return coord->host[i].lease_ms > now_ms;
	return false;
}

static void renew_came(struct world *world, uint32_t number, const struct message *from)
{
	struct machine *machine = &world->machine[number];
	struct coord *coord = &machine->coord;
	const enum coord_state before = coord->state;
	struct message answer = {.kind = SAY_GRANT};
	uint8_t key[LIST_HOST_KEY_BYTES];
	bool held;

	memset(key, from->from + 1, sizeof(key));
	if (coord->state == COORD_IDLE || coord->state == COORD_HALTED) {
		answer.kind = SAY_ELSEWHERE;
		answer.coordinator = (uint8_t)coordinator_of(world, number);
		answer.grant.reg = machine->host.known;
		if (machine->host.known.term != 0 && from->from != number)
			message_send(world, &answer, number, from->from);
		return;
	}
	held = holds_lease(coord, key, local_ms(world, number));
	if (coord_renew(coord, key, from->from, &from->renew, local_ms(world, number),
			&answer.grant)) {
		if (answer.grant.lease_ms > 0 && !held &&
		    (from->renew.term != coord->reg.term || from->renew.serial < coord->reg.serial))
			violate(world, "%s grants %s a lease though it has not adopted %llu.%llu",
				machine->name, world->machine[from->from].name,
				(unsigned long long)coord->reg.term,
				(unsigned long long)coord->reg.serial);
		if (answer.grant.lease_ms > 0)
			check_granting(world, number);
		message_send(world, &answer, number, from->from);
	}
	if (coord->state == COORD_HALTED && before != COORD_HALTED) {
		TRACE(world, "%s: %s", machine->name, coord->halted);
		reached(world, REACHED_HALTED);
	}
	if (coord->state == COORD_HALTED && machine->shared) {
		const struct reg newer = {.term = coord->newer_term, .serial = coord->newer_serial};

		candidate_knows(world, number, &newer);
	}
}

/* One order of a term is kept, on disk before it is gone by. */
bool failover_take(struct machine *machine, uint64_t term, uint8_t to)
{
	if (term <= machine->failover_term)
		return false;
	machine->disk.has_failover = true;
	machine->disk.failover_term = machine->failover_term = term;
	machine->disk.failover_to = machine->failover_to = to;
	return true;
}

void agent_message(struct world *world, struct message *message)
{
	const uint32_t number = message->to;
	struct machine *machine = &world->machine[number];
	const uint64_t now_ms = local_ms(world, number);
	struct message answer = {.list = message->list};
	uint64_t usable_ms;

	if (failover_take(machine, message->failover_term, message->failover_to))
		candidate_fails_over(world, number);
	switch ((enum message_kind)message->kind) {
	case SAY_RENEW:
		renew_came(world, number, message);
		break;
	case SAY_GRANT:
		machine->answered_us = world->now_us;
		usable_ms = machine->host.usable_ms;
		host_grant(&machine->host, &message->grant, now_ms);
		if (machine->host.usable_ms > usable_ms)
			check_lease(world, number, message->from);
		break;
	case SAY_REGISTER:
	case SAY_ELSEWHERE:
		if (message->kind == SAY_REGISTER)
			machine->answered_us = world->now_us;
		host_register(&machine->host, &message->grant.reg, now_ms);
		/* Whoever is taken for the coordinator says that another one is. */
		if (message->kind == SAY_ELSEWHERE && message->coordinator != message->from &&
		    message->from == coordinator_of(world, number))
			register_led_by(world, number, message->coordinator);
		break;
	case SAY_LIST_GET:
		answer.kind = SAY_LIST;
		if (machine->disk.list[message->list])
			message_send(world, &answer, number, message->from);
		break;
	case SAY_LIST:
		machine->disk.list[message->list] = true;
		break;
	case SAY_PING:
		answer.kind = SAY_PONG;
		message_send(world, &answer, number, message->from);
		break;
	case SAY_PONG:
		machine->successor_us = world->now_us;
		agent_successor(world, number);
		break;
	}
	agent_pump(world, number);
}
