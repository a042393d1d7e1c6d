/* mover_rooms.c - see mover_rooms.h. */
#include "daemon/mover_rooms.h"

#include <stdlib.h>
#include <string.h>

#include "core/room.h"
#include "daemon/mover_inside.h"
#include "list/overlap.h"

#define QUESTIONS 2u
/* How much may go to a server before it is asked again. */
#define ASK_BYTES (1u << 20)
#define ASK_SHARE 64u
#define SECOND_NS 1000000000ull

struct mover_room {
	struct mover_command command; /* first: the command's context leads back here */
	struct mover_rooms *rooms;
	uint32_t number;
	bool asking, asked;
	unsigned answered;
	struct room_said said; /* as far as it has said it */
	uint64_t items, ages;  /* of its classes of items: how many, and theirs times their age */
	uint64_t class_items;
	struct room room;
	uint64_t parts;	       /* of the source's that go there */
	uint64_t found, taken; /* bytes: in this dump, since it was asked */
	bool tight;
};

struct mover_rooms {
	struct mover *mover;
	uint64_t began_ns;
	uint64_t parts; /* the source's */
	struct mover_room *room;
};

static void parts_take(void *context, uint32_t old_owner, uint32_t new_owner, uint64_t parts)
{
	struct mover_rooms *rooms = context;

	if (old_owner != rooms->mover->setup.server)
		return;
	rooms->parts += parts;
	rooms->room[new_owner].parts += parts;
}

struct mover_rooms *mover_rooms_new(struct mover *mover)
{
	const struct change *change = mover->setup.change;
	struct mover_rooms *rooms = calloc(1, sizeof(*rooms));
	struct failure failure;
	uint64_t all;

	if (rooms == NULL)
		return NULL;
	rooms->mover = mover;
	rooms->began_ns = mover_clock_ns();
	rooms->room = calloc(change->server_count, sizeof(*rooms->room));
	if (rooms->room == NULL ||
	    overlap_count(&change->old_table, &change->new_table, change->server_count, parts_take,
			  rooms, &all, &failure) < 0) {
		mover_rooms_free(rooms);
		return NULL;
	}
	for (uint32_t i = 0; i < change->server_count; i++) {
		rooms->room[i].rooms = rooms;
		rooms->room[i].number = i;
	}
	return rooms;
}

void mover_rooms_free(struct mover_rooms *rooms)
{
	if (rooms == NULL)
		return;
	free(rooms->room);
	free(rooms);
}

/* ---- asking ---- */

static struct mover_peer *peer_of(const struct mover_room *room)
{
	struct mover *mover = room->rooms->mover;

	return room->number == mover->setup.server ? mover->source : mover->peers[room->number];
}

static bool is(const char *text, size_t length, const char *word)
{
	return length == strlen(word) && memcmp(text, word, length) == 0;
}

/* "items:7:number", "items:7:age": memcached says the number first. */
static void class_line(struct mover_room *room, const char *name, size_t length, uint64_t number)
{
	const char *last = name + length;

	while (last > name && last[-1] != ':')
		last--;
	length -= (size_t)(last - name);
	if (is(last, length, "number")) {
		room->class_items = number;
	} else if (is(last, length, "age")) {
		room->items += room->class_items;
		room->ages += room->class_items * (number < UINT32_MAX ? number : UINT32_MAX);
		room->class_items = 0;
	}
}

static void stat_line(struct mover_room *room, const struct mc_reply *reply)
{
	const char *name, *value;
	size_t name_bytes, value_bytes;
	uint64_t number;

	if (mc_stat_parse(reply->text, reply->text_bytes, &name, &name_bytes, &value,
			  &value_bytes) < 0 ||
	    !mc_number_parse(value, value_bytes, &number))
		return;
	if (name_bytes > 6 && memcmp(name, "items:", 6) == 0)
		class_line(room, name, name_bytes, number);
	else if (is(name, name_bytes, "limit_maxbytes"))
		room->said.limit = number;
	else if (is(name, name_bytes, "bytes"))
		room->said.held = number;
	else if (is(name, name_bytes, "evictions"))
		room->said.evictions = number;
}

static void replied(struct mover_command *command, const struct mc_reply *reply)
{
	struct mover_room *room = (struct mover_room *)command;

	if (reply->code == MC_LINE) {
		stat_line(room, reply);
		return;
	}
	if (reply->code == MC_LOST) {
		room->asking = false;
		return;
	}
	/* One that does not know the question has said nothing. */
	if (++room->answered < QUESTIONS)
		return;
	room->asking = false;
	room->asked = true;
	room->said.oldest_s = room->items > 0 ? room->ages / room->items : 0;
	room_told(&room->room, &room->said);
	mover_wake(room->rooms->mover);
}

static void ask(struct mover_room *room)
{
	static const char *const questions[QUESTIONS] = {"stats\r\n", "stats items\r\n"};
	struct mover_peer *peer = peer_of(room);

	if (room->asking || peer == NULL || !mover_peer_is_up(peer))
		return;
	room->command.replied = replied;
	room->asking = true;
	room->answered = 0;
	room->items = room->ages = room->class_items = room->taken = 0;
	memset(&room->said, 0, sizeof(room->said));
	for (unsigned i = 0; i < QUESTIONS; i++) {
		size_t length = strlen(questions[i]);
		char *text = mc_conn_room(mover_peer_conn(peer), length);

		if (text == NULL)
			return; /* it is about to be lost: so are the questions */
		memcpy(text, questions[i], length);
		mc_conn_send_lines(mover_peer_conn(peer), length, &room->command);
	}
}

/* The servers that are asked: the source, and who gets keys of it. */
static bool concerned(const struct mover_room *room)
{
	return room->parts > 0 || room->number == room->rooms->mover->setup.server;
}

bool mover_rooms_ready(struct mover_rooms *rooms)
{
	bool ready = true;

	for (uint32_t i = 0; i < rooms->mover->setup.change->server_count; i++) {
		struct mover_room *room = &rooms->room[i];
		struct mover_peer *peer = peer_of(room);

		if (!concerned(room) || room->asked || peer == NULL || !mover_peer_is_up(peer))
			continue;
		ask(room);
		ready = false;
	}
	return ready;
}

void mover_rooms_refresh(struct mover_rooms *rooms)
{
	for (uint32_t i = 0; i < rooms->mover->setup.change->server_count; i++)
		if (concerned(&rooms->room[i]) && i != rooms->mover->setup.server)
			ask(&rooms->room[i]);
}

/* ---- what follows ---- */

/* What a server gets from all is as much more than from here as its parts are. */
static bool is_tight(const struct mover_room *room)
{
	const struct mover *mover = room->rooms->mover;
	const struct mover_rooms *rooms = room->rooms;
	uint64_t held = rooms->room[mover->setup.server].room.said.held;
	double here = (double)held * ((double)room->parts / (double)rooms->parts);
	double all =
	    here * ((double)mover_server(mover, room->number)->gained / (double)room->parts);

	return room_is_tight(&room->room, all < 1e18 ? (uint64_t)all : UINT64_MAX);
}

void mover_rooms_walk(struct mover_rooms *rooms)
{
	const struct mover *mover = rooms->mover;

	for (uint32_t i = 0; i < mover->setup.change->server_count; i++) {
		struct mover_room *room = &rooms->room[i];
		bool copies = mover->setup.phase == PHASE_COPY;
		const struct room_share share = {
		    /* DRAIN fills up what shares have left unused. */
		    .part = copies ? room->parts : 1,
		    .all = copies ? mover_server(mover, i)->gained : 1,
		    .was_empty = !mover_server(mover, i)->in_old,
		    .walks = mover->pass.parts - mover->pass.part,
		};

		room->asked = false;
		room->found = 0;
		room_walk(&room->room, &share);
		room->tight = room->parts > 0 && i != mover->setup.server && is_tight(room);
	}
}

bool mover_rooms_by_heat(struct mover_rooms *rooms, const struct spool_record *record)
{
	struct mover_room *room = &rooms->room[record->destination];

	/* The guess from the shares was wrong: from here on at least. */
	room->found += record->size;
	if (rooms->mover->setup.phase == PHASE_COPY && room->found > room->room.allowed)
		room->tight = true;
	return room->tight;
}

bool mover_rooms_leaves_out(const struct mover_rooms *rooms, const struct spool_record *record)
{
	const struct room *room = &rooms->room[record->destination].room;

	return room_is_full(room) &&
	       room_leaves_out(room, record->idle_s,
			       (mover_clock_ns() - rooms->began_ns) / SECOND_NS + 1);
}

void mover_rooms_took(struct mover_rooms *rooms, const struct spool_record *record)
{
	struct mover_room *room = &rooms->room[record->destination];

	room_took(&room->room, record->size);
}

void mover_rooms_ended(struct mover_rooms *rooms, const struct spool_record *record, bool moved)
{
	struct mover_room *room = &rooms->room[record->destination];
	uint64_t often = room->room.said.limit / ASK_SHARE;

	if (!moved) {
		room_gave_back(&room->room, record->size);
		return;
	}
	room->taken += record->size;
	if (room->room.said.limit != 0 && room->taken > (often > ASK_BYTES ? often : ASK_BYTES))
		ask(room);
}

int mover_rooms_full(const struct mover_rooms *rooms)
{
	for (uint32_t i = 0; i < rooms->mover->setup.change->server_count; i++)
		if (rooms->room[i].tight && room_is_full(&rooms->room[i].room))
			return (int)i;
	return -1;
}
