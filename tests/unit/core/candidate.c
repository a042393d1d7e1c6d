/* candidate.c - see candidate.h. */
#include "candidate.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

struct fake_etcd etcd;
struct fake_history history;
uint64_t now;

struct reg reg_of(uint64_t term, uint64_t serial)
{
	struct reg reg = {.term = term, .serial = serial, .epoch = 1, .highest_epoch = 1};

	memset(reg.active, 7, sizeof(reg.active));
	strcpy(reg.coordinator, "web01");
	return reg;
}

const char *text_of(const struct reg *reg, const char *cluster, bool moved)
{
	static char text[REGISTER_VALUE_BYTES];

	(void)register_value_write(reg, cluster, moved, text);
	return text;
}

void candidate_begin(struct candidate *c, const char *name)
{
	const struct election_options options = {.cluster = "web", .name = name, .ttl_s = TTL_S};

	memset(c, 0, sizeof(*c));
	strcpy(c->name, name);
	election_init(&c->election, &options, now);
}

static void candidate_hear(struct candidate *c, const struct election_action *action)
{
	switch (action->type) {
	case ELECTION_ACT_ELECTED:
		ck_assert(!c->led);
		c->led = true;
		c->elected++;
		c->elected_none = action->reg == NULL;
		if (action->reg != NULL)
			c->reg = *action->reg;
		c->until_ms = action->until_ms;
		break;
	case ELECTION_ACT_LEADS:
		ck_assert(c->led);
		ck_assert_uint_gt(action->until_ms, c->until_ms);
		c->until_ms = action->until_ms;
		break;
	case ELECTION_ACT_LOST:
		c->led = false;
		c->lost++;
		strcpy(c->why, action->value);
		break;
	case ELECTION_ACT_STORED:
		ck_assert(c->led);
		if (action->ok)
			c->stored++;
		else
			c->refused++;
		strcpy(c->why, action->value);
		break;
	case ELECTION_ACT_LEADER:
		strcpy(c->leader, action->value);
		break;
	case ELECTION_ACT_TROUBLE:
		strcpy(c->trouble, action->value);
		break;
	case ELECTION_ACT_REQUEST:
		break;
	}
}

bool candidate_asks(struct candidate *c, struct fake_request *request)
{
	struct election_action action;

	while (election_next(&c->election, now, &action)) {
		candidate_hear(c, &action);
		if (action.type != ELECTION_ACT_REQUEST)
			continue;
		fake_request(&action, c->name, request);
		return true;
	}
	return false;
}

void answer(struct candidate *c, const struct fake_request *request)
{
	struct election_reply reply;
	uint8_t before[LIST_HASH_BYTES];

	fake_arrives(&etcd, request, now, &reply);
	if (request->request == ELECTION_LIST_GET)
		c->lists++;
	if (request->request == ELECTION_KEYS_GET && c->keys++ < c->keys_before) {
		memcpy(before, request->hash, sizeof(before));
		before[0]--;
		reply.before = before;
	}
	election_reply(&c->election, &reply, now);
}

void answer_lost(struct candidate *c, const struct fake_request *request)
{
	const struct election_reply reply = {
	    .request = request->request, .outcome = ELECTION_UNKNOWN, .why = "timed out"};

	election_reply(&c->election, &reply, now);
}
