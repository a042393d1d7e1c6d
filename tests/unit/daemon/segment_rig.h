/* segment_rig.h - a segment of its own in /dev/shm for each test, a change made by hand, a client.
 */
#ifndef SEGMENT_RIG_H
#define SEGMENT_RIG_H

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/segment.h"
#include "daemon/segment_image.h"
#include "mcroster.h"
#include "mcroster_segment.h"

#define NOW_NS UINT64_C(5000000000000)
#define MS_NS  UINT64_C(1000000)

/* Of a segment whose slots were never too small. */
#define SEGMENT_TOTAL_BYTES (SEGMENT_HEADER_BYTES + 4 * SEGMENT_SLOT_BYTES_MIN)

/* ---- a change, by hand */

#define SERVERS 5u
#define SLOTS	1024u

static struct change_server servers[SERVERS];
static uint16_t old_owner[SLOTS], new_owner[SLOTS];
static struct change change;

/* Servers 0 to 3 before, 1 to 4 after; all that 0 had goes to 4. */
static inline void change_make(void)
{
	memset(servers, 0, sizeof(servers));
	memset(&change, 0, sizeof(change));
	for (uint32_t i = 0; i < SERVERS; i++) {
		(void)snprintf(servers[i].name, sizeof(servers[i].name), "cache%02u", i);
		(void)snprintf(servers[i].address, sizeof(servers[i].address), "10.0.0.%u:11211",
			       i + 1);
		servers[i].weight = 100 + i;
		servers[i].in_old = i < 4;
		servers[i].in_new = i > 0;
	}
	for (uint32_t i = 0; i < SLOTS; i++) {
		old_owner[i] = (uint16_t)(i % 4);
		new_owner[i] = old_owner[i] == 0 ? 4 : old_owner[i];
	}
	change.old_epoch = 41;
	change.new_epoch = 42;
	memset(change.old_hash, 0xaa, sizeof(change.old_hash));
	memset(change.new_hash, 0xbb, sizeof(change.new_hash));
	change.parts = SLOTS;
	change.in_slots = true;
	change.server_count = SERVERS;
	change.servers = servers;
	change.old_table = table_of_slots(old_owner, SLOTS);
	change.new_table = table_of_slots(new_owner, SLOTS);
	change.op_timeout_ms = 1000;
}

/* ---- the segment under test */

static char name[64], path[96], lock_path[104];
static struct segment *segment;
static struct failure failure;

static inline void setup(void)
{
	(void)snprintf(name, sizeof(name), "/mcroster.segtest.%d", (int)getpid());
	(void)snprintf(path, sizeof(path), "/dev/shm%s", name);
	(void)snprintf(lock_path, sizeof(lock_path), "%s.lock", path);
	change_make();
	segment = NULL;
	failure.text[0] = '\0';
}

static inline void teardown(void)
{
	segment_close(segment);
	(void)unlink(path);
	(void)unlink(lock_path);
}

static inline void open_segment(void)
{
	ck_assert_msg(segment_open(name, "web", &segment, &failure) == 0, "%s", failure.text);
}

static inline uint32_t publish(enum mcr_phase phase)
{
	const struct segment_view view = {.change = &change, .phase = (uint8_t)phase};
	uint32_t generation = 0;

	ck_assert_msg(segment_publish(segment, &view, NOW_NS, &generation, &failure) == 0, "%s",
		      failure.text);
	return generation;
}

struct client {
	struct mcr *mcr;
	struct mcr_reader *reader;
};

static inline struct client client_open(void)
{
	struct client client;
	const int error = mcr_open(name, 0, &client.mcr);

	ck_assert_msg(error == MCR_OK, "%s", mcr_strerror(error));
	ck_assert_int_eq(mcr_reader_new(client.mcr, &client.reader), MCR_OK);
	return client;
}

static inline void client_close(struct client *client)
{
	mcr_reader_free(client->reader);
	mcr_close(client->mcr);
}

/* The object as anybody sees it, without any of our headers. */
static inline uint8_t *bytes_map(void)
{
	const int fd = open(path, O_RDWR);
	void *map;

	ck_assert_int_ge(fd, 0);
	map = mmap(NULL, SEGMENT_TOTAL_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(map, MAP_FAILED);
	(void)close(fd);
	return map;
}

static inline void bytes_unmap(uint8_t *bytes)
{
	(void)munmap(bytes, SEGMENT_TOTAL_BYTES);
}

static inline uint32_t u32_at(const uint8_t *bytes, size_t at)
{
	uint32_t value;

	memcpy(&value, bytes + at, sizeof(value));
	return value;
}

static inline uint64_t u64_at(const uint8_t *bytes, size_t at)
{
	uint64_t value;

	memcpy(&value, bytes + at, sizeof(value));
	return value;
}

/* A good one that nobody writes in. */
static inline uint8_t *leave_one(void)
{
	open_segment();
	publish(MCR_STEADY);
	segment_close(segment);
	segment = NULL;
	return bytes_map();
}

static inline int suite_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
