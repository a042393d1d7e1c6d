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

#include <stdbool.h>
#include <stdint.h>

#include "core/coord.h"
#include "core/host.h"
#include "core/move.h"
#include "core/owed.h"
#include "core/pass.h"
#include "mcroster.h"
#include "names.h"

#define AGENTS	  8u  /* listed */
#define MACHINES  10u /* and two observers */
#define SERVERS	  7u
#define KEYS	  56u
#define CLIENTS	  24u
#define LISTS	  24u
#define LAYOUTS	  64u
#define MOVERS	  24u
#define BATCH	  8u
#define COMMANDS  4096u
#define MESSAGES  1024u
#define WRITES	  16384u
#define STATES	  256u
#define WAITS	  32u
#define NOBODY	  255u
#define NEVER	  UINT64_MAX
#define MS	  1000u
#define SECOND	  1000000u
#define SETTLE_US (60u * SECOND)

/* ---- lists, and two of them laid over each other ---- */

struct layout {
	int active, pending; /* numbers of lists; pending -1: one list */
	struct change *change;
	uint8_t old_owner[KEYS], new_owner[KEYS]; /* numbers of servers in the world */
	uint8_t server[2 * SERVERS];		  /* change's numbers to the world's */
};

/* ---- memcached ---- */

struct item {
	bool present, empty, sent; /* sent: the win was given to somebody (Z) */
	uint32_t write;		   /* whose value it is */
	uint64_t cas;
	uint64_t expires_s; /* 0: never */
};

struct cache {
	bool up, refuses;
	bool tainted; /* given up: what it holds is nobody's concern */
	uint32_t life, machine;
	uint64_t cas, slow_us;
	struct item item[KEYS];
};

enum verb {
	DO_GET,
	DO_SET,
	DO_ADD,
	DO_UPDATE,
	DO_APPEND,
	DO_TOUCH,
	DO_DELETE,
	DO_READ_CAS,
	DO_RESERVE,
	DO_FILL,
	DO_READ,
	DO_DELETE_CAS,
	DO_PROBE
};

struct connection {
	bool up;
	uint32_t generation, life;
	uint64_t last_us; /* commands are carried out in order, replies come in order */
	uint64_t last_reply_us;
};

struct command {
	bool used, orphan, by_mover, by_agent, has_reply;
	uint8_t verb, key, server;
	uint16_t owner, slot;
	uint32_t generation, life, write, next_free;
	struct connection *connection;
	uint64_t until_us, cas, floor_us;
	int64_t ttl;
	struct move_reply reply;
	uint32_t value;
	bool empty;
};

/* ---- clients ---- */

struct write {
	uint64_t begin_us, over_us; /* over: nothing of it can still come; NEVER: it can */
	uint16_t in_flight;
	bool ended, overlapped;
	uint8_t key;
	uint32_t serial;
};

enum client_at { AT_IDLE, AT_PLAN, AT_REPAIR_OLD, AT_REPAIR };

struct client {
	bool alive;
	uint8_t machine;
	uint32_t life;
	uint64_t stopped_until_us;
	struct connection connection[SERVERS];
	/* The operation under way. */
	enum client_at at;
	uint8_t op, key, step, repaired, tries;
	uint32_t stamp; /* of the step: later answers and time-outs are void */
	struct mcr_plan plan;
	uint32_t generation;
	int vis;
	uint64_t begin_us, deadline_us, floor_us, retire_seen;
	uint64_t step_until_us;
	bool failed_delete, failed, found, wrote, planned_again, missed_cleanly;
	uint32_t found_value, write, stored_serial;
	bool stored, was_write, expires;
	uint8_t old_servers[MCR_STEPS_MAX], old_count;
};

/* ---- machines ---- */

struct disk {
	bool has_host, has_register, has_failover;
	struct host_state host;
	struct reg reg;
	bool list[LISTS];
	struct {
		uint8_t pending[LIST_HASH_BYTES];
		struct pass_mark mark;
	} mark[SERVERS];
	uint64_t failover_term;
	uint8_t failover_to;
};

struct turn {
	uint64_t published_us, retire_us;
	const struct layout *layout;
	uint8_t phase; /* enum mcr_phase */
	int vis;
	uint32_t op_timeout_ms;
};

struct segment {
	uint32_t generation;
	struct turn turn[4];
	uint64_t deadline_us;
	struct reg reg; /* newest published, to see that it only grows */
};

/* A write that is complete when an owed delete of its key is. */
struct owed_waiting {
	bool used;
	uint32_t write;
	struct owed_ticket ticket;
};

struct machine {
	char name[8];
	bool up; /* its agent runs */
	bool listed;
	uint64_t rate_ppm, base_us; /* of its clock */
	uint64_t stopped_until_us;
	uint32_t life;
	struct disk disk, backup;
	bool has_backup;
	struct segment segment;
	struct host host;
	const struct layout *host_layout;
	struct coord coord;
	const struct layout *coord_layout;
	struct host_state storing;
	struct reg work_reg;
	bool working, stopping, pumping, again;
	uint64_t tick_us;
	uint64_t answered_us, asked_us, successor_us, pinged_us, announced_us;
	uint64_t failover_term;
	uint8_t failover_to;
	struct owed owed;
	const struct layout *owed_layout;
	struct owed_waiting wait[WAITS];
	struct connection connection[SERVERS];
	uint64_t owed_late;
	uint32_t journal_bytes;
	uint8_t journal[24576];
};

/* ---- movers ---- */

struct mover_key {
	bool used, waiting;
	uint8_t key, server, kind, attempts; /* server: the destination's number in the world */
	uint64_t cas;
	struct move move;
	uint32_t source_generation, destination_generation, stamp;
	bool waits_source;
};

struct mover {
	bool used, finished, stopped, stopping;
	uint8_t machine, server; /* the world's numbers */
	uint32_t number, life;	 /* in the change */
	const struct layout *layout;
	struct pass pass;
	struct pass_identity known[SERVERS];
	uint64_t lost_us[SERVERS];
	bool dialling[SERVERS], identified, peer_came;
	struct connection connection[SERVERS];
	bool busy; /* a probe, a dump half or a save is under way */
	uint32_t busy_stamp;
	uint64_t wake_us;
	struct mover_key queue[KEYS * 2], slot[BATCH];
	uint32_t queued, later;
	struct mover_key later_key[KEYS * 2];
	uint32_t open;
	bool late;
	uint64_t batch_deadline_us;
	uint32_t dump_life;
	struct work result;
	bool save_pending;
};

/* ---- messages between agents ---- */

enum message_kind {
	SAY_RENEW,
	SAY_GRANT,
	SAY_REGISTER,
	SAY_ELSEWHERE,
	SAY_LIST_GET,
	SAY_LIST,
	SAY_PING,
	SAY_PONG
};

struct message {
	uint8_t kind, from, to;
	bool used;
	uint32_t next_free;
	int list;
	struct renew renew;
	struct grant grant;
	uint64_t failover_term;
	uint8_t failover_to, coordinator;
};

/* ---- events ---- */

enum event_kind {
	EV_TICK,
	EV_START,
	EV_MESSAGE,
	EV_EXECUTE,
	EV_REPLY,
	EV_CLIENT_BEGIN,
	EV_CLIENT_TIMEOUT,
	EV_CLIENT_BORN,
	EV_MOVER_WAKE,
	EV_MOVER_DIALLED,
	EV_MOVER_BUSY,
	EV_MOVER_LATE,
	EV_CACHE_UP,
	EV_OPERATOR,
	EV_FAULT,
	EV_HEAL,
	EV_MOVER_DIES,
	EV_KINDS
};

struct event {
	uint64_t at_us;
	uint32_t sequence;
	uint8_t kind;
	uint8_t who;
	uint16_t what;
	uint32_t stamp, extra;
};

struct figures {
	uint64_t seeds, events, simulated_us;
	uint64_t fault[FAULT_COUNT], reached[REACHED_COUNT], operations, violations;
};

struct world {
	uint64_t seed, random, now_us;
	uint32_t events, sequence;
	bool tracing;
	struct figures *figures;
	bool violated, over;
	char violation[400];

	struct event *heap;
	uint32_t heap_count, heap_room;

	struct list *list[LISTS];
	uint32_t list_count;
	struct layout layout[LAYOUTS];
	uint32_t layout_count;
	char key[KEYS][12];

	struct machine machine[MACHINES];
	struct cache cache[SERVERS];
	struct client client[CLIENTS];
	struct mover mover[MOVERS];
	struct command command[COMMANDS];
	uint32_t command_free;
	struct message message[MESSAGES];
	uint32_t message_free;
	bool cut[MACHINES][MACHINES]; /* [from][to] */
	bool cut_cache[MACHINES][SERVERS];

	uint32_t loss_percent, delay_us, duplicate_percent, op_pause_us;
	uint32_t op_timeout_ms, lease_ms, steady_lease_ms;
	uint32_t giving_up; /* how eager operators are, per cent */
	bool faults_on;
	uint32_t fault_rate_us;
	uint64_t faults_end_us, deadline_us;
	uint32_t changes_begun, changes_ended, changes_wanted;
	uint32_t deadline_changes, disks_lost, failed_over_to;
	int next_list;
	bool register_gone, register_copy; /* the coordinator's; the operator has its file */
	struct reg gone; /* the newest register when the last failover was ordered */
	uint64_t failover_term, failed_over_us, halted_since_us;

	/* The oracle. */
	struct write write[WRITES];
	uint32_t write_count;
	struct {
		uint64_t floor_us; /* the latest begin of a completed write */
		uint32_t writers, serial;
		bool stored;
	} fate[KEYS];
	struct reg truth;
	bool given_up;
	uint8_t recent[16]; /* keys lately written */
	uint32_t recent_next;
	uint64_t stepped_us, moved_us; /* the register's last step; a mover's last batch */
	int truth_vis, vis_count;
	struct {
		int active, pending;
		uint8_t phase;
	} state[STATES];
	struct reg *history; /* every register ever stored */
	uint32_t history_count, history_room;
};

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
void client_timeout(struct world *world, uint32_t number, uint32_t stamp);
void client_dies(struct world *world, uint32_t number, bool back);
void client_born(struct world *world, uint32_t number);

/* ---- mover.c ---- */
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

/* ---- agent.c ---- */
void agent_start(struct world *world, uint32_t machine);
void agent_crash(struct world *world, uint32_t machine, uint64_t away_us);
void agent_pump(struct world *world, uint32_t machine);
void agent_tick(struct world *world, uint32_t machine);
void agent_message(struct world *world, struct message *message);
/* Does it keep this order, the first of its term that it hears of? */
bool failover_take(struct machine *machine, uint64_t term, uint8_t to);
/* The machine whose coordinator leads in the newest term, or NOBODY. */
uint32_t leader(const struct world *world);

/* ---- owing.c ---- */
void owing_start(struct world *world, uint32_t machine);
void owing_die(struct world *world, uint32_t machine);
bool owing_add(struct world *world, uint32_t machine, uint32_t key, uint32_t uid, uint32_t write);
bool owing_pump(struct world *world, uint32_t machine);
void owing_tick(struct world *world, uint32_t machine);
void owing_present(struct world *world, uint32_t machine, const struct reg *reg);
void owing_replied(struct world *world, struct command *command);

/* ---- operator.c ---- */
void operator_acts(struct world *world);

/* ---- faults.c ---- */
void fault_register_lost(struct world *world, uint32_t machine);
void fault_kills_mover(struct world *world, uint32_t machine);
void fault_evicts_stub(struct world *world, const struct mover_key *slot);
void fault_strikes(struct world *world);
void faults_heal(struct world *world, bool all);

/* ---- check.c ---- */
void check_stored(struct world *world, uint32_t machine, const struct reg *reg);
int check_vis(struct world *world, const struct reg *reg);
void check_operation(struct world *world, uint32_t client);
void check_barrier(struct world *world);
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
