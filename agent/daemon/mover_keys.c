/* mover_keys.c - see mover_keys.h. */
#include "daemon/mover_keys.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/mover.h"
#include "daemon/mover_rooms.h"
#include "hash.h"
#include "net/soon.h"

#define BATCHES	   8u
#define BATCH_KEYS 1024u
/* Values pass through here by copies: what is under way in all batches is kept small. */
#define BATCH_BYTES  (256u << 10)
#define LEFT_OUT_MAX 65536u /* of the keys that a batch looks at: it does not take long */
/* Batches begin small and grow while they take less than this share of op_timeout; they shrink when
 * they take more than that: a time-out costs far more than a round trip. */
#define FIRST_KEYS  128u
#define FIRST_BYTES (128u << 10)
#define QUICK_SHARE 16u
#define SLOW_SHARE  4u
/* A key is given up when it has been tried so often; one that was alone in a batch and still not
 * through in time weighs more, for nothing but its size can be the reason. */
#define ATTEMPTS_MAX	 240u
#define ATTEMPT_TOO_LATE 80u

struct batch {
	uint32_t open;	/* keys not yet through */
	uint32_t count; /* slots used */
	bool late;
	uint64_t deadline_ns;
};

struct key_slot {
	struct mover_command command; /* first: the command's context leads back here */
	struct mover_keys *keys;
	struct batch *batch;
	bool takes_room;
	struct mover_peer *destination, *waiting; /* waiting: NULL once it is through */
	uint32_t destination_generation, source_generation;
	struct move move;
	struct mc_key wire;
	struct spool_record record;
};

struct mover_keys {
	struct mover_keys_setup setup;
	struct event *timer;
	uint32_t in_flight;
	uint32_t batch_keys; /* smaller after a batch was late */
	uint64_t batch_bytes;
	struct batch batches[BATCHES];
	struct key_slot slots[BATCHES][BATCH_KEYS];
};

static void timer_set(struct mover_keys *keys, uint64_t now_ns)
{
	uint64_t first = UINT64_MAX;
	struct timeval wait;

	for (uint32_t i = 0; i < BATCHES; i++)
		if (keys->batches[i].open > 0 && keys->batches[i].deadline_ns < first)
			first = keys->batches[i].deadline_ns;
	if (first == UINT64_MAX)
		return;
	first = first > now_ns ? (first - now_ns) / 1000 + 1000 : 1000;
	wait.tv_sec = (time_t)(first / 1000000);
	wait.tv_usec = (suseconds_t)(first % 1000000);
	(void)event_add(keys->timer, &wait);
}

/* ---- a key's end ---- */

static uint64_t clock_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void batch_size_adapt(struct mover_keys *keys, const struct batch *batch)
{
	uint64_t timeout_ns = keys->setup.op_timeout_ms * 1000000ull;
	uint64_t took_ns = clock_ns() + timeout_ns - batch->deadline_ns;

	if (batch->late)
		return; /* it shrank when it was found late */
	if (took_ns > timeout_ns / SLOW_SHARE) {
		keys->batch_keys = keys->batch_keys > 2 ? keys->batch_keys / 2 : 1;
		keys->batch_bytes = keys->batch_bytes > 2 ? keys->batch_bytes / 2 : 1;
	} else if (took_ns < timeout_ns / QUICK_SHARE) {
		keys->batch_keys =
		    keys->batch_keys < BATCH_KEYS / 2 ? keys->batch_keys * 2 : BATCH_KEYS;
		keys->batch_bytes =
		    keys->batch_bytes < BATCH_BYTES / 2 ? keys->batch_bytes * 2 : BATCH_BYTES;
	}
}

static void batch_key_ended(struct mover_keys *keys, struct batch *batch)
{
	keys->in_flight--;
	if (--batch->open > 0)
		return;
	batch_size_adapt(keys, batch);
	keys->setup.ended(keys->setup.context);
}

/* It has been tried often enough: what is left is to see that nothing stale stays behind. */
static void give_up(struct spool_record *record)
{
	if (record->attempts < ATTEMPTS_MAX || record->kind >= MOVE_DRAIN_LEAVE)
		return;
	if (record->kind == MOVE_COMPARE) {
		record->kind = MOVE_DRAIN_LOSE;
		return;
	}
	record->kind = record->kind < MOVE_DRAIN ? MOVE_COPY_ABANDON : MOVE_DRAIN_ABANDON;
}

static void try_again(struct key_slot *slot)
{
	struct mover_keys *keys = slot->keys;
	struct spool_record *record = &slot->record;
	bool live = mover_peer_is_up(slot->destination) && mover_peer_is_up(keys->setup.source);
	unsigned attempt = slot->batch->late && slot->batch->count == 1 ? ATTEMPT_TOO_LATE
			   : live					? 1
									: 0;

	record->kind = slot->move.kind;
	record->cas = slot->move.source_cas;
	record->attempts =
	    (uint8_t)(record->attempts + attempt < UINT8_MAX ? record->attempts + attempt
							     : UINT8_MAX);
	give_up(record);
	if (mover_queue_put_later(keys->setup.queue, record, live) < 0)
		pass_incomplete(keys->setup.pass); /* no room: another dump will find it */
}

static void failure_count(struct mover_failures *failures, uint8_t kind)
{
	switch (kind) {
	case MOVE_COPY_ABANDON:
	case MOVE_DRAIN_ABANDON:
		failures->too_often++;
		break;
	case MOVE_DRAIN_UNSURE:
		failures->both_sides++;
		break;
	case MOVE_DRAIN_LATE:
		failures->late++;
		break;
	case MOVE_DRAIN_LOSE:
		failures->given_up++;
		break;
	default:
		failures->refused++;
		break;
	}
}

/* It is not at its old owner any more: has its time come, or was it deleted? */
static bool has_expired(const struct key_slot *slot)
{
	int64_t clock =
	    (int64_t)time(NULL) + mover_peer_info(slot->keys->setup.source)->clock_ahead_s;

	return slot->record.expires != 0 && (int64_t)slot->record.expires <= clock;
}

static void slot_end(struct key_slot *slot)
{
	slot->waiting = NULL;
	if (slot->move.result == MOVE_GONE && has_expired(slot))
		slot->move.result = MOVE_EXPIRED;
	if (slot->move.result == MOVE_FAILED)
		failure_count(slot->keys->setup.failures, slot->move.kind);
	if (slot->takes_room)
		mover_rooms_ended(slot->keys->setup.rooms, &slot->record,
				  slot->move.result == MOVE_MOVED);
	if (slot->move.result == MOVE_AGAIN)
		try_again(slot);
	else
		pass_count(slot->keys->setup.pass, (enum move_result)slot->move.result);
	batch_key_ended(slot->keys, slot->batch);
}

static void slot_abandon(struct key_slot *slot)
{
	(void)move_abandon(&slot->move);
	slot_end(slot);
}

/* ---- commands ---- */

/* The connection for a command, or NULL where it is not the one that the key began with. */
static struct mc_conn *slot_conn(struct key_slot *slot, enum move_action action)
{
	bool old = action == MOVE_OLD_READ_CAS || action == MOVE_OLD_READ ||
		   action == MOVE_OLD_DELETE_CAS || action == MOVE_OLD_DELETE;
	uint32_t generation = old ? slot->source_generation : slot->destination_generation;

	slot->waiting = old ? slot->keys->setup.source : slot->destination;
	if (mover_peer_generation(slot->waiting) != generation)
		return NULL;
	return mover_peer_conn(slot->waiting);
}

static int64_t fill_ttl(const struct key_slot *slot)
{
	int64_t ttl = slot->move.ttl;

	return ttl <= MC_TTL_RELATIVE_MAX
		   ? move_ttl_written(ttl, 0)
		   : move_ttl_written(ttl, (int64_t)time(NULL) +
					       mover_peer_info(slot->destination)->clock_ahead_s);
}

/* Fills and removals nearly always succeed, and nothing of the answer is wanted then: they are sent
 * quiet where the connection allows it. */
static bool may_be_quiet(const struct mc_conn *conn, enum move_action action)
{
	return (action == MOVE_NEW_FILL || action == MOVE_OLD_DELETE_CAS) &&
	       mc_conn_may_be_quiet(conn);
}

static size_t fill_write(struct key_slot *slot, char *room, const struct mc_reply *reply,
			 bool quiet, uint32_t number)
{
	const struct move *move = &slot->move;
	size_t bytes = quiet ? mc_write_set_quiet(room, &slot->wire, reply->value_bytes, move->cas,
						  move->client_flags, fill_ttl(slot), number)
			     : mc_write_set(room, &slot->wire, reply->value_bytes, move->cas,
					    move->client_flags, fill_ttl(slot));

	memcpy(room + bytes, reply->value, reply->value_bytes);
	memcpy(room + bytes + reply->value_bytes, "\r\n", 2);
	return bytes + reply->value_bytes + 2;
}

static size_t command_write(struct key_slot *slot, enum move_action action, char *room)
{
	switch (action) {
	case MOVE_NEW_DELETE:
	case MOVE_OLD_DELETE:
		return mc_write_delete(room, &slot->wire);
	case MOVE_NEW_READ_CAS:
	case MOVE_OLD_READ_CAS:
		return mc_write_get_cas(room, &slot->wire);
	case MOVE_NEW_RESERVE:
		return mc_write_reserve(room, &slot->wire, MOVE_STUB_TTL);
	case MOVE_OLD_READ:
	case MOVE_NEW_READ:
		return mc_write_get_value(room, &slot->wire);
	default:
		return mc_write_delete_cas(room, &slot->wire, slot->move.cas);
	}
}

/* False: the connection takes no more. */
static bool command_send(struct key_slot *slot, struct mc_conn *conn, enum move_action action,
			 const struct mc_reply *reply)
{
	bool quiet = conn != NULL && may_be_quiet(conn, action);
	size_t bytes = MC_COMMAND_MAX;
	uint32_t number = 0;
	char *room;

	if (action == MOVE_NEW_FILL)
		bytes += reply->value_bytes + 2;
	room = quiet ? mc_conn_room_quiet(conn, bytes, &number) : mc_conn_room(conn, bytes);
	if (room == NULL)
		return false;
	if (action == MOVE_NEW_FILL) {
		mover_peer_own(slot->destination)->sets++;
		bytes = fill_write(slot, room, reply, quiet, number);
	} else if (quiet)
		bytes = mc_write_delete_cas_quiet(room, &slot->wire, slot->move.cas, number);
	else
		bytes = command_write(slot, action, room);
	if (quiet)
		mc_conn_send_quiet(conn, bytes, &slot->command);
	else
		mc_conn_send(conn, bytes, &slot->command);
	return true;
}

static void slot_run(struct key_slot *slot, enum move_action action, const struct mc_reply *reply)
{
	if (action == MOVE_END) {
		slot_end(slot);
		return;
	}
	if (slot->batch->late || !command_send(slot, slot_conn(slot, action), action, reply))
		slot_abandon(slot);
}

static enum move_answer answer(enum mc_code code)
{
	switch (code) {
	case MC_HD:
	case MC_VA:
		return MOVE_OK;
	case MC_EN:
		return MOVE_MISS;
	case MC_EX:
		return MOVE_DIFFERS;
	case MC_NF:
		return MOVE_ABSENT;
	case MC_LOST:
	case MC_UNSURE:
		return MOVE_LOST;
	default:
		return MOVE_REFUSED;
	}
}

static void slot_replied(struct mover_command *command, const struct mc_reply *reply)
{
	struct key_slot *slot = (struct key_slot *)command;
	struct move_reply told = {
	    .answer = answer(reply->code),
	    .won = reply->won,
	    .stale = reply->stale,
	    .sent = reply->sent,
	    .has_cas = reply->has_cas,
	    .has_value = reply->code == MC_VA && reply->has_ttl && reply->has_flags,
	    .client_flags = reply->client_flags,
	    .cas = reply->cas,
	    .size = reply->code == MC_VA ? reply->value_bytes : reply->size,
	    .ttl = reply->ttl,
	};
	struct mover_keys *keys = slot->keys;
	struct mover_peer *asked = slot->waiting;
	bool lost = reply->code == MC_LOST;

	if (slot->move.kind == MOVE_COMPARE && told.has_value)
		told.value_hash = mcr_hash(reply->value, reply->value_bytes) + reply->client_flags;

	if (lost && asked != keys->setup.source)
		keys->setup.lost(keys->setup.context, mover_peer_number(asked));
	if (reply->won || reply->code == MC_VA || (reply->code == MC_HD && reply->has_size))
		mover_peer_own(asked)->hits++;
	/* Read after the deadline, as after a stop of this process: nothing more is sent for it. */
	if (!lost && mc_conn_progress_ns(mover_peer_conn(asked)) > slot->batch->deadline_ns)
		slot->batch->late = true;
	slot_run(slot, move_advance(&slot->move, &told), reply);
	/* After a refusal of the line itself memcached may read the value as commands. */
	if (reply->code == MC_CLIENT_ERROR || reply->code == MC_ERROR)
		mover_peer_fail(asked, "it does not understand a command");
}

/* ---- batches ---- */

static void slot_begin(struct key_slot *slot)
{
	struct mover_keys *keys = slot->keys;
	enum move_action action;

	slot->command.replied = slot_replied;
	action = move_begin(&slot->move, (enum move_kind)slot->record.kind, slot->record.cas);
	if (!mover_peer_is_up(slot->destination) || !mover_peer_is_up(keys->setup.source)) {
		slot->move.kind = slot->record.kind; /* nothing was done, so nothing is unknown */
		slot->move.result = MOVE_AGAIN;
		slot_end(slot);
		return;
	}
	slot->destination_generation = mover_peer_generation(slot->destination);
	slot->source_generation = mover_peer_generation(keys->setup.source);
	slot_run(slot, action, NULL);
}

/* There is no room for it at its new owner.  What may be older there is deleted, what is at O is
 * not drained: it goes.  False: nothing is to be done with it at all. */
static bool left_out(struct spool_record *record)
{
	switch (record->kind) {
	case MOVE_COPY:
		return false;
	case MOVE_RECOPY:
		record->kind = MOVE_COPY_COLD;
		return true;
	case MOVE_DRAIN:
		record->kind = MOVE_DRAIN_COLD;
		return true;
	default:
		return true;
	}
}

/* 1: it is in the slot; 0: there is none; LEFT_OUT: it was counted, there may be another. */
#define LEFT_OUT 2
static int slot_take(struct mover_keys *keys, struct batch *batch, struct key_slot *slot)
{
	int taken = spool_next(keys->setup.queue->now, &slot->record);

	if (taken <= 0)
		return taken;
	slot->takes_room = keys->setup.rooms != NULL && slot->record.kind < MOVE_DRAIN_COLD;
	if (slot->takes_room && mover_rooms_leaves_out(keys->setup.rooms, &slot->record)) {
		if (!left_out(&slot->record)) {
			pass_count(keys->setup.pass, MOVE_COLD);
			return LEFT_OUT;
		}
		slot->takes_room = false;
	}
	if (slot->takes_room)
		mover_rooms_took(keys->setup.rooms, &slot->record);
	slot->keys = keys;
	slot->batch = batch;
	slot->destination = slot->record.kind >= MOVE_DRAIN_LEAVE /* the source alone */
				? keys->setup.source
				: keys->setup.peers[slot->record.destination];
	slot->waiting = slot->destination;
	(void)mc_key_write(slot->record.key, slot->record.key_bytes, &slot->wire);
	return 1;
}

/* What a key of usual length takes of its slot: the beginning of both its spellings. */
static void slot_soon(const struct key_slot *slot)
{
	soon(slot, offsetof(struct key_slot, wire) + 64);
	soon(&slot->record, 64);
}

uint32_t mover_keys_room(const struct mover_keys *keys)
{
	for (uint32_t i = 0; i < BATCHES; i++)
		if (keys->batches[i].open == 0)
			return keys->batch_keys;
	return 0;
}

int mover_keys_begin(struct mover_keys *keys, uint32_t most, uint64_t bytes_most, uint64_t now_ns,
		     uint64_t *bytes)
{
	uint32_t i = 0, count, looked_at = 0;
	struct batch *batch;
	int taken = 1;

	while (keys->batches[i].open > 0)
		i++;
	batch = keys->batches + i;
	*bytes = 0;
	if (bytes_most > keys->batch_bytes)
		bytes_most = keys->batch_bytes;
	/* One more than its keys, so that it cannot end while it is still being begun. */
	*batch = (struct batch){.open = 1,
				.deadline_ns = now_ns + keys->setup.op_timeout_ms * 1000000ull};
	keys->in_flight++;
	while (batch->count < most && batch->count < BATCH_KEYS && *bytes < bytes_most &&
	       looked_at++ < LEFT_OUT_MAX) {
		struct key_slot *slot = &keys->slots[i][batch->count];

		slot_soon(&keys->slots[i][(batch->count + SOON_AHEAD) % BATCH_KEYS]);
		taken = slot_take(keys, batch, slot);
		if (taken <= 0)
			break;
		if (taken == LEFT_OUT)
			continue;
		*bytes += slot->record.size;
		batch->count++;
		batch->open++;
		keys->in_flight++;
		slot_begin(slot);
	}
	if (batch->count == 0) {
		batch->open = 0;
		keys->in_flight--;
		return taken < 0 ? taken : 0;
	}
	count = batch->count;
	batch_key_ended(keys, batch);
	timer_set(keys, now_ns);
	return taken < 0 ? taken : (int)count;
}

static void batch_late(struct mover_keys *keys, uint32_t number)
{
	struct batch *batch = keys->batches + number;

	batch->late = true;
	keys->batch_keys = keys->batch_keys > 4 ? keys->batch_keys / 4 : 1;
	keys->batch_bytes = keys->batch_bytes > 4 ? keys->batch_bytes / 4 : 1;
	for (uint32_t k = 0; k < batch->count && batch->open > 0; k++) {
		struct key_slot *slot = &keys->slots[number][k];

		if (slot->waiting != NULL)
			mover_peer_fail(slot->waiting, "it does not answer in time");
	}
}

static void timer_event(evutil_socket_t fd, short what, void *argument)
{
	struct mover_keys *keys = argument;
	uint64_t now_ns = clock_ns();

	(void)fd;
	(void)what;
	for (uint32_t i = 0; i < BATCHES; i++)
		if (keys->batches[i].open > 0 && now_ns > keys->batches[i].deadline_ns)
			batch_late(keys, i);
	timer_set(keys, now_ns);
}

uint32_t mover_keys_in_flight(const struct mover_keys *keys)
{
	return keys->in_flight;
}

struct mover_keys *mover_keys_new(const struct mover_keys_setup *setup)
{
	struct mover_keys *keys = calloc(1, sizeof(*keys));

	if (keys == NULL)
		return NULL;
	keys->setup = *setup;
	keys->batch_keys = FIRST_KEYS;
	keys->batch_bytes = FIRST_BYTES;
	keys->timer = event_new(setup->base, -1, 0, timer_event, keys);
	if (keys->timer == NULL) {
		free(keys);
		return NULL;
	}
	return keys;
}

void mover_keys_free(struct mover_keys *keys)
{
	if (keys == NULL)
		return;
	event_free(keys->timer);
	free(keys);
}
