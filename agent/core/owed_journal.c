/* owed_journal.c - see owed_journal.h. */
#include "core/owed_journal.h"

#include <errno.h>
#include <string.h>

#include "core/fields.h"
#include "hash.h"

#define MAGIC	       "mcrowed1"
#define KEY_OFFSET     14u
#define CHECKSUM_BYTES 8u
#define BASE64_KEY_MAX (OWED_KEY_MAX / 4 * 3)

bool owed_key_valid(const void *key, size_t key_bytes)
{
	const uint8_t *at = key;

	if (key_bytes == 0 || key_bytes > OWED_KEY_MAX)
		return false;
	for (size_t i = 0; key_bytes > BASE64_KEY_MAX && i < key_bytes; i++)
		if (at[i] == ' ' || at[i] == '\0' || at[i] == '\r' || at[i] == '\n')
			return false;
	return true;
}

void owed_journal_header(uint8_t bytes[OWED_JOURNAL_HEADER_BYTES])
{
	memcpy(bytes, MAGIC, OWED_JOURNAL_HEADER_BYTES);
}

size_t owed_record_encode(const struct owed_record *record, uint64_t offset,
			  uint8_t bytes[OWED_RECORD_MAX])
{
	uint8_t *at = bytes;

	field_put_u8(&at, (uint8_t)record->kind);
	field_put_u8(&at, record->key_bytes);
	field_put_u32(&at, record->uid);
	field_put_u64(&at, record->since_s);
	field_put_bytes(&at, record->key, record->key_bytes);
	field_put_u64(&at, XXH3_64bits_withSeed(bytes, (size_t)(at - bytes), offset));
	return (size_t)(at - bytes);
}

int owed_journal_open(struct owed_journal_reader *reader, const void *bytes, size_t length)
{
	if (length < OWED_JOURNAL_HEADER_BYTES ||
	    memcmp(bytes, MAGIC, OWED_JOURNAL_HEADER_BYTES) != 0)
		return -EBADMSG;
	*reader = (struct owed_journal_reader){.bytes = bytes,
					       .length = length,
					       .at = OWED_JOURNAL_HEADER_BYTES,
					       .whole = OWED_JOURNAL_HEADER_BYTES};
	return 0;
}

/* A whole record at `offset`?  Its length, or 0. */
static size_t record_decode(const uint8_t *bytes, size_t length, uint64_t offset,
			    struct owed_record *record)
{
	struct field_reader reader = {bytes, bytes + length, false};
	const unsigned kind = field_get_u8(&reader);
	size_t checked;

	if (kind != OWED_RECORD_OWED && kind != OWED_RECORD_PAID)
		return 0;
	record->kind = (enum owed_record_kind)kind;
	record->key_bytes = field_get_u8(&reader);
	record->uid = field_get_u32(&reader);
	record->since_s = field_get_u64(&reader);
	checked = KEY_OFFSET + record->key_bytes;
	if (length < checked + CHECKSUM_BYTES ||
	    (kind == OWED_RECORD_PAID && (record->uid != 0 || record->since_s != 0)))
		return 0;
	record->key = bytes + KEY_OFFSET;
	reader.at = bytes + checked;
	if (field_get_u64(&reader) != XXH3_64bits_withSeed(bytes, checked, offset) ||
	    !owed_key_valid(record->key, record->key_bytes))
		return 0;
	return checked + CHECKSUM_BYTES;
}

bool owed_journal_next(struct owed_journal_reader *reader, struct owed_record *record)
{
	for (size_t at = reader->at; at < reader->length; at++) {
		size_t used = record_decode(reader->bytes + at, reader->length - at, at, record);

		if (used == 0)
			continue;
		reader->passed_over += at - reader->whole;
		reader->at = reader->whole = at + used;
		return true;
	}
	reader->at = reader->length;
	return false;
}
