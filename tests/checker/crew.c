/* crew.c - the crew's life, its jobs, and what its hands say together (crew.h). */
#include "crew_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define AGREE_LOOK_MS 5

static uint32_t op_timeout_ms(const struct crew *crew)
{
	struct mcr_info info;

	return mcr_info(crew->mcr[0], &info) == MCR_OK ? info.op_timeout_ms : 0;
}

int crew_start(struct crew *crew, enum job job)
{
	crew->job = job;
	atomic_store(&crew->stopped, atomic_load(&crew->violated));
	atomic_store(&crew->cursor, 0);
	plant(job == JOB_RUN ? crew->setup.plant : PLANT_NOTHING, op_timeout_ms(crew));
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
	counts->given_up = ledger_given_up(crew->ledger);
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
		mcr_pool_get_many(hand->pool, batch.reads, 1, NULL);
		free(batch.reads[0].value.bytes);
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

static void hand_begin(struct crew *crew, unsigned number)
{
	struct hand *hand = &crew->hands[number];

	hand->crew = crew;
	hand->number = number;
	hand->host = number % crew->setup.segment_count;
	hand->writes = number < crew->setup.writers;
	hand->random = UINT64_C(0x9e3779b97f4a7c15) * (number + 1);
	hand->pool = crew->pool[hand->host];
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
	crew->pool = calloc(setup->segment_count, sizeof(struct mcr_pool *));
	crew->hands = calloc(crew->hand_count, sizeof(*crew->hands));
	if (!crew->ledger || !crew->mcr || !crew->pool || !crew->hands)
		goto fail;
	for (unsigned i = 0; i < setup->segment_count; i++) {
		rc = mcr_open(setup->segments[i], 0, &crew->mcr[i]);
		if (!rc)
			rc = mcr_pool_new(crew->mcr[i], NULL, &crew->pool[i]);
		if (rc) {
			fprintf(stderr, "checker: segment %s: %s\n", setup->segments[i],
				mcr_strerror(rc));
			goto fail;
		}
	}
	for (unsigned i = 0; i < crew->hand_count; i++)
		hand_begin(crew, i);
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
	for (unsigned i = 0; crew->pool && i < crew->setup.segment_count; i++)
		mcr_pool_free(crew->pool[i]);
	for (unsigned i = 0; crew->mcr && i < crew->setup.segment_count; i++)
		if (crew->mcr[i])
			mcr_close(crew->mcr[i]);
	free(crew->hands);
	free(crew->pool);
	free(crew->mcr);
	ledger_free(crew->ledger);
	pthread_mutex_destroy(&crew->telling);
	free(crew);
}
