/* speed.c - see speed.h. */
#include "speed.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define KEYS		4096u
#define KEY_BYTES	32u
#define OPERATIONS	(40u * KEYS) /* of one batch */
#define PEER_OPERATIONS (16 * 1024u)
#define THREADS_MAX	8u

enum manner { PLAIN, STRICT, PEER, MANNERS };

/* What one thread holds of one fleet. */
struct hand {
	struct mcr_reader *reader, *strict;
	memcached_st *peer;
};

struct crew {
	unsigned fleets, threads, rounds;
	pthread_barrier_t barrier;
	double *ns; /* [fleet][manner][round][thread] */
};

struct worker {
	struct crew *crew;
	unsigned thread;
	struct hand *hands; /* by fleet */
	char *keys;
	uint64_t checksum; /* keeps the lookups from being dropped */
};

static double *ns_at(const struct crew *crew, unsigned fleet, unsigned manner, unsigned round)
{
	return &crew->ns[((fleet * MANNERS + manner) * crew->rounds + round) * crew->threads];
}

static double operations_time(struct worker *worker, struct mcr_reader *reader)
{
	const uint64_t begin_ns = bench_thread_ns();
	uint64_t sum = 0;

	for (unsigned i = 0; i < OPERATIONS; i++) {
		struct mcr_plan plan;

		if (mcr_begin(reader, MCR_OP_GET, worker->keys + i % KEYS * KEY_BYTES, KEY_BYTES,
			      &plan) != MCR_OK)
			bench_end("mcr_begin failed");
		sum += plan.step[0].server;
		/* A strict plan may overrun where others have the processor. */
		if (mcr_end(reader, &plan) < MCR_OK)
			bench_end("mcr_end failed");
	}
	worker->checksum += sum;
	return (double)(bench_thread_ns() - begin_ns) / OPERATIONS;
}

static double peer_time(struct worker *worker, memcached_st *peer)
{
	const uint64_t begin_ns = bench_thread_ns();
	uint64_t sum = 0;

	for (unsigned i = 0; i < PEER_OPERATIONS; i++)
		sum +=
		    memcached_generate_hash(peer, worker->keys + i % KEYS * KEY_BYTES, KEY_BYTES);
	worker->checksum += sum;
	return (double)(bench_thread_ns() - begin_ns) / PEER_OPERATIONS;
}

static double manner_time(struct worker *worker, const struct hand *hand, enum manner manner)
{
	switch (manner) {
	case PLAIN:
		return operations_time(worker, hand->reader);
	case STRICT:
		return operations_time(worker, hand->strict);
	default:
		return hand->peer != NULL ? peer_time(worker, hand->peer) : 0;
	}
}

static void *worker_run(void *argument)
{
	struct worker *worker = argument;
	struct crew *crew = worker->crew;

	for (unsigned round = 0; round < crew->rounds; round++)
		for (unsigned fleet = 0; fleet < crew->fleets; fleet++)
			for (unsigned manner = 0; manner < MANNERS; manner++) {
				(void)pthread_barrier_wait(&crew->barrier);
				ns_at(crew, fleet, manner, round)[worker->thread] =
				    manner_time(worker, &worker->hands[fleet], (enum manner)manner);
			}
	return NULL;
}

static void keys_make(char *keys, unsigned thread)
{
	for (unsigned i = 0; i < KEYS; i++) {
		char key[KEY_BYTES + 1];

		(void)snprintf(key, sizeof(key), "bench:%02u:user:%09u:profile", thread % 100,
			       i * 7919 % 1000000000);
		memcpy(keys + i * KEY_BYTES, key, KEY_BYTES);
	}
}

/* What is faster must also be right. */
static void answers_compare(const struct worker *worker, const struct hand *hand)
{
	for (unsigned i = 0; i < KEYS; i++) {
		const char *key = worker->keys + i * KEY_BYTES;
		uint32_t owner, after;

		if (mcr_owner(hand->reader, key, KEY_BYTES, &owner, &after) != MCR_OK ||
		    owner != memcached_generate_hash(hand->peer, key, KEY_BYTES))
			bench_end("libmemcached has another server for key %u", i);
	}
}

static void worker_open(struct worker *worker, struct crew *crew, struct fleet *const *fleets,
			bool agrees, unsigned thread)
{
	worker->crew = crew;
	worker->thread = thread;
	worker->keys = bench_alloc(KEYS, KEY_BYTES);
	keys_make(worker->keys, thread);
	worker->hands = bench_alloc(crew->fleets, sizeof(*worker->hands));
	for (unsigned i = 0; i < crew->fleets; i++) {
		struct hand *hand = &worker->hands[i];

		if (mcr_reader_new(fleets[i]->mcr, &hand->reader) != MCR_OK ||
		    mcr_reader_new(fleets[i]->strict, &hand->strict) != MCR_OK)
			bench_end("out of memory");
		hand->peer = fleet_peer_open(&fleets[i]->list);
		if (hand->peer != NULL && agrees)
			answers_compare(worker, hand);
	}
}

static void worker_close(struct worker *worker)
{
	for (unsigned i = 0; i < worker->crew->fleets; i++) {
		mcr_reader_free(worker->hands[i].reader);
		mcr_reader_free(worker->hands[i].strict);
		if (worker->hands[i].peer != NULL)
			memcached_free(worker->hands[i].peer);
	}
	free(worker->hands);
	free(worker->keys);
}

/* The median over the rounds of the mean over the threads. */
static double ns_median(const struct crew *crew, unsigned fleet, unsigned manner)
{
	double values[BENCH_ROUNDS_MAX];

	for (unsigned round = 0; round < crew->rounds; round++) {
		const double *ns = ns_at(crew, fleet, manner, round);

		values[round] = 0;
		for (unsigned thread = 0; thread < crew->threads; thread++)
			values[round] += ns[thread] / crew->threads;
	}
	return bench_median(values, crew->rounds);
}

void speed_measure(struct fleet *const *fleets, unsigned count, bool agrees, unsigned threads,
		   unsigned rounds, struct speed *speeds)
{
	struct crew crew = {.fleets = count, .threads = threads, .rounds = rounds};
	struct worker workers[THREADS_MAX] = {{0}};
	pthread_t ids[THREADS_MAX];

	if (threads > THREADS_MAX || rounds > BENCH_ROUNDS_MAX)
		bench_end("%u threads, %u rounds: at most %u and %u", threads, rounds, THREADS_MAX,
			  BENCH_ROUNDS_MAX);
	crew.ns = bench_alloc((size_t)count * MANNERS * rounds, threads * sizeof(*crew.ns));
	if (pthread_barrier_init(&crew.barrier, NULL, threads) != 0)
		bench_end("cannot make a barrier");
	for (unsigned i = 0; i < threads; i++)
		worker_open(&workers[i], &crew, fleets, agrees, i);
	for (unsigned i = 0; i < threads; i++)
		if (pthread_create(&ids[i], NULL, worker_run, &workers[i]) != 0)
			bench_end("cannot start a thread");
	for (unsigned i = 0; i < threads; i++)
		(void)pthread_join(ids[i], NULL);
	for (unsigned i = 0; i < count; i++)
		speeds[i] = (struct speed){
		    .ns = ns_median(&crew, i, PLAIN),
		    .strict_ns = ns_median(&crew, i, STRICT),
		    .peer_ns = ns_median(&crew, i, PEER),
		};
	for (unsigned i = 0; i < threads; i++)
		worker_close(&workers[i]);
	(void)pthread_barrier_destroy(&crew.barrier);
	free(crew.ns);
}
