/* module.h - the rooms of the proxy's module: each is one file and one kind of Lua object.
 *
 * The module is loaded into several Lua states of one process, each with a thread of its own, which
 * all call it at once.  Hence nothing here is static and written to, but for the aim (aim.c), which
 * is its thread's.  What the states of one process share stands in a memfd (shared.c).
 */
#ifndef MCROSTER_PROXY_MODULE_H
#define MCROSTER_PROXY_MODULE_H

#include <stdbool.h>
#include <stdint.h>

#include <lauxlib.h>
#include <lua.h>

#include "mcroster.h"

/* What mcroster.lua may rely on; it has the same number, and refuses to work with another. */
#define MODULE_INTERFACE 2

#define TYPE_ROSTER "mcroster.roster"
#define TYPE_PLAN   "mcroster.plan"
#define TYPE_MAP    "mcroster.map"
#define TYPE_SHARED "mcroster.shared"

/* One state's view of a cluster.  A reader belongs to one thread, and a state is one thread's. */
struct roster {
	struct mcr *mcr; /* NULL: it has to be opened again */
	struct mcr_reader *reader;
	unsigned flags;
	unsigned open_plans; /* while there are any the reader has to stay */
	char cluster[256];
};

/* Which backend of a pool is which server: `id` sorted, for a search. */
struct map {
	uint32_t count;
	struct map_entry {
		uint64_t id;
		uint32_t backend; /* from 0 */
	} entry[];
};

#define BACKEND_UNKNOWN UINT32_MAX

/* BACKEND_UNKNOWN: the pool has no such server. */
uint32_t map_find(const struct map *map, uint64_t id);

/* The next request that this thread sends to a pool of ours goes to this backend. */
void aim_set(uint32_t backend);

/* What the states of a process share: where cas tokens came from, and what was last reported. */
struct shared;
struct shared *shared_get(lua_State *L, int arg); /* NULL: it is none */
void shared_token_put(struct shared *shared, const void *key, size_t len, uint64_t cas,
		      uint64_t server);
bool shared_token_is(struct shared *shared, const void *key, size_t len, uint64_t cas,
		     uint64_t server);

/* Opens the roster again if its segment was replaced and no plan is under way.  enum mcr_error. */
int roster_ready(struct roster *roster);

/* nil and a sentence; returns 2. */
int push_failure(lua_State *L, int error);

/* Each leaves nothing on the stack but what it says. */
void roster_type(lua_State *L);
void plan_type(lua_State *L);
void map_type(lua_State *L);
void shared_type(lua_State *L);
int roster_open(lua_State *L); /* (cluster, strict) */
int roster_look(lua_State *L); /* (cluster): one that makes no plans */
int plan_new(lua_State *L);    /* (roster, map, shared) */
int map_new(lua_State *L);     /* (ids) */
int shared_new(lua_State *L);  /* (): in the state that configures */
int shared_of(lua_State *L);   /* (descriptor): in a worker's */
void aim_fields(lua_State *L); /* puts `dist` and `hash` into the table on top */

#endif
