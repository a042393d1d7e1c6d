/* world.h - what a simulated world consists of. */
#ifndef MCROSTER_SIM_WORLD_H
#define MCROSTER_SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/clients.h"
#include "core/coord.h"
#include "core/election.h"
#include "core/host.h"
#include "core/move.h"
#include "core/owed.h"
#include "core/pass.h"
#include "fake_etcd.h"
#include "mcroster.h"
#include "names.h"

#define AGENTS	      8u  /* listed */
#define MACHINES      10u /* and two observers */
#define SERVERS	      7u
#define KEYS	      56u
#define CLIENTS	      30u
#define REGISTERED    64u /* at an agent, with those that are gone and not forgotten */
#define CANDIDATES    3u  /* where the register is in etcd */
#define CALLS	      64u
#define LISTS	      64u
#define LAYOUTS	      160u
#define MOVERS	      24u
#define BATCH	      8u
#define COMMANDS      4096u
#define MESSAGES      1024u
#define WRITES	      16384u
#define STATES	      256u
#define WAITS	      32u
#define NOBODY	      255u
#define NEVER	      UINT64_MAX
#define MS	      1000u
#define SECOND	      1000000u
#define SETTLE_US     (60u * SECOND)
#define SETTLE_TENTHS 1200u
#define EVENTS_MIN    5000u
#define EVENTS_MAX    12000u

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
	/* As its agent knows it. */
	bool registers; /* also where it need not */
	bool marked;	/* it passed its counts, and is looked at */
	bool serves;	/* it acknowledges */
	bool seldom;	/* it is idle nearly always */
	bool unsaid;	/* an acknowledgement waits for the end of what it runs */
	uint32_t incarnation, entry, attempt; /* incarnation 0: it is not registered */
	uint32_t counted, used; /* the generation of the operation under way, or 0; newest */
	struct {
		bool any;
		uint32_t generation;
		int vis;
		uint64_t deadline_us;
	} left; /* by the process that died here last */
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
	int failover_active, failover_pending; /* the lists when it was ordered; -1: none */
};

struct turn {
	uint64_t published_us, retire_us;
	const struct layout *layout;
	uint8_t phase; /* enum mcr_phase */
	bool required; /* registration */
	int vis;
	uint32_t op_timeout_ms;
};

struct segment {
	uint32_t generation;
	struct turn turn[4];
	uint64_t deadline_us, started_us, heartbeat_us;
	uint32_t incarnation; /* the agent's */
	struct reg reg;	      /* newest published, to see that it only grows */
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
	bool shared; /* it stands in the elections of an etcd that holds the register */
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
	uint8_t led_by;	   /* whom the elections name, or NOBODY */
	struct reg led_at; /* known when another agent named him */
	struct election election;
	uint64_t election_us;
	bool led_told; /* by etcd, not by other agents */
	bool elected, held, writing, stopped_leading;
	struct reg written; /* held: the register that stood in etcd; writing: that is to stand */
	struct host_state storing;
	struct reg work_reg;
	bool working, stopping, pumping, again;
	uint64_t tick_us;
	uint64_t answered_us, asked_us, successor_us, pinged_us, announced_us;
	uint64_t acknowledged_term, acknowledged_serial; /* as reported last */
	uint64_t failover_term;
	uint8_t failover_to;
	struct owed owed;
	const struct layout *owed_layout;
	struct owed_waiting wait[WAITS];
	struct connection connection[SERVERS];
	struct clients clients;
	struct {
		uint8_t client;
		uint32_t life, attempt;
	} peer[REGISTERED];
	uint32_t quorum;
	bool clients_waited; /* one that runs something older holds a generation up */
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
	uint32_t source_generation, destination_generation, life; /* life: of the new owner */
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

/* ---- etcd ---- */

struct etcd_call {
	bool used, landed, told, list_held; /* landed: nothing of it is on the way there */
	uint8_t machine;
	uint32_t life, stamp;
	struct election_reply reply;
	struct fake_request request;
	struct fake_value leader, reg; /* as they stood when it was carried out */
};

struct etcd {
	bool up, gone, set_back, lists_lost;
	bool cut_in[MACHINES], cut_out[MACHINES];
	uint32_t life, calls;
	uint64_t rate_ppm, base_ms; /* of its clock */
	uint64_t stopped_until_us, slow_us, garbage_until_us, set_back_us;
	uint32_t slow_by_us;
	struct fake_value newest; /* while set_back */
	uint32_t newest_lists;
	struct fake_etcd fake;
	struct etcd_call call[CALLS];
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
	EV_CLIENT_SERVE,
	EV_CLIENT_SAYS,
	EV_MOVER_WAKE,
	EV_MOVER_DIALLED,
	EV_MOVER_BUSY,
	EV_MOVER_LATE,
	EV_CACHE_UP,
	EV_OPERATOR,
	EV_FAULT,
	EV_HEAL,
	EV_MOVER_DIES,
	EV_CACHE_DIES,
	EV_ELECTION,
	EV_ETCD_ARRIVES,
	EV_ETCD_ANSWERS,
	EV_ETCD_LATE,
	EV_ETCD_UP,
	EV_ETCD_BACK,
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
	/* Sums over the seeds. */
	uint64_t seeds, events, simulated_us;
	uint64_t fault[FAULT_COUNT], reached[REACHED_COUNT], operations, violations;
	uint64_t
	    settled[SETTLE_TENTHS]; /* seeds, by the time from their last fault until settled */
	/* And what is no sum. */
	uint64_t events_min, events_max, settled_max_us;
};

/* What is struck: where everything is at once, changes seldom get far. */
enum struck {
	STRUCK_ALL,
	STRUCK_ETCD,   /* nothing but etcd and who leads by it */
	STRUCK_KEYS,   /* memcacheds, clients, and agents for a moment: what keys are on */
	STRUCK_AGENTS, /* agents, time and again, and registers; messages come late */
};

/* What clients do most. */
enum habit { HABIT_MIXED, HABIT_READS, HABIT_DELETES };

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

	bool shared;	/* the register lives in etcd */
	uint32_t ttl_s; /* of a leadership */
	uint8_t candidate[CANDIDATES], last_leader;
	struct etcd etcd;
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

	enum struck struck;
	enum habit habit;
	uint32_t loss_percent, delay_us, late_percent, duplicate_percent, op_pause_us;
	uint32_t op_timeout_ms, lease_ms, steady_lease_ms;
	uint32_t quorum; /* of the clients, per cent */
	bool required;	 /* registration */
	uint32_t incarnations, attempts;
	uint32_t giving_up, aborting; /* how eager operators are, per cent */
	bool faults_on;
	uint32_t fault_rate_us, away_us, slow_by_us;
	uint32_t seldom; /* one in so many writes and publications has its agent die */
	uint64_t faults_end_us, deadline_us, healed_us, settled_us;
	bool settled; /* since the last fault */
	bool ordered; /* a failover, since then */
	uint32_t changes_begun, changes_ended, changes_wanted;
	uint32_t deadline_changes, disks_lost, failed_over_to;
	int next_list;
	bool register_gone, register_copy; /* the coordinator's; the operator has its file */
	bool register_back;		   /* an older one came back */
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

#endif
