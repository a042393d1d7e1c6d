/* room.c - see room.h. */
#include "core/room.h"

#define KEPT_FREE	8u /* one in so many bytes */
#define KEPT_PAGES	(8u << 20)
#define GUESS_SHARE	10u /* shares are guessed to a tenth */
#define UNREAD_IS_OLDER 8u

static uint64_t usable(const struct room *room)
{
	uint64_t kept = room->said.limit / KEPT_FREE;

	return room->said.limit - kept - (kept < KEPT_PAGES ? kept : KEPT_PAGES);
}

uint64_t room_free(const struct room *room)
{
	if (room->said.limit == 0)
		return UINT64_MAX;
	return usable(room) > room->said.held ? usable(room) - room->said.held : 0;
}

uint64_t room_share(uint64_t bytes, uint64_t part, uint64_t all)
{
	if (part >= all)
		return all == 0 ? 0 : bytes;
	return (uint64_t)((double)bytes * ((double)part / (double)all));
}

bool room_is_tight(const struct room *room, uint64_t bytes)
{
	uint64_t space = room_free(room);

	return space != UINT64_MAX && bytes > space - space / GUESS_SHARE;
}

void room_walk(struct room *room, const struct room_share *share)
{
	uint64_t space = room_free(room), own;

	room->evicting = false;
	room->allowed = space;
	if (space == UINT64_MAX)
		return;
	/* Of one that was empty it does not matter how much the others have brought. */
	own = room_share(share->was_empty ? usable(room) : space, share->part, share->all);
	if (own < space)
		room->allowed = own;
	room->allowed /= share->walks;
}

void room_told(struct room *room, const struct room_said *said)
{
	bool before = room->said.limit != 0;

	if (before && said->evictions > room->said.evictions)
		room->evicting = true;
	room->said = *said;
	/* Others bring keys there as well. */
	if (room->allowed > room_free(room))
		room->allowed = room_free(room);
}

void room_took(struct room *room, uint64_t bytes)
{
	if (room->allowed == UINT64_MAX)
		return;
	room->allowed = room->allowed > bytes ? room->allowed - bytes : 0;
}

void room_gave_back(struct room *room, uint64_t bytes)
{
	if (room->allowed != UINT64_MAX)
		room->allowed += bytes;
}

bool room_is_full(const struct room *room)
{
	return room->said.limit != 0 && (room->allowed == 0 || room->evicting);
}

bool room_leaves_out(const struct room *room, uint32_t idle_s, uint64_t own_s)
{
	if (!room_is_full(room))
		return false;
	return idle_s >= room->said.oldest_s || room->said.oldest_s <= own_s;
}

uint32_t room_idle(int64_t now_s, uint64_t accessed_s, bool fetched)
{
	uint64_t idle = 1; /* used this second */

	if (now_s > 0 && accessed_s < (uint64_t)now_s)
		idle += (uint64_t)now_s - accessed_s;
	if (!fetched)
		idle = idle < UINT32_MAX ? idle * UNREAD_IS_OLDER : UINT32_MAX;
	return idle < UINT32_MAX ? (uint32_t)idle : UINT32_MAX;
}

unsigned room_heat(uint32_t idle_s)
{
	unsigned octave = 31u - (unsigned)__builtin_clz(idle_s | 1u);
	unsigned half = octave > 0 ? idle_s >> (octave - 1) & 1u : 0;
	unsigned heat = 2 * octave + half;

	return heat < ROOM_HEATS ? heat : ROOM_HEATS - 1;
}
