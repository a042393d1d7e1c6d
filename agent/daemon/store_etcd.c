/* store_etcd.c - see store.h: the register in etcd.
 *
 * core/election.h decides; here its requests are sent and its notices passed on.  A body that comes
 * from etcd is hashed before anybody looks at it.  Two etcd clusters behind the endpoints
 * would elect two leaders: whichever cluster answered first is the one, and answers of another are
 * dropped.
 */
#include "daemon/store_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/election.h"
#include "daemon/agent.h"
#include "daemon/etcd.h"
#include "daemon/etcd_message.h"
#include "daemon/log.h"

struct store_etcd;

/* One request under way: the main lane's, or the keep-alive. */
struct lane {
	struct store_etcd *store;
	struct election_action action; /* its pointers are not used but for the hash below */
	uint8_t hash[LIST_HASH_BYTES];
};

/* A body that is to be put. */
struct copy {
	void *bytes;
	size_t length;
};

struct store_etcd {
	struct store store;
	const struct config *config;
	struct etcd *etcd;
	struct etcd_keys names;
	struct election election;
	struct event *wake;
	struct lane main, keep;
	struct copy lists[STORE_LISTS], keys[KEYS_VERSIONS_MAX]; /* of the write under way */
	uint32_t list_count, key_count;
	/* The newest keys document that this leadership has found or put; the ones before it are
	 * there too.  Zeros: none. */
	uint8_t keys_there[LIST_HASH_BYTES];
	uint8_t keys_next[LIST_HASH_BYTES]; /* likewise, when the write under way is done */
	uint64_t cluster_id;		    /* etcd's; 0: none has answered yet */
};

static void copies_free(struct store_etcd *s)
{
	while (s->list_count > 0)
		free(s->lists[--s->list_count].bytes);
	while (s->key_count > 0)
		free(s->keys[--s->key_count].bytes);
}

/* ---- what came back ---- */

/* Does it hash to its name?  What does not is as good as absent. */
static bool body_is(const struct lane *lane, const struct etcd_answer *answer,
		    struct failure *failure)
{
	uint8_t hash[LIST_HASH_BYTES];
	uint32_t signatures;
	size_t body_bytes;

	if (document_split(answer->document, answer->document_bytes, &body_bytes, &signatures,
			   failure) != 0)
		return false;
	document_hash(answer->document, body_bytes, hash);
	if (memcmp(hash, lane->hash, sizeof(hash)) == 0)
		return true;
	(void)failure_set(failure, EBADMSG, "its body has another hash than its name");
	return false;
}

/* What the owner says of a body.  Where it asks for the version before, that is in `before`. */
static int body_judge(struct store_etcd *s, const struct lane *lane, struct etcd_answer *answer,
		      uint8_t before[LIST_HASH_BYTES], struct failure *failure)
{
	const struct store_owner *owner = &s->store.owner;
	int error;

	if (lane->action.request == ELECTION_LIST_GET)
		return owner->events->list(owner->context, answer->document, answer->document_bytes,
					   failure);
	error = owner->events->keys(owner->context, s->election.reg.keys, answer->document,
				    answer->document_bytes, before, failure);
	if (error == 0 || error == -EAGAIN)
		memcpy(s->keys_there, s->election.reg.keys, sizeof(s->keys_there));
	if (error != -EAGAIN)
		return error;
	answer->reply.before = before;
	return 0;
}

static void body_came(struct store_etcd *s, const struct lane *lane, struct etcd_answer *answer,
		      uint8_t before[LIST_HASH_BYTES])
{
	char key[ETCD_BODY_KEY_BYTES];
	struct failure failure = {{0}};

	const bool used = answer->document != NULL && body_is(lane, answer, &failure);

	/* A chain with a hole is put again, all of it. */
	if (!used && lane->action.request == ELECTION_KEYS_GET)
		memset(s->keys_there, 0, sizeof(s->keys_there));
	if (answer->document == NULL)
		return;
	etcd_body_key(&s->names, lane->action.request, lane->hash, key);
	if (!used) {
		log_line(LOG_LEVEL_WARNING, "etcd's %s is not used: %s", key, failure.text);
	} else if (body_judge(s, lane, answer, before, &failure) != 0) {
		(void)snprintf(answer->why, sizeof(answer->why), "etcd's %.140s: %.340s", key,
			       failure.text);
		answer->reply.outcome = ELECTION_REFUSED;
		answer->reply.why = answer->why;
	}
}

/* Is it the cluster that all the others' answers came from? */
static void cluster_check(struct store_etcd *s, const char *endpoint, struct etcd_answer *answer)
{
	if (s->cluster_id == 0)
		s->cluster_id = answer->cluster_id;
	if (answer->cluster_id == s->cluster_id)
		return;
	(void)snprintf(answer->why, sizeof(answer->why),
		       "etcd %s: found etcd cluster %" PRIx64 ", expected %" PRIx64
		       " as before: give the endpoints of one cluster; restart this agent where "
		       "etcd was set up anew",
		       endpoint, answer->cluster_id, s->cluster_id);
	answer->reply.outcome = ELECTION_UNKNOWN;
	answer->reply.why = answer->why;
}

static void answer_judge(struct store_etcd *s, const struct lane *lane,
			 const struct etcd_result *result, struct etcd_answer *answer,
			 uint8_t before[LIST_HASH_BYTES])
{
	const bool body =
	    lane->action.request == ELECTION_LIST_GET || lane->action.request == ELECTION_KEYS_GET;

	if (!result->answered) {
		memset(answer, 0, sizeof(*answer));
		answer->reply.request = lane->action.request;
		answer->reply.outcome = ELECTION_UNKNOWN;
		answer->reply.why = result->why;
		return;
	}
	etcd_answer_read(&s->names, &lane->action, result->endpoint, result->status, result->text,
			 result->bytes, answer);
	if (answer->reply.outcome == ELECTION_DONE)
		cluster_check(s, result->endpoint, answer);
	if (answer->reply.outcome == ELECTION_UNKNOWN)
		etcd_distrust(s->etcd);
	else if (answer->reply.outcome == ELECTION_DONE && body &&
		 s->election.state == ELECTION_LISTING && !s->election.main.stale)
		body_came(s, lane, answer, before);
}

static void wake_now(struct store_etcd *s)
{
	event_active(s->wake, EV_TIMEOUT, 1);
}

static void on_answer(void *context, const struct etcd_result *result)
{
	struct lane *lane = context;
	struct store_etcd *s = lane->store;
	uint8_t before[LIST_HASH_BYTES];
	struct etcd_answer answer;

	answer_judge(s, lane, result, &answer, before);
	election_reply(&s->election, &answer.reply, clock_now_ms());
	if (s->election.write == ELECTION_WRITE_NONE)
		copies_free(s);
	etcd_answer_free(&answer);
	wake_now(s);
}

/* ---- what is asked and said ---- */

static void request_failed(struct store_etcd *s, const struct lane *lane)
{
	const struct election_reply reply = {
	    .request = lane->action.request,
	    .outcome = ELECTION_REFUSED,
	    .why = "no memory",
	};

	election_reply(&s->election, &reply, clock_now_ms());
}

static void request_send(struct store_etcd *s, const struct election_action *action)
{
	struct lane *lane = action->request == ELECTION_KEEPALIVE ? &s->keep : &s->main;
	const struct copy *copy = NULL;
	const char *path;
	char *body;

	lane->action = *action;
	if (action->hash != NULL) {
		memcpy(lane->hash, action->hash, sizeof(lane->hash));
		lane->action.hash = lane->hash;
	}
	if (action->request == ELECTION_CAMPAIGN)
		memset(s->keys_there, 0, sizeof(s->keys_there));
	if (action->request == ELECTION_LIST_PUT)
		copy = &s->lists[s->election.list_at];
	if (action->request == ELECTION_KEYS_PUT)
		copy = &s->keys[s->election.keys_at];
	if (etcd_request_write(&s->names, action, s->config->name,
			       copy != NULL ? copy->bytes : NULL, copy != NULL ? copy->length : 0,
			       &path, &body) != 0 ||
	    etcd_call(s->etcd, path, body,
		      action->request == ELECTION_LIST_GET || action->request == ELECTION_KEYS_GET
			  ? ETCD_REPLY_BODY
			  : ETCD_REPLY_SMALL,
		      action->timeout_ms, on_answer, lane) != 0)
		request_failed(s, lane);
}

static void notice_pass(struct store_etcd *s, const struct election_action *action)
{
	const struct store_events *events = s->store.owner.events;
	void *const context = s->store.owner.context;
	struct reg reg;

	switch (action->type) {
	case ELECTION_ACT_STORED:
		if (action->ok)
			memcpy(s->keys_there, s->keys_next, sizeof(s->keys_there));
		events->stored(context, action->ok, action->value);
		break;
	case ELECTION_ACT_LOST:
		events->lost(context, action->value);
		break;
	case ELECTION_ACT_LEADER:
		events->leader(context, action->value);
		break;
	case ELECTION_ACT_ELECTED:
		if (action->reg != NULL)
			reg = *action->reg;
		events->elected(context, action->reg != NULL ? &reg : NULL, action->until_ms);
		break;
	case ELECTION_ACT_LEADS:
		events->leads(context, action->until_ms);
		break;
	case ELECTION_ACT_TROUBLE:
		if (events->trouble != NULL)
			events->trouble(context, action->value);
		break;
	case ELECTION_ACT_REQUEST:
		break;
	}
}

static void on_wake(evutil_socket_t fd, short what, void *context)
{
	struct store_etcd *s = context;
	struct election_action action;
	uint64_t now_ms, wake_ms;
	struct timeval wait;

	(void)fd;
	(void)what;
	while (election_next(&s->election, clock_now_ms(), &action)) {
		if (action.type == ELECTION_ACT_REQUEST)
			request_send(s, &action);
		else
			notice_pass(s, &action);
	}
	if (s->election.write == ELECTION_WRITE_NONE)
		copies_free(s);
	wake_ms = election_wake_ms(&s->election);
	if (wake_ms == UINT64_MAX)
		return;
	now_ms = clock_now_ms();
	wake_ms = wake_ms > now_ms ? wake_ms - now_ms : 0;
	wait.tv_sec = (time_t)(wake_ms / 1000);
	wait.tv_usec = (suseconds_t)(wake_ms % 1000 * 1000);
	(void)event_add(s->wake, &wait);
}

/* ---- the calls ---- */

/* Copies a document and takes its hash. */
static int copy_take(const struct store_document *document, struct copy *copy,
		     uint8_t hash[LIST_HASH_BYTES])
{
	size_t body_bytes;
	uint32_t signatures;

	if (document_split(document->bytes, document->length, &body_bytes, &signatures, NULL) != 0)
		return -EINVAL;
	document_hash(document->bytes, body_bytes, hash);
	copy->bytes = malloc(document->length);
	if (copy->bytes == NULL)
		return -ENOMEM;
	memcpy(copy->bytes, document->bytes, document->length);
	copy->length = document->length;
	return 0;
}

static int lists_take(struct store_etcd *s, const struct store_bodies *bodies,
		      uint8_t hashes[STORE_LISTS][LIST_HASH_BYTES])
{
	int error = bodies->list_count <= STORE_LISTS ? 0 : -EINVAL;

	for (uint32_t i = 0; error == 0 && i < bodies->list_count; i++) {
		error = copy_take(&bodies->lists[i], &s->lists[i], hashes[i]);
		s->list_count += error == 0;
	}
	return error;
}

/* Of the chain, what comes after the document that is there. */
static int keys_take(struct store_etcd *s, const struct store_bodies *bodies)
{
	uint8_t hashes[KEYS_VERSIONS_MAX][LIST_HASH_BYTES];
	int error = bodies->key_count <= KEYS_VERSIONS_MAX ? 0 : -EINVAL;

	memcpy(s->keys_next, s->keys_there, sizeof(s->keys_next));
	for (uint32_t i = 0; error == 0 && i < bodies->key_count; i++) {
		error = copy_take(&bodies->keys[i], &s->keys[s->key_count], hashes[s->key_count]);
		if (error != 0)
			break;
		memcpy(s->keys_next, hashes[s->key_count++], sizeof(s->keys_next));
		if (memcmp(s->keys_next, s->keys_there, sizeof(s->keys_there)) == 0)
			while (s->key_count > 0)
				free(s->keys[--s->key_count].bytes);
	}
	if (error == 0)
		error = election_write_keys(&s->election, (const uint8_t(*)[LIST_HASH_BYTES])hashes,
					    s->key_count);
	return error;
}

static int s_write(struct store *store, const struct reg *reg, bool moved,
		   const struct store_bodies *bodies)
{
	struct store_etcd *s = (struct store_etcd *)store;
	uint8_t hashes[STORE_LISTS][LIST_HASH_BYTES];
	int error;

	if (s->election.write != ELECTION_WRITE_NONE)
		return -EBUSY;
	copies_free(s);
	error = lists_take(s, bodies, hashes);
	if (error == 0)
		error = keys_take(s, bodies);
	if (error == 0)
		error = election_write(&s->election, reg, moved,
				       (const uint8_t(*)[LIST_HASH_BYTES])hashes, s->list_count,
				       clock_now_ms());
	if (error != 0)
		copies_free(s);
	wake_now(s);
	return error;
}

static void s_failover(struct store *store, uint64_t term, bool ours)
{
	struct store_etcd *s = (struct store_etcd *)store;

	election_failover(&s->election, term, ours, clock_now_ms());
	wake_now(s);
}

static void s_known(struct store *store, uint64_t term, uint64_t serial)
{
	struct store_etcd *s = (struct store_etcd *)store;

	election_known(&s->election, term, serial, clock_now_ms());
	if (s->election.write == ELECTION_WRITE_NONE)
		copies_free(s);
	wake_now(s);
}

static void s_stand(struct store *store, enum election_stand stand)
{
	struct store_etcd *s = (struct store_etcd *)store;

	if (s->election.stand == stand)
		return;
	election_stand(&s->election, stand, clock_now_ms());
	if (s->election.write == ELECTION_WRITE_NONE)
		copies_free(s);
	wake_now(s);
}

static void s_resign(struct store *store)
{
	struct store_etcd *s = (struct store_etcd *)store;

	election_resign(&s->election, clock_now_ms());
	wake_now(s);
}

static void s_close(struct store *store)
{
	struct store_etcd *s = (struct store_etcd *)store;

	etcd_close(s->etcd);
	if (s->wake != NULL)
		event_free(s->wake);
	copies_free(s);
	free(s);
}

static bool s_moved(const struct store *store)
{
	return ((const struct store_etcd *)store)->election.moved;
}

static const struct store_ops etcd_ops = {
    .write = s_write,
    .failover = s_failover,
    .known = s_known,
    .stand = s_stand,
    .resign = s_resign,
    .close = s_close,
    .moved = s_moved,
};

static int s_open(const struct config *config, const struct reg *known, bool take_moved,
		  struct event_base *base, const struct store_owner *owner, struct store **store,
		  struct failure *failure)
{
	const struct election_options options = {
	    .cluster = config->cluster,
	    .name = config->name,
	    .ttl_s = config->etcd.lease_s,
	    .known_term = known != NULL ? known->term : 0,
	    .known_serial = known != NULL ? known->serial : 0,
	    .take_moved = take_moved,
	};
	struct store_etcd *s = calloc(1, sizeof(*s));
	int error;

	if (s == NULL)
		return failure_set(failure, ENOMEM, "etcd: no memory");
	s->store.ops = &etcd_ops;
	s->store.owner = *owner;
	s->config = config;
	s->main.store = s->keep.store = s;
	etcd_keys_make(&s->names, config->cluster);
	election_init(&s->election, &options, clock_now_ms());
	s->wake = event_new(base, -1, 0, on_wake, s);
	error = s->wake != NULL ? etcd_open(&config->etcd, base, &s->etcd, failure)
				: failure_set(failure, ENOMEM, "etcd: no memory");
	if (error != 0) {
		s_close(&s->store);
		return error;
	}
	wake_now(s);
	*store = &s->store;
	return 0;
}

int store_open_etcd(const struct config *config, const struct reg *known, struct event_base *base,
		    const struct store_owner *owner, struct store **store, struct failure *failure)
{
	return s_open(config, known, false, base, owner, store, failure);
}

int store_open_etcd_to_move(const struct config *config, struct event_base *base,
			    const struct store_owner *owner, struct store **store,
			    struct failure *failure)
{
	return s_open(config, NULL, true, base, owner, store, failure);
}
