/* keys_report.c - see keys_report.h.  Reads documents, writes text; decides nothing. */
#include "admin/keys_report.h"

#include <inttypes.h>
#include <string.h>

#include "admin/human.h"
#include "admin/signers.h"

bool keys_report_has(const struct keys *keys, const uint8_t key[DOCUMENT_KEY_BYTES])
{
	for (uint32_t i = 0; keys != NULL && i < keys->key_count; i++)
		if (memcmp(keys->keys[i], key, DOCUMENT_KEY_BYTES) == 0)
			return true;
	return false;
}

static void key_print(const uint8_t *key, const char *fate, FILE *out)
{
	char id[DOCUMENT_KEY_ID_CHARS + 1], text[DOCUMENT_KEY_CHARS + 1];

	document_key_id(key, id);
	document_key_print(key, text);
	(void)fprintf(out, "  %s  %s%s%s\n", id, text, fate[0] == '\0' ? "" : "  ", fate);
}

void keys_report_keys(const struct keys *previous, const struct keys *keys, FILE *out)
{
	for (uint32_t i = 0; i < keys->key_count; i++) {
		const bool comes = previous != NULL && !keys_report_has(previous, keys->keys[i]);

		key_print(keys->keys[i], comes ? "new" : "", out);
	}
	for (uint32_t i = 0; previous != NULL && i < previous->key_count; i++)
		if (!keys_report_has(keys, previous->keys[i]))
			key_print(previous->keys[i], "goes", out);
}

static bool id_of(const struct keys *keys, const char *id)
{
	for (uint32_t i = 0; keys != NULL && i < keys->key_count; i++) {
		char own[DOCUMENT_KEY_ID_CHARS + 1];

		document_key_id(keys->keys[i], own);
		if (strcmp(own, id) == 0)
			return true;
	}
	return false;
}

int keys_report_signers(const struct keys *previous, const struct keys *keys, FILE *out,
			struct failure *failure)
{
	struct signers signers;
	int error = signers_read(keys->document, keys->document_bytes, NULL, &signers, failure);

	if (error < 0)
		return error;
	if (signers.count == 0)
		(void)fprintf(out, "signed by     nobody: this document is unsigned\n");
	for (uint32_t i = 0; i < signers.count; i++) {
		const bool before = id_of(previous, signers.by[i].id);
		const bool own = id_of(keys, signers.by[i].id);

		(void)fprintf(out, "%-14s%s", i == 0 ? "signed by" : "", signers.by[i].id);
		if (own)
			(void)fprintf(out, "  for version %" PRIu64, keys->version);
		if (before)
			(void)fprintf(out, "%s version %" PRIu64, own ? " and" : "  for",
				      previous->version);
		(void)fputc('\n', out);
	}
	return 0;
}

int keys_report_text(const struct keys *keys, FILE *out, struct failure *failure)
{
	char hash[2 * LIST_HASH_BYTES + 1], parent[2 * LIST_HASH_BYTES + 1] = "none";

	human_hex(keys->hash, sizeof(keys->hash), hash);
	if (keys->has_parent)
		human_hex(keys->parent, sizeof(keys->parent), parent);
	(void)fprintf(out,
		      "cluster       %s\nversion       %" PRIu64 "\nhash          %s\n"
		      "parent        %s\ncreated       %s\nthreshold     %" PRIu32 " of %s%" PRIu32
		      " key%s\n",
		      keys->cluster, keys->version, hash, parent, keys->created, keys->threshold,
		      keys->key_count == 1 ? "this " : "these ", keys->key_count,
		      PLURAL(keys->key_count));
	keys_report_keys(NULL, keys, out);
	return keys_report_signers(NULL, keys, out, failure);
}

int keys_report_json(const struct keys *keys, struct json *json, struct failure *failure)
{
	struct signers signers;
	int error = signers_read(keys->document, keys->document_bytes, NULL, &signers, failure);

	if (error < 0)
		return error;
	json_string(json, "cluster", keys->cluster);
	json_unsigned(json, "version", keys->version);
	json_hex(json, "hash", keys->hash, sizeof(keys->hash));
	if (keys->has_parent)
		json_hex(json, "parent", keys->parent, sizeof(keys->parent));
	else
		json_string(json, "parent", NULL);
	json_string(json, "created", keys->created);
	json_unsigned(json, "threshold", keys->threshold);
	json_array_open(json, "keys");
	for (uint32_t i = 0; i < keys->key_count; i++) {
		char id[DOCUMENT_KEY_ID_CHARS + 1], text[DOCUMENT_KEY_CHARS + 1];

		document_key_id(keys->keys[i], id);
		document_key_print(keys->keys[i], text);
		json_object_open(json, NULL);
		json_string(json, "key_id", id);
		json_string(json, "key", text);
		json_object_close(json);
	}
	json_array_close(json);
	json_array_open(json, "signatures");
	for (uint32_t i = 0; i < signers.count; i++)
		json_string(json, NULL, signers.by[i].id);
	json_array_close(json);
	return 0;
}
