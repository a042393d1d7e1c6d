/* report.c - how mcadmin says that something went wrong, and which exit code that is.
 *
 * Every complaint goes through here, so that scripts can rely on the codes and people on the form.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "admin/admin.h"
#include "admin/screen.h"

#define USAGE_BYTES 1024u

static int exit_of(int error)
{
	switch (-error) {
	case EBADMSG:
	case EINVAL:
	case EKEYREJECTED:
	case ESTALE:
	case EEXIST:
	case EMSGSIZE:
	case EPERM:
		return ADMIN_REFUSED;
	case ETIMEDOUT:
		return ADMIN_TIMED_OUT;
	case EINTR:
		return ADMIN_INTERRUPTED;
	default:
		return ADMIN_FAILED;
	}
}

int admin_fail(const char *command, int error, const struct failure *failure)
{
	screen_say(stderr, "%s: %s", command, failure->text);
	return exit_of(error);
}

int admin_usage_hint(const char *command)
{
	screen_say(stderr, "Try '%s --help'.", command);
	return ADMIN_USAGE;
}

int admin_usage(const char *command, const char *format, ...)
{
	char text[USAGE_BYTES];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	screen_say(stderr, "%s: %s", command, text);
	return admin_usage_hint(command);
}

int admin_help(const char *usage)
{
	screen_print(stdout, usage);
	return ADMIN_DONE;
}
