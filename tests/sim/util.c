/* util.c - the world's randomness, its clocks, its queue of events, and what it tells of itself. */
#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t draw(struct world *world)
{
	uint64_t z = (world->random += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint32_t pick(struct world *world, uint32_t count)
{
	return (uint32_t)(((draw(world) >> 32) * count) >> 32);
}

bool chance(struct world *world, uint32_t percent)
{
	return pick(world, 100) < percent;
}

uint64_t local_us(const struct world *world, uint32_t machine)
{
	const struct machine *of = &world->machine[machine];

	return of->base_us + world->now_us * of->rate_ppm / SECOND;
}

uint64_t world_us(const struct world *world, uint32_t machine, uint64_t local)
{
	const struct machine *of = &world->machine[machine];

	return local <= of->base_us ? 0 : (local - of->base_us) * SECOND / of->rate_ppm + 1;
}

/* ---- the queue: a binary heap by time, then by the order in which events were put there ---- */

static bool before(const struct event *a, const struct event *b)
{
	return a->at_us != b->at_us ? a->at_us < b->at_us : a->sequence < b->sequence;
}

void at(struct world *world, uint64_t when_us, enum event_kind kind, uint32_t who, uint32_t what,
	uint32_t stamp, uint32_t extra)
{
	struct event event = {.at_us = when_us > world->now_us ? when_us : world->now_us,
			      .sequence = world->sequence++,
			      .kind = (uint8_t)kind,
			      .who = (uint8_t)who,
			      .what = (uint16_t)what,
			      .stamp = stamp,
			      .extra = extra};
	uint32_t i = world->heap_count++;

	if (i == world->heap_room) {
		world->heap_room = world->heap_room == 0 ? 4096 : world->heap_room * 2;
		world->heap = realloc(world->heap, world->heap_room * sizeof(*world->heap));
		if (world->heap == NULL)
			abort();
	}
	for (; i > 0 && before(&event, &world->heap[(i - 1) / 2]); i = (i - 1) / 2)
		world->heap[i] = world->heap[(i - 1) / 2];
	world->heap[i] = event;
}

bool next_event(struct world *world, struct event *event)
{
	struct event last;
	uint32_t i = 0, child;

	if (world->heap_count == 0)
		return false;
	*event = world->heap[0];
	last = world->heap[--world->heap_count];
	while ((child = 2 * i + 1) < world->heap_count) {
		if (child + 1 < world->heap_count &&
		    before(&world->heap[child + 1], &world->heap[child]))
			child++;
		if (!before(&world->heap[child], &last))
			break;
		world->heap[i] = world->heap[child];
		i = child;
	}
	world->heap[i] = last;
	return true;
}

/* ---- words ---- */

static void say(struct world *world, const char *format, va_list arguments)
{
	printf("%10.4f  ", (double)world->now_us / SECOND);
	vprintf(format, arguments);
	putchar('\n');
}

void trace(struct world *world, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(world, format, arguments);
	va_end(arguments);
}

void violate(struct world *world, const char *format, ...)
{
	va_list arguments;

	if (world->violated)
		return;
	world->violated = true;
	world->over = true;
	va_start(arguments, format);
	(void)vsnprintf(world->violation, sizeof(world->violation), format, arguments);
	va_end(arguments);
	TRACE(world, "VIOLATION: %s", world->violation);
}
