/* signing_keys.h - the operators' secret keys given with -k, and signing with all of them. */
#ifndef MCROSTER_ADMIN_SIGNING_KEYS_H
#define MCROSTER_ADMIN_SIGNING_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "list/document.h"

struct signing_keys {
	uint32_t count;
	const char *path[DOCUMENT_SIGNATURES_MAX];	      /* borrowed */
	const char *passphrase_file[DOCUMENT_SIGNATURES_MAX]; /* likewise; NULL: it is asked for */
	/* Once they are loaded; NULL again once they have signed. */
	uint8_t *secret[DOCUMENT_SIGNATURES_MAX];
	char id[DOCUMENT_SIGNATURES_MAX][DOCUMENT_KEY_ID_CHARS + 1];
};

/* Values for getopt_long, above those of target.h. */
enum { SIGNING_PASSPHRASE_FILE = 0x300 };

/* clang-format off */
#define SIGNING_KEYS_OPTIONS \
	{"key", required_argument, NULL, 'k'}, \
	{"passphrase-file", required_argument, NULL, SIGNING_PASSPHRASE_FILE}

#define SIGNING_KEYS_USAGE \
	"  -k, --key KEYFILE         an operator's secret key; may be repeated\n" \
	"      --passphrase-file F   holds the passphrase of the key before it ('-': a\n" \
	"                            line of standard input does); without one it is\n" \
	"                            asked for at the terminal\n"
/* clang-format on */

/* 1: the option is one of ours, and noted; 0: it is not.  -EINVAL: more keys than a document can
 * have signatures, or a passphrase without a key before it. */
int signing_keys_option(struct signing_keys *keys, int option, const char *argument,
			struct failure *failure);

/* Reads the files.  -EEXIST: two of them hold the same key. */
int signing_keys_load(struct signing_keys *keys, struct failure *failure);
void signing_keys_clear(struct signing_keys *keys); /* wipes them */

/* Signs with each of them and wipes them, whether it succeeds or not: they are loaded for one
 * document.  *out is malloc'd, owned by the caller.  -EEXIST: one has signed already. */
int signing_keys_sign(struct signing_keys *keys, const void *document, size_t document_bytes,
		      void **out, size_t *out_bytes, struct failure *failure);

#define SIGNING_KEYS_IDS_BYTES (DOCUMENT_SIGNATURES_MAX * (DOCUMENT_KEY_ID_CHARS + 2))

/* Their ids, with commas. */
const char *signing_keys_ids(const struct signing_keys *keys, char ids[SIGNING_KEYS_IDS_BYTES]);

#endif
