/* states.c - a program: the proxy's module in several Lua states, each in a thread of its own,
 * while the list changes; for ThreadSanitizer.
 *
 *   states WORKER.lua
 *
 * As in a proxy: one thread configures, the others are workers, and what they share is a memfd. The
 * main thread publishes, server lists that differ, until each of the others has had its turns.  A
 * race between two mappings of one object is not seen, so all states are given one mapping of the
 * memfd; the segment itself has tests/torn/race.c.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "daemon/segment.h"
#include "daemon/segment_file.h"
#include "mcroster.h"
#include "proxy_abi.h"

#define STATES	5u /* the first one configures */
#define TURNS	150u
#define SERVERS 4u
#define SLOTS	1024u

int luaopen_mcroster_core(lua_State *L);
void *__real_mmap64(void *at, size_t len, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *at, size_t len, int protection, int flags, int fd, off_t offset);
int __real_munmap(void *at, size_t len);
int __wrap_munmap(void *at, size_t len);

static const char *worker_path;
static char segment_name[64];
static int memfd = -1; /* of the state that configures; the workers wait for it */
static unsigned turns[STATES];
static bool failed;

/* ---- one mapping of the memfd ---- */

static pthread_mutex_t mapping_lock = PTHREAD_MUTEX_INITIALIZER;
static void *mapping;
static size_t mapping_bytes;

void *__wrap_mmap64(void *at, size_t len, int protection, int flags, int fd, off_t offset)
{
	void *mapped;
	char name[64], target[64] = "";

	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	if (fd < 0 || readlink(name, target, sizeof(target) - 1) < 0 ||
	    strstr(target, "memfd:mcroster-proxy") == NULL)
		return __real_mmap64(at, len, protection, flags, fd, offset);
	(void)pthread_mutex_lock(&mapping_lock);
	if (mapping == NULL) {
		mapping = __real_mmap64(at, len, protection, flags, fd, offset);
		mapping_bytes = len;
	}
	mapped = mapping;
	(void)pthread_mutex_unlock(&mapping_lock);
	return mapped;
}

int __wrap_munmap(void *at, size_t len)
{
	return at == mapping ? 0 : __real_munmap(at, len);
}

/* ---- what a worker's chunk calls ---- */

/* select(hash, caller, key) -> which backend, from 0: as a proxy asks */
static int host_select(lua_State *L)
{
	const struct proxy_hash_func *hash = lua_touserdata(L, 1);
	const struct proxy_hash_caller *caller = lua_touserdata(L, 2);
	size_t len;
	const char *key = luaL_checklstring(L, 3, &len);

	lua_pushinteger(L, caller->selector_func(hash->func(key, len, 0), caller->ctx));
	return 1;
}

static bool ended(void)
{
	bool all = true;

	for (unsigned i = 0; i < STATES; i++)
		all &= __atomic_load_n(&turns[i], __ATOMIC_RELAXED) >= TURNS;
	return all || __atomic_load_n(&failed, __ATOMIC_RELAXED);
}

/* turn(state) -> whether there is another one */
static int host_turn(lua_State *L)
{
	(void)__atomic_add_fetch(&turns[luaL_checkinteger(L, 1)], 1, __ATOMIC_RELAXED);
	lua_pushboolean(L, !ended());
	return 1;
}

/* memfd([descriptor]) -> the descriptor, when the state that configures has said it.  A proxy hands
 * it over under a lock, and so it is ordered here. */
static int host_memfd(lua_State *L)
{
	if (lua_isinteger(L, 1))
		__atomic_store_n(&memfd, (int)lua_tointeger(L, 1), __ATOMIC_RELEASE);
	lua_pushinteger(L, __atomic_load_n(&memfd, __ATOMIC_ACQUIRE));
	return 1;
}

static void *state_run(void *argument)
{
	const unsigned number = *(const unsigned *)argument;
	lua_State *L = luaL_newstate();

	luaL_openlibs(L);
	luaL_requiref(L, "mcroster.core", luaopen_mcroster_core, 0);
	lua_register(L, "select_backend", host_select);
	lua_register(L, "turn", host_turn);
	lua_register(L, "memfd", host_memfd);
	if (luaL_loadfile(L, worker_path) == LUA_OK) {
		lua_pushinteger(L, number);
		lua_pushstring(L, segment_name);
	}
	if (lua_gettop(L) != 4 || lua_pcall(L, 2, 0, 0) != LUA_OK) {
		(void)fprintf(stderr, "FAILED: state %u: %s\n", number, lua_tostring(L, -1));
		__atomic_store_n(&failed, true, __ATOMIC_RELAXED);
	}
	return L;
}

/* ---- the agent's side ---- */

static int publish(struct segment *segment, uint32_t number)
{
	static const uint8_t phases[] = {MCR_PREPARE, MCR_COPY,	 MCR_SWITCH,
					 MCR_SETTLE,  MCR_DRAIN, MCR_STEADY};
	static struct change_server servers[SERVERS];
	static uint16_t before[SLOTS], after[SLOTS];
	const uint32_t round = number / 6;
	struct change change = {.old_epoch = round + 1,
				.new_epoch = round + 2,
				.server_count = SERVERS,
				.parts = SLOTS,
				.in_slots = true,
				.servers = servers,
				.old_table = table_of_slots(before, SLOTS),
				.new_table = table_of_slots(after, SLOTS),
				.op_timeout_ms = 1000};
	const struct segment_view view = {.change = &change,
					  .phase = phases[number % 6],
					  .new_only = phases[number % 6] == MCR_STEADY};
	uint32_t generation;

	/* One server joins that was never there before. */
	for (uint32_t i = 0; i < SERVERS; i++) {
		servers[i].in_old = i + 1 < SERVERS;
		servers[i].in_new = true;
		(void)snprintf(servers[i].name, sizeof(servers[i].name), "s%u",
			       i + 1 < SERVERS ? i : round + SERVERS);
		(void)snprintf(servers[i].address, sizeof(servers[i].address), "127.0.0.1:%u",
			       1000 + (i + 1 < SERVERS ? i : round + SERVERS));
	}
	for (uint32_t i = 0; i < SLOTS; i++) {
		before[i] = (uint16_t)(i % (SERVERS - 1));
		after[i] = (uint16_t)(i % SERVERS);
	}
	return segment_publish(segment, &view, 1, &generation, NULL);
}

int main(int argc, char **argv)
{
	static unsigned numbers[STATES];
	pthread_t threads[STATES];
	void *states[STATES];
	char path[SEGMENT_PATH_BYTES];
	struct segment *segment;
	uint32_t number = 0;

	if (argc != 2)
		return 2;
	worker_path = argv[1];
	(void)snprintf(segment_name, sizeof(segment_name), "/mcroster.states.%d", (int)getpid());
	if (segment_file_path(segment_name, path, NULL) != 0 ||
	    segment_open(segment_name, "web", &segment, NULL) != 0)
		return 2;
	segment_lease(segment, UINT64_MAX);
	bool bad = publish(segment, number) != 0;
	for (unsigned i = 0; i < STATES; i++) {
		numbers[i] = i;
		if (pthread_create(&threads[i], NULL, state_run, &numbers[i]) != 0)
			abort();
	}
	while (!bad && !ended()) {
		bad = publish(segment, ++number) != 0;
		segment_heartbeat(segment);
		(void)usleep(200);
	}
	if (bad)
		__atomic_store_n(&failed, true, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < STATES; i++)
		(void)pthread_join(threads[i], &states[i]);
	for (unsigned i = 0; i < STATES; i++)
		lua_close(states[i]);
	segment_close(segment);
	(void)unlink(path);
	if (mapping != NULL)
		(void)__real_munmap(mapping, mapping_bytes);
	(void)printf("%u states, %u generations\n", STATES, number + 1);
	return __atomic_load_n(&failed, __ATOMIC_RELAXED) ? 1 : 0;
}
