/* passphrase.h - the passphrase of an operator's key: typed at the terminal, in a file, or a line
 * of standard input.
 *
 * It is in memory of sodium_malloc only (free it with sodium_free), never an argument and never in
 * the environment.
 */
#ifndef MCROSTER_ADMIN_PASSPHRASE_H
#define MCROSTER_ADMIN_PASSPHRASE_H

#include <stdbool.h>

#include "list/failure.h"

#define PASSPHRASE_BYTES_MIN 8u /* of a new one */
#define PASSPHRASE_BYTES_MAX 1024u
#define PASSPHRASE_INPUT     "-" /* as a file: the next line of standard input */

/* Reads that of the key in `path`: from `file` (by the rules of secretfile.h, one line; or
 * PASSPHRASE_INPUT), or without one from the process' terminal, which shows nothing of it
 * meanwhile.  -ENOTTY: there is none; -EINTR: Ctrl-C was typed; -EINVAL: it is empty or has a
 * control character. */
int passphrase_read(const char *file, const char *path, char **passphrase, struct failure *failure);

/* Of a new key.  Values for getopt_long, above those of target.h. */
enum { PASSPHRASE_FILE = 0x200, PASSPHRASE_NONE };

/* clang-format off */
#define PASSPHRASE_OPTIONS \
	{"passphrase-file", required_argument, NULL, PASSPHRASE_FILE}, \
	{"no-passphrase", no_argument, NULL, PASSPHRASE_NONE}

#define PASSPHRASE_USAGE \
	"      --passphrase-file F   holds the key's new passphrase ('-': a line of\n" \
	"                            standard input does); without one it is asked for\n" \
	"                            at the terminal, twice\n" \
	"      --no-passphrase       the key is stored as it is: whoever has the file has\n" \
	"                            the key\n"
/* clang-format on */

struct passphrase_wanted {
	const char *file; /* NULL: typed, twice */
	bool none;	  /* the key is to be stored as it is */
};

/* Takes an option that is one of the two. */
bool passphrase_option(struct passphrase_wanted *wanted, int option, const char *argument);

/* A new one for the key that is to be in `path`; *passphrase is NULL where none is wanted.  As
 * passphrase_read; -EINVAL also for one that is too short, or typed another time the second time.
 */
int passphrase_new(const struct passphrase_wanted *wanted, const char *path, char **passphrase,
		   struct failure *failure);

#endif
