/* ledger.h - what is known of every key, and the verdict on every answer.
 *
 * A key's versions grow with each write; a write is under way from before its first command until
 * after its last.  The *floor* of a key is the oldest version that a read may return: it rises when
 * a write completes, to that write's version, or, where another write was under way when it began
 * (their order is then anybody's), to that one's.  A read that returns less than the floor stood at
 * when the read began is **stale**.  So is one that finds a key whose last write was a delete, and
 * an update (add, incr, cas) that built on such a value.  A read that finds nothing is **missed**
 * where the key's last write had stored it and no write overlapped the read; other misses are
 * right.  What is no value of the key at all is **foreign**: a reservation of a mover, or damage.
 * Stale or missed by a command that memcached executed after its client had given it up is
 * **late**, where the server's own order proves it (late.h): mcroster's promise does not cover
 * that.
 *
 * Reads take no lock until a command has been given up: a key's record is guarded by a sequence
 * number, and the two looks that a read takes at it (ledger_read_begin, ledger_read_end) are a few
 * loads each.  Writes of one key wait
 * for each other for the moments of their beginning and end.  Each key keeps its last events, for
 * ledger_print.  Any thread may call.
 */
#ifndef MCROSTER_TESTS_CHECKER_LEDGER_H
#define MCROSTER_TESTS_CHECKER_LEDGER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "mcroster_memcached.h"

enum verdict {
	LEDGER_RIGHT,
	LEDGER_STALE,
	LEDGER_MISSED,
	LEDGER_FOREIGN,
	LEDGER_LATE,
	LEDGER_UPDATE_MISSED, /* an update that found nothing while its key moved: allowed */
	LEDGER_VERDICTS
};

enum deed { DEED_SET, DEED_ADD, DEED_INCR, DEED_CAS, DEED_DELETE, DEED_COUNT };

struct ledger;

struct ledger *ledger_new(uint32_t keys);
void ledger_free(struct ledger *ledger);

/* ---- reads ---- */

struct ledger_read {
	uint32_t index, floor, sequence;
	bool stored, absent; /* certainly, when nothing overlaps */
};

void ledger_read_begin(struct ledger *ledger, uint32_t index, struct ledger_read *read);

/* `value`: what was found, NULL for nothing; `version`: what it says, 0 where it is no value of the
 * key. */
enum verdict ledger_read_end(struct ledger *ledger, const struct ledger_read *read,
			     const struct mcr_pool_value *value, uint32_t version);

/* ---- writes ---- */

struct ledger_write {
	uint32_t index, version, floor, sequence;
	uint32_t supersedes; /* what completes makes every version below this stale */
	enum deed deed;
	uint32_t worker;
	uint32_t base; /* DEED_CAS: the version that its token came with; the caller's to set */
	uint64_t begun_ns;
	bool alone, was_stored, was_absent;
	bool met_late; /* what it found there is proven to be late */
};

/* False: as many writes of the key are under way as may be (two; of a counter, whose every value is
 * foretold, one).  An incr of a counter that is not certainly stored becomes a set. */
bool ledger_write_begin(struct ledger *ledger, uint32_t index, bool counter, enum deed deed,
			uint32_t worker, struct ledger_write *write);

/* Was a command of the key given up so lately that it may be executed yet?  Then the write is read
 * back before its end, and what was found told by ledger_write_found: it may prove something. */
bool ledger_doubted(struct ledger *ledger, uint32_t index);
void ledger_write_found(struct ledger *ledger, struct ledger_write *write,
			const struct mcr_pool_value *value, uint32_t version);

/* `number` is an incr's answer. */
enum verdict ledger_write_end(struct ledger *ledger, const struct ledger_write *write,
			      const struct mcr_pool_report *result, uint64_t number);

/* ---- for people ---- */

uint64_t ledger_given_up(struct ledger *ledger); /* commands so far */

/* The last writes of a key, one line for each beginning and end. */
void ledger_print(struct ledger *ledger, uint32_t index, FILE *stream);

uint64_t ledger_now_us(void); /* since ledger_new, as ledger_print shows it */
const char *ledger_verdict_name(enum verdict verdict);
const char *ledger_deed_name(enum deed deed);

#endif
