/* message.h - the peer protocol's messages: one table, fixed little-endian fields.
 *
 * docs/protocol.md holds the same table.  Encoding and decoding only: no I/O, no state.
 * LIST, OFFER and STATUS carry a body that may be larger than a frame; on the wire it travels in
 * chunks (total, offset, bytes), which the session cuts and puts together again: above the session
 * a message is always whole.
 */
#ifndef MCROSTER_MESSAGE_H
#define MCROSTER_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/register.h"

/* A release speaks its own version and the one before: fleets are upgraded one host at a time.  A
 * version may add messages, and fields at the end of one (message.c's `appended`); it changes
 * nothing that is there. */
#ifndef PROTOCOL_VERSION /* tests build an agent of the version before */
#define PROTOCOL_VERSION 2u
#endif
#define PROTOCOL_VERSION_MIN 1u
#define MESSAGE_BODY_MAX     (DOCUMENT_BYTES_MAX)
#define MESSAGE_TEXT_BYTES   512u

enum message_type {
	MESSAGE_HELLO = 1,
	MESSAGE_RENEW = 2,
	MESSAGE_GRANT = 3,
	MESSAGE_REGISTER = 4,  /* push of the register, no lease */
	MESSAGE_ELSEWHERE = 5, /* somebody else coordinates */
	MESSAGE_LIST_GET = 6,
	MESSAGE_LIST = 7,    /* body: a signed list; empty: not here */
	MESSAGE_OFFER = 8,   /* body: a signed document */
	MESSAGE_VERDICT = 9, /* the answer to an OFFER */
	MESSAGE_STATUS_GET = 10,
	MESSAGE_STATUS = 11, /* body: text, "name value" lines */
	MESSAGE_PACE = 12    /* how fast the agent's movers may go; answered by a VERDICT */
};

enum verdict {
	VERDICT_ACCEPTED = 0,
	VERDICT_REFUSED = 1, /* by a rule */
	VERDICT_BUSY = 2,    /* a change runs */
	VERDICT_FAILED = 3,  /* it could not be decided or stored */
	VERDICT_LATER = 4,   /* nothing is wrong with it: offer it again in a moment */
	VERDICT_COUNT
};

enum status_scope { STATUS_LOCAL = 0, STATUS_CLUSTER = 1 };

#define PACE_UNCHANGED UINT64_MAX
enum pace_adaptive { PACE_ADAPTIVE_NO = 0, PACE_ADAPTIVE_YES = 1, PACE_ADAPTIVE_UNCHANGED = 2 };

struct message {
	uint8_t type; /* enum message_type */
	union {
		struct {
			uint16_t version_min, version_max;
			char name[LIST_NAME_MAX +
				  1]; /* the sender's name in the list; "" for an observer */
		} hello;
		struct renew renew;
		struct grant grant;
		struct reg reg;
		struct {
			char name[LIST_NAME_MAX + 1];
			char address[LIST_ADDRESS_MAX + 1];
		} elsewhere;
		struct {
			uint64_t request;
			uint8_t hash[LIST_HASH_BYTES]; /* all zero: the active list */
		} list_get;
		struct {
			uint64_t request;
			uint8_t code; /* enum verdict */
			char text[MESSAGE_TEXT_BYTES];
		} verdict;
		struct {
			uint64_t request;
			uint8_t scope; /* enum status_scope */
		} status_get;
		struct {
			uint64_t request;
			uint64_t rate_keys, rate_bytes; /* a second; 0: no limit */
			uint8_t adaptive;		/* enum pace_adaptive */
		} pace;
	};
	/* LIST, OFFER, STATUS: which request it answers or makes, and its body.  Borrowed: valid
	 * for the call that delivers or sends it. */
	uint64_t request;
	const uint8_t *body;
	size_t body_bytes;
};

#define MESSAGE_BYTES_MAX   4096u /* an encoded message without its body */
#define MESSAGE_HELLO_BYTES 69u	  /* of every version: a later one may only append */

/* Encodes type and fields (not the body) as that version of the protocol has them, into `bytes`;
 * returns the length.  Version 0 is a session's before it has agreed on one: HELLO.  Cannot fail: a
 * string is cut to its field, and a character that the other side would refuse becomes '?'. */
size_t message_encode(const struct message *message, uint16_t version,
		      uint8_t bytes[MESSAGE_BYTES_MAX]);

/* Decodes what message_encode made; the whole of `bytes` must be used up.  Every string must be
 * NUL-terminated, padded with NULs and free of control characters, and every enum in range:
 * -EBADMSG otherwise, *message undefined then.  What is accepted encodes to the same bytes.  What
 * the version does not have is empty. */
int message_decode(const uint8_t *bytes, size_t length, uint16_t version, struct message *message);

/* LIST, OFFER, STATUS. */
bool message_has_body(uint8_t type);

const char *message_name(uint8_t type); /* "unknown" for any other number */

#endif
