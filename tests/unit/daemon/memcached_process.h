/* memcached_process.h - real memcached processes for tests, and a plain client of them.
 *
 * Each listens on a free port of the loopback; it is ended by its pid, at the latest when the test
 * process ends.  Whatever goes wrong here fails the test.
 */
#ifndef MEMCACHED_PROCESS_H
#define MEMCACHED_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct memcached_process {
	pid_t pid; /* 0: not running */
	uint16_t port;
	char address[32];
	int fd; /* the test's own connection */
};

/* Starts one with the given further arguments (NULL-terminated; NULL: none) and waits until it
 * answers.  Where `port` is set already that port is used: a restart. */
void memcached_start(struct memcached_process *process, const char *const *arguments);
void memcached_kill(struct memcached_process *process); /* SIGKILL, and waited for */
void memcached_stop(
    struct memcached_process *process); /* stopped as by SIGSTOP: it answers nothing */
void memcached_continue(struct memcached_process *process);

struct memcached_item {
	bool hit, stub; /* stub: flag Z and size 0 */
	uint32_t flags;
	long ttl; /* -1: none */
	uint64_t cas;
	size_t length;
	char *value; /* valid until the next command to any process */
};

/* Keys are any bytes; those that a text line cannot carry go in base64. */
void memcached_set(struct memcached_process *process, const void *key, size_t key_bytes,
		   const void *value, size_t length, uint32_t flags, long ttl);
struct memcached_item memcached_get(struct memcached_process *process, const void *key,
				    size_t key_bytes);
void memcached_delete(struct memcached_process *process, const void *key, size_t key_bytes);
/* Sends a line (without its end) and gives back the first line of the reply. */
const char *memcached_say(struct memcached_process *process, const char *line);
uint64_t memcached_items(struct memcached_process *process); /* curr_items */
uint64_t memcached_stat(struct memcached_process *process, const char *name);
/* Sends what was written with the functions below in one go and reads as many replies: `count`
 * keys "<prefix><i>", i from `first`, each with the value "<word><i>". */
void memcached_fill(struct memcached_process *process, const char *prefix, unsigned first,
		    unsigned count, const char *word);

#endif
