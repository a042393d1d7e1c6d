/* clients_list.c - see clients_list.h.  The agent knows processes by their numbers; what they are
 * is looked up here, on the same host. */
#include "admin/clients_list.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/human.h"

void clients_command_read(const char *path, char command[CLIENTS_COMMAND_BYTES])
{
	FILE *file = fopen(path, "re");
	size_t length = 0;

	command[0] = '\0';
	if (file == NULL)
		return;
	length = fread(command, 1, CLIENTS_COMMAND_BYTES - 1, file);
	(void)fclose(file);
	while (length > 0 && command[length - 1] == '\0')
		length--;
	for (size_t i = 0; i < length; i++)
		if (command[i] == '\0')
			command[i] = ' ';
	command[length] = '\0';
	(void)human_clean(command);
}

static bool word_take(struct clients_process *process, const char *word)
{
	const struct {
		const char *name;
		uint64_t *number;
	} numbers[] = {
	    {"uid=", &process->uid},
	    {"generation=", &process->generation},
	    {"age-ms=", &process->age_ms},
	    {"reason=", &process->reason},
	};

	if (strncmp(word, "standing=", 9) == 0)
		(void)snprintf(process->standing, sizeof(process->standing), "%s", word + 9);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const size_t length = strlen(numbers[i].name);

		if (strncmp(word, numbers[i].name, length) == 0)
			return human_number(word + length, 0, UINT64_MAX, numbers[i].number);
	}
	return true; /* of a later version */
}

static bool line_take(struct clients_process *process, const char *value)
{
	char line[STATUS_TEXT_MAX + 1], path[64], *rest = line, *word;

	(void)snprintf(line, sizeof(line), "%s", value);
	word = strsep(&rest, " ");
	if (!human_number(word, 0, INT32_MAX, &process->pid))
		return false;
	while ((word = strsep(&rest, " ")) != NULL)
		if (!word_take(process, word))
			return false;
	if (process->pid == 0)
		return true;
	(void)snprintf(path, sizeof(path), "/proc/%" PRIu64 "/cmdline", process->pid);
	clients_command_read(path, process->command);
	return true;
}

int clients_list_make(const struct status *status, struct clients_list *list,
		      struct failure *failure)
{
	bool listed = false;

	memset(list, 0, sizeof(*list));
	list->process = calloc(status->other_count + 1, sizeof(*list->process));
	if (list->process == NULL)
		return failure_set(failure, ENOMEM, "no memory for the clients");
	for (uint32_t i = 0; i < status->other_count; i++) {
		const struct status_other *other = &status->others[i];

		if (strcmp(other->name, "clients-listed") == 0)
			listed = true;
		if (strcmp(other->name, "clients-left-out") == 0)
			(void)human_number(other->value, 0, UINT64_MAX, &list->left_out);
		if (strcmp(other->name, "client") != 0)
			continue;
		if (!line_take(&list->process[list->count++], other->value)) {
			clients_list_clear(list);
			return failure_set(
			    failure, EBADMSG,
			    "the agent's status: 'client %.80s' cannot be understood",
			    other->value);
		}
	}
	if (listed)
		return 0;
	clients_list_clear(list);
	return failure_set(failure, ENOTSUP,
			   "agent %s, version %s, does not list its clients: it is older than this "
			   "mcadmin, or was asked from another host",
			   status->agent, status->version);
}

void clients_list_clear(struct clients_list *list)
{
	free(list->process);
	memset(list, 0, sizeof(*list));
}

bool clients_process_behind(const struct clients_process *process)
{
	return strcmp(process->standing, "adopted") != 0 && strcmp(process->standing, "idle") != 0;
}
