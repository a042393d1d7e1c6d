/* owed_rig.c - see owed_rig.h. */
#include "owed_rig.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define SLOTS	1024u
#define SERVERS 3u

const struct change *rig_change(void)
{
	static struct change change;
	static struct change_server servers[SERVERS];
	static uint16_t old_owner[SLOTS], new_owner[SLOTS];

	for (uint32_t i = 0; i < SLOTS; i++) {
		old_owner[i] = (uint16_t)(i % 2);
		new_owner[i] = i % 3 == 0 ? 2 : old_owner[i];
	}
	for (uint32_t i = 0; i < SERVERS; i++) {
		(void)snprintf(servers[i].name, sizeof(servers[i].name), "cache%02u", i + 1);
		(void)snprintf(servers[i].address, sizeof(servers[i].address), "127.0.0.1:%u",
			       11211 + i);
	}
	change = (struct change){.old_epoch = 1,
				 .new_epoch = 2,
				 .parts = SLOTS,
				 .in_slots = true,
				 .server_count = SERVERS,
				 .servers = servers,
				 .old_table = table_of_slots(old_owner, SLOTS),
				 .new_table = table_of_slots(new_owner, SLOTS),
				 .op_timeout_ms = RIG_OP_TIMEOUT_MS};
	return &change;
}

struct rig_key rig_key(const char *prefix, bool moves)
{
	struct rig_key key;

	for (unsigned i = 0;; i++) {
		key.bytes = (size_t)snprintf(key.text, sizeof(key.text), "%s%u", prefix, i);
		change_key_owners(rig_change(), key.text, key.bytes, &key.old_owner,
				  &key.new_owner);
		if ((key.old_owner != key.new_owner) == moves)
			return key;
	}
}

void rig_init(struct owed *owed, uint32_t keys, uint32_t keys_per_uid, enum phase phase)
{
	const struct owed_limits limits = {.keys = keys, .keys_per_uid = keys_per_uid};

	ck_assert_int_eq(owed_init(owed, &limits, 7), 0);
	rig_present(owed, phase, 1, 0);
	owed_lease(owed, RIG_LONG_MS);
}

void rig_present(struct owed *owed, enum phase phase, uint32_t generation, uint64_t now_ms)
{
	const struct owed_present present = {
	    .change = rig_change(), .phase = phase, .generation = generation};

	owed_present(owed, &present, now_ms);
}

struct owed_ticket rig_add(struct owed *owed, const struct rig_key *key, uint32_t uid)
{
	struct owed_ticket ticket;
	struct failure failure;

	ck_assert_int_eq(owed_add(owed, key->text, key->bytes, uid, 77, &ticket, &failure), 0);
	return ticket;
}

static void rewrite_read(struct owed *owed)
{
	static uint8_t piece[4096];
	struct owed_cursor cursor = {0};

	while (owed_snapshot(owed, &cursor, piece, sizeof(piece)) > 0)
		;
}

struct owed_action rig_expect(struct owed *owed, enum owed_action_type type, uint64_t now_ms)
{
	struct owed_action action;

	for (;;) {
		ck_assert_msg(owed_next(owed, now_ms, &action), "nothing, expected %d", type);
		if (action.type == OWED_REWRITE)
			rewrite_read(owed);
		if (action.type == type)
			return action;
		ck_assert_msg(action.type == OWED_APPEND || action.type == OWED_REWRITE,
			      "%d, expected %d", action.type, type);
		owed_stored(owed, true, now_ms);
	}
}

bool rig_send(struct owed *owed, uint64_t now_ms, struct owed_action *action)
{
	while (owed_next(owed, now_ms, action)) {
		if (action->type == OWED_SEND)
			return true;
		if (action->type == OWED_REWRITE)
			rewrite_read(owed);
		if (action->type == OWED_APPEND || action->type == OWED_REWRITE)
			owed_stored(owed, true, now_ms);
	}
	return false;
}

void rig_quiet(struct owed *owed, uint64_t now_ms)
{
	struct owed_action action;

	ck_assert_msg(!owed_next(owed, now_ms, &action), "action %d", action.type);
}
