/* fuzz_segment.c - a hostile segment, attached and read through the whole API.
 *
 * The input is a list of patches, each an offset (2 bytes), a length (1 byte) and that many bytes,
 * laid over a small valid segment.  A patch of length 255 ends the list: what follows is applied
 * only after the segment was attached and plans were made, as a hostile writer would.  An input
 * that begins with 255 gives the object another size by its second byte.
 *
 * Whatever it says: no crash, no step, owner or server out of range, no bound outside the mapping.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "atomics.h"
#include "internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SERVERS	     4u
#define BITS	     4u
#define POINTS	     7u
#define INDEX_BITS   3u
#define TABLES_AT    (sizeof(struct mcr_segment_slot) + SERVERS * sizeof(struct mcr_segment_server))
#define HEADER_BYTES 448u
#define SLOT_BYTES   1536u
#define TOTAL_BYTES  (HEADER_BYTES + 4u * SLOT_BYTES)
#define LAST_PATCH   255u

static void must(bool condition)
{
	if (!condition)
		abort();
}

/* By generation % 4: jump, modulo, slots, a ring. */
static const struct mcr_segment_table tables[4] = {
    {.kind = MCR_TABLE_JUMP, .hash = MCR_HASH_XXH3, .count = 9, .at = TABLES_AT},
    {.kind = MCR_TABLE_MODULO, .hash = MCR_HASH_ONE_AT_A_TIME, .count = 11, .at = TABLES_AT},
    {.kind = MCR_TABLE_SLOTS,
     .hash = MCR_HASH_XXH3,
     .count = 1u << BITS,
     .bits = BITS,
     .at = TABLES_AT},
    {.kind = MCR_TABLE_RING,
     .hash = MCR_HASH_MD5,
     .count = POINTS,
     .bits = INDEX_BITS,
     .at = TABLES_AT + 64,
     .index_at = TABLES_AT + 128},
};

static void slot_make(uint8_t *image, uint32_t generation, enum mcr_phase phase, uint32_t flags,
		      bool slots_alone)
{
	uint8_t *bytes = image + HEADER_BYTES + (generation % 4) * SLOT_BYTES;
	struct mcr_segment_slot slot = {
	    .generation = generation,
	    .phase = phase,
	    .flags = flags,
	    .op_timeout_ms = 1000,
	    .server_count = SERVERS,
	    .server_stride = sizeof(struct mcr_segment_server),
	    .servers_at = sizeof(slot),
	    .epoch = 41,
	    .next_epoch = 42,
	    .used_bytes = SLOT_BYTES,
	};

	slot.old_table = tables[generation % 4];
	slot.new_table = tables[slots_alone ? generation % 4 : (generation + 1) % 4];
	memcpy(bytes, &slot, sizeof(slot));
	for (uint32_t i = 0; i < SERVERS; i++)
		memcpy(bytes + slot.servers_at + i * slot.server_stride, "cache", 5);
	for (uint32_t i = 0; i < 1u << BITS; i++) {
		const uint16_t owner = (uint16_t)(i % SERVERS);

		memcpy(bytes + TABLES_AT + 2 * i, &owner, sizeof(owner));
	}
	for (uint32_t i = 0; i <= POINTS; i++) {
		const uint64_t point =
		    (uint64_t)(i < POINTS ? (i + 1) << 29 : UINT32_MAX) << 32 | i % SERVERS;

		memcpy(bytes + TABLES_AT + 64 + 8 * i, &point, sizeof(point));
	}
	for (uint32_t i = 0; i <= 1u << INDEX_BITS; i++) {
		const uint32_t below = i == 0 ? 0 : i - 1;

		memcpy(bytes + TABLES_AT + 128 + 4 * i, &below, sizeof(below));
	}
}

/* Generation 6 is current, in COPY, of slots alone; the others, of each other kind beside the next
 * one, stand ready for a patch of the generation. */
static void image_make(uint8_t image[TOTAL_BYTES])
{
	struct mcr_segment_header header = {
	    .magic = MCR_SEGMENT_MAGIC,
	    .layout = MCR_SEGMENT_LAYOUT,
	    .header_bytes = HEADER_BYTES,
	    .slot_bytes = SLOT_BYTES,
	    .ring = MCR_SEGMENT_RING,
	    .total_bytes = TOTAL_BYTES,
	    .lease_deadline_ns = UINT64_MAX,
	    .generation = 6,
	};

	memset(image, 0, TOTAL_BYTES);
	memcpy(image, &header, sizeof(header));
	slot_make(image, 5, MCR_STEADY, 0, false);
	slot_make(image, 6, MCR_COPY, 0, true);
	slot_make(image, 7, MCR_SWITCH, MCR_SLOT_BYPASS, false);
	slot_make(image, 8, MCR_DRAIN, 0, false);
}

/* Applies patches up to a LAST_PATCH.  Returns what is left of the input. */
static size_t patches_apply(uint8_t *image, const uint8_t **data, size_t size)
{
	while (size >= 3) {
		const size_t at = (size_t)((*data)[0] | (*data)[1] << 8) % TOTAL_BYTES;
		size_t length = (*data)[2];
		const bool last = length == LAST_PATCH;

		*data += 3;
		size -= 3;
		if (last)
			return size;
		if (length > size)
			length = size;
		if (length > TOTAL_BYTES - at)
			length = TOTAL_BYTES - at;
		memcpy(image + at, *data, length);
		*data += length;
		size -= length;
	}
	return 0;
}

static bool lies_within(const struct mcr *mcr, const void *at, uint64_t bytes)
{
	const uint8_t *begin = (const uint8_t *)mcr->header, *end = begin + mcr->map_bytes;
	const uint8_t *from = at;

	return from >= begin && from <= end && bytes <= (uint64_t)(end - from);
}

static void table_read(const struct mcr *mcr, const struct table *table)
{
	must(table->count > 0);
	if (table->kind == MCR_TABLE_RING) {
		must(lies_within(mcr, table->point, (table->count + UINT64_C(1)) * 8));
		must(lies_within(mcr, table->index, ((UINT64_C(1) << table->bits) + 1) * 4));
	} else {
		must(lies_within(mcr, table->owner, table->count * UINT64_C(2)));
		must(table->kind != MCR_TABLE_SLOTS || table->count == 1u << table->bits);
	}
}

static void view_read(const struct mcr *mcr)
{
	struct view view;

	if (mcr_view_newest(mcr, &view) != MCR_OK)
		return;
	must(view.phase < MCR_PHASE_COUNT && view.server_count > 0 &&
	     view.prefix_bytes < sizeof(view.prefix));
	must(lies_within(mcr, view.servers, (uint64_t)view.server_count * view.server_stride));
	table_read(mcr, &view.old_table);
	table_read(mcr, &view.new_table);
	must(view.slots_alone ==
	     (view.old_table.kind == MCR_TABLE_SLOTS && view.new_table.kind == MCR_TABLE_SLOTS));
}

static void server_read(struct mcr_reader *reader, const struct mcr_plan *plan, uint32_t number)
{
	struct mcr_server server;

	/* Nothing is published in between, so a number that was given is known. */
	must(mcr_server(reader, plan, number, &server) == MCR_OK);
	must(strlen(server.name) <= MCR_NAME_MAX && strlen(server.address) <= MCR_ADDRESS_MAX);
}

static void plans_read(struct mcr_reader *reader, struct mcr_plan *last)
{
	static const char key[MCR_KEY_MAX + 1] = "cache:key";

	/* Where a hash goes another way, and both bounds. */
	static const size_t lens[] = {9, 0, 1, 3, 4, 8, 16, 17, 128, 129, 240, 241, 250, 251};

	for (unsigned op = 0; op < MCR_OP_COUNT; op++)
		for (size_t at = op; at < sizeof(lens) / sizeof(lens[0]); at += MCR_OP_COUNT) {
			const size_t len = lens[at];
			struct mcr_plan plan;
			uint32_t before, after;
			int error = mcr_begin(reader, (enum mcr_op)op, key, len, &plan);

			must(error <= MCR_OK);
			if (error != MCR_OK)
				continue;
			must(plan.step_count >= 1 && plan.step_count <= MCR_STEPS_MAX);
			for (unsigned i = 0; i < plan.step_count; i++)
				server_read(reader, &plan, plan.step[i].server);
			server_read(reader, &plan, plan.owner);
			error = mcr_check(reader, &plan);
			must(error == MCR_OK || error == MCR_LATE);
			must(mcr_end(reader, &plan) >= MCR_OK);
			must(mcr_owner(reader, key, len, &before, &after) == MCR_OK);
			server_read(reader, NULL, before);
			server_read(reader, NULL, after);
			*last = plan;
		}
}

static void all_read(struct mcr *mcr, struct mcr_reader *reader, struct mcr_plan *last)
{
	struct mcr_server servers[8], server;
	struct mcr_info info;
	int error;

	/* A plan from before the second patches. */
	error = mcr_check(reader, last);
	must(error == MCR_OK || error == MCR_LATE);
	must(mcr_end(reader, last) >= MCR_OK);
	(void)mcr_server(reader, last, last->step[0].server, &server);
	view_read(mcr);
	plans_read(reader, last);
	error = mcr_info(mcr, &info);
	must(error <= MCR_OK);
	if (error == MCR_OK)
		must(info.phase < MCR_PHASE_COUNT && info.server_count <= MCR_SEGMENT_SERVERS_MAX);
	error = mcr_servers(reader, &info, servers, 8);
	must(error <= (int)MCR_SEGMENT_SERVERS_MAX);
	for (int i = 0; i < error && i < 8; i++)
		must(strlen(servers[i].name) <= MCR_NAME_MAX);
	(void)mcr_wait(mcr, 6, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	uint8_t image[TOTAL_BYTES];
	struct mcr_plan last = {.step_count = 0};
	struct mcr_reader *reader;
	struct mcr *mcr;
	size_t object_bytes = TOTAL_BYTES;

	if (fd < 0)
		fd = memfd_create("segment", MFD_CLOEXEC);
	must(fd >= 0);
	image_make(image);
	if (size >= 2 && data[0] == LAST_PATCH) {
		object_bytes = TOTAL_BYTES * (size_t)data[1] / 128;
		data += 2;
		size -= 2;
	}
	size = patches_apply(image, &data, size);
	must(ftruncate(fd, 0) == 0 && ftruncate(fd, TOTAL_BYTES) == 0);
	must(pwrite(fd, image, TOTAL_BYTES, 0) == (ssize_t)TOTAL_BYTES);
	must(ftruncate(fd, (off_t)object_bytes) == 0);
	if (mcr_attach_fd(fd, (size % 2 == 0 ? 0 : MCR_STRICT) | (size % 8 < 6 ? MCR_OBSERVE : 0),
			  &mcr) != MCR_OK)
		return 0;
	must(mcr->map_bytes == object_bytes);
	must(mcr_reader_new(mcr, &reader) == MCR_OK);
	all_read(mcr, reader, &last);
	if (size > 0) {
		(void)patches_apply(image, &data, size);
		must(pwrite(fd, image, TOTAL_BYTES, 0) == (ssize_t)TOTAL_BYTES);
		all_read(mcr, reader, &last);
	}
	mcr_reader_free(reader);
	mcr_close(mcr);
	return 0;
}
