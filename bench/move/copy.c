/* copy.c - see copy.h. */
#include "move/copy.h"

#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "move/wire.h"

#define BATCH_KEYS  2000u
#define BATCH_BYTES (4u << 20) /* large values: as many as this holds */

struct keys {
	uint8_t *bytes; /* length, key, length, key... */
	size_t used, capacity;
};

static void keys_read(const char *source, struct keys *keys)
{
	struct mc_dump_line line;
	struct mc_reply reply;
	struct wire wire;

	wire_open(&wire, source);
	wire_send(&wire, "lru_crawler metadump hash\r\n", 27);
	while ((reply = wire_reply(&wire)).code == MC_LINE) {
		if (mc_dump_line_parse(reply.text, reply.text_bytes, &line) < 0)
			bench_end("%s: a line of its dump is no key", source);
		if (keys->used + 1 + line.key_bytes > keys->capacity)
			bench_end("%s: its dump has more keys than were stored", source);
		keys->bytes[keys->used] = (uint8_t)line.key_bytes;
		memcpy(keys->bytes + keys->used + 1, line.key, line.key_bytes);
		keys->used += 1 + line.key_bytes;
	}
	if (reply.code != MC_END)
		bench_end("%s does not dump its keys", source);
	wire_close(&wire);
}

/* One batch: asked for at the source, then stored.  While one is stored the source works on the
 * next. */
struct batch {
	size_t count;
	struct mc_key wire[BATCH_KEYS];
};

static void batch_ask(struct batch *batch, struct wire *source, const struct keys *keys, size_t *at,
		      size_t most, char *commands)
{
	size_t used = 0;

	for (batch->count = 0; batch->count < most && *at < keys->used; batch->count++) {
		struct mc_key *wire = &batch->wire[batch->count];

		(void)mc_key_write(keys->bytes + *at + 1, keys->bytes[*at], wire);
		*at += 1u + keys->bytes[*at];
		used += mc_write_get_value(commands + used, wire);
	}
	wire_send(source, commands, used);
	source->due += batch->count;
}

static void batch_store(const struct batch *batch, struct wire *source, struct wire *destination,
			char *commands)
{
	size_t used = 0;

	for (size_t i = 0; i < batch->count; i++) {
		struct mc_reply reply = wire_reply(source);

		if (reply.code != MC_VA)
			continue;
		used += mc_write_set(commands + used, &batch->wire[i], reply.value_bytes, 0,
				     reply.client_flags, reply.ttl > 0 ? reply.ttl : 0);
		commands[used - 3] = 'q'; /* no answer, in place of the CAS */
		memcpy(commands + used, reply.value, reply.value_bytes);
		memcpy(commands + used + reply.value_bytes, "\r\n", 2);
		used += reply.value_bytes + 2;
	}
	wire_send(destination, commands, used);
}

double copy_unsafe(const char *source_address, const char *destination_address, uint64_t count,
		   size_t value_bytes, double *dump_s)
{
	struct keys keys = {.capacity = count * (1 + WIRE_KEY_BYTES)};
	size_t most = BATCH_BYTES / (value_bytes + 1), at = 0;
	struct batch *batches = bench_alloc(2, sizeof(*batches));
	struct wire source, destination;
	unsigned turn = 0;
	char *commands;
	uint64_t began;

	if (most > BATCH_KEYS)
		most = BATCH_KEYS;
	keys.bytes = bench_alloc(keys.capacity, 1);
	commands = bench_alloc(most, value_bytes + MC_COMMAND_MAX);
	began = bench_boot_ns();
	keys_read(source_address, &keys);
	*dump_s = (double)(bench_boot_ns() - began) / 1e9;
	wire_open(&source, source_address);
	wire_open(&destination, destination_address);
	batch_ask(&batches[0], &source, &keys, &at, most, commands);
	for (; batches[turn].count > 0; turn ^= 1) {
		batch_ask(&batches[turn ^ 1], &source, &keys, &at, most, commands);
		batch_store(&batches[turn], &source, &destination, commands);
	}
	wire_send(&destination, "mn\r\n", 4);
	if (wire_reply(&destination).code != MC_MN)
		bench_end("the unsafe copy: an item was refused");
	began = bench_boot_ns() - began;
	wire_close(&source);
	wire_close(&destination);
	free(keys.bytes);
	free(commands);
	free(batches);
	return (double)began / 1e9;
}
