/* message.c - see message.h and the table in docs/protocol.md.  Reentrant. */
#include "net/message.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/fields.h"
#include "net/address.h"

/* The work of a host, inside RENEW. */
static void work_put(uint8_t **at, const struct work *work)
{
	field_put_bytes(at, work->pending, sizeof(work->pending));
	field_put_u8(at, work->phase);
	field_put_u8(at, work->state);
	field_put_u64(at, work->found);
	field_put_u64(at, work->moved);
	field_put_u64(at, work->present);
	field_put_u64(at, work->expired);
	field_put_u64(at, work->gone);
	field_put_u64(at, work->failed);
	field_put_u64(at, work->cold);
	field_put_u64(at, work->left);
	field_put_u64(at, work->rate);
	field_put_text(at, work->reason, sizeof(work->reason));
}

static void work_get(struct field_reader *reader, struct work *work)
{
	field_get_bytes(reader, work->pending, sizeof(work->pending));
	work->phase = field_get_below(reader, PHASE_COUNT);
	work->state = field_get_below(reader, WORK_REFUSED + 1);
	work->found = field_get_u64(reader);
	work->moved = field_get_u64(reader);
	work->present = field_get_u64(reader);
	work->expired = field_get_u64(reader);
	work->gone = field_get_u64(reader);
	work->failed = field_get_u64(reader);
	work->cold = field_get_u64(reader);
	work->left = field_get_u64(reader);
	work->rate = field_get_u64(reader);
	field_get_text(reader, work->reason, sizeof(work->reason));
}

static void register_put(uint8_t **at, const struct reg *reg)
{
	register_encode(reg, *at);
	*at += REGISTER_BYTES;
}

static void register_get(struct field_reader *reader, struct reg *reg)
{
	uint8_t bytes[REGISTER_BYTES];

	field_get_bytes(reader, bytes, sizeof(bytes));
	if (!reader->bad && register_decode(bytes, reg) != 0)
		reader->bad = true;
}

static void hello_put(uint8_t **at, const struct message *message)
{
	field_put_u16(at, message->hello.version_min);
	field_put_u16(at, message->hello.version_max);
	field_put_name(at, message->hello.name, sizeof(message->hello.name));
}

static void hello_get(struct field_reader *reader, struct message *message)
{
	message->hello.version_min = field_get_u16(reader);
	message->hello.version_max = field_get_u16(reader);
	if (message->hello.version_min == 0 ||
	    message->hello.version_min > message->hello.version_max)
		reader->bad = true;
	field_get_name(reader, message->hello.name, sizeof(message->hello.name));
}

static void renew_put(uint8_t **at, const struct message *message)
{
	const struct renew *renew = &message->renew;

	field_put_u64(at, renew->sequence);
	field_put_u64(at, renew->incarnation);
	field_put_u64(at, renew->term);
	field_put_u64(at, renew->serial);
	field_put_u64(at, renew->generation);
	work_put(at, &renew->work);
	field_put_u64(at, renew->moved.found);
	field_put_u64(at, renew->moved.moved);
	field_put_u64(at, renew->moved.present);
	field_put_u64(at, renew->moved.expired);
	field_put_u64(at, renew->moved.gone);
	field_put_u64(at, renew->moved.failed);
	field_put_u64(at, renew->moved.cold);
	field_put_u8(at, renew->successor);
	field_put_u8(at, renew->ready);
	field_put_u64(at, renew->vote);
	for (unsigned i = 0; i < CLIENT_STANDINGS; i++)
		field_put_u32(at, renew->clients[i]);
	register_put(at, &renew->known);
}

static void renew_get(struct field_reader *reader, struct message *message)
{
	struct renew *renew = &message->renew;

	renew->sequence = field_get_u64(reader);
	renew->incarnation = field_get_u64(reader);
	renew->term = field_get_u64(reader);
	renew->serial = field_get_u64(reader);
	renew->generation = field_get_u64(reader);
	work_get(reader, &renew->work);
	renew->moved.found = field_get_u64(reader);
	renew->moved.moved = field_get_u64(reader);
	renew->moved.present = field_get_u64(reader);
	renew->moved.expired = field_get_u64(reader);
	renew->moved.gone = field_get_u64(reader);
	renew->moved.failed = field_get_u64(reader);
	renew->moved.cold = field_get_u64(reader);
	renew->successor = field_get_bool(reader);
	renew->ready = field_get_bool(reader);
	renew->vote = field_get_u64(reader);
	for (unsigned i = 0; i < CLIENT_STANDINGS; i++)
		renew->clients[i] = field_get_u32(reader);
	register_get(reader, &renew->known);
}

static void grant_put(uint8_t **at, const struct message *message)
{
	field_put_u64(at, message->grant.sequence);
	field_put_u32(at, message->grant.lease_ms);
	register_put(at, &message->grant.reg);
}

static void grant_get(struct field_reader *reader, struct message *message)
{
	message->grant.sequence = field_get_u64(reader);
	message->grant.lease_ms = field_get_u32(reader);
	register_get(reader, &message->grant.reg);
}

static void reg_put(uint8_t **at, const struct message *message)
{
	register_put(at, &message->reg);
}

static void reg_get(struct field_reader *reader, struct message *message)
{
	register_get(reader, &message->reg);
}

static void elsewhere_put(uint8_t **at, const struct message *message)
{
	field_put_name(at, message->elsewhere.name, sizeof(message->elsewhere.name));
	field_put_name(at, message->elsewhere.address, sizeof(message->elsewhere.address));
}

static void elsewhere_get(struct field_reader *reader, struct message *message)
{
	struct sockaddr_storage address;
	socklen_t length;

	field_get_name(reader, message->elsewhere.name, sizeof(message->elsewhere.name));
	field_get_name(reader, message->elsewhere.address, sizeof(message->elsewhere.address));
	if (message->elsewhere.address[0] != '\0' &&
	    address_parse(message->elsewhere.address, &address, &length) != 0)
		reader->bad = true;
}

static void list_get_put(uint8_t **at, const struct message *message)
{
	field_put_u64(at, message->list_get.request);
	field_put_bytes(at, message->list_get.hash, sizeof(message->list_get.hash));
}

static void list_get_get(struct field_reader *reader, struct message *message)
{
	message->list_get.request = field_get_u64(reader);
	field_get_bytes(reader, message->list_get.hash, sizeof(message->list_get.hash));
}

static void body_put(uint8_t **at, const struct message *message)
{
	field_put_u64(at, message->request);
}

static void body_get(struct field_reader *reader, struct message *message)
{
	message->request = field_get_u64(reader);
}

static void verdict_put(uint8_t **at, const struct message *message)
{
	field_put_u64(at, message->verdict.request);
	field_put_u8(at, message->verdict.code);
	field_put_text(at, message->verdict.text, sizeof(message->verdict.text));
}

static void verdict_get(struct field_reader *reader, struct message *message)
{
	message->verdict.request = field_get_u64(reader);
	message->verdict.code = field_get_below(reader, VERDICT_COUNT);
	field_get_text(reader, message->verdict.text, sizeof(message->verdict.text));
}

static void status_get_put(uint8_t **at, const struct message *message)
{
	field_put_u64(at, message->status_get.request);
	field_put_u8(at, message->status_get.scope);
}

static void status_get_get(struct field_reader *reader, struct message *message)
{
	message->status_get.request = field_get_u64(reader);
	message->status_get.scope = field_get_below(reader, STATUS_CLUSTER + 1);
}

static void pace_put(uint8_t **at, const struct message *message)
{
	field_put_u64(at, message->pace.request);
	field_put_u64(at, message->pace.rate_keys);
	field_put_u64(at, message->pace.rate_bytes);
	field_put_u8(at, message->pace.adaptive);
}

static void pace_get(struct field_reader *reader, struct message *message)
{
	message->pace.request = field_get_u64(reader);
	message->pace.rate_keys = field_get_u64(reader);
	message->pace.rate_bytes = field_get_u64(reader);
	message->pace.adaptive = field_get_below(reader, PACE_ADAPTIVE_UNCHANGED + 1);
}

static void release_put(uint8_t **at, const struct message *message)
{
	field_put_name(at, message->renew.release, sizeof(message->renew.release));
}

static void release_get(struct field_reader *reader, struct message *message)
{
	field_get_name(reader, message->renew.release, sizeof(message->renew.release));
}

/* What later versions have put to the end of a message, in their order. */
static const struct {
	uint8_t type;
	uint16_t since;
	void (*put)(uint8_t **at, const struct message *message);
	void (*get)(struct field_reader *reader, struct message *message);
} appended[] = {
    {MESSAGE_RENEW, 2, release_put, release_get},
};

#define APPENDED_COUNT (sizeof(appended) / sizeof(appended[0]))

static const struct {
	const char *name;
	void (*put)(uint8_t **at, const struct message *message);
	void (*get)(struct field_reader *reader, struct message *message);
	bool has_body;
} table[] = {
    [MESSAGE_HELLO] = {"HELLO", hello_put, hello_get, false},
    [MESSAGE_RENEW] = {"RENEW", renew_put, renew_get, false},
    [MESSAGE_GRANT] = {"GRANT", grant_put, grant_get, false},
    [MESSAGE_REGISTER] = {"REGISTER", reg_put, reg_get, false},
    [MESSAGE_ELSEWHERE] = {"ELSEWHERE", elsewhere_put, elsewhere_get, false},
    [MESSAGE_LIST_GET] = {"LIST_GET", list_get_put, list_get_get, false},
    [MESSAGE_LIST] = {"LIST", body_put, body_get, true},
    [MESSAGE_OFFER] = {"OFFER", body_put, body_get, true},
    [MESSAGE_VERDICT] = {"VERDICT", verdict_put, verdict_get, false},
    [MESSAGE_STATUS_GET] = {"STATUS_GET", status_get_put, status_get_get, false},
    [MESSAGE_STATUS] = {"STATUS", body_put, body_get, true},
    [MESSAGE_PACE] = {"PACE", pace_put, pace_get, false},
};

#define TYPE_COUNT (sizeof(table) / sizeof(table[0]))

static bool type_known(uint8_t type)
{
	return type < TYPE_COUNT && table[type].name != NULL;
}

size_t message_encode(const struct message *message, uint16_t version,
		      uint8_t bytes[MESSAGE_BYTES_MAX])
{
	uint8_t *at = bytes;

	assert(type_known(message->type));
	field_put_u8(&at, message->type);
	table[message->type].put(&at, message);
	for (size_t i = 0; i < APPENDED_COUNT; i++)
		if (appended[i].type == message->type && appended[i].since <= version)
			appended[i].put(&at, message);
	assert(at <= bytes + MESSAGE_BYTES_MAX);
	return (size_t)(at - bytes);
}

int message_decode(const uint8_t *bytes, size_t length, uint16_t version, struct message *message)
{
	struct field_reader reader = {.at = bytes, .end = bytes + length};

	memset(message, 0, sizeof(*message));
	message->type = field_get_u8(&reader);
	if (reader.bad || !type_known(message->type))
		return -EBADMSG;
	table[message->type].get(&reader, message);
	for (size_t i = 0; i < APPENDED_COUNT; i++)
		if (appended[i].type == message->type && appended[i].since <= version)
			appended[i].get(&reader, message);
	return reader.bad || reader.at != reader.end ? -EBADMSG : 0;
}

bool message_has_body(uint8_t type)
{
	return type_known(type) && table[type].has_body;
}

const char *message_name(uint8_t type)
{
	return type_known(type) ? table[type].name : "unknown";
}
