/* owed_internal.h - what the files of the owed queue share; nobody else includes it.
 *
 * A key's way:  NEW -(stored)-> READY -> RUNNING -(it counted)-> PAID -(stored)-> GONE -(told)->
 * free.  An execution that did not count leads back to READY; a key added again is READY again, or
 * NEW where its removal may be on disk already.  By its state an entry is in exactly one list:
 * NEW and PAID in `pending` or `batch`, READY in `ready`, `stranded` or a server's `parked`.
 */
#ifndef MCROSTER_OWED_INTERNAL_H
#define MCROSTER_OWED_INTERNAL_H

#include "core/owed.h"

enum owed_entry_state {
	OWED_FREE,
	OWED_NEW,     /* its record is to be written */
	OWED_READY,   /* on disk, to be executed */
	OWED_RUNNING, /* on disk, being executed */
	OWED_PAID,    /* an execution counted; its removal is to be written */
	OWED_GONE     /* only to be told */
};

struct owed_entry {
	uint8_t state; /* enum owed_entry_state */
	bool telling, answer, accepted, complete;
	bool removal_unsure; /* PAID: a store of its removal failed, so it may be on disk */
	uint8_t failed;	     /* steps of the last execution that failed, in view `failed_view` */
	uint8_t key_bytes;
	uint8_t key[OWED_KEY_MAX];
	uint32_t uid, failed_view;
	uint32_t next, hash_next, tell_next;
	uint32_t backoff_ms;
	uint64_t since_s, due_ms;
	uint64_t added;	   /* the newest add */
	uint64_t answered; /* adds that OWED_ANSWER is about */
	uint64_t covered;  /* adds that the last execution that counted was about */
};

void owed_push(struct owed *owed, struct owed_list *list, uint32_t number);
uint32_t owed_pop(struct owed *owed, struct owed_list *list);
/* All of `from` to the end of `to`. */
void owed_splice(struct owed *owed, struct owed_list *to, struct owed_list *from);

void owed_tell_answer(struct owed *owed, uint32_t number, bool accepted);
void owed_tell_complete(struct owed *owed, uint32_t number);
/* It is owed no longer; freed once there is nothing more to tell. */
void owed_drop(struct owed *owed, uint32_t number);

static inline struct owed_entry *owed_at(const struct owed *owed, uint32_t number)
{
	return &owed->entry[number];
}

static inline bool owed_again(const struct owed_entry *entry)
{
	return entry->added > entry->covered;
}

/* owed_disk.c */
bool owed_disk_wanted(const struct owed *owed, uint64_t now_ms);
bool owed_disk_next(struct owed *owed, uint64_t now_ms, struct owed_action *action);
/* owed_execute.c */
bool owed_execute_next(struct owed *owed, uint64_t now_ms, struct owed_action *action);

#endif
