/* owed.c - see owed.h: the keys, who owes them, and what is told of them.  Pure: no I/O, no clock,
 * no allocation after owed_init. */
#include "core/owed_internal.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "list/failure.h"

/* ---- lists ---- */

static const struct owed_list empty = {OWED_NONE, OWED_NONE, 0};

void owed_push(struct owed *owed, struct owed_list *list, uint32_t number)
{
	owed_at(owed, number)->next = OWED_NONE;
	if (list->count++ == 0)
		list->head = number;
	else
		owed_at(owed, list->tail)->next = number;
	list->tail = number;
}

uint32_t owed_pop(struct owed *owed, struct owed_list *list)
{
	const uint32_t number = list->head;

	list->head = owed_at(owed, number)->next;
	list->count--;
	return number;
}

void owed_splice(struct owed *owed, struct owed_list *to, struct owed_list *from)
{
	if (from->count == 0)
		return;
	if (to->count == 0)
		to->head = from->head;
	else
		owed_at(owed, to->tail)->next = from->head;
	to->tail = from->tail;
	to->count += from->count;
	*from = empty;
}

/* ---- up and down ---- */

static uint32_t *bucket_of(const struct owed *owed, const void *key, size_t key_bytes)
{
	return &owed->bucket[XXH3_64bits_withSeed(key, key_bytes, owed->hash_seed) &
			     owed->bucket_mask];
}

/* Buckets for the entries that there can be, those in use put into them. */
static bool buckets_make(struct owed *owed)
{
	uint32_t count = 1, *bucket;

	while (count < owed->capacity)
		count *= 2;
	bucket = malloc(count * sizeof(*bucket));
	if (bucket == NULL)
		return false;
	free(owed->bucket);
	owed->bucket = bucket;
	owed->bucket_mask = count - 1;
	for (uint32_t i = 0; i < count; i++)
		bucket[i] = OWED_NONE;
	for (uint32_t i = 0; i < owed->used; i++) {
		struct owed_entry *entry = owed_at(owed, i);

		if (entry->state == OWED_FREE)
			continue;
		bucket = bucket_of(owed, entry->key, entry->key_bytes);
		entry->hash_next = *bucket;
		*bucket = i;
	}
	return true;
}

int owed_init(struct owed *owed, const struct owed_limits *limits, uint64_t seed)
{
	memset(owed, 0, sizeof(*owed));
	owed->limits = *limits;
	if (owed->limits.keys > OWED_KEYS_MAX)
		owed->limits.keys = OWED_KEYS_MAX;
	owed->hash_seed = seed;
	owed->free = OWED_NONE;
	owed->ready = owed->tell = owed->pending = owed->batch = owed->stranded = empty;
	owed->rewrite = true; /* until a journal was read there is none */
	owed->capacity = owed->limits.keys + OWED_BATCH_RECORDS;
	owed->entry = calloc(owed->capacity, sizeof(*owed->entry));
	owed->batch_bytes = malloc(OWED_BATCH_RECORDS * OWED_RECORD_MAX);
	owed->server = malloc(OWED_SERVERS_MAX * sizeof(*owed->server));
	if (owed->entry == NULL || owed->batch_bytes == NULL || owed->server == NULL ||
	    !buckets_make(owed)) {
		owed_free(owed);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < OWED_SERVERS_MAX; i++)
		owed->server[i] = (struct owed_server){.parked = empty};
	return 0;
}

void owed_free(struct owed *owed)
{
	free(owed->entry);
	free(owed->bucket);
	free(owed->batch_bytes);
	free(owed->server);
	memset(owed, 0, sizeof(*owed));
}

/* ---- keys ---- */

static uint32_t entry_find(const struct owed *owed, const void *key, size_t key_bytes)
{
	uint32_t number = *bucket_of(owed, key, key_bytes);

	for (; number != OWED_NONE; number = owed_at(owed, number)->hash_next)
		if (owed_at(owed, number)->key_bytes == key_bytes &&
		    memcmp(owed_at(owed, number)->key, key, key_bytes) == 0)
			break;
	return number;
}

/* NULL: there are too many already. */
static struct owed_uid *uid_slot(struct owed *owed, uint32_t uid)
{
	struct owed_uid *unused = NULL;

	for (uint32_t i = 0; i < OWED_UIDS_MAX; i++) {
		if (owed->uid[i].keys == 0)
			unused = unused == NULL ? &owed->uid[i] : unused;
		else if (owed->uid[i].uid == uid)
			return &owed->uid[i];
	}
	return unused;
}

/* The key counts, in the sums and for its user. */
static void entry_count(struct owed *owed, struct owed_entry *entry)
{
	struct owed_uid *slot = uid_slot(owed, entry->uid);

	owed->keys++;
	owed->live_bytes += OWED_RECORD_FIXED_BYTES + entry->key_bytes;
	if (slot != NULL) {
		slot->uid = entry->uid;
		slot->keys++;
	}
}

static void entry_uncount(struct owed *owed, const struct owed_entry *entry)
{
	struct owed_uid *slot = uid_slot(owed, entry->uid);

	owed->keys--;
	owed->live_bytes -= OWED_RECORD_FIXED_BYTES + entry->key_bytes;
	if (slot != NULL && slot->keys > 0)
		slot->keys--;
}

/* There is room for another. */
static bool entry_is_free(const struct owed *owed)
{
	return owed->free != OWED_NONE || owed->used < owed->capacity;
}

static uint32_t entry_take(struct owed *owed, const void *key, size_t key_bytes)
{
	uint32_t *bucket = bucket_of(owed, key, key_bytes), number = owed->free;
	struct owed_entry *entry;

	assert(entry_is_free(owed));
	if (number == OWED_NONE)
		number = owed->used++;
	else
		owed->free = owed_at(owed, number)->next;
	entry = owed_at(owed, number);
	memset(entry, 0, sizeof(*entry));
	memcpy(entry->key, key, key_bytes);
	entry->key_bytes = (uint8_t)key_bytes;
	entry->hash_next = *bucket;
	*bucket = number;
	return number;
}

static void entry_release(struct owed *owed, uint32_t number)
{
	struct owed_entry *entry = owed_at(owed, number);
	uint32_t *link = bucket_of(owed, entry->key, entry->key_bytes);

	while (*link != number)
		link = &owed_at(owed, *link)->hash_next;
	*link = entry->hash_next;
	entry->state = OWED_FREE;
	entry->next = owed->free;
	owed->free = number;
}

/* ---- what is told ---- */

static void entry_tell(struct owed *owed, uint32_t number)
{
	struct owed_entry *entry = owed_at(owed, number);

	if (entry->telling)
		return;
	entry->telling = true;
	entry->tell_next = OWED_NONE;
	if (owed->tell.count++ == 0)
		owed->tell.head = number;
	else
		owed_at(owed, owed->tell.tail)->tell_next = number;
	owed->tell.tail = number;
}

void owed_tell_answer(struct owed *owed, uint32_t number, bool accepted)
{
	struct owed_entry *entry = owed_at(owed, number);

	entry->answer = true;
	entry->accepted = accepted;
	entry->answered = entry->added;
	entry_tell(owed, number);
}

void owed_tell_complete(struct owed *owed, uint32_t number)
{
	owed_at(owed, number)->complete = true;
	owed->counts.completed++;
	entry_tell(owed, number);
}

void owed_drop(struct owed *owed, uint32_t number)
{
	struct owed_entry *entry = owed_at(owed, number);

	entry_uncount(owed, entry);
	entry->state = OWED_GONE;
	if (!entry->telling)
		entry_release(owed, number);
}

static bool tell_next(struct owed *owed, struct owed_action *action)
{
	const uint32_t number = owed->tell.head;
	struct owed_entry *entry;

	if (owed->tell.count == 0)
		return false;
	entry = owed_at(owed, number);
	action->entry = number;
	action->key = entry->key;
	action->key_bytes = entry->key_bytes;
	if (entry->answer) {
		action->type = OWED_ANSWER;
		action->accepted = entry->accepted;
		action->up_to = entry->answered;
		entry->answer = false;
		owed->counts.accepted += entry->accepted;
	} else {
		action->type = OWED_COMPLETE;
		action->up_to = entry->covered;
		entry->complete = false;
	}
	if (!entry->answer && !entry->complete) {
		owed->tell.head = entry->tell_next;
		owed->tell.count--;
		entry->telling = false;
		if (entry->state == OWED_GONE)
			entry_release(owed, number);
	}
	return true;
}

/* ---- events ---- */

/* For a journal that was written under a higher limit. */
static int capacity_grow(struct owed *owed)
{
	const uint32_t more =
	    owed->capacity * 2 < OWED_ENTRIES_MAX ? owed->capacity * 2 : OWED_ENTRIES_MAX;
	struct owed_entry *entry;

	entry = realloc(owed->entry, more * sizeof(*entry));
	if (entry == NULL)
		return -ENOMEM;
	owed->entry = entry;
	owed->capacity = more;
	return buckets_make(owed) ? 0 : -ENOMEM;
}

/* A key that the journal says is owed. */
static int load_key(struct owed *owed, const struct owed_record *record)
{
	uint32_t number;
	int error;

	if (owed->keys == OWED_KEYS_MAX)
		return -E2BIG;
	if (!entry_is_free(owed) && (error = capacity_grow(owed)) != 0)
		return error;
	number = entry_take(owed, record->key, record->key_bytes);
	owed_at(owed, number)->uid = record->uid;
	owed_at(owed, number)->since_s = record->since_s;
	owed_at(owed, number)->state = OWED_READY;
	entry_count(owed, owed_at(owed, number));
	return 0;
}

int owed_load(struct owed *owed, const void *bytes, size_t length, struct owed_damage *damage,
	      struct failure *failure)
{
	struct owed_journal_reader reader;
	struct owed_record record;
	int error;

	if (owed_journal_open(&reader, bytes, length) != 0)
		return failure_set(failure, EBADMSG,
				   "it does not begin as a journal of owed invalidations of this "
				   "version");
	while (owed_journal_next(&reader, &record)) {
		uint32_t number = entry_find(owed, record.key, record.key_bytes);

		if (record.kind == OWED_RECORD_PAID && number != OWED_NONE) {
			owed_drop(owed, number);
		} else if (record.kind == OWED_RECORD_OWED && number == OWED_NONE) {
			error = load_key(owed, &record);
			if (error != 0)
				return failure_set(failure, -error,
						   error == -E2BIG ? "it holds more than %u keys"
								   : "no memory for its keys (%u "
								     "at most)",
						   OWED_KEYS_MAX);
		}
	}
	for (uint32_t i = 0; i < owed->used; i++)
		if (owed_at(owed, i)->state == OWED_READY)
			owed_push(owed, &owed->ready, i);
	damage->torn_bytes = length - reader.whole;
	damage->damaged_bytes = reader.passed_over;
	owed->journal_bytes = length;
	owed->rewrite = owed->rewrite_now = damage->torn_bytes + damage->damaged_bytes > 0;
	return 0;
}

static int add_refused(struct owed *owed, uint32_t uid, struct failure *failure)
{
	const struct owed_uid *slot = uid_slot(owed, uid);

	if (owed->keys >= owed->limits.keys || !entry_is_free(owed)) {
		owed->counts.refused_full++;
		return failure_set(failure, ENOSPC,
				   "%" PRIu32 " keys are owed already, %" PRIu32 " may be: see "
				   "which server cannot be reached",
				   owed->keys, owed->limits.keys);
	}
	if (slot == NULL || slot->keys >= owed->limits.keys_per_uid) {
		owed->counts.refused_uid++;
		return failure_set(failure, EDQUOT,
				   slot == NULL ? "uid %" PRIu32 " is one user too many: %" PRIu32
						  " of them owe keys already"
						: "uid %" PRIu32 " owes %" PRIu32
						  " keys already, more are not taken from one user",
				   uid, slot == NULL ? OWED_UIDS_MAX : slot->keys);
	}
	return 0;
}

int owed_add(struct owed *owed, const void *key, size_t key_bytes, uint32_t uid, uint64_t unix_s,
	     struct owed_ticket *ticket, struct failure *failure)
{
	struct owed_entry *entry;
	uint32_t number;
	int error;

	if (!owed_key_valid(key, key_bytes)) {
		owed->counts.refused_key++;
		return failure_set(failure, EINVAL,
				   "a key of %zu bytes, expected 1 to %u, and those that a line "
				   "cannot carry shorter than their base64",
				   key_bytes, OWED_KEY_MAX);
	}
	if (owed->present.change == NULL) {
		owed->counts.refused_not_ready++;
		return failure_set(failure, EAGAIN, "no list is published yet");
	}
	if (!change_key_covered(owed->present.change, key, key_bytes)) {
		owed->counts.refused_key++;
		return failure_set(failure, ENOENT,
				   "the list is only for keys that begin with '%s'",
				   owed->present.change->prefix);
	}
	number = entry_find(owed, key, key_bytes);
	if (number == OWED_NONE || owed_at(owed, number)->state == OWED_GONE) {
		error = add_refused(owed, uid, failure);
		if (error != 0)
			return error;
		if (number == OWED_NONE)
			number = entry_take(owed, key, key_bytes);
		entry = owed_at(owed, number);
		entry->uid = uid;
		entry->since_s = unix_s;
		entry->removal_unsure = false;
		entry->state = OWED_NEW;
		entry_count(owed, entry);
		owed_push(owed, &owed->pending, number);
	}
	entry = owed_at(owed, number);
	entry->added = ++owed->sequence;
	ticket->entry = number;
	ticket->sequence = entry->added;
	/* What is on disk already, and stays there, needs no other record. */
	if (entry->state == OWED_READY || entry->state == OWED_RUNNING)
		owed_tell_answer(owed, number, true);
	return 0;
}

bool owed_next(struct owed *owed, uint64_t now_ms, struct owed_action *action)
{
	memset(action, 0, sizeof(*action));
	/* What ends without an action of its own may leave something to be told or stored. */
	do {
		if (tell_next(owed, action) || owed_disk_next(owed, now_ms, action) ||
		    owed_execute_next(owed, now_ms, action))
			return true;
	} while (owed->tell.count > 0 || owed_disk_wanted(owed, now_ms));
	return false;
}
