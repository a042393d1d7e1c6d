/* keys_text.c - the one canonical text of a keys document, read and written.
 *
 * Reading refuses what breaks a rule with the line's number; writing goes through reading, so the
 * rules stand in one place.  Reentrant.
 */
#include "list/keys.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "list/line_values.h"

static int take_magic(struct lines *lines, const struct word *words)
{
	return line_format(lines, words[1]);
}

static int take_cluster(struct lines *lines, const struct word *words)
{
	struct keys *keys = lines->made;

	return line_name(lines, words[1], "cluster", keys->cluster);
}

static int take_version(struct lines *lines, const struct word *words)
{
	struct keys *keys = lines->made;

	return line_number(lines, words[1], "version", 1, LIST_EPOCH_MAX, &keys->version);
}

static int take_parent(struct lines *lines, const struct word *words)
{
	struct keys *keys = lines->made;
	int error = line_hash_or_none(lines, words[1], "parent", &keys->has_parent, keys->parent);

	if (error == 0 && keys->has_parent != (keys->version > 1))
		return lines_refuse(lines,
				    "version %" PRIu64 " with parent %.*s: version 1 has "
				    "none, every other one has one",
				    keys->version, (int)words[1].bytes, words[1].text);
	return error;
}

static int take_created(struct lines *lines, const struct word *words)
{
	struct keys *keys = lines->made;

	return line_created(lines, words[1], keys->created);
}

static int take_threshold(struct lines *lines, const struct word *words)
{
	struct keys *keys = lines->made;

	return line_number32(lines, words[1], "threshold", 1, TRUST_KEYS_MAX, &keys->threshold);
}

/* A key that is no point of the curve's group could never sign: it would only be counted on. */
static int take_key(struct lines *lines, const struct word *words)
{
	struct keys *keys = lines->made;
	const int chars = (int)words[1].bytes;
	uint8_t key[DOCUMENT_KEY_BYTES];
	int order = -1;

	if (keys->key_count == TRUST_KEYS_MAX)
		return lines_refuse(lines, "more than %u keys", TRUST_KEYS_MAX);
	if (!text_key(words[1], key) || crypto_core_ed25519_is_valid_point(key) != 1)
		return lines_refuse(lines,
				    "key `%.*s`: want 44 characters of canonical base64, an "
				    "Ed25519 public key",
				    chars, words[1].text);
	if (keys->key_count > 0)
		order = memcmp(keys->keys[keys->key_count - 1], key, sizeof(key));
	if (order == 0)
		return lines_refuse(lines, "key `%.*s` stands twice", chars, words[1].text);
	if (order > 0)
		return lines_refuse(lines,
				    "key `%.*s` after a greater one: they stand in ascending order "
				    "of their bytes",
				    chars, words[1].text);
	memcpy(keys->keys[keys->key_count++], key, sizeof(key));
	return 0;
}

static int keys_end(struct lines *lines)
{
	const struct keys *keys = lines->made;

	if (keys->threshold > keys->key_count)
		return lines_refuse(lines,
				    "threshold %" PRIu32 " of %" PRIu32 " keys: it could "
				    "never be reached",
				    keys->threshold, keys->key_count);
	return 0;
}

static const struct lines_step steps[] = {
    {"mcroster-keys", "mcroster-keys 1", 2, 2, false, false, take_magic},
    {"cluster", "cluster NAME", 2, 2, false, false, take_cluster},
    {"version", "version N", 2, 2, false, false, take_version},
    {"parent", "parent HASH|none", 2, 2, false, false, take_parent},
    {"created", "created TIME", 2, 2, false, false, take_created},
    {"threshold", "threshold K", 2, 2, false, false, take_threshold},
    {"key", "key BASE64", 2, 2, false, true, take_key},
};

static const struct lines_form keys_form = {
    .name = "keys document",
    .steps = steps,
    .step_count = sizeof(steps) / sizeof(steps[0]),
    .end = keys_end,
};

int keys_parse(const void *document, size_t document_bytes, struct keys **keys,
	       struct failure *failure)
{
	struct keys *made = calloc(1, sizeof(*made));
	size_t body_bytes = 0;
	int error;

	if (made == NULL)
		return failure_set(failure, ENOMEM, "no memory for a keys document");
	error = lines_parse(&keys_form, made, document, document_bytes, &body_bytes, failure);
	if (error == 0)
		error = lines_keep(document, document_bytes, &made->document, &made->document_bytes,
				   failure);
	if (error != 0) {
		keys_free(made);
		return error;
	}
	document_hash(document, body_bytes, made->hash);
	*keys = made;
	return 0;
}

static int key_compare(const void *a, const void *b)
{
	return memcmp(a, b, DOCUMENT_KEY_BYTES);
}

static int keys_print(const void *what, FILE *out)
{
	const struct keys *keys = what;
	char parent[2 * LIST_HASH_BYTES + 1] = "none";
	uint8_t sorted[TRUST_KEYS_MAX][DOCUMENT_KEY_BYTES];

	if (keys->has_parent)
		(void)sodium_bin2hex(parent, sizeof(parent), keys->parent, LIST_HASH_BYTES);
	fprintf(out, "mcroster-keys 1\ncluster %s\nversion %" PRIu64 "\nparent %s\ncreated %s\n",
		keys->cluster, keys->version, parent, keys->created);
	fprintf(out, "threshold %" PRIu32 "\n", keys->threshold);
	memcpy(sorted, keys->keys, sizeof(sorted));
	qsort(sorted, keys->key_count, sizeof(sorted[0]), key_compare);
	for (uint32_t i = 0; i < keys->key_count; i++) {
		char text[DOCUMENT_KEY_CHARS + 1];

		document_key_print(sorted[i], text);
		fprintf(out, "key %s\n", text);
	}
	return 0;
}

int keys_write(const struct keys *keys, void **body, size_t *body_bytes, struct failure *failure)
{
	struct keys *again = NULL;
	struct failure reason;
	char *text = NULL;
	size_t bytes = 0;
	int error;

	if (keys->key_count > TRUST_KEYS_MAX)
		return failure_set(failure, EINVAL, "%" PRIu32 " keys: at most %u", keys->key_count,
				   TRUST_KEYS_MAX);
	error = lines_write(keys_print, keys, &text, &bytes);
	if (error == 0)
		error = keys_parse(text, bytes, &again, &reason);
	keys_free(again);
	if (error == 0) {
		*body = text;
		*body_bytes = bytes;
		return 0;
	}
	free(text);
	if (error == -ENOMEM)
		return failure_set(failure, ENOMEM, "no memory to write the keys document");
	return failure_set(failure, EINVAL, "the keys document breaks a rule: %s", reason.text);
}
