/* plant.c - see plant.h. */
#include "plant.h"

#include <stdbool.h>
#include <time.h>

/* One step in so many is slow: of a read there are many beside it that wait with it. */
#define DAWDLE_SHARE	   300u
#define DAWDLE_SHARE_READ  30000u
#define DAWDLE_OP_TIMEOUTS 3u

#define ORDER_PAUSE_NS 5000000

static enum plant planted;
static uint32_t dawdle_ms;
static void (*between_call)(void *context, enum mcr_phase phase);
static void *between_context;

/* Of the operation that this thread has under way: the adapter looks once before each step. */
static _Thread_local unsigned steps_begun;
static _Thread_local uint64_t random_state;

int __real_mcr_begin(struct mcr_reader *reader, enum mcr_op op, const void *key, size_t len,
		     struct mcr_plan *plan);
int __real_mcr_check(struct mcr_reader *reader, const struct mcr_plan *plan);
int __real_mcr_end(struct mcr_reader *reader, const struct mcr_plan *plan);
int __wrap_mcr_begin(struct mcr_reader *reader, enum mcr_op op, const void *key, size_t len,
		     struct mcr_plan *plan);
int __wrap_mcr_check(struct mcr_reader *reader, const struct mcr_plan *plan);
int __wrap_mcr_end(struct mcr_reader *reader, const struct mcr_plan *plan);

void plant(enum plant what, uint32_t op_timeout_ms)
{
	planted = what;
	dawdle_ms = op_timeout_ms * DAWDLE_OP_TIMEOUTS;
}

void plant_between(void (*between)(void *context, enum mcr_phase phase), void *context)
{
	between_call = between;
	between_context = context;
}

static void step_drop(struct mcr_plan *plan)
{
	if (plan->step_count > 1 && plan->step[plan->step_count - 2].send != MCR_SEND_READ)
		plan->step_count--;
}

static void steps_reverse(struct mcr_plan *plan)
{
	unsigned first = 0, last = plan->step_count;

	while (first < last && plan->step[first].send == MCR_SEND_READ)
		first++;
	for (; first + 1 < last; first++) {
		const struct mcr_step step = plan->step[first];

		plan->step[first] = plan->step[--last];
		plan->step[last] = step;
	}
}

static void plan_spoil(struct mcr_plan *plan)
{
	switch (planted) {
	case PLANT_FALLBACK:
		if (plan->op == MCR_OP_GET)
			plan->step_count = 1;
		break;
	case PLANT_SECOND:
		if (plan->op != MCR_OP_DELETE)
			step_drop(plan);
		break;
	case PLANT_DELETE:
		if (plan->op == MCR_OP_DELETE)
			step_drop(plan);
		break;
	case PLANT_ORDER:
		steps_reverse(plan);
		break;
	case PLANT_STUBS:
		for (unsigned i = 0; i < plan->step_count; i++)
			plan->step[i].empty_is_miss = 0;
		break;
	default:
		break;
	}
}

static void dawdle(const struct mcr_plan *plan)
{
	const uint32_t share = plan->op == MCR_OP_GET ? DAWDLE_SHARE_READ : DAWDLE_SHARE;

	if (planted != PLANT_LATE && planted != PLANT_SLOW)
		return;
	if (!random_state)
		random_state = (uint64_t)(uintptr_t)&random_state | 1;
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	if ((random_state >> 16) % share == 0)
		nanosleep(&(struct timespec){.tv_sec = dawdle_ms / 1000,
					     .tv_nsec = (long)(dawdle_ms % 1000) * 1000000},
			  NULL);
}

int __wrap_mcr_begin(struct mcr_reader *reader, enum mcr_op op, const void *key, size_t len,
		     struct mcr_plan *plan)
{
	const int error = __real_mcr_begin(reader, op, key, len, plan);

	steps_begun = 0;
	if (error == MCR_OK)
		plan_spoil(plan);
	return error;
}

int __wrap_mcr_check(struct mcr_reader *reader, const struct mcr_plan *plan)
{
	const unsigned next = steps_begun++;

	const bool between = plan->op != MCR_OP_GET && next > 0 && next < plan->step_count &&
			     plan->step[next - 1].send != MCR_SEND_READ;

	if (between && between_call)
		between_call(between_context, (enum mcr_phase)plan->phase);
	if (between && planted == PLANT_ORDER)
		nanosleep(&(struct timespec){.tv_nsec = ORDER_PAUSE_NS}, NULL);
	dawdle(plan);
	return planted == PLANT_LATE ? MCR_OK : __real_mcr_check(reader, plan);
}

int __wrap_mcr_end(struct mcr_reader *reader, const struct mcr_plan *plan)
{
	const int end = __real_mcr_end(reader, plan);

	return planted == PLANT_LATE && end == MCR_REPEAT ? MCR_OK : end;
}
