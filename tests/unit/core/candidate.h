/* candidate.h - a candidate of core/election.h in a test, and everything that it has said. */
#ifndef CANDIDATE_H
#define CANDIDATE_H

#include "fake_etcd.h"

#define TTL_S 5u
#define TTL   (TTL_S * 1000u)

/* The world of a test. */
extern struct fake_etcd etcd;
extern struct fake_history history;
extern uint64_t now;

struct candidate {
	struct election election;
	char name[16];
	bool led, elected_none;
	struct reg reg;
	uint64_t until_ms;
	unsigned elected, lost, stored, refused, lists, keys;
	unsigned
	    keys_before; /* so many times it asks for the version before the one it was given */
	char why[FAILURE_BYTES], trouble[FAILURE_BYTES], leader[LIST_NAME_MAX + 1];
};

struct reg reg_of(uint64_t term, uint64_t serial);
/* The register's value; valid until the next call. */
const char *text_of(const struct reg *reg, const char *cluster, bool moved);

void candidate_begin(struct candidate *candidate, const char *name);
/* The next request; what is said before it is heard. */
bool candidate_asks(struct candidate *candidate, struct fake_request *request);
/* The request arrives and is answered at once; or nobody knows whether it did. */
void answer(struct candidate *candidate, const struct fake_request *request);
void answer_lost(struct candidate *candidate, const struct fake_request *request);

#endif
