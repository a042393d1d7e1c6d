/* fleet_rig.h - several real agents in this process, on one event base, over loopback sessions.
 *
 * They have no memcacheds: the changes that they carry move no key.  Everything is awaited by a
 * condition; nothing sleeps.
 */
#ifndef MCROSTER_TEST_FLEET_RIG_H
#define MCROSTER_TEST_FLEET_RIG_H

#include "daemon/agent.h"
#include "list/order.h"

#define FLEET_MAX 4u

struct fleet_agent {
	struct config config;
	struct agent *agent; /* NULL: it is down */
};

struct fleet_document {
	void *bytes;
	size_t length;
	uint8_t hash[LIST_HASH_BYTES];
};

struct fleet {
	struct event_base *base;
	uint32_t count;
	struct fleet_agent at[FLEET_MAX]; /* named a0, a1, ... */
	char directory[64];
	uint8_t operator_public[DOCUMENT_KEY_BYTES], operator_secret[DOCUMENT_SECRET_BYTES];
};

/* Configured, and down. */
void fleet_new(struct fleet *fleet, uint32_t count);
void fleet_free(struct fleet *fleet);
void fleet_up(struct fleet *fleet, uint32_t number);
void fleet_down(struct fleet *fleet, uint32_t number);
/* It forgets everything; it has to be down. */
void fleet_forget(struct fleet *fleet, uint32_t number);
/* The path of one of its files. */
void fleet_path(const struct fleet *fleet, uint32_t number, const char *name, char path[256]);
void fleet_shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A list of all agents, signed; `parent` may be NULL.  The caller frees bytes. */
struct fleet_document fleet_list(struct fleet *fleet, uint64_t epoch,
				 const struct fleet_document *parent, uint32_t coordinator);
/* A failover order for the settled list `active`, signed. */
struct fleet_document fleet_failover(struct fleet *fleet, const struct fleet_document *active,
				     uint64_t term, uint32_t target);
/* The operator's key is replaced, from `hash` (zeros: the key of the configuration) on: the next
 * keys document, whose hash is in `hash` then.  What is signed later is signed with the new key. */
struct fleet_document fleet_rotate(struct fleet *fleet, uint64_t version,
				   uint8_t hash[LIST_HASH_BYTES]);
/* The verdict; the sentence in `text`. */
uint8_t fleet_offer(struct fleet *fleet, uint32_t number, const struct fleet_document *document,
		    char text[512]);
/* Offered again and again until it is taken. */
void fleet_take(struct fleet *fleet, uint32_t number, const struct fleet_document *document);

/* Runs the loop until the condition holds; the test has failed when it does not within 20 s. */
#define FLEET_UNTIL(fleet, condition)                                                              \
	do {                                                                                       \
		const uint64_t fleet_end_ms = clock_now_ms() + 20000;                              \
		while (!(condition)) {                                                             \
			ck_assert_msg(clock_now_ms() < fleet_end_ms, "never: %s", #condition);     \
			fleet_step(fleet);                                                         \
		}                                                                                  \
	} while (0)
void fleet_step(struct fleet *fleet);
/* Runs the loop for so long: for what must not happen meanwhile. */
void fleet_run(struct fleet *fleet, uint64_t for_ms);

/* Does it coordinate in a settled epoch, with its term on disk? */
bool fleet_leads(const struct fleet *fleet, uint32_t number, uint64_t epoch);
bool fleet_leased(const struct fleet *fleet, uint32_t number, uint64_t epoch);
/* The first list, coordinated by a0; everybody holds a lease. */
struct fleet_document fleet_begin(struct fleet *fleet);

#endif
