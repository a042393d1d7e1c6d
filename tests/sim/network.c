/* network.c - messages between agents: lost, delayed, doubled, out of order, cut off. */
#include "sim.h"

static void message_post(struct world *world, const struct message *message, uint64_t delay_us)
{
	const uint32_t number = world->message_free;
	struct message *slot;

	if (number == MESSAGES)
		return; /* a full network loses it */
	slot = &world->message[number];
	world->message_free = slot->next_free;
	*slot = *message;
	slot->used = true;
	at(world, world->now_us + delay_us, EV_MESSAGE, message->to, number, 0, 0);
}

void message_send(struct world *world, struct message *message, uint32_t from, uint32_t to)
{
	uint64_t delay_us = 100 + pick(world, world->delay_us);

	message->from = (uint8_t)from;
	message->to = (uint8_t)to;
	message->failover_term = world->machine[from].failover_term;
	message->failover_to = world->machine[from].failover_to;
	if (from == to) {
		message_post(world, message, 0);
		return;
	}
	if (world->cut[from][to])
		return;
	if (chance(world, world->loss_percent)) {
		world->figures->fault[FAULT_LOSS]++;
		return;
	}
	if (world->faults_on && chance(world, world->late_percent)) {
		world->figures->fault[FAULT_REORDER]++;
		delay_us += pick(world, world->struck == STRUCK_AGENTS
					    ? world->lease_ms * MS
					    : 1 + pick(world, world->lease_ms * MS));
	}
	message_post(world, message, delay_us);
	if (chance(world, world->duplicate_percent)) {
		world->figures->fault[FAULT_DUPLICATE]++;
		message_post(world, message, delay_us + pick(world, 600 * MS));
	}
}
