/* register.c - see register.h.  Reentrant; touches nothing but its arguments. */
#include "core/register.h"

#include <assert.h>
#include <errno.h>

#include "core/fields.h"

int register_compare(const struct reg *a, const struct reg *b)
{
	if (a->term != b->term)
		return a->term < b->term ? -1 : 1;
	if (a->serial != b->serial)
		return a->serial < b->serial ? -1 : 1;
	return 0;
}

void register_encode(const struct reg *reg, uint8_t bytes[REGISTER_BYTES])
{
	uint8_t *at = bytes;

	field_put_u64(&at, reg->term);
	field_put_u64(&at, reg->serial);
	field_put_u64(&at, reg->epoch);
	field_put_u64(&at, reg->next_epoch);
	field_put_u64(&at, reg->highest_epoch);
	field_put_u8(&at, reg->phase);
	field_put_u8(&at, reg->long_leases);
	field_put_u8(&at, reg->copied);
	field_put_bytes(&at, reg->active, sizeof(reg->active));
	field_put_bytes(&at, reg->pending, sizeof(reg->pending));
	field_put_name(&at, reg->coordinator, sizeof(reg->coordinator));
	field_put_text(&at, reg->reason, sizeof(reg->reason));
	field_put_u8(&at, reg->aborting);
	field_put_u8(&at, reg->handed_over);
	field_put_u64(&at, reg->keys_version);
	field_put_bytes(&at, reg->keys, sizeof(reg->keys));
	field_put_bytes(&at, reg->given_up, sizeof(reg->given_up));
	field_put_bytes(&at, reg->excused, sizeof(reg->excused));
	assert(at == bytes + REGISTER_BYTES);
}

int register_decode(const uint8_t bytes[REGISTER_BYTES], struct reg *reg)
{
	struct field_reader reader = {.at = bytes, .end = bytes + REGISTER_BYTES};
	struct reg got = {0};

	got.term = field_get_u64(&reader);
	got.serial = field_get_u64(&reader);
	got.epoch = field_get_u64(&reader);
	got.next_epoch = field_get_u64(&reader);
	got.highest_epoch = field_get_u64(&reader);
	got.phase = field_get_below(&reader, PHASE_COUNT);
	got.long_leases = field_get_bool(&reader);
	got.copied = field_get_bool(&reader);
	field_get_bytes(&reader, got.active, sizeof(got.active));
	field_get_bytes(&reader, got.pending, sizeof(got.pending));
	field_get_name(&reader, got.coordinator, sizeof(got.coordinator));
	field_get_text(&reader, got.reason, sizeof(got.reason));
	got.aborting = field_get_bool(&reader);
	got.handed_over = field_get_bool(&reader);
	got.keys_version = field_get_u64(&reader);
	field_get_bytes(&reader, got.keys, sizeof(got.keys));
	field_get_bytes(&reader, got.given_up, sizeof(got.given_up));
	field_get_bytes(&reader, got.excused, sizeof(got.excused));
	if (reader.bad)
		return -EBADMSG;
	*reg = got;
	return 0;
}

/* Where clients write to the old owner alone until they have polled, what was copied meanwhile may
 * be older: it is told from what clients store by a mark taken in SWITCH, and compared in SETTLE.
 */
bool phase_works_gaining(enum phase phase, bool unaware)
{
	return phase == PHASE_PREPARE || phase == PHASE_CLEAN ||
	       (unaware && (phase == PHASE_SWITCH || phase == PHASE_SETTLE));
}

/* A losing server's work in PREPARE is to take part in the proof that it and each gaining server
 * are two processes. */
bool phase_works_losing(enum phase phase)
{
	return phase == PHASE_PREPARE || phase == PHASE_COPY || phase == PHASE_DRAIN ||
	       phase == PHASE_PURGE;
}
