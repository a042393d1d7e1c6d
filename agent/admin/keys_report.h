/* keys_report.h - a keys document laid out for people and for programs. */
#ifndef MCROSTER_ADMIN_KEYS_REPORT_H
#define MCROSTER_ADMIN_KEYS_REPORT_H

#include <stdio.h>

#include "admin/json.h"
#include "list/keys.h"

bool keys_report_has(const struct keys *keys, const uint8_t key[DOCUMENT_KEY_BYTES]);

/* The keys of `keys`; against `previous` (NULL: none) also which come and go. */
void keys_report_keys(const struct keys *previous, const struct keys *keys, FILE *out);

/* Who signed, and for which of the two documents that counts; `previous` may be NULL.  Signatures
 * are not checked here. */
int keys_report_signers(const struct keys *previous, const struct keys *keys, FILE *out,
			struct failure *failure);

/* All of it: head, keys, who signed. */
int keys_report_text(const struct keys *keys, FILE *out, struct failure *failure);

/* The members of an object. */
int keys_report_json(const struct keys *keys, struct json *json, struct failure *failure);

#endif
