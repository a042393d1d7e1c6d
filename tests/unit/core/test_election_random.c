/* test_election_random.c - three candidates and an etcd under faults drawn from a seed: never two
 * leaders, one history of the register, and what is said of a write is true. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "candidate.h"

#define CANDIDATES 3u
#define FLIGHTS	   64u

struct flight {
	bool used, executed, told;
	unsigned candidate;
	uint64_t arrives_ms, told_ms; /* UINT64_MAX: never; told_ms: a reply, or that it is late */
	bool reply_lost;
	struct fake_request request;
	struct election_reply reply;
	struct fake_value leader, reg;
};

static struct candidate cs[CANDIDATES];
static struct flight flights[FLIGHTS];
static uint64_t asleep_until[CANDIDATES];
static struct reg staged[CANDIDATES];
static uint64_t random_state;
static bool calm;

static uint32_t draw(uint32_t below)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 33) % below;
}

static void fly(unsigned who, const struct fake_request *request)
{
	unsigned i = 0;

	while (i < FLIGHTS && flights[i].used)
		i++;
	ck_assert_uint_lt(i, FLIGHTS);
	memset(&flights[i], 0, sizeof(flights[i]));
	flights[i].used = true;
	flights[i].candidate = who;
	flights[i].request = *request;
	flights[i].arrives_ms = now + 1 + (calm ? 0 : draw(4) == 0 ? draw(3000) : draw(20));
	flights[i].reply_lost = !calm && draw(6) == 0;
	if (!calm && draw(8) == 0)
		flights[i].arrives_ms = UINT64_MAX;
	flights[i].told_ms = flights[i].reply_lost || flights[i].arrives_ms == UINT64_MAX
				 ? now + TTL / 3
				 : flights[i].arrives_ms + 1 + (calm ? 0 : draw(200));
	if (flights[i].told_ms > now + TTL / 3) {
		flights[i].told_ms = now + TTL / 3;
		flights[i].reply_lost = true;
	}
}

static void flight_lands(struct flight *flight)
{
	struct candidate *c = &cs[flight->candidate];

	if (!flight->executed && now >= flight->arrives_ms) {
		flight->executed = true;
		fake_arrives(&etcd, &flight->request, now, &flight->reply);
		flight->leader = etcd.leader;
		flight->reg = etcd.reg;
		flight->reply.leader.value = flight->leader.text;
		flight->reply.reg.value = flight->reg.text;
	}
	if (!flight->told && now >= flight->told_ms && now >= asleep_until[flight->candidate]) {
		flight->told = true;
		if (flight->reply_lost || !flight->executed)
			answer_lost(c, &flight->request);
		else
			election_reply(&c->election, &flight->reply, now);
	}
	if (flight->told && (flight->executed || flight->arrives_ms == UINT64_MAX))
		flight->used = false;
}

static unsigned times_in_history(const struct reg *reg)
{
	const char *text = text_of(reg, "web", false);
	unsigned times = 0;

	for (uint32_t i = 0; i < etcd.history->count; i++)
		times += strcmp(etcd.history->text[i], text) == 0;
	return times;
}

/* A leader writes its term's first register, then the next, each only after the one before. */
static void candidate_write(unsigned who, uint32_t tag)
{
	struct candidate *c = &cs[who];
	struct reg next = c->reg;

	if (!c->led || c->election.write != ELECTION_WRITE_NONE || c->election.say_stored)
		return;
	if (c->elected_none)
		next = reg_of(0, 0);
	if (strcmp(next.coordinator, c->name) != 0 || c->stored == 0) {
		next.term++;
		next.serial = 1;
	} else {
		next.serial++;
	}
	strcpy(next.coordinator, c->name);
	(void)snprintf(next.reason, sizeof(next.reason), "%u", tag);
	if (election_write(&c->election, &next, false, NULL, 0, now) == 0)
		staged[who] = next;
}

static void candidate_step(unsigned who)
{
	struct candidate *c = &cs[who];
	const unsigned stored = c->stored, refused = c->refused, lost = c->lost;
	struct fake_request request;

	while (candidate_asks(c, &request))
		fly(who, &request);
	if (c->stored != stored) {
		ck_assert_uint_eq(times_in_history(&staged[who]), 1);
		c->reg = staged[who];
		c->elected_none = false;
	}
	if (c->refused != refused)
		ck_assert_uint_eq(times_in_history(&staged[who]), 0);
	if (c->lost != lost)
		c->stored = 0;
}

static void history_check(void)
{
	struct reg before = {0}, reg;
	struct failure failure;
	bool moved;

	for (uint32_t i = 0; i < etcd.history->count; i++) {
		ck_assert_int_eq(register_value_read(etcd.history->text[i],
						     strlen(etcd.history->text[i]), "web", &reg,
						     &moved, &failure),
				 0);
		ck_assert_msg(register_compare(&reg, &before) > 0,
			      "%" PRIu64 ".%" PRIu64 " after %" PRIu64 ".%" PRIu64, reg.term,
			      reg.serial, before.term, before.serial);
		before = reg;
	}
}

static void faults(uint32_t step)
{
	for (unsigned i = 0; i < CANDIDATES; i++)
		if (!calm && now >= asleep_until[i] && draw(6000) == 0)
			asleep_until[i] = now + draw(10 * TTL);
	calm = step % 4096 < 2048;
	if (step % 1024 == 0)
		etcd.no_space = !calm && draw(3) == 0;
	etcd.no_space_lies = draw(2) == 0;
}

static void run_seed(uint64_t seed, unsigned *elections, unsigned *writes)
{
	static const char *const names[CANDIDATES] = {"web01", "web02", "web03"};

	random_state = seed * 2654435761u + 1;
	now = 1000000;
	fake_init(&etcd, &history);
	memset(flights, 0, sizeof(flights));
	memset(asleep_until, 0, sizeof(asleep_until));
	for (unsigned i = 0; i < CANDIDATES; i++)
		candidate_begin(&cs[i], names[i]);
	for (uint32_t step = 0; step < 20000; step++) {
		unsigned leaders = 0;

		now += 5;
		faults(step);
		for (unsigned i = 0; i < FLIGHTS; i++)
			if (flights[i].used)
				flight_lands(&flights[i]);
		for (unsigned i = 0; i < CANDIDATES; i++) {
			leaders += election_leads(&cs[i].election, now);
			if (now < asleep_until[i])
				continue;
			candidate_step(i);
			if (draw(40) == 0)
				candidate_write(i, step);
		}
		ck_assert_msg(leaders <= 1, "seed %" PRIu64 ": %u leaders", seed, leaders);
	}
	history_check();
	for (unsigned i = 0; i < CANDIDATES; i++)
		*elections += cs[i].elected;
	*writes += etcd.history->count;
}

START_TEST(at_random_one_leads_and_the_register_has_one_history)
{
	unsigned elections = 0, writes = 0;

	for (uint64_t seed = 1; seed <= 40; seed++)
		run_seed(seed, &elections, &writes);
	/* A run in which nothing happens proves nothing. */
	ck_assert_uint_gt(elections, 100);
	ck_assert_uint_gt(writes, 1000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("election_random");
	TCase *tcase = tcase_create("election_random");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, at_random_one_leads_and_the_register_has_one_history);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
