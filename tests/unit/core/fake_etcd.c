/* fake_etcd.c - see fake_etcd.h. */
#include "fake_etcd.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

void fake_init(struct fake_etcd *etcd)
{
	memset(etcd, 0, sizeof(*etcd));
	etcd->revision = 1;
}

void fake_request(const struct election_action *action, const char *name,
		  struct fake_request *request)
{
	memset(request, 0, sizeof(*request));
	request->request = action->request;
	request->ttl_s = action->ttl_s;
	request->lease = action->lease;
	request->leader_revision = action->leader_revision;
	request->register_revision = action->register_revision;
	snprintf(request->name, sizeof(request->name), "%s", name);
	if (action->value != NULL)
		snprintf(request->value, sizeof(request->value), "%s", action->value);
	if (action->hash != NULL)
		memcpy(request->hash, action->hash, sizeof(request->hash));
}

static void value_put(struct fake_etcd *etcd, struct fake_value *value, const char *text,
		      uint64_t lease)
{
	etcd->revision++;
	if (!value->held)
		value->create_revision = etcd->revision;
	value->held = true;
	value->mod_revision = etcd->revision;
	value->lease = lease;
	value->bytes = (size_t)snprintf(value->text, sizeof(value->text), "%s", text);
}

void fake_put_register(struct fake_etcd *etcd, const char *text)
{
	value_put(etcd, &etcd->reg, text, 0);
	ck_assert_uint_lt(etcd->history_count, FAKE_HISTORY);
	strcpy(etcd->history[etcd->history_count++], text);
}

static bool lease_lives(const struct fake_etcd *etcd, uint64_t lease)
{
	return lease >= 1 && lease <= etcd->lease_count && etcd->lease_end_ms[lease - 1] != 0;
}

static void lease_end(struct fake_etcd *etcd, uint64_t lease)
{
	etcd->lease_end_ms[lease - 1] = 0;
	if (etcd->leader.held && etcd->leader.lease == lease) {
		etcd->revision++;
		etcd->leader.held = false;
	}
}

static void key_show(const struct fake_value *value, struct election_key *key)
{
	key->held = value->held;
	if (!value->held)
		return;
	key->create_revision = value->create_revision;
	key->mod_revision = value->mod_revision;
	key->lease = value->lease;
	key->value = value->text;
	key->bytes = value->bytes;
}

static uint64_t revision_of(const struct fake_value *value, bool create)
{
	return !value->held ? 0 : create ? value->create_revision : value->mod_revision;
}

static void refuse(struct election_reply *reply, const char *why)
{
	reply->outcome = ELECTION_REFUSED;
	reply->why = why;
}

static void transact(struct fake_etcd *etcd, const struct fake_request *request,
		     struct election_reply *reply)
{
	const uint64_t leader = revision_of(&etcd->leader, true);

	reply->succeeded = request->request == ELECTION_CAMPAIGN
			       ? leader == 0
			       : leader == request->leader_revision &&
				     (request->request == ELECTION_LIST_PUT ||
				      revision_of(&etcd->reg, false) == request->register_revision);
	if (request->request == ELECTION_CAMPAIGN && reply->succeeded &&
	    !lease_lives(etcd, request->lease)) {
		refuse(reply, "requested lease not found");
		return;
	}
	if (reply->succeeded && (!etcd->no_space || etcd->no_space_lies)) {
		if (request->request == ELECTION_CAMPAIGN)
			value_put(etcd, &etcd->leader, request->name, request->lease);
		else if (request->request == ELECTION_STORE)
			fake_put_register(etcd, request->value);
		else
			etcd->list_puts++;
	}
	if (etcd->no_space)
		refuse(reply, "database space exceeded");
	reply->revision = etcd->revision;
}

void fake_arrives(struct fake_etcd *etcd, const struct fake_request *request, uint64_t now_ms,
		  struct election_reply *reply)
{
	const uint64_t lease = request->lease;

	for (uint32_t i = 0; i < etcd->lease_count; i++)
		if (etcd->lease_end_ms[i] != 0 && now_ms >= etcd->lease_end_ms[i])
			lease_end(etcd, i + 1);
	memset(reply, 0, sizeof(*reply));
	reply->request = request->request;
	reply->why = "";
	reply->revision = etcd->revision;
	switch (request->request) {
	case ELECTION_GRANT:
		if (etcd->no_space) {
			refuse(reply, "database space exceeded");
			break;
		}
		ck_assert_uint_lt(etcd->lease_count, FAKE_LEASES);
		etcd->lease_ttl_s[etcd->lease_count] = request->ttl_s;
		etcd->lease_end_ms[etcd->lease_count++] = now_ms + request->ttl_s * 1000u;
		reply->lease = etcd->lease_count;
		reply->ttl_s = request->ttl_s;
		break;
	case ELECTION_KEEPALIVE:
		if (lease_lives(etcd, lease)) {
			reply->ttl_s = etcd->lease_ttl_s[lease - 1];
			etcd->lease_end_ms[lease - 1] = now_ms + reply->ttl_s * 1000u;
		}
		break;
	case ELECTION_REVOKE:
		if (lease_lives(etcd, lease))
			lease_end(etcd, lease);
		else
			refuse(reply, "requested lease not found");
		break;
	case ELECTION_CAMPAIGN:
	case ELECTION_LIST_PUT:
	case ELECTION_STORE:
		transact(etcd, request, reply);
		break;
	case ELECTION_READ:
	case ELECTION_LIST_GET:
		break;
	}
	if (reply->outcome == ELECTION_DONE && request->request != ELECTION_LIST_GET) {
		key_show(&etcd->leader, &reply->leader);
		key_show(&etcd->reg, &reply->reg);
	}
}
