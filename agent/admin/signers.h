/* signers.h - who signed a document, and whom the operator trusts on the command line. */
#ifndef MCROSTER_ADMIN_SIGNERS_H
#define MCROSTER_ADMIN_SIGNERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "list/document.h"

/* The keys given with -p, each with the words it was given by (borrowed). */
struct signers_trusted {
	struct trust trust; /* threshold 0 until signers_trust_finish */
	uint64_t wanted;    /* -t; 0: it was not given */
	const char *source[TRUST_KEYS_MAX];
};

/* clang-format off */
#define SIGNERS_LETTERS "p:t:"
#define SIGNERS_OPTIONS \
	{"public", required_argument, NULL, 'p'}, \
	{"threshold", required_argument, NULL, 't'}
/* Of commands that verify where they are told to. */
#define SIGNERS_USAGE \
	"  -p, --public PUBLIC       verify it first, with this trusted key (.pub file or\n" \
	"                            base64); may be repeated\n" \
	"  -t, --threshold N         so many of them must have signed (1)\n"
/* clang-format on */

/* Takes an option that is one of ours: -1; or it has said what is wrong and returns the exit code.
 * -2: it is none of ours. */
int signers_option(const char *command, struct signers_trusted *trusted, int option,
		   const char *argument);
/* When all options are taken: as many signatures as were wanted, one where nothing was said. */
int signers_trust_finish(struct signers_trusted *trusted, struct failure *failure);

/* One per signature line, in the document's order. */
struct signers {
	uint32_t count;
	struct {
		char id[DOCUMENT_KEY_ID_CHARS + 1];
		int trusted; /* index into signers_trusted, or -1 */
		bool valid;  /* the trusted key did sign */
	} by[DOCUMENT_SIGNATURES_MAX];
};

/* Refuses a document of a bad shape only: whether the signatures suffice is document_verify's. */
int signers_read(const void *document, size_t document_bytes, const struct signers_trusted *trusted,
		 struct signers *signers, struct failure *failure);

/* Lines "<label><key id>  <word>", `label` on the first only. */
void signers_print(const struct signers *signers, const struct signers_trusted *trusted,
		   const char *label, FILE *out);

#endif
