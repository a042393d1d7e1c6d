/* pass_line.c - which of the dumped keys a phase's work concerns, and what is done with each. */
#include "core/pass.h"

#include <string.h>

#include "hash.h"

#define PROBE_WORD	 "mcroster:probe:"
#define PROBE_WORD_BYTES (sizeof(PROBE_WORD) - 1)
#define PROBE_HEX_BYTES	 (2 * PASS_PROBE_RANDOM_BYTES)

static bool is_hex(const uint8_t *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
			return false;
	return true;
}

static bool is_probe(const struct change *change, const uint8_t *key, size_t key_bytes)
{
	size_t prefix = strlen(change->prefix);

	return key_bytes == prefix + PROBE_WORD_BYTES + PROBE_HEX_BYTES &&
	       memcmp(key + prefix, PROBE_WORD, PROBE_WORD_BYTES) == 0 &&
	       is_hex(key + prefix + PROBE_WORD_BYTES, PROBE_HEX_BYTES);
}

/* Ranges go by the low bits of the hash: the high ones name the slot. */
static bool in_part(const struct pass *pass, const uint8_t *key, size_t key_bytes)
{
	uint64_t low;

	if (pass->parts == 1)
		return true;
	low = (uint32_t)mcr_hash(key, key_bytes);
	return (low * pass->parts) >> 32 == pass->part;
}

static void drop_unless(struct pass_verdict *verdict, bool owned)
{
	verdict->concerned = !owned;
	verdict->kind = MOVE_DROP;
}

static void copy_verdict(const struct pass *pass, uint64_t cas, uint32_t destination,
			 struct pass_verdict *verdict)
{
	bool changed = !pass->base.known || cas > pass->base.cas;

	verdict->concerned = changed || pass->full || pass->redoing[destination];
	verdict->kind = changed ? MOVE_RECOPY : MOVE_COPY;
}

static enum move_kind drain_kind(const struct pass *pass, uint64_t cas)
{
	const bool known = pass->base.known && cas <= pass->base.cas;

	/* A stub would be an empty value to who is unaware of phases, and what he deletes at N
	 * would come back from O: nothing moves any more. */
	if (pass->change->unaware_poll_ms > 0)
		return known ? MOVE_DRAIN_LEAVE : MOVE_DRAIN_LATE;
	if (!pass->base.known)
		return MOVE_DRAIN_UNSURE;
	return cas > pass->base.cas ? MOVE_DRAIN_NEWER : MOVE_DRAIN;
}

/* What clients stored at this new owner has a CAS above the mark; below it are the copies. */
static void compare_verdict(const struct pass *pass, uint64_t cas, uint32_t old_owner,
			    uint32_t new_owner, struct pass_verdict *verdict)
{
	verdict->concerned =
	    old_owner != pass->server && new_owner == pass->server && cas <= pass->copies_cas;
	verdict->destination = old_owner;
	verdict->kind = MOVE_COMPARE;
	if (verdict->concerned && pass_gave_up(pass, old_owner)) {
		/* Nobody can say any more what was written there last. */
		verdict->destination = pass->server;
		verdict->kind = MOVE_DRAIN_LOSE;
	}
}

bool pass_worth(const struct pass_verdict *verdict, int64_t seconds)
{
	return verdict->kind != MOVE_COPY || seconds < 0 || seconds > PASS_DYING_S;
}

void pass_line(struct pass *pass, const uint8_t *key, size_t key_bytes, uint64_t cas,
	       struct pass_verdict *verdict)
{
	uint32_t old_owner, new_owner;

	*verdict = (struct pass_verdict){.destination = pass->server};
	pass->lines++;
	if (!change_key_covered(pass->change, key, key_bytes) ||
	    is_probe(pass->change, key, key_bytes))
		return;
	pass->covered++;
	change_key_owners(pass->change, key, key_bytes, &old_owner, &new_owner);
	switch (pass->phase) {
	case PHASE_PREPARE:
	case PHASE_CLEAN:
		drop_unless(verdict, old_owner == pass->server);
		break;
	case PHASE_PURGE:
		drop_unless(verdict, new_owner == pass->server);
		break;
	case PHASE_SETTLE:
		compare_verdict(pass, cas, old_owner, new_owner, verdict);
		break;
	default:
		if (old_owner != pass->server || new_owner == pass->server)
			return;
		if (pass_gave_up(pass, new_owner)) {
			/* Nothing goes there: what DRAIN finds is lost as a miss, at O alone. */
			verdict->concerned = pass->phase == PHASE_DRAIN;
			verdict->kind = MOVE_DRAIN_LOSE;
			break;
		}
		verdict->destination = new_owner;
		if (pass->phase == PHASE_COPY) {
			copy_verdict(pass, cas, new_owner, verdict);
		} else {
			verdict->concerned = true;
			verdict->kind = drain_kind(pass, cas);
		}
	}
	if (!verdict->concerned)
		return;
	pass->concerned++;
	verdict->spool = in_part(pass, key, key_bytes);
	pass->spooled += verdict->spool;
	pass->work.found += verdict->spool;
	pass->work.left += verdict->spool;
}
