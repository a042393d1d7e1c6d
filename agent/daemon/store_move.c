/* store_move.c - see store_move.h.  Called from a command: it runs a loop of its own. */
#include "daemon/store_move.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/lists.h"
#include "daemon/log.h"
#include "daemon/store_internal.h"

struct copy {
	void *bytes;
	size_t length;
};

/* One of the two places, and what it has said. */
struct place {
	const char *name;
	struct keyring *ring; /* takes the keys that it brings; NULL: they are not moved from it */
	struct store *store;
	bool elected, lost, held, moved, answered, stored;
	struct reg reg;
	struct copy lists[STORE_LISTS];
	uint32_t list_count;
	char why[FAILURE_BYTES], leader[LIST_NAME_MAX + 1];
};

struct move {
	const struct config *config;
	struct state *state;
	struct keyring *ring; /* whose signatures made the lists trusted */
	struct event_base *base;
	struct event *deadline;
	bool late;
	struct place file, etcd;
};

/* ---- events ---- */

static int on_keys(void *context, const uint8_t in_force[LIST_HASH_BYTES], const void *document,
		   size_t bytes, uint8_t before[LIST_HASH_BYTES], struct failure *failure)
{
	const struct place *place = context;
	int error = -EALREADY;

	if (place->ring != NULL)
		error = keyring_catch_up(place->ring, in_force, document, bytes, before, failure);
	return error == -EALREADY ? 0 : error;
}

static int on_list(void *context, const void *document, size_t bytes, struct failure *failure)
{
	struct place *place = context;
	struct copy *list = &place->lists[place->list_count];

	/* An election that was cut short brings them again. */
	for (uint32_t i = 0; i < place->list_count; i++)
		if (place->lists[i].length == bytes &&
		    memcmp(place->lists[i].bytes, document, bytes) == 0)
			return 0;
	if (place->list_count == STORE_LISTS)
		return failure_set(failure, EPROTO, "more lists than a register names");
	list->bytes = malloc(bytes);
	if (list->bytes == NULL)
		return failure_set(failure, ENOMEM, "no memory");
	memcpy(list->bytes, document, bytes);
	list->length = bytes;
	place->list_count++;
	return 0;
}

static void lists_free(struct place *place)
{
	while (place->list_count > 0)
		free(place->lists[--place->list_count].bytes);
}

static void on_elected(void *context, const struct reg *reg, uint64_t until_ms)
{
	struct place *place = context;

	(void)until_ms;
	place->elected = true;
	place->lost = false;
	place->held = reg != NULL;
	if (reg != NULL)
		place->reg = *reg;
	place->moved = place->store->ops->moved(place->store);
}

static void on_leads(void *context, uint64_t until_ms)
{
	(void)context;
	(void)until_ms;
}

static void on_lost(void *context, const char *why)
{
	struct place *place = context;

	place->elected = false;
	place->lost = true;
	lists_free(place); /* they come again with the next election */
	(void)snprintf(place->why, sizeof(place->why), "%s", why);
}

static void on_leader(void *context, const char *name)
{
	struct place *place = context;

	(void)snprintf(place->leader, sizeof(place->leader), "%s", name);
}

static void on_stored(void *context, bool ok, const char *why)
{
	struct place *place = context;

	place->answered = true;
	place->stored = ok;
	(void)snprintf(place->why, sizeof(place->why), "%s", why);
}

static void on_trouble(void *context, const char *why)
{
	struct place *place = context;

	(void)snprintf(place->why, sizeof(place->why), "%s", why);
}

static const struct store_events events = {
    .keys = on_keys,
    .list = on_list,
    .elected = on_elected,
    .leads = on_leads,
    .lost = on_lost,
    .leader = on_leader,
    .stored = on_stored,
    .trouble = on_trouble,
};

static void on_deadline(evutil_socket_t fd, short what, void *context)
{
	struct move *move = context;

	(void)fd;
	(void)what;
	move->late = true;
}

/* ---- steps ---- */

/* What keeps a place from being ours; "" : it is not known yet. */
static void place_obstacle(const struct place *place, char text[FAILURE_BYTES])
{
	(void)snprintf(text, FAILURE_BYTES, "%s", place->why);
	if (text[0] == '\0' && place->leader[0] != '\0')
		(void)snprintf(text, FAILURE_BYTES,
			       "agent %s leads: stop the candidates, and if it is dead wait until "
			       "etcd knows",
			       place->leader);
}

static int place_take(struct move *move, struct place *place, struct failure *failure)
{
	char why[FAILURE_BYTES] = "", said[FAILURE_BYTES] = "";

	while (!place->elected && !move->late) {
		(void)event_base_loop(move->base, EVLOOP_ONCE);
		place_obstacle(place, why);
		if (!place->elected && why[0] != '\0' && strcmp(why, said) != 0 &&
		    strcmp(place->leader, move->config->name) != 0) {
			log_line(LOG_LEVEL_NOTICE, "waiting for the register in %s: %.400s",
				 place->name, why);
			memcpy(said, why, sizeof(said));
		}
	}
	if (place->elected)
		return 0;
	return failure_set(failure, ETIMEDOUT, "the register in %s: %.400s", place->name,
			   why[0] != '\0' ? why : "no answer in time");
}

static int place_write(struct move *move, struct place *place, const struct reg *reg, bool moved,
		       const struct place *from, struct failure *failure)
{
	struct store_document chain[KEYS_VERSIONS_MAX], lists[STORE_LISTS];
	struct store_bodies bodies = {.keys = chain, .lists = lists};
	int error;

	if (!moved) {
		bodies.key_count = store_chain(move->ring, reg, chain);
		for (; bodies.list_count < from->list_count; bodies.list_count++) {
			lists[bodies.list_count].bytes = from->lists[bodies.list_count].bytes;
			lists[bodies.list_count].length = from->lists[bodies.list_count].length;
		}
	}
	place->answered = false;
	error = place->store->ops->write(place->store, reg, moved, &bodies);
	if (error != 0)
		return failure_set(failure, -error, "the register in %s cannot be written: %s",
				   place->name, strerror(-error));
	while (!place->answered && !place->lost && !move->late)
		(void)event_base_loop(move->base, EVLOOP_ONCE);
	if (place->answered && place->stored)
		return 0;
	return failure_set(failure, EIO, "the register in %s: %.400s", place->name,
			   place->why[0] != '\0' ? place->why : "not written in time");
}

static int keys_check(const struct move *move, const struct place *from, struct failure *failure)
{
	struct store_document chain[KEYS_VERSIONS_MAX];

	if (from->reg.keys_version == 0 || store_chain(move->ring, &from->reg, chain) != 0)
		return 0;
	return failure_set(
	    failure, ENOENT,
	    "the register names keys version %" PRIu64 ", whose document is not in %s%s",
	    from->reg.keys_version, from == &move->etcd ? "etcd, nor in " : "", move->file.name);
}

/* The lists of the file's register are files beside it. */
static int file_lists_get(struct move *move, struct place *from, struct failure *failure)
{
	const uint8_t *const hashes[] = {from->reg.active, from->reg.pending};
	struct lists *lists;
	int error = lists_open(move->state, move->ring, &lists, failure);

	if (error != 0)
		return error;
	for (unsigned i = 0; error == 0 && i < (from->reg.next_epoch != 0 ? 2u : 1u); i++) {
		const struct list *list = lists_find(lists, hashes[i]);

		error = list != NULL
			    ? on_list(from, list->document, list->document_bytes, failure)
			    : failure_set(failure, ENOENT,
					  "state directory %s: the register names a list that is "
					  "not there",
					  move->config->state_directory);
	}
	lists_close(lists);
	return error;
}

static int file_lists_put(struct move *move, const struct place *from, struct failure *failure)
{
	const struct list *list;
	struct lists *lists;
	int error = lists_open(move->state, move->ring, &lists, failure);

	if (error != 0)
		return error;
	for (uint32_t i = 0; error == 0 && i < from->list_count; i++)
		error = lists_add(lists, from->lists[i].bytes, from->lists[i].length, 0, &list,
				  failure);
	if (error == 0 &&
	    (lists_find(lists, from->reg.active) == NULL ||
	     (from->reg.next_epoch != 0 && lists_find(lists, from->reg.pending) == NULL)))
		error =
		    failure_set(failure, ENOENT,
				"the register names a list that neither etcd nor state directory "
				"%s holds",
				move->config->state_directory);
	/* Files know no elections: the hosts look for the first candidate. */
	if (error == 0) {
		list = lists_find(lists, from->reg.active);
		if (strcmp(list->agents[list->coordinator].name, move->config->name) != 0)
			error = failure_set(
			    failure, EPERM,
			    "the list names agent %s as the first who may coordinate, not %s: move "
			    "the register to that one's file",
			    list->agents[list->coordinator].name, move->config->name);
	}
	lists_close(lists);
	return error;
}

static int target_check(const struct move *move, const struct place *from, const struct place *to,
			struct failure *failure)
{
	if (!from->held && to->held && to->moved)
		return failure_set(
		    failure, ENOENT,
		    "there is no register in %s to be moved, though one was moved "
		    "there at %" PRIu64 ".%" PRIu64
		    ": where that was cut short give the same command again; where it "
		    "was lost since, a signed failover goes on without it",
		    from->name, to->reg.term, to->reg.serial);
	if (!from->held && to->held)
		return failure_set(
		    failure, EALREADY,
		    "there is no register in %s to be moved, it is in %s already, at "
		    "%" PRIu64 ".%" PRIu64,
		    from->name, to->name, to->reg.term, to->reg.serial);
	if (!from->held)
		return failure_set(failure, ENOENT, "there is no register in %s to be moved",
				   from->name);
	if (from->moved && to->held && !to->moved && register_compare(&to->reg, &from->reg) > 0)
		return failure_set(failure, EALREADY,
				   "the register was moved from %s at %" PRIu64 ".%" PRIu64
				   " and has gone on in %s, to %" PRIu64 ".%" PRIu64
				   ": there is nothing to move",
				   from->name, from->reg.term, from->reg.serial, to->name,
				   to->reg.term, to->reg.serial);
	/* The mark says who took it: a second one who did would be a second coordinator. */
	if (to == &move->file && from->moved &&
	    strcmp(from->reg.coordinator, move->config->name) != 0)
		return failure_set(failure, EEXIST,
				   "the register in %s was moved to agent %s's state directory at "
				   "%" PRIu64 ".%" PRIu64 ": move it back from there",
				   from->name, from->reg.coordinator, from->reg.term,
				   from->reg.serial);
	if (to->held && register_compare(&to->reg, &from->reg) > 0)
		return failure_set(failure, ESTALE,
				   "the register %s %s is newer: found %" PRIu64 ".%" PRIu64
				   " there, expected at most %" PRIu64 ".%" PRIu64,
				   to->moved ? "that was moved away from" : "in", to->name,
				   to->reg.term, to->reg.serial, from->reg.term, from->reg.serial);
	return 0;
}

static int move_carry(struct move *move, struct place *from, struct place *to,
		      struct failure *failure)
{
	struct reg carried = from->reg;
	struct failure undone;
	int error = target_check(move, from, to, failure);

	if (error == 0)
		error = keys_check(move, from, failure);
	if (error == 0 && from == &move->file)
		error = file_lists_get(move, from, failure);
	else if (error == 0)
		error = file_lists_put(move, from, failure);
	if (error != 0)
		return error;
	/* A file is its own agent's to coordinate by; in etcd it is whoever leads. */
	if (to == &move->file)
		(void)snprintf(carried.coordinator, sizeof(carried.coordinator), "%s",
			       move->config->name);
	if (!from->moved && (error = place_write(move, from, &carried, true, from, failure)) != 0)
		return error;
	if (to->held && !to->moved && register_compare(&to->reg, &from->reg) == 0)
		return 0; /* it was carried before, by a command that was stopped */
	error = place_write(move, to, &carried, false, from, failure);
	/* Whatever became of that: only a target that certainly holds nothing lets the source back.
	 */
	if (error != 0 && to->answered && !from->moved &&
	    place_write(move, from, &from->reg, false, from, &undone) != 0)
		return failure_set(failure, -error,
				   "the register is marked as moved in %s and stands in neither "
				   "place: give the same command again",
				   from->name);
	return error;
}

static void place_release(struct move *move, struct place *place)
{
	if (place->store == NULL)
		return;
	place->lost = false;
	store_resign(place->store);
	while (!place->lost && !move->late)
		(void)event_base_loop(move->base, EVLOOP_ONCE);
	store_close(place->store);
	lists_free(place);
}

int store_move(const struct config *config, struct state *state, enum config_register target,
	       uint32_t timeout_ms, struct reg *moved, struct failure *failure)
{
	const struct timeval wait = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
	struct move move = {
	    .config = config,
	    .state = state,
	    .file.name = "the state directory",
	    .etcd.name = "etcd",
	};
	const struct store_owner file_owner = {&events, &move.file},
				 etcd_owner = {&events, &move.etcd};
	struct place *from = target == CONFIG_REGISTER_ETCD ? &move.file : &move.etcd;
	struct place *to = target == CONFIG_REGISTER_ETCD ? &move.etcd : &move.file;
	int error;

	move.base = event_base_new();
	if (move.base != NULL)
		move.deadline = event_new(move.base, -1, 0, on_deadline, &move);
	if (move.deadline == NULL || event_add(move.deadline, &wait) != 0) {
		error = failure_set(failure, ENOMEM, "moving the register: no memory");
		goto out;
	}
	error = keyring_open(state, &config->trust, config->cluster, &move.ring, failure);
	from->ring = move.ring;
	if (error != 0 ||
	    (error = store_open_file_to_move(state, config->name, move.base, &file_owner,
					     &move.file.store, failure)) != 0 ||
	    (error = store_open_etcd_to_move(config, move.base, &etcd_owner, &move.etcd.store,
					     failure)) != 0 ||
	    (error = place_take(&move, from, failure)) != 0 ||
	    (error = place_take(&move, to, failure)) != 0)
		goto out;
	error = move_carry(&move, from, to, failure);
	if (error == 0)
		*moved = from->reg;
out:
	place_release(&move, &move.etcd);
	place_release(&move, &move.file);
	keyring_close(move.ring);
	if (move.deadline != NULL)
		event_free(move.deadline);
	if (move.base != NULL)
		event_base_free(move.base);
	return error;
}
