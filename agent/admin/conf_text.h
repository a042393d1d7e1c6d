/* conf_text.h - makes a configuration's text fit for libconfuse. */
#ifndef MCROSTER_ADMIN_CONF_TEXT_H
#define MCROSTER_ADMIN_CONF_TEXT_H

#include <stdint.h>

#include "list/failure.h"

/* Blanks the comments (#, //, C's) in place, line breaks kept: libconfuse 3.3 counts the line of a
 * comment several times over, so its error messages would name wrong lines.  It also takes the end
 * of the file for the end of a section, so a bracket or quote that is left open is refused here:
 * -EINVAL naming `path` and the line. */
int conf_text_prepare(char *text, const char *path, struct failure *failure);

#endif
