/* fuzz_owed_journal.c - any bytes as a journal of owed keys.
 *
 * Every record found lies within the bytes, at its place, and encodes to the same bytes again; what
 * was loaded, written anew, is loaded again whole and without damage.
 */
#include <stdlib.h>
#include <string.h>

#include "core/owed.h"

static void records_encode_again(const uint8_t *data, size_t size)
{
	struct owed_journal_reader reader;
	struct owed_record record;
	uint8_t again[OWED_RECORD_MAX];

	if (owed_journal_open(&reader, data, size) != 0)
		return;
	while (owed_journal_next(&reader, &record)) {
		const size_t bytes = OWED_RECORD_FIXED_BYTES + record.key_bytes;

		if (reader.whole > size || reader.whole < bytes ||
		    !owed_key_valid(record.key, record.key_bytes) ||
		    owed_record_encode(&record, reader.whole - bytes, again) != bytes ||
		    memcmp(again, data + reader.whole - bytes, bytes) != 0)
			abort();
	}
	if (reader.whole + reader.passed_over > size + reader.whole)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct owed_limits limits = {4, 4};
	static uint8_t anew[1u << 20];
	struct owed_cursor cursor = {0};
	struct owed_damage damage;
	struct owed owed;
	uint32_t keys;
	size_t bytes = 0, piece;

	if (size > sizeof(anew) / 2)
		return 0;
	records_encode_again(data, size);
	if (owed_init(&owed, &limits, 1) != 0)
		abort();
	if (owed_load(&owed, data, size, &damage, NULL) == 0) {
		if (damage.torn_bytes + damage.damaged_bytes > size)
			abort();
		keys = owed.keys;
		while ((piece = owed_snapshot(&owed, &cursor, anew + bytes, sizeof(anew) - bytes)) >
		       0)
			bytes += piece;
		owed_free(&owed);
		if (owed_init(&owed, &limits, 2) != 0 ||
		    owed_load(&owed, anew, bytes, &damage, NULL) != 0 || owed.keys != keys ||
		    damage.torn_bytes + damage.damaged_bytes != 0)
			abort();
	}
	owed_free(&owed);
	return 0;
}
