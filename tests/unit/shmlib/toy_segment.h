/* toy_segment.h - a segment written by hand, as docs/segment.md tells it, not by the agent.
 *
 * So the library is tested against the layout, not against its twin.  It is as small as the
 * geometry allows: four servers, 16 slots.  Every field can be spoilt through the mapping.
 */
#ifndef TOY_SEGMENT_H
#define TOY_SEGMENT_H

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hash.h"
#include "internal.h"

#define TOY_SERVERS	 4u
#define TOY_BITS	 4u
#define TOY_SLOTS	 (1u << TOY_BITS)
#define TOY_HEADER_BYTES 448u
#define TOY_SERVERS_AT	 256u
#define TOY_OLD_AT	 (TOY_SERVERS_AT + TOY_SERVERS * 192u)
#define TOY_NEW_AT	 (TOY_OLD_AT + TOY_SLOTS * 2u)
#define TOY_SLOT_BYTES	 1088u
#define TOY_TOTAL_BYTES	 (TOY_HEADER_BYTES + 4u * TOY_SLOT_BYTES)
#define TOY_TIMEOUT_MS	 1000u

_Static_assert(TOY_NEW_AT + TOY_SLOTS * 2u <= TOY_SLOT_BYTES, "a toy slot holds its tables");

struct toy {
	int fd;
	struct mcr_segment_header *header; /* mapped for writing */
	char path[128];			   /* "" for one without a name */
};

static inline struct mcr_segment_slot *toy_slot(struct toy *toy, uint32_t generation)
{
	return (void *)((uint8_t *)toy->header + TOY_HEADER_BYTES +
			(size_t)(generation % 4) * TOY_SLOT_BYTES);
}

static inline uint16_t *toy_table(struct toy *toy, uint32_t generation, uint32_t at)
{
	return (void *)((uint8_t *)toy_slot(toy, generation) + at);
}

/* `name`: a file of that name in /dev/shm, or NULL. */
static inline void toy_make(struct toy *toy, const char *name)
{
	toy->path[0] = '\0';
	if (name != NULL) {
		(void)snprintf(toy->path, sizeof(toy->path), "/dev/shm/%s.%d", name, (int)getpid());
		toy->fd = open(toy->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	} else {
		toy->fd = memfd_create("toy", MFD_CLOEXEC);
	}
	ck_assert_int_ge(toy->fd, 0);
	ck_assert_int_eq(fchmod(toy->fd, 0644), 0);
	ck_assert_int_eq(ftruncate(toy->fd, TOY_TOTAL_BYTES), 0);
	toy->header = mmap(NULL, TOY_TOTAL_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, toy->fd, 0);
	ck_assert_ptr_ne(toy->header, MAP_FAILED);
	memcpy(toy->header->magic, "mcroster", 8);
	toy->header->layout = 2;
	toy->header->header_bytes = TOY_HEADER_BYTES;
	toy->header->slot_bytes = TOY_SLOT_BYTES;
	toy->header->ring = 4;
	toy->header->total_bytes = TOY_TOTAL_BYTES;
	memcpy(toy->header->cluster, "toy", 4);
}

static inline void toy_free(struct toy *toy)
{
	(void)munmap(toy->header, TOY_TOTAL_BYTES);
	(void)close(toy->fd);
	if (toy->path[0] != '\0')
		(void)unlink(toy->path);
}

static inline struct mcr_segment_table toy_slots_at(uint32_t at)
{
	const struct mcr_segment_table table = {
	    .kind = MCR_TABLE_SLOTS,
	    .hash = MCR_HASH_XXH3,
	    .count = TOY_SLOTS,
	    .bits = TOY_BITS,
	    .at = at,
	};

	return table;
}

/* Every key is server 0's before; half of the slots go to server 1. */
static inline void toy_fill(struct toy *toy, uint32_t generation, enum mcr_phase phase,
			    uint32_t flags)
{
	struct mcr_segment_slot *slot = toy_slot(toy, generation);
	struct mcr_segment_server *servers = (void *)((uint8_t *)slot + TOY_SERVERS_AT);

	memset(slot, 0, TOY_SLOT_BYTES);
	slot->generation = generation;
	slot->phase = phase;
	slot->flags = flags;
	slot->op_timeout_ms = TOY_TIMEOUT_MS;
	slot->server_count = TOY_SERVERS;
	slot->server_stride = 192;
	slot->servers_at = TOY_SERVERS_AT;
	slot->old_table = toy_slots_at(TOY_OLD_AT);
	slot->new_table = toy_slots_at(TOY_NEW_AT);
	slot->epoch = 41;
	slot->next_epoch = phase == MCR_STEADY ? 0 : 42;
	memset(slot->list_hash, 0xaa, 32);
	memset(slot->next_hash, phase == MCR_STEADY ? 0 : 0xbb, 32);
	slot->used_bytes = TOY_SLOT_BYTES;
	for (uint32_t i = 0; i < TOY_SERVERS; i++) {
		(void)snprintf((char *)servers[i].name, 64, "cache%02u", i);
		(void)snprintf((char *)servers[i].address, 112, "10.0.0.%u:11211", i + 1);
		servers[i].id = 1000 + i;
		servers[i].weight = 100 + i;
		servers[i].flags = i == 1 ? MCR_SERVER_NEW : MCR_SERVER_OLD | MCR_SERVER_NEW;
	}
	for (uint32_t i = 0; i < TOY_SLOTS; i++)
		toy_table(toy, generation, TOY_NEW_AT)[i] =
		    phase == MCR_STEADY ? 0 : (uint16_t)(i & 1);
}

/* Makes the filled slot the current one; plans of the one before retire at `retire_ns`. */
static inline void toy_release(struct toy *toy, uint32_t generation, uint64_t retire_ns)
{
	toy->header->turn[generation % 4].published_ns = generation * UINT64_C(1000);
	toy->header->turn[generation % 4].retire_ns = retire_ns;
	__atomic_store_n(&toy->header->generation, generation, __ATOMIC_RELEASE);
}

static inline void toy_publish(struct toy *toy, uint32_t generation, enum mcr_phase phase)
{
	toy_fill(toy, generation, phase, 0);
	toy_release(toy, generation, UINT64_MAX);
}

static inline uint64_t toy_hours_ahead_ns(uint64_t hours)
{
	return mcr_clock_boot_ns() + hours * UINT64_C(3600000000000);
}

/* A key whose slot is odd (it moves) or even (it stays). */
static inline size_t toy_key(char key[32], bool moves)
{
	for (unsigned i = 0;; i++) {
		const int chars = snprintf(key, 32, "key:%u", i);

		if (((mcr_hash(key, (size_t)chars) >> (64 - TOY_BITS)) & 1) == moves)
			return (size_t)chars;
	}
}

static inline int toy_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
