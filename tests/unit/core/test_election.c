/* test_election.c - who leads, and what is said of a write: against an etcd that loses, delays and
 * refuses. */
#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "candidate.h"

/* Answers everything at once, until `ms` later. */
static void run_for(struct candidate *c, uint64_t ms)
{
	const uint64_t end = now + ms;
	struct fake_request request;

	for (;;) {
		while (candidate_asks(c, &request))
			answer(c, &request);
		if (election_wake_ms(&c->election) >= end)
			break;
		now = election_wake_ms(&c->election) > now ? election_wake_ms(&c->election) : now;
	}
	now = end;
}

/* Goes on until the candidate asks this, answering everything before. */
static struct fake_request run_until(struct candidate *c, enum election_request wanted)
{
	struct fake_request request;

	for (unsigned i = 0; i < 1000; i++) {
		if (candidate_asks(c, &request)) {
			if (request.request == wanted)
				return request;
			answer(c, &request);
		} else {
			now = election_wake_ms(&c->election);
		}
	}
	ck_abort_msg("the candidate never asked %d", (int)wanted);
	return request;
}

static struct candidate a, b;

static void set_up(void)
{
	now = 1000000;
	fake_init(&etcd, &history);
	candidate_begin(&a, "web01");
	candidate_begin(&b, "web02");
}

static void lead(struct candidate *c)
{
	run_for(c, 1);
	ck_assert(c->led);
}

START_TEST(the_first_candidate_leads_an_empty_store)
{
	lead(&a);
	ck_assert(a.elected_none);
	ck_assert_uint_eq(a.until_ms, 1000000 + TTL - 1000);
	ck_assert_str_eq(a.leader, "web01");
	run_for(&b, 1);
	ck_assert(!b.led);
	ck_assert_str_eq(b.leader, "web01");
}
END_TEST

START_TEST(a_leader_that_is_answered_leads_on)
{
	lead(&a);
	run_for(&a, 20 * TTL);
	ck_assert(a.led);
	ck_assert_uint_eq(a.lost, 0);
	ck_assert(election_leads(&a.election, now));
}
END_TEST

START_TEST(leadership_counts_from_when_the_keepalive_was_sent)
{
	struct fake_request request;
	uint64_t sent;

	lead(&a);
	request = run_until(&a, ELECTION_KEEPALIVE);
	sent = now;
	now += 1500;
	answer(&a, &request);
	(void)candidate_asks(&a, &request);
	ck_assert_uint_eq(a.until_ms, sent + TTL - 1000);
}
END_TEST

START_TEST(a_leader_without_answers_stops_a_second_before_its_lease_ends)
{
	struct fake_request request;
	uint64_t until;

	lead(&a);
	until = a.until_ms;
	request = run_until(&a, ELECTION_KEEPALIVE);
	(void)request;
	now = until - 1;
	ck_assert(election_leads(&a.election, now));
	now = until;
	ck_assert(!election_leads(&a.election, now));
	(void)candidate_asks(&a, &request);
	ck_assert_uint_eq(a.lost, 1);
	ck_assert(etcd.leader.held);
}
END_TEST

START_TEST(a_leader_stopped_for_ten_leases_does_not_act_when_it_goes_on)
{
	const struct reg next = reg_of(2, 1);
	struct fake_request request;

	lead(&a);
	request = run_until(&a, ELECTION_KEEPALIVE);
	answer(&a, &request); /* answered, but it sleeps before it looks */
	now += 10 * TTL;
	lead(&b);
	ck_assert(!election_leads(&a.election, now));
	ck_assert_int_eq(election_write(&a.election, &next, false, NULL, 0, now), -EAGAIN);
	run_for(&a, 10);
	ck_assert_uint_eq(a.lost, 1);
	ck_assert_uint_eq(a.elected, 1);
	ck_assert_uint_eq(etcd.history->count, 0);
}
END_TEST

START_TEST(an_answer_that_was_slept_over_gives_no_power)
{
	struct fake_request request;
	struct election_reply reply;

	lead(&a);
	request = run_until(&a, ELECTION_KEEPALIVE);
	fake_arrives(&etcd, &request, now, &reply);
	now += 10 * TTL;
	election_reply(&a.election, &reply, now);
	ck_assert(!election_leads(&a.election, now));
	(void)candidate_asks(&a, &request);
	ck_assert_uint_eq(a.lost, 1);
}
END_TEST

START_TEST(the_next_candidate_leads_within_two_leases)
{
	const uint64_t died = now;

	lead(&a);
	while (!b.led && now < died + 2 * TTL)
		run_for(&b, 100);
	ck_assert(b.led);
	ck_assert_uint_ge(now, died + TTL);
}
END_TEST

START_TEST(a_lease_that_is_gone_ends_the_leadership)
{
	lead(&a);
	etcd.lease_end_ms[0] = 0;
	run_for(&a, TTL / 2);
	ck_assert_uint_eq(a.lost, 1);
}
END_TEST

START_TEST(a_leader_key_that_somebody_took_away_ends_the_leadership)
{
	lead(&a);
	etcd.leader.held = false;
	run_for(&a, TTL / 2);
	ck_assert_uint_eq(a.lost, 1);
	ck_assert(strstr(a.why, "leader key") != NULL);
}
END_TEST

START_TEST(a_campaign_whose_answer_was_lost_is_won_all_the_same)
{
	struct fake_request request = run_until(&a, ELECTION_CAMPAIGN);
	struct election_reply reply;

	fake_arrives(&etcd, &request, now, &reply);
	now += 1000;
	answer_lost(&a, &request);
	run_for(&a, 1000);
	ck_assert(a.led);
	ck_assert_uint_eq(etcd.lease_count, 1);
	ck_assert(election_leads(&a.election, now));
}
END_TEST

START_TEST(a_resigned_leader_gives_the_key_back_and_stays_out)
{
	lead(&a);
	election_resign(&a.election, now);
	ck_assert(!election_leads(&a.election, now));
	ck_assert_uint_eq(a.lost, 0);
	run_for(&a, 10);
	ck_assert_uint_eq(a.lost, 1);
	ck_assert(!etcd.leader.held);
	lead(&b);
	run_for(&a, 1000);
	ck_assert_str_eq(a.leader, "web02");
	etcd.leader.held = false;
	run_for(&a, 5 * TTL);
	ck_assert_uint_eq(a.elected, 1);
}
END_TEST

/* ---- the register ---- */

static void write_begin(struct candidate *c, uint64_t term, uint64_t serial)
{
	const struct reg next = reg_of(term, serial);

	ck_assert_int_eq(election_write(&c->election, &next, false, NULL, 0, now), 0);
}

START_TEST(a_register_is_stored_and_its_lists_before_it)
{
	const uint8_t lists[1][LIST_HASH_BYTES] = {{1}};
	const struct reg next = reg_of(1, 1);

	lead(&a);
	ck_assert_int_eq(election_write(&a.election, &next, false, lists, 1, now), 0);
	ck_assert_int_eq(election_write(&a.election, &next, false, lists, 1, now), -EBUSY);
	(void)run_until(&a, ELECTION_LIST_PUT);
	ck_assert_uint_eq(etcd.history->count, 0);
	set_up();
	lead(&a);
	ck_assert_int_eq(election_write(&a.election, &next, false, lists, 1, now), 0);
	run_for(&a, 1);
	ck_assert_uint_eq(a.stored, 1);
	ck_assert_uint_eq(etcd.list_puts, 1);
	ck_assert_str_eq(etcd.reg.text, text_of(&next, "web", false));
	ck_assert_int_eq(election_write(&a.election, &next, false, NULL, 0, now), -ESTALE);
}
END_TEST

START_TEST(the_next_leader_is_given_the_register_and_its_lists)
{
	const struct reg next = reg_of(3, 9);

	fake_put_register(&etcd, text_of(&next, "web", false));
	lead(&a);
	ck_assert(!a.elected_none);
	ck_assert_int_eq(register_compare(&a.reg, &next), 0);
	ck_assert_uint_eq(a.lists, 1);
}
END_TEST

/* Keys documents of which each has the hash of the one before, plus one in its first byte. */
static struct reg reg_with_keys(uint64_t term, uint64_t serial, uint8_t version)
{
	struct reg reg = reg_of(term, serial);

	reg.keys_version = version;
	reg.keys[0] = version;
	return reg;
}

START_TEST(keys_are_put_before_lists_and_never_dropped)
{
	const uint8_t keys[2][LIST_HASH_BYTES] = {{1}, {2}}, lists[1][LIST_HASH_BYTES] = {{99}};
	const struct reg first = reg_with_keys(1, 1, 2);
	struct reg next = reg_with_keys(1, 2, 3);
	struct fake_request request;

	lead(&a);
	ck_assert_int_eq(election_write_keys(&a.election, keys, KEYS_VERSIONS_MAX + 1), -EINVAL);
	ck_assert_int_eq(election_write_keys(&a.election, keys, 2), 0);
	ck_assert_int_eq(election_write(&a.election, &first, false, lists, 1, now), 0);
	ck_assert_int_eq(election_write_keys(&a.election, keys, 1), -EBUSY);
	for (unsigned i = 0; i < 2; i++) {
		request = run_until(&a, ELECTION_KEYS_PUT);
		ck_assert_mem_eq(request.hash, keys[i], LIST_HASH_BYTES);
		/* Its answer is lost: it is put once more. */
		answer_lost(&a, &request);
		request = run_until(&a, ELECTION_KEYS_PUT);
		ck_assert_mem_eq(request.hash, keys[i], LIST_HASH_BYTES);
		ck_assert(!fake_list_held(&etcd, lists[0]));
		ck_assert(!etcd.reg.held);
		answer(&a, &request);
		ck_assert(fake_list_held(&etcd, keys[i]));
	}
	request = run_until(&a, ELECTION_STORE);
	ck_assert(fake_list_held(&etcd, lists[0]));
	answer(&a, &request);
	run_for(&a, 1);
	/* The next step puts what it was given and no more; the keys of before stay. */
	next.active[0] = 98;
	ck_assert_int_eq(election_write(&a.election, &next, false, NULL, 0, now), 0);
	run_for(&a, 1);
	ck_assert_uint_eq(a.stored, 2);
	ck_assert_uint_eq(etcd.list_puts, 3);
	ck_assert(fake_list_held(&etcd, keys[0]) && fake_list_held(&etcd, keys[1]));
}
END_TEST

START_TEST(a_leader_that_is_gone_puts_no_keys)
{
	const uint8_t keys[1][LIST_HASH_BYTES] = {{1}};
	const struct reg first = reg_with_keys(1, 1, 1);
	struct fake_request request;

	lead(&a);
	ck_assert_int_eq(election_write_keys(&a.election, keys, 1), 0);
	ck_assert_int_eq(election_write(&a.election, &first, false, NULL, 0, now), 0);
	request = run_until(&a, ELECTION_KEYS_PUT);
	fake_drop_leases(&etcd);
	lead(&b);
	answer(&a, &request);
	run_for(&a, 1);
	ck_assert(!fake_list_held(&etcd, keys[0]));
	ck_assert(!a.led);
}
END_TEST

START_TEST(the_next_leader_is_given_the_keys_before_the_lists_as_far_back_as_it_wants)
{
	const struct reg next = reg_with_keys(3, 9, 40);
	struct fake_request request;

	fake_put_register(&etcd, text_of(&next, "web", false));
	a.keys_before = 2;
	for (uint8_t version = 40; version >= 38; version--) {
		request = run_until(&a, ELECTION_KEYS_GET);
		ck_assert_uint_eq(request.hash[0], version);
		ck_assert_uint_eq(a.lists, 0);
		answer(&a, &request);
		ck_assert(!a.led);
	}
	lead(&a);
	ck_assert_uint_eq(a.keys, 3);
	ck_assert_uint_eq(a.lists, 1);
}
END_TEST

START_TEST(a_chain_without_end_is_not_followed_for_ever)
{
	const struct reg next = reg_with_keys(3, 9, 1);

	fake_put_register(&etcd, text_of(&next, "web", false));
	a.keys_before = UINT32_MAX;
	run_for(&a, 1);
	ck_assert(a.led);
	ck_assert_uint_eq(a.keys, KEYS_VERSIONS_MAX);
}
END_TEST

START_TEST(a_store_whose_answer_was_lost_is_stored_once)
{
	struct fake_request request;
	struct election_reply reply;

	lead(&a);
	write_begin(&a, 1, 1);
	request = run_until(&a, ELECTION_STORE);
	fake_arrives(&etcd, &request, now, &reply);
	now += 500;
	answer_lost(&a, &request);
	request = run_until(&a, ELECTION_STORE);
	ck_assert_uint_eq(a.stored + a.refused, 0);
	answer(&a, &request);
	run_for(&a, 10);
	ck_assert_uint_eq(a.stored, 1);
	ck_assert_uint_eq(etcd.history->count, 1);
}
END_TEST

START_TEST(a_store_that_arrives_late_shuts_itself_out)
{
	struct fake_request late, request;
	struct election_reply reply;

	lead(&a);
	write_begin(&a, 1, 1);
	late = run_until(&a, ELECTION_STORE);
	now += 500;
	answer_lost(&a, &late);
	run_for(&a, 1000);
	ck_assert_uint_eq(a.stored, 1);
	fake_arrives(&etcd, &late, now, &reply);
	ck_assert(!reply.succeeded);
	write_begin(&a, 1, 2);
	request = run_until(&a, ELECTION_STORE);
	fake_arrives(&etcd, &late, now, &reply);
	answer(&a, &request);
	fake_arrives(&etcd, &late, now, &reply);
	run_for(&a, 10);
	ck_assert_uint_eq(a.stored, 2);
	ck_assert_uint_eq(etcd.history->count, 2);
}
END_TEST

START_TEST(a_store_without_space_is_refused_and_may_be_tried_again)
{
	lead(&a);
	etcd.no_space = true;
	write_begin(&a, 1, 1);
	run_for(&a, 100);
	ck_assert_uint_eq(a.refused, 1);
	ck_assert(strstr(a.why, "space") != NULL);
	ck_assert(a.led);
	etcd.no_space = false;
	write_begin(&a, 1, 1);
	run_for(&a, 100);
	ck_assert_uint_eq(a.stored, 1);
}
END_TEST

START_TEST(a_store_refused_and_done_nevertheless_is_stored)
{
	lead(&a);
	etcd.no_space = etcd.no_space_lies = true;
	write_begin(&a, 1, 1);
	run_for(&a, 100);
	ck_assert_uint_eq(a.refused, 0);
	ck_assert_uint_eq(a.stored, 1);
	ck_assert_uint_eq(etcd.history->count, 1);
}
END_TEST

START_TEST(nothing_is_called_refused_while_an_earlier_attempt_may_arrive)
{
	struct fake_request late;
	struct election_reply reply;

	lead(&a);
	write_begin(&a, 1, 1);
	late = run_until(&a, ELECTION_STORE);
	now += 500;
	answer_lost(&a, &late);
	etcd.no_space = true;
	run_for(&a, 3 * TTL);
	ck_assert_uint_eq(a.refused, 0);
	ck_assert_uint_eq(a.stored, 0);
	etcd.no_space = false;
	fake_arrives(&etcd, &late, now, &reply);
	run_for(&a, TTL);
	ck_assert_uint_eq(a.stored, 1);
	ck_assert_uint_eq(etcd.history->count, 1);
}
END_TEST

START_TEST(an_answer_to_what_no_longer_matters_is_dropped)
{
	struct fake_request store, keep, request;

	lead(&a);
	write_begin(&a, 1, 1);
	store = run_until(&a, ELECTION_STORE);
	keep = run_until(&a, ELECTION_KEEPALIVE);
	election_resign(&a.election, now);
	ck_assert(!candidate_asks(&a, &request)); /* the store may still take the key up */
	answer(&a, &store);
	ck_assert(candidate_asks(&a, &request));
	ck_assert_int_eq(request.request, ELECTION_REVOKE);
	ck_assert_uint_eq(a.stored + a.refused + a.lost, 0);
	answer(&a, &request);
	answer(&a, &keep);
	run_for(&a, 10);
	ck_assert_uint_eq(a.lost, 1);
}
END_TEST

START_TEST(a_register_changed_by_somebody_else_ends_the_leadership)
{
	struct reg other = reg_of(1, 5);

	lead(&a);
	write_begin(&a, 1, 1);
	run_for(&a, 10);
	fake_put_register(&etcd, text_of(&other, "web", false));
	run_for(&a, TTL / 2);
	ck_assert_uint_eq(a.lost, 1);
	ck_assert(strstr(a.why, "does not lead") != NULL);
	/* In the middle of a write too. */
	run_for(&a, 2 * TTL);
	ck_assert(a.led);
	write_begin(&a, 2, 1);
	other.serial = 6;
	fake_put_register(&etcd, text_of(&other, "web", false));
	run_for(&a, 10);
	ck_assert_uint_eq(a.lost, 2);
	ck_assert_uint_eq(a.refused, 0);
	ck_assert_uint_eq(a.stored, 1);
}
END_TEST

static void nobody_leads(const char *word)
{
	run_for(&a, 3 * TTL);
	ck_assert_uint_eq(a.elected, 0);
	ck_assert_msg(strstr(a.trouble, word) != NULL, "'%s' lacks '%s'", a.trouble, word);
	ck_assert(!etcd.leader.held);
}

START_TEST(a_register_that_is_not_fit_elects_nobody)
{
	const struct reg reg = reg_of(3, 4), older = reg_of(3, 3), newer = reg_of(3, 5);
	struct reg none = reg_of(3, 4);
	char text[REGISTER_VALUE_BYTES];

	fake_put_register(&etcd, text_of(&reg, "mail", false));
	nobody_leads("another cluster's: found 'mail', expected 'web'");
	set_up();
	fake_put_register(&etcd, text_of(&reg, "web", true));
	nobody_leads("moved away");
	set_up();
	fake_put_register(&etcd, "hello\n");
	nobody_leads("damaged");
	set_up();
	strcpy(text, text_of(&reg, "web", false));
	text[strlen("mcroster-register ")] = '2';
	fake_put_register(&etcd, text);
	nobody_leads("newer format: found 2");
	set_up();
	none.term = 0;
	fake_put_register(&etcd, text_of(&none, "web", false));
	nobody_leads("bounds");

	/* Seen before by this candidate, or known to its host. */
	set_up();
	fake_put_register(&etcd, text_of(&newer, "web", false));
	lead(&b);
	run_for(&a, 10);
	fake_put_register(&etcd, text_of(&older, "web", false));
	etcd.leader.held = false;
	nobody_leads("found 3.3, expected at least 3.5");
	etcd.reg.held = false;
	nobody_leads("gone where there was one (3.5)");
	set_up();
	a.election.seen_term = 4;
	nobody_leads("gone where there was one (4.0)");
}
END_TEST

START_TEST(a_failover_leads_where_the_register_is_gone_and_nobody_else_does)
{
	a.election.seen_term = b.election.seen_term = 3;
	a.election.seen_serial = b.election.seen_serial = 4;
	election_failover(&a.election, 3, true, now); /* not after what was seen */
	nobody_leads("gone where there was one (3.4)");
	election_failover(&a.election, 4, true, now);
	run_for(&b, TTL);
	ck_assert_uint_eq(b.elected, 0);
	lead(&a);
	ck_assert(a.elected_none);
	write_begin(&a, 4, 9);
	run_for(&a, 10);
	ck_assert_uint_eq(a.stored, 1);
	/* It stands, and is led from by anybody; gone again it is gone. */
	election_resign(&a.election, now);
	run_for(&a, 10);
	run_for(&b, 2 * ELECTION_REFUSED_MS);
	ck_assert(b.led);
	ck_assert_uint_eq(b.reg.term, 4);
	election_resign(&b.election, now);
	run_for(&b, 10);
	etcd.reg.held = false;
	a.election.resigned = false;
	a.elected = 0;
	nobody_leads("gone where there was one (4.9)");
}
END_TEST

START_TEST(a_failover_to_another_candidate_ends_a_leadership_and_keeps_out)
{
	lead(&a);
	write_begin(&a, 2, 1);
	run_for(&a, 10);
	ck_assert_uint_eq(a.stored, 1);
	election_failover(&a.election, 2, false, now); /* that term has begun */
	ck_assert(election_leads(&a.election, now));
	election_failover(&a.election, 3, false, now);
	run_for(&a, 10);
	ck_assert_uint_eq(a.lost, 1);
	ck_assert_str_eq(a.why, "a signed failover names another candidate");
	run_for(&a, 2 * ELECTION_REFUSED_MS);
	ck_assert_uint_eq(a.elected, 1);
	lead(&b);
	write_begin(&b, 3, 1);
	run_for(&b, 10);
	election_resign(&b.election, now);
	run_for(&b, 10);
	run_for(&a, 2 * ELECTION_REFUSED_MS);
	ck_assert_uint_eq(a.elected, 2);
}
END_TEST

START_TEST(a_failover_leads_from_an_older_register_and_replaces_it)
{
	const struct reg older = reg_of(3, 3);

	fake_put_register(&etcd, text_of(&older, "web", false));
	a.election.seen_term = b.election.seen_term = 3;
	a.election.seen_serial = b.election.seen_serial = 5;
	b.election.seen_revision = 1000000; /* of the store before */
	election_failover(&a.election, 4, true, now);
	lead(&a);
	ck_assert_uint_eq(a.reg.serial, 3);
	write_begin(&a, 4, 6);
	run_for(&a, 10);
	ck_assert_uint_eq(a.stored, 1);
	election_resign(&a.election, now);
	run_for(&a, 10);
	lead(&b);
	ck_assert_uint_eq(b.reg.term, 4);
}
END_TEST

START_TEST(who_is_no_candidate_stands_not_and_gives_back_what_he_has)
{
	election_stand(&a.election, ELECTION_STAND_NOT, now);
	run_for(&a, 5 * TTL);
	ck_assert(!a.led);
	lead(&b);
	run_for(&a, TTL);
	ck_assert_str_eq(a.leader, "web02");
	election_stand(&b.election, ELECTION_STAND_NOT, now);
	ck_assert(!election_leads(&b.election, now));
	run_for(&b, TTL);
	ck_assert_uint_eq(b.lost, 1);
	election_stand(&a.election, ELECTION_STAND_BEGIN, now);
	run_for(&a, TTL);
	ck_assert(a.led);
}
END_TEST

/* It would hold the key, and keep a failover's candidate from it. */
START_TEST(a_candidate_without_a_register_leads_from_one_that_stands_or_by_a_failover)
{
	const struct reg reg = reg_of(1, 5);
	unsigned elected;

	election_stand(&a.election, ELECTION_STAND_FOUND, now);
	run_for(&a, 5 * TTL);
	ck_assert(!a.led);
	ck_assert_str_eq(a.trouble, "");
	lead(&b);
	ck_assert_int_eq(election_write(&b.election, &reg, false, NULL, 0, now), 0);
	run_for(&b, 1);
	ck_assert_uint_eq(b.stored, 1);
	election_resign(&b.election, now);
	run_for(&b, TTL);
	run_for(&a, TTL);
	ck_assert(a.led);
	ck_assert_uint_eq(a.reg.serial, 5);

	fake_init(&etcd, &history);
	candidate_begin(&a, "web01");
	election_stand(&a.election, ELECTION_STAND_FOUND, now);
	elected = a.elected;
	run_for(&a, TTL);
	ck_assert_uint_eq(a.elected, elected);
	election_failover(&a.election, 2, true, now);
	run_for(&a, TTL);
	ck_assert(a.led && a.elected_none);
}
END_TEST

START_TEST(a_leader_that_hears_of_a_newer_register_leads_no_more)
{
	const struct reg old = reg_of(3, 3);

	fake_put_register(&etcd, text_of(&old, "web", false));
	lead(&a);
	election_known(&a.election, 3, 3, now);
	run_for(&a, 10);
	ck_assert(a.led);
	election_known(&a.election, 3, 4, now);
	ck_assert(!election_leads(&a.election, now));
	run_for(&a, 10);
	ck_assert_uint_eq(a.lost, 1);
	a.elected = 0;
	nobody_leads("found 3.3, expected at least 3.4");
}
END_TEST

START_TEST(a_mover_leads_where_the_register_was_moved_away)
{
	const struct reg reg = reg_of(3, 4);
	const struct election_options options = {
	    .cluster = "web", .name = "web01", .ttl_s = TTL_S, .take_moved = true};

	fake_put_register(&etcd, text_of(&reg, "web", true));
	election_init(&a.election, &options, now);
	lead(&a);
	ck_assert(a.election.moved);
	ck_assert_int_eq(election_write(&a.election, &reg, true, NULL, 0, now), -ESTALE);
	ck_assert_int_eq(election_write(&a.election, &reg, false, NULL, 0, now), 0);
	run_for(&a, 10);
	ck_assert_uint_eq(a.stored, 1);
	ck_assert(!a.election.moved);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("election");
	TCase *one = tcase_create("one");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(one, set_up, NULL);
	tcase_add_test(one, the_first_candidate_leads_an_empty_store);
	tcase_add_test(one, a_leader_that_is_answered_leads_on);
	tcase_add_test(one, leadership_counts_from_when_the_keepalive_was_sent);
	tcase_add_test(one, a_leader_without_answers_stops_a_second_before_its_lease_ends);
	tcase_add_test(one, a_leader_stopped_for_ten_leases_does_not_act_when_it_goes_on);
	tcase_add_test(one, an_answer_that_was_slept_over_gives_no_power);
	tcase_add_test(one, the_next_candidate_leads_within_two_leases);
	tcase_add_test(one, a_lease_that_is_gone_ends_the_leadership);
	tcase_add_test(one, a_leader_key_that_somebody_took_away_ends_the_leadership);
	tcase_add_test(one, a_campaign_whose_answer_was_lost_is_won_all_the_same);
	tcase_add_test(one, a_resigned_leader_gives_the_key_back_and_stays_out);
	tcase_add_test(one, a_register_is_stored_and_its_lists_before_it);
	tcase_add_test(one, the_next_leader_is_given_the_register_and_its_lists);
	tcase_add_test(one, keys_are_put_before_lists_and_never_dropped);
	tcase_add_test(one, a_leader_that_is_gone_puts_no_keys);
	tcase_add_test(one,
		       the_next_leader_is_given_the_keys_before_the_lists_as_far_back_as_it_wants);
	tcase_add_test(one, a_chain_without_end_is_not_followed_for_ever);
	tcase_add_test(one, a_store_whose_answer_was_lost_is_stored_once);
	tcase_add_test(one, a_store_that_arrives_late_shuts_itself_out);
	tcase_add_test(one, a_store_without_space_is_refused_and_may_be_tried_again);
	tcase_add_test(one, a_store_refused_and_done_nevertheless_is_stored);
	tcase_add_test(one, nothing_is_called_refused_while_an_earlier_attempt_may_arrive);
	tcase_add_test(one, an_answer_to_what_no_longer_matters_is_dropped);
	tcase_add_test(one, a_register_changed_by_somebody_else_ends_the_leadership);
	tcase_add_test(one, a_register_that_is_not_fit_elects_nobody);
	tcase_add_test(one, a_mover_leads_where_the_register_was_moved_away);
	tcase_add_test(one, a_failover_leads_where_the_register_is_gone_and_nobody_else_does);
	tcase_add_test(one, a_failover_to_another_candidate_ends_a_leadership_and_keeps_out);
	tcase_add_test(one, a_failover_leads_from_an_older_register_and_replaces_it);
	tcase_add_test(one, who_is_no_candidate_stands_not_and_gives_back_what_he_has);
	tcase_add_test(one,
		       a_candidate_without_a_register_leads_from_one_that_stands_or_by_a_failover);
	tcase_add_test(one, a_leader_that_hears_of_a_newer_register_leads_no_more);
	suite_add_tcase(suite, one);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
