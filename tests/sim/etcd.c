/* etcd.c - a simulated etcd, and the requests on their way to it and back.
 *
 * What a request does is fake_etcd's (tests/unit/core); here it has a clock of its own, crashes
 * with its data kept, is stopped, slow, out of space or answers garbage, and each candidate may be
 * cut off from it in one direction or both.  A request whose sender has given it up or died may
 * still be carried out.
 */
#include "sim.h"

#include <stdio.h>
#include <string.h>

static uint64_t etcd_ms(const struct world *world)
{
	const struct etcd *etcd = &world->etcd;

	return etcd->base_ms + world->now_us * etcd->rate_ppm / SECOND / MS;
}

static bool runs(const struct world *world)
{
	return world->etcd.up && world->now_us >= world->etcd.stopped_until_us;
}

void etcd_make(struct world *world)
{
	struct etcd *etcd = &world->etcd;

	fake_init(&etcd->fake, NULL);
	etcd->up = true;
	etcd->rate_ppm = SECOND - 5000 + pick(world, 10001);
	etcd->base_ms = pick(world, 1000000);
}

bool etcd_led_by(struct world *world, uint32_t number)
{
	struct etcd *etcd = &world->etcd;
	const struct fake_value *leader = &etcd->fake.leader;

	if (runs(world))
		fake_expire(&etcd->fake, etcd_ms(world));
	/* Who led before the data was lost may go on until his time is over: nobody else can. */
	if (etcd->set_back_us != 0 && world->now_us < etcd->set_back_us + world->ttl_s * SECOND)
		return true;
	return leader->held && leader->lease == world->machine[number].election.lease &&
	       strcmp(leader->text, world->machine[number].name) == 0;
}

/* ---- on the way ---- */

static uint64_t way_us(struct world *world)
{
	const struct etcd *etcd = &world->etcd;

	if (world->now_us < etcd->slow_us)
		return pick(world, etcd->slow_by_us);
	/* Now and then one is stuck on the way until long after its sender has given it up. */
	if (world->faults_on && chance(world, 2))
		return pick(world, 2 * world->ttl_s * SECOND);
	return 200 + pick(world, world->faults_on && chance(world, 5) ? 200 * MS : 3 * MS);
}

static void call_free(struct etcd_call *call)
{
	if (call->landed && call->told)
		call->used = false;
}

static void answer_at(struct world *world, uint32_t number, uint64_t delay_us)
{
	const struct etcd_call *call = &world->etcd.call[number];

	at(world, world->now_us + delay_us, EV_ETCD_ANSWERS, call->machine, number, call->stamp, 0);
}

static void answer_unknown(struct etcd_call *call, const char *why)
{
	call->reply = (struct election_reply){
	    .request = call->request.request, .outcome = ELECTION_UNKNOWN, .why = why};
}

static struct etcd_call *call_new(struct world *world, uint32_t *number)
{
	struct etcd *etcd = &world->etcd;

	for (*number = 0; *number < CALLS; (*number)++)
		if (!etcd->call[*number].used)
			return &etcd->call[*number];
	violate(world, "the simulator ran out of calls to etcd");
	*number = 0;
	return &etcd->call[0];
}

void etcd_call(struct world *world, uint32_t machine, const struct election_action *action)
{
	struct etcd *etcd = &world->etcd;
	uint32_t number;
	struct etcd_call *call = call_new(world, &number);

	memset(call, 0, offsetof(struct etcd_call, request));
	call->used = true;
	call->machine = (uint8_t)machine;
	call->life = world->machine[machine].life;
	call->stamp = ++etcd->calls;
	fake_request(action, world->machine[machine].name, &call->request);
	at(world, world_us(world, machine, (local_ms(world, machine) + action->timeout_ms) * MS),
	   EV_ETCD_LATE, machine, number, call->stamp, 0);
	if (!etcd->up && chance(world, 50)) {
		call->landed = true;
		answer_unknown(call, "connection refused");
		answer_at(world, number, way_us(world));
	} else if (!etcd->up || etcd->cut_in[machine]) {
		call->landed = true;
	} else {
		at(world, world->now_us + way_us(world), EV_ETCD_ARRIVES, machine, number,
		   call->stamp, 0);
	}
}

/* ---- carried out ---- */

static void stored(struct world *world, const struct etcd_call *call)
{
	struct failure failure = {{0}};
	struct reg reg;
	bool moved;

	if (register_value_read(world->etcd.fake.reg.text, world->etcd.fake.reg.bytes, "w", &reg,
				&moved, &failure) != 0) {
		violate(world, "a register in etcd that cannot be read: %s", failure.text);
		return;
	}
	register_trace(world, call->machine, &reg);
	/* A step brings one list along; what the data that is lost held is in the agents' hands. */
	if (!world->etcd.lists_lost &&
	    (!fake_list_held(&world->etcd.fake, reg.active) ||
	     (reg.next_epoch != 0 && !fake_list_held(&world->etcd.fake, reg.pending))))
		violate(world, "register %llu.%llu is in etcd without a list that it names",
			(unsigned long long)reg.term, (unsigned long long)reg.serial);
	if (!world->etcd.fake.leader.held || world->etcd.fake.leader.lease != call->request.lease)
		violate(world, "register %llu.%llu is stored for %s, who does not lead",
			(unsigned long long)reg.term, (unsigned long long)reg.serial,
			world->machine[call->machine].name);
	check_stored(world, call->machine, &reg);
	fault_after_step(world, call->machine);
}

static void refuse(struct election_reply *reply, const char *why)
{
	reply->outcome = ELECTION_REFUSED;
	reply->why = why;
}

static void carry_out(struct world *world, struct etcd_call *call)
{
	struct etcd *etcd = &world->etcd;
	const uint64_t before = etcd->fake.reg.mod_revision;
	const enum election_request request = call->request.request;

	fake_arrives(&etcd->fake, &call->request, etcd_ms(world), &call->reply);
	if (request == ELECTION_LIST_GET)
		call->list_held = fake_list_held(&etcd->fake, call->request.hash);
	/* What the answer shows is what stands now, not when it arrives. */
	call->leader = etcd->fake.leader;
	call->reg = etcd->fake.reg;
	call->reply.leader.value = call->leader.text;
	call->reply.reg.value = call->reg.text;
	if (etcd->fake.no_space && call->reply.outcome == ELECTION_REFUSED)
		world->figures->fault[FAULT_ETCD_NO_SPACE]++;
	if (request == ELECTION_STORE && etcd->fake.reg.mod_revision != before)
		stored(world, call);
}

/* Somebody between answers for it. */
static bool garbled(struct world *world, struct etcd_call *call)
{
	if (world->now_us >= world->etcd.garbage_until_us)
		return false;
	world->figures->fault[FAULT_ETCD_GARBAGE]++;
	switch (pick(world, 3)) {
	case 0:
		call->reply = (struct election_reply){.request = call->request.request};
		refuse(&call->reply, "permission denied");
		break;
	case 1:
		carry_out(world, call);
		answer_unknown(call, "its answer is no JSON");
		break;
	default:
		answer_unknown(call, "its answer is no JSON");
		break;
	}
	return true;
}

void etcd_arrives(struct world *world, uint32_t number, uint32_t stamp)
{
	struct etcd *etcd = &world->etcd;
	struct etcd_call *call = &etcd->call[number];

	if (!call->used || call->stamp != stamp)
		return;
	if (etcd->up && world->now_us < etcd->stopped_until_us) {
		at(world, etcd->stopped_until_us, EV_ETCD_ARRIVES, call->machine, number, stamp, 0);
		return;
	}
	call->landed = true;
	if (etcd->up && !garbled(world, call))
		carry_out(world, call);
	if (!etcd->up || etcd->cut_out[call->machine]) {
		call_free(call);
		return;
	}
	if (world->faults_on && pick(world, 25) == 0) {
		world->figures->fault[FAULT_ETCD_REPLY_LOST]++;
		call_free(call);
		return;
	}
	answer_at(world, number, way_us(world));
	call_free(call);
}

/* ---- answered, or not in time ---- */

static void tell(struct world *world, struct etcd_call *call)
{
	const bool list = call->reply.request == ELECTION_LIST_GET &&
			  call->reply.outcome == ELECTION_DONE && call->list_held;

	if (call->told)
		return;
	call->told = true;
	if (world->machine[call->machine].up && world->machine[call->machine].life == call->life)
		candidate_answered(world, call->machine, &call->reply,
				   list ? list_number(call->request.hash) : -1);
	call_free(call);
}

void etcd_answers(struct world *world, uint32_t number, uint32_t stamp)
{
	struct etcd_call *call = &world->etcd.call[number];

	if (call->used && call->stamp == stamp)
		tell(world, call);
}

void etcd_late(struct world *world, uint32_t number, uint32_t stamp)
{
	struct etcd_call *call = &world->etcd.call[number];
	const struct election_reply reply = {
	    .request = call->request.request, .outcome = ELECTION_UNKNOWN, .why = "timed out"};

	if (!call->used || call->stamp != stamp || call->told)
		return;
	call->told = true;
	if (world->machine[call->machine].up && world->machine[call->machine].life == call->life)
		candidate_answered(world, call->machine, &reply, -1);
	call_free(call);
}

/* ---- its life ---- */

void etcd_crash(struct world *world, uint64_t away_us)
{
	struct etcd *etcd = &world->etcd;

	TRACE(world, "etcd dies");
	etcd->up = false;
	etcd->stopped_until_us = 0;
	at(world, world->now_us + away_us, EV_ETCD_UP, 0, 0, ++etcd->life, 0);
}

void etcd_start(struct world *world)
{
	struct etcd *etcd = &world->etcd;

	if (etcd->up || etcd->gone)
		return;
	TRACE(world, "etcd starts");
	etcd->up = true;
	fake_restart(&etcd->fake, etcd_ms(world));
}

/* It comes back without its register, or with an older one; nothing of it hangs on a lease. */
void etcd_set_back(struct world *world, const struct reg *older)
{
	struct etcd *etcd = &world->etcd;

	etcd->newest = etcd->fake.reg;
	etcd->set_back = true;
	etcd->set_back_us = world->now_us;
	fake_drop_leases(&etcd->fake);
	etcd->newest_lists = etcd->fake.list_count;
	etcd->fake.list_count = 0;
	etcd->lists_lost = true;
	etcd->fake.reg.held = older != NULL;
	if (older == NULL)
		return;
	etcd->fake.reg.mod_revision--;
	etcd->fake.reg.bytes = register_value_write(older, "w", false, etcd->fake.reg.text);
}

/* The operators go on from what there is. */
void etcd_stays_back(struct world *world)
{
	world->etcd.set_back = false;
}

/* The operator has brought the newest data back. */
void etcd_bring_back(struct world *world)
{
	struct etcd *etcd = &world->etcd;

	if (!etcd->set_back)
		return;
	TRACE(world, "etcd's newest data is brought back");
	etcd->set_back = false;
	etcd->fake.reg = etcd->newest;
	etcd->fake.list_count = etcd->newest_lists;
	etcd->lists_lost = false;
	fake_drop_leases(&etcd->fake);
}
