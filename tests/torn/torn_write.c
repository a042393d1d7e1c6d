/* torn_write.c - a writer that will be killed: the agent's own segment code. */
#include <signal.h>
#include <string.h>
#include <time.h>

#include "daemon/segment.h"
#include "list/change.h"
#include "mcroster.h"
#include "torn.h"

#define EARLY_MAX_NS 200000u

static struct change_server servers[TORN_SERVERS];
static uint16_t owners[TORN_SLOTS];

static void stage_set(struct torn_shared *shared, enum torn_stage stage)
{
	__atomic_store_n(&shared->stage, stage, __ATOMIC_RELAXED);
}

/* Only even generations ever have a lease. */
int torn_publish(struct segment *segment, struct torn_shared *shared, uint32_t number)
{
	const uint32_t next = segment_generation(segment, NULL) + 1;
	struct change change = {
	    .old_epoch = next,
	    .new_epoch = (uint64_t)next + 1,
	    .server_count = TORN_SERVERS,
	    .parts = TORN_SLOTS,
	    .in_slots = true,
	    .servers = servers,
	    .old_table = table_of_slots(owners, TORN_SLOTS),
	    .new_table = table_of_slots(owners, TORN_SLOTS),
	    .op_timeout_ms = 1000,
	};
	const struct segment_view view = {.change = &change, .phase = MCR_COPY};
	uint32_t generation = 0;
	int error;

	memcpy(change.old_hash, &number, sizeof(number));
	for (uint32_t i = 0; i < TORN_SERVERS; i++)
		servers[i].weight = next;
	for (uint32_t i = 0; i < TORN_SLOTS; i++)
		owners[i] = (uint16_t)(next % TORN_SERVERS);
	segment_lease(segment, 0);
	stage_set(shared, TORN_PUBLISHING);
	error = segment_publish(segment, &view, 1, &generation, NULL);
	stage_set(shared, TORN_BETWEEN);
	if (next % 2 == 0)
		segment_lease(segment, UINT64_MAX);
	return error != 0 || generation != next;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static int kill_arm(uint64_t after_ns)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
	const struct itimerspec when = {
	    .it_value = {.tv_sec = 0, .tv_nsec = (long)(after_ns == 0 ? 1 : after_ns)}};
	timer_t timer;

	return timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 ||
	       timer_settime(timer, 0, &when, NULL) != 0;
}

void torn_write(const char *name, struct torn_shared *shared, uint32_t number, uint32_t after_ppm,
		int early)
{
	struct segment *segment;
	uint64_t begun_ns;

	stage_set(shared, TORN_OPENING);
	if (early && kill_arm(EARLY_MAX_NS * after_ppm / TORN_PPM) != 0)
		return;
	if (segment_open(name, "web", &segment, NULL) != 0)
		return;
	begun_ns = now_ns();
	if (torn_publish(segment, shared, number) != 0 ||
	    (!early && kill_arm((now_ns() - begun_ns) * after_ppm / TORN_PPM) != 0))
		return;
	while (torn_publish(segment, shared, number) == 0)
		;
}
