/* peer.h - an agent's side of the conversation, in a process of its own, that says what a test
 * wants it to say. */
#ifndef MCROSTER_TESTS_PEER_H
#define MCROSTER_TESTS_PEER_H

#include <stddef.h>

#include "net/message.h"

#define PEER_TEXTS_MAX	   8
#define PEER_DOCUMENTS_MAX 4

struct peer_script {
	const char *status[PEER_TEXTS_MAX]; /* one after the other; the last one again and again */
	struct {
		enum verdict code;
		const char *text;
	} verdicts[PEER_TEXTS_MAX]; /* likewise, up to the first without text */
	/* Given out by their hash; the first one also as the active list. */
	const char *documents[PEER_DOCUMENTS_MAX];
	bool liar;	     /* gives the first one, whatever is asked for */
	const char *offered; /* a file: what was offered last */
	const char *count;   /* a file: how many offers there were, a byte each */
};

/* Returns once it listens on the control socket at `path`. */
void peer_start(const char *path, const struct peer_script *script);
void peer_stop(void); /* fine where none was started */

#endif
