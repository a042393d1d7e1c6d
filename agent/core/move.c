/* move.c - see move.h. */
#include "core/move.h"

#define TTL_RELATIVE_MAX 2592000
#define TTL_TIME_MAX	 INT32_MAX /* memcached reads T as 32 signed bits */

enum state {
	AT_DROP,	 /* MOVE_DROP's only command */
	AT_DELETE_FIRST, /* RECOPY: N is being emptied */
	AT_READ_NEW,	 /* NEWER, UNSURE: which CAS N holds */
	AT_LOOK_NEW,	 /* COLD: whether N has it all the same */
	AT_STILL_OLD,	 /* ... and whether the key is still at O */
	AT_CLEAR_OLD,	 /* UNSURE: O is emptied */
	AT_CLEAR_NEW,	 /* ... then N, by the CAS read there */
	AT_RESERVE,
	AT_READ,
	AT_FILL,
	AT_REMOVE,	/* O's copy goes, then the end */
	AT_REMOVE_MARK, /* an item that somebody recomputes goes at O, then our stub */
	AT_UNRESERVE,	/* our stub goes, then the end */
	AT_GIVE_BACK,	/* our stub goes, then O's copy: N refused the value */
	AT_OWN_COPY,	/* COMPARE: what our own server holds */
	AT_ORIGINAL,	/* ... and what the one that it came from does */
	AT_CLEAR_MARK,	/* ... which somebody recomputes: it goes there */
	AT_CLEAR_COPY,	/* ... then the copy */
};

static enum move_action act(struct move *move, enum state state, enum move_action action,
			    uint64_t cas)
{
	move->state = (uint8_t)state;
	move->cas = cas;
	return action;
}

static enum move_action end(struct move *move, enum move_result result)
{
	move->result = (uint8_t)result;
	return MOVE_END;
}

static enum move_action again(struct move *move, uint8_t kind)
{
	move->kind = kind;
	return end(move, MOVE_AGAIN);
}

/* What N holds is not known any more; the next attempt deletes there first. */
static enum move_action again_unknown(struct move *move)
{
	return again(move, move->unsure_kind);
}

static bool draining(const struct move *move)
{
	return move->kind >= MOVE_DRAIN;
}

static enum move_action reserve(struct move *move)
{
	/* From here on N was empty or known not to be older: it is a plain move. */
	if (draining(move)) {
		move->kind = MOVE_DRAIN;
		move->unsure_kind = MOVE_DRAIN_NEWER;
	}
	return act(move, AT_RESERVE, MOVE_NEW_RESERVE, 0);
}

/* The end of a key that needs nothing at N any more: in DRAIN O's copy goes first. */
static enum move_action finish(struct move *move, enum move_result result)
{
	if (!draining(move))
		return end(move, result);
	move->result = (uint8_t)result;
	return act(move, AT_REMOVE, MOVE_OLD_DELETE_CAS, move->source_cas);
}

static enum move_action unreserve(struct move *move, enum move_result result)
{
	move->result = (uint8_t)result;
	return act(move, AT_UNRESERVE, MOVE_NEW_DELETE_CAS, move->stub_cas);
}

enum move_action move_begin(struct move *move, enum move_kind kind, uint64_t source_cas)
{
	*move = (struct move){.kind = (uint8_t)kind, .source_cas = source_cas};
	switch (kind) {
	case MOVE_DROP:
		move->unsure_kind = MOVE_DROP;
		return act(move, AT_DROP, MOVE_OLD_DELETE, 0);
	case MOVE_RECOPY:
	case MOVE_COPY_ABANDON:
	case MOVE_COPY_COLD:
		move->unsure_kind = (uint8_t)kind;
		return act(move, AT_DELETE_FIRST, MOVE_NEW_DELETE, 0);
	case MOVE_DRAIN_NEWER:
	case MOVE_DRAIN_UNSURE:
	case MOVE_DRAIN_ABANDON:
	case MOVE_DRAIN_LATE:
		move->unsure_kind = (uint8_t)kind;
		return act(move, AT_READ_NEW, MOVE_NEW_READ_CAS, 0);
	case MOVE_COMPARE:
		move->unsure_kind = (uint8_t)kind;
		return act(move, AT_OWN_COPY, MOVE_OLD_READ, 0);
	case MOVE_DRAIN:
		return reserve(move);
	case MOVE_DRAIN_COLD:
		move->unsure_kind = (uint8_t)kind;
		return act(move, AT_LOOK_NEW, MOVE_NEW_READ_CAS, 0);
	case MOVE_DRAIN_LEAVE:
	case MOVE_DRAIN_LOSE:
		move->unsure_kind = (uint8_t)kind;
		return act(move, AT_CLEAR_OLD, MOVE_OLD_DELETE_CAS, source_cas);
	default:
		move->unsure_kind = MOVE_RECOPY;
		return reserve(move);
	}
}

static enum move_action after_drop(struct move *move, const struct move_reply *reply)
{
	switch (reply->answer) {
	case MOVE_OK:
		return end(move, MOVE_MOVED);
	case MOVE_ABSENT:
		return end(move, MOVE_GONE);
	default:
		return again(move, MOVE_DROP);
	}
}

static enum move_action after_delete_first(struct move *move, const struct move_reply *reply)
{
	if (reply->answer != MOVE_OK && reply->answer != MOVE_ABSENT)
		return again_unknown(move);
	switch (move->kind) {
	case MOVE_COPY_ABANDON:
		return end(move, MOVE_FAILED);
	case MOVE_COPY_COLD:
		return end(move, MOVE_COLD);
	default:
		return reserve(move);
	}
}

static enum move_action after_look_new(struct move *move, const struct move_reply *reply)
{
	if (reply->answer == MOVE_MISS)
		return act(move, AT_CLEAR_OLD, MOVE_OLD_DELETE_CAS, move->source_cas);
	if (reply->answer != MOVE_OK || (reply->sent && reply->size == 0))
		return again_unknown(move); /* or a stub of another mover: it may become a value */
	if (reply->stale)
		return again(move, MOVE_DRAIN_NEWER); /* no value to rely on */
	return finish(move, MOVE_PRESENT);
}

static enum move_action after_read_new(struct move *move, const struct move_reply *reply)
{
	if (reply->answer == MOVE_MISS &&
	    (move->kind == MOVE_DRAIN_ABANDON || move->kind == MOVE_DRAIN_LATE))
		return act(move, AT_CLEAR_OLD, MOVE_OLD_DELETE_CAS, move->source_cas);
	if (reply->answer == MOVE_MISS)
		return reserve(move);
	if (reply->answer != MOVE_OK || !reply->has_cas)
		return again_unknown(move);
	move->new_cas = reply->cas;
	/* A stub is no value: it goes by its CAS and the key is moved, whatever the mark. */
	move->stub_cas = reply->sent && reply->size == 0 ? reply->cas : 0;
	if (move->stub_cas != 0 && move->kind == MOVE_DRAIN_UNSURE)
		move->kind = MOVE_DRAIN_NEWER;
	return act(move, AT_STILL_OLD, MOVE_OLD_READ_CAS, 0);
}

static enum move_action after_still_old(struct move *move, const struct move_reply *reply)
{
	/* It may have expired at O, and what N holds is not newer for that.  N first: what is cut
	 * short after O would leave it there for good. */
	if (move->kind == MOVE_DRAIN_LATE &&
	    (reply->answer == MOVE_MISS || (reply->answer == MOVE_OK && reply->has_cas))) {
		if (reply->answer == MOVE_OK)
			move->source_cas = reply->cas;
		return act(move, AT_CLEAR_NEW, MOVE_NEW_DELETE_CAS, move->new_cas);
	}
	if (reply->answer == MOVE_MISS)
		return move->stub_cas != 0 ? unreserve(move, MOVE_GONE) : end(move, MOVE_GONE);
	if (reply->answer != MOVE_OK || !reply->has_cas)
		return again_unknown(move);
	move->source_cas = reply->cas;
	if (move->kind == MOVE_DRAIN_NEWER)
		return act(move, AT_CLEAR_NEW, MOVE_NEW_DELETE_CAS, move->new_cas);
	/* O first: readers ask N first, so what they saw stays what they see until it is gone. */
	return act(move, AT_CLEAR_OLD, MOVE_OLD_DELETE_CAS, move->source_cas);
}

/* That N's CAS differs by now changes nothing: a client wrote there, having deleted at O before. */
static enum move_action after_clear_new(struct move *move, const struct move_reply *reply)
{
	if (reply->answer != MOVE_OK && reply->answer != MOVE_ABSENT &&
	    reply->answer != MOVE_DIFFERS)
		return again_unknown(move);
	if (move->kind == MOVE_DRAIN_LATE) {
		move->new_cas = 0;
		return act(move, AT_CLEAR_OLD, MOVE_OLD_DELETE_CAS, move->source_cas);
	}
	return move->kind == MOVE_DRAIN_NEWER ? reserve(move) : end(move, MOVE_FAILED);
}

static enum move_action after_clear_old(struct move *move, const struct move_reply *reply)
{
	if (reply->answer == MOVE_ABSENT)
		return end(move, MOVE_GONE);
	if (reply->answer == MOVE_DIFFERS && move->kind == MOVE_DRAIN_COLD)
		return again(move, MOVE_DRAIN_NEWER); /* written again: it is not cold */
	if (reply->answer == MOVE_DIFFERS &&
	    (move->kind == MOVE_DRAIN_LOSE || move->kind == MOVE_DRAIN_LEAVE ||
	     move->kind == MOVE_DRAIN_LATE))
		return end(move, MOVE_GONE); /* the next round finds it as it is by then */
	if (reply->answer != MOVE_OK)
		return again_unknown(move);
	if (move->kind == MOVE_DRAIN_LEAVE)
		return end(move, MOVE_PRESENT);
	if (move->new_cas == 0) /* there was nothing at N */
		return end(move, move->kind == MOVE_DRAIN_COLD ? MOVE_COLD : MOVE_FAILED);
	return act(move, AT_CLEAR_NEW, MOVE_NEW_DELETE_CAS, move->new_cas);
}

static enum move_action after_reserve(struct move *move, const struct move_reply *reply)
{
	switch (reply->answer) {
	case MOVE_OK:
		break;
	case MOVE_LOST:
		return again_unknown(move);
	default:
		return finish(move, MOVE_FAILED); /* no memory for even an empty item */
	}
	if (!reply->has_cas || reply->stale)
		return again_unknown(move); /* marked stale at N: it is no value to rely on */
	if (reply->won && reply->size == 0) {
		move->stub_cas = reply->cas;
		return act(move, AT_READ, MOVE_OLD_READ, 0);
	}
	if (reply->sent && reply->size == 0)
		return again(move, move->kind); /* another mover's stub */
	return finish(move, MOVE_PRESENT);
}

static enum move_action after_read(struct move *move, const struct move_reply *reply)
{
	if (reply->answer == MOVE_MISS)
		return unreserve(move, MOVE_GONE);
	if (reply->answer != MOVE_OK || !reply->has_cas || !reply->has_value)
		return unreserve(move, MOVE_AGAIN);
	move->source_cas = reply->cas;
	if (reply->stale || reply->won || (reply->sent && reply->size == 0))
		return act(move, AT_REMOVE_MARK, MOVE_OLD_DELETE_CAS, move->source_cas);
	if (reply->ttl == 0)
		return unreserve(move, MOVE_EXPIRED);
	move->ttl = reply->ttl;
	move->client_flags = reply->client_flags;
	return act(move, AT_FILL, MOVE_NEW_FILL, move->stub_cas);
}

static enum move_action after_fill(struct move *move, const struct move_reply *reply)
{
	switch (reply->answer) {
	case MOVE_OK:
		return finish(move, MOVE_MOVED);
	case MOVE_DIFFERS:
	case MOVE_ABSENT:
		/* A client was faster, or the stub was evicted.  In DRAIN the next attempt tells:
		 * to remove O's copy on the strength of a lost stub would lose the key. */
		if (draining(move))
			return again(move, move->kind);
		return end(move, reply->answer == MOVE_DIFFERS ? MOVE_PRESENT : MOVE_GONE);
	case MOVE_LOST:
		return again_unknown(move);
	default:
		return act(move, AT_GIVE_BACK, MOVE_NEW_DELETE_CAS, move->stub_cas);
	}
}

static enum move_action after_remove(struct move *move, const struct move_reply *reply)
{
	switch (reply->answer) {
	case MOVE_OK:
	case MOVE_ABSENT:
		return end(move, (enum move_result)move->result);
	case MOVE_DIFFERS: /* written at O since it was read: N's may be older */
		return again(move, MOVE_DRAIN_NEWER);
	default:
		return again(move, MOVE_DRAIN);
	}
}

static enum move_action after_remove_mark(struct move *move, const struct move_reply *reply)
{
	bool removed = reply->answer == MOVE_OK || reply->answer == MOVE_ABSENT;

	return unreserve(move, removed ? MOVE_GONE : MOVE_AGAIN);
}

/* EX and NF say as well as HD that our stub does not stand there any more. */
static bool stub_is_gone(const struct move_reply *reply)
{
	return reply->answer == MOVE_OK || reply->answer == MOVE_ABSENT ||
	       reply->answer == MOVE_DIFFERS;
}

static enum move_action after_unreserve(struct move *move, const struct move_reply *reply)
{
	if (!stub_is_gone(reply))
		return again_unknown(move);
	return end(move, (enum move_result)move->result);
}

static enum move_action after_give_back(struct move *move, const struct move_reply *reply)
{
	if (!stub_is_gone(reply))
		return again_unknown(move);
	return finish(move, MOVE_FAILED);
}

/* ---- comparing a copy with what it was made from ---- */

static enum move_action clear_copy(struct move *move)
{
	return act(move, AT_CLEAR_COPY, MOVE_OLD_DELETE_CAS, move->source_cas);
}

static bool is_marked(const struct move_reply *reply)
{
	return reply->stale || reply->won || (reply->sent && reply->size == 0);
}

static enum move_action after_own_copy(struct move *move, const struct move_reply *reply)
{
	if (reply->answer == MOVE_MISS)
		return end(move, MOVE_GONE);
	if (reply->answer != MOVE_OK || !reply->has_cas || !reply->has_value)
		return again_unknown(move);
	if (reply->cas != move->source_cas)
		return end(move, MOVE_PRESENT); /* stored since the dump, so by a client */
	if (is_marked(reply))
		return clear_copy(move);
	move->value_hash = reply->value_hash;
	return act(move, AT_ORIGINAL, MOVE_NEW_READ, 0);
}

static enum move_action after_original(struct move *move, const struct move_reply *reply)
{
	if (reply->answer == MOVE_MISS)
		return clear_copy(move);
	if (reply->answer != MOVE_OK || !reply->has_cas || !reply->has_value)
		return again_unknown(move);
	if (is_marked(reply)) /* our read may have taken somebody's turn away */
		return act(move, AT_CLEAR_MARK, MOVE_NEW_DELETE_CAS, reply->cas);
	return reply->value_hash == move->value_hash ? end(move, MOVE_PRESENT) : clear_copy(move);
}

static enum move_action after_clear_mark(struct move *move, const struct move_reply *reply)
{
	return stub_is_gone(reply) ? clear_copy(move) : again_unknown(move);
}

static enum move_action after_clear_copy(struct move *move, const struct move_reply *reply)
{
	switch (reply->answer) {
	case MOVE_OK:
		return end(move, MOVE_MOVED);
	case MOVE_ABSENT:
		return end(move, MOVE_GONE);
	case MOVE_DIFFERS:
		return end(move, MOVE_PRESENT);
	default:
		return again_unknown(move);
	}
}

enum move_action move_advance(struct move *move, const struct move_reply *reply)
{
	static enum move_action (*const after[])(struct move *, const struct move_reply *) = {
	    [AT_DROP] = after_drop,
	    [AT_DELETE_FIRST] = after_delete_first,
	    [AT_READ_NEW] = after_read_new,
	    [AT_LOOK_NEW] = after_look_new,
	    [AT_STILL_OLD] = after_still_old,
	    [AT_CLEAR_NEW] = after_clear_new,
	    [AT_CLEAR_OLD] = after_clear_old,
	    [AT_RESERVE] = after_reserve,
	    [AT_READ] = after_read,
	    [AT_FILL] = after_fill,
	    [AT_REMOVE] = after_remove,
	    [AT_REMOVE_MARK] = after_remove_mark,
	    [AT_UNRESERVE] = after_unreserve,
	    [AT_GIVE_BACK] = after_give_back,
	    [AT_OWN_COPY] = after_own_copy,
	    [AT_ORIGINAL] = after_original,
	    [AT_CLEAR_MARK] = after_clear_mark,
	    [AT_CLEAR_COPY] = after_clear_copy,
	};

	return after[move->state](move, reply);
}

enum move_action move_abandon(struct move *move)
{
	return again_unknown(move);
}

int64_t move_ttl_written(int64_t ttl, int64_t server_time)
{
	if (ttl < 0)
		return 0;
	if (ttl <= TTL_RELATIVE_MAX)
		return ttl;
	return ttl < TTL_TIME_MAX - server_time ? server_time + ttl : TTL_TIME_MAX;
}
