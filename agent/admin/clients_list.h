/* clients_list.h - the client processes of a host, from the agent's own status. */
#ifndef MCROSTER_ADMIN_CLIENTS_LIST_H
#define MCROSTER_ADMIN_CLIENTS_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "admin/status.h"

#define CLIENTS_COMMAND_BYTES 160u

struct clients_process {
	uint64_t pid, uid, generation, age_ms;
	char standing[STATUS_WORD_MAX + 1];
	uint64_t reason; /* why it is refused, enum mcr_error negated; 0: it is not */
	char command[CLIENTS_COMMAND_BYTES]; /* "": its process is not to be seen */
};

struct clients_list {
	struct clients_process *process;
	uint32_t count;
	uint64_t left_out; /* there is no line for so many */
};

/* -ENOTSUP: the agent is of a version that does not list them; -EBADMSG, -ENOMEM. */
int clients_list_make(const struct status *status, struct clients_list *list,
		      struct failure *failure);
void clients_list_clear(struct clients_list *list);

/* Does it run, or may it run, by an older generation than the host's? */
bool clients_process_behind(const struct clients_process *process);

/* The words of a process's command line, from a file such as /proc/1/cmdline. */
void clients_command_read(const char *path, char command[CLIENTS_COMMAND_BYTES]);

#endif
