/* etcd_message.h - what is asked of etcd and what it answers, as the JSON of its gateway.
 *
 * The one place that knows etcd's JSON: 64-bit numbers come as strings, fields that are zero or
 * empty are left out, keys and values are base64.  A reply is not believed before every field that
 * is used was found to be of its type, within its bounds, and about the key that was asked for.
 * docs/etcd.md shows each request.  Reentrant.
 */
#ifndef MCROSTER_ETCD_MESSAGE_H
#define MCROSTER_ETCD_MESSAGE_H

#include "core/election.h"

#define ETCD_PREFIX	    "/mcroster/"
#define ETCD_KEY_BYTES	    (sizeof(ETCD_PREFIX) + LIST_NAME_MAX + 16)
#define ETCD_BODY_KEY_BYTES (ETCD_KEY_BYTES + 2 * LIST_HASH_BYTES)
#define ETCD_TOKEN_BYTES    4096u
#define ETCD_REPLY_SMALL    (64u << 10)
#define ETCD_REPLY_BODY	    (2u << 20) /* DOCUMENT_BYTES_MAX in base64, and what is around it */

struct etcd_keys {
	char leader[ETCD_KEY_BYTES], reg[ETCD_KEY_BYTES];
	char lists[ETCD_KEY_BYTES], keys[ETCD_KEY_BYTES]; /* prefixes */
};

void etcd_keys_make(struct etcd_keys *keys, const char *cluster);
/* The key of a list or keys document, by the request that it is for. */
void etcd_body_key(const struct etcd_keys *keys, enum election_request request,
		   const uint8_t hash[LIST_HASH_BYTES], char key[ETCD_BODY_KEY_BYTES]);

/* What was read; the keys' values in `reply` point into `value`. */
struct etcd_answer {
	struct election_reply reply;
	uint64_t cluster_id;
	uint8_t *value[ELECTION_LISTS]; /* owned */
	uint8_t *document;		/* of a GET: NULL when it is not held; owned */
	size_t document_bytes;
	char why[FAILURE_BYTES];
};

/* The JSON of a request; `name` is the candidate's, `document` the body of a PUT.
 * *path is static, *body malloc'd.  -ENOMEM. */
int etcd_request_write(const struct etcd_keys *keys, const struct election_action *action,
		       const char *name, const void *document, size_t bytes, const char **path,
		       char **body);
int etcd_authenticate_write(const char *user, const char *password, const char **path, char **body);

/* The answer to a request of `action`, as HTTP brought it.  Fills *answer whatever came: garbage is
 * an unknown outcome.  `endpoint` is named in the sentences. */
void etcd_answer_read(const struct etcd_keys *keys, const struct election_action *action,
		      const char *endpoint, long status, const char *text, size_t bytes,
		      struct etcd_answer *answer);
void etcd_answer_free(struct etcd_answer *answer);

enum etcd_token {
	ETCD_TOKEN_GIVEN,
	ETCD_TOKEN_NEEDLESS, /* authentication is not switched on */
	ETCD_TOKEN_REFUSED,  /* with the sentence */
	ETCD_TOKEN_UNKNOWN   /* likewise: ask again, elsewhere */
};
enum etcd_token etcd_token_read(const char *endpoint, long status, const char *text, size_t bytes,
				char token[ETCD_TOKEN_BYTES], struct failure *failure);

/* Does the answer ask for a new token?  Then the request was not carried out. */
bool etcd_answer_wants_token(long status, const char *text, size_t bytes);

#endif
