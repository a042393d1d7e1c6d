/* fuzz_handshake.c - any bytes into the responder, at each stage a peer can reach.
 *
 * The first byte of the input chooses how far the peer has come; the rest is what it sends:
 *   0  a stranger: raw bytes into the handshake
 *   1  one who knows the PSK: the rest's first 96 bytes as a handshake message under a fitting mac1
 *   2  a peer after the handshake: the rest cut into records, each sealed as the peer would
 *   3  a local program: raw bytes into a plain wire
 * In 2 a record's size is its first two bytes, so the fuzzer can reach HELLO, messages and chunks.
 * Stages 0 and 1 must never become ready; whatever is delivered must be within its bounds.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "net/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct session_identity client, server;

struct output {
	uint8_t bytes[4096];
	size_t length;
};

static int on_output(void *context, const uint8_t *bytes, size_t length)
{
	struct output *output = context;

	if (length > sizeof(output->bytes) - output->length)
		output->length = 0; /* nobody reads that far */
	if (length <= sizeof(output->bytes)) {
		memcpy(output->bytes + output->length, bytes, length);
		output->length += length;
	}
	return 0;
}

static void identities_make(void)
{
	static const uint8_t seeds[2][32] = {{1}, {2}};
	struct session_identity *both[2] = {&client, &server};

	if (sodium_init() < 0)
		abort();
	for (int i = 0; i < 2; i++) {
		strcpy(both[i]->cluster, "web");
		strcpy(both[i]->name, i == 0 ? "web01" : "web02");
		crypto_box_seed_keypair(both[i]->public_key, both[i]->secret, seeds[i]);
		memset(both[i]->psk, 0x77, sizeof(both[i]->psk));
		memset(both[i]->previous_psk, 0x66, sizeof(both[i]->previous_psk));
		both[i]->has_previous_psk = true;
	}
}

static struct wire *wire_make(bool initiator, bool plain, struct output *output)
{
	struct wire_setup setup = {.initiator = initiator,
				   .plain = plain,
				   .identity = initiator ? &client : &server,
				   .peer_key = server.public_key,
				   .version_min = 1,
				   .version_max = 1,
				   .output = on_output,
				   .context = output};
	struct wire *wire;

	if (wire_new(&setup, &wire) != 0)
		abort();
	return wire;
}

/* Gives the wire bytes; true when it is broken. */
static bool give(struct wire *wire, const uint8_t *bytes, size_t length)
{
	struct message message;
	enum wire_event event;
	bool was_ready;
	size_t used;

	while (length > 0) {
		was_ready = wire_is_ready(wire);
		event = wire_receive(wire, bytes, length, &used, &message);
		if (used > length || (used == 0 && event != WIRE_BROKEN))
			abort();
		bytes += used;
		length -= used;
		if (event == WIRE_BROKEN) {
			if (wire_reason(wire)[0] == '\0' || wire_fault(wire) == WIRE_FAULT_NONE)
				abort();
			return true;
		}
		if (event == WIRE_MESSAGE) {
			uint8_t encoded[MESSAGE_BYTES_MAX];
			uint8_t sum = 0;

			if (!was_ready || message.type == MESSAGE_HELLO ||
			    message.body_bytes > MESSAGE_BODY_MAX)
				abort();
			(void)message_encode(&message, PROTOCOL_VERSION, encoded);
			for (size_t i = 0; i < message.body_bytes; i++)
				sum ^= message.body[i]; /* ASan: is it all there? */
			(void)*(volatile uint8_t *)&sum;
		}
	}
	return false;
}

static void as_stranger(const uint8_t *data, size_t size)
{
	struct output out = {.length = 0};
	struct wire *wire = wire_make(false, false, &out);

	(void)give(wire, data, size);
	if (wire_is_ready(wire))
		abort();
	wire_free(wire);
}

/* Completes a frame whose Noise message is in place: length and mac1, as docs/protocol.md says. */
static void first_frame_complete(uint8_t frame[2 + WIRE_FIRST_BYTES], const uint8_t psk[32])
{
	crypto_generichash_blake2b_state state;
	uint8_t key[32];

	frame[0] = WIRE_FIRST_BYTES;
	frame[1] = 0;
	crypto_generichash_blake2b_init(&state, psk, 32, sizeof(key));
	crypto_generichash_blake2b_update(&state, (const uint8_t *)"mcroster mac1", 13);
	crypto_generichash_blake2b_update(&state, server.public_key, 32);
	crypto_generichash_blake2b_final(&state, key, sizeof(key));
	crypto_generichash_blake2b(frame + 2 + NOISE_FIRST_BYTES, WIRE_MAC_BYTES, frame + 2,
				   NOISE_FIRST_BYTES, key, sizeof(key));
}

static void with_mac1(const uint8_t *data, size_t size)
{
	struct output out = {.length = 0};
	struct wire *wire = wire_make(false, false, &out);
	uint8_t frame[2 + WIRE_FIRST_BYTES] = {0};

	memcpy(frame + 2, data, size < NOISE_FIRST_BYTES ? size : NOISE_FIRST_BYTES);
	first_frame_complete(frame, server.previous_psk);
	if (!give(wire, frame, sizeof(frame)) || wire_fault(wire) != WIRE_FAULT_HANDSHAKE)
		abort();
	wire_free(wire);
}

/* The peer's own side of the handshake, without a wire, so that any record can be sealed. */
static void as_peer(const uint8_t *data, size_t size)
{
	static const char prologue[] = "mcroster peer 1\0web";
	static struct output out;
	static uint8_t frame[2 + WIRE_FRAME_MAX];
	struct wire *wire;
	struct noise_handshake handshake;
	struct noise_cipher send, receive;
	struct noise_setup setup = {.initiator = true,
				    .prologue = prologue,
				    .prologue_bytes = sizeof(prologue) - 1,
				    .secret = client.secret,
				    .public_key = client.public_key,
				    .remote_static = server.public_key,
				    .psk = server.psk};
	uint8_t payload[1];
	bool broken = false;
	size_t length;

	out.length = 0;
	wire = wire_make(false, false, &out);
	noise_begin(&handshake, &setup);
	if (noise_write(&handshake, NULL, 0, frame + 2, NOISE_FIRST_BYTES, &length) != 0)
		abort();
	first_frame_complete(frame, server.psk);
	if (give(wire, frame, 2 + WIRE_FIRST_BYTES) || out.length != 2 + NOISE_SECOND_BYTES ||
	    noise_read(&handshake, out.bytes + 2, NOISE_SECOND_BYTES, payload, 0, &length) != 0 ||
	    noise_split(&handshake, &send, &receive) != 0)
		abort();
	while (size >= 2 && !broken) {
		length = (size_t)data[0] | (size_t)data[1] << 8;
		data += 2;
		size -= 2;
		if (length > size)
			length = size;
		if (length > WIRE_FRAME_MAX - NOISE_TAG_BYTES)
			length = WIRE_FRAME_MAX - NOISE_TAG_BYTES;
		if (noise_cipher_seal(&send, NULL, 0, data, length, frame + 2) != 0)
			abort();
		frame[0] = (uint8_t)(length + NOISE_TAG_BYTES);
		frame[1] = (uint8_t)((length + NOISE_TAG_BYTES) >> 8);
		broken = give(wire, frame, 2 + length + NOISE_TAG_BYTES);
		data += length;
		size -= length;
	}
	wire_free(wire);
}

static void as_local(const uint8_t *data, size_t size)
{
	struct output out = {.length = 0};
	struct wire *wire = wire_make(false, true, &out);

	(void)give(wire, data, size);
	wire_free(wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (server.cluster[0] == '\0')
		identities_make();
	if (size == 0)
		return 0;
	switch (data[0] % 4) {
	case 0:
		as_stranger(data + 1, size - 1);
		break;
	case 1:
		with_mac1(data + 1, size - 1);
		break;
	case 2:
		as_peer(data + 1, size - 1);
		break;
	default:
		as_local(data + 1, size - 1);
		break;
	}
	return 0;
}
