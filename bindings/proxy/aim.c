/* aim.c - which backend a request goes to: the one its plan names.
 *
 * A proxy asks a pool's hash and selector where a request goes, and shows them its key alone.  But
 * the key does not say which step of a plan is being carried out, nor by which generation.  So the
 * route takes aim right before it hands the request over, and the hash takes that aim away again.
 * Between the two runs nothing else of the thread: the request is dispatched where the route
 * yields. The aim is the one thing kept between two calls; it is the thread's own, as the state is.
 *
 * A request without an aim, of some other route, goes to the pool's last backend, which leads
 * nowhere.
 */
#include "module.h"
#include "proxy_abi.h"

static _Thread_local uint64_t aim = BACKEND_UNKNOWN;

void aim_set(uint32_t backend)
{
	aim = backend;
}

static uint64_t aim_take(const void *key, size_t len, uint64_t seed)
{
	uint64_t taken = aim;

	(void)key;
	(void)len;
	(void)seed;
	aim = BACKEND_UNKNOWN;
	return taken;
}

struct pool {
	struct proxy_hash_caller caller;
	uint32_t last;
};

static uint32_t pool_select(uint64_t hash, void *ctx)
{
	const struct pool *pool = ctx;

	return hash < pool->last ? (uint32_t)hash : pool->last;
}

/* dist.new(backends, options) */
static int pool_new(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_Unsigned count = lua_rawlen(L, 1);

	luaL_argcheck(L, count > 0 && count < BACKEND_UNKNOWN, 1,
		      "a pool has at least one backend");
	struct pool *pool = lua_newuserdatauv(L, sizeof(*pool), 0);
	*pool = (struct pool){.caller = {.selector_func = pool_select, .ctx = pool},
			      .last = (uint32_t)count - 1};
	lua_pushlightuserdata(L, &pool->caller);
	return 2;
}

void aim_fields(lua_State *L)
{
	static const struct proxy_hash_func hash = {aim_take};

	lua_pushlightuserdata(L, (void *)(uintptr_t)&hash);
	lua_setfield(L, -2, "hash");
	lua_createtable(L, 0, 1);
	lua_pushcfunction(L, pool_new);
	lua_setfield(L, -2, "new");
	lua_setfield(L, -2, "dist");
}
