/* late.h - did a memcached execute a command after its client had given it up?
 *
 * A client that gives a command up closes its connection by a reset.  That takes back what is still
 * in its own host's queues; what has reached the server's host memcached reads all the same, when
 * it is its turn: from a connection that it had accepted, and from one that it accepts only then.
 * So a server that is short of processor may execute it at any later time, behind what was written
 * next.  No order of commands prevents that, and mcroster's promise does not cover it
 * (libmcroster(3)).
 *
 * It is not assumed here but proven, by the server's own order: a memcached numbers all that it
 * stores (CAS).  Where it holds a value with a larger number than that of another one whose write
 * had not even begun when the first one's command was given up, it stored the first one after that.
 * What is not proven stays what it was: stale.
 *
 * A delete leaves no number behind.  For some seconds after one was given up it is therefore not
 * asserted that its key is found; nor, after an incr was, that its counter is not ahead by one.
 *
 * Any thread may call, holding the lock of one key's record at most, and any process that shares
 * the memory.
 */
#ifndef MCROSTER_TESTS_LATE_H
#define MCROSTER_TESTS_LATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define LATE_COMMANDS 1024u
/* Twice what was seen of memcacheds on a machine that had 20 others to run for each of its cores.
 */
#define LATE_WITHIN_NS UINT64_C(10000000000)

struct late_command {
	uint32_t index, version;
	bool stores;  /* that version as it is: a set or an add */
	bool removes; /* the key: a delete, perhaps at another server than server_id */
	uint64_t server_id, given_up_ns;
	uint64_t after_cas; /* the smallest of values whose writes began later; private */
};

struct late {
	pthread_mutex_t lock;
	_Atomic uint64_t count; /* so far; the last LATE_COMMANDS of them are known */
	struct late_command command[LATE_COMMANDS];
};

/* `late` is all zeros, in memory that processes share. */
void late_init(struct late *late);
void late_free(struct late *late);

/* The command of this version's write has been given up there. */
void late_given_up(struct late *late, const struct late_command *command);
/* The server holds a value under this number, and its write began then. */
void late_seen(struct late *late, uint64_t server_id, uint64_t begun_ns, uint64_t cas);
/* It holds this version under this number: is that proven to be the work of a command that had been
 * given up by then? */
bool late_executed(struct late *late, uint32_t index, uint32_t version, uint64_t server_id,
		   uint64_t cas);
/* May a delete of the key that had been given up have been executed just now? */
bool late_removed(struct late *late, uint32_t index, uint64_t now_ns);
/* The last command of the key that was given up, if one is known. */
bool late_last(struct late *late, uint32_t index, struct late_command *command);

#endif
