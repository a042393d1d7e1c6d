/* mover_connection.c - a mover's connections: dialled, identified, lost
 * (agent/daemon/mover_peer.c). */
#include "mover.h"

uint32_t mover_number(const struct world *world, const struct mover *mover)
{
	return (uint32_t)(mover - world->mover);
}

uint64_t mover_ns(const struct world *world, const struct mover *mover)
{
	return local_us(world, mover->machine) * 1000u;
}

void mover_wake(struct world *world, struct mover *mover, uint64_t after_us)
{
	const uint64_t when = world->now_us + after_us;

	if (mover->wake_us > world->now_us && mover->wake_us <= when)
		return;
	mover->wake_us = when;
	at(world, when, EV_MOVER_WAKE, mover_number(world, mover), 0, mover->life, 0);
}

bool mover_reaches(const struct world *world, const struct mover *mover, uint32_t server)
{
	const uint32_t there = world->cache[server].machine;

	return world->cache[server].up && !world->cut[mover->machine][there] &&
	       !world->cut[there][mover->machine] && !world->cut_cache[mover->machine][server];
}

void mover_dial(struct world *world, struct mover *mover, uint32_t server, uint64_t after_us)
{
	if (mover->dialling[server] || mover->connection[server].up)
		return;
	mover->dialling[server] = true;
	at(world, world->now_us + after_us + 2 * world->delay_us, EV_MOVER_DIALLED,
	   mover_number(world, mover), server, mover->life, 0);
}

/* Hangs up: whatever was asked is lost. */
void mover_hang_up(struct world *world, struct mover *mover, uint32_t server)
{
	if (!mover->connection[server].up)
		return;
	connection_close(&mover->connection[server]);
	if (server == mover->server) {
		mover->identified = false;
		mover->busy = false;
		mover->busy_stamp++;
	}
	for (uint32_t i = 0; i < BATCH; i++) {
		struct mover_key *slot = &mover->slot[i];

		if (slot->used && slot->waiting &&
		    (slot->waits_source ? mover->server : slot->server) == server)
			mover_key_lost(world, mover, slot);
	}
	mover_dial(world, mover, server, PAUSE_LONG_US);
	mover_wake(world, mover, 0);
}

/* A server has died: its connections end, where that can be heard. */
void movers_hang_up(struct world *world, uint32_t server)
{
	for (uint32_t i = 0; i < MOVERS; i++) {
		struct mover *mover = &world->mover[i];

		if (mover->used && !mover->finished &&
		    !world->cut[world->cache[server].machine][mover->machine])
			mover_hang_up(world, mover, server);
	}
}

void mover_dialled(struct world *world, uint32_t number, uint32_t server, uint32_t life)
{
	struct mover *mover = &world->mover[number];
	struct connection *connection = &mover->connection[server];
	struct pass_identity found = {.known = true};

	if (!mover->used || mover->life != life || mover->finished)
		return;
	mover->dialling[server] = false;
	if (!mover_reaches(world, mover, server)) {
		mover_dial(world, mover, server, PAUSE_LONG_US);
		return;
	}
	connection->generation++;
	connection->up = true;
	connection->life = world->cache[server].life;
	connection->last_us = connection->last_reply_us = 0;
	found.pid = 1000 + connection->life;
	found.start_time = 5;
	if (server == mover->server) {
		const struct pass_server self = {.identity = found,
						 .cas_enabled = true,
						 .dump_enabled = true,
						 .crawler_enabled = true,
						 .meta_protocol = true};

		if (mover->pass.self.identity.known && mover->pass.self.identity.pid != found.pid)
			reached(world, REACHED_SOURCE_RESTART);
		mover->identified = pass_identified(&mover->pass, &self);
	} else {
		struct pass_identity *known = &mover->known[server];
		const bool same = known->known && known->pid == found.pid;

		if (known->known && !same) {
			reached(world, REACHED_DESTINATION_RESTART);
			for (uint32_t i = 0; i < mover->layout->change->server_count; i++)
				if (mover->layout->server[i] == server)
					pass_destination_restarted(&mover->pass, i);
		}
		if (same && mover->lost_us[server] != 0)
			pass_reservations_unknown(&mover->pass, mover->lost_us[server]);
		mover->lost_us[server] = 0;
		*known = found;
		mover->peer_came = true;
	}
	mover_wake(world, mover, 0);
}
