/* wire_handshake.c - from the first byte to HELLO: docs/protocol.md, steps 1 to 6. */
#include "net/wire_internal.h"

#include <errno.h>
#include <string.h>

#include <sodium.h>

#define MAC_LABEL      "mcroster mac1"
#define PROLOGUE_LABEL "mcroster peer 1"

int wire_hello_send(struct wire *wire)
{
	struct message hello = {.type = MESSAGE_HELLO};

	hello.hello.version_min = wire->setup.version_min;
	hello.hello.version_max = wire->setup.version_max;
	memcpy(hello.hello.name, wire->setup.identity->name, sizeof(hello.hello.name));
	return wire_message_send(wire, &hello);
}

static const uint8_t *own_psk(const struct wire *wire, bool previous)
{
	return previous ? wire->setup.identity->previous_psk : wire->setup.identity->psk;
}

/* A MAC that only someone who knows the responder's key and the PSK can make, over the handshake
 * message: a stranger costs the responder two hashes and no curve operation. */
static void mac1(const uint8_t *psk, const uint8_t *responder_key, const uint8_t *message,
		 size_t length, uint8_t mac[WIRE_MAC_BYTES])
{
	crypto_generichash_blake2b_state state;
	uint8_t key[32];

	(void)crypto_generichash_blake2b_init(&state, psk, SESSION_KEY_BYTES, sizeof(key));
	(void)crypto_generichash_blake2b_update(&state, (const uint8_t *)MAC_LABEL,
						sizeof(MAC_LABEL) - 1);
	(void)crypto_generichash_blake2b_update(&state, responder_key, SESSION_KEY_BYTES);
	(void)crypto_generichash_blake2b_final(&state, key, sizeof(key));
	(void)crypto_generichash_blake2b(mac, WIRE_MAC_BYTES, message, length, key, sizeof(key));
	sodium_memzero(&state, sizeof(state));
	sodium_memzero(key, sizeof(key));
}

/* Which of our keys an initiator has chosen. */
struct chosen {
	const uint8_t *psk, *secret, *public_key;
};

static int begin_noise(struct wire *wire, const struct chosen *chosen)
{
	const struct session_identity *identity = wire->setup.identity;
	char prologue[sizeof(PROLOGUE_LABEL) + LIST_NAME_MAX];
	struct noise_setup setup = {.initiator = wire->setup.initiator,
				    .prologue = prologue,
				    .secret = chosen->secret,
				    .public_key = chosen->public_key,
				    .remote_static =
					wire->setup.initiator ? wire->remote_key : NULL,
				    .psk = chosen->psk};
	size_t cluster = strnlen(identity->cluster, LIST_NAME_MAX);

	/* The label's own NUL stands between it and the cluster's name. */
	memcpy(prologue, PROLOGUE_LABEL, sizeof(PROLOGUE_LABEL));
	memcpy(prologue + sizeof(PROLOGUE_LABEL), identity->cluster, cluster);
	setup.prologue_bytes = sizeof(PROLOGUE_LABEL) + cluster;
	wire->handshake = sodium_malloc(sizeof(*wire->handshake));
	if (wire->handshake == NULL) {
		(void)wire_break(wire, WIRE_FAULT_LOCAL, "no memory for a handshake");
		return -ENOMEM;
	}
	noise_begin(wire->handshake, &setup);
	return 0;
}

int wire_first_send(struct wire *wire)
{
	uint8_t frame[WIRE_LENGTH_BYTES + WIRE_FIRST_BYTES];
	uint8_t *message = frame + WIRE_LENGTH_BYTES;
	const struct session_identity *identity = wire->setup.identity;
	const struct chosen chosen = {.psk = own_psk(wire, wire->setup.use_previous_psk),
				      .secret = identity->secret,
				      .public_key = identity->public_key};
	size_t length;
	int error = begin_noise(wire, &chosen);

	if (error != 0)
		return error;
	error = noise_write(wire->handshake, NULL, 0, message, NOISE_FIRST_BYTES, &length);
	if (error != 0) {
		(void)wire_break(wire, WIRE_FAULT_HANDSHAKE,
				 "the peer's key in the list is no usable X25519 key");
		return error;
	}
	mac1(chosen.psk, wire->remote_key, message, length, message + length);
	return wire_frame_send(wire, frame, WIRE_FIRST_BYTES, false);
}

/* The Noise messages carry no payload; anything but their exact size is refused unread. */
static enum wire_event end_noise(struct wire *wire)
{
	if (noise_split(wire->handshake, &wire->send, &wire->receive) != 0)
		return wire_break(wire, WIRE_FAULT_HANDSHAKE, "handshake out of order");
	memcpy(wire->peer_key, wire->handshake->remote_static, sizeof(wire->peer_key));
	wire_handshake_end(wire);
	wire->state = WIRE_STATE_HELLO;
	return WIRE_MORE;
}

/* While keys are rotated there are two of a kind: at most four MACs tell which ones are meant. */
static bool choose(const struct wire *wire, struct chosen *chosen)
{
	const struct session_identity *identity = wire->setup.identity;
	const unsigned psks = identity->has_previous_psk ? 2 : 1;
	const unsigned count = identity->has_other ? 2 * psks : psks;
	uint8_t expected[WIRE_MAC_BYTES];

	for (unsigned i = 0; i < count; i++) {
		const bool other = i >= psks;

		chosen->psk = own_psk(wire, i % psks == 1);
		chosen->secret = other ? identity->other_secret : identity->secret;
		chosen->public_key = other ? identity->other_public_key : identity->public_key;
		mac1(chosen->psk, chosen->public_key, wire->frame, NOISE_FIRST_BYTES, expected);
		if (sodium_memcmp(expected, wire->frame + NOISE_FIRST_BYTES, sizeof(expected)) == 0)
			return true;
	}
	return false;
}

enum wire_event wire_first_take(struct wire *wire)
{
	const struct session_identity *identity = wire->setup.identity;
	struct chosen chosen;
	uint8_t payload[1];
	uint8_t answer[WIRE_LENGTH_BYTES + NOISE_SECOND_BYTES];
	size_t length;

	if (!choose(wire, &chosen))
		return wire_break(wire, WIRE_FAULT_MAC,
				  "mac1 does not fit: made with another pre-shared key, or for "
				  "another host's key");
	if (begin_noise(wire, &chosen) != 0)
		return WIRE_BROKEN;
	if (noise_read(wire->handshake, wire->frame, NOISE_FIRST_BYTES, payload, 0, &length) != 0)
		return wire_break(wire, WIRE_FAULT_HANDSHAKE,
				  "the handshake does not authenticate: another cluster than %s, "
				  "or changed on the way",
				  identity->cluster);
	if (noise_write(wire->handshake, NULL, 0, answer + WIRE_LENGTH_BYTES, NOISE_SECOND_BYTES,
			&length) != 0)
		return wire_break(wire, WIRE_FAULT_HANDSHAKE, "the peer's key is not usable");
	if (wire_frame_send(wire, answer, NOISE_SECOND_BYTES, false) != 0)
		return WIRE_BROKEN;
	return end_noise(wire);
}

enum wire_event wire_response_take(struct wire *wire)
{
	uint8_t payload[1];
	size_t length;

	if (noise_read(wire->handshake, wire->frame, wire->frame_want, payload, 0, &length) != 0)
		return wire_break(wire, WIRE_FAULT_HANDSHAKE,
				  "the peer's handshake does not authenticate");
	if (end_noise(wire) == WIRE_BROKEN || wire_hello_send(wire) != 0)
		return WIRE_BROKEN;
	return WIRE_MORE;
}

/* A later version's HELLO may be longer; its first fields are ours. */
enum wire_event wire_hello_take(struct wire *wire, const uint8_t *record, size_t length)
{
	struct message hello;
	uint16_t low, high;

	if (length > MESSAGE_HELLO_BYTES)
		length = MESSAGE_HELLO_BYTES;
	if (message_decode(record, length, 0, &hello) != 0 || hello.type != MESSAGE_HELLO)
		return wire_break(wire, WIRE_FAULT_HANDSHAKE, "the peer does not begin with HELLO");
	memcpy(wire->peer_name, hello.hello.name, sizeof(wire->peer_name));
	/* Answered before it is judged, so that both sides can name both ranges. */
	if (!wire->setup.initiator && wire_hello_send(wire) != 0)
		return WIRE_BROKEN;
	low = hello.hello.version_min > wire->setup.version_min ? hello.hello.version_min
								: wire->setup.version_min;
	high = hello.hello.version_max < wire->setup.version_max ? hello.hello.version_max
								 : wire->setup.version_max;
	if (low > high)
		return wire_break(wire, WIRE_FAULT_HANDSHAKE,
				  "no common protocol version: %s speaks %u to %u, we speak %u to "
				  "%u; upgrade the older one",
				  hello.hello.name[0] != '\0' ? hello.hello.name : "the peer",
				  hello.hello.version_min, hello.hello.version_max,
				  wire->setup.version_min, wire->setup.version_max);
	wire->version = high;
	wire->state = WIRE_STATE_READY;
	return WIRE_READY;
}
