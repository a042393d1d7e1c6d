/* fake_etcd.c - see fake_etcd.h. */
#include "fake_etcd.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void fake_init(struct fake_etcd *etcd, struct fake_history *history)
{
	memset(etcd, 0, sizeof(*etcd));
	etcd->history = history;
	if (history != NULL)
		history->count = 0;
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
	for (uint32_t i = 0; i < action->drop_count; i++)
		memcpy(request->drop[request->drop_count++], action->drop[i], LIST_HASH_BYTES);
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
	if (etcd->history == NULL)
		return;
	assert(etcd->history->count < FAKE_HISTORY);
	strcpy(etcd->history->text[etcd->history->count++], text);
}

/* ---- lists ---- */

static uint32_t list_find(const struct fake_etcd *etcd, const uint8_t hash[LIST_HASH_BYTES])
{
	uint32_t i = 0;

	while (i < etcd->list_count && memcmp(etcd->list[i], hash, LIST_HASH_BYTES) != 0)
		i++;
	return i;
}

bool fake_list_held(const struct fake_etcd *etcd, const uint8_t hash[LIST_HASH_BYTES])
{
	return list_find(etcd, hash) < etcd->list_count;
}

static void list_put(struct fake_etcd *etcd, const uint8_t hash[LIST_HASH_BYTES])
{
	etcd->list_puts++;
	if (fake_list_held(etcd, hash))
		return;
	assert(etcd->list_count < FAKE_LISTS);
	memcpy(etcd->list[etcd->list_count++], hash, LIST_HASH_BYTES);
}

static void list_drop(struct fake_etcd *etcd, const uint8_t hash[LIST_HASH_BYTES])
{
	const uint32_t i = list_find(etcd, hash);

	if (i < etcd->list_count)
		memmove(etcd->list[i], etcd->list[--etcd->list_count], LIST_HASH_BYTES);
}

/* ---- leases ---- */

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

void fake_expire(struct fake_etcd *etcd, uint64_t now_ms)
{
	for (uint32_t i = 0; i < etcd->lease_count; i++)
		if (etcd->lease_end_ms[i] != 0 && now_ms >= etcd->lease_end_ms[i])
			lease_end(etcd, i + 1);
}

void fake_restart(struct fake_etcd *etcd, uint64_t now_ms)
{
	for (uint32_t i = 0; i < etcd->lease_count; i++)
		if (etcd->lease_end_ms[i] != 0)
			etcd->lease_end_ms[i] = now_ms + etcd->lease_ttl_s[i] * 1000u;
}

void fake_drop_leases(struct fake_etcd *etcd)
{
	fake_expire(etcd, UINT64_MAX);
}

/* ---- transactions ---- */

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
				      request->request == ELECTION_KEYS_PUT ||
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
			list_put(etcd, request->hash);
		for (uint32_t i = 0; i < request->drop_count; i++)
			list_drop(etcd, request->drop[i]);
	}
	if (etcd->no_space)
		refuse(reply, "database space exceeded");
	reply->revision = etcd->revision;
}

void fake_arrives(struct fake_etcd *etcd, const struct fake_request *request, uint64_t now_ms,
		  struct election_reply *reply)
{
	const uint64_t lease = request->lease;

	fake_expire(etcd, now_ms);
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
		assert(etcd->lease_count < FAKE_LEASES);
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
	case ELECTION_KEYS_PUT:
	case ELECTION_STORE:
		transact(etcd, request, reply);
		break;
	case ELECTION_READ:
	case ELECTION_LIST_GET:
	case ELECTION_KEYS_GET:
		break;
	}
	if (reply->outcome == ELECTION_DONE && request->request != ELECTION_LIST_GET &&
	    request->request != ELECTION_KEYS_GET) {
		key_show(&etcd->leader, &reply->leader);
		key_show(&etcd->reg, &reply->reg);
	}
}
