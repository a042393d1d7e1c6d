/* pass_dumped.c - what a dump was worth: whether it is believed to be whole, whether what it found
 * may be dropped, and in how many ranges it has to be walked again (see pass.h).
 */
#include "core/pass_internal.h"

#include <inttypes.h>

/* Items come and go between `stats` and the dump. */
#define SHORTFALL_ITEMS 64u
#define SHORTFALL_SHARE 100u
#define SHORTFALLS_MAX	5u
/* An in-list server may hold one foreign item in so many without anybody's word. */
#define FOREIGN_SHARE 100u

/* ---- sanitising: counted before anything is dropped ---- */

static void refuse_wipe(struct pass *pass)
{
	const struct change_server *server = pass_self(pass);
	uint64_t foreign = pass->dropped + pass->concerned;

	if (server->has_wipe)
		pass_say(pass,
			 "server %s %s holds %" PRIu64 " items that are not its own, more than "
			 "the wipe=%" PRIu64 " of its line",
			 server->name, server->address, foreign, server->wipe);
	else if (!server->in_old)
		pass_say(pass,
			 "server %s %s is new in the list but holds %" PRIu64
			 " items: empty it, or "
			 "allow them to be dropped with wipe=%" PRIu64 " on its line",
			 server->name, server->address, foreign, foreign);
	else
		pass_say(pass,
			 "server %s %s: %" PRIu64 " of %" PRIu64 " items belong to other servers, "
			 "more than 1 %%: the data does not follow this list; wipe=%" PRIu64
			 " on its line allows them to be dropped",
			 server->name, server->address, foreign, pass->covered, foreign);
	pass_refuse(pass);
}

/* May what this dump found be dropped?  The first dump sets the limit for all rounds. */
static bool sanitise_allowed(struct pass *pass)
{
	const struct change_server *server = pass_self(pass);

	if (!pass->allowed) {
		pass->drop_limit = server->has_wipe ? server->wipe
				   : server->in_old ? pass->covered / FOREIGN_SHARE
						    : 0;
		pass->allowed = true;
	}
	if (pass->unnameable > 0) {
		pass_say(pass,
			 "server %s %s holds %" PRIu64 " items that are not its own and that the "
			 "meta protocol cannot name (over 186 bytes, with a space or a control "
			 "character): delete them first",
			 server->name, server->address, pass->unnameable);
		pass_refuse(pass);
		return false;
	}
	if (pass->dropped + pass->concerned > pass->drop_limit) {
		refuse_wipe(pass);
		return false;
	}
	return true;
}

/* ---- dumps ---- */

void pass_dump_begin(struct pass *pass)
{
	pass_forget_left(pass);
	pass->lines = pass->covered = pass->concerned = pass->spooled = pass->unnameable = 0;
}

static void leave(struct pass *pass, bool spooled)
{
	pass->concerned--;
	pass->spooled -= spooled;
	pass->work.left -= spooled;
}

void pass_expired(struct pass *pass, bool spooled)
{
	leave(pass, spooled);
	pass->expired += spooled;
	pass->work.expired += spooled;
}

void pass_unnameable(struct pass *pass, bool spooled)
{
	pass->unnameable++;
	leave(pass, spooled);
	pass->work.found -= spooled;
}

/* Too few keys for the items it says it has?  It counts what has expired and was not yet cleared
 * away; such a gap stays the same from one dump to the next. */
static bool dump_fell_short(struct pass *pass, uint64_t items)
{
	uint64_t tolerance = items / SHORTFALL_SHARE + SHORTFALL_ITEMS;
	uint64_t shortfall = items > pass->lines ? items - pass->lines : 0;
	uint64_t last = pass->last_shortfall;

	pass->last_shortfall = shortfall;
	if (shortfall <= tolerance) {
		pass->shortfalls = 0;
		return false;
	}
	if (pass->shortfalls++ > 0 &&
	    (pass->shortfalls >= SHORTFALLS_MAX ||
	     (shortfall <= last + tolerance && last <= shortfall + tolerance)))
		return false;
	return true;
}

void pass_dumped(struct pass *pass, uint64_t items, uint32_t overflow)
{
	if (dump_fell_short(pass, items))
		return;
	if (pass->phase == PHASE_PREPARE && !sanitise_allowed(pass))
		return;
	if (overflow > 1) {
		pass->parts =
		    overflow < UINT32_MAX / pass->parts ? pass->parts * overflow : pass->parts;
		pass->part = 0;
		return;
	}
	pass->expired = 0;
	if (pass->parts == 1 || pass->part == 0)
		pass->round_found = pass->concerned;
	if (pass->phase == PHASE_PREPARE)
		pass->dropped += pass->spooled;
	if (pass->unnameable > 0)
		pass_say(pass,
			 "%" PRIu64
			 " keys cannot be named in the meta protocol (over 186 bytes, with "
			 "a space or a control character): they stay where they are",
			 pass->unnameable);
	pass->order = PASS_KEYS;
}
