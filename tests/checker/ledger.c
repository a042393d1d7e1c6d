/* ledger.c - see ledger.h. */
#include "ledger.h"

#include <inttypes.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/late.h"
#include "values.h"

#define UNDER_WAY 2
#define EVENTS	  20
/* For so long a command that was given up is thought of as one that may be executed yet. */
#define DOUBT_NS UINT64_C(10000000000)

struct event {
	uint64_t us;
	uint32_t version;
	uint16_t worker;
	uint8_t deed, status, phase, steps;
	bool end, invalidated;
};

enum state { STATE_UNKNOWN, STATE_STORED, STATE_ABSENT };

/* Fields are atomic because readers look at them while a writer writes; a writer holds `lock`, and
 * the sequence is odd while the fields do not fit together.  It also tells whether anything was
 * begun or ended between two looks. */
struct record {
	_Atomic uint32_t sequence;
	_Atomic uint32_t newest, floor;
	_Atomic uint32_t under_way[UNDER_WAY]; /* versions; 0: none */
	_Atomic uint32_t state; /* of the last write; UNKNOWN where it is not certain */
	atomic_flag lock;
	bool haunted;	      /* an agent may delete it at any time; under lock, as the rest */
	uint64_t begun_ns;    /* the newest version's write; 0: it never came to be */
	uint32_t event_count; /* ever */
	struct event events[EVENTS];
};

struct ledger {
	struct late late;
	uint32_t keys;
	struct record records[];
};

static uint64_t began_ns;

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t ledger_now_us(void)
{
	return (now_ns() - began_ns) / 1000;
}

struct ledger *ledger_new(uint32_t keys)
{
	struct ledger *ledger =
	    calloc(1, sizeof(*ledger) + (size_t)keys * sizeof(ledger->records[0]));

	if (!ledger)
		return NULL;
	began_ns = now_ns();
	late_init(&ledger->late);
	ledger->keys = keys;
	for (uint32_t i = 0; i < keys; i++) {
		atomic_init(&ledger->records[i].floor, 1);
		atomic_flag_clear(&ledger->records[i].lock);
	}
	return ledger;
}

void ledger_free(struct ledger *ledger)
{
	if (!ledger)
		return;
	late_free(&ledger->late);
	free(ledger);
}

static uint32_t get(const _Atomic uint32_t *field)
{
	return atomic_load_explicit(field, memory_order_relaxed);
}

static void put(_Atomic uint32_t *field, uint32_t value)
{
	atomic_store_explicit(field, value, memory_order_relaxed);
}

static struct record *record_open(struct ledger *ledger, uint32_t index)
{
	struct record *record = &ledger->records[index];

	while (atomic_flag_test_and_set_explicit(&record->lock, memory_order_acquire))
		sched_yield();
	return record;
}

static void record_close(struct record *record)
{
	atomic_flag_clear_explicit(&record->lock, memory_order_release);
}

/* Between these two the fields change. */
static void change_begin(struct record *record)
{
	put(&record->sequence, get(&record->sequence) + 1);
	atomic_thread_fence(memory_order_release);
}

static void change_end(struct record *record)
{
	/* Read by record_look's acquire. */
	atomic_store_explicit(&record->sequence, get(&record->sequence) + 1, memory_order_release);
}

static bool quiet(const struct record *record)
{
	return !get(&record->under_way[0]) && !get(&record->under_way[1]);
}

void ledger_read_begin(struct ledger *ledger, uint32_t index, struct ledger_read *read)
{
	const struct record *record = &ledger->records[index];
	bool still;

	read->index = index;
	for (;;) {
		read->sequence = atomic_load_explicit(&record->sequence, memory_order_acquire);
		read->floor = get(&record->floor);
		uint32_t state = get(&record->state);
		still = quiet(record);
		read->stored = still && state == STATE_STORED;
		read->absent = still && state == STATE_ABSENT;
		atomic_thread_fence(memory_order_acquire);
		if (!(read->sequence & 1) && read->sequence == get(&record->sequence))
			return;
	}
}

/* The newest version of a key was found, so its server stored it after that write began.  Not so a
 * counter's: an incr makes the same number of another one. */
static void witness(struct ledger *ledger, uint32_t index, const struct mcr_pool_value *value,
		    uint32_t version)
{
	struct record *record = record_open(ledger, index);
	uint64_t begun_ns = get(&record->newest) == version ? record->begun_ns : 0;

	record_close(record);
	if (begun_ns && !values_counter(index))
		late_seen(&ledger->late, value->token.server_id, begun_ns, value->token.cas);
}

static enum verdict read_judge(struct ledger *ledger, const struct ledger_read *read, bool found,
			       uint32_t version)
{
	const struct record *record = &ledger->records[read->index];
	/* A write's beginning and its commands are a system call apart, and so is this from them.
	 */
	bool overlapped =
	    atomic_load_explicit(&record->sequence, memory_order_acquire) != read->sequence;

	if (!found)
		return read->stored && !overlapped ? LEDGER_MISSED : LEDGER_RIGHT;
	if (!version || version > get(&record->newest))
		return LEDGER_FOREIGN;
	if (version < read->floor || (read->absent && !overlapped))
		return LEDGER_STALE;
	return LEDGER_RIGHT;
}

enum verdict ledger_read_end(struct ledger *ledger, const struct ledger_read *read,
			     const struct mcr_pool_value *value, uint32_t version)
{
	struct late *late = &ledger->late;
	enum verdict verdict = read_judge(ledger, read, value, version);

	if (!late->count)
		return verdict;
	if (verdict == LEDGER_RIGHT && value)
		witness(ledger, read->index, value, version);
	if (verdict == LEDGER_STALE &&
	    late_executed(late, read->index, version, value->token.server_id, value->token.cas))
		return LEDGER_LATE;
	if (verdict == LEDGER_MISSED && late_removed(late, read->index, now_ns()))
		return LEDGER_LATE;
	return verdict;
}

static struct event *event_add(struct record *record, const struct ledger_write *write)
{
	struct event *event = &record->events[record->event_count++ % EVENTS];

	*event = (struct event){.us = ledger_now_us(),
				.version = write->version,
				.worker = (uint16_t)write->worker,
				.deed = (uint8_t)write->deed};
	return event;
}

bool ledger_write_begin(struct ledger *ledger, uint32_t index, bool counter, enum deed deed,
			uint32_t worker, struct ledger_write *write)
{
	struct record *record = record_open(ledger, index);
	unsigned place = get(&record->under_way[0]) ? 1 : 0;
	uint32_t other = get(&record->under_way[1 - place]);
	bool busy = get(&record->under_way[place]) || (counter && other);

	if (!busy) {
		uint32_t state = get(&record->state);

		*write = (struct ledger_write){.index = index,
					       .version = get(&record->newest) + 1,
					       .floor = get(&record->floor),
					       .deed = deed,
					       .worker = worker,
					       .alone = !other,
					       .was_stored = state == STATE_STORED,
					       .was_absent = state == STATE_ABSENT};
		if (deed == DEED_INCR && !write->was_stored)
			write->deed = DEED_SET;
		write->supersedes = other ? other : write->version;
		write->begun_ns = record->begun_ns = now_ns();
		change_begin(record);
		put(&record->newest, write->version);
		put(&record->under_way[place], write->version);
		change_end(record);
		write->sequence = get(&record->sequence);
		event_add(record, write);
	}
	record_close(record);
	return !busy;
}

/* An update found nothing where something must be. */
static enum verdict missed_update(const struct mcr_pool_report *result)
{
	/* On a key that did not get across yet an update is a miss; so it is on one that another
	 * host, a phase ahead, has already written at the new owner. */
	if (result->steps > 1 && result->phase >= MCR_COPY && result->phase <= MCR_GIVEUP)
		return LEDGER_UPDATE_MISSED;
	return LEDGER_MISSED;
}

/* What a write's answer says of what was there before it; `certain`: the ledger knew. */
static enum verdict answer_judge(const struct ledger_write *write,
				 const struct mcr_pool_report *result, uint64_t number, bool certain)
{
	bool there = certain && write->was_stored && !result->invalidated;
	bool gone = certain && write->was_absent;

	switch (write->deed) {
	case DEED_ADD:
		if (result->status == MCR_POOL_OK)
			return there ? LEDGER_MISSED : LEDGER_RIGHT;
		return result->status == MCR_POOL_NOT_STORED && gone ? LEDGER_STALE : LEDGER_RIGHT;
	case DEED_INCR:
		if (result->status == MCR_POOL_OK && (gone || number < write->version))
			return LEDGER_STALE;
		if (result->status == MCR_POOL_OK)
			return number == write->version ? LEDGER_RIGHT : LEDGER_FOREIGN;
		break;
	case DEED_CAS:
		if (result->status == MCR_POOL_OK)
			return gone || write->base < write->floor ? LEDGER_STALE : LEDGER_RIGHT;
		break;
	default:
		return LEDGER_RIGHT;
	}
	if (there && (result->status == MCR_POOL_NOT_FOUND || result->status == MCR_POOL_NOT_NUMBER))
		return missed_update(result);
	return LEDGER_RIGHT;
}

bool ledger_doubted(struct ledger *ledger, uint32_t index)
{
	struct late_command command;

	return late_last(&ledger->late, index, &command) &&
	       now_ns() < command.given_up_ns + DOUBT_NS;
}

void ledger_write_found(struct ledger *ledger, struct ledger_write *write,
			const struct mcr_pool_value *value, uint32_t version)
{
	if (version != write->version)
		write->met_late = version && late_executed(&ledger->late, write->index, version,
							   value->token.server_id, value->token.cas);
	else if (!values_counter(write->index))
		late_seen(&ledger->late, value->token.server_id, write->begun_ns, value->token.cas);
}

static void given_up(struct ledger *ledger, const struct ledger_write *write,
		     const struct mcr_pool_report *result)
{
	const struct late_command command = {
	    .index = write->index,
	    .version = write->version,
	    .stores = result->given_up_at && (write->deed == DEED_SET || write->deed == DEED_ADD),
	    .removes = result->given_up_delete,
	    .server_id = result->given_up_at,
	    .given_up_ns = now_ns(),
	};

	late_given_up(&ledger->late, &command);
}

/* What the write has left behind. */
struct outcome {
	bool unchanged, completed;
	enum state state;
};

static struct outcome outcome_of(const struct ledger_write *write,
				 const struct mcr_pool_report *result)
{
	const struct outcome unknown = {.state = STATE_UNKNOWN}, unchanged = {.unchanged = true};
	const bool deletes = write->deed == DEED_DELETE;

	switch (result->status) {
	case MCR_POOL_REFUSED:
		return unchanged;
	case MCR_POOL_OK:
		return (struct outcome){.completed = true,
					.state = deletes	       ? STATE_ABSENT
						 : result->invalidated ? STATE_UNKNOWN
								       : STATE_STORED};
	case MCR_POOL_NOT_STORED:
	case MCR_POOL_EXISTS:
		/* A cas has a delete beside it while its key moves. */
		if (result->invalidated || (write->deed == DEED_CAS && result->steps > 1))
			return unknown;
		return unchanged;
	case MCR_POOL_NOT_FOUND:
		return deletes ? (struct outcome){.completed = true, .state = STATE_ABSENT}
			       : unknown;
	default:
		return unknown;
	}
}

enum verdict ledger_write_end(struct ledger *ledger, const struct ledger_write *write,
			      const struct mcr_pool_report *result, uint64_t number)
{
	struct outcome outcome = outcome_of(write, result);
	struct record *record = record_open(ledger, write->index);
	/* Nothing else was under way at any time from the beginning of this write to its end. */
	bool alone = write->alone && get(&record->sequence) == write->sequence;
	enum verdict verdict = answer_judge(write, result, number, alone);
	if ((verdict == LEDGER_STALE && write->met_late) ||
	    (verdict == LEDGER_MISSED && late_removed(&ledger->late, write->index, now_ns())))
		verdict = LEDGER_LATE;
	unsigned place = get(&record->under_way[0]) == write->version ? 0 : 1;
	struct event *event = event_add(record, write);

	event->end = true;
	event->status = (uint8_t)result->status;
	event->phase = (uint8_t)result->phase;
	event->steps = result->steps;
	event->invalidated = result->invalidated;
	if (result->given_up_at || result->given_up_delete)
		given_up(ledger, write, result);
	record->haunted |= result->owed;
	if (outcome.state == STATE_STORED && record->haunted)
		outcome.state = STATE_UNKNOWN;
	change_begin(record);
	if (!alone)
		put(&record->state, STATE_UNKNOWN);
	else if (!outcome.unchanged)
		put(&record->state, outcome.state);
	if (outcome.completed && write->supersedes > get(&record->floor))
		put(&record->floor, write->supersedes);
	/* A counter's next value is its last plus one: a version that nobody saw is given back. */
	if (outcome.unchanged && alone) {
		put(&record->newest, write->version - 1);
		record->begun_ns = 0;
	}
	put(&record->under_way[place], 0);
	change_end(record);
	record_close(record);
	return verdict;
}

void ledger_print(struct ledger *ledger, uint32_t index, FILE *stream)
{
	struct record *record = record_open(ledger, index);
	uint32_t first = record->event_count > EVENTS ? record->event_count - EVENTS : 0;

	fprintf(stream,
		"  oldest version allowed now: %" PRIu32 ", newest: %" PRIu32
		"; its last writes:\n",
		get(&record->floor), get(&record->newest));
	for (uint32_t i = first; i < record->event_count; i++) {
		const struct event *event = &record->events[i % EVENTS];

		fprintf(stream, "  %12.6f s  w%-3u %-5s %-6s version %" PRIu32,
			(double)event->us / 1e6, event->worker, event->end ? "end" : "begin",
			ledger_deed_name((enum deed)event->deed), event->version);
		if (event->end)
			fprintf(stream, ": %s, %s, %u steps%s",
				mcr_pool_status_name((enum mcr_pool_status)event->status),
				mcr_phase_name((enum mcr_phase)event->phase), event->steps,
				event->invalidated ? ", then deleted to make it good" : "");
		fputc('\n', stream);
	}
	record_close(record);
}

uint64_t ledger_given_up(struct ledger *ledger)
{
	return ledger->late.count;
}

const char *ledger_verdict_name(enum verdict verdict)
{
	static const char *const names[LEDGER_VERDICTS] = {
	    [LEDGER_RIGHT] = "right",	[LEDGER_STALE] = "stale",
	    [LEDGER_MISSED] = "missed", [LEDGER_FOREIGN] = "foreign",
	    [LEDGER_LATE] = "late",	[LEDGER_UPDATE_MISSED] = "update missed"};

	return names[verdict];
}

const char *ledger_deed_name(enum deed deed)
{
	static const char *const names[DEED_COUNT] = {[DEED_SET] = "set",
						      [DEED_ADD] = "add",
						      [DEED_INCR] = "incr",
						      [DEED_CAS] = "cas",
						      [DEED_DELETE] = "delete"};

	return names[deed];
}
