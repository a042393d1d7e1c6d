/* owed_disk.c - what goes to disk before it is said: records in batches, and the journal anew.
 *
 * After a store that failed nobody knows what the file's end looks like, so nothing is appended to
 * it any more: the journal is written anew, from the queue, and put in the old one's place.
 */
#include "core/owed_internal.h"

static bool journal_outgrown(const struct owed *owed)
{
	return owed->journal_bytes > OWED_COMPACT_BYTES &&
	       owed->journal_bytes > 2 * owed->live_bytes;
}

/* Takes the next key that wants a record off `pending`; false: it wants none any more. */
static bool pending_take(struct owed *owed, uint32_t *number)
{
	struct owed_entry *entry;

	*number = owed_pop(owed, &owed->pending);
	entry = owed_at(owed, *number);
	if (entry->state != OWED_PAID || !owed_again(entry))
		return true;
	/* Owed again before its removal was written. */
	owed_tell_complete(owed, *number);
	if (entry->removal_unsure) {
		entry->removal_unsure = false;
		entry->state = OWED_NEW;
		return true;
	}
	entry->state = OWED_READY;
	owed_tell_answer(owed, *number, true);
	owed_push(owed, &owed->ready, *number);
	return false;
}

static void batch_add(struct owed *owed, uint32_t number)
{
	const struct owed_entry *entry = owed_at(owed, number);
	struct owed_record record = {
	    .kind = OWED_RECORD_PAID, .key_bytes = entry->key_bytes, .key = entry->key};

	if (entry->state == OWED_NEW) {
		record.kind = OWED_RECORD_OWED;
		record.uid = entry->uid;
		record.since_s = entry->since_s;
	}
	owed->batch_length += owed_record_encode(&record, owed->journal_bytes + owed->batch_length,
						 owed->batch_bytes + owed->batch_length);
	owed_push(owed, &owed->batch, number);
}

bool owed_disk_wanted(const struct owed *owed, uint64_t now_ms)
{
	return !owed->storing && now_ms >= owed->store_after_ms &&
	       (owed->pending.count > 0 || owed->rewrite_now);
}

bool owed_disk_next(struct owed *owed, uint64_t now_ms, struct owed_action *action)
{
	uint32_t number;

	if (!owed_disk_wanted(owed, now_ms))
		return false;
	owed->rewriting = owed->rewrite || journal_outgrown(owed);
	owed->batch_length = 0;
	while (owed->pending.count > 0 &&
	       (owed->rewriting || owed->batch.count < OWED_BATCH_RECORDS)) {
		if (!pending_take(owed, &number))
			continue;
		if (owed->rewriting)
			owed_push(owed, &owed->batch, number);
		else
			batch_add(owed, number);
	}
	if (owed->batch.count == 0 && !owed->rewrite_now)
		return false;
	owed->storing = true;
	action->type = owed->rewriting ? OWED_REWRITE : OWED_APPEND;
	action->bytes = owed->batch_bytes;
	action->length = owed->batch_length;
	return true;
}

size_t owed_snapshot(struct owed *owed, struct owed_cursor *cursor, uint8_t *bytes, size_t size)
{
	size_t length = 0;

	if (cursor->offset == 0) {
		owed_journal_header(bytes);
		length = OWED_JOURNAL_HEADER_BYTES;
	}
	for (; cursor->entry < owed->used && size - length >= OWED_RECORD_MAX; cursor->entry++) {
		const struct owed_entry *entry = owed_at(owed, cursor->entry);
		const struct owed_record record = {.kind = OWED_RECORD_OWED,
						   .key_bytes = entry->key_bytes,
						   .uid = entry->uid,
						   .since_s = entry->since_s,
						   .key = entry->key};

		if (entry->state == OWED_NEW || entry->state == OWED_READY ||
		    entry->state == OWED_RUNNING)
			length +=
			    owed_record_encode(&record, cursor->offset + length, bytes + length);
	}
	cursor->offset += length;
	owed->rewrite_bytes = cursor->offset;
	return length;
}

static void stored_one(struct owed *owed, uint32_t number)
{
	struct owed_entry *entry = owed_at(owed, number);

	if (entry->state == OWED_NEW) {
		entry->state = OWED_READY;
		owed_tell_answer(owed, number, true);
		owed_push(owed, &owed->ready, number);
		return;
	}
	owed_tell_complete(owed, number);
	entry->removal_unsure = false;
	if (owed_again(entry)) {
		entry->state = OWED_NEW;
		owed_push(owed, &owed->pending, number);
	} else {
		owed_drop(owed, number);
	}
}

static void not_stored_one(struct owed *owed, uint32_t number)
{
	struct owed_entry *entry = owed_at(owed, number);

	if (entry->state == OWED_NEW) {
		owed->counts.refused_store++;
		owed_tell_answer(owed, number, false);
		owed_drop(owed, number);
		return;
	}
	entry->removal_unsure = true;
	owed_push(owed, &owed->pending, number);
}

void owed_stored(struct owed *owed, bool ok, uint64_t now_ms)
{
	if (!owed->storing)
		return;
	owed->storing = false;
	if (ok && owed->rewriting)
		owed->journal_bytes = owed->rewrite_bytes;
	else if (ok)
		owed->journal_bytes += owed->batch_length;
	if (ok && owed->rewriting)
		owed->rewrite = owed->rewrite_now = false;
	if (!ok) {
		owed->rewrite = true;
		owed->store_after_ms = now_ms + OWED_STORE_RETRY_MS;
	}
	for (uint32_t left = owed->batch.count; left > 0; left--) {
		const uint32_t number = owed_pop(owed, &owed->batch);

		if (ok)
			stored_one(owed, number);
		else
			not_stored_one(owed, number);
	}
}
