/* owed_journal.h - the journal of owed invalidations as bytes: one record for each key accepted,
 * one for each key that is owed no longer.
 *
 * Pure.  A record carries a checksum that its place in the file goes into, so a torn append, a
 * damaged byte and a record that stands where it was not written are all told apart from a whole
 * one.  Bytes that are no whole record are passed over and counted: at the end of the file that is
 * the append during which the agent died, which was never answered; anywhere else it is damage, and
 * what stands behind it is still read, for a key owed once too often costs a miss and a key
 * forgotten costs a stale value.
 *
 * On disk, little-endian:  "mcrowed1", then records:
 *	u8 kind, u8 key_bytes, u32 uid, u64 since (Unix seconds), key, u64 checksum
 * checksum: XXH3_64 of the record before it, seeded with the record's offset in the file.
 */
#ifndef MCROSTER_OWED_JOURNAL_H
#define MCROSTER_OWED_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OWED_KEY_MAX		  250u
#define OWED_JOURNAL_HEADER_BYTES 8u
#define OWED_RECORD_FIXED_BYTES	  22u
#define OWED_RECORD_MAX		  (OWED_RECORD_FIXED_BYTES + OWED_KEY_MAX)

enum owed_record_kind { OWED_RECORD_OWED = 1, OWED_RECORD_PAID = 2 };

struct owed_record {
	enum owed_record_kind kind;
	uint8_t key_bytes;  /* 1..OWED_KEY_MAX */
	uint32_t uid;	    /* who owes it; 0 in PAID */
	uint64_t since_s;   /* Unix time, for display only; 0 in PAID */
	const uint8_t *key; /* borrowed */
};

/* 1 to 250 bytes, as far as a line to memcached can name them: a key with a space, NUL or line
 * break in it goes there in base64, for which memcached's limit holds as well. */
bool owed_key_valid(const void *key, size_t key_bytes);

void owed_journal_header(uint8_t bytes[OWED_JOURNAL_HEADER_BYTES]);
/* Writes a record that will stand at `offset` of the file; returns its length. */
size_t owed_record_encode(const struct owed_record *record, uint64_t offset,
			  uint8_t bytes[OWED_RECORD_MAX]);

struct owed_journal_reader {
	const uint8_t *bytes;
	size_t length;
	size_t at;
	size_t whole;	    /* where the last whole record ends: what is behind it may be cut */
	size_t passed_over; /* bytes of damage with a whole record behind them */
};

/* -EBADMSG: it does not begin as a journal of this version. */
int owed_journal_open(struct owed_journal_reader *reader, const void *bytes, size_t length);
/* The next whole record; false at the end.  record->key points into the bytes given. */
bool owed_journal_next(struct owed_journal_reader *reader, struct owed_record *record);

#endif
