/* owed_rig.h - a change of three servers, and a queue of owed keys over it, for tests.
 *
 * Servers a and b (0, 1) own the even and the odd slots; c (2) is new and gets every third slot.
 */
#ifndef OWED_RIG_H
#define OWED_RIG_H

#include "core/owed.h"

#define RIG_OP_TIMEOUT_MS 1000u
#define RIG_LONG_MS	  1000000000u

const struct change *rig_change(void);
/* "<prefix><i>" with the first i for which the key moves, or stays; its owners. */
struct rig_key {
	char text[64];
	size_t bytes;
	uint32_t old_owner, new_owner;
};
struct rig_key rig_key(const char *prefix, bool moves);

/* A fresh queue with these limits, presenting `phase` as generation 1 under a long lease. */
void rig_init(struct owed *owed, uint32_t keys, uint32_t keys_per_uid, enum phase phase);
void rig_present(struct owed *owed, enum phase phase, uint32_t generation, uint64_t now_ms);

/* Adds and expects to be taken. */
struct owed_ticket rig_add(struct owed *owed, const struct rig_key *key, uint32_t uid);
/* The next action, which must be of this type (stores are confirmed on the way when `type` is none
 * of them). */
struct owed_action rig_expect(struct owed *owed, enum owed_action_type type, uint64_t now_ms);
/* The next delete to be sent, stores confirmed and answers passed over on the way; false: none. */
bool rig_send(struct owed *owed, uint64_t now_ms, struct owed_action *action);
/* Nothing more is to be done now. */
void rig_quiet(struct owed *owed, uint64_t now_ms);

#endif
