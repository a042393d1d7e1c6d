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
	const char *source[TRUST_KEYS_MAX];
};

/* Adds what stands after -p: a file or base64. */
int signers_trust_add(struct signers_trusted *trusted, const char *file_or_base64,
		      struct failure *failure);
/* `threshold` 0 is one signature. */
int signers_trust_finish(struct signers_trusted *trusted, uint32_t threshold,
			 struct failure *failure);

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
