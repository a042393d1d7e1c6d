/* option_help.h - what a command's --help says of one of its options.
 *
 * The help is the one place that describes options; completion reads it there.
 */
#ifndef MCROSTER_ADMIN_OPTION_HELP_H
#define MCROSTER_ADMIN_OPTION_HELP_H

#include <stdbool.h>

#define OPTION_HELP_BYTES 80u

struct option_help {
	char letter;			  /* of the short form; 0: none */
	char value[OPTION_HELP_BYTES];	  /* "FILE", "yes|no"; "": it takes none */
	char sentence[OPTION_HELP_BYTES]; /* the first line of what it does */
};

/* Of the option --`name`.  False: the help does not have it. */
bool option_help_find(const char *usage, const char *name, struct option_help *help);

#endif
