/* sim.h - a simulated cluster that runs the real core: what its files share.
 *
 * One seed is one world: machines with clocks of their own, agents (core/host.h, core/coord.h),
 * memcacheds, movers (core/pass.h, core/move.h), clients that follow plans by the library's rule
 * table, operators, and whatever goes wrong.  There is one clock (world.now_us) and one queue of
 * events; nothing sleeps, and a seed always gives the same world.
 *
 * What is assumed of the world outside the core, as the design does: a command is carried out
 * before its sender's time for it is over, or never (whoever gives up closes the connection); a
 * client looks at its plan's deadline and sends in one step; a process that dies leaves its sent
 * commands behind.
 */
#ifndef MCROSTER_SIM_H
#define MCROSTER_SIM_H

#include "world.h"

/* ---- util.c ---- */
uint64_t draw(struct world *world);
uint32_t pick(struct world *world, uint32_t count); /* 0..count-1 */
bool chance(struct world *world, uint32_t percent);
void at(struct world *world, uint64_t when_us, enum event_kind kind, uint32_t who, uint32_t what,
	uint32_t stamp, uint32_t extra);
bool next_event(struct world *world, struct event *event);
__attribute__((format(printf, 2, 3))) void trace(struct world *world, const char *format, ...);
__attribute__((format(printf, 2, 3))) void violate(struct world *world, const char *format, ...);
#define TRACE(world, ...)                                                                          \
	do {                                                                                       \
		if ((world)->tracing)                                                              \
			trace(world, __VA_ARGS__);                                                 \
	} while (0)
static inline void reached(struct world *world, enum reached what)
{
	world->figures->reached[what]++;
}
/* A machine's own clock, and back. */
uint64_t local_us(const struct world *world, uint32_t machine);
uint64_t world_us(const struct world *world, uint32_t machine, uint64_t local);
static inline uint64_t local_ms(const struct world *world, uint32_t machine)
{
	return local_us(world, machine) / MS;
}

/* ---- lists.c ---- */
void lists_first(struct world *world);
/* Another list after list `parent`; -1: no room. */
int lists_next(struct world *world, int parent, uint32_t coordinator, uint64_t epoch);
const struct layout *lists_layout(struct world *world, int active, int pending);
static inline int list_number(const uint8_t hash[LIST_HASH_BYTES])
{
	return (int)hash[0] - 1;
}
const struct layout *lists_of(struct world *world, const struct reg *reg);
int machine_named(const struct world *world, const char *name);

/* ---- cache.c ---- */
struct command *command_new(struct world *world, struct connection *connection, uint32_t server,
			    enum verb verb, uint32_t key);
void command_send(struct world *world, struct command *command, uint32_t machine);
void cache_execute(struct world *world, struct command *command);
void command_answer(struct world *world, struct command *command);
void command_free(struct world *world, struct command *command);
void cache_crash(struct world *world, uint32_t server, uint64_t away_us);
void cache_born(struct world *world, uint32_t server);
struct item *cache_item(struct world *world, uint32_t server, uint32_t key);
void item_gone(struct item *item);
void connection_close(struct connection *connection);
void commands_orphan(struct world *world, bool by_mover, uint32_t owner);

/* ---- client.c ---- */
void client_begin(struct world *world, uint32_t number);
void client_replied(struct world *world, struct command *command);
void client_timeout(struct world *world, uint32_t number);
void client_dies(struct world *world, uint32_t number, bool back);
void client_born(struct world *world, uint32_t number);

/* ---- registered.c ---- */
void registered_start(struct world *world, uint32_t machine);
void registered_die(struct world *world, uint32_t machine);
void registered_keep(struct world *world, uint32_t machine);
void registered_published(struct world *world, uint32_t machine, const struct list *list);
void registered_tell(struct world *world, uint32_t machine);
void registered_heard(struct world *world, uint32_t machine, uint32_t entry, uint32_t attempt,
		      uint32_t generation);
bool registered_open(struct world *world, struct client *client);
bool registered_permit(struct world *world, struct client *client, bool required);
void registered_begin(struct client *client);
void registered_end(struct world *world, struct client *client);
void registered_serve(struct world *world, uint32_t client);
void registered_gone(struct world *world, struct client *client);
void fault_unregisters(struct world *world, uint32_t client);

/* ---- client_choose.c ---- */
enum mcr_op choose_op(struct world *world, uint32_t key);
uint8_t choose_key(struct world *world);

/* ---- mover*.c ---- */
void movers_start(struct world *world, uint32_t machine, const struct reg *reg, bool restarted);
void movers_stop(struct world *world, uint32_t machine);
void movers_report(struct world *world, uint32_t machine);
void movers_die(struct world *world, uint32_t machine);
void movers_hang_up(struct world *world, uint32_t server);
void mover_tell(struct world *world, uint32_t number);
void mover_step(struct world *world, uint32_t number);
void mover_dialled(struct world *world, uint32_t number, uint32_t server, uint32_t life);
void mover_unbusy(struct world *world, uint32_t number, uint32_t what, uint32_t stamp,
		  uint32_t life);
void mover_late(struct world *world, uint32_t number, uint32_t stamp);
void mover_replied(struct world *world, struct command *command);

/* ---- agent.c, agent_hear.c ---- */
void agent_start(struct world *world, uint32_t machine);
void agent_crash(struct world *world, uint32_t machine, uint64_t away_us);
void agent_dies(struct world *world, uint32_t machine); /* for as long as here is usual */
void agent_soon(struct world *world, uint32_t machine);
void agent_pump(struct world *world, uint32_t machine);
void agent_successor(struct world *world, uint32_t machine);
void agent_tick(struct world *world, uint32_t machine);
void agent_message(struct world *world, struct message *message);
/* Does it keep this order, the first of its term that it hears of? */
bool failover_take(struct machine *machine, uint64_t term, uint8_t to);
bool agent_dies_after(struct world *world, uint32_t machine, enum fault fault);

/* ---- register.c ---- */
enum disk_write { DISK_WRITTEN, DISK_FAILED, DISK_CRASHED };
enum disk_write disk_write(struct world *world, uint32_t machine);
bool lists_in_hand(const struct machine *machine, const struct reg *reg);
/* The machine whose coordinator leads in the newest term, or NOBODY. */
uint32_t leader(const struct world *world);
uint32_t coordinator_of(const struct world *world, uint32_t machine);
void register_led_by(struct world *world, uint32_t machine, uint32_t leads);
void register_open(struct world *world, uint32_t machine);
void register_begin(struct world *world, uint32_t machine);
void register_resume(struct world *world, uint32_t machine, const struct reg *reg);
void register_fail_over(struct world *world, uint32_t machine, uint64_t term);
void register_keeps(struct world *world, uint32_t machine);
void register_take_over(struct world *world, uint32_t machine);
void register_lists(struct world *world, uint32_t machine, const struct reg *reg);
void register_do(struct world *world, uint32_t machine, const struct coord_action *action);
void register_trace(struct world *world, uint32_t machine, const struct reg *reg);

/* ---- candidate.c ---- */
void candidate_stands(struct world *world, uint32_t machine);
void candidate_wake(struct world *world, uint32_t machine, uint64_t when_us);
void candidate_fails_over(struct world *world, uint32_t machine);
void candidate_knows(struct world *world, uint32_t machine, const struct reg *reg);
void candidate_pump(struct world *world, uint32_t machine);
void candidate_store(struct world *world, uint32_t machine, const struct reg *reg);
void candidate_answered(struct world *world, uint32_t machine, const struct election_reply *reply,
			int list);

/* ---- etcd.c ---- */
void etcd_make(struct world *world);
void etcd_call(struct world *world, uint32_t machine, const struct election_action *action);
void etcd_arrives(struct world *world, uint32_t call, uint32_t stamp);
void etcd_answers(struct world *world, uint32_t call, uint32_t stamp);
void etcd_late(struct world *world, uint32_t call, uint32_t stamp);
void etcd_crash(struct world *world, uint64_t away_us);
void etcd_start(struct world *world);
void etcd_set_back(struct world *world, const struct reg *older);
void etcd_stays_back(struct world *world);
void etcd_bring_back(struct world *world);
/* Is the leader key there, and this machine's? */
bool etcd_led_by(struct world *world, uint32_t machine);

/* ---- network.c ---- */
void message_send(struct world *world, struct message *message, uint32_t from, uint32_t to);

/* ---- owing.c ---- */
void owing_start(struct world *world, uint32_t machine);
void owing_die(struct world *world, uint32_t machine);
bool owing_add(struct world *world, uint32_t machine, uint32_t key, uint32_t uid, uint32_t write);
bool owing_pump(struct world *world, uint32_t machine);
void owing_tick(struct world *world, uint32_t machine);
void owing_present(struct world *world, uint32_t machine, const struct reg *reg);
void owing_replied(struct world *world, struct command *command);

/* ---- operator.c ---- */
void operator_acts(struct world *world, bool again); /* again: and later once more */

/* ---- faults.c ---- */
/* Is anything struck but etcd and whoever leads by it? */
static inline bool harsh(const struct world *world)
{
	return world->faults_on && world->struck != STRUCK_ETCD;
}
void fault_register_lost(struct world *world, uint32_t machine);
void fault_restarts_new_owner(struct world *world, uint32_t from, uint32_t to);
void fault_kills_mover(struct world *world, uint32_t machine);
void fault_kills_client(struct world *world, uint32_t machine);
void fault_evicts_stub(struct world *world, const struct mover_key *slot);
void fault_strikes(struct world *world);
void fault_in_phase(struct world *world);
void fault_stops(struct world *world, uint32_t machine, bool clients);
void fault_isolates(struct world *world, uint32_t machine);
void fault_heals_later(struct world *world);
void faults_heal(struct world *world, bool all);

/* ---- faults_etcd.c ---- */
void fault_strikes_etcd(struct world *world);
void fault_after_step(struct world *world, uint32_t machine);
void fault_etcd_heals(struct world *world, bool all);

/* ---- check.c ---- */
/* The coordinator of this machine grants a lease just now. */
void check_granting(struct world *world, uint32_t machine);
bool check_ever_stored(const struct world *world, const struct reg *reg);
void check_stored(struct world *world, uint32_t machine, const struct reg *reg);
int check_vis(struct world *world, const struct reg *reg);
void check_operation(struct world *world, uint32_t client);
void check_barrier(struct world *world);
void check_adopted(struct world *world, uint32_t machine);
void check_published(struct world *world, uint32_t machine, const struct reg *reg);
void check_lease(struct world *world, uint32_t host, uint32_t coordinator);
void check_settled(struct world *world);
uint32_t write_begin(struct world *world, uint32_t key);
void write_sent(struct world *world, uint32_t write);
void write_landed(struct world *world, uint32_t write);
void write_end(struct world *world, uint32_t write, bool complete, bool stored);
void write_complete(struct world *world, uint32_t write);
bool value_is_stale(const struct world *world, uint32_t value, uint64_t floor_us);
void key_lost(struct world *world, uint32_t key);

/* ---- world.c ---- */
/* Runs a world to its end.  True: no violation. */
bool world_run(struct world *world, uint64_t seed, bool tracing, struct figures *figures);

#endif
