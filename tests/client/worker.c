/* worker.c - see worker.h. */
#include "worker.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plant.h"
#include "way.h"

/* Half of the operations go to one key in HOT_SHARE, so that they meet. */
#define HOT_SHARE      200u
#define COMPLAINTS_MAX 20u

struct crew;

struct worker {
	pthread_t thread;
	struct crew *crew;
	unsigned number;
	bool writes;
	const char *segment;
	struct mcr_pool *pool; /* the host's, which its workers share */
	struct mcr_pool_report report;
	uint64_t random;
	uint64_t next_ns; /* when its next operation is due (rate) */
	unsigned char *value;
	struct tally tally;
};

struct crew {
	struct crew_setup setup;
	struct mcr **mcr; /* one for each segment */
	struct mcr_pool **pool;
	unsigned worker_count, started;
	struct worker *workers;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	_Atomic unsigned order; /* grows with each job; workers leave theirs when it has */
	enum job job;		/* under lock */
	unsigned resting;	/* workers through with `order`; under lock */
	_Atomic uint32_t cursor;
	_Atomic unsigned complaints[2];
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint32_t draw(struct worker *worker, uint32_t below)
{
	worker->random ^= worker->random << 13;
	worker->random ^= worker->random >> 7;
	worker->random ^= worker->random << 17;
	return (uint32_t)((worker->random >> 16) % below);
}

static uint32_t draw_key(struct worker *worker)
{
	uint32_t keys = worker->crew->setup.keys;
	uint32_t hot = keys / HOT_SHARE;

	if (hot && draw(worker, 2))
		return (uint32_t)((uint64_t)draw(worker, hot) * (HOT_SHARE + 1) % keys);
	return draw(worker, keys);
}

/* What is between two commands of this process stays there until it is killed, or let go on. */
static void stand_between(void *context, enum mcr_phase phase)
{
	struct doom *doom = context;

	if (atomic_load(&doom->phase) != (int)phase)
		return;
	atomic_store(&doom->stands, 1);
	while (atomic_load(&doom->phase) == (int)phase)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void complain(struct worker *worker, const char *what, uint32_t index, uint32_t version,
		     uint32_t floor, const char *detail)
{
	const struct mcr_pool_report *result = &worker->report;
	const bool failed =
	    result->status == MCR_POOL_FAILED || result->status == MCR_POOL_INCOMPLETE;
	uint64_t given_up = UINT64_MAX;
	uint32_t given_up_version;
	char given_up_text[80] = "";
	/* Failures are counted apart: they must not silence what was answered wrongly. */
	unsigned before = atomic_fetch_add(&worker->crew->complaints[failed], 1);

	if (before == COMPLAINTS_MAX)
		fprintf(stderr, "load: more of these are counted, not shown\n");
	if (before >= COMPLAINTS_MAX)
		return;
	if (!failed)
		given_up = history_given_up(worker->crew->setup.history, index, &given_up_version);
	if (given_up != UINT64_MAX)
		snprintf(given_up_text, sizeof(given_up_text),
			 ", version %" PRIu32 " was given up %" PRIu64 " ms ago", given_up_version,
			 given_up / 1000000);
	fprintf(stderr,
		"load: %s: item %" PRIu32 " version %" PRIu32 " (oldest allowed %" PRIu32
		") on %s, phase %s, %u steps, %u plans%s%s%s%s\n",
		what, index, version, floor, worker->segment, mcr_phase_name(result->phase),
		result->steps, result->plans, result->invalidated ? ", invalidated" : "",
		*detail ? ": " : "", detail, given_up_text);
}

static void tally_result(struct worker *worker, _Atomic uint64_t *status, _Atomic uint64_t *phase)
{
	const struct mcr_pool_report *result = &worker->report;

	tally_one(&status[result->status]);
	if (result->plans > 1)
		tally_one(&worker->tally.replanned);
	if (result->invalidated)
		tally_one(&worker->tally.invalidated);
	if (result->status == MCR_POOL_REFUSED || result->status == MCR_POOL_OWED)
		return;
	if (result->status == MCR_POOL_FAILED || result->status == MCR_POOL_INCOMPLETE) {
		complain(worker, mcr_pool_status_name(result->status), 0, 0, 0, result->reason);
		return;
	}
	tally_one(&phase[result->phase]);
}

#define LAST_BYTES 12

/* "get", and of what it gave enough to tell a reservation from a value that was put together. */
static void read_told(bool found, const struct mcr_pool_value *value, char *text, size_t room)
{
	char last[LAST_BYTES * 2 + 1];

	if (!found) {
		(void)snprintf(text, room, "get");
		return;
	}
	size_t shown = value->length < LAST_BYTES ? value->length : LAST_BYTES;
	sodium_bin2hex(last, sizeof(last),
		       (const unsigned char *)value->bytes + value->length - shown, shown);
	(void)snprintf(text, room, "get: %zu bytes, flags %" PRIu32 ", the last ones %s",
		       value->length, value->flags, last);
}

static void read_one(struct worker *worker, uint32_t index)
{
	char told[128];
	struct item item = item_of(index);
	struct history_read read;
	struct mcr_pool_value value = {.bytes = NULL};
	uint32_t version;

	history_read_begin(worker->crew->setup.history, index, &read);
	enum mcr_pool_status status =
	    mcr_pool_gets(worker->pool, item.key, item.key_bytes, &value, &worker->report);
	tally_one(&worker->tally.by_op[MCR_OP_GET]);
	tally_result(worker, worker->tally.read_status, worker->tally.reads);
	if (status != MCR_POOL_OK && status != MCR_POOL_NOT_FOUND)
		return;
	tally_one(status == MCR_POOL_OK ? &worker->tally.hits : &worker->tally.misses);
	enum verdict verdict =
	    history_read_end(worker->crew->setup.history, &read, &item, status, &value, &version);
	tally_one(&worker->tally.verdicts[verdict]);
	if (verdict != VERDICT_RIGHT && verdict != VERDICT_LOST) {
		read_told(status == MCR_POOL_OK, &value, told, sizeof(told));
		complain(worker, verdict_name(verdict), index, version, read.floor, told);
	}
	free(value.bytes);
}

static enum mcr_op draw_op(struct worker *worker, const struct item *item, bool stored)
{
	uint32_t dice = draw(worker, 100);

	if (item->counter)
		return !stored ? MCR_OP_SET : dice < 90 ? MCR_OP_UPDATE : MCR_OP_DELETE;
	return dice < 65 ? MCR_OP_SET : dice < 85 ? MCR_OP_ADD : MCR_OP_DELETE;
}

/* What an older command of the key may yet overtake is read back while it stands: late.h. */
#define DOUBT_NS UINT64_C(10000000000)

static void write_look(struct worker *worker, const struct item *item,
		       const struct history_write *write)
{
	struct mcr_pool_value value = {.bytes = NULL};
	uint32_t version;

	if (item->counter || worker->report.status != MCR_POOL_OK ||
	    (write->op != MCR_OP_SET && write->op != MCR_OP_ADD) ||
	    history_given_up(worker->crew->setup.history, write->index, &version) > DOUBT_NS)
		return;
	if (mcr_pool_gets(worker->pool, item->key, item->key_bytes, &value, NULL) == MCR_POOL_OK)
		history_write_found(worker->crew->setup.history, write, item, &value);
	free(value.bytes);
}

static void write_send(struct worker *worker, const struct item *item, struct history_write *write)
{
	struct mcr_pool *pool = worker->pool;
	struct mcr_pool_report *report = &worker->report;
	struct mcr_pool_item stored = {.key = item->key,
				       .key_bytes = item->key_bytes,
				       .value = worker->value,
				       .flags = item_flags(item, write->index, write->version),
				       .expiry = item_expiry(item)};
	uint64_t number = 0;

	if (write->op == MCR_OP_SET || write->op == MCR_OP_ADD)
		stored.value_bytes = item_value(item, write->index, write->version, worker->value);
	switch (write->op) {
	case MCR_OP_SET:
		mcr_pool_set(pool, &stored, report);
		break;
	case MCR_OP_ADD:
		mcr_pool_add(pool, &stored, report);
		break;
	case MCR_OP_UPDATE:
		mcr_pool_incr(pool, item->key, item->key_bytes, 1, &number, report);
		break;
	default:
		mcr_pool_delete(pool, item->key, item->key_bytes, report);
		break;
	}
	tally_one(&worker->tally.by_op[write->op]);
	tally_result(worker, worker->tally.write_status, worker->tally.writes);
	write_look(worker, item, write);
	enum verdict verdict =
	    history_write_end(worker->crew->setup.history, write, item, report, number);
	tally_one(&worker->tally.verdicts[verdict]);
	if (verdict != VERDICT_RIGHT && verdict != VERDICT_UPDATE_MISSED && verdict != VERDICT_LOST)
		complain(worker, verdict_name(verdict), write->index, write->version, 0,
			 write->op == MCR_OP_UPDATE ? "incr" : "add");
}

static void write_one(struct worker *worker, uint32_t index, bool fill)
{
	struct item item = item_of(index);
	struct history_write write;

	if (!history_write_begin(worker->crew->setup.history, index, item.counter, &write))
		return;
	write.op = fill ? MCR_OP_SET : draw_op(worker, &item, write.was_stored);
	write_send(worker, &item, &write);
}

/* A host whose lease has lapsed for a moment refuses; what is filled is what moves later. */
static void fill_one(struct worker *worker, uint32_t index)
{
	for (;;) {
		worker->report.status = MCR_POOL_OK;
		write_one(worker, index, true);
		if (worker->report.status != MCR_POOL_REFUSED)
			return;
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	}
}

static void keep_pace(struct worker *worker)
{
	uint32_t rate = worker->crew->setup.rate;
	uint64_t now;

	/* Who is to die in a phase of a few milliseconds must have a write under way in it. */
	if (!rate ||
	    (worker->crew->setup.doom && atomic_load(&worker->crew->setup.doom->phase) >= 0))
		return;
	now = now_ns();
	if (worker->next_ns < now)
		worker->next_ns = now;
	else
		nanosleep(
		    &(struct timespec){.tv_sec = (time_t)((worker->next_ns - now) / 1000000000),
				       .tv_nsec = (long)((worker->next_ns - now) % 1000000000)},
		    NULL);
	worker->next_ns += UINT64_C(1000000000) * worker->crew->worker_count / rate;
}

static void job_work(struct worker *worker, enum job job, unsigned order)
{
	struct crew *crew = worker->crew;

	if (job == JOB_READ && worker->writes)
		return;
	while (atomic_load(&crew->order) == order) {
		uint32_t index;

		if (job == JOB_RUN || job == JOB_READ) {
			keep_pace(worker);
			index = draw_key(worker);
			if (worker->writes)
				write_one(worker, index, false);
			else
				read_one(worker, index);
			continue;
		}
		index = atomic_fetch_add(&crew->cursor, 1);
		if (index >= crew->setup.keys)
			return;
		if (job == JOB_FILL)
			fill_one(worker, index);
		else
			read_one(worker, index);
	}
}

static void *worker_main(void *context)
{
	struct worker *worker = context;
	struct crew *crew = worker->crew;
	unsigned seen = 0;

	pthread_mutex_lock(&crew->lock);
	for (;;) {
		while (atomic_load(&crew->order) == seen)
			pthread_cond_wait(&crew->changed, &crew->lock);
		seen = atomic_load(&crew->order);
		enum job job = crew->job;
		pthread_mutex_unlock(&crew->lock);
		if (job == JOB_QUIT)
			return NULL;
		if (job != JOB_REST)
			job_work(worker, job, seen);
		pthread_mutex_lock(&crew->lock);
		crew->resting++;
		pthread_cond_broadcast(&crew->changed);
	}
}

static void rest_await(struct crew *crew)
{
	while (crew->resting < crew->started)
		pthread_cond_wait(&crew->changed, &crew->lock);
}

static void order_give(struct crew *crew, enum job job)
{
	crew->job = job;
	crew->resting = 0;
	atomic_store(&crew->cursor, 0);
	atomic_fetch_add(&crew->order, 1);
	pthread_cond_broadcast(&crew->changed);
}

void crew_do(struct crew *crew, enum job job)
{
	pthread_mutex_lock(&crew->lock);
	/* Everybody out of the old job first: the cursor and the verdicts of two must not mix. */
	order_give(crew, JOB_REST);
	rest_await(crew);
	if (job != JOB_REST)
		order_give(crew, job);
	if (job == JOB_FILL || job == JOB_VERIFY)
		rest_await(crew);
	pthread_mutex_unlock(&crew->lock);
}

void crew_tally(struct crew *crew, struct tally *total)
{
	for (unsigned i = 0; i < crew->started; i++)
		tally_add(total, &crew->workers[i].tally);
}

static int worker_start(struct crew *crew, unsigned number)
{
	struct worker *worker = &crew->workers[number];
	unsigned host = number % crew->setup.segment_count;

	worker->crew = crew;
	worker->number = number;
	worker->segment = crew->setup.segments[host];
	worker->writes = number < crew->setup.writers;
	worker->random = UINT64_C(0x9e3779b97f4a7c15) * (number + 1);
	worker->value = malloc(ITEM_VALUE_MAX);
	if (!worker->value)
		return -ENOMEM;
	worker->pool = crew->pool[host];
	return -pthread_create(&worker->thread, NULL, worker_main, worker);
}

int crew_new(const struct crew_setup *setup, struct crew **out)
{
	const struct mcr_pool_options options = {.prepare = way_prepare};
	struct crew *crew = calloc(1, sizeof(*crew));
	int rc = -ENOMEM;

	if (!crew)
		return -ENOMEM;
	crew->setup = *setup;
	crew->worker_count = setup->readers + setup->writers;
	pthread_mutex_init(&crew->lock, NULL);
	pthread_cond_init(&crew->changed, NULL);
	if (setup->doom)
		plant_between(stand_between, setup->doom);
	crew->mcr = calloc(setup->segment_count, sizeof(struct mcr *));
	crew->pool = calloc(setup->segment_count, sizeof(struct mcr_pool *));
	crew->workers = calloc(crew->worker_count, sizeof(*crew->workers));
	if (!crew->mcr || !crew->pool || !crew->workers)
		goto fail;
	for (unsigned i = 0; i < setup->segment_count; i++) {
		rc = mcr_open(setup->segments[i], 0, &crew->mcr[i]);
		if (!rc)
			rc = mcr_pool_new(crew->mcr[i], &options, &crew->pool[i]);
		if (rc) {
			fprintf(stderr, "load: segment %s: %s\n", setup->segments[i],
				mcr_strerror(rc));
			goto fail;
		}
	}
	for (unsigned i = 0; i < crew->worker_count; i++) {
		rc = worker_start(crew, i);
		if (rc)
			goto fail;
		crew->started++;
	}
	*out = crew;
	return 0;
fail:
	crew_free(crew);
	return rc;
}

void crew_free(struct crew *crew)
{
	if (!crew)
		return;
	crew_do(crew, JOB_REST);
	pthread_mutex_lock(&crew->lock);
	order_give(crew, JOB_QUIT);
	pthread_mutex_unlock(&crew->lock);
	for (unsigned i = 0; i < crew->started; i++)
		pthread_join(crew->workers[i].thread, NULL);
	for (unsigned i = 0; crew->workers && i < crew->worker_count; i++)
		free(crew->workers[i].value);
	for (unsigned i = 0; crew->pool && i < crew->setup.segment_count; i++)
		mcr_pool_free(crew->pool[i]);
	for (unsigned i = 0; crew->mcr && i < crew->setup.segment_count; i++)
		if (crew->mcr[i])
			mcr_close(crew->mcr[i]);
	free(crew->workers);
	free(crew->pool);
	free(crew->mcr);
	pthread_cond_destroy(&crew->changed);
	pthread_mutex_destroy(&crew->lock);
	free(crew);
}
