/* shared.c - what the Lua states of one process share, in a memfd that each maps.
 *
 * Two things:
 *  - Which server gave which cas token.  A client has only the number, and the same number may be
 *    given by another server to another value of the key; so a token counts only at the server that
 *    gave it (mcroster.h).  A table of one word a token remembers the last ones: whoever is pushed
 *    out, or was never in, holds nowhere, and his cas is answered EXISTS.
 *  - What the process last reported as its epoch, phase and generation.  A proxy's statistics only
 *    count, each worker for itself; so one that notices something new adds the difference.
 * All of it is read and written with relaxed atomics: each word stands for itself.
 */
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hash.h"
#include "module.h"

#define TOKENS	  65536u
#define REPORTS	  3u
#define SHARED_ID UINT64_C(0x3165726168536372)

struct shared {
	uint64_t id;
	_Atomic uint64_t reported[REPORTS];
	_Atomic uint64_t token[TOKENS]; /* a hash of key, number and server */
};

struct shared_object {
	struct shared *shared;
	int fd; /* -1 in a worker: the state that configures keeps it */
};

/* One place for a key's number, whichever server gave it: the last one who did is remembered. */
static uint64_t token_word(const void *key, size_t len, uint64_t cas, uint64_t server,
			   uint32_t *place)
{
	const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);

	*place = (uint32_t)(XXH3_64bits_withSeed(key, len, cas) % TOKENS);
	return XXH3_64bits_withSeed(key, len, cas * odd ^ server);
}

void shared_token_put(struct shared *shared, const void *key, size_t len, uint64_t cas,
		      uint64_t server)
{
	uint32_t place;
	uint64_t word = token_word(key, len, cas, server, &place);

	atomic_store_explicit(&shared->token[place], word, memory_order_relaxed);
}

bool shared_token_is(struct shared *shared, const void *key, size_t len, uint64_t cas,
		     uint64_t server)
{
	uint32_t place;
	uint64_t word = token_word(key, len, cas, server, &place);

	return atomic_load_explicit(&shared->token[place], memory_order_relaxed) == word;
}

static struct shared *shared_map(int fd)
{
	struct shared *shared =
	    mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return shared == MAP_FAILED ? NULL : shared;
}

static struct shared_object *object_new(lua_State *L)
{
	struct shared_object *object = lua_newuserdatauv(L, sizeof(*object), 0);

	*object = (struct shared_object){.fd = -1};
	luaL_setmetatable(L, TYPE_SHARED);
	return object;
}

int shared_new(lua_State *L)
{
	struct shared_object *object = object_new(L);

	object->fd = memfd_create("mcroster-proxy", MFD_CLOEXEC);
	if (object->fd < 0 || ftruncate(object->fd, sizeof(struct shared)) ||
	    !(object->shared = shared_map(object->fd)))
		return push_failure(L, MCR_SYSTEM);
	object->shared->id = SHARED_ID;
	return 1;
}

int shared_of(lua_State *L)
{
	int fd = (int)luaL_checkinteger(L, 1);
	struct shared_object *object = object_new(L);
	struct stat is;

	if (fstat(fd, &is) || is.st_size != sizeof(struct shared) ||
	    !(object->shared = shared_map(fd)))
		return push_failure(L, MCR_SYSTEM);
	luaL_argcheck(L, object->shared->id == SHARED_ID, 1, "the descriptor is another one");
	return 1;
}

struct shared *shared_get(lua_State *L, int arg)
{
	const struct shared_object *object = luaL_testudata(L, arg, TYPE_SHARED);

	return object ? object->shared : NULL;
}

static int shared_descriptor(lua_State *L)
{
	const struct shared_object *object = luaL_checkudata(L, 1, TYPE_SHARED);

	lua_pushinteger(L, object->fd);
	return 1;
}

/* shared:report(number, value) -> how much to add to what the process has reported. */
static int shared_report(lua_State *L)
{
	const struct shared_object *object = luaL_checkudata(L, 1, TYPE_SHARED);
	lua_Integer number = luaL_checkinteger(L, 2);
	uint64_t value = (uint64_t)luaL_checkinteger(L, 3);

	luaL_argcheck(L, object->shared && number >= 1 && number <= REPORTS, 2, "no such report");
	uint64_t before = atomic_exchange_explicit(&object->shared->reported[number - 1], value,
						   memory_order_relaxed);
	lua_pushinteger(L, (lua_Integer)(value - before));
	return 1;
}

static int shared_gc(lua_State *L)
{
	struct shared_object *object = luaL_checkudata(L, 1, TYPE_SHARED);

	if (object->shared)
		munmap(object->shared, sizeof(*object->shared));
	if (object->fd >= 0)
		close(object->fd);
	*object = (struct shared_object){.fd = -1};
	return 0;
}

void shared_type(lua_State *L)
{
	static const luaL_Reg methods[] = {{"descriptor", shared_descriptor},
					   {"report", shared_report},
					   {"__gc", shared_gc},
					   {NULL, NULL}};

	luaL_newmetatable(L, TYPE_SHARED);
	luaL_setfuncs(L, methods, 0);
	lua_pushvalue(L, -1);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
}
