/* fake_etcd.h - what an etcd does with the requests of core/election.h, on a clock of the caller's.
 *
 * A request takes effect when the caller says that it arrives; whether that is told to anybody is
 * the caller's affair.  The simulator (tests/sim) runs it too.
 */
#ifndef FAKE_ETCD_H
#define FAKE_ETCD_H

#include "core/election.h"

#define FAKE_LEASES  4096u
#define FAKE_LISTS   64u
#define FAKE_HISTORY 8192u

/* A request as it travels: what the action borrowed is copied. */
struct fake_request {
	enum election_request request;
	uint32_t ttl_s;
	uint64_t lease, leader_revision, register_revision;
	char value[REGISTER_VALUE_BYTES], name[LIST_NAME_MAX + 1];
	uint8_t hash[LIST_HASH_BYTES];
	uint32_t drop_count;
	uint8_t drop[ELECTION_LISTS][LIST_HASH_BYTES];
};

struct fake_value {
	bool held;
	uint64_t create_revision, mod_revision, lease;
	char text[REGISTER_VALUE_BYTES];
	size_t bytes;
};

struct fake_etcd {
	uint64_t revision;
	uint32_t lease_count;
	uint64_t lease_end_ms[FAKE_LEASES]; /* lease n is number n + 1; 0: gone */
	uint32_t lease_ttl_s[FAKE_LEASES];
	struct fake_value leader, reg;
	uint32_t list_puts, list_count;
	uint8_t list[FAKE_LISTS][LIST_HASH_BYTES]; /* whose bodies it holds */
	bool no_space;				   /* writes are refused */
	bool no_space_lies;			   /* and carried out nevertheless */
	struct fake_history *history;		   /* NULL: none is kept */
};

/* Every value that the register had. */
struct fake_history {
	uint32_t count;
	char text[FAKE_HISTORY][REGISTER_VALUE_BYTES];
};

/* `history` is borrowed and begins anew; NULL: none is kept. */
void fake_init(struct fake_etcd *etcd, struct fake_history *history);
void fake_request(const struct election_action *action, const char *name,
		  struct fake_request *request);
/* Carries it out at now_ms.  *reply borrows from *etcd until the next call. */
void fake_arrives(struct fake_etcd *etcd, const struct fake_request *request, uint64_t now_ms,
		  struct election_reply *reply);
/* Leases whose time is over end. */
void fake_expire(struct fake_etcd *etcd, uint64_t now_ms);
/* It comes back after a crash: its leases last as long again from now. */
void fake_restart(struct fake_etcd *etcd, uint64_t now_ms);
/* All that hangs on leases is gone, as after a restore from a backup. */
void fake_drop_leases(struct fake_etcd *etcd);
bool fake_list_held(const struct fake_etcd *etcd, const uint8_t hash[LIST_HASH_BYTES]);
void fake_put_register(struct fake_etcd *etcd, const char *text);

#endif
