/* status.h - the text of a STATUS message, understood.
 *
 * One item a line, "name value".  Names that this version does not know are kept beside the rest,
 * so that an older mcadmin can still hand on what a newer agent says.
 */
#ifndef MCROSTER_ADMIN_STATUS_H
#define MCROSTER_ADMIN_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admin/json.h"
#include "list/failure.h"
#include "list/list.h"

#define STATUS_WORD_MAX 31u
#define STATUS_TEXT_MAX 255u

/* Invalidations that clients of an agent's host could not deliver, and handed over. */
struct status_owed {
	uint64_t keys, bytes, max; /* owed now, their records on disk, as many as there may be */
	uint64_t refused;	   /* since the agent started */
	uint64_t since;		   /* of the oldest, Unix s */
	char trouble[STATUS_TEXT_MAX + 1]; /* why no more of them can be stored */
};

struct status_server {
	char name[LIST_NAME_MAX + 1], address[LIST_ADDRESS_MAX + 1], agent[LIST_NAME_MAX + 1];
	uint64_t old_slots, new_slots;
	/* What its agent does there; the asked agent knows it of its own servers. */
	char phase[STATUS_WORD_MAX + 1], work[STATUS_WORD_MAX + 1]; /* "": nothing */
	uint64_t found, moved, present, expired, gone, failed, cold, left, rate,
	    ms_left; /* ms_left 0: not known */
	uint64_t failed_refused, failed_both_sides, failed_too_often, failed_late, failed_given_up;
	uint64_t owed, owed_since; /* keys that `agent` of the status has still to delete there */
	uint64_t asked_owed, asked_owed_since; /* the same of the asked agent */
};

struct status_host {
	char name[LIST_NAME_MAX + 1];
	char release[STATUS_WORD_MAX + 1]; /* of its agent; "-": not known */
	int64_t lease_left_ms;		   /* -1: none */
	uint64_t term, serial;		   /* adopted */
	char phase[STATUS_WORD_MAX + 1], work[STATUS_WORD_MAX + 1];
	uint64_t found, moved, present, expired, gone, failed, cold, left, rate;
	/* Its registered clients, by how they stand with its newest generation. */
	uint64_t clients_adopted, clients_idle, clients_silent, clients_refused, clients_gone;
	char reason[STATUS_TEXT_MAX + 1];
};

/* A document by its hash, or none. */
struct status_hash {
	bool there;
	uint8_t bytes[LIST_HASH_BYTES];
};

/* A document that contradicts an accepted one. */
struct status_evidence {
	char kind[STATUS_WORD_MAX + 1]; /* "list", "keys" */
	uint64_t number;
	struct status_hash hash;
	bool asked; /* kept by the agent that was asked, not by the one whose view it is */
};

struct status_other {
	char *name, *value;
};

struct status {
	bool cluster_view; /* the coordinator's; otherwise what the asked agent knows by itself */
	char agent[LIST_NAME_MAX + 1], cluster[LIST_NAME_MAX + 1], coordinator[LIST_NAME_MAX + 1];
	char version[STATUS_WORD_MAX + 1], phase[STATUS_WORD_MAX + 1];
	uint64_t epoch, next_epoch; /* next_epoch 0: no change under way */
	bool settled, isolated;
	uint64_t term, serial, generation;
	int64_t lease_left_ms;		     /* -1: none */
	char reason[STATUS_TEXT_MAX + 1];    /* why the last change was undone */
	char waits_for[STATUS_TEXT_MAX + 1]; /* what holds the present phase up */
	char trouble[STATUS_TEXT_MAX + 1];   /* why the agent cannot store its state */
	struct status_hash active, pending;  /* the lists that the register names */
	bool aborting;			     /* the change is to be undone by an order */
	char *given_up, *excused;	     /* names, a blank between them; NULL: not said */
	uint64_t keys_version; /* of the keys document in force; 0: agent.conf's keys */
	struct status_hash keys;
	uint64_t equivocation;		  /* contradicting documents that were refused and kept */
	struct status_evidence *evidence; /* which they are */
	uint32_t evidence_count;
	struct status_owed owed;
	/* What the agent that was asked says of itself, beside the coordinator's view. */
	char asked[LIST_NAME_MAX + 1]; /* "": it is its own view */
	bool asked_isolated;
	char asked_trouble[STATUS_TEXT_MAX + 1];
	struct status_owed asked_owed;
	uint64_t asked_equivocation;
	uint64_t failover_term;
	char failover_agent[LIST_NAME_MAX + 1]; /* "": none was ordered */
	/* The present or last change. */
	uint64_t change_epoch, change_slots, change_slots_moved;
	uint64_t keys_found, keys_moved, keys_present, keys_expired, keys_gone, keys_failed,
	    keys_cold, keys_left, keys_rate;
	uint64_t change_ms;
	uint64_t rate_keys, rate_bytes; /* limits of the agent's movers, a second; 0: none */
	uint32_t server_count, host_count, other_count;
	struct status_server *servers;
	struct status_host *hosts;
	struct status_other *others;
};

/* -EBADMSG naming the line for a known name with a value that is not of its kind; -ENOMEM. Strings
 * are printable ASCII afterwards, and cut where they are too long. */
int status_parse(const char *body, size_t body_bytes, struct status **status,
		 struct failure *failure);
void status_free(struct status *status); /* NULL is fine */

/* Is the name one of `names` (given_up, excused)? */
bool status_names(const char *names, const char *name);

/* The host of that name; NULL: the status has none. */
const struct status_host *status_host_find(const struct status *status, const char *name);

/* The members of an object. */
void status_json(const struct status *status, struct json *json);

#endif
