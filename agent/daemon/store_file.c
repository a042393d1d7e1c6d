/* store_file.c - see store.h: the register in a file of the state directory.
 *
 * The state directory's lock makes this agent the only one, so it leads as soon as the file was
 * read, and for ever.  A write is done within the call; what there is to say is said from the loop.
 * A file that cannot be read is tried again, for an operator may put it right meanwhile.  Where the
 * register was moved away the file is renamed, and a file "register.moved" alone elects nobody.
 */
#include "daemon/store_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_S 2

struct store_file {
	struct store store;
	struct state *state;
	const char *name;
	struct event *event;
	bool take_moved;
	bool elected, resigned;
	bool held, moved;
	struct reg reg;
	bool say_stored, stored_ok, say_lost;
	char stored_why[FAILURE_BYTES], trouble[FAILURE_BYTES];
};

static void file_trouble(struct store_file *file, const char *why)
{
	const struct store_owner *owner = &file->store.owner;

	if (strcmp(file->trouble, why) == 0)
		return;
	(void)snprintf(file->trouble, sizeof(file->trouble), "%s", why);
	if (owner->events->trouble != NULL)
		owner->events->trouble(owner->context, file->trouble);
}

/* -ENOENT: there is none. */
static int file_read(struct store_file *file, const char *name, struct reg *reg,
		     struct failure *failure)
{
	void *bytes;
	size_t length;
	int error = state_load(file->state, name, REGISTER_BYTES, &bytes, &length, failure);

	if (error != 0)
		return error;
	error = length == REGISTER_BYTES ? register_decode(bytes, reg) : -EBADMSG;
	free(bytes);
	if (error == 0 && reg->term == 0)
		error = -EBADMSG;
	return error == 0 ? 0
			  : failure_set(failure, EBADMSG,
					"state file %s: not a register of this version", name);
}

static int file_load(struct store_file *file, struct failure *failure)
{
	int error = file_read(file, STORE_REGISTER_FILE, &file->reg, failure);

	file->moved = false;
	file->held = error == 0;
	if (error != -ENOENT)
		return error;
	error = file_read(file, STORE_MOVED_FILE, &file->reg, failure);
	if (error == -ENOENT)
		return 0;
	if (error == 0 && !file->take_moved)
		error = failure_set(failure, EXDEV,
				    "the register was moved away (at %" PRIu64 ".%" PRIu64
				    "): configure this agent for the place that holds it now",
				    file->reg.term, file->reg.serial);
	file->moved = file->held = error == 0;
	return error;
}

static void file_elect(struct store_file *file)
{
	const struct timeval retry = {.tv_sec = RETRY_S};
	const struct store_owner *owner = &file->store.owner;
	struct failure failure;

	if (file_load(file, &failure) != 0) {
		file_trouble(file, failure.text);
		(void)event_add(file->event, &retry);
		return;
	}
	file_trouble(file, "");
	file->elected = true;
	owner->events->leader(owner->context, file->name);
	owner->events->elected(owner->context, file->held ? &file->reg : NULL, UINT64_MAX);
}

static void on_event(evutil_socket_t fd, short what, void *context)
{
	struct store_file *file = context;
	const struct store_owner *owner = &file->store.owner;

	(void)fd;
	(void)what;
	if (file->say_stored) {
		file->say_stored = false;
		owner->events->stored(owner->context, file->stored_ok, file->stored_why);
	}
	if (file->say_lost) {
		file->say_lost = false;
		owner->events->leader(owner->context, "");
		owner->events->lost(owner->context, "resigned");
	}
	if (!file->elected && !file->resigned)
		file_elect(file);
}

static int file_replace(struct store_file *file, const struct reg *reg, bool moved,
			struct failure *failure)
{
	const char *const name = moved ? STORE_MOVED_FILE : STORE_REGISTER_FILE;
	uint8_t bytes[REGISTER_BYTES];
	int error;

	register_encode(reg, bytes);
	error = state_store(file->state, name, bytes, sizeof(bytes), failure);
	/* The mark is there before the register goes, and goes after the register is there. */
	if (error == 0 && moved != file->moved)
		error = state_remove(file->state, moved ? STORE_REGISTER_FILE : STORE_MOVED_FILE,
				     failure);
	return error;
}

static int file_write(struct store *store, const struct reg *reg, bool moved,
		      const struct store_bodies *bodies)
{
	struct store_file *file = (struct store_file *)store;
	struct failure failure = {{0}};

	(void)bodies; /* they are in the state directory already: lists.h, keyring.h */
	if (!file->elected)
		return -EAGAIN;
	if (file->say_stored)
		return -EBUSY;
	if (file->held && register_compare(reg, &file->reg) < (moved != file->moved ? 0 : 1))
		return -ESTALE;
	file->say_stored = true;
	file->stored_ok = file_replace(file, reg, moved, &failure) == 0;
	(void)snprintf(file->stored_why, sizeof(file->stored_why), "%s", failure.text);
	if (file->stored_ok) {
		file->reg = *reg;
		file->held = true;
		file->moved = moved;
	}
	event_active(file->event, EV_TIMEOUT, 1);
	return 0;
}

static int file_look(struct store *store, struct reg *reg, struct failure *failure)
{
	struct store_file *file = (struct store_file *)store;
	int error;

	if (!file->elected || file->say_stored)
		return failure_set(failure, EAGAIN, "the register's file is being read");
	error = file_load(file, failure);
	if (error != 0)
		return error;
	if (!file->held)
		return failure_set(failure, ENOENT, "no register in the state directory");
	*reg = file->reg;
	return 0;
}

static void file_resign(struct store *store)
{
	struct store_file *file = (struct store_file *)store;

	if (file->resigned)
		return;
	file->resigned = file->say_lost = true;
	file->elected = false;
	event_active(file->event, EV_TIMEOUT, 1);
}

static void file_close(struct store *store)
{
	struct store_file *file = (struct store_file *)store;

	if (file->event != NULL)
		event_free(file->event);
	free(file);
}

static bool file_moved(const struct store *store)
{
	return ((const struct store_file *)store)->moved;
}

static const struct store_ops file_ops = {
    .write = file_write,
    .look = file_look,
    .resign = file_resign,
    .close = file_close,
    .moved = file_moved,
};

static int file_open(struct state *state, const char *name, bool take_moved,
		     struct event_base *base, const struct store_owner *owner, struct store **store,
		     struct failure *failure)
{
	struct store_file *file = calloc(1, sizeof(*file));

	if (file != NULL)
		file->event = event_new(base, -1, 0, on_event, file);
	if (file == NULL || file->event == NULL) {
		free(file);
		return failure_set(failure, ENOMEM, "register file: no memory");
	}
	file->store.ops = &file_ops;
	file->store.owner = *owner;
	file->state = state;
	file->name = name;
	file->take_moved = take_moved;
	event_active(file->event, EV_TIMEOUT, 1);
	*store = &file->store;
	return 0;
}

int store_open_file(struct state *state, const char *name, struct event_base *base,
		    const struct store_owner *owner, struct store **store, struct failure *failure)
{
	return file_open(state, name, false, base, owner, store, failure);
}

int store_open_file_to_move(struct state *state, const char *name, struct event_base *base,
			    const struct store_owner *owner, struct store **store,
			    struct failure *failure)
{
	return file_open(state, name, true, base, owner, store, failure);
}
