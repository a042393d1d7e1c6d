/* crew.c - see crew.h. */
#include "crew.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "values.h"

/* Half of the operations go to one key in HOT_SHARE, so that they meet. */
#define HOT_SHARE	 200u
#define READS_TO_A_WRITE 10u /* where there is a rate */
#define COMPLAINTS	 20u
#define AGREE_LOOK_MS	 5

/* A thread counts in its own; anybody may look. */
struct tally {
	_Atomic uint64_t reads, reads_moving, hits, misses;
	_Atomic uint64_t writes, writes_moving, by_deed[DEED_COUNT];
	_Atomic uint64_t verdicts[LEDGER_VERDICTS];
	_Atomic uint64_t reads_failed, writes_failed, refused;
};

struct hand {
	pthread_t thread;
	struct crew *crew;
	unsigned number, host;
	bool writes;
	struct client *client;
	uint64_t random;
	uint64_t next_us; /* when the next batch or write is due (rate) */
	struct tally tally;
	char value[VALUES_VALUE_MAX];
};

struct crew {
	struct crew_setup setup;
	struct ledger *ledger;
	struct mcr **mcr; /* one for each segment */
	struct hand *hands;
	unsigned hand_count, running;
	enum job job;
	_Atomic bool stopped, violated;
	_Atomic uint32_t cursor;
	_Atomic unsigned complaints;
	pthread_mutex_t telling;
};

static void count(_Atomic uint64_t *field)
{
	atomic_store_explicit(field, atomic_load_explicit(field, memory_order_relaxed) + 1,
			      memory_order_relaxed);
}

static bool moving(enum mcr_phase phase)
{
	return phase >= MCR_PREPARE && phase <= MCR_DRAIN;
}

static uint32_t draw(struct hand *hand, uint32_t below)
{
	hand->random ^= hand->random << 13;
	hand->random ^= hand->random >> 7;
	hand->random ^= hand->random << 17;
	return (uint32_t)((hand->random >> 16) % below);
}

static uint32_t draw_key(struct hand *hand)
{
	uint32_t keys = hand->crew->setup.keys, hot = keys / HOT_SHARE;

	if (hot && draw(hand, 2))
		return draw(hand, hot) * (HOT_SHARE + 1) % keys;
	return draw(hand, keys);
}

/* ---- what went wrong ---- */

static void failure_tell(struct hand *hand, const char *what)
{
	unsigned before = atomic_fetch_add(&hand->crew->complaints, 1);

	if (before < COMPLAINTS)
		fprintf(stderr, "checker: w%u on %s: %s: %s\n", hand->number,
			hand->crew->setup.segments[hand->host], what,
			client_result(hand->client)->reason);
	else if (before == COMPLAINTS)
		fprintf(stderr, "checker: more failures are counted, not shown\n");
}

/* The first violation is told with the key's history, and all stop. */
static void violation_tell(struct hand *hand, enum verdict verdict, uint32_t index,
			   const char *answer)
{
	struct crew *crew = hand->crew;
	char key[VALUES_KEY_MAX];

	pthread_mutex_lock(&crew->telling);
	if (!atomic_exchange(&crew->violated, true)) {
		values_key(index, key);
		fprintf(stderr, "checker: VIOLATION: %s: key %s\n", ledger_verdict_name(verdict),
			key);
		fprintf(stderr, "  %12.6f s  w%-3u on %s: %s\n", (double)ledger_now_us() / 1e6,
			hand->number, crew->setup.segments[hand->host], answer);
		ledger_print(crew->ledger, index, stderr);
		fflush(stderr);
	}
	pthread_mutex_unlock(&crew->telling);
	atomic_store(&crew->stopped, true);
}

static bool wrong(enum verdict verdict)
{
	return verdict != LEDGER_RIGHT && verdict != LEDGER_UPDATE_MISSED;
}

/* ---- reads ---- */

struct batch {
	struct client_read reads[CLIENT_READS_MAX];
	struct ledger_read looks[CLIENT_READS_MAX];
	char keys[CLIENT_READS_MAX][VALUES_KEY_MAX];
	unsigned count;
};

static void batch_add(struct hand *hand, struct batch *batch, uint32_t index)
{
	unsigned i = batch->count++;

	batch->reads[i].key = batch->keys[i];
	batch->reads[i].key_bytes = values_key(index, batch->keys[i]);
	ledger_read_begin(hand->crew->ledger, index, &batch->looks[i]);
}

static void read_violation(struct hand *hand, enum verdict verdict, const struct client_read *read,
			   const struct ledger_read *look, uint64_t sent_us)
{
	char answer[400], value[64] = "";

	if (read->status == CLIENT_OK)
		snprintf(value, sizeof(value), "\"%.*s\", %zu bytes, ",
			 (int)(read->value.length < 32 ? read->value.length : 32),
			 read->value.bytes ? (const char *)read->value.bytes : "",
			 read->value.length);
	snprintf(answer, sizeof(answer),
		 "get, begun at %.6f s with %" PRIu32 " as the oldest version allowed: %s, %s"
		 "phase %s, %u steps, %u plans, generation %" PRIu32,
		 (double)sent_us / 1e6, look->floor, client_status_name(read->status), value,
		 mcr_phase_name(read->phase), read->steps, read->plans, read->generation);
	violation_tell(hand, verdict, look->index, answer);
}

/* The version that was read; 0: none. */
static uint32_t read_judge(struct hand *hand, const struct client_read *read,
			   const struct ledger_read *look, uint64_t sent_us)
{
	struct tally *tally = &hand->tally;
	uint32_t writer, version = 0;

	if (read->status != CLIENT_OK && read->status != CLIENT_NOT_FOUND) {
		count(read->status == CLIENT_REFUSED ? &tally->refused : &tally->reads_failed);
		failure_tell(hand, "get");
		return 0;
	}
	count(&tally->reads);
	if (moving(read->phase))
		count(&tally->reads_moving);
	count(read->status == CLIENT_OK ? &tally->hits : &tally->misses);
	if (read->status == CLIENT_OK)
		version =
		    values_version(look->index, read->value.bytes, read->value.length, &writer);
	enum verdict verdict =
	    ledger_read_end(hand->crew->ledger, look, read->status == CLIENT_OK, version);
	count(&tally->verdicts[verdict]);
	if (wrong(verdict))
		read_violation(hand, verdict, read, look, sent_us);
	return version;
}

static void batch_read(struct hand *hand, struct batch *batch)
{
	uint64_t sent_us = ledger_now_us();

	client_get_many(hand->client, batch->reads, batch->count);
	for (unsigned i = 0; i < batch->count; i++)
		(void)read_judge(hand, &batch->reads[i], &batch->looks[i], sent_us);
	batch->count = 0;
}

/* ---- writes ---- */

static enum deed draw_deed(struct hand *hand, bool counter)
{
	uint32_t dice = draw(hand, 100);

	if (counter)
		return dice < 88 ? DEED_INCR : dice < 94 ? DEED_SET : DEED_DELETE;
	return dice < 50 ? DEED_SET : dice < 65 ? DEED_ADD : dice < 80 ? DEED_CAS : DEED_DELETE;
}

static void write_tally(struct hand *hand, const struct ledger_write *write, enum verdict verdict,
			uint64_t number)
{
	const struct client_result *result = client_result(hand->client);
	struct tally *tally = &hand->tally;
	char answer[300];

	count(&tally->by_deed[write->deed]);
	if (result->status == CLIENT_REFUSED) {
		count(&tally->refused);
	} else if (result->status == CLIENT_FAILED || result->status == CLIENT_INCOMPLETE) {
		count(&tally->writes_failed);
		failure_tell(hand, ledger_deed_name(write->deed));
	} else {
		count(&tally->writes);
		if (moving(result->phase))
			count(&tally->writes_moving);
	}
	count(&tally->verdicts[verdict]);
	if (!wrong(verdict))
		return;
	snprintf(answer, sizeof(answer),
		 "%s of version %" PRIu32 " (%s %" PRIu64 "), begun with %" PRIu32
		 " as the oldest version allowed: %s, phase %s, %u steps, %u plans",
		 ledger_deed_name(write->deed), write->version,
		 write->deed == DEED_CAS ? "built on" : "the counter said",
		 write->deed == DEED_CAS ? write->base : number, write->floor,
		 client_status_name(result->status), mcr_phase_name(result->phase), result->steps,
		 result->plans);
	violation_tell(hand, verdict, write->index, answer);
}

static void write_send(struct hand *hand, const struct batch *token, struct ledger_write *write)
{
	struct client *client = hand->client;
	char key[VALUES_KEY_MAX];
	size_t key_bytes = values_key(write->index, key);
	size_t bytes = values_write(write->index, hand->number, write->version, hand->value);
	uint64_t number = 0;

	switch (write->deed) {
	case DEED_SET:
		client_set(client, key, key_bytes, hand->value, bytes, 0, 0);
		break;
	case DEED_ADD:
		client_add(client, key, key_bytes, hand->value, bytes, 0, 0);
		break;
	case DEED_INCR:
		client_incr(client, key, key_bytes, 1, &number);
		break;
	case DEED_CAS:
		client_cas(client, &token->reads[0], hand->value, bytes, 0, 0);
		break;
	default:
		client_delete(client, key, key_bytes);
		break;
	}
	enum verdict verdict =
	    ledger_write_end(hand->crew->ledger, write, client_result(client), number);
	write_tally(hand, write, verdict, number);
}

static void write_one(struct hand *hand, uint32_t index, enum deed deed)
{
	struct batch token = {.count = 0};
	struct ledger_write write;
	uint32_t base = 0;

	if (deed == DEED_CAS) {
		uint64_t sent_us = ledger_now_us();

		batch_add(hand, &token, index);
		client_get_many(hand->client, token.reads, 1);
		base = read_judge(hand, &token.reads[0], &token.looks[0], sent_us);
		if (!base)
			return;
	}
	if (!ledger_write_begin(hand->crew->ledger, index, values_counter(index), deed,
				hand->number, &write))
		return;
	write.base = base;
	write_send(hand, &token, &write);
}

/* ---- the threads ---- */

static void pace(struct hand *hand)
{
	const struct crew_setup *setup = &hand->crew->setup;
	uint64_t now = ledger_now_us();
	uint64_t share = hand->writes ? (uint64_t)READS_TO_A_WRITE * setup->writers
				      : (uint64_t)setup->batch * setup->readers;

	if (!setup->rate)
		return;
	if (hand->next_us < now)
		hand->next_us = now;
	else
		nanosleep(
		    &(struct timespec){.tv_sec = (time_t)((hand->next_us - now) / 1000000),
				       .tv_nsec = (long)((hand->next_us - now) % 1000000) * 1000},
		    NULL);
	hand->next_us += UINT64_C(1000000) * share / setup->rate;
}

static void hand_run(struct hand *hand)
{
	struct crew *crew = hand->crew;
	struct batch batch = {.count = 0};

	while (!atomic_load_explicit(&crew->stopped, memory_order_relaxed)) {
		pace(hand);
		if (hand->writes) {
			uint32_t index = draw_key(hand);

			write_one(hand, index, draw_deed(hand, values_counter(index)));
			continue;
		}
		while (batch.count < crew->setup.batch)
			batch_add(hand, &batch, draw_key(hand));
		batch_read(hand, &batch);
	}
}

/* Every key once, shared out among all. */
static void hand_walk(struct hand *hand)
{
	struct crew *crew = hand->crew;
	struct batch batch = {.count = 0};
	uint32_t index;

	while (!atomic_load(&crew->stopped) &&
	       (index = atomic_fetch_add(&crew->cursor, 1)) < crew->setup.keys) {
		if (crew->job == JOB_FILL) {
			write_one(hand, index, DEED_SET);
			continue;
		}
		batch_add(hand, &batch, index);
		if (batch.count == crew->setup.batch)
			batch_read(hand, &batch);
	}
	if (batch.count)
		batch_read(hand, &batch);
}

static void *hand_main(void *context)
{
	struct hand *hand = context;

	if (hand->crew->job == JOB_RUN)
		hand_run(hand);
	else
		hand_walk(hand);
	return NULL;
}

int crew_start(struct crew *crew, enum job job)
{
	crew->job = job;
	atomic_store(&crew->stopped, atomic_load(&crew->violated));
	atomic_store(&crew->cursor, 0);
	for (unsigned i = 0; i < crew->hand_count; i++)
		client_plant(crew->hands[i].client,
			     job == JOB_RUN ? crew->setup.plant : PLANT_NOTHING);
	for (; crew->running < crew->hand_count; crew->running++) {
		struct hand *hand = &crew->hands[crew->running];
		int rc = pthread_create(&hand->thread, NULL, hand_main, hand);

		if (rc) {
			fprintf(stderr, "checker: no thread: %s\n", strerror(rc));
			crew_stop(crew);
			crew_wait(crew);
			return -rc;
		}
	}
	return 0;
}

void crew_stop(struct crew *crew)
{
	atomic_store(&crew->stopped, true);
}

void crew_wait(struct crew *crew)
{
	while (crew->running)
		pthread_join(crew->hands[--crew->running].thread, NULL);
}

/* ---- what they say together ---- */

bool crew_violated(const struct crew *crew)
{
	return atomic_load(&crew->violated);
}

void crew_counts(const struct crew *crew, struct counts *counts)
{
	memset(counts, 0, sizeof(*counts));
	for (unsigned i = 0; i < crew->hand_count; i++) {
		const struct tally *tally = &crew->hands[i].tally;

		counts->reads += tally->reads;
		counts->reads_moving += tally->reads_moving;
		counts->hits += tally->hits;
		counts->misses += tally->misses;
		counts->writes += tally->writes;
		counts->writes_moving += tally->writes_moving;
		counts->reads_failed += tally->reads_failed;
		counts->writes_failed += tally->writes_failed;
		counts->refused += tally->refused;
		for (unsigned k = 0; k < DEED_COUNT; k++)
			counts->by_deed[k] += tally->by_deed[k];
		for (unsigned k = 0; k < LEDGER_VERDICTS; k++)
			counts->verdicts[k] += tally->verdicts[k];
	}
}

static bool hosts_agree(const struct crew *crew, uint64_t epoch, struct mcr_info *infos, char *why,
			size_t why_bytes)
{
	for (unsigned i = 0; i < crew->setup.segment_count; i++) {
		struct mcr_info *info = &infos[i];
		int rc = mcr_info(crew->mcr[i], info);

		if (rc)
			snprintf(why, why_bytes, "%s: %s", crew->setup.segments[i],
				 mcr_strerror(rc));
		else if (info->phase != MCR_STEADY || info->epoch != epoch || info->next_epoch)
			snprintf(why, why_bytes, "%s shows epoch %" PRIu64 " in %s",
				 crew->setup.segments[i], info->epoch,
				 mcr_phase_name((enum mcr_phase)info->phase));
		else if (memcmp(info->list_hash, infos[0].list_hash, sizeof(info->list_hash)) != 0)
			snprintf(why, why_bytes, "%s and %s have different lists of epoch %" PRIu64,
				 crew->setup.segments[i], crew->setup.segments[0], epoch);
		else
			continue;
		return false;
	}
	return true;
}

static bool clients_agree(struct crew *crew, const struct mcr_info *infos, char *why,
			  size_t why_bytes)
{
	for (unsigned i = 0; i < crew->hand_count; i++) {
		struct hand *hand = &crew->hands[i];
		struct batch batch = {.count = 0};

		batch_add(hand, &batch, 0);
		client_get_many(hand->client, batch.reads, 1);
		if (batch.reads[0].generation == infos[hand->host].generation)
			continue;
		snprintf(why, why_bytes,
			 "client w%u plans by generation %" PRIu32 ", %s shows %" PRIu32, i,
			 batch.reads[0].generation, crew->setup.segments[hand->host],
			 infos[hand->host].generation);
		return false;
	}
	return true;
}

bool crew_agrees(struct crew *crew, uint64_t epoch, int timeout_ms, char *why, size_t why_bytes)
{
	struct mcr_info *infos = calloc(crew->setup.segment_count, sizeof(*infos));
	bool agreed = false;

	for (int waited_ms = 0; infos && !agreed && waited_ms < timeout_ms;
	     waited_ms += AGREE_LOOK_MS) {
		agreed = hosts_agree(crew, epoch, infos, why, why_bytes) &&
			 (crew->running || clients_agree(crew, infos, why, why_bytes));
		if (!agreed)
			nanosleep(&(struct timespec){.tv_nsec = AGREE_LOOK_MS * 1000000}, NULL);
	}
	free(infos);
	return agreed;
}

/* ---- its life ---- */

static int hand_new(struct crew *crew, unsigned number)
{
	struct hand *hand = &crew->hands[number];

	hand->crew = crew;
	hand->number = number;
	hand->host = number % crew->setup.segment_count;
	hand->writes = number < crew->setup.writers;
	hand->random = UINT64_C(0x9e3779b97f4a7c15) * (number + 1);
	int rc = client_new(crew->mcr[hand->host], &hand->client);
	if (rc) {
		fprintf(stderr, "checker: segment %s: %s\n", crew->setup.segments[hand->host],
			mcr_strerror(rc));
		return -EINVAL;
	}
	return 0;
}

int crew_new(const struct crew_setup *setup, struct crew **out)
{
	struct crew *crew = calloc(1, sizeof(*crew));
	int rc = -ENOMEM;

	if (!crew)
		return rc;
	crew->setup = *setup;
	crew->hand_count = setup->readers + setup->writers;
	pthread_mutex_init(&crew->telling, NULL);
	crew->ledger = ledger_new(setup->keys);
	crew->mcr = calloc(setup->segment_count, sizeof(struct mcr *));
	crew->hands = calloc(crew->hand_count, sizeof(*crew->hands));
	if (!crew->ledger || !crew->mcr || !crew->hands)
		goto fail;
	for (unsigned i = 0; i < setup->segment_count; i++) {
		rc = mcr_open(setup->segments[i], 0, &crew->mcr[i]);
		if (rc) {
			fprintf(stderr, "checker: segment %s: %s\n", setup->segments[i],
				mcr_strerror(rc));
			goto fail;
		}
	}
	for (unsigned i = 0; i < crew->hand_count; i++) {
		rc = hand_new(crew, i);
		if (rc)
			goto fail;
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
	crew_stop(crew);
	crew_wait(crew);
	for (unsigned i = 0; crew->hands && i < crew->hand_count; i++)
		client_free(crew->hands[i].client);
	for (unsigned i = 0; crew->mcr && i < crew->setup.segment_count; i++)
		if (crew->mcr[i])
			mcr_close(crew->mcr[i]);
	free(crew->hands);
	free(crew->mcr);
	ledger_free(crew->ledger);
	pthread_mutex_destroy(&crew->telling);
	free(crew);
}
