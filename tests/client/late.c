/* late.c - see late.h. */
#include "late.h"

void late_init(struct late *late)
{
	pthread_mutexattr_t shared;

	pthread_mutexattr_init(&shared);
	pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&late->lock, &shared);
	pthread_mutexattr_destroy(&shared);
}

void late_free(struct late *late)
{
	pthread_mutex_destroy(&late->lock);
}

static unsigned known(const struct late *late)
{
	return late->count < LATE_COMMANDS ? (unsigned)late->count : LATE_COMMANDS;
}

void late_given_up(struct late *late, const struct late_command *command)
{
	struct late_command *place;

	pthread_mutex_lock(&late->lock);
	place = &late->command[late->count++ % LATE_COMMANDS];
	*place = *command;
	place->after_cas = UINT64_MAX;
	pthread_mutex_unlock(&late->lock);
}

void late_seen(struct late *late, uint64_t server_id, uint64_t begun_ns, uint64_t cas)
{
	if (!late->count)
		return;
	pthread_mutex_lock(&late->lock);
	for (unsigned i = 0; i < known(late); i++) {
		struct late_command *command = &late->command[i];

		if (command->server_id == server_id && command->given_up_ns < begun_ns &&
		    cas < command->after_cas)
			command->after_cas = cas;
	}
	pthread_mutex_unlock(&late->lock);
}

bool late_executed(struct late *late, uint32_t index, uint32_t version, uint64_t server_id,
		   uint64_t cas)
{
	bool proven = false;

	pthread_mutex_lock(&late->lock);
	for (unsigned i = 0; !proven && i < known(late); i++) {
		const struct late_command *command = &late->command[i];

		/* At another server it would be a copy of it that is out of its time. */
		proven = command->stores && command->index == index &&
			 command->version == version && command->server_id == server_id &&
			 command->after_cas < cas;
	}
	pthread_mutex_unlock(&late->lock);
	return proven;
}

bool late_removed(struct late *late, uint32_t index, uint64_t now_ns)
{
	bool may = false;

	if (!late->count)
		return false;
	pthread_mutex_lock(&late->lock);
	for (unsigned i = 0; !may && i < known(late); i++) {
		const struct late_command *command = &late->command[i];

		may = command->removes && command->index == index &&
		      now_ns < command->given_up_ns + LATE_WITHIN_NS;
	}
	pthread_mutex_unlock(&late->lock);
	return may;
}

bool late_last(struct late *late, uint32_t index, struct late_command *command)
{
	bool found = false;

	if (!late->count)
		return false;
	pthread_mutex_lock(&late->lock);
	for (uint64_t i = late->count; !found && i > late->count - known(late); i--) {
		*command = late->command[(i - 1) % LATE_COMMANDS];
		found = command->index == index;
	}
	pthread_mutex_unlock(&late->lock);
	return found;
}
