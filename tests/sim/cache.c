/* cache.c - simulated memcacheds and the connections to them.
 *
 * Commands of one connection are carried out in order and answered in order.  A command is carried
 * out before `until_us` or never; one whose sender has closed the connection is not carried out,
 * unless the sender died: then nobody closes anything in time.
 */
#include "sim.h"

#include <string.h>

struct command *command_new(struct world *world, struct connection *connection, uint32_t server,
			    enum verb verb, uint32_t key)
{
	struct command *command;
	uint32_t number = world->command_free;

	if (number == COMMANDS) {
		violate(world, "the simulator ran out of commands");
		number = 0;
	}
	command = &world->command[number];
	world->command_free = command->next_free;
	*command = (struct command){.used = true,
				    .verb = (uint8_t)verb,
				    .key = (uint8_t)key,
				    .server = (uint8_t)server,
				    .connection = connection,
				    .generation = connection->generation};
	return command;
}

void command_free(struct world *world, struct command *command)
{
	if (command->write != 0)
		write_landed(world, command->write);
	command->used = false;
	command->next_free = world->command_free;
	world->command_free = (uint32_t)(command - world->command);
}

void connection_close(struct connection *connection)
{
	connection->generation++;
	connection->up = false;
	connection->last_us = connection->last_reply_us = 0;
}

void commands_orphan(struct world *world, bool by_mover, uint32_t owner)
{
	for (uint32_t i = 0; i < COMMANDS; i++) {
		struct command *command = &world->command[i];

		if (command->used && !command->by_agent && command->by_mover == by_mover &&
		    command->owner == owner)
			command->orphan = true;
	}
}

static uint64_t way_us(struct world *world)
{
	uint64_t us = 100 + pick(world, world->delay_us);

	/* TCP sends again what was lost. */
	while (chance(world, world->loss_percent) && us < SECOND)
		us += 40 * MS;
	return us;
}

void command_send(struct world *world, struct command *command, uint32_t machine)
{
	struct cache *cache = &world->cache[command->server];
	struct connection *connection = command->connection;
	uint64_t when = world->now_us + way_us(world);

	if (command->write != 0)
		write_sent(world, command->write);
	if (!connection->up) {
		connection->up = true;
		connection->life = cache->life;
	}
	command->life = connection->life;
	if (cache->slow_us > world->now_us)
		when += pick(world, world->slow_by_us);
	if (when <= connection->last_us)
		when = connection->last_us + 1;
	connection->last_us = when;
	if (world->cut[machine][cache->machine] || world->cut_cache[machine][command->server])
		when = NEVER;
	if (when > command->until_us) {
		/* It is not carried out; its sender waits in vain. */
		command_free(world, command);
		return;
	}
	at(world, when, EV_EXECUTE, command->server, (uint32_t)(command - world->command),
	   command->generation, machine);
}

/* ---- memcached ---- */

static uint64_t cache_second(const struct world *world, const struct cache *cache)
{
	return local_us(world, cache->machine) / SECOND;
}

void item_gone(struct item *item)
{
	memset(item, 0, sizeof(*item));
}

/* An item, or NULL where there is none or it has expired. */
struct item *cache_item(struct world *world, uint32_t server, uint32_t key)
{
	struct cache *cache = &world->cache[server];
	struct item *item = &cache->item[key];

	if (item->present && item->expires_s != 0 && item->expires_s <= cache_second(world, cache))
		item_gone(item);
	return item->present ? item : NULL;
}

static void item_store(struct world *world, struct cache *cache, uint32_t key, uint32_t value,
		       int64_t ttl)
{
	struct item *item = &cache->item[key];

	*item = (struct item){.present = true, .write = value, .cas = ++cache->cas};
	if (ttl > 0)
		item->expires_s = cache_second(world, cache) + (uint64_t)ttl;
}

static void update(struct world *world, struct command *command, struct item *item)
{
	struct cache *cache = &world->cache[command->server];
	struct move_reply *reply = &command->reply;

	reply->answer = MOVE_MISS;
	if (item == NULL)
		return;
	if (item->empty) {
		reached(world, REACHED_STUB_SEEN);
		if (command->verb == DO_APPEND)
			violate(world, "key %u: append damaged a reservation at s%u", command->key,
				command->server);
		return;
	}
	if (value_is_stale(world, item->write, command->floor_us))
		violate(world,
			"key %u: an update built on the value of write %u at s%u, older than a "
			"write that was complete before it began",
			command->key, item->write, command->server);
	reply->answer = MOVE_OK;
	item->write = command->write;
	item->cas = ++cache->cas;
}

static void reserve(struct world *world, struct command *command, struct item *item)
{
	struct cache *cache = &world->cache[command->server];
	struct move_reply *reply = &command->reply;

	reply->answer = MOVE_OK;
	reply->has_cas = true;
	if (item == NULL) {
		item_store(world, cache, command->key, 0, MOVE_STUB_TTL);
		cache->item[command->key].empty = true;
		cache->item[command->key].sent = true;
		reply->won = true;
		reply->cas = cache->cas;
		return;
	}
	reply->cas = item->cas;
	reply->sent = item->sent;
	reply->size = item->empty ? 0 : 10;
	if (item->empty)
		reached(world, REACHED_STUB_FOREIGN);
}

static void delete_cas(struct command *command, struct item *item)
{
	struct move_reply *reply = &command->reply;

	if (item == NULL)
		reply->answer = MOVE_ABSENT;
	else if (item->cas != command->cas)
		reply->answer = MOVE_DIFFERS;
	else
		item_gone(item);
}

static void fill(struct world *world, struct command *command, struct item *item)
{
	struct cache *cache = &world->cache[command->server];
	struct move_reply *reply = &command->reply;

	if (cache->refuses) {
		reply->answer = MOVE_REFUSED;
	} else if (item == NULL || item->cas != command->cas) {
		reply->answer = item == NULL ? MOVE_ABSENT : MOVE_DIFFERS;
		reached(world, REACHED_STUB_LOST);
	} else {
		item_store(world, cache, command->key, command->value, command->ttl);
		reached(world, REACHED_MOVED);
	}
}

static void get(struct world *world, struct command *command, const struct item *item)
{
	struct move_reply *reply = &command->reply;

	if (item == NULL) {
		reply->answer = MOVE_MISS;
		return;
	}
	command->value = item->write;
	command->empty = item->empty;
	reply->has_cas = reply->has_value = true;
	reply->cas = item->cas;
	reply->sent = item->sent;
	reply->size = item->empty ? 0 : 10;
	reply->ttl = -1;
	if (item->expires_s != 0)
		reply->ttl = (int64_t)(item->expires_s -
				       cache_second(world, &world->cache[command->server]));
}

static void carry_out(struct world *world, struct command *command)
{
	struct cache *cache = &world->cache[command->server];
	struct item *item = cache_item(world, command->server, command->key);
	struct move_reply *reply = &command->reply;

	switch ((enum verb)command->verb) {
	case DO_GET:
	case DO_READ_CAS:
	case DO_READ:
		get(world, command, item);
		break;
	case DO_ADD:
		if (item != NULL) {
			reply->answer = MOVE_REFUSED;
			command->value = item->write;
			command->empty = item->empty;
			break;
		}
		item_store(world, cache, command->key, command->write, command->ttl);
		break;
	case DO_SET:
		item_store(world, cache, command->key, command->write, command->ttl);
		break;
	case DO_UPDATE:
	case DO_APPEND:
		update(world, command, item);
		break;
	case DO_TOUCH:
		reply->answer = item != NULL ? MOVE_OK : MOVE_ABSENT;
		break;
	case DO_DELETE:
		reply->answer = item != NULL ? MOVE_OK : MOVE_ABSENT;
		if (item != NULL)
			item_gone(item);
		break;
	case DO_DELETE_CAS:
		delete_cas(command, item);
		break;
	case DO_RESERVE:
		reserve(world, command, item);
		break;
	case DO_FILL:
		fill(world, command, item);
		break;
	case DO_PROBE:
		reply->cas = ++cache->cas;
		break;
	}
}

static const char *const verbs[] = {"get",  "set",  "add",  "update", "append", "touch", "delete",
				    "mg c", "mg N", "ms C", "mg v",   "md C",	"probe"};
static const char *const answers[] = {"OK", "MISS", "EX", "NF", "refused", "lost"};

void cache_execute(struct world *world, struct command *command)
{
	struct cache *cache = &world->cache[command->server];
	struct connection *connection = command->connection;
	uint64_t when;

	/* A reservation may yet be carried out after its mover has hung up: it knows that. */
	if (!command->orphan && connection->generation != command->generation &&
	    !(command->by_mover && command->verb == DO_RESERVE)) {
		command_free(world, command);
		return;
	}
	if (!cache->up || cache->life != command->life) {
		command->reply = (struct move_reply){.answer = MOVE_LOST};
	} else {
		carry_out(world, command);
		TRACE(world, "    s%u %s key %u%s -> %s value %u%s cas %llu  (%s %u%s)",
		      command->server, verbs[command->verb], command->key,
		      command->write != 0 ? "'" : "", answers[command->reply.answer],
		      command->value, command->empty ? " EMPTY" : "",
		      (unsigned long long)command->reply.cas,
		      command->by_agent	  ? "agent"
		      : command->by_mover ? "mover"
					  : "client",
		      command->owner, command->orphan ? ", dead" : "");
	}
	if (command->by_agent ||
	    (!command->by_mover && command->verb == DO_DELETE && command->write == 0))
		key_lost(world, command->key); /* whatever it was that was stored since */
	if (command->orphan) {
		command_free(world, command);
		return;
	}
	if (command->write != 0) {
		write_landed(world, command->write);
		command->write = 0;
	}
	when = world->now_us + way_us(world);
	if (when <= connection->last_reply_us)
		when = connection->last_reply_us + 1;
	connection->last_reply_us = when;
	command->has_reply = true;
	if (world->faults_on && pick(world, 300) == 0) {
		world->figures->fault[FAULT_REPLY_LOST]++;
		command->has_reply = false;
	}
	at(world, when, EV_REPLY, command->server, (uint32_t)(command - world->command),
	   command->generation, 0);
}

void command_answer(struct world *world, struct command *command)
{
	const uint32_t machine = command->by_agent   ? command->owner
				 : command->by_mover ? world->mover[command->owner].machine
						     : world->client[command->owner].machine;

	if (!command->orphan && command->has_reply &&
	    command->connection->generation == command->generation &&
	    !world->cut[world->cache[command->server].machine][machine]) {
		if (command->by_agent)
			owing_replied(world, command);
		else if (command->by_mover)
			mover_replied(world, command);
		else
			client_replied(world, command);
	}
	command_free(world, command);
}

/* ---- its life ---- */

void cache_crash(struct world *world, uint32_t server, uint64_t away_us)
{
	struct cache *cache = &world->cache[server];

	if (!cache->up)
		return;
	TRACE(world, "s%u crashes", server);
	cache->up = false;
	for (uint32_t k = 0; k < KEYS; k++) {
		if (cache_item(world, server, k) != NULL)
			key_lost(world, k);
		item_gone(&cache->item[k]);
	}
	cache->life++;
	movers_hang_up(world, server);
	at(world, world->now_us + away_us, EV_CACHE_UP, server, 0, cache->life, 0);
}

void cache_born(struct world *world, uint32_t server)
{
	struct cache *cache = &world->cache[server];

	TRACE(world, "s%u is up again", server);
	cache->up = true;
	cache->cas = 0;
	cache->refuses = false;
	cache->tainted = false;
}
