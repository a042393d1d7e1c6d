/* faults_etcd.c - what goes wrong with an etcd that holds the register, and with who leads by it.
 */
#include "sim.h"

#include <string.h>

static void count(struct world *world, enum fault fault)
{
	world->figures->fault[fault]++;
}

static uint32_t candidate_any(struct world *world)
{
	const uint32_t leading = leader(world);

	return leading != NOBODY && chance(world, 60) ? leading
						      : world->candidate[pick(world, CANDIDATES)];
}

static void cut_off(struct world *world, uint32_t number)
{
	struct etcd *etcd = &world->etcd;
	const bool in = chance(world, 70), out = !in || chance(world, 60);

	count(world, FAULT_ETCD_CUT);
	TRACE(world, "%s is cut off from etcd%s", world->machine[number].name,
	      in && out ? ""
	      : in	? ", on the way there"
			: ", on the way back");
	etcd->cut_in[number] |= in;
	etcd->cut_out[number] |= out;
	fault_heals_later(world);
}

static void stop_leader(struct world *world, uint32_t number)
{
	count(world, FAULT_STOPPED_AGENT);
	fault_stops(world, number, chance(world, 50));
}

/* Does every candidate know more than what comes back?  Then none leads from it. */
static bool candidates_know(const struct world *world, const struct reg *older)
{
	for (uint32_t i = 0; i < CANDIDATES; i++) {
		const struct disk *disk = &world->machine[world->candidate[i]].disk;

		if (!disk->has_host || disk->host.reg.term == 0 ||
		    (older != NULL && register_compare(&disk->host.reg, older) <= 0))
			return false;
	}
	return true;
}

/* etcd's data is lost, or an older backup of it comes back: for a while, or for good. */
static void set_back(struct world *world)
{
	struct etcd *etcd = &world->etcd;
	const struct reg *older = NULL;

	if (etcd->set_back || world->register_gone || world->disks_lost > 0 ||
	    world->history_count < 4)
		return;
	if (chance(world, 25)) {
		/* All of it, for good: nobody needs to know anything. */
		world->disks_lost++;
		world->register_gone = true;
		count(world, FAULT_REGISTER_LOST);
		TRACE(world, "etcd is gone for good");
		etcd->gone = true;
		etcd->up = false;
		return;
	}
	if (chance(world, 60))
		older = &world->history[world->history_count - 2 -
					pick(world, world->history_count < 6 ? 2 : 4)];
	if (!candidates_know(world, older))
		return;
	world->disks_lost++;
	count(world, older != NULL ? FAULT_ETCD_SET_BACK : FAULT_ETCD_EMPTIED);
	TRACE(world, "etcd %s", older != NULL ? "comes back with an older register" : "is emptied");
	etcd_set_back(world, older);
	if (chance(world, 60))
		world->register_gone = true;
	else
		/* Not before an earlier leadership has ended. */
		at(world, world->now_us + world->ttl_s * SECOND + pick(world, 8 * SECOND),
		   EV_ETCD_BACK, 0, 0, 0, 0);
}

static void no_space(struct world *world)
{
	struct fake_etcd *fake = &world->etcd.fake;

	fake->no_space = true;
	fake->no_space_lies = chance(world, 30);
	TRACE(world, "etcd is out of space%s",
	      fake->no_space_lies ? ", and carries out what it refuses" : "");
	fault_heals_later(world);
}

void fault_strikes_etcd(struct world *world)
{
	struct etcd *etcd = &world->etcd;
	const uint32_t number = candidate_any(world), lease_us = world->ttl_s * SECOND;

	/* Who had to wait for an answer may have to wait for the next one too. */
	if (etcd->slow_us > world->now_us && chance(world, 50))
		cut_off(world, number);
	switch (pick(world, 18)) {
	case 0:
	case 1:
		if (!etcd->up)
			break;
		count(world, FAULT_ETCD_CRASH);
		etcd_crash(world, pick(world, chance(world, 50) ? SECOND : 2 * lease_us));
		break;
	case 2:
		count(world, FAULT_ETCD_STOPPED);
		etcd->stopped_until_us = world->now_us + pick(world, 2 * lease_us);
		break;
	case 3:
	case 4:
		count(world, FAULT_ETCD_SLOW);
		etcd->slow_us = world->now_us + pick(world, 2 * lease_us);
		etcd->slow_by_us = pick(world, lease_us);
		break;
	case 5:
		no_space(world);
		break;
	case 6:
		etcd->garbage_until_us = world->now_us + pick(world, lease_us);
		break;
	case 7:
	case 8:
	case 9:
		cut_off(world, number);
		break;
	case 10:
		stop_leader(world, number);
		break;
	case 11:
		count(world, FAULT_AGENT_CRASH);
		agent_crash(world, number, pick(world, 2 * lease_us));
		break;
	case 12:
		count(world, FAULT_ISOLATED);
		fault_isolates(world, number);
		if (chance(world, 50))
			cut_off(world, number);
		fault_heals_later(world);
		break;
	default:
		set_back(world);
		break;
	}
}

/* A step is in etcd, and its leader is struck before he knows. */
void fault_after_step(struct world *world, uint32_t number)
{
	const uint8_t phase = world->truth.phase;

	/* Whoever waits for the end of a change is there before the leader has heard of it. */
	if (phase == PHASE_STEADY && chance(world, 30))
		at(world, world->now_us + pick(world, 2 * MS), EV_OPERATOR, 1, 0, 0, 0);
	if (!world->faults_on)
		return;
	/* Most often in the phases that are over soon. */
	switch (pick(world, phase == PHASE_GIVEUP ? 3 : phase > PHASE_COPY ? 16 : 40)) {
	case 0:
		count(world, FAULT_STORE_AFTER);
		agent_crash(world, number, pick(world, 3 * SECOND));
		break;
	case 1:
		stop_leader(world, number);
		break;
	case 2:
		cut_off(world, number);
		break;
	default:
		break;
	}
}

void fault_etcd_heals(struct world *world, bool all)
{
	struct etcd *etcd = &world->etcd;

	memset(etcd->cut_in, 0, sizeof(etcd->cut_in));
	memset(etcd->cut_out, 0, sizeof(etcd->cut_out));
	etcd->fake.no_space = false;
	if (!all)
		return;
	etcd->stopped_until_us = world->now_us;
	etcd->slow_us = etcd->garbage_until_us = 0;
	etcd_start(world);
}
