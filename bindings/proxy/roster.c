/* roster.c - a Lua state's view of a cluster: opening the segment, what stands in it, waiting.
 *
 * Each state opens the segment for itself: so a reader is its thread's, nothing is shared that
 * would need a lock, and each worker of a proxy is a registered client of the agent.  The state
 * that only configures looks without being registered (MCR_OBSERVE).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "module.h"

int push_failure(lua_State *L, int error)
{
	lua_pushnil(L);
	if (error == MCR_SYSTEM)
		lua_pushfstring(L, "%s: %s", mcr_strerror(error), strerror(errno));
	else
		lua_pushstring(L, mcr_strerror(error));
	return 2;
}

static void roster_shut(struct roster *roster)
{
	mcr_reader_free(roster->reader);
	mcr_close(roster->mcr);
	roster->reader = NULL;
	roster->mcr = NULL;
}

int roster_ready(struct roster *roster)
{
	struct mcr_info info;

	if (roster->mcr && !roster->open_plans && mcr_info(roster->mcr, &info) == MCR_MOVED)
		roster_shut(roster);
	if (roster->mcr)
		return MCR_OK;
	int rc = mcr_open(roster->cluster, roster->flags, &roster->mcr);
	if (!rc)
		rc = mcr_reader_new(roster->mcr, &roster->reader);
	if (rc)
		roster_shut(roster);
	return rc;
}

/* The segment is opened by whoever needs it, and again whenever it is not there: it may come later.
 */
static int roster_new(lua_State *L, unsigned flags)
{
	size_t len;
	const char *cluster = luaL_checklstring(L, 1, &len);
	struct roster *roster = lua_newuserdatauv(L, sizeof(*roster), 0);

	*roster = (struct roster){.flags = flags};
	luaL_setmetatable(L, TYPE_ROSTER);
	luaL_argcheck(L, len < sizeof(roster->cluster), 1, "the cluster's name is too long");
	memcpy(roster->cluster, cluster, len + 1);
	return 1;
}

int roster_open(lua_State *L)
{
	return roster_new(L, lua_toboolean(L, 2) ? MCR_STRICT : 0);
}

int roster_look(lua_State *L)
{
	return roster_new(L, MCR_OBSERVE);
}

static void push_server(lua_State *L, const struct mcr_server *server)
{
	lua_createtable(L, 0, 3);
	lua_pushstring(L, server->name);
	lua_setfield(L, -2, "name");
	lua_pushstring(L, server->address);
	lua_setfield(L, -2, "address");
	lua_pushinteger(L, (lua_Integer)server->id);
	lua_setfield(L, -2, "id");
}

/* roster:servers() -> the servers of both lists, in a fixed order, with `generation` and
 * `op_timeout_ms` among them; or nil and why. */
static int roster_servers(lua_State *L)
{
	struct roster *roster = luaL_checkudata(L, 1, TYPE_ROSTER);
	struct mcr_info info;
	int rc = roster_ready(roster);
	int count = rc ? rc : mcr_servers(roster->reader, &info, NULL, 0);

	if (count < 0)
		return push_failure(L, count);
	struct mcr_server *servers =
	    lua_newuserdatauv(L, ((size_t)count + 1) * sizeof(*servers), 0);
	int now = mcr_servers(roster->reader, &info, servers, (uint32_t)count);
	if (now < 0 || now != count) /* a generation came between */
		return push_failure(L, now < 0 ? now : MCR_STALE);
	lua_createtable(L, count, 2);
	for (int i = 0; i < count; i++) {
		push_server(L, &servers[i]);
		lua_rawseti(L, -2, i + 1);
	}
	lua_pushinteger(L, info.generation);
	lua_setfield(L, -2, "generation");
	lua_pushinteger(L, info.op_timeout_ms);
	lua_setfield(L, -2, "op_timeout_ms");
	return 1;
}

/* roster:now() -> epoch, phase, generation, phase's name; or nil and why. */
static int roster_now(lua_State *L)
{
	struct roster *roster = luaL_checkudata(L, 1, TYPE_ROSTER);
	struct mcr_info info;
	int rc = roster_ready(roster);

	if (!rc)
		rc = mcr_info(roster->mcr, &info);
	if (rc)
		return push_failure(L, rc);
	lua_pushinteger(L, (lua_Integer)info.epoch);
	lua_pushinteger(L, info.phase);
	lua_pushinteger(L, info.generation);
	lua_pushstring(L, mcr_phase_name(info.phase));
	return 4;
}

/* roster:wait(generation, ms): returns when there is another one, or nobody published in that time.
 */
static int roster_wait(lua_State *L)
{
	struct roster *roster = luaL_checkudata(L, 1, TYPE_ROSTER);
	lua_Integer generation = luaL_checkinteger(L, 2);
	lua_Integer timeout_ms = luaL_checkinteger(L, 3);

	luaL_argcheck(L, timeout_ms >= 0 && timeout_ms <= 60000, 3, "from 0 to 60000");
	int rc = roster_ready(roster);
	if (!rc)
		rc = mcr_wait(roster->mcr, (uint32_t)generation, (int)timeout_ms);
	if (rc)
		return push_failure(L, rc);
	lua_pushboolean(L, true);
	return 1;
}

static int roster_gc(lua_State *L)
{
	roster_shut(luaL_checkudata(L, 1, TYPE_ROSTER));
	return 0;
}

void roster_type(lua_State *L)
{
	static const luaL_Reg methods[] = {{"servers", roster_servers},
					   {"now", roster_now},
					   {"wait", roster_wait},
					   {"__gc", roster_gc},
					   {NULL, NULL}};

	luaL_newmetatable(L, TYPE_ROSTER);
	luaL_setfuncs(L, methods, 0);
	lua_pushvalue(L, -1);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
}
