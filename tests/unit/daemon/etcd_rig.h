/* etcd_rig.h - candidates of one cluster in one process, and a relay that can be slow, deaf or
 * mute.
 *
 * Each candidate has a loop of its own, so one can be stopped, as by SIGSTOP, while the others go
 * on: its loop is not run.  rig_until runs all that are not stopped.
 */
#ifndef ETCD_RIG_H
#define ETCD_RIG_H

#include <check.h>

#include "daemon/store.h"
#include "etcd_process.h"

#define RIG_CANDIDATES 3u
#define RIG_LEASE_S    3u
#define RIG_LEASE_MS   (RIG_LEASE_S * 1000u)
#define RIG_LEADER     "/mcroster/web/leader"
#define RIG_REGISTER   "/mcroster/web/register"

struct candidate {
	struct config config;
	struct event_base *base;
	struct store *store;
	bool stopped;
	bool led;
	uint64_t until_ms;
	bool has_reg;
	struct reg reg;
	unsigned elected, lost, stored, refused, lists;
	size_t list_bytes;		   /* of the last one */
	int list_error;			   /* what the owner says of a list */
	uint8_t in_force[LIST_HASH_BYTES]; /* the keys that it is to be told of */
	uint64_t keys_known;		   /* their version that it holds already */
	unsigned keys;			   /* how many it was given, and the last one's version */
	uint64_t keys_version;
	int keys_error; /* what the owner says of them */
	char why[FAILURE_BYTES], trouble[FAILURE_BYTES], leader[LIST_NAME_MAX + 1];
	char troubles[4096]; /* every one there was, a line each */
};

extern struct candidate rig[RIG_CANDIDATES];

void rig_open(struct candidate *candidate, const char *name, const char *url,
	      const char *other_url);
void rig_start(struct candidate *candidate, const struct reg *known); /* after rig_open */
void rig_close_all(void);
/* One round of every loop that is not stopped. */
void rig_step(void);
uint64_t rig_now_ms(void);
/* Does it lead at this moment, by the clock? */
bool rig_leads(const struct candidate *candidate);
struct candidate *rig_leader(void); /* or NULL; two of them fail the test */

/* Runs everything until the condition holds; fails the test, with its text, after 30 s. */
#define rig_until(condition)                                                                       \
	do {                                                                                       \
		const uint64_t rig_end_ms = rig_now_ms() + 30000;                                  \
		while (!(condition)) {                                                             \
			ck_assert_msg(rig_now_ms() < rig_end_ms, "never: %s", #condition);         \
			rig_step();                                                                \
		}                                                                                  \
	} while (0)
void rig_run_ms(uint64_t ms);

#define RIG_LIST "mcroster-list 1\ncluster web\nepoch 1\n"
/* A register that names RIG_LIST, the list's body with it or not; and answered. */
void rig_write(struct candidate *candidate, uint64_t term, uint64_t serial, bool with_list);
void rig_write_list(struct candidate *candidate, const struct reg *reg, const void *list,
		    size_t bytes);
void rig_write_whole(struct candidate *candidate, uint64_t term, uint64_t serial);
struct reg rig_reg(uint64_t term, uint64_t serial, const void *list, size_t bytes);

/* The key of a body of that kind; valid until the next call. */
const char *rig_key(const char *kind, const uint8_t hash[LIST_HASH_BYTES]);

/* A relay on the loopback, on a loop that rig_step runs too. */
enum relay_mode {
	RELAY_PASS,
	RELAY_MUTE, /* requests pass, answers are kept back for good */
	RELAY_DEAF  /* nothing passes, connections are taken */
};
struct relay;
struct relay *relay_new(const struct etcd_process *to);
void relay_free(struct relay *relay);
const char *relay_url(const struct relay *relay);
void relay_set(struct relay *relay, enum relay_mode mode, unsigned delay_ms);

/* A server that answers whatever comes with these bytes and hangs up. */
struct liar;
struct liar *liar_new(void);
void liar_free(struct liar *liar);
const char *liar_url(const struct liar *liar);
void liar_says(struct liar *liar, const void *bytes, size_t length);
unsigned liar_asked(const struct liar *liar); /* since liar_says */

/* Runs a suite: they wait far more than they do, so RIG_AT_ONCE of them wait side by side, each in
 * a process with an etcd of its own.  What main returns. */
#define RIG_AT_ONCE 4u
int rig_suite(const char *name, const TTest *const *tests, unsigned count, SFun set_up,
	      SFun tear_down);

/* A test's own; whatever of it is there is taken away by rig_tear_down. */
extern struct etcd_process rig_etcd, rig_other;
extern struct relay *rig_relay;
extern struct liar *rig_liar;
void rig_set_up(void);
void rig_tear_down(void);

#endif
