/* fake_etcd.h - what an etcd does with the requests of core/election.h, on a clock of the caller's.
 *
 * A request takes effect when the caller says that it arrives; whether that is told to anybody is
 * the caller's affair.
 */
#ifndef FAKE_ETCD_H
#define FAKE_ETCD_H

#include "core/election.h"

#define FAKE_LEASES  4096u
#define FAKE_HISTORY 8192u

/* A request as it travels: what the action borrowed is copied. */
struct fake_request {
	enum election_request request;
	uint32_t ttl_s;
	uint64_t lease, leader_revision, register_revision;
	char value[REGISTER_VALUE_BYTES], name[LIST_NAME_MAX + 1];
	uint8_t hash[LIST_HASH_BYTES];
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
	uint32_t list_puts;
	bool no_space;		/* writes are refused */
	bool no_space_lies;	/* and carried out nevertheless */
	uint32_t history_count; /* every value that the register had */
	char history[FAKE_HISTORY][REGISTER_VALUE_BYTES];
};

void fake_init(struct fake_etcd *etcd);
void fake_request(const struct election_action *action, const char *name,
		  struct fake_request *request);
/* Carries it out at now_ms.  *reply borrows from *etcd until the next call. */
void fake_arrives(struct fake_etcd *etcd, const struct fake_request *request, uint64_t now_ms,
		  struct election_reply *reply);
void fake_put_register(struct fake_etcd *etcd, const char *text);

#endif
