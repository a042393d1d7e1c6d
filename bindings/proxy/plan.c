/* plan.c - plans as Lua objects, and the map from servers to a pool's backends.
 *
 * A plan object is made once for each of a route's request contexts and used again for one
 * operation after the other: an operation makes no garbage.  `finish` says mcr_end; a plan that a
 * route leaves open, by an error of its own, is ended when it is closed, begun again or collected.
 */
#include <stdlib.h>
#include <string.h>

#include "module.h"

struct plan {
	struct roster *roster; /* kept alive by the object's user values, as are the others */
	const struct map *map;
	struct shared *shared; /* NULL: no cas */
	struct mcr_plan plan;
	uint64_t server[MCR_STEPS_MAX];
	uint32_t backend[MCR_STEPS_MAX];
	uint64_t owner;
	bool open;
};

/* ---- the map ---- */

uint32_t map_find(const struct map *map, uint64_t id)
{
	uint32_t low = 0, high = map->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (map->entry[middle].id == id)
			return map->entry[middle].backend;
		if (map->entry[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return BACKEND_UNKNOWN;
}

static int entry_order(const void *a, const void *b)
{
	const struct map_entry *one = a, *other = b;

	return (one->id > other->id) - (one->id < other->id);
}

int map_new(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_Unsigned count = lua_rawlen(L, 1);

	luaL_argcheck(L, count < UINT16_MAX, 1, "too many servers");
	struct map *map = lua_newuserdatauv(L, sizeof(*map) + count * sizeof(map->entry[0]), 0);
	map->count = (uint32_t)count;
	for (uint32_t i = 0; i < map->count; i++) {
		lua_rawgeti(L, 1, i + 1);
		map->entry[i] = (struct map_entry){(uint64_t)luaL_checkinteger(L, -1), i};
		lua_pop(L, 1);
	}
	qsort(map->entry, map->count, sizeof(map->entry[0]), entry_order);
	luaL_setmetatable(L, TYPE_MAP);
	return 1;
}

void map_type(lua_State *L)
{
	luaL_newmetatable(L, TYPE_MAP);
	lua_pop(L, 1);
}

/* ---- plans ---- */

int plan_new(lua_State *L)
{
	struct roster *roster = luaL_checkudata(L, 1, TYPE_ROSTER);
	const struct map *map = luaL_checkudata(L, 2, TYPE_MAP);
	struct plan *plan = lua_newuserdatauv(L, sizeof(*plan), 3);

	*plan = (struct plan){.roster = roster, .map = map, .shared = shared_get(L, 3)};
	for (int i = 1; i <= 3; i++) {
		lua_pushvalue(L, i);
		lua_setiuservalue(L, -2, i);
	}
	luaL_setmetatable(L, TYPE_PLAN);
	return 1;
}

static int plan_end(struct plan *plan)
{
	if (!plan->open)
		return MCR_OK;
	plan->open = false;
	plan->roster->open_plans--;
	return mcr_end(plan->roster->reader, &plan->plan);
}

/* Where the plan's servers are, while its generation is in the ring. */
static int plan_locate(struct plan *plan)
{
	struct mcr_reader *reader = plan->roster->reader;
	struct mcr_server server;
	int rc = mcr_server(reader, &plan->plan, plan->plan.owner, &server);

	if (rc)
		return rc;
	plan->owner = server.id;
	for (unsigned i = 0; i < plan->plan.step_count; i++) {
		rc = mcr_server(reader, &plan->plan, plan->plan.step[i].server, &server);
		if (rc)
			return rc;
		plan->server[i] = server.id;
		plan->backend[i] = map_find(plan->map, server.id);
	}
	return MCR_OK;
}

#define BEGIN_TRIES 4

/* plan:begin(op, key) -> how many steps, whether the pool has all their servers, generation; or nil
 * and why. */
static int plan_begin(lua_State *L)
{
	struct plan *plan = luaL_checkudata(L, 1, TYPE_PLAN);
	lua_Integer op = luaL_checkinteger(L, 2);
	size_t len;
	const char *key = luaL_checklstring(L, 3, &len);
	bool known = true;

	luaL_argcheck(L, op >= 0 && op < MCR_OP_COUNT, 2, "no operation");
	plan_end(plan);
	int rc = plan->roster->mcr ? MCR_OK : roster_ready(plan->roster);
	for (int tries = 0; !rc; tries++) {
		rc = mcr_begin(plan->roster->reader, (enum mcr_op)op, key, len, &plan->plan);
		if (rc == MCR_MOVED && !plan->roster->open_plans && tries < BEGIN_TRIES) {
			rc = roster_ready(plan->roster);
			continue;
		}
		if (rc)
			break;
		plan->open = true;
		plan->roster->open_plans++;
		rc = plan_locate(plan);
		if (!rc)
			break;
		plan_end(plan);
		if (rc == MCR_STALE && tries < BEGIN_TRIES)
			rc = MCR_OK;
	}
	if (rc)
		return push_failure(L, rc);
	for (unsigned i = 0; i < plan->plan.step_count; i++)
		known &= plan->backend[i] != BACKEND_UNKNOWN;
	lua_pushinteger(L, plan->plan.step_count);
	lua_pushboolean(L, known);
	lua_pushinteger(L, plan->plan.generation);
	return 3;
}

static unsigned check_step(lua_State *L, const struct plan *plan, int arg)
{
	lua_Integer step = luaL_checkinteger(L, arg);

	luaL_argcheck(L, step >= 1 && step <= plan->plan.step_count, arg,
		      "the plan has no such step");
	return (unsigned)step - 1;
}

/* plan:step(i) -> what to send, whether an empty value is a miss, the backend if the pool has it */
static int plan_step(lua_State *L)
{
	const struct plan *plan = luaL_checkudata(L, 1, TYPE_PLAN);
	unsigned i = check_step(L, plan, 2);

	lua_pushinteger(L, plan->plan.step[i].send);
	lua_pushboolean(L, plan->plan.step[i].empty_is_miss);
	if (plan->backend[i] == BACKEND_UNKNOWN)
		return 2;
	lua_pushinteger(L, plan->backend[i]);
	return 3;
}

static int plan_answer(lua_State *L)
{
	const struct plan *plan = luaL_checkudata(L, 1, TYPE_PLAN);

	lua_pushinteger(L, plan->plan.answer);
	return 1;
}

/* plan:aim(i) -> whether it may be sent: the next request goes there.  With a second argument also
 * when the plan is over: for the deletes that make it good. */
static int plan_aim(lua_State *L)
{
	const struct plan *plan = luaL_checkudata(L, 1, TYPE_PLAN);
	unsigned i = check_step(L, plan, 2);
	bool over = lua_toboolean(L, 3);
	bool may = plan->backend[i] != BACKEND_UNKNOWN &&
		   (over || (plan->open && mcr_check(plan->roster->reader, &plan->plan) == MCR_OK));

	if (may)
		aim_set(plan->backend[i]);
	lua_pushboolean(L, may);
	return 1;
}

/* plan:finish() -> enum mcr_error of mcr_end */
static int plan_finish(lua_State *L)
{
	lua_pushinteger(L, plan_end(luaL_checkudata(L, 1, TYPE_PLAN)));
	return 1;
}

/* plan:owe(i, key, ms) -> true, or nil and why */
static int plan_owe(lua_State *L)
{
	const struct plan *plan = luaL_checkudata(L, 1, TYPE_PLAN);
	unsigned i = check_step(L, plan, 2);
	size_t len;
	const char *key = luaL_checklstring(L, 3, &len);
	int rc =
	    mcr_owe(plan->roster->reader, &plan->plan, i, key, len, (int)luaL_checkinteger(L, 4));

	if (rc)
		return push_failure(L, rc);
	lua_pushboolean(L, true);
	return 1;
}

/* plan:gave(i, key, cas): the server of step i gave this token. */
static int plan_gave(lua_State *L)
{
	const struct plan *plan = luaL_checkudata(L, 1, TYPE_PLAN);
	unsigned i = check_step(L, plan, 2);
	size_t len;
	const char *key = luaL_checklstring(L, 3, &len);
	uint64_t cas = (uint64_t)luaL_checkinteger(L, 4);

	if (plan->shared)
		shared_token_put(plan->shared, key, len, cas, plan->server[i]);
	return 0;
}

/* plan:holds(key, cas) -> whether the token came from the key's owner */
static int plan_holds(lua_State *L)
{
	const struct plan *plan = luaL_checkudata(L, 1, TYPE_PLAN);
	size_t len;
	const char *key = luaL_checklstring(L, 2, &len);
	uint64_t cas = (uint64_t)luaL_checkinteger(L, 3);

	lua_pushboolean(L,
			plan->shared && shared_token_is(plan->shared, key, len, cas, plan->owner));
	return 1;
}

void plan_type(lua_State *L)
{
	static const luaL_Reg methods[] = {{"begin", plan_begin},
					   {"step", plan_step},
					   {"answer", plan_answer},
					   {"aim", plan_aim},
					   {"owe", plan_owe},
					   {"gave", plan_gave},
					   {"holds", plan_holds},
					   {"finish", plan_finish},
					   {"__close", plan_finish},
					   {"__gc", plan_finish},
					   {NULL, NULL}};

	luaL_newmetatable(L, TYPE_PLAN);
	luaL_setfuncs(L, methods, 0);
	lua_pushvalue(L, -1);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
}
