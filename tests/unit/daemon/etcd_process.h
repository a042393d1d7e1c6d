/* etcd_process.h - a real etcd of one member for tests, and a plain client of it.
 *
 * It listens on free ports of the loopback, keeps its data in a directory of its own, and is ended
 * by its pid, at the latest when the test process ends.  Whatever goes wrong here fails the test.
 */
#ifndef ETCD_PROCESS_H
#define ETCD_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct etcd_process {
	pid_t pid; /* 0: not running */
	uint16_t port, peer_port;
	bool tls; /* set by the caller, with the arguments that make it so */
	char directory[64], url[64];
};

uint16_t etcd_free_port(void);

/* Starts one with further arguments (NULL-terminated; NULL: none) and waits until it answers (with
 * `tls`: until it listens).  Started again it takes up its ports and its data. */
void etcd_start(struct etcd_process *process, const char *const *arguments);
void etcd_kill(struct etcd_process *process);	/* SIGKILL, and waited for */
void etcd_remove(struct etcd_process *process); /* killed, its directory removed */

/* POSTs JSON; the answer's body, valid until the next call; *status (NULL is fine) is HTTP's. */
const char *etcd_post(const struct etcd_process *process, const char *path, const char *token,
		      int *status, const char *format, ...) __attribute__((format(printf, 5, 6)));
const char *etcd_base64(const char *text); /* a few may be in use at a time */

void etcd_put(const struct etcd_process *process, const char *key, const char *value);
void etcd_delete(const struct etcd_process *process, const char *key);
/* How often the key was put since it is there; 0: it is not. */
unsigned etcd_version(const struct etcd_process *process, const char *key);

#endif
