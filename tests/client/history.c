/* history.c - see history.h. */
#include "history.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "late.h"

#define STRIPES	  1024u
#define PENDING	  2
#define SECOND_NS UINT64_C(1000000000)
/* memcached counts in whole seconds, by a clock that ticks once a second: what is stored ends up to
 * two of them early, for the second has been cut and the tick may be still to come.  A move carries
 * what is left from one server's clock to another's, which shifts the end by up to one either way,
 * and a key sees two moves at most here: it is stored again after each change or two.  A server
 * that is short of processor ticks later still, and hands that on each of these times; one that is
 * later than an op-timeout is one that stands still, for which nobody answers. */
#define EXPIRY_STORED_S 2
#define EXPIRY_MOVES	2
#define EXPIRY_MOVE_S	1
#define EXPIRY_TICK_S	1
#define EXPIRY_MARGIN_NS                                                                           \
	((EXPIRY_STORED_S + EXPIRY_MOVES * EXPIRY_MOVE_S + (1 + EXPIRY_MOVES) * EXPIRY_TICK_S) *   \
	 SECOND_NS)

struct record {
	uint32_t newest;	   /* the last version given to a write */
	uint64_t begun_ns;	   /* when that write began; 0: it was given back since */
	uint32_t floor;		   /* the oldest that a read may still return */
	uint32_t pending[PENDING]; /* versions of the writes under way; 0: none */
	uint32_t activity;
	uint32_t owed;	  /* the floor once nothing is owed any more; 0: as it is */
	bool haunted;	  /* an agent may delete it at any time */
	bool stored;	  /* the last write was a completed set that nothing overlapped */
	bool absent;	  /* the same of a delete */
	bool lossy;	  /* may be lost at any time */
	uint64_t lost_ns; /* when it was lost; 0: it is not, or was written since */
	/* A counter's: so many incrs were given up, the last one then, that may be executed behind
	 * a later set, and then make every number larger until the next set. */
	uint32_t ahead;
	uint64_t ahead_ns;
	uint64_t expires_ns, overdue_ns;
};

struct history {
	uint32_t keys;
	pthread_mutex_t locks[STRIPES];
	struct late late;
	struct record records[];
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

static size_t history_bytes(uint32_t keys)
{
	return sizeof(struct history) + (size_t)keys * sizeof(struct record);
}

struct history *history_new(uint32_t keys)
{
	/* Shared with the processes that are forked from this one. */
	struct history *history = mmap(NULL, history_bytes(keys), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t shared;

	if (history == MAP_FAILED)
		return NULL;
	history->keys = keys;
	late_init(&history->late);
	pthread_mutexattr_init(&shared);
	pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
	for (unsigned i = 0; i < STRIPES; i++)
		pthread_mutex_init(&history->locks[i], &shared);
	pthread_mutexattr_destroy(&shared);
	for (uint32_t i = 0; i < keys; i++) {
		history->records[i].absent = true;
		history->records[i].floor = 1;
	}
	return history;
}

void history_free(struct history *history)
{
	if (!history)
		return;
	for (unsigned i = 0; i < STRIPES; i++)
		pthread_mutex_destroy(&history->locks[i]);
	late_free(&history->late);
	munmap(history, history_bytes(history->keys));
}

void history_hold(struct history *history)
{
	for (unsigned i = 0; i < STRIPES; i++)
		pthread_mutex_lock(&history->locks[i]);
}

void history_release(struct history *history)
{
	for (unsigned i = 0; i < STRIPES; i++)
		pthread_mutex_unlock(&history->locks[i]);
}

static struct record *record_lock(struct history *history, uint32_t index)
{
	pthread_mutex_lock(&history->locks[index % STRIPES]);
	return &history->records[index];
}

static void record_unlock(struct history *history, uint32_t index)
{
	pthread_mutex_unlock(&history->locks[index % STRIPES]);
}

static bool record_pending(const struct record *record)
{
	return record->pending[0] || record->pending[1];
}

bool history_lost(struct history *history, uint32_t index)
{
	struct record *record = record_lock(history, index);
	const uint64_t now = now_ns();
	const bool stored = record->stored && !record->lost_ns && now < record->expires_ns;

	record->lost_ns = now;
	record_unlock(history, index);
	return stored;
}

void history_lossy(struct history *history, uint32_t index)
{
	record_lock(history, index)->lossy = true;
	record_unlock(history, index);
}

void history_whole(struct history *history, uint32_t index)
{
	struct record *record = record_lock(history, index);

	record->lossy = false;
	record->lost_ns = 0;
	record_unlock(history, index);
}

void history_bury(struct history *history)
{
	for (uint32_t i = 0; i < history->keys; i++) {
		struct record *record = record_lock(history, i);

		if (record_pending(record)) {
			record->pending[0] = record->pending[1] = 0;
			record->stored = record->absent = false;
			record->activity++;
		}
		record_unlock(history, i);
	}
}

void history_read_begin(struct history *history, uint32_t index, struct history_read *read)
{
	const struct record *record = record_lock(history, index);
	bool quiet = !record_pending(record);

	read->index = index;
	read->floor = record->floor;
	read->activity = record->activity;
	read->stored = record->stored && quiet;
	read->absent = record->absent && quiet;
	read->expires_ns = record->expires_ns;
	read->overdue_ns = record->overdue_ns;
	record_unlock(history, index);
}

/* What was found has the newest version, so its command was sent after that write began.  Not so a
 * counter's: an incr makes the same number of another one. */
static void witness(struct history *history, const struct record *record, const struct item *item,
		    const struct mcr_pool_value *value)
{
	if (record->begun_ns && !item->counter)
		late_seen(&history->late, value->token.server_id, record->begun_ns,
			  value->token.cas);
}

enum verdict history_read_end(struct history *history, const struct history_read *read,
			      const struct item *item, enum mcr_pool_status status,
			      const struct mcr_pool_value *value, uint32_t *version)
{
	uint64_t now = now_ns();
	const struct record *record = record_lock(history, read->index);
	uint32_t newest = record->newest, ahead = record->ahead;
	bool overlapped = record->activity != read->activity;
	bool lossy = record->lossy || record->lost_ns, stale = false, late = false;

	*version = 0;
	if (status != MCR_POOL_NOT_FOUND) {
		*version = item_version(item, read->index, value->bytes, value->length,
					value->flags, newest);
		if (*version && *version == newest)
			witness(history, record, item, value);
		stale = *version < read->floor || (read->absent && !overlapped);
		late = stale && *version &&
		       late_executed(&history->late, read->index, *version, value->token.server_id,
				     value->token.cas);
	}
	if (status == MCR_POOL_NOT_FOUND)
		late = late_removed(&history->late, read->index, now);
	record_unlock(history, read->index);

	if (status == MCR_POOL_NOT_FOUND) {
		if (read->stored && !overlapped && now < read->expires_ns)
			return lossy ? VERDICT_LOST : late ? VERDICT_LATE : VERDICT_MISSED;
		return VERDICT_RIGHT;
	}
	if (*version > newest && *version - newest <= ahead)
		return VERDICT_LATE;
	if (*version == 0 || *version > newest)
		return VERDICT_FOREIGN;
	if (stale)
		return late ? VERDICT_LATE : VERDICT_STALE;
	if (read->stored && !overlapped && now > read->overdue_ns)
		return VERDICT_OVERDUE;
	return VERDICT_RIGHT;
}

bool history_write_begin(struct history *history, uint32_t index, bool alone,
			 struct history_write *write)
{
	struct record *record = record_lock(history, index);
	int place = record->pending[0] ? 1 : 0;
	bool busy = record->pending[place] || (alone && record_pending(record));

	if (!busy) {
		uint32_t other = record->pending[1 - place];

		write->index = index;
		write->alone = !other;
		write->version = ++record->newest;
		write->supersedes = other ? other : write->version;
		write->was_stored = record->stored;
		write->was_absent = record->absent;
		write->begun_ns = now_ns();
		record->begun_ns = write->begun_ns;
		write->activity = ++record->activity;
		record->pending[place] = write->version;
	}
	record_unlock(history, index);
	return !busy;
}

/* An incr's answer, where the value before it was certain. */
static enum verdict incr_judge(const struct history_write *write, bool must_be_there,
			       uint32_t ahead, const struct mcr_pool_report *result,
			       uint64_t number)
{
	if (result->status == MCR_POOL_OK) {
		if (write->was_absent || number < write->version)
			return VERDICT_STALE;
		if (number > write->version && number - write->version <= ahead)
			return VERDICT_LATE;
		return number == write->version ? VERDICT_RIGHT : VERDICT_FOREIGN;
	}
	if (!must_be_there || result->invalidated)
		return VERDICT_RIGHT;
	/* On a key that did not get across yet an update is a miss; so it is on one that another
	 * host, a phase ahead, has already written at the new owner. */
	if (result->steps > 1 && result->phase >= MCR_COPY && result->phase <= MCR_GIVEUP)
		return VERDICT_UPDATE_MISSED;
	return VERDICT_MISSED;
}

static void record_stored(struct record *record, const struct history_write *write,
			  const struct item *item)
{
	uint64_t ttl_ns = item->ttl_s * SECOND_NS;

	record->stored = true;
	record->expires_ns = UINT64_MAX;
	record->overdue_ns = UINT64_MAX;
	if (ttl_ns) {
		record->expires_ns = write->begun_ns + ttl_ns - EXPIRY_MARGIN_NS;
		record->overdue_ns = now_ns() + ttl_ns + EXPIRY_MARGIN_NS;
	}
}

void history_write_found(struct history *history, const struct history_write *write,
			 const struct item *item, const struct mcr_pool_value *value)
{
	(void)record_lock(history, write->index);
	if (item_version(item, write->index, value->bytes, value->length, value->flags,
			 write->version) == write->version)
		late_seen(&history->late, value->token.server_id, write->begun_ns,
			  value->token.cas);
	record_unlock(history, write->index);
}

static void write_given_up(struct history *history, struct record *record,
			   const struct history_write *write, const struct mcr_pool_report *result)
{
	const struct late_command command = {
	    .index = write->index,
	    .version = write->version,
	    .stores = result->given_up_at && (write->op == MCR_OP_SET || write->op == MCR_OP_ADD),
	    .removes = result->given_up_delete,
	    .server_id = result->given_up_at,
	    .given_up_ns = now_ns(),
	};

	late_given_up(&history->late, &command);
	if (write->op == MCR_OP_UPDATE && result->given_up_at) {
		record->ahead++;
		record->ahead_ns = command.given_up_ns;
	}
}

enum verdict history_write_end(struct history *history, struct history_write *write,
			       const struct item *item, const struct mcr_pool_report *result,
			       uint64_t number)
{
	struct record *record = record_lock(history, write->index);
	/* Nothing else was under way at any time from the beginning of this write to its end. */
	bool alone = write->alone && record->activity == write->activity;
	bool must_be_there = alone && write->was_stored && now_ns() < record->expires_ns;
	enum verdict verdict = VERDICT_RIGHT;
	bool completed = false, stored = false, absent = false, unchanged = false;

	switch (result->status) {
	case MCR_POOL_REFUSED:
		unchanged = true;
		break;
	case MCR_POOL_OK:
		completed = true;
		if (write->op == MCR_OP_ADD && must_be_there)
			verdict = VERDICT_MISSED;
		if (write->op == MCR_OP_UPDATE)
			verdict = incr_judge(write, must_be_there, record->ahead, result, number);
		stored = write->op != MCR_OP_DELETE && !result->invalidated;
		absent = write->op == MCR_OP_DELETE;
		break;
	case MCR_POOL_NOT_STORED:
		unchanged = !result->invalidated;
		if (alone && write->was_absent)
			verdict = VERDICT_STALE;
		break;
	case MCR_POOL_NOT_FOUND:
	case MCR_POOL_NOT_NUMBER:
		if (write->op == MCR_OP_UPDATE)
			verdict = incr_judge(write, must_be_there, record->ahead, result, number);
		completed = absent = write->op == MCR_OP_DELETE;
		break;
	case MCR_POOL_OWED:
		if (write->supersedes > record->owed)
			record->owed = write->supersedes;
		break;
	default: /* the outcome is unknown */
		break;
	}
	record->haunted |= result->owed;
	if (verdict == VERDICT_MISSED && (record->lossy || record->lost_ns))
		verdict = VERDICT_LOST;
	if (verdict == VERDICT_MISSED && late_removed(&history->late, write->index, now_ns()))
		verdict = VERDICT_LATE;
	if (completed && write->begun_ns > record->lost_ns)
		record->lost_ns = 0;

	/* An incr keeps the expiry of the set before it, an unchanged key everything. */
	if (!unchanged || !alone) {
		bool keeps_expiry = write->op == MCR_OP_UPDATE;
		record->stored = record->absent = false;
		if (alone && completed && stored && keeps_expiry)
			record->stored = write->was_stored;
		else if (alone && completed && stored)
			record_stored(record, write, item);
		record->absent = alone && completed && absent;
	}
	record->stored &= !record->haunted;
	if (completed && alone && write->op == MCR_OP_SET &&
	    write->begun_ns > record->ahead_ns + LATE_WITHIN_NS)
		record->ahead = 0;
	if (completed && write->supersedes > record->floor)
		record->floor = write->supersedes;
	/* A counter's next value is its last plus one: a version that nobody saw is given back. */
	if (unchanged && alone) {
		record->newest--;
		record->begun_ns = 0;
	}
	if (result->given_up_at || result->given_up_delete)
		write_given_up(history, record, write, result);
	record->pending[record->pending[0] == write->version ? 0 : 1] = 0;
	record->activity++;
	record_unlock(history, write->index);
	return verdict;
}

uint64_t history_given_up(struct history *history, uint32_t index, uint32_t *version)
{
	struct late_command command = {0};
	uint64_t now = now_ns(), ago_ns = UINT64_MAX;

	(void)record_lock(history, index);
	if (late_last(&history->late, index, &command))
		ago_ns = now - command.given_up_ns;
	record_unlock(history, index);
	*version = command.version;
	return ago_ns;
}

void history_settle(struct history *history)
{
	for (uint32_t i = 0; i < history->keys; i++) {
		struct record *record = record_lock(history, i);

		if (record->owed > record->floor)
			record->floor = record->owed;
		record->owed = 0;
		record->haunted = false;
		record_unlock(history, i);
	}
}

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[VERDICT_COUNT] = {
	    [VERDICT_RIGHT] = "right",	   [VERDICT_MISSED] = "missed",
	    [VERDICT_LOST] = "lost",	   [VERDICT_STALE] = "stale",
	    [VERDICT_LATE] = "late",	   [VERDICT_FOREIGN] = "foreign",
	    [VERDICT_OVERDUE] = "overdue", [VERDICT_UPDATE_MISSED] = "update missed"};

	return verdict < VERDICT_COUNT ? names[verdict] : "unknown";
}
