/* names.h - what can go wrong, and what situations are to be reached, each with its words. */
#ifndef MCROSTER_SIM_NAMES_H
#define MCROSTER_SIM_NAMES_H

#define FAULTS(X)                                                                                  \
	X(AGENT_CRASH, "agent crashes")                                                            \
	X(STORE_BEFORE, "crashes before a write to disk")                                          \
	X(STORE_AFTER, "crashes after a write to disk, before it is acknowledged")                 \
	X(STORE_FAILS, "failed writes to disk")                                                    \
	X(PUBLISH_CRASH, "crashes beside a publication")                                           \
	X(ACK_CRASH, "crashes beside an acknowledgement")                                          \
	X(MACHINE_CRASH, "machine crashes")                                                        \
	X(DISK_LOST, "lost disks")                                                                 \
	X(DISK_BACK, "rolled-back disks")                                                          \
	X(REGISTER_BACK, "rolled-back registers")                                                  \
	X(REGISTER_LOST, "lost registers")                                                         \
	X(STOPPED_AGENT, "stopped agents")                                                         \
	X(STOPPED_MACHINE, "stopped machines")                                                     \
	X(STOPPED_CLIENT, "stopped clients")                                                       \
	X(CLIENT_DEATH, "client deaths")                                                           \
	X(UNREGISTERED, "registrations of living clients lost")                                    \
	X(PARTITION, "partitions")                                                                 \
	X(ONE_WAY, "one-way partitions")                                                           \
	X(ISOLATED, "hosts cut off")                                                               \
	X(CUT_CACHE, "hosts cut off from one server")                                              \
	X(LOSS, "messages lost")                                                                   \
	X(DUPLICATE, "messages duplicated")                                                        \
	X(REORDER, "messages delayed past others")                                                 \
	X(CACHE_CRASH, "memcached restarts")                                                       \
	X(EVICTION, "evictions")                                                                   \
	X(SLOW_CACHE, "slow memcacheds")                                                           \
	X(REPLY_LOST, "replies of memcached lost")                                                 \
	X(REFUSAL, "memcacheds that refuse values")                                                \
	X(CLOCK_STEP, "wall-clock steps")                                                          \
	X(DRIFT, "drifting clocks")                                                                \
	X(ETCD_CRASH, "etcd restarts")                                                             \
	X(ETCD_STOPPED, "stops of etcd")                                                           \
	X(ETCD_SLOW, "times in which etcd is slow")                                                \
	X(ETCD_CUT, "candidates cut off from etcd")                                                \
	X(ETCD_REPLY_LOST, "answers of etcd lost")                                                 \
	X(ETCD_NO_SPACE, "requests that etcd refused for want of space")                           \
	X(ETCD_GARBAGE, "garbled or false answers of etcd")                                        \
	X(ETCD_SET_BACK, "etcds that came back with an older register")                            \
	X(ETCD_EMPTIED, "etcds that came back without a register")

#define SITUATIONS(X)                                                                              \
	X(CHANGE_DONE, "changes done")                                                             \
	X(CHANGE_UNDONE, "changes undone")                                                         \
	X(IN_PREPARE, "agents restarted in PREPARE")                                               \
	X(IN_COPY, "agents restarted in COPY")                                                     \
	X(IN_SWITCH, "agents restarted in SWITCH")                                                 \
	X(IN_SETTLE, "agents restarted in SETTLE")                                                 \
	X(IN_DRAIN, "agents restarted in DRAIN")                                                   \
	X(IN_GIVEUP, "agents restarted in GIVEUP")                                                 \
	X(IN_AFTER, "agents restarted in AFTER or PURGE")                                          \
	X(IN_UNWIND, "agents restarted in UNWIND, BACK or CLEAN")                                  \
	X(COORD_RESTART, "coordinators restarted in a change")                                     \
	X(MOVED, "keys moved")                                                                     \
	X(STUB_LOST, "reservations lost to a client")                                              \
	X(STUB_SEEN, "reservations met by a client")                                               \
	X(STUB_EVICTED, "reservations evicted under a mover")                                      \
	X(STUB_FOREIGN, "reservations of another mover met")                                       \
	X(DELTA, "delta passes that found keys")                                                   \
	X(DRAIN_NEWER, "keys drained that were newer than the mark")                               \
	X(DRAIN_UNSURE, "keys drained with the mark unknown")                                      \
	X(MOVER_RESTARTED, "movers restarted within a phase")                                      \
	X(MOVER_CUT, "movers cut short")                                                           \
	X(BATCH_LATE, "batches not over in time")                                                  \
	X(NO_LEASE_MOVER, "movers that waited for a lease")                                        \
	X(SOURCE_RESTART, "sources restarted under a mover")                                       \
	X(DESTINATION_RESTART, "new owners restarted under a mover")                               \
	X(REFUSED, "changes refused in PREPARE")                                                   \
	X(UNWIND_PREPARE, "UNWIND from PREPARE")                                                   \
	X(UNWIND_COPY, "UNWIND from COPY")                                                         \
	X(ABORT, "abort orders")                                                                   \
	X(GIVEUP_ORDER, "giveup orders")                                                           \
	X(GIVEUP_LINE, "lists that give a server up")                                              \
	X(GIVEUP, "GIVEUP reached")                                                                \
	X(EXCUSE, "excuse orders")                                                                 \
	X(EXCUSED, "PREPARE passed with an agent excused")                                         \
	X(ORDER_REFUSED, "orders refused")                                                         \
	X(FAILOVER_FILE, "failovers with the register's file")                                     \
	X(FAILOVER, "failovers without it")                                                        \
	X(FAILOVER_TWICE, "failovers ordered twice for one term")                                  \
	X(FAILED_OVER, "failovers carried through")                                                \
	X(HANDOVER, "registers handed over")                                                       \
	X(TAKEN_OVER, "registers taken over")                                                      \
	X(HALTED, "old registers noticed")                                                         \
	X(BUSY, "offers refused: busy")                                                            \
	X(STALE_OFFER, "offers refused: parent or epoch")                                          \
	X(ISOLATED, "plans refused for want of a lease")                                           \
	X(LEASE_RAN_OUT, "phases passed over a host without a lease")                              \
	X(IDLE, "clients that were idle through two publications")                                 \
	X(ADOPTED_EARLY, "generations adopted as soon as the registered clients had")              \
	X(WAITED_FOR_CLIENT, "of these, after waiting for a registered client")                    \
	X(IDLE_HELD_NOTHING, "of these, with an idle client registered")                           \
	X(SILENT, "registered clients that were silent until op_timeout was over")                 \
	X(GONE, "registered clients that were gone, and waited for")                               \
	X(ACKNOWLEDGED, "generations that a client acknowledged")                                  \
	X(ACKNOWLEDGED_LATER, "acknowledgements that an older operation held back")                \
	X(NOT_REGISTERED, "plans refused for want of registration")                                \
	X(UNREGISTERED, "plans without it, as the agent was dead or had just started")             \
	X(QUORUM_PART, "client-quorum reached without all")                                        \
	X(QUORUM_LIMIT, "client-quorum not reached within adopt_limit")                            \
	X(NEWER, "operations that a publication overtook")                                         \
	X(LATE, "steps not sent because their time was over")                                      \
	X(REPEAT, "operations repeated as deletes")                                                \
	X(REPAIRED, "of these, carried through")                                                   \
	X(LAG, "operations planned one phase behind")                                              \
	X(MISS_AGAIN, "misses planned again under a newer generation")                             \
	X(STORED_READ, "reads of keys that must not miss, while they move")                        \
	X(DIED_BETWEEN, "clients that died between two commands")                                  \
	X(JUMP, "hosts that skipped registers")                                                    \
	X(OBSERVER, "observers with a lease")                                                      \
	X(LONG_LEASES, "steps taken while steady leases could run")                                \
	X(OWED, "invalidations that an agent took over")                                           \
	X(OWED_DONE, "of these, carried through while it lived")                                   \
	X(OWED_LATE, "owed deletes that came too late to count")                                   \
	X(OWED_LOADED, "agents restarted while they owed")                                         \
	X(OWED_REFUSED, "invalidations that an agent refused")                                     \
	X(PURGED, "items purged")                                                                  \
	X(SANITISED, "items sanitised")                                                            \
	X(MOVES_STEADY, "leadership moved in STEADY")                                              \
	X(MOVES_PREPARE, "leadership moved in PREPARE")                                            \
	X(MOVES_COPY, "leadership moved in COPY")                                                  \
	X(MOVES_SWITCH, "leadership moved in SWITCH")                                              \
	X(MOVES_SETTLE, "leadership moved in SETTLE")                                              \
	X(MOVES_DRAIN, "leadership moved in DRAIN")                                                \
	X(MOVES_GIVEUP, "leadership moved in GIVEUP")                                              \
	X(MOVES_AFTER, "leadership moved in AFTER or PURGE")                                       \
	X(MOVES_UNWIND, "leadership moved in UNWIND, BACK or CLEAN")                               \
	X(LEADER_LOST, "leaders that lost their leadership alive")                                 \
	X(OLD_LEADER, "old leaders stopped, and resumed under another one")                        \
	X(SLOWER, "campaigns that another candidate won")                                          \
	X(UNKNOWN, "steps whose outcome in etcd was unknown")                                      \
	X(UNKNOWN_RESOLVED, "of these, resolved by their leader")                                  \
	X(UNKNOWN_LEFT, "steps left to the next leader to find out")                               \
	X(STORE_REFUSED, "steps that etcd refused")                                                \
	X(REGISTER_REFUSED, "registers in etcd refused as older or gone")                          \
	X(FAILOVER_ETCD, "failovers of a register in etcd")                                        \
	X(ETCD_TO_FILE, "failovers from an etcd that is gone")

enum fault {
#define X(name, words) FAULT_##name,
	FAULTS(X)
#undef X
	    FAULT_COUNT
};

enum reached {
#define X(name, words) REACHED_##name,
	SITUATIONS(X)
#undef X
	    REACHED_COUNT
};

#endif
